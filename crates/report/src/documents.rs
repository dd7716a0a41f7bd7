//! The JSON documents of the single commands: the analyses' own values under a schema.

use leakline_analysis::{Diff, RetainersView, Summary};
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
    /// The comparison.
    #[serde(flatten)]
    pub diff: Diff,
}

/// `leakline retainers`.
#[derive(Clone, Debug, Serialize)]
pub struct RetainersDocument {
    /// `leakline/retainers/1`
    pub schema: &'static str,
    /// The paths.
    #[serde(flatten)]
    pub paths: RetainersView,
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
