//! Reading and parsing the files, on all cores, and no more of them at once than memory takes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use super::walk::Listed;
use crate::files::{Loaded, SourceFiles};

/// Larger files are skipped: people do not write them. In bytes.
pub const MAX_SCANNED_BYTES: u64 = 2 << 20;
/// Source that is linked at once, in bytes. Facts and the relation take some forty times as much.
const MAX_BATCH_BYTES: u64 = 24 << 20;
/// A file with longer lines on average, in bytes, was written by a tool…
const MINIFIED_LINE: usize = 400;
/// …unless it is small.
const MINIFIED_BYTES: usize = 8 << 10;
/// Files that a note names; the others are counted.
const NAMED: usize = 3;
/// Threads that parse: beyond some the disk decides.
const MAX_THREADS: usize = 16;

/// Files that could not be scanned, or not as a whole.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    large: Vec<PathBuf>,
    minified: Vec<PathBuf>,
    unreadable: Vec<PathBuf>,
    failed: Vec<PathBuf>,
    broken: Vec<PathBuf>,
    undecoded: Vec<PathBuf>,
}

impl Skipped {
    /// One sentence for each kind of trouble.
    pub fn notes(&self) -> Vec<String> {
        let large = format!("larger than {} MiB", MAX_SCANNED_BYTES >> 20);
        [
            (&self.large, format!("skipped, {large}")),
            (&self.minified, "skipped, minified".to_owned()),
            (&self.unreadable, "skipped, cannot be read".to_owned()),
            (&self.failed, "skipped, cannot be parsed".to_owned()),
            (&self.broken, "scanned in part, with a syntax error".to_owned()),
            (&self.undecoded, "scanned, though not valid UTF-8".to_owned()),
        ]
        .into_iter()
        .filter(|(files, _)| !files.is_empty())
        .map(|(files, what)| {
            let mut names: Vec<String> =
                files.iter().take(NAMED).map(|it| it.display().to_string()).collect();
            if files.len() > NAMED {
                names.push(format!("{} more", files.len() - NAMED));
            }
            let count =
                if files.len() == 1 { "1 file".into() } else { format!("{} files", files.len()) };
            format!("{count} {what}: {}", names.join(", "))
        })
        .collect()
    }
}

/// Cuts the list where memory would not take more; neighbours stay together.
pub(super) fn batches(files: Vec<Listed>) -> Vec<Vec<Listed>> {
    let mut out: Vec<Vec<Listed>> = Vec::new();
    let mut bytes = 0;
    for file in files {
        let size = if file.bytes > MAX_SCANNED_BYTES { 0 } else { file.bytes };
        match out.last_mut() {
            Some(batch) if bytes + size <= MAX_BATCH_BYTES => {
                bytes += size;
                batch.push(file);
            }
            _ => {
                bytes = size;
                out.push(vec![file]);
            }
        }
    }
    out
}

enum Outcome {
    Loaded(Arc<Loaded>),
    Large,
    Minified,
    Unreadable,
    Failed,
}

/// Reads and parses the files; those that can be used come back in the list's order.
pub(super) fn load(
    files: &[Listed],
    skipped: &mut Skipped,
    progress: &mut dyn FnMut(usize),
) -> Vec<Arc<Loaded>> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let source = SourceFiles::default();
    let next = AtomicUsize::new(0);
    let outcomes: Mutex<Vec<Option<Outcome>>> = Mutex::new(files.iter().map(|_| None).collect());
    let (tell, told) = mpsc::channel::<()>();
    thread::scope(|scope| {
        for _ in 0..threads.min(files.len().max(1)) {
            let tell = tell.clone();
            let (next, source, outcomes) = (&next, &source, &outcomes);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(at) else { break };
                    let outcome = one(source, file);
                    let mut all = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                    all[at] = Some(outcome);
                    drop(all);
                    let _ = tell.send(());
                }
            });
        }
        drop(tell);
        let mut done = 0;
        while told.recv().is_ok() {
            done += 1;
            progress(done);
        }
    });
    let outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut out = Vec::new();
    for (file, outcome) in files.iter().zip(outcomes) {
        let path = || file.path.clone();
        match outcome {
            Some(Outcome::Loaded(loaded)) => {
                if loaded.decode_note.is_some() {
                    skipped.undecoded.push(path());
                }
                if loaded.parsed().note.is_some() {
                    skipped.broken.push(path());
                }
                out.push(loaded);
            }
            Some(Outcome::Large) => skipped.large.push(path()),
            Some(Outcome::Minified) => skipped.minified.push(path()),
            Some(Outcome::Unreadable) | None => skipped.unreadable.push(path()),
            Some(Outcome::Failed) => skipped.failed.push(path()),
        }
    }
    out
}

fn one(source: &SourceFiles, file: &Listed) -> Outcome {
    if file.bytes > MAX_SCANNED_BYTES {
        return Outcome::Large;
    }
    let Ok(loaded) = source.load(Path::new(&file.path)) else { return Outcome::Unreadable };
    let text = loaded.text.len();
    if text > MINIFIED_BYTES && text / loaded.lines.count().max(1) as usize > MINIFIED_LINE {
        return Outcome::Minified;
    }
    if loaded.parsed().failed { Outcome::Failed } else { Outcome::Loaded(loaded) }
}
