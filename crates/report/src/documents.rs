//! The JSON documents of the single commands: the analyses' own values under a schema.

use leakline_analysis::{Allocations, Comparability, Diff, DiffRow, RetainersView, Summary};
use leakline_trend::{NamedTrend, Reason, Trend, Verification, WorkloadTrend};
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
    /// What to do next.
    pub next: Vec<Reason>,
}

impl TrendDocument {
    /// Puts a verdict under its schema.
    pub fn new(named: NamedTrend, next: Vec<Reason>) -> Self {
        Self { schema: "leakline/trend/1", name: named.name, trend: named.trend, next }
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
    /// What to do next about the first series that leaks.
    pub next: Vec<Reason>,
}

/// `leakline verify`.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyDocument {
    /// `leakline/verify/1`
    pub schema: &'static str,
    /// The comparison.
    #[serde(flatten)]
    pub verification: Verification,
}

impl VerifyDocument {
    /// Puts a comparison under its schema.
    pub fn new(verification: Verification) -> Self {
        Self { schema: "leakline/verify/1", verification }
    }
}

/// `leakline watch`, at its end.
#[derive(Clone, Debug, Serialize)]
pub struct WatchDocument {
    /// `leakline/watch/1`
    pub schema: &'static str,
    /// The target in words.
    pub target: String,
    /// Where the figures came from: `inspector`, `proc`, `endpoint`.
    pub source: &'static str,
    /// When it began, RFC 3339.
    pub started: String,
    /// Samples taken.
    pub samples: usize,
    /// Samples that failed.
    pub missed_samples: u64,
    /// Restarts of the target that were seen.
    pub restarts: u64,
    /// From the first to the last sample.
    pub span_seconds: f64,
    /// The verdict.
    #[serde(flatten)]
    pub trend: Trend,
    /// What to do next.
    pub next: Vec<Reason>,
    /// How late the event loop was at worst.
    pub event_loop_delay_seconds: Option<f64>,
    /// Listener counts, those that grew most first.
    pub listeners: Vec<ListenerGrowth>,
    /// The file with the samples.
    pub series: String,
    /// The user ended it.
    pub interrupted: bool,
    /// Why the target ended it, if it did.
    pub lost: Option<String>,
    /// Everything done to the target.
    pub actions: Vec<crate::model::Action>,
}

/// Listeners of one event of one emitter over time.
#[derive(Clone, Debug, Serialize)]
pub struct ListenerGrowth {
    /// The emitter: `process`.
    pub emitter: String,
    /// The event.
    pub event: String,
    /// How many there were at first.
    pub first: u64,
    /// How many there were at last.
    pub last: u64,
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
