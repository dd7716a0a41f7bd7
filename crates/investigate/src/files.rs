//! The walkthrough on snapshot files.

use std::path::{Path, PathBuf};

use leakline_analysis::detect::Confidence;
use leakline_analysis::{Analysis, analyze, diff};
use leakline_heap::HeapGraph;
use leakline_report::{CapturedSnapshot, DiffDocument, Investigation};

use crate::clock;
use crate::error::Error;
use crate::events::{Event, Observer, Step};
use crate::folder::Folder;
use crate::open::open_snapshot;
use crate::suspects::{SuspectsOptions, suspects_of};

/// How to investigate files.
#[derive(Clone, Debug, Default)]
pub struct FilesOptions {
    /// Snapshots of one process, first to last.
    pub files: Vec<PathBuf>,
    /// Where the investigation goes.
    pub output: Option<PathBuf>,
    /// How to look for suspects.
    pub suspects: SuspectsOptions,
}

/// Investigates two or more snapshots of one process and writes the folder.
///
/// # Errors
/// What is wrong with a file, or a folder that cannot be written.
pub fn investigate_files(
    options: &FilesOptions,
    observer: Observer<'_>,
) -> Result<Investigation, Error> {
    let started = clock::now();
    // A folder that is taken is said before the work, not after it; one is made only for a result.
    options.output.as_deref().map_or(Ok(()), Folder::check_free)?;
    let mut graphs = Vec::with_capacity(options.files.len());
    let mut snapshots = Vec::with_capacity(options.files.len());
    for path in &options.files {
        graphs.push(open_snapshot(path, observer)?);
        snapshots.push(CapturedSnapshot {
            path: path.display().to_string(),
            taken: None,
            bytes: std::fs::metadata(path).map_or(0, |m| m.len()),
            pause_seconds: None,
        });
    }
    let mut investigation = compare(&graphs, &snapshots, &options.suspects, started, observer);
    investigation.snapshots = snapshots;
    investigation.limits.insert(
        0,
        "snapshots alone do not tell how fast memory grows: `leakline trend` on a series of samples does"
            .into(),
    );
    investigation.limits.push(
        "a leak on a path that was not used between the snapshots does not show in them".into(),
    );
    let folder = Folder::create(options.output.as_deref(), &stem(&options.files))?;
    finish(&mut investigation, &folder, observer)?;
    Ok(investigation)
}

/// Everything that snapshots alone can tell.
pub(crate) fn compare(
    graphs: &[HeapGraph],
    files: &[CapturedSnapshot],
    options: &SuspectsOptions,
    started: String,
    observer: Observer<'_>,
) -> Investigation {
    let graphs: Vec<&HeapGraph> = graphs.iter().collect();
    let found = suspects_of(&graphs, options, observer);
    let analyses: Vec<Analysis> = graphs.iter().map(|g| analyze(g)).collect();
    let pairs: Vec<(&HeapGraph, &Analysis)> = graphs.iter().copied().zip(&analyses).collect();
    let files = files.iter().map(|f| f.path.clone()).collect();
    let confidence = found.suspects.first().map_or(Confidence::Medium, |s| s.confidence);
    Investigation {
        schema: "leakline/investigation/1",
        verdict: found.verdict,
        leak: found.leak,
        confidence,
        target: None,
        started,
        ended: clock::now(),
        samples: Vec::new(),
        trend: None,
        preflight: None,
        snapshots: Vec::new(),
        diff: Some(DiffDocument::new(files, diff(&pairs))),
        comparable: Some(found.comparable),
        growth: Some(found.growth),
        suspects: found.suspects,
        verification: None,
        actions: Vec::new(),
        limits: found.limits,
        folder: None,
    }
}

/// Writes the folder and tells how to verify.
pub(crate) fn finish(
    investigation: &mut Investigation,
    folder: &Folder,
    observer: Observer<'_>,
) -> Result<(), Error> {
    investigation.ended = clock::now();
    investigation.folder = Some(folder.path().display().to_string());
    folder.finish(investigation)?;
    if investigation.leak {
        let text = "deploy the fix, run the same command under the same load, expect NO LEAK";
        observer(Event::Step(Step::Verify, text.into()));
    }
    Ok(())
}

fn stem(files: &[PathBuf]) -> String {
    let name = files.last().and_then(|f| Path::file_stem(f));
    name.map_or_else(|| "files".into(), |n| n.to_string_lossy().into_owned())
}
