//! The JSON documents of the single commands: the analyses' own values under a schema.

use leakline_analysis::{Allocations, Comparability, Diff, DiffRow, RetainersView, Summary};
use leakline_trend::{NamedTrend, Trend, WorkloadTrend};
use serde::Serialize;

/// What a snapshot is.
#[derive(Clone, Debug, Serialize)]
pub struct SnapshotHead {
    /// The file.
    pub path: String,
    /// `heapsnapshot`
    pub format: &'static str,
    /// Counts and sizes.
    #[serde(flatten)]
    pub totals: leakline_analysis::SnapshotTotals,
}

/// `leakline summary`.
#[derive(Clone, Debug, Serialize)]
pub struct SummaryDocument {
    /// `leakline/summary/1`
    pub schema: &'static str,
    /// The file.
    pub snapshot: SnapshotHead,
    /// The rows.
    pub constructors: Vec<leakline_analysis::SummaryRow>,
}

impl SummaryDocument {
    /// Puts a summary under its schema.
    pub fn new(path: String, summary: Summary) -> Self {
        let snapshot = SnapshotHead { path, format: "heapsnapshot", totals: summary.snapshot };
        Self { schema: "leakline/summary/1", snapshot, constructors: summary.constructors }
    }
}

/// `leakline diff`.
#[derive(Clone, Debug, Serialize)]
pub struct DiffDocument {
    /// `leakline/diff/1`
    pub schema: &'static str,
    /// The files, first to last.
    pub files: Vec<String>,
    /// Whether ids of the first and the last file can be compared.
    pub comparable: Comparability,
    /// The first file against the last.
    pub rows: Vec<DiffRow>,
    /// Each file against the next, for three and more.
    pub steps: Vec<DiffStepDocument>,
}

/// One step of a series of files.
#[derive(Clone, Debug, Serialize)]
pub struct DiffStepDocument {
    /// The earlier file.
    pub from: String,
    /// The later file.
    pub to: String,
    /// Whether their ids can be compared.
    pub comparable: Comparability,
    /// The earlier against the later.
    pub rows: Vec<DiffRow>,
}

impl DiffDocument {
    /// Puts a comparison of these files under its schema.
    pub fn new(files: Vec<String>, diff: Diff) -> Self {
        let file = |i: usize| files.get(i).cloned().unwrap_or_default();
        let steps = diff.steps.into_iter().map(|s| DiffStepDocument {
            from: file(s.from),
            to: file(s.to),
            comparable: s.comparable,
            rows: s.rows,
        });
        let steps = steps.collect();
        Self {
            schema: "leakline/diff/1",
            files,
            comparable: diff.comparable,
            rows: diff.rows,
            steps,
        }
    }
}

/// What a heap profile is.
#[derive(Clone, Debug, Serialize)]
pub struct ProfileHead {
    /// The file.
    pub path: String,
    /// `heapprofile`
    pub format: &'static str,
    /// Counts and sizes.
    #[serde(flatten)]
    pub totals: leakline_analysis::ProfileTotals,
}

/// `leakline allocations`.
#[derive(Clone, Debug, Serialize)]
pub struct AllocationsDocument {
    /// `leakline/allocations/1`
    pub schema: &'static str,
    /// The file.
    pub profile: ProfileHead,
    /// The functions, the most live bytes first.
    pub call_sites: Vec<leakline_analysis::CallSite>,
}

impl AllocationsDocument {
    /// Puts a profile by function under its schema.
    pub fn new(path: String, allocations: Allocations) -> Self {
        let profile = ProfileHead { path, format: "heapprofile", totals: allocations.profile };
        Self { schema: "leakline/allocations/1", profile, call_sites: allocations.call_sites }
    }
}

/// `leakline retainers`.
#[derive(Clone, Debug, Serialize)]
pub struct RetainersDocument {
    /// `leakline/retainers/1`
    pub schema: &'static str,
    /// The paths.
    #[serde(flatten)]
    pub paths: RetainersView,
    /// What was passed over, as it was asked for.
    pub ignored: Vec<leakline_analysis::ObjectRef>,
    /// Whether the object would be freed if the ignored ones let go; `None` when nothing was ignored.
    pub would_be_freed: Option<bool>,
}

/// `leakline trend` on one series.
#[derive(Clone, Debug, Serialize)]
pub struct TrendDocument {
    /// `leakline/trend/1`
    pub schema: &'static str,
    /// The series' name.
    pub name: Option<String>,
    /// The verdict.
    #[serde(flatten)]
    pub trend: Trend,
}

impl TrendDocument {
    /// Puts a verdict under its schema.
    pub fn new(named: NamedTrend) -> Self {
        Self { schema: "leakline/trend/1", name: named.name, trend: named.trend }
    }
}

/// `leakline trend` on several series.
#[derive(Clone, Debug, Serialize)]
pub struct WorkloadTrendDocument {
    /// `leakline/trend/1`
    pub schema: &'static str,
    /// The verdicts.
    #[serde(flatten)]
    pub trends: WorkloadTrend,
}

/// An error for machines.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorDocument {
    /// `leakline/error/1`
    pub schema: &'static str,
    /// Which case.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}
