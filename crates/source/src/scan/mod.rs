//! `leakline scan`: leaks that can be told from the source alone.
//!
//! Without a heap nothing is measured, so a finding must convince by itself: code that runs again
//! and again (`hot`, from handlers along the points-to relation), something that lasts (`lasting`),
//! growth without a bound (`keys`, and the rules' own search for whatever takes out again). Where
//! one of the three cannot be told, nothing is said.
//!
//! The way: `walk` lists the files, `load` reads and parses them on all cores, `world` links what
//! fits into memory at once, the rules (`rules`, one file each) report, `suppress` takes back what
//! a comment excuses.

mod cx;
mod entry;
mod finding;
mod guards;
mod hot;
mod keys;
mod lasting;
mod load;
mod rules;
mod suppress;
mod walk;
mod world;

use std::path::{Path, PathBuf};

use crate::error::Error;

pub use finding::{Finding, Suppressed};
pub use load::MAX_SCANNED_BYTES;
pub use rules::{SCAN_RULES, ScanRule};

/// What to scan.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScanOptions {
    /// Installed packages as well.
    pub include_node_modules: bool,
}

/// How far a scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanProgress {
    /// Files that are read and parsed.
    pub done: usize,
    /// Files there are.
    pub total: usize,
}

/// What a scan found.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// The folder, or the file, absolute.
    pub root: PathBuf,
    /// By file, line and column.
    pub findings: Vec<Finding>,
    /// Findings that a comment takes back.
    pub suppressed: Vec<Suppressed>,
    /// Files that were looked at.
    pub files: usize,
    /// Their size.
    pub bytes: u64,
    /// What had to be done without, as sentences.
    pub notes: Vec<String>,
}

/// Scans a folder or a single file. Fails only if the path itself cannot be read.
pub fn scan(
    root: &Path,
    options: ScanOptions,
    progress: &mut dyn FnMut(ScanProgress),
) -> Result<Scan, Error> {
    let absolute = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    let mut notes = Vec::new();
    let files = walk::files(&absolute, options, &mut notes)?;
    let mut out = Scan { root: absolute, ..Scan::default() };
    let total = files.len();
    let batches = load::batches(files);
    if batches.len() > 1 {
        notes.push(format!(
            "the files were looked at in {} parts, for they do not fit into memory at once; what one part \
             adds to and another empties may be told as a finding",
            batches.len()
        ));
    }
    let mut skipped = load::Skipped::default();
    let mut done = 0;
    for batch in batches {
        let loaded = load::load(&batch, &mut skipped, &mut |at| {
            progress(ScanProgress { done: done + at, total });
        });
        done += batch.len();
        out.files += loaded.len();
        out.bytes += loaded.iter().map(|it| it.text.len() as u64).sum::<u64>();
        let world = world::World::new(loaded);
        let hot = hot::Hot::new(&world);
        let lives = lasting::Lives::new(&world, &hot);
        let mut cx = cx::Cx { world, hot, lives, findings: Vec::new() };
        rules::run(&mut cx);
        suppress::sort_out(&cx.world, cx.findings, &mut out);
    }
    let order = |it: &Finding| (it.file.clone(), it.line, it.column, it.rule);
    out.findings.sort_by_key(order);
    out.findings.dedup_by_key(|it| order(it));
    out.suppressed.sort_by_key(|it| order(&it.finding));
    out.suppressed.dedup_by_key(|it| order(&it.finding));
    notes.extend(skipped.notes());
    out.notes = notes;
    Ok(out)
}
