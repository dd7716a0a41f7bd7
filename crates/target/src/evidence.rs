//! Is this executable Node.js? Proven by what it exports, not by its name.
//!
//! Node.js exports its embedding entry point and its add-on interface from the executable itself
//! (add-ons are linked against it) or, in builds of some distributions, from `libnode.so`. So the
//! dynamic symbol names of an ELF file are evidence that a renamed binary cannot show by accident;
//! Bun offers the add-on interface too, which is why `node::Start` is asked for as well.
//!
//! Only the dynamic string table is read (5–9 MB of a 90–150 MB file), through a small window.
//! Layout: System V ABI, chapters 4 and 5.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use memchr::memmem;

use crate::process::ProcDir;

/// `node::Start(int, char**)`, the entry point that `main` calls.
const START: &[u8] = b"\0_ZN4node5StartEiPPc\0";
/// Add-ons register themselves with this.
const REGISTER: &[u8] = b"\0node_module_register\0";

const WINDOW_BYTES: usize = 256 << 10;
/// Largest string table that is searched; Node 26 has 9 MB.
const MAX_TABLE_BYTES: u64 = 64 << 20;
const MAX_PROGRAM_HEADERS: u64 = 128;
const MAX_DYNAMIC_BYTES: u64 = 64 << 10;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const DT_STRTAB: u64 = 5;
const DT_STRSZ: u64 = 10;

/// Looks for Node.js in the executable of `process`, then in a `libnode.so` that it maps.
/// `Ok(Some(text))` says where the evidence was found.
pub(crate) fn node_evidence(process: &ProcDir) -> io::Result<Option<String>> {
    let name =
        |path: io::Result<PathBuf>| path.map_or_else(|_| "?".into(), |p| p.display().to_string());
    let executable = process.path("exe");
    if exports_node(&mut File::open(&executable)?)? {
        let path = name(std::fs::read_link(&executable));
        return Ok(Some(format!("{path} exports node::Start and node_module_register")));
    }
    let maps = process.read_text("maps").unwrap_or_default();
    let library = maps
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().nth(5))
        .find(|path| path.rsplit('/').next().is_some_and(|file| file.starts_with("libnode.so")));
    if let Some(library) = library {
        // Through the process's own root, so that it also works for a container.
        let path = process.path("root").join(library.trim_start_matches('/'));
        if exports_node(&mut File::open(path)?)? {
            return Ok(Some(format!("maps {library}, which exports node::Start")));
        }
    }
    Ok(None)
}

/// Whether a 64-bit little-endian ELF file exports both names. Any other file: `false`.
fn exports_node(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let Some((offset, length)) = string_table(file)? else { return Ok(false) };
    file.seek(SeekFrom::Start(offset))?;
    let mut table = file.take(length);
    let keep = START.len().max(REGISTER.len()) - 1;
    let mut window = Vec::with_capacity(WINDOW_BYTES + keep);
    let (mut start, mut register) = (false, false);
    loop {
        let before = window.len();
        (&mut table).take(WINDOW_BYTES as u64).read_to_end(&mut window)?;
        if window.len() == before {
            return Ok(false);
        }
        start |= memmem::find(&window, START).is_some();
        register |= memmem::find(&window, REGISTER).is_some();
        if start && register {
            return Ok(true);
        }
        // A name may straddle two windows.
        let tail = window.len().saturating_sub(keep);
        window.drain(..tail);
    }
}

/// File offset and length of the dynamic string table.
fn string_table(file: &mut (impl Read + Seek)) -> io::Result<Option<(u64, u64)>> {
    let mut header = [0u8; 64];
    if let Err(error) = file.read_exact(&mut header) {
        return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
    }
    // Magic, 64-bit class, little endian: all platforms that Node.js is released for on Linux
    // except s390x, which is big-endian.
    if header[..6] != [0x7f, b'E', b'L', b'F', 2, 1] {
        return Ok(None);
    }
    let table = le64(&header, 32);
    let entry = u64::from(le16(&header, 54));
    let count = u64::from(le16(&header, 56));
    if entry < 56 || count > MAX_PROGRAM_HEADERS {
        return Ok(None);
    }
    let Some(headers) = read_at(file, table, entry * count)? else { return Ok(None) };
    let segments: Vec<Segment> = headers.chunks_exact(entry as usize).map(Segment::parse).collect();
    let Some(dynamic) = segments.iter().find(|s| s.kind == PT_DYNAMIC) else { return Ok(None) };
    let length = dynamic.file_bytes.min(MAX_DYNAMIC_BYTES);
    let Some(entries) = read_at(file, dynamic.offset, length)? else { return Ok(None) };
    let value = |tag: u64| entries.chunks_exact(16).find(|e| le64(e, 0) == tag).map(|e| le64(e, 8));
    let (Some(address), Some(size)) = (value(DT_STRTAB), value(DT_STRSZ)) else { return Ok(None) };
    let offset = segments.iter().find_map(|s| {
        let inside = address.checked_sub(s.address)?;
        (s.kind == PT_LOAD && inside < s.file_bytes).then(|| s.offset.checked_add(inside))?
    });
    Ok(offset.map(|offset| (offset, size.min(MAX_TABLE_BYTES))))
}

struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    file_bytes: u64,
}

impl Segment {
    /// `bytes` are at least 56 long: checked by the caller through the entry size.
    fn parse(bytes: &[u8]) -> Self {
        Self {
            kind: le64(bytes, 0) as u32,
            offset: le64(bytes, 8),
            address: le64(bytes, 16),
            file_bytes: le64(bytes, 32),
        }
    }
}

fn read_at(file: &mut (impl Read + Seek), offset: u64, length: u64) -> io::Result<Option<Vec<u8>>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 == length).then_some(bytes))
}

fn le16(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

fn le64(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    if let Some(found) = bytes.get(at..at + 8) {
        word.copy_from_slice(found);
    }
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A minimal ELF file: header, one `PT_LOAD` and one `PT_DYNAMIC`, the dynamic section, the names.
    fn elf(names: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0u8; 64];
        bytes[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
        bytes[32..40].copy_from_slice(&64u64.to_le_bytes());
        bytes[54..56].copy_from_slice(&56u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&2u16.to_le_bytes());
        let names_at = 64 + 2 * 56 + 32;
        let total = names_at + names.len() as u64;
        for (kind, offset, address, size) in [(1u64, 0u64, 0x1000u64, total), (2, 176, 0x10b0, 32)]
        {
            for word in [kind, offset, address, address, size, size, 8] {
                bytes.extend(word.to_le_bytes());
            }
        }
        for word in [DT_STRTAB, 0x1000 + names_at, DT_STRSZ, names.len() as u64] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(names);
        bytes
    }

    fn check(bytes: Vec<u8>) -> bool {
        exports_node(&mut Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn needs_both_names_whole() {
        assert!(check(elf(b"\0a\0_ZN4node5StartEiPPc\0b\0node_module_register\0")));
        assert!(!check(elf(b"\0napi_create_object\0node_module_register\0")));
        assert!(!check(elf(b"\0x_ZN4node5StartEiPPc\0node_module_registers\0")));
    }

    #[test]
    fn finds_a_name_across_two_windows() {
        let mut names = vec![b'x'; WINDOW_BYTES - 10];
        names[0] = 0;
        names.extend(b"\0_ZN4node5StartEiPPc\0");
        names.extend(vec![b'y'; WINDOW_BYTES]);
        names.extend(b"\0node_module_register\0");
        assert!(check(elf(&names)));
    }

    #[test]
    fn anything_else_is_not_node() {
        assert!(!check(Vec::new()));
        assert!(!check(b"#!/bin/sh\necho node_module_register".to_vec()));
        let whole = elf(b"\0_ZN4node5StartEiPPc\0node_module_register\0");
        for end in 0..whole.len() {
            // Cut anywhere: an answer, never a panic.
            let found = check(whole[..end].to_vec());
            assert!(!found || end > whole.len() - 2);
        }
    }
}
