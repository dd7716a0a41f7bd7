//! Opening snapshot files with progress.

use std::path::Path;
use std::time::{Duration, Instant};

use leakline_formats::{ReadOptions, read_profile, read_snapshot};
use leakline_heap::{AllocationProfile, HeapGraph};

use crate::error::Error;
use crate::events::{Event, Observer};

/// How often progress is told.
const EVERY: Duration = Duration::from_millis(80);

/// Reads a snapshot and tells how far it is.
///
/// # Errors
/// Whatever is wrong with the file.
pub fn open_snapshot(path: &Path, observer: Observer<'_>) -> Result<HeapGraph, Error> {
    with_progress(path, observer, read_snapshot)
}

fn with_progress<T>(
    path: &Path,
    observer: Observer<'_>,
    read: impl for<'a> FnOnce(&'a Path, ReadOptions<'a>) -> Result<T, leakline_formats::Error>,
) -> Result<T, Error> {
    let total = std::fs::metadata(path).map(|m| m.len()).ok();
    let what = format!("reading {}", file_name(path));
    let mut told = Instant::now();
    let mut progress = |done: u64| {
        if told.elapsed() >= EVERY {
            told = Instant::now();
            observer(Event::Progress { what: &what, done, total });
        }
        true
    };
    let result = read(path, ReadOptions { progress: Some(&mut progress) })?;
    observer(Event::ProgressEnd);
    Ok(result)
}

/// Reads a heap profile and tells how far it is.
///
/// # Errors
/// Whatever is wrong with the file.
pub fn open_profile(path: &Path, observer: Observer<'_>) -> Result<AllocationProfile, Error> {
    with_progress(path, observer, read_profile)
}

/// The last part of a path, for people.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
}
