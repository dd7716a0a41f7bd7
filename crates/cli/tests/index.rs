//! The index beside a snapshot, end to end: it answers as the snapshot does, without reading it; whatever
//! happens to it, the answer stays right; and nobody finds half of one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;

use std::fs::{FileTimes, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use leakline_testkit::heapsnapshot::showcase::showcase;
use leakline_testkit::heapsnapshot::{Layout, Snapshot};
use tempfile::TempDir;

use common::{LIMIT, Run, Running, leakline, run, scratch};

/// Snapshots from here on get an index.
const INDEXED: u64 = 16 << 20;

/// A folder with a drawn snapshot that is large enough.
struct Desk {
    dir: TempDir,
    file: PathBuf,
}

/// The showcase, and beside it a chain of objects with texts: enough for an index.
fn large() -> String {
    let mut heap: Snapshot = showcase(Layout::Node24, Path::new("/srv/shop/app.js"));
    let mut above = Snapshot::ROOT;
    for i in 0..160_000u32 {
        let id = 1_000_001 + 4 * i;
        let entry = heap.node("object", "Entry", id, 24);
        let text = heap.node("string", &format!("text {i} {}", "x".repeat(60)), id + 2, 80);
        heap.named(above, "property", "next", entry);
        heap.named(entry, "property", "text", text);
        above = entry;
    }
    heap.text()
}

impl Desk {
    fn new() -> Self {
        static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        let text = TEXT.get_or_init(large);
        assert!(text.len() as u64 > INDEXED);
        let dir = scratch();
        let file = dir.path().join("big.heapsnapshot");
        std::fs::write(&file, text).unwrap();
        Self { dir, file }
    }

    fn index(&self) -> PathBuf {
        self.dir.path().join("big.heapsnapshot.leakline-index")
    }

    fn run(&self, command: &str, rest: &str) -> Run {
        run([command, self.file.to_str().unwrap()].into_iter().chain(rest.split_whitespace()))
    }

    fn files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.dir.path()).unwrap();
        let mut names: Vec<String> =
            files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Makes the snapshot unreadable as JSON, in a way that the identity does not see: the bytes between
    /// the pages it looks at. What is answered from now on can only come from the index.
    fn spoil(&self) {
        const SAMPLES: u64 = 24;
        const SAMPLE: u64 = 4096;
        let before = std::fs::metadata(&self.file).unwrap();
        let last = before.len() - SAMPLE;
        let file = OpenOptions::new().write(true).open(&self.file).unwrap();
        for i in 0..SAMPLES - 1 {
            let at = u128::from(last) * u128::from(i) / u128::from(SAMPLES - 1);
            let from = at as u64 + SAMPLE;
            file.write_all_at(&[0xff; 16 << 10], from).unwrap();
        }
        file.set_times(FileTimes::new().set_modified(before.modified().unwrap())).unwrap();
        let after = std::fs::metadata(&self.file).unwrap();
        assert_eq!((after.len(), after.ino()), (before.len(), before.ino()));
        assert_eq!(after.modified().unwrap(), before.modified().unwrap());
        let read = self.run("stats", "--index never");
        assert_eq!(read.code, Some(4), "without its index it is unreadable: {read}");
    }

    /// Changes bytes of every page in a part of the index.
    fn damage(&self, from: f64, to: f64) {
        let index = OpenOptions::new().write(true).open(self.index()).unwrap();
        let len = index.metadata().unwrap().len() as f64;
        let mut at = (len * from) as u64;
        while at < (len * to) as u64 {
            index.write_all_at(&[0xa5; 16], at).unwrap();
            at += 4096;
        }
    }
}

const OBJECT: &str = "@1000001";
const DEEP: &str = "@1001201";

/// Every view, with what it is asked.
fn questions() -> Vec<(&'static str, String)> {
    let mut all: Vec<(&str, String)> = Vec::new();
    for id in [OBJECT, DEEP, "@1", "@1001203"] {
        for view in ["object", "retainers", "containment", "dominators"] {
            all.push((view, id.into()));
        }
    }
    all.push(("retainers", format!("{DEEP} --all")));
    all.push(("retainers", format!("{DEEP} --ignore {OBJECT}")));
    for view in [
        "containment",
        "dominators",
        "stats",
        "strings",
        "closures",
        "contexts",
        "collections",
        "detached",
        "native-contexts",
        "summary",
    ] {
        all.push((view, String::new()));
    }
    all.push(("collections", "--sort waste".into()));
    for criteria in ["--name cache", "--class Entry", "--retained 1MB-2MB", "--id @1000001"] {
        all.push(("search", criteria.into()));
    }
    all.push(("search", "--script app.js --type closure".into()));
    all
}

#[test]
fn every_answer_from_the_index_is_the_snapshots_own() {
    let desk = Desk::new();
    let mut fresh = Vec::new();
    for (view, rest) in questions() {
        for form in ["", " --json"] {
            let rest = format!("{rest}{form} --index never");
            fresh.push(desk.run(view, &rest).expect_code(0).stdout);
        }
    }
    assert_eq!(desk.files(), ["big.heapsnapshot"], "--index never writes nothing");
    let first = desk.run("object", OBJECT).expect_code(0);
    assert!(first.stderr.contains("index kept"), "{first}");
    let meta = std::fs::metadata(desk.index()).unwrap();
    assert_eq!(meta.mode() & 0o7777, 0o600);
    desk.spoil();
    let mut fresh = fresh.into_iter();
    for (view, rest) in questions() {
        for form in ["", " --json"] {
            let kept = desk.run(view, &format!("{rest}{form}")).expect_code(0);
            assert_eq!(Some(kept.stdout), fresh.next(), "{view} {rest}{form}");
            assert_eq!(kept.stderr, "", "{view} {rest}{form}");
        }
    }
    let unknown = desk.run("object", "@999");
    assert_eq!(unknown.code, Some(4), "{unknown}");
    assert!(unknown.stderr.contains("no object @999"), "{unknown}");
    assert_eq!(desk.files(), ["big.heapsnapshot", "big.heapsnapshot.leakline-index"]);
}

#[test]
fn the_second_summary_does_not_read_the_snapshot() {
    let desk = Desk::new();
    let first = desk.run("summary", "").expect_code(0);
    let size = std::fs::metadata(desk.index()).unwrap().len();
    assert!(size < 1 << 20, "only the table is kept: {size} bytes");
    desk.spoil();
    assert_eq!(desk.run("summary", "").expect_code(0).stdout, first.stdout);
    // Whoever asks for more needs the snapshot.
    let object = desk.run("object", OBJECT);
    assert_eq!(object.code, Some(4), "{object}");
}

#[test]
fn a_damaged_index_is_told_and_replaced() {
    let desk = Desk::new();
    let right = desk.run("object", DEEP).expect_code(0).stdout;
    let table = desk.run("summary", "").expect_code(0).stdout;
    let strings = desk.run("strings", "").expect_code(0).stdout;
    let whole = std::fs::read(desk.index()).unwrap();
    // Look-ups notice what they touch.
    desk.damage(0.02, 0.98);
    let told = desk.run("object", DEEP).expect_code(0);
    assert_eq!(told.stdout, right);
    assert!(told.stderr.contains("note:") && told.stderr.contains("damaged"), "{told}");
    assert!(told.stderr.contains("index kept"), "{told}");
    let again = desk.run("object", DEEP).expect_code(0);
    assert_eq!((again.stdout, again.stderr), (right.clone(), String::new()));
    // As JSON there is nothing but the answer on stdout.
    desk.damage(0.02, 0.98);
    let json = desk.run("object", &format!("{DEEP} --json")).expect_code(0);
    assert_eq!(json.json()["id"], DEEP);
    // Wherever the damage is: the answers are right, and an object is not called missing.
    for part in 0..20 {
        std::fs::write(desk.index(), &whole).unwrap();
        let from = f64::from(part) / 20.0;
        desk.damage(from + 0.001, from + 0.05);
        let object = desk.run("object", DEEP).expect_code(0);
        assert_eq!(object.stdout, right, "damage from {from}: {}", object.stderr);
    }
    // Walks over everything check everything.
    std::fs::write(desk.index(), &whole).unwrap();
    desk.damage(0.5, 0.6);
    assert_eq!(desk.run("strings", "").expect_code(0).stdout, strings);
    assert_eq!(desk.run("strings", "").expect_code(0).stdout, strings);
    // The summary stands first in the file.
    std::fs::write(desk.index(), &whole).unwrap();
    let index = OpenOptions::new().write(true).open(desk.index()).unwrap();
    index.write_all_at(&[0xa5; 16], 1000).unwrap();
    assert_eq!(desk.run("summary", "").expect_code(0).stdout, table);
    desk.spoil();
    assert_eq!(desk.run("summary", "").expect_code(0).stdout, table, "it was made anew");
}

/// Overwrites the numbers of some sections, and gives the file the checksums of what it says now.
fn forge(file: &mut [u8], is_meant: impl Fn(&str) -> bool, mut number: impl FnMut(u32) -> u32) {
    const BLOCK: usize = 64 << 10;
    let xxh3 = xxhash_rust::xxh3::xxh3_64;
    let read = |file: &[u8], at: usize| {
        usize::try_from(u64::from_ne_bytes(file[at..at + 8].try_into().unwrap())).unwrap()
    };
    let (table, count) = (read(file, 56), read(file, 64));
    for entry in (table..).step_by(64).take(count) {
        let name = std::str::from_utf8(&file[entry..entry + 24]).unwrap().trim_end_matches('\0');
        let is_meant = is_meant(name);
        let [offset, bytes, width, sums] = [24, 32, 40, 48].map(|at| read(file, entry + at));
        if !is_meant || width < 4 {
            continue;
        }
        for (i, place) in file[offset..offset + bytes].chunks_exact_mut(4).enumerate() {
            place.copy_from_slice(&number(i as u32).to_ne_bytes());
        }
        let blocks = file[offset..offset + bytes].chunks(BLOCK);
        let new: Vec<u8> = blocks.flat_map(|block| xxh3(block).to_ne_bytes()).collect();
        file[sums..sums + new.len()].copy_from_slice(&new);
        file[entry + 56..entry + 64].copy_from_slice(&xxh3(&new).to_ne_bytes());
    }
    let sum = xxh3(&file[table..table + count * 64]);
    file[72..80].copy_from_slice(&sum.to_ne_bytes());
    let sum = xxh3(&file[..80]);
    file[80..88].copy_from_slice(&sum.to_ne_bytes());
}

/// Nonsense with right checksums, at full size: every command ends, with some answer or an error.
#[test]
fn a_hostile_index_is_survived() {
    let desk = Desk::new();
    desk.run("object", DEEP).expect_code(0);
    let whole = std::fs::read(desk.index()).unwrap();
    let mut state = 7u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u32
    };
    // Names stay what they are: what is sought is a walk without end.
    let walks = |name: &str| {
        ["dominator", "retainer", "distance", "essential", "retained"]
            .iter()
            .any(|start| name.starts_with(start))
    };
    for kind in 0..6 {
        let mut file = whole.clone();
        match kind {
            0 => forge(&mut file, walks, |_| 0),
            1 => forge(&mut file, walks, |_| u32::MAX),
            2 => forge(&mut file, walks, |_| random() % 320_000),
            3 => forge(&mut file, |name| name.starts_with("dominator"), |i| i ^ 1),
            4 => forge(&mut file, |name| name.starts_with("dominator"), |i| i + 1),
            _ => forge(&mut file, |name| name == "node.by_id" || name == "class", |_| random()),
        }
        std::fs::write(desk.index(), file).unwrap();
        for (view, rest) in [
            ("object", DEEP),
            ("containment", DEEP),
            ("dominators", DEEP),
            ("dominators", ""),
            ("retainers", DEEP),
            ("retainers", "@1001201 --all"),
            ("retainers", "@1001201 --ignore @1000001"),
        ] {
            let run = desk.run(view, rest);
            assert!(matches!(run.code, Some(0 | 4)), "{kind}: {view} {rest}: {run}");
            assert!(!run.stderr.contains("panicked"), "{kind}: {view} {rest}: {run}");
        }
        // Walks over everything find out, or are not touched by it; then there is a new index.
        let run = desk.run("collections", "");
        assert_eq!(run.code, Some(0), "{kind}: {run}");
    }
}

#[test]
fn small_snapshots_get_no_index() {
    let desk = Desk::new();
    let small = desk.dir.path().join("small.heapsnapshot");
    showcase(Layout::Node24, Path::new("/srv/shop/app.js")).write(&small).unwrap();
    std::fs::remove_file(&desk.file).unwrap();
    let file = small.to_str().unwrap();
    run(["summary", file]).expect_code(0);
    run(["object", file, "1"]).expect_code(0);
    assert_eq!(desk.files(), ["small.heapsnapshot"]);
}

#[test]
fn two_at_once_leave_one_index() {
    let desk = Desk::new();
    let right = desk.run("object", &format!("{OBJECT} --index never")).expect_code(0).stdout;
    for _ in 0..2 {
        let started: Vec<Running> = (0..3)
            .map(|_| {
                let mut command = leakline();
                command.args(["object", desk.file.to_str().unwrap(), OBJECT]);
                Running::start(command)
            })
            .collect();
        for running in started {
            assert_eq!(running.finish(LIMIT).expect_code(0).stdout, right);
        }
        assert_eq!(desk.files(), ["big.heapsnapshot", "big.heapsnapshot.leakline-index"]);
    }
}

/// Killed at any moment, from the start to after the end, by a signal that can and by one that cannot be
/// caught.
#[test]
fn who_is_killed_leaves_nothing_behind() {
    let desk = Desk::new();
    let begun = Instant::now();
    desk.run("object", OBJECT).expect_code(0);
    let takes = begun.elapsed();
    std::fs::remove_file(desk.index()).unwrap();
    let (mut killed, mut complete) = (0, 0);
    for i in 0..24u32 {
        let mut command = leakline();
        command.args(["object", desk.file.to_str().unwrap(), OBJECT]);
        let mut running = Running::start(command);
        // Writing is the last part.
        thread::sleep(takes * (16 + i % 12) / 28);
        if running.is_running() {
            let signal = if i % 2 == 0 { "-KILL" } else { "-INT" };
            let _ = Command::new("kill").args([signal, &running.pid().to_string()]).status();
            killed += 1;
        }
        running.finish(LIMIT);
        let files = desk.files();
        if files.len() > 1 {
            assert_eq!(files, ["big.heapsnapshot", "big.heapsnapshot.leakline-index"]);
            // It got so far that its index is whole.
            let answer = desk.run("object", OBJECT).expect_code(0);
            assert_eq!(answer.stderr, "", "{answer}");
            std::fs::remove_file(desk.index()).unwrap();
            complete += 1;
        }
    }
    assert!(killed > 0, "{complete} were too fast to be killed");
}

/// Where the folder cannot be written to, the index is in the cache folder, for the user alone.
#[test]
fn a_folder_of_others_has_its_index_in_the_cache() {
    let desk = Desk::new();
    let home = scratch();
    let cache = home.path().join("cache");
    let open_to_all = |path: &Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    open_to_all(home.path(), 0o777);
    open_to_all(desk.dir.path(), 0o555);
    open_to_all(&desk.file, 0o444);
    // Root may write everywhere: then somebody else asks, who needs to see the program.
    let program = home.path().join("leakline");
    std::fs::copy(env!("CARGO_BIN_EXE_leakline"), &program).unwrap();
    open_to_all(&program, 0o755);
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let ask = |view: &str, rest: &[&str]| {
        let mut command = if is_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        command.current_dir(home.path()).env("XDG_CACHE_HOME", &cache).env("NO_COLOR", "1");
        command.arg(view).arg(&desk.file).args(rest);
        Running::start(command).finish(LIMIT)
    };
    let first = ask("object", &[OBJECT]).expect_code(0);
    assert!(first.stderr.contains("index kept"), "{first}");
    let folder = cache.join("leakline");
    assert_eq!(std::fs::metadata(&folder).unwrap().mode() & 0o7777, 0o700);
    let kept: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(std::fs::metadata(&kept[0]).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(desk.files(), ["big.heapsnapshot"]);
    let second = ask("object", &[OBJECT]).expect_code(0);
    assert_eq!((second.stdout, second.stderr), (first.stdout, String::new()));
    // No place at all: the answer is the same, and nobody minds.
    std::fs::remove_dir_all(&cache).unwrap();
    std::fs::write(&cache, "a file").unwrap();
    let third = ask("object", &[OBJECT]).expect_code(0);
    assert_eq!(third.stderr, "", "{third}");
    open_to_all(desk.dir.path(), 0o755);
}

/// A snapshot that comes through a pipe has one reader: opening it twice would cut its writer off.
#[test]
fn a_snapshot_from_a_pipe_is_read_once() {
    let desk = Desk::new();
    let right = desk.run("object", &format!("{OBJECT} --index never --json")).expect_code(0);
    let pipe = desk.dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let text = std::fs::read(&desk.file).unwrap();
    for view in [&["summary"][..], &["object", OBJECT]] {
        let writer = thread::spawn({
            let (pipe, text) = (pipe.clone(), text.clone());
            move || OpenOptions::new().write(true).open(pipe)?.write_all(&text)
        });
        let mut args = vec![view[0], pipe.to_str().unwrap(), "--json"];
        args.extend(&view[1..]);
        let mut command = leakline();
        command.args(args);
        let read = Running::start(command).finish(Duration::from_mins(1)).expect_code(0);
        writer.join().unwrap().expect("the writer was heard to the end");
        if view[0] == "object" {
            assert_eq!(read.json()["retained_bytes"], right.json()["retained_bytes"]);
        }
    }
    assert_eq!(desk.files(), ["big.heapsnapshot", "pipe"]);
}
