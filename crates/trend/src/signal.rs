//! The verdict on one signal's floor.
//!
//! The order of the questions is the argument: Is there enough? What is warm-up? Does the load
//! explain it? Is the slope of the rest beyond its noise and large enough to matter? Is it still
//! rising in the later half, and not by one step? Was the floor clean? Each "no" ends with the
//! verdict that is true then, and a reason with its numbers.

mod decide;

use self::decide::decide;
use crate::floor::{Floor, Made};
use crate::gls::Basis;
use crate::knee;
use crate::load::{self, Load};
use crate::robust::{self, Line, Point};
use crate::sample::Sample;
use crate::season;
use crate::segments::{level, segments, short_segment, span};
use crate::shape::{self, Known, Shape};
use crate::text::duration;
use crate::thresholds as limits;
use crate::verdict::{Confidence, Interval, Reason, Segment, Verdict};

/// What is measured: decides how much growth warm-up alone explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Heap,
    External,
    Rss,
    Native,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Heap => "heap_used",
            Self::External => "external",
            Self::Rss => "rss",
            Self::Native => "native memory (rss - heap_total - external)",
        }
    }
}

/// One signal's judgement.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) confidence: Confidence,
    /// Bytes per second after warm-up.
    pub(crate) slope: Interval,
    /// Growth of the judged stretch, in bytes.
    pub(crate) growth: f64,
    pub(crate) segments: Vec<Segment>,
    /// How strongly the data speak for a leak; 1 and more where the verdict is that.
    pub(crate) score: f64,
    /// Evidence of the shapes, where they were weighed.
    pub(crate) evidence: Option<f64>,
    /// Growth below this is no finding, in bytes.
    pub(crate) material: f64,
    /// Whether growth of the floor is growth of live memory.
    pub(crate) clean: bool,
    pub(crate) reasons: Vec<Reason>,
}

/// The stretch of floors that is judged, and what is known of it.
struct Tail<'a> {
    points: &'a [Point],
    line: Line,
    span: f64,
    level: f64,
    /// Growth below this is no finding.
    material: f64,
}

impl Tail<'_> {
    fn growth(&self) -> f64 {
        self.line.slope.estimate * self.span
    }

    fn rises(&self) -> bool {
        self.line.slope.low.is_some_and(|low| low > 0.0)
    }

    /// Nothing can have grown by more than this, at 95 %.
    fn most_growth(&self) -> Option<f64> {
        self.line.slope.high.map(|high| high * self.span)
    }
}

/// What is known of one signal before a verdict.
struct Case<'a> {
    kind: Kind,
    floor: &'a Floor,
    samples: &'a [Sample],
    tail: Tail<'a>,
    /// Index of the floor where the tail begins.
    start: usize,
    /// A knee too close to the end to judge what follows it.
    late_knee: Option<usize>,
    load: Option<Load>,
    shape: Option<Shape>,
}

/// Judges the floor of one signal; `samples` are of the same life.
pub(crate) fn judge(kind: Kind, floor: &Floor, samples: &[Sample]) -> Judged {
    let mut reasons = vec![made(kind, floor)];
    let points = &floor.points;
    let enough = points.len() >= limits::MIN_CLEAN_FLOORS && span(points) > 0.0;
    if !enough {
        reasons.push(Reason::new(
            "too-few-floors",
            format!(
                "{} floor points; at least {} are needed: keep sampling",
                points.len(),
                limits::MIN_CLEAN_FLOORS
            ),
        ));
        return Judged {
            verdict: Verdict::InsufficientData,
            confidence: Confidence::Low,
            slope: Interval::unknown(0.0),
            growth: 0.0,
            score: 0.0,
            evidence: None,
            material: f64::INFINITY,
            clean: floor.clean,
            segments: short_segment(samples),
            reasons,
        };
    }

    let rhythm = season::columns(points);
    if !rhythm.is_empty() {
        reasons.push(Reason::new("daily-rhythm", "a daily rhythm is taken out"));
    }
    let load = load::explain(samples, points, &rhythm);
    let mut columns = rhythm;
    let column = load.as_ref().and_then(|l| l.column.clone());
    // A load that clearly explains nothing is left out of the line: it would only widen its interval.
    let matters = load.as_ref().is_some_and(|l| l.matters || l.with_time);
    let rest = without(points, &columns, load.as_ref().filter(|_| matters));
    let cuts = knee::knees(&rest);
    let start = cuts.iter().rev().copied().find(|&c| knee::tail_carries(&rest, c)).unwrap_or(0);
    let late_knee = cuts.last().copied().filter(|&c| c > start);
    columns.extend(column.filter(|_| matters));
    let known = Known {
        daily: columns.is_empty() && limits::HALF_WAVE_DAYS.contains(&(span(points) / 86_400.0)),
        columns,
        served: load::served(samples, points),
    };
    let matters_from = matters_from(samples);
    let mut case = Case {
        kind,
        floor,
        samples,
        tail: tail(kind, &rest[start..], &known.columns, start, matters_from),
        start,
        late_knee,
        load,
        shape: None,
    };
    // Shapes cost most of the time, and have a say only where something rises.
    if case.tail.growth() > 0.25 * case.tail.material {
        case.shape = shape::weigh(points, &known);
    }
    if let Some(shape) = case.shape
        && shape.onset > case.start
        && shape.evidence >= limits::EVIDENCE
        && rest.len() - shape.onset > limits::MIN_FLOORS_AFTER_KNEE
    {
        // Growth that begins late is measured from there.
        case.start = shape.onset;
        case.tail = tail(kind, &rest[shape.onset..], &known.columns, shape.onset, matters_from);
    }

    let verdict = decide(&case, &mut reasons);
    let start = case.start;
    let mut cut_list: Vec<usize> = cuts.into_iter().filter(|c| *c < start).collect();
    if start > 0 {
        cut_list.push(start);
    }
    if let (Verdict::WarmUp, Some(late)) = (verdict, late_knee) {
        cut_list.push(late);
    }
    if verdict == Verdict::Leak && start > 0 {
        let before = robust::slope(&rest[..=start]).unwrap_or(0.0);
        let text = duration(points[start].t - points[0].t);
        reasons.push(if before > case.tail.line.slope.estimate {
            let text = format!("the first {text} rose faster and are left out as warm-up");
            Reason::new("warm-up-dropped", text)
        } else {
            Reason::new("growth-began", format!("it began {text} into the recording"))
        });
    }
    Judged {
        verdict,
        confidence: confidence(verdict, kind, floor, &case.tail),
        slope: case.tail.line.slope,
        growth: case.tail.growth(),
        score: score(&case, verdict),
        evidence: case.shape.map(|s| s.evidence),
        material: case.tail.material,
        clean: floor.clean || multiplied(&case.tail),
        segments: segments(&rest, &cut_list, verdict),
        reasons,
    }
}

/// The floor without what the daily rhythm and the load explain of it.
fn without(points: &[Point], rhythm: &[Vec<f64>], load: Option<&Load>) -> Vec<Point> {
    let from = load.map_or_else(|| points.to_vec(), |l| l.rest.clone());
    let Some(first) = from.first().copied().filter(|_| !rhythm.is_empty()) else { return from };
    let values: Vec<f64> = from.iter().map(|p| p.v - first.v).collect();
    let mut plain = Basis::default();
    plain.push(&vec![1.0; from.len()]);
    plain.push(&from.iter().map(|p| p.t - first.t).collect::<Vec<f64>>());
    let mut full = plain.clone();
    for column in rhythm {
        full.push(column);
    }
    // What the rhythm adds to a line is the difference of what the two leave over.
    let (line, all) = (plain.rest(&values), full.rest(&values));
    from.iter()
        .zip(line.iter().zip(&all))
        .map(|(p, (line, all))| Point { t: p.t, v: p.v - (line - all) })
        .collect()
}

fn tail<'a>(
    kind: Kind,
    points: &'a [Point],
    columns: &[Vec<f64>],
    start: usize,
    matters_from: f64,
) -> Tail<'a> {
    let columns: Vec<Vec<f64>> = columns.iter().map(|c| c[start..].to_vec()).collect();
    let mut line = robust::line_beside(points, &columns);
    if line.is_none() {
        // The columns are time itself: the slope is there, its interval is anything.
        line =
            robust::line(points).map(|l| Line { slope: Interval::unknown(l.slope.estimate), ..l });
    }
    let mut tail = Tail {
        points,
        line: line.unwrap_or(Line::FLAT),
        span: span(points),
        level: level(points),
        material: 0.0,
    };
    tail.material = material(kind, &tail).max(matters_from);
    tail
}

/// How strongly the case speaks for a leak: the weakest of its links, each 1 where it just holds.
fn score(case: &Case<'_>, verdict: Verdict) -> f64 {
    let slope = case.tail.line.slope;
    let Some(low) = slope.low.filter(|_| slope.estimate > 0.0) else { return 0.0 };
    let half = (slope.estimate - low).max(1e-9 * slope.estimate);
    let sure = slope.estimate / half;
    let size = case.tail.growth() / case.tail.material;
    let evidence = case.shape.map_or(sure, |s| (s.evidence / limits::EVIDENCE).max(0.0));
    if verdict == Verdict::Leak {
        proven(sure, size, evidence)
    } else {
        // Below 1, whatever link failed that has no number.
        among(sure.min(size).min(evidence).min(20.0))
    }
}

/// The score of a case whose links all hold: 1 and more.
pub(crate) fn proven(sure: f64, size: f64, evidence: f64) -> f64 {
    1.0 + among(sure) + among(size) + evidence
}

/// From 0 to 1; what is negative counts as nothing.
pub(crate) fn among(x: f64) -> f64 {
    let x = x.max(0.0);
    x / (1.0 + x)
}

fn made(kind: Kind, floor: &Floor) -> Reason {
    let how = match (floor.made, floor.clean) {
        (Made::Collections, _) => "lowest samples after full collections",
        (Made::Days, _) => "lowest decile of each day",
        (Made::Bins, true) => "lowest decile of each bin of time",
        (Made::Bins, false) => "lowest decile of each bin of time, garbage possibly included",
    };
    Reason::new("floor", format!("{}: {} floor points, {how}", kind.name(), floor.points.len()))
}

fn material(kind: Kind, tail: &Tail<'_>) -> f64 {
    let usual = usual_material(tail);
    match kind {
        Kind::Heap | Kind::External if tail.span < limits::SHORT_SPAN_SECONDS => {
            usual.max(limits::SHORT_MATERIAL_BYTES)
        }
        Kind::Native if tail.span < limits::NATIVE_SHORT_SECONDS => {
            usual.max(limits::NATIVE_SHORT_BYTES)
        }
        Kind::Rss if tail.span < limits::RSS_SHORT_SECONDS => usual.max(limits::RSS_SHORT_BYTES),
        _ => usual,
    }
}

/// Growth below this is nothing to the process, in whatever part of it.
fn matters_from(samples: &[Sample]) -> f64 {
    let rss = samples.iter().rev().find_map(|s| s.rss.filter(|_| !s.perturbed)).unwrap_or(0) as f64;
    let limit = samples.iter().rev().find_map(|s| s.limit).unwrap_or(0) as f64;
    // A host's whole memory may stand as the limit of a small process.
    let limit = if limit <= limits::LIMIT_OF_RSS * rss { limit } else { 0.0 };
    (limits::MATERIAL_SHARE_OF_RSS * rss).max(limits::MATERIAL_SHARE_OF_LIMIT * limit)
}

fn usual_material(tail: &Tail<'_>) -> f64 {
    (limits::MATERIAL_SHARE * tail.level).max(limits::MATERIAL_BYTES)
}

fn multiplied(tail: &Tail<'_>) -> bool {
    let first = tail.points.first().map_or(0.0, |p| tail.line.at(p.t));
    let last = tail.points.last().map_or(0.0, |p| tail.line.at(p.t));
    first > 0.0 && last >= limits::UNKNOWN_GC_GROWTH * first
}

fn confidence(verdict: Verdict, kind: Kind, floor: &Floor, tail: &Tail<'_>) -> Confidence {
    let slope = tail.line.slope;
    let many = tail.points.len() >= limits::MANY_FLOORS;
    let long = tail.span >= limits::SHORT_SPAN_SECONDS;
    let narrow =
        slope.low.is_some_and(|low| slope.estimate - low <= limits::NARROW * slope.estimate.abs());
    match verdict {
        Verdict::InsufficientData => Confidence::Low,
        Verdict::WarmUp | Verdict::FollowsLoad => Confidence::Medium,
        _ if !floor.clean => Confidence::Low,
        Verdict::Leak if many && long && narrow && kind != Kind::Native => Confidence::High,
        Verdict::Stable | Verdict::Plateau if many && long => Confidence::High,
        _ => Confidence::Medium,
    }
}
