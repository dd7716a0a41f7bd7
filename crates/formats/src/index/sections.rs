//! Reading an index: checks first, then columns that are lent.

use std::fs::File;
use std::marker::PhantomData;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytemuck::Pod;
use leakline_heap::{Column, Lender, Sections};
use rustix::fs::{Mode, OFlags};

use super::map::Mapped;
use super::{
    BLOCK, BYTE_ORDER, Entry, Header, Identity, MAGIC, MAX_SECTIONS, VERSION, checksum, places_of,
};

/// An index file that belongs to a snapshot.
#[derive(Debug)]
pub struct Index {
    shared: Arc<Shared>,
    entries: Vec<Entry>,
    path: PathBuf,
}

#[derive(Debug)]
struct Shared {
    map: Mapped,
    damaged: AtomicBool,
}

impl Index {
    /// The index of the snapshot at `path`; `None` where there is none that is whole and up to date.
    pub fn of(path: &Path) -> Option<Self> {
        let places = places_of(path);
        if !places.iter().any(|place| place.exists()) {
            return None;
        }
        let identity = Identity::at(path).ok()?;
        places.into_iter().find_map(|place| Self::open(&place, &identity))
    }

    /// The index file at `path`, if it is whole and made of the snapshot with that identity.
    pub fn open(path: &Path, identity: &Identity) -> Option<Self> {
        // Not waiting for a pipe that stands in its place to be written to.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
        let meta = file.metadata().ok()?;
        // One of somebody else may say anything, and be cut short while it is mapped.
        let is_ours = meta.uid() == rustix::process::geteuid().as_raw();
        if !meta.is_file() || !is_ours || meta.len() < size_of::<Header>() as u64 {
            return None;
        }
        let map = Mapped::whole(&file).ok()?;
        let entries = read_table(map.bytes(), identity)?;
        let shared = Arc::new(Shared { map, damaged: AtomicBool::new(false) });
        Some(Self { shared, entries, path: path.to_path_buf() })
    }

    /// Whether a block that was touched is not what was written. Answers that used it are worth nothing.
    pub fn is_damaged(&self) -> bool {
        self.shared.damaged.load(Ordering::Relaxed)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks every block, on two threads; whether all are what was written.
    pub fn check_all(&self) -> bool {
        let check = |entries: &[Entry]| {
            for entry in entries {
                let section: Section<u8> = Section::new(&self.shared, entry);
                section.check(0..section.bytes.len());
            }
        };
        // The large sections are few: every other one is half of the bytes, more or less.
        let (one, other): (Vec<_>, Vec<_>) =
            self.entries.iter().copied().enumerate().partition(|(i, _)| i % 2 == 0);
        let entries =
            |list: Vec<(usize, Entry)>| list.into_iter().map(|(_, e)| e).collect::<Vec<_>>();
        let (one, other) = (entries(one), entries(other));
        std::thread::scope(|scope| {
            scope.spawn(|| check(&other));
            check(&one);
        });
        !self.is_damaged()
    }

    /// Whether there is a section of that name.
    pub fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| name_of(e) == name.as_bytes())
    }
}

impl Sections for Index {
    fn column<T: Pod + Default + Send + Sync>(&self, name: &str) -> Option<Column<T>> {
        let entry = self.entry(name)?;
        let section = Section::<T>::new(&self.shared, entry);
        let aligned = (entry.offset as usize).is_multiple_of(align_of::<T>());
        (entry.width == size_of::<T>() as u64 && aligned).then(|| Column::lent(Arc::new(section)))
    }
}

fn name_of(entry: &Entry) -> &[u8] {
    let end = entry.name.iter().position(|&b| b == 0).unwrap_or(entry.name.len());
    &entry.name[..end]
}

/// The table, if everything around it is as it should be.
fn read_table(bytes: &[u8], identity: &Identity) -> Option<Vec<Entry>> {
    let head = bytes.get(..size_of::<Header>())?;
    let header: Header = bytemuck::pod_read_unaligned(head);
    let before_checksum = &head[..size_of::<Header>() - size_of::<u64>()];
    if header.magic != MAGIC
        || header.version != VERSION
        || header.byte_order != BYTE_ORDER
        || header.checksum != checksum(before_checksum)
        || header.identity != *identity
        || header.sections > u64::from(MAX_SECTIONS)
    {
        return None;
    }
    let table = slice(bytes, header.table_offset, header.sections * size_of::<Entry>() as u64)?;
    if checksum(table) != header.table_checksum {
        return None;
    }
    let entries: Vec<Entry> =
        table.chunks_exact(size_of::<Entry>()).map(bytemuck::pod_read_unaligned).collect();
    let whole = entries.iter().all(|entry| {
        let blocks = entry.bytes.div_ceil(BLOCK as u64);
        let checksums = blocks.checked_mul(8).and_then(|n| slice(bytes, entry.checksums_offset, n));
        slice(bytes, entry.offset, entry.bytes).is_some()
            && entry.width > 0
            && entry.bytes.is_multiple_of(entry.width)
            && checksums.is_some_and(|c| checksum(c) == entry.checksums_checksum)
    });
    whole.then_some(entries)
}

fn slice(bytes: &[u8], offset: u64, len: u64) -> Option<&[u8]> {
    let end = offset.checked_add(len)?;
    bytes.get(usize::try_from(offset).ok()?..usize::try_from(end).ok()?)
}

/// A section as a column of `T`. Its place was checked when the index was opened.
struct Section<T> {
    shared: Arc<Shared>,
    bytes: Range<usize>,
    checksums: usize,
    /// A bit for each block that is known to be whole.
    checked: Vec<AtomicU64>,
    value: PhantomData<fn() -> T>,
}

impl<T: Pod> Section<T> {
    fn new(shared: &Arc<Shared>, entry: &Entry) -> Self {
        let start = entry.offset as usize;
        let bytes = start..start + entry.bytes as usize;
        let words = bytes.len().div_ceil(BLOCK).div_ceil(64);
        Self {
            shared: Arc::clone(shared),
            bytes,
            checksums: entry.checksums_offset as usize,
            checked: (0..words).map(|_| AtomicU64::new(0)).collect(),
            value: PhantomData,
        }
    }

    /// Checks the blocks of a range of the section's bytes, those that were not checked before.
    fn check(&self, range: Range<usize>) -> bool {
        if range.is_empty() {
            return true;
        }
        let map = self.shared.map.bytes();
        (range.start / BLOCK..=(range.end - 1) / BLOCK).all(|block| {
            let (word, bit) = (&self.checked[block / 64], 1 << (block % 64));
            if word.load(Ordering::Relaxed) & bit != 0 {
                return true;
            }
            // Nothing that is learnt from now on is worth anything: no walk pays for it at every step.
            if self.shared.damaged.load(Ordering::Relaxed) {
                return false;
            }
            let begin = self.bytes.start + block * BLOCK;
            let end = (begin + BLOCK).min(self.bytes.end);
            let at = self.checksums + block * 8;
            let expected = map.get(at..at + 8).and_then(|b| b.first_chunk::<8>());
            let whole =
                map.get(begin..end).map(checksum) == expected.map(|b| u64::from_ne_bytes(*b));
            if whole {
                word.fetch_or(bit, Ordering::Relaxed);
            } else {
                self.shared.damaged.store(true, Ordering::Relaxed);
            }
            whole
        })
    }

    fn values(&self, range: Range<usize>) -> Option<&[T]> {
        let width = size_of::<T>();
        let bytes = range.start.checked_mul(width)?..range.end.checked_mul(width)?;
        if bytes.start > bytes.end || bytes.end > self.bytes.len() || !self.check(bytes.clone()) {
            return None;
        }
        let start = self.bytes.start;
        let place = self.shared.map.bytes().get(start + bytes.start..start + bytes.end)?;
        bytemuck::try_cast_slice(place).ok()
    }
}

impl<T: Pod + Send + Sync> Lender<T> for Section<T> {
    fn len(&self) -> usize {
        self.bytes.len() / size_of::<T>()
    }

    fn whole(&self) -> &[T] {
        self.values(0..self.len()).unwrap_or_default()
    }

    fn range(&self, range: Range<usize>) -> &[T] {
        self.values(range).unwrap_or_default()
    }
}
