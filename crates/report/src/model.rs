//! What an investigation holds, in the shape of the contract's JSON.
//!
//! Sizes are bytes, durations seconds, lines and columns count from 1, object ids are strings (`"@245233"`).
//! Fields may be added; none is renamed or removed.

use leakline_analysis::detect::{Confidence, Rule};
use leakline_analysis::growth::Growth;
use leakline_analysis::{Comparability, StepView};
use leakline_trend::Trend;
use serde::Serialize;

use crate::documents::DiffDocument;

/// Whether a comparison of snapshots found a leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvestigationVerdict {
    /// Something grows like a leak.
    Leak,
    /// Nothing does.
    NoLeak,
    /// The evidence does not decide.
    Inconclusive,
}

/// `leakline suspects`.
#[derive(Clone, Debug, Serialize)]
pub struct Suspects {
    /// `leakline/suspects/1`
    pub schema: &'static str,
    /// The answer.
    pub verdict: InvestigationVerdict,
    /// Whether `verdict` is `leak`.
    pub leak: bool,
    /// Whether object ids could be compared.
    pub comparable: Comparability,
    /// New objects of the last snapshot.
    pub growth: Growth,
    /// Who is to blame, worst first.
    pub suspects: Vec<Suspect>,
    /// What the evidence cannot support, and what would add to it.
    pub limits: Vec<String>,
}

/// One suspect.
#[derive(Clone, Debug, Serialize)]
pub struct Suspect {
    /// 1 is the worst.
    pub rank: usize,
    /// The family.
    pub rule: Rule,
    /// One line: the claim.
    pub title: String,
    /// How sure.
    pub confidence: Confidence,
    /// Who holds.
    pub holder: Holder,
    /// What piles up.
    pub leaked: Leaked,
    /// The statement that adds it.
    pub culprit: Option<Culprit>,
    /// A retaining path of one leaked object, from the GC root.
    pub path: Vec<StepView>,
    /// The same in words.
    pub path_text: String,
    /// Other holders that would keep the objects alive if this one let go.
    pub other_retainers: Vec<String>,
    /// Why it leaks.
    pub explanation: String,
    /// What to change.
    pub fix: String,
    /// How the statement was found, and what stood in the way.
    pub notes: Vec<String>,
}

/// Who holds the leaked objects.
#[derive(Clone, Debug, Serialize)]
pub struct Holder {
    /// The object, in the last snapshot.
    pub id: String,
    /// As a developer would write it: `process._events.uncaughtException`, `cache`.
    pub path: String,
    /// The emitter, for listeners: `process`.
    pub emitter: Option<String>,
    /// The event, for listeners: `uncaughtException`.
    pub event: Option<String>,
}

/// What piles up.
#[derive(Clone, Debug, Serialize)]
pub struct Leaked {
    /// The objects' class.
    pub constructor: String,
    /// How many the holder had in the first snapshot.
    pub count_before: u64,
    /// In the last.
    pub count_after: u64,
    /// How many more.
    pub count_delta: u64,
    /// In each snapshot.
    pub counts: Vec<u64>,
    /// `retained_delta_bytes` for each of `count_delta`.
    pub bytes_each: u64,
    /// How many per unit of work, when the work is known.
    pub per: Option<Per>,
    /// New bytes that go when the whole group goes.
    pub retained_delta_bytes: u64,
    /// The same as a share of all growth, 0 to 1.
    pub share_of_growth: f64,
    /// New bytes that go when only the holder lets go.
    pub freed_if_cut_bytes: u64,
}

/// A rate per unit of work.
#[derive(Clone, Debug, Serialize)]
pub struct Per {
    /// `request`
    pub unit: &'static str,
    /// Objects per unit.
    pub rate: f64,
}

/// The statement that adds.
#[derive(Clone, Debug, Serialize)]
pub struct Culprit {
    /// Absolute path.
    pub file: String,
    /// Line of the adding call.
    pub line: u32,
    /// Column.
    pub column: u32,
    /// The function around it.
    pub function: Option<String>,
    /// The statement on one line.
    pub snippet: String,
    /// The place before compilation, by the source map. Where that text is at hand, `function`,
    /// `snippet` and `frame` are of it.
    pub original: Option<Place>,
    /// The user's own call, when the statement lies in a package.
    pub caller: Option<Box<Culprit>>,
    /// The lines around it.
    pub frame: Frame,
}

impl Culprit {
    /// The place that the frame shows: the one to edit where its text is at hand.
    pub fn shown(&self) -> Place {
        let marked = self.frame.lines.iter().find(|line| line.marked).map(|line| line.line);
        let original = self.original.as_ref().filter(|it| Some(it.line) == marked);
        original.cloned().unwrap_or_else(|| self.deployed())
    }

    /// The place in the file that runs.
    pub fn deployed(&self) -> Place {
        Place { file: self.file.clone(), line: self.line, column: self.column }
    }

    /// What is to be said of the place that the frame does not show.
    pub fn elsewhere(&self) -> Option<String> {
        let original = self.original.as_ref()?;
        let Place { file, line, column } = self.shown();
        Some(if (&file, line, column) == (&original.file, original.line, original.column) {
            format!("it runs as {}:{}:{}", self.file, self.line, self.column)
        } else {
            format!("before compilation: {}:{}:{}", original.file, original.line, original.column)
        })
    }
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Path.
    pub file: String,
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// Lines of code around a statement.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Frame {
    /// The lines.
    pub lines: Vec<FrameLine>,
}

/// One line of a frame.
#[derive(Clone, Debug, Serialize)]
pub struct FrameLine {
    /// Its number.
    pub line: u32,
    /// Its text, tabs expanded, cut where it is long.
    pub text: String,
    /// Whether it is the one.
    pub marked: bool,
}

/// `leakline investigate`: all of it.
#[derive(Clone, Debug, Serialize)]
pub struct Investigation {
    /// `leakline/investigation/1`
    pub schema: &'static str,
    /// The answer.
    pub verdict: InvestigationVerdict,
    /// Whether `verdict` is `leak`.
    pub leak: bool,
    /// How sure.
    pub confidence: Confidence,
    /// What was looked at; `null` for snapshot files.
    pub target: Option<Target>,
    /// When it began, RFC 3339.
    pub started: String,
    /// When it ended, RFC 3339.
    pub ended: String,
    /// Memory over time.
    pub samples: Vec<SampleRecord>,
    /// What memory does.
    pub trend: Option<Trend>,
    /// What a snapshot would cost.
    pub preflight: Option<Preflight>,
    /// The snapshots.
    pub snapshots: Vec<CapturedSnapshot>,
    /// First against last.
    pub diff: Option<DiffDocument>,
    /// Whether object ids could be compared.
    pub comparable: Option<Comparability>,
    /// New objects of the last snapshot.
    pub growth: Option<Growth>,
    /// Who is to blame, worst first.
    pub suspects: Vec<Suspect>,
    /// Filled by `leakline verify`.
    pub verification: Option<serde_json::Value>,
    /// Everything done to the target.
    pub actions: Vec<Action>,
    /// What the evidence cannot support.
    pub limits: Vec<String>,
    /// What else is in the folder, by file name; the folder itself when there is one.
    pub folder: Option<String>,
}

/// The process.
#[derive(Clone, Debug, Serialize)]
pub struct Target {
    /// As this machine numbers it.
    pub pid: u32,
    /// `node`
    pub runtime: &'static str,
    /// `v20.20.2`
    pub version: Option<String>,
    /// Its command line.
    pub command: String,
    /// The container's id, when it runs in one.
    pub container: Option<String>,
    /// The memory limit it runs under.
    pub limit_bytes: Option<u64>,
}

/// One sample of a process's memory.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SampleRecord {
    /// Since the first sample.
    pub elapsed_seconds: f64,
    /// When, RFC 3339.
    pub time: String,
    /// Resident set size.
    pub rss_bytes: u64,
    /// V8's heap, all of it.
    pub heap_total_bytes: u64,
    /// V8's heap, what is in use.
    pub heap_used_bytes: u64,
    /// Memory of C++ objects bound to JavaScript objects, buffers included.
    pub external_bytes: u64,
    /// Buffers and array buffers.
    pub array_buffers_bytes: u64,
    /// V8's limit for its heap.
    pub heap_limit_bytes: Option<u64>,
    /// HTTP requests begun since the sample before.
    pub requests: Option<u64>,
    /// Major collections so far.
    pub gc_major_count: Option<u64>,
    /// Taken after a snapshot: RSS is not the service's own any more.
    pub perturbed: bool,
    /// The first after a snapshot, which collects all garbage: what is used now is in use.
    pub full_gc: bool,
}

/// Whether a snapshot may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PreflightDecision {
    /// There is room.
    Allowed,
    /// There is not.
    Refused,
    /// There is not, and the user said to do it all the same.
    Forced,
}

/// What a snapshot would cost the target.
#[derive(Clone, Debug, Serialize)]
pub struct Preflight {
    /// The decision.
    pub decision: PreflightDecision,
    /// The cost.
    pub predicted: Predicted,
    /// The room there is: the least of the cgroups' and the machine's. `null` when unknown.
    pub headroom_bytes: Option<u64>,
    /// The decision in words, with the numbers.
    pub reason: String,
}

/// What a snapshot is predicted to cost.
#[derive(Clone, Debug, Serialize)]
pub struct Predicted {
    /// Additional resident memory of the target.
    pub extra_bytes: u64,
    /// How long it stands still.
    pub pause_seconds: f64,
    /// How large the file becomes.
    pub file_bytes: u64,
}

/// One snapshot.
#[derive(Clone, Debug, Serialize)]
pub struct CapturedSnapshot {
    /// Where it is.
    pub path: String,
    /// When, RFC 3339; `null` for a file somebody else took.
    pub taken: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// How long the target stood still.
    pub pause_seconds: Option<f64>,
}

/// Something done to the target.
#[derive(Clone, Debug, Serialize)]
pub struct Action {
    /// When, RFC 3339.
    pub time: String,
    /// What.
    pub what: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_that_is_shown_is_that_of_the_frame() {
        let line = |line, marked| FrameLine { line, text: String::new(), marked };
        let mut culprit = Culprit {
            file: "/srv/dist/app.js".into(),
            line: 1,
            column: 900,
            function: None,
            snippet: String::new(),
            original: None,
            caller: None,
            frame: Frame { lines: vec![line(1, true)] },
        };
        assert_eq!((culprit.shown().line, culprit.elsewhere()), (1, None));
        culprit.original = Some(Place { file: "/srv/src/app.ts".into(), line: 12, column: 3 });
        let words = culprit.elsewhere();
        assert_eq!(words.as_deref(), Some("before compilation: /srv/src/app.ts:12:3"));
        culprit.frame.lines = vec![line(11, false), line(12, true)];
        assert_eq!(culprit.shown().file, "/srv/src/app.ts");
        assert_eq!(culprit.elsewhere().as_deref(), Some("it runs as /srv/dist/app.js:1:900"));
    }
}
