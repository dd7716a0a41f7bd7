//! What the crate answers, in the shape the contract fixes for `leakline trend --json`.

use serde::Serialize;

/// An estimate with its 95 % interval. A bound that is infinite is `None`, `null` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The best single value.
    pub estimate: f64,
    /// Lower bound; `None` if unbounded.
    pub low: Option<f64>,
    /// Upper bound; `None` if unbounded.
    pub high: Option<f64>,
}

impl Interval {
    pub(crate) fn unknown(estimate: f64) -> Self {
        Self { estimate, low: None, high: None }
    }

    pub(crate) fn scaled(self, by: f64) -> Self {
        Self {
            estimate: self.estimate * by,
            low: self.low.map(|v| v * by),
            high: self.high.map(|v| v * by),
        }
    }
}

/// The answer in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The floor rises steadily, beyond noise and warm-up.
    Leak,
    /// It grew, then levelled.
    Plateau,
    /// It still levels: growth slows down but has not ended.
    WarmUp,
    /// Memory goes up and down with the load, and nothing is left over.
    FollowsLoad,
    /// No growth that matters.
    Stable,
    /// The data cannot carry an answer; the reasons say what it would take.
    InsufficientData,
}

/// Which part of the process's memory grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Where {
    /// Objects in V8's heap.
    JsHeap,
    /// Backing stores of buffers.
    ArrayBuffers,
    /// Other memory that JavaScript objects own (add-ons, WebAssembly).
    External,
    /// The rest of RSS: allocator, threads, native libraries.
    Native,
    /// Nothing grows, or only RSS is known.
    Unknown,
}

/// How far the verdict can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// One of the assumptions could not be checked.
    Low,
    /// The evidence is there, but short or noisy.
    Medium,
    /// Many floors, a narrow interval.
    High,
}

/// A stretch of the series with one behaviour.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Segment {
    /// Where it begins, in seconds of the series.
    pub start_seconds: f64,
    /// Where it ends.
    pub end_seconds: f64,
    /// `warm-up`, `growth`, `level`, `decline`, or `short` (too few floors to fit).
    pub kind: &'static str,
    /// Theil–Sen slope of its floors; `null` where it is `short`.
    pub slope_bytes_per_hour: Option<f64>,
}

/// One argument for the verdict: a code for machines, a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Stable, kebab-case.
    pub code: &'static str,
    /// One sentence, with its numbers.
    pub text: String,
}

impl Reason {
    pub(crate) fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

/// The judgement of one series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trend {
    /// The answer.
    pub verdict: Verdict,
    /// How far to trust it.
    pub confidence: Confidence,
    /// Which part of memory grows.
    #[serde(rename = "where")]
    pub place: Where,
    /// Growth of the leading part's floor after warm-up.
    pub rate_bytes_per_hour: Interval,
    /// Only for a leak with a known limit: when memory reaches it.
    pub time_to_limit_seconds: Option<Interval>,
    /// The stretches of the judged signal, in order of time.
    pub segments: Vec<Segment>,
    /// Why, most important first.
    pub reasons: Vec<Reason>,
}

impl Trend {
    /// The stretch that the rate was fitted to: the segment whose slope it is.
    pub(crate) fn judged_segment(&self) -> Option<&Segment> {
        let rate = self.rate_bytes_per_hour.estimate;
        let off = |s: &&Segment| s.slope_bytes_per_hour.map_or(f64::INFINITY, |s| (s - rate).abs());
        self.segments.iter().rev().min_by(|a, b| off(a).total_cmp(&off(b)))
    }
}

/// Several series of one workload, each judged, and the workload as a whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkloadTrend {
    /// One judgement per series, in the order given.
    pub series: Vec<NamedTrend>,
    /// All of them together.
    pub workload: WorkloadVerdict,
}

/// A [`Trend`] and the name of its series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NamedTrend {
    /// The series' name; `null` if it has none.
    pub name: Option<String>,
    /// Its judgement, flattened beside the name in JSON.
    #[serde(flatten)]
    pub trend: Trend,
}

/// The verdict over all series of a workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkloadVerdict {
    /// The answer for the workload.
    pub verdict: Verdict,
    /// Why.
    pub reasons: Vec<Reason>,
}
