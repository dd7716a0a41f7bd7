//! Opening snapshot files with progress.

use std::path::Path;
use std::time::{Duration, Instant};

use leakline_formats::{ReadOptions, read_snapshot};
use leakline_heap::HeapGraph;

use crate::error::Error;
use crate::events::{Event, Observer};

/// How often progress is told.
const EVERY: Duration = Duration::from_millis(80);

/// Reads a snapshot and tells how far it is.
///
/// # Errors
/// Whatever is wrong with the file.
pub fn open_snapshot(path: &Path, observer: Observer<'_>) -> Result<HeapGraph, Error> {
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
    let graph = read_snapshot(path, ReadOptions { progress: Some(&mut progress) })?;
    observer(Event::ProgressEnd);
    Ok(graph)
}

/// The last part of a path, for people.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
}
