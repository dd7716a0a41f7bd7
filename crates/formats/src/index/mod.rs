//! The index file: everything that was learnt of a snapshot, to be used again without reading it.
//!
//! A snapshot of a gigabyte takes a second to read and analyse, and whoever follows a leak asks many
//! questions of one file. So the columns of its graph and of the analyses are kept in a file beside it, as
//! they stand in memory; opening it maps the file, and a question touches only the pages it needs.
//!
//! # What is in the file
//!
//! ```text
//! header      magic, version, byte order; identity of the snapshot; where the table is; a checksum of it all
//! sections    named columns of plain numbers, each aligned to 64 bytes
//! checksums   of every block of 64 KiB of every section
//! table       name, place, length and width of each section, and where its checksums are
//! ```
//!
//! # What is believed
//!
//! Nothing. The header must be whole, of this version and byte order, and name the snapshot by size, time of
//! change, inode and a hash of samples of its content: otherwise the index is stale, and is made anew. A
//! block is checked against its checksum when it is first touched. When that fails, the reader gets nothing
//! or zeros, there and wherever it has not looked before, and [`Index::is_damaged`] says so: whoever answers
//! a question asks it before the answer is given, and falls back to the snapshot. Whatever numbers stand in
//! a section that is whole, they are values, not promises: what reads them stays inside its columns.
//!
//! The file is written without a name and gets one when it is complete, so a killed process leaves nothing
//! behind; its mode is 0600, since it holds what the snapshot holds.

mod identity;
mod map;
mod sections;
mod write;

use std::path::{Path, PathBuf};

pub use identity::Identity;
pub use sections::Index;
pub use write::{IndexWriter, WriteError, discard_unfinished};

/// Begins every index file.
const MAGIC: [u8; 8] = *b"leaklidx";

/// Counts changes of the layout, and of what the sections mean: an index of another version is stale.
const VERSION: u32 = 1;

/// Written as a number; reads as another one where bytes stand in another order.
const BYTE_ORDER: u32 = 0x0102_0304;

/// Bytes that one checksum covers.
const BLOCK: usize = 64 << 10;

/// Sections begin at multiples of this.
const ALIGN: u64 = 64;

/// More sections than any version has had; bounds what a hostile table can ask for.
const MAX_SECTIONS: u32 = 256;

/// The longest name of a section.
const NAME: usize = 24;

/// The first bytes of the file.
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Header {
    magic: [u8; 8],
    version: u32,
    byte_order: u32,
    identity: Identity,
    table_offset: u64,
    sections: u64,
    /// Of the table's bytes.
    table_checksum: u64,
    /// Of the bytes before this one.
    checksum: u64,
}

/// A section, as the table lists it.
#[derive(Clone, Copy, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Entry {
    name: [u8; NAME],
    offset: u64,
    bytes: u64,
    /// Bytes of one value.
    width: u64,
    /// Where its checksums stand, eight bytes for each block.
    checksums_offset: u64,
    /// Of the checksums' bytes.
    checksums_checksum: u64,
}

// The file holds these as they stand in memory.
const _: () = assert!(size_of::<Header>() == 88 && size_of::<Entry>() == 64);

fn checksum(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// Where the index of a snapshot may stand: beside it, and, for folders one cannot write to, in the user's
/// cache folder.
pub fn places_of(snapshot: &Path) -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Some(name) = snapshot.file_name() {
        let mut beside = name.to_os_string();
        beside.push(".leakline-index");
        places.push(snapshot.with_file_name(beside));
    }
    if let Some(cache) = cache_folder()
        && let Ok(whole) = snapshot.canonicalize()
    {
        let name = checksum(whole.as_os_str().as_encoded_bytes());
        places.push(cache.join(format!("{name:016x}.leakline-index")));
    }
    places
}

/// `$XDG_CACHE_HOME/leakline`, or `~/.cache/leakline`.
fn cache_folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    cache.map(|c| c.join("leakline"))
}
