//! Writing an index.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytemuck::{Pod, Zeroable};
use leakline_heap::SectionSink;
use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use super::{
    ALIGN, BLOCK, BYTE_ORDER, Entry, Header, Identity, MAGIC, MAX_SECTIONS, NAME, VERSION,
    checksum, places_of,
};

/// Why there is no index. Nothing depends on it: the snapshot is read again next time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Neither the snapshot's folder nor the cache folder can be written to.
    #[error("no folder to write it to: {0}")]
    NoPlace(#[source] io::Error),
    /// The disk is full, or has too little room left.
    #[error("it takes {needed} bytes, and {available} are free")]
    NoRoom {
        /// Bytes of the index.
        needed: u64,
        /// Bytes that are free.
        available: u64,
    },
    /// The snapshot is not the one that was read.
    #[error("the snapshot has changed since it was read")]
    Changed,
    /// Writing failed.
    #[error("cannot write it: {0}")]
    Io(#[from] io::Error),
}

/// Writes an index, section by section. Dropping it before [`finish`](Self::finish) leaves nothing behind.
#[derive(Debug)]
pub struct IndexWriter {
    out: BufWriter<File>,
    /// Where the file gets its name when it is complete.
    place: PathBuf,
    /// Its name until then, on file systems without nameless files.
    named: Option<tempfile::TempPath>,
    identity: Identity,
    entries: Vec<Entry>,
    checksums: Vec<Vec<u64>>,
    at: u64,
}

/// The named file of an index that is being written: a program that is told to end does not drop its values.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Removes what is there of an index that is being written. For a program that is about to end; the writer
/// fails after it.
pub fn discard_unfinished() {
    // A panic of the thread that held it changes nothing about the file.
    let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(path) = unfinished.take() {
        // There is nobody left to tell.
        let _ = std::fs::remove_file(path);
    }
}

fn set_unfinished(path: Option<PathBuf>) {
    *UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner) = path;
}

/// Room that is left on the disk, besides the index itself: a full disk hurts more than a slow question.
const SPARE: u64 = 256 << 20;

impl IndexWriter {
    /// Begins the index of the snapshot at `path`, which had that identity *before* it was read. It will take
    /// about `expected_bytes`.
    ///
    /// # Errors
    /// [`WriteError`] when there is no place or no room for it, or the snapshot has changed meanwhile.
    pub fn begin(path: &Path, identity: Identity, expected_bytes: u64) -> Result<Self, WriteError> {
        if Identity::at(path)? != identity {
            return Err(WriteError::Changed);
        }
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for (i, place) in places_of(path).into_iter().enumerate() {
            let folder = match place.parent() {
                Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
                Some(parent) => parent,
                None => continue,
            };
            // The folder of the snapshot is there; that of the cache may not be.
            if i > 0
                && let Err(e) = make_private(folder)
            {
                last = e;
                continue;
            }
            let room = rustix::fs::statvfs(folder).map(|s| s.f_bavail * s.f_frsize);
            let needed = expected_bytes + SPARE;
            if let Ok(available) = room
                && available < needed
            {
                return Err(WriteError::NoRoom { needed, available });
            }
            match create(folder) {
                Ok((file, named)) => {
                    let mut out = BufWriter::with_capacity(1 << 20, file);
                    out.write_all(&[0; size_of::<Header>()])?;
                    return Ok(Self {
                        out,
                        place,
                        named,
                        identity,
                        entries: Vec::new(),
                        checksums: Vec::new(),
                        at: size_of::<Header>() as u64,
                    });
                }
                Err(e) => last = e,
            }
        }
        Err(WriteError::NoPlace(last))
    }

    /// Completes the file and gives it its name, in one step: whoever looks finds the old one or the new.
    /// Returns where it is and how many bytes it has.
    ///
    /// # Errors
    /// [`WriteError`] when the rest cannot be written.
    pub fn finish(mut self) -> Result<(PathBuf, u64), WriteError> {
        for (entry, checksums) in self.entries.iter_mut().zip(&self.checksums) {
            let bytes: &[u8] = bytemuck::cast_slice(checksums);
            entry.checksums_offset = self.at;
            entry.checksums_checksum = checksum(bytes);
            self.out.write_all(bytes)?;
            self.at += bytes.len() as u64;
        }
        let table: &[u8] = bytemuck::cast_slice(&self.entries);
        self.out.write_all(table)?;
        let mut header = Header {
            magic: MAGIC,
            version: VERSION,
            byte_order: BYTE_ORDER,
            identity: self.identity,
            table_offset: self.at,
            sections: self.entries.len() as u64,
            table_checksum: checksum(table),
            ..Header::zeroed()
        };
        let bytes = bytemuck::bytes_of(&header);
        header.checksum = checksum(&bytes[..bytes.len() - size_of::<u64>()]);
        self.at += table.len() as u64;
        let mut file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(bytemuck::bytes_of(&header))?;
        match self.named {
            Some(named) => {
                named.persist(&self.place).map_err(|e| e.error)?;
                // Only now: until it has its name, whoever ends the program has to know of it.
                set_unfinished(None);
            }
            None => give_name(&file, &self.place)?,
        }
        Ok((self.place, self.at))
    }
}

impl SectionSink for IndexWriter {
    type Error = WriteError;

    fn put<T: Pod>(&mut self, name: &str, values: &[T]) -> Result<(), WriteError> {
        if name.len() > NAME || self.entries.len() >= MAX_SECTIONS as usize {
            return Err(io::Error::from(io::ErrorKind::InvalidInput).into());
        }
        let padding = self.at.next_multiple_of(ALIGN) - self.at;
        self.out.write_all(&[0; ALIGN as usize][..padding as usize])?;
        self.at += padding;
        let bytes: &[u8] = bytemuck::cast_slice(values);
        let mut entry = Entry {
            offset: self.at,
            bytes: bytes.len() as u64,
            width: size_of::<T>() as u64,
            ..Entry::default()
        };
        entry.name[..name.len()].copy_from_slice(name.as_bytes());
        let mut checksums = Vec::with_capacity(bytes.len().div_ceil(BLOCK));
        for block in bytes.chunks(BLOCK) {
            checksums.push(checksum(block));
            self.out.write_all(block)?;
        }
        self.at += bytes.len() as u64;
        self.entries.push(entry);
        self.checksums.push(checksums);
        Ok(())
    }
}

/// A new file without a name, where the file system can; else with one that goes when it is dropped.
fn create(folder: &Path) -> io::Result<(File, Option<tempfile::TempPath>)> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    if let Ok(file) = rustix::fs::open(folder, flags, mode) {
        return Ok((file.into(), None));
    }
    let named = tempfile::Builder::new().prefix(".leakline-index-").tempfile_in(folder)?;
    let (file, path) = named.into_parts();
    set_unfinished(Some(path.to_path_buf()));
    Ok((file, Some(path)))
}

/// Names a nameless file. A name that is taken cannot be given, so it gets another one first.
fn give_name(file: &File, place: &Path) -> io::Result<()> {
    let own = format!("/proc/self/fd/{}", file.as_raw_fd());
    // Where there is none yet, in one step.
    if rustix::fs::linkat(CWD, own.as_str(), CWD, place, AtFlags::SYMLINK_FOLLOW).is_ok() {
        return Ok(());
    }
    let mut passing = place.as_os_str().to_os_string();
    passing.push(format!(".{}", std::process::id()));
    let passing = PathBuf::from(passing);
    // One of a process of our number that died in this very moment is of no use to anybody.
    let _ = std::fs::remove_file(&passing);
    rustix::fs::linkat(CWD, own.as_str(), CWD, &passing, AtFlags::SYMLINK_FOLLOW)?;
    std::fs::rename(&passing, place).inspect_err(|_| {
        let _ = std::fs::remove_file(&passing);
    })
}

/// Makes a folder that is nobody else's business.
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
