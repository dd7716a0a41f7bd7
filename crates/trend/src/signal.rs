//! The verdict on one signal's floor.
//!
//! The order of the questions is the argument: Is there enough? What is warm-up? Does the load
//! explain it? Is the slope of the rest beyond its noise and large enough to matter? Is it still
//! rising in the later half, and not by one step? Was the floor clean? Each "no" ends with the
//! verdict that is true then, and a reason with its numbers.

use crate::floor::{Floor, Made};
use crate::knee;
use crate::load;
use crate::robust::{self, Line, Point};
use crate::sample::Sample;
use crate::text::{bytes, duration, rate, rate_interval};
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

/// Judges the floor of one signal; `samples` are of the same life.
pub(crate) fn judge(kind: Kind, floor: &Floor, samples: &[Sample]) -> Judged {
    let mut reasons = vec![made(kind, floor)];
    let points = &floor.points;
    let Some(whole) = robust::line(points).filter(|_| points.len() >= limits::MIN_CLEAN_FLOORS)
    else {
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
            segments: short_segment(samples),
            reasons,
        };
    };

    let cuts = knee::knees(points);
    let start = cuts.iter().rev().copied().find(|&c| knee::tail_carries(points, c)).unwrap_or(0);
    let late_knee = cuts.last().copied().filter(|&c| c > start);
    let tail_points = &points[start..];
    let line = if start == 0 { whole } else { robust::line(tail_points).unwrap_or(whole) };
    let mut tail = Tail {
        points: tail_points,
        line,
        span: span(tail_points),
        level: level(tail_points),
        material: 0.0,
    };
    tail.material = material(kind, &tail);

    let explained = load::explain(samples, tail.points);
    let rest;
    let mut by_load = None;
    if let Some(explained) = &explained
        && let Some(line) = robust::line(&explained.rest)
    {
        rest = explained.rest.clone();
        // The load is the answer only if there is something to answer for.
        if range(tail.points) > tail.material {
            tail = Tail { points: &rest, line, ..tail };
            by_load = Some(explained);
        }
    }

    let verdict = match by_load {
        Some(explained) => with_load(explained, &tail, &mut reasons),
        None => None,
    }
    .unwrap_or_else(|| decide(kind, floor, &tail, start, late_knee, &mut reasons));
    let verdict = match verdict {
        Verdict::Leak if by_load.is_none() => beyond_ramp(samples, &tail, &mut reasons),
        other => other,
    };

    let mut cut_list: Vec<usize> = cuts.into_iter().filter(|c| *c <= start).collect();
    if let (Verdict::WarmUp, Some(late)) = (verdict, late_knee) {
        cut_list.push(late);
    }
    if verdict == Verdict::Leak && start > 0 {
        reasons.push(Reason::new(
            "warm-up-dropped",
            format!(
                "the first {} rose faster and are left out as warm-up",
                duration(points[start].t - points[0].t)
            ),
        ));
    }
    Judged {
        verdict,
        confidence: confidence(verdict, kind, floor, &tail),
        slope: tail.line.slope,
        growth: tail.growth(),
        score: if verdict == Verdict::Leak {
            1.0 + tail.line.slope.low.unwrap_or(0.0) / tail.line.slope.estimate
        } else {
            (tail.growth() / (tail.level + 1.0)).clamp(0.0, 0.99)
        },
        segments: segments(points, &cut_list, verdict),
        reasons,
    }
}

fn with_load(
    explained: &load::Explained,
    tail: &Tail<'_>,
    reasons: &mut Vec<Reason>,
) -> Option<Verdict> {
    let numbers =
        format!("Spearman correlation {:.2} with {}", explained.correlation, explained.measure);
    if explained.with_time {
        reasons.push(Reason::new(
            "load-rises-too",
            format!(
                "the floor follows the load ({numbers}), but the load itself moves with time: \
                 measure through a fall of the load to tell them apart"
            ),
        ));
        return Some(Verdict::InsufficientData);
    }
    if tail.rises() && tail.growth() >= tail.material {
        reasons.push(Reason::new(
            "growth-beyond-load",
            format!("the floor follows the load ({numbers}), but grows beyond it"),
        ));
        return None;
    }
    reasons.push(Reason::new(
        "follows-load",
        format!("the floor follows the load ({numbers}); nothing that grows is left over"),
    ));
    Some(Verdict::FollowsLoad)
}

/// A leak, unless the load rose too and may be all there is to it.
fn beyond_ramp(samples: &[Sample], tail: &Tail<'_>, reasons: &mut Vec<Reason>) -> Verdict {
    let Some((rise, measure)) = load::ramp(samples, tail.points) else { return Verdict::Leak };
    let first = tail.points.first().map_or(0.0, |p| tail.line.at(p.t));
    if tail.growth() > limits::BEYOND_LOAD * rise * first.max(1.0) {
        return Verdict::Leak;
    }
    reasons.retain(|r| r.code != "cache-caveat");
    reasons.push(Reason::new(
        "load-rises-too",
        format!(
            "the load ({measure}) changed by {:.0} % in the same time, which may be all there is to \
             it: measure through a fall of the load to tell them apart",
            100.0 * rise
        ),
    ));
    Verdict::InsufficientData
}

fn decide(
    kind: Kind,
    floor: &Floor,
    tail: &Tail<'_>,
    start: usize,
    late_knee: Option<usize>,
    reasons: &mut Vec<Reason>,
) -> Verdict {
    let slope = tail.line.slope;
    let over = duration(tail.span);
    if !(tail.rises() && tail.growth() >= tail.material) {
        return without_growth(kind, floor, tail, start, late_knee, reasons);
    }
    reasons.push(Reason::new(
        "slope",
        format!("the {} floor rises by {} over {over}", kind.name(), rate_interval(slope)),
    ));
    if let Some(late) = late_knee {
        reasons.push(Reason::new(
            "slowing",
            format!(
                "growth slowed down {} before the end, too late to see whether it goes on: \
                 measure as long again",
                duration(tail.points.last().map_or(0.0, |p| p.t) - floor.points[late].t)
            ),
        ));
        return Verdict::WarmUp;
    }
    if let Some((size, at)) = step(tail) {
        reasons.push(Reason::new(
            "step",
            format!(
                "{} of the growth came in one step at {:.0} s, not as a trend: measure longer",
                bytes(size),
                at
            ),
        ));
        return Verdict::InsufficientData;
    }
    let late = late_half(tail.points);
    let late_slope = robust::slope(late).unwrap_or(0.0);
    if late_slope < limits::STEADY_SHARE * slope.estimate {
        reasons.push(Reason::new(
            "slowing",
            format!(
                "in its later half it rises by only {}: it may be levelling; measure as long again",
                rate(late_slope)
            ),
        ));
        return Verdict::WarmUp;
    }
    if !floor.clean && !multiplied(tail) {
        let seen = floor.collections.map_or_else(
            || "it is not known when full collections ran".to_owned(),
            |n| format!("only {n} full collections ran"),
        );
        reasons.push(Reason::new(
            "no-full-gc",
            format!(
                "{seen}, so this may be garbage that waits for one: {} of them spread over the \
                 run decide it (heap snapshots force one each)",
                limits::MIN_CLEAN_FLOORS
            ),
        ));
        return Verdict::InsufficientData;
    }
    let middles = robust::slope(behind(&floor.middles, tail.points));
    if middles.is_some_and(|m| m < limits::STEADY_SHARE * slope.estimate) {
        reasons.push(Reason::new(
            "only-lows-rise",
            "the usual level rises far less than the lows: dips became rarer, which is no leak yet",
        ));
        return Verdict::InsufficientData;
    }
    reasons.push(Reason::new(
        "steady",
        format!("in its later half it still rises by {}", rate(late_slope)),
    ));
    reasons.push(Reason::new(
        "cache-caveat",
        format!("a cache that takes longer than {over} to fill would look the same"),
    ));
    Verdict::Leak
}

/// The slope is not beyond noise, or too small to matter.
fn without_growth(
    kind: Kind,
    floor: &Floor,
    tail: &Tail<'_>,
    start: usize,
    late_knee: Option<usize>,
    reasons: &mut Vec<Reason>,
) -> Verdict {
    let slope = tail.line.slope;
    let name = kind.name();
    let over = duration(tail.span);
    let most = tail.most_growth();
    let per_hour = slope.estimate * 3600.0 / tail.level.max(1.0);
    if tail.rises() && per_hour >= limits::MATERIAL_SHARE && tail.span < 7200.0 {
        reasons.push(Reason::new(
            "small-growth",
            format!(
                "the {name} floor rises by {}, but {} in {over} is what warm-up does to a healthy \
                 service (up to {}): measure longer",
                rate_interval(slope),
                bytes(tail.growth()),
                bytes(tail.material)
            ),
        ));
        return Verdict::InsufficientData;
    }
    // To exclude growth takes more than not to have found it: the small bound, also in short runs.
    let small = usual_material(tail);
    let long = tail.span >= limits::SHORT_SPAN_SECONDS;
    let flat = (long && range(tail.points) <= small)
        || most
            .is_some_and(|m| m <= small || (long && m <= limits::STABLE_BOUND_SHARE * tail.level));
    let before = tail.points.first().map_or(0.0, |p| p.v) - floor.points[0].v;
    let early_share =
        (floor.points[start].t - floor.points[0].t) / span(&floor.points).max(f64::MIN_POSITIVE);
    if flat && late_knee.is_none() {
        if start > 0 && before >= tail.material && early_share >= limits::PLATEAU_RISE_SHARE {
            reasons.push(Reason::new(
                "levelled",
                format!(
                    "the {name} floor grew by {} in {}, then levelled: {} over the last {over}",
                    bytes(before),
                    duration(floor.points[start].t - floor.points[0].t),
                    rate_interval(slope)
                ),
            ));
            return Verdict::Plateau;
        }
        let code = if slope.high.is_some_and(|h| h < 0.0) { "declining" } else { "flat" };
        reasons.push(Reason::new(
            code,
            format!(
                "the {name} floor stays within {} over {over}: {}",
                bytes(range(tail.points)),
                rate_interval(slope)
            ),
        ));
        return Verdict::Stable;
    }
    let late = robust::slope(late_half(tail.points)).unwrap_or(0.0);
    let early = robust::slope(&tail.points[..tail.points.len().div_ceil(2)]).unwrap_or(0.0);
    let slowing = early * tail.span / 2.0 >= tail.material && late < limits::KNEE_SLOWDOWN * early;
    if late_knee.is_some() || slowing {
        reasons.push(Reason::new(
            "slowing",
            format!(
                "the {name} floor rose by {}, later by {}: it is still levelling; measure as long \
                 again",
                rate(early),
                rate(late)
            ),
        ));
        return Verdict::WarmUp;
    }
    reasons.push(Reason::new("interval-wide", wide(name, tail)));
    Verdict::InsufficientData
}

/// What it would take: the error of a slope falls with the span to the power of 1.5, so the span
/// that separates this slope from 0 follows from the interval.
fn wide(name: &str, tail: &Tail<'_>) -> String {
    let slope = tail.line.slope;
    let start =
        format!("the {name} floor's slope cannot be told from none: {}", rate_interval(slope));
    match slope.low {
        Some(low) if slope.estimate > 0.0 => {
            let times = ((slope.estimate - low) / slope.estimate).powf(2.0 / 3.0).clamp(1.5, 100.0);
            format!("{start}; if it is real, about {} would show it", duration(tail.span * times))
        }
        _ => format!("{start}; sample for longer"),
    }
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
        Kind::Rss if tail.span < limits::NATIVE_SHORT_SECONDS => usual.max(limits::RSS_SHORT_BYTES),
        _ => usual,
    }
}

fn usual_material(tail: &Tail<'_>) -> f64 {
    (limits::MATERIAL_SHARE * tail.level).max(limits::MATERIAL_BYTES)
}

fn multiplied(tail: &Tail<'_>) -> bool {
    let first = tail.points.first().map_or(0.0, |p| tail.line.at(p.t));
    let last = tail.points.last().map_or(0.0, |p| tail.line.at(p.t));
    first > 0.0 && last >= limits::UNKNOWN_GC_GROWTH * first
}

/// The largest rise between neighbours, if it alone makes the trend.
fn step(tail: &Tail<'_>) -> Option<(f64, f64)> {
    if tail.points.len() < 6 {
        return None;
    }
    let total = tail.points.last()?.v - tail.points.first()?.v;
    let (size, at) = tail
        .points
        .windows(2)
        // A rise over a gap in sampling is no step: the trend's own share is taken off.
        .map(|w| (w[1].v - w[0].v - tail.line.slope.estimate * (w[1].t - w[0].t), w[1].t))
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    (total > 0.0 && size > limits::STEP_SHARE * total).then_some((size, at))
}

/// The points of `all` from where `tail` begins.
fn behind<'a>(all: &'a [Point], tail: &[Point]) -> &'a [Point] {
    let from = tail.first().map_or(f64::NEG_INFINITY, |p| p.t);
    &all[all.partition_point(|p| p.t < from)..]
}

/// The points in the later half of the time; at least two.
fn late_half(points: &[Point]) -> &[Point] {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return points };
    let middle = f64::midpoint(first.t, last.t);
    let from = points.partition_point(|p| p.t < middle).min(points.len().saturating_sub(2));
    &points[from..]
}

fn confidence(verdict: Verdict, kind: Kind, floor: &Floor, tail: &Tail<'_>) -> Confidence {
    let slope = tail.line.slope;
    let many = tail.points.len() >= limits::MIN_FLOORS_FOR_SEN;
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

fn segments(points: &[Point], cuts: &[usize], verdict: Verdict) -> Vec<Segment> {
    let mut bounds = vec![0];
    bounds.extend_from_slice(cuts);
    bounds.push(points.len().saturating_sub(1));
    bounds
        .windows(2)
        .filter(|w| w[0] < w[1])
        .map(|w| {
            let part = &points[w[0]..=w[1]];
            let line = robust::line(part);
            let slope = line.map(|l| l.slope);
            let rising = slope.and_then(|s| s.low).is_some_and(|low| low > 0.0);
            let calm = matches!(verdict, Verdict::Stable | Verdict::Plateau);
            let kind = if w[1] + 1 < points.len() {
                "warm-up"
            } else if verdict == Verdict::Leak || (rising && !calm) {
                "growth"
            } else if slope.and_then(|s| s.high).is_some_and(|high| high < 0.0) {
                "decline"
            } else {
                "level"
            };
            Segment {
                start_seconds: part[0].t,
                end_seconds: part[part.len() - 1].t,
                kind,
                slope_bytes_per_hour: slope.map(|s| s.estimate * 3600.0),
            }
        })
        .collect()
}

/// The one segment of a life too short to fit.
pub(crate) fn short_segment(samples: &[Sample]) -> Vec<Segment> {
    match (samples.first(), samples.last()) {
        (Some(first), Some(last)) => vec![Segment {
            start_seconds: first.elapsed_seconds,
            end_seconds: last.elapsed_seconds,
            kind: "short",
            slope_bytes_per_hour: None,
        }],
        _ => Vec::new(),
    }
}

fn span(points: &[Point]) -> f64 {
    match (points.first(), points.last()) {
        (Some(a), Some(b)) => b.t - a.t,
        _ => 0.0,
    }
}

fn level(points: &[Point]) -> f64 {
    robust::median(&mut points.iter().map(|p| p.v).collect::<Vec<_>>()).unwrap_or(0.0)
}

fn range(points: &[Point]) -> f64 {
    let low = points.iter().map(|p| p.v).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|p| p.v).fold(f64::NEG_INFINITY, f64::max);
    if high > low { high - low } else { 0.0 }
}
