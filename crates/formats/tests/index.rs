//! The index file: what comes back is what was put in, or nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

use std::collections::BTreeMap;
use std::fs::{File, FileTimes, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use leakline_formats::index::{Identity, Index, IndexWriter, WriteError, places_of};
use leakline_heap::{Column, SectionSink, Sections};
use proptest::prelude::*;
use tempfile::TempDir;

/// Bytes of a block: what one checksum covers.
const BLOCK: usize = 64 << 10;

/// A folder with a snapshot in it; the index reader never looks at what a snapshot says.
struct Desk {
    dir: TempDir,
    snapshot: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let snapshot = dir.path().join("a.heapsnapshot");
        std::fs::write(&snapshot, vec![b'x'; 300_000]).unwrap();
        Self { dir, snapshot }
    }

    fn begin(&self) -> Result<IndexWriter, WriteError> {
        IndexWriter::begin(&self.snapshot, Identity::at(&self.snapshot)?, 0)
    }

    /// A small index with a section of each width.
    fn write(&self) -> PathBuf {
        let mut writer = self.begin().unwrap();
        writer.put("bytes", b"some text").unwrap();
        writer.put("words", &[1u32, 2, 3]).unwrap();
        writer.put("longs", &[4u64, 5]).unwrap();
        writer.put("nothing", &[0u64; 0]).unwrap();
        writer.finish().unwrap().0
    }

    fn open(&self) -> Option<Index> {
        Index::of(&self.snapshot)
    }

    fn files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.dir.path()).unwrap();
        let mut names: Vec<String> =
            files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// What the index of [`Desk::write`] gives for a section that is whole, or nothing for one that is not.
/// Anything else is wrong. Returns whether all was there.
#[track_caller]
fn nothing_wrong(index: &Index) -> bool {
    fn is_right<T: bytemuck::Pod + Default + Send + Sync + PartialEq + std::fmt::Debug>(
        index: &Index,
        name: &str,
        right: &[T],
    ) -> bool {
        let Some(column) = index.column::<T>(name) else { return false };
        let whole = column.as_slice();
        let damaged = index.is_damaged();
        for (i, right) in right.iter().enumerate() {
            let got = column.get(i);
            assert!(got == *right || damaged && got == T::default(), "{name}[{i}] = {got:?}");
        }
        assert!(whole == right || damaged && whole.is_empty(), "{name}: {whole:?}");
        whole == right
    }
    let all = is_right(index, "bytes", b"some text")
        & is_right(index, "words", &[1u32, 2, 3])
        & is_right(index, "longs", &[4u64, 5])
        & is_right(index, "nothing", &[0u64; 0]);
    assert_eq!(index.check_all(), all, "either damage is told, or there is none");
    all
}

/// Sections as the table of an index knows them: name, bytes of a value, values.
type Drawn = BTreeMap<String, (usize, Vec<u8>)>;

fn sections() -> impl Strategy<Value = Drawn> {
    let lengths = prop_oneof![
        Just(0usize),
        1..200usize,
        (BLOCK - 40)..(BLOCK + 40),
        (2 * BLOCK - 40)..(2 * BLOCK + 40),
        Just(3 * BLOCK)
    ];
    let width = prop_oneof![Just(1usize), Just(4), Just(8), Just(16)];
    let section = (width, lengths, any::<u8>()).prop_map(|(width, len, seed)| {
        let len = len / width * width;
        (width, (0..len).map(|i| (i as u8).wrapping_mul(31).wrapping_add(seed)).collect())
    });
    prop::collection::btree_map("[a-z.]{1,24}", section, 0..12)
}

fn put(writer: &mut IndexWriter, name: &str, width: usize, bytes: &[u8]) {
    match width {
        1 => writer.put(name, bytes),
        4 => writer.put(name, &cast::<u32>(bytes)),
        8 => writer.put(name, &cast::<u64>(bytes)),
        _ => writer.put(name, &cast::<[u64; 2]>(bytes)),
    }
    .unwrap();
}

fn cast<T: bytemuck::Pod>(bytes: &[u8]) -> Vec<T> {
    bytes.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned).collect()
}

/// The bytes of a section; nothing where it has another width.
fn get(index: &Index, name: &str, width: usize) -> Option<Vec<u8>> {
    fn bytes<T: bytemuck::Pod + Default>(column: &Column<T>) -> Vec<u8> {
        let all = bytemuck::cast_slice(column.as_slice()).to_vec();
        let single: Vec<T> = (0..column.len()).map(|i| column.get(i)).collect();
        assert_eq!(bytemuck::cast_slice::<T, u8>(&single), all);
        let (from, to) = (column.len() / 3, column.len() - column.len() / 4);
        assert_eq!(bytemuck::cast_slice::<T, u8>(column.range(from..to)), {
            bytemuck::cast_slice::<T, u8>(&single[from..to])
        });
        // Outside there is nothing.
        assert!(column.range(0..column.len() + 1).is_empty());
        assert!(column.range(usize::MAX - 1..usize::MAX).is_empty());
        assert!(bytemuck::bytes_of(&column.get(usize::MAX)).iter().all(|&b| b == 0));
        all
    }
    Some(match width {
        1 => bytes(&index.column::<u8>(name)?),
        4 => bytes(&index.column::<u32>(name)?),
        8 => bytes(&index.column::<u64>(name)?),
        _ => bytes(&index.column::<[u64; 2]>(name)?),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any sections come back as they were put in, in all the ways a column is read.
    #[test]
    fn round_trip(drawn in sections()) {
        let desk = Desk::new();
        let mut writer = desk.begin().unwrap();
        for (name, (width, bytes)) in &drawn {
            put(&mut writer, name, *width, bytes);
        }
        let (place, size) = writer.finish().unwrap();
        prop_assert_eq!(std::fs::metadata(&place).unwrap().len(), size);
        let index = desk.open().expect("just written");
        prop_assert_eq!(index.path(), place);
        for (name, (width, bytes)) in &drawn {
            prop_assert!(index.has(name));
            for other in [1, 4, 8, 16] {
                let found = get(&index, name, other);
                prop_assert_eq!(found.as_ref(), (other == *width).then_some(bytes), "{}", name);
            }
        }
        prop_assert!(!index.has("nobody put this") && index.check_all() && !index.is_damaged());
    }

    /// A byte that is another one, anywhere in any index.
    #[test]
    fn one_byte_of_a_large_index(drawn in sections(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let desk = Desk::new();
        let mut writer = desk.begin().unwrap();
        for (name, (width, bytes)) in &drawn {
            put(&mut writer, name, *width, bytes);
        }
        let place = writer.finish().unwrap().0;
        let mut file = std::fs::read(&place).unwrap();
        let at = at.index(file.len());
        file[at] ^= 1 << bit;
        std::fs::write(&place, file).unwrap();
        let Some(index) = desk.open() else { return Ok(()) };
        for (name, (width, bytes)) in &drawn {
            let column = index.column::<u8>(name);
            if *width == 1 && let Some(column) = column {
                for (i, &right) in bytes.iter().enumerate() {
                    let got = column.get(i);
                    prop_assert!(got == right || index.is_damaged() && got == 0);
                }
            }
        }
        let whole = index.check_all();
        for (name, (width, bytes)) in &drawn {
            if whole {
                // It fell between the sections.
                prop_assert_eq!(get(&index, name, *width), Some(bytes.clone()));
            }
        }
    }
}

#[test]
fn a_changed_snapshot_has_no_index() {
    let change = |what: &str, change: &dyn Fn(&Path), stale: bool| {
        let desk = Desk::new();
        desk.write();
        assert!(desk.open().is_some_and(|index| nothing_wrong(&index)), "{what}");
        let before = std::fs::metadata(&desk.snapshot).unwrap();
        change(&desk.snapshot);
        let times = FileTimes::new().set_modified(before.modified().unwrap());
        let file = OpenOptions::new().append(true).open(&desk.snapshot).unwrap();
        if what != "touched" {
            file.set_times(times).unwrap();
            assert_eq!(
                std::fs::metadata(&desk.snapshot).unwrap().modified().unwrap(),
                before.modified().unwrap()
            );
        }
        assert_eq!(desk.open().is_none(), stale, "{what}");
    };
    change("untouched", &|_| (), false);
    change(
        "touched",
        &|path| File::open(path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap(),
        true,
    );
    change("longer", &|path| std::fs::write(path, vec![b'x'; 300_001]).unwrap(), true);
    change("shorter", &|path| std::fs::write(path, vec![b'x'; 299_999]).unwrap(), true);
    change("empty", &|path| std::fs::write(path, "").unwrap(), true);
    for at in [0, 4095, 299_999] {
        let overwrite = |path: &Path| {
            OpenOptions::new().write(true).open(path).unwrap().write_all_at(b"y", at).unwrap();
        };
        change("other content of the same size and time", &overwrite, true);
    }
    let replace = |path: &Path| {
        let other = path.with_extension("other");
        std::fs::copy(path, &other).unwrap();
        std::fs::rename(other, path).unwrap();
    };
    change("the same content in another file", &replace, true);
    let desk = Desk::new();
    desk.write();
    std::fs::remove_file(&desk.snapshot).unwrap();
    std::fs::create_dir(&desk.snapshot).unwrap();
    assert!(desk.open().is_none(), "a folder");
}

/// A snapshot that is written to while it is read would get an index of what it was.
#[test]
fn a_snapshot_that_changed_while_it_was_read_gets_no_index() {
    let desk = Desk::new();
    let before = Identity::at(&desk.snapshot).unwrap();
    std::fs::write(&desk.snapshot, "more").unwrap();
    let refused = IndexWriter::begin(&desk.snapshot, before, 0);
    assert!(matches!(refused, Err(WriteError::Changed)), "{refused:?}");
    assert_eq!(desk.files(), ["a.heapsnapshot"]);
}

#[test]
fn an_index_that_is_cut_is_none() {
    let desk = Desk::new();
    let place = desk.write();
    let whole = std::fs::read(&place).unwrap();
    for len in 0..whole.len() {
        std::fs::write(&place, &whole[..len]).unwrap();
        if let Some(index) = desk.open() {
            nothing_wrong(&index);
        }
    }
    std::fs::write(&place, &whole).unwrap();
    assert!(desk.open().is_some_and(|index| nothing_wrong(&index)));
    // Whatever follows is nobody's.
    std::fs::write(&place, [&whole[..], b"more"].concat()).unwrap();
    assert!(desk.open().is_some_and(|index| nothing_wrong(&index)));
}

#[test]
fn no_flipped_byte_gives_a_wrong_answer() {
    let desk = Desk::new();
    let place = desk.write();
    let whole = std::fs::read(&place).unwrap();
    let (mut none, mut noticed, mut between) = (0, 0, 0);
    for at in 0..whole.len() {
        for mask in [1, 0x80, 0xff] {
            let mut other = whole.clone();
            other[at] ^= mask;
            std::fs::write(&place, &other).unwrap();
            match desk.open().map(|index| nothing_wrong(&index)) {
                None => none += 1,
                Some(false) => noticed += 1,
                Some(true) => between += 1,
            }
        }
    }
    // All of the header and the table, and all values; the rest is padding.
    assert!(
        none >= 3 * (88 + 4 * 64) && noticed == 3 * (9 + 12 + 16),
        "{none} {noticed} {between}"
    );
}

/// A walk that meets a damaged block at every step would look at the block, all of it, at every step.
#[test]
fn after_damage_nothing_more_is_looked_at() {
    let desk = Desk::new();
    let mut writer = desk.begin().unwrap();
    writer.put("damaged", &vec![7u8; 3 * BLOCK]).unwrap();
    writer.put("whole", &vec![7u8; 2 * BLOCK]).unwrap();
    let place = writer.finish().unwrap().0;
    // The sections begin behind the header, at a multiple of 64.
    let file = OpenOptions::new().write(true).open(&place).unwrap();
    file.write_all_at(&[8], 128 + BLOCK as u64).unwrap();
    let index = desk.open().unwrap();
    let [damaged, whole] = ["damaged", "whole"].map(|name| index.column::<u8>(name).unwrap());
    assert_eq!((damaged.get(0), damaged.get(2 * BLOCK), whole.get(0)), (7, 7, 7));
    assert!(!index.is_damaged());
    assert_eq!(damaged.get(BLOCK), 0);
    assert!(index.is_damaged());
    // What was checked before is still what it was; the rest is worth nothing and costs nothing.
    assert_eq!((damaged.get(0), damaged.get(2 * BLOCK), whole.get(0)), (7, 7, 7));
    assert_eq!((damaged.get(BLOCK + 1), whole.get(BLOCK)), (0, 0));
    assert!(whole.as_slice().is_empty() && !index.check_all());
}

/// Where the numbers of the header and of the table stand, for those who forge them.
mod layout {
    pub const VERSION: usize = 8;
    pub const BYTE_ORDER: usize = 12;
    pub const TABLE_OFFSET: usize = 56;
    pub const SECTIONS: usize = 64;
    pub const TABLE_CHECKSUM: usize = 72;
    pub const CHECKSUM: usize = 80;
    pub const HEADER: usize = 88;
    pub const ENTRY: usize = 64;
    /// Offset, bytes, width, offset of the checksums, their checksum.
    pub const NUMBERS: [usize; 5] = [24, 32, 40, 48, 56];
}

fn number(file: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(file[at..at + 8].try_into().unwrap())
}

fn set(file: &mut [u8], at: usize, value: u64) {
    file[at..at + 8].copy_from_slice(&value.to_ne_bytes());
}

/// Gives a forged index the checksums it needs to be looked at.
fn seal(file: &mut [u8]) {
    let xxh3 = xxhash_rust::xxh3::xxh3_64;
    let table = number(file, layout::TABLE_OFFSET) as usize;
    let len = (number(file, layout::SECTIONS) as usize).saturating_mul(layout::ENTRY);
    let sum = file.get(table..table.saturating_add(len)).map(xxh3);
    set(file, layout::TABLE_CHECKSUM, sum.unwrap_or(0));
    let sum = xxh3(&file[..layout::CHECKSUM]);
    set(file, layout::CHECKSUM, sum);
    assert_eq!(layout::CHECKSUM + 8, layout::HEADER);
}

#[test]
fn another_version_or_byte_order_is_none() {
    let desk = Desk::new();
    let place = desk.write();
    let whole = std::fs::read(&place).unwrap();
    let mut same = whole.clone();
    seal(&mut same);
    assert_eq!(same, whole, "the test forges checksums as they are written");
    for at in [0, layout::VERSION, layout::BYTE_ORDER] {
        let mut other = whole.clone();
        other[at..at + 4].reverse();
        other[at] ^= 1;
        seal(&mut other);
        std::fs::write(&place, &other).unwrap();
        assert!(desk.open().is_none(), "at {at}");
    }
}

/// Tables that lie, under right checksums.
#[test]
fn hostile_tables_are_refused_or_stay_inside() {
    let desk = Desk::new();
    let place = desk.write();
    let whole = std::fs::read(&place).unwrap();
    let table = number(&whole, layout::TABLE_OFFSET) as usize;
    let len = whole.len() as u64;
    let values = [
        0,
        1,
        2,
        3,
        5,
        7,
        8,
        16,
        63,
        64,
        88,
        1000,
        len - 1,
        len,
        len + 1,
        1 << 16,
        1 << 32,
        1 << 63,
        u64::MAX - 64,
        u64::MAX - 1,
        u64::MAX,
    ];
    let look = |file: &[u8]| {
        std::fs::write(&place, file).unwrap();
        let Some(index) = desk.open() else { return };
        for name in ["bytes", "words", "longs", "nothing", ""] {
            // Not through `get`: whether one value and all of them agree is not promised here.
            macro_rules! read {
                ($($of:ty),*) => {$(
                    if let Some(column) = index.column::<$of>(name) {
                        column.as_slice();
                        for at in 0..column.len().min(100) {
                            column.get(at);
                        }
                        column.range(1..column.len());
                        column.get(usize::MAX);
                    }
                )*};
            }
            read!(u8, u32, u64, [u64; 2]);
        }
        index.check_all();
    };
    for entry in 0..4 {
        for field in layout::NUMBERS {
            for value in values {
                let mut file = whole.clone();
                set(&mut file, table + entry * layout::ENTRY + field, value);
                seal(&mut file);
                look(&file);
                // The same in two fields at once.
                for other in layout::NUMBERS {
                    let mut file = file.clone();
                    set(&mut file, table + entry * layout::ENTRY + other, value);
                    seal(&mut file);
                    look(&file);
                }
            }
        }
    }
    for field in [layout::TABLE_OFFSET, layout::SECTIONS] {
        for value in values {
            let mut file = whole.clone();
            set(&mut file, field, value);
            seal(&mut file);
            look(&file);
        }
    }
    // Every number the largest, all sections in one place, all names the same, and none with an end.
    let mut file = whole.clone();
    for entry in 0..4 {
        for field in layout::NUMBERS {
            set(&mut file, table + entry * layout::ENTRY + field, u64::MAX);
        }
    }
    seal(&mut file);
    look(&file);
    let mut file = whole.clone();
    for entry in 1..4 {
        file.copy_within(table..table + layout::ENTRY, table + entry * layout::ENTRY);
    }
    seal(&mut file);
    look(&file);
    let mut file = whole;
    for entry in 0..4 {
        file[table + entry * layout::ENTRY..][..24].fill(b'a');
    }
    seal(&mut file);
    look(&file);
}

#[test]
fn sections_that_cannot_be_kept_are_refused() {
    let desk = Desk::new();
    let mut writer = desk.begin().unwrap();
    assert!(writer.put("a name of more than twenty-four bytes", b"").is_err());
    for i in 0..256 {
        writer.put(&format!("section {i}"), &[i]).unwrap();
    }
    assert!(writer.put("one too many", b"").is_err());
    writer.finish().unwrap();
    let index = desk.open().unwrap();
    assert_eq!(index.column::<i32>("section 255").unwrap().as_slice(), [255]);
}

#[test]
fn an_index_is_the_owners_alone() {
    let desk = Desk::new();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(&desk.write()), 0o600);
    // Over one that was open to all.
    std::fs::set_permissions(desk.write(), PermissionsExt::from_mode(0o666)).unwrap();
    assert_eq!(mode(&desk.write()), 0o600);
    let before = rustix::process::umask(rustix::fs::Mode::empty());
    let open_to_all = desk.write();
    rustix::process::umask(before);
    assert_eq!(mode(&open_to_all), 0o600);
    assert_eq!(desk.files(), ["a.heapsnapshot", "a.heapsnapshot.leakline-index"]);
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing() {
    let desk = Desk::new();
    let mut writer = desk.begin().unwrap();
    writer.put("words", &vec![7u32; 1 << 20]).unwrap();
    assert_eq!(desk.files(), ["a.heapsnapshot"], "nothing is seen of it before it is whole");
    drop(writer);
    assert_eq!(desk.files(), ["a.heapsnapshot"]);
}

#[test]
fn readers_find_the_old_one_or_the_new() {
    let desk = Desk::new();
    desk.write();
    let held = desk.open().unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let read = || {
            let mut seen = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let index = desk.open().expect("there always is one");
                assert!(nothing_wrong(&index));
                seen += 1;
            }
            seen
        };
        let readers = [scope.spawn(read), scope.spawn(read)];
        for _ in 0..200 {
            desk.write();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
    assert!(nothing_wrong(&held), "who had the old one open keeps it");
    assert_eq!(desk.files(), ["a.heapsnapshot", "a.heapsnapshot.leakline-index"]);
}

#[test]
fn what_stands_in_its_place_is_no_index() {
    let desk = Desk::new();
    let place = places_of(&desk.snapshot).remove(0);
    let flags = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    // A pipe that nobody writes to would be waited for.
    rustix::fs::mknodat(rustix::fs::CWD, &place, rustix::fs::FileType::Fifo, flags, 0).unwrap();
    assert!(desk.open().is_none());
    std::fs::remove_file(&place).unwrap();
    std::fs::create_dir(&place).unwrap();
    assert!(desk.open().is_none());
    std::fs::remove_dir(&place).unwrap();
    std::os::unix::fs::symlink(&place, &place).unwrap();
    assert!(desk.open().is_none());
    // A link is replaced, not followed.
    std::fs::remove_file(&place).unwrap();
    let elsewhere = desk.dir.path().join("elsewhere");
    std::fs::write(&elsewhere, "precious").unwrap();
    std::os::unix::fs::symlink(&elsewhere, &place).unwrap();
    assert_eq!(desk.write(), place);
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "precious");
    assert!(desk.open().is_some_and(|index| nothing_wrong(&index)));
}

/// An index of somebody else may say anything, and end us by being cut short.
#[test]
fn an_index_of_somebody_else_is_none() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not looked at: only root can give a file away");
        return;
    }
    let desk = Desk::new();
    let place = desk.write();
    std::os::unix::fs::chown(&place, Some(65_534), None).unwrap();
    assert!(desk.open().is_none());
    std::os::unix::fs::chown(&place, Some(0), None).unwrap();
    assert!(desk.open().is_some());
}

/// A snapshot that comes through a pipe is not touched: opening and closing it would end its writer.
#[test]
fn a_pipe_has_no_identity() {
    let desk = Desk::new();
    let pipe = desk.dir.path().join("pipe");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    // It would block for ever if the pipe were opened.
    assert!(Identity::at(&pipe).is_err());
    assert!(Index::of(&pipe).is_none());
}
