//! The verdict on one signal's floor.
//!
//! The order of the questions is the argument: Is there enough? What is warm-up? Does the load
//! explain it? Is the slope of the rest beyond its noise and large enough to matter? Is it still
//! rising in the later half, and not by one step? Was the floor clean? Each "no" ends with the
//! verdict that is true then, and a reason with its numbers.

use crate::floor::{Floor, Made};
use crate::gls::Basis;
use crate::knee;
use crate::load::{self, Load};
use crate::robust::{self, Line, Point};
use crate::sample::Sample;
use crate::season;
use crate::segments::{level, range, segments, short_segment, span};
use crate::shape::{self, Flat, Known, Shape};
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
    let weakest = sure.min(size).min(evidence).max(0.0);
    let among = |x: f64| x / (1.0 + x);
    if verdict == Verdict::Leak {
        1.0 + among(sure) + among(size) + evidence
    } else {
        // Below 1, whatever link failed that has no number.
        among(weakest.min(20.0)).min(0.99)
    }
}

fn decide(case: &Case<'_>, reasons: &mut Vec<Reason>) -> Verdict {
    let tail = &case.tail;
    let slope = tail.line.slope;
    let over = duration(tail.span);
    let rises = tail.rises() && tail.growth() >= tail.material;
    if let Some(load) = case.load.as_ref().filter(|l| l.matters)
        && let Some(verdict) = with_load(case, load, rises, reasons)
    {
        return verdict;
    }
    if !rises {
        return without_growth(case, reasons);
    }
    reasons.push(Reason::new(
        "slope",
        format!("the {} floor rises by {} over {over}", case.kind.name(), rate_interval(slope)),
    ));
    let verdict = match case.shape {
        Some(shape) => by_shape(case, shape, reasons),
        None => by_halves(case, reasons),
    };
    if let Some(verdict) = verdict {
        return verdict;
    }
    if !case.floor.clean && !multiplied(tail) {
        let seen = case.floor.collections.map_or_else(
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
    let middles = robust::slope(behind(&case.floor.middles, tail.points));
    if middles.is_some_and(|m| m < limits::STEADY_SHARE * slope.estimate) {
        reasons.push(Reason::new(
            "only-lows-rise",
            "the usual level rises far less than the lows: dips became rarer, which is no leak yet",
        ));
        return Verdict::InsufficientData;
    }
    if load_may_be_all(case, reasons) {
        return Verdict::InsufficientData;
    }
    reasons.push(Reason::new(
        "cache-caveat",
        format!("a cache that takes longer than {over} to fill would look the same"),
    ));
    Verdict::Leak
}

/// What the load makes of it; `None` where growth beyond it has to be judged.
fn with_load(
    case: &Case<'_>,
    load: &Load,
    rises: bool,
    reasons: &mut Vec<Reason>,
) -> Option<Verdict> {
    let tail = &case.tail;
    if range(behind(&case.floor.points, tail.points)) <= tail.material {
        return None;
    }
    let numbers = format!("Spearman correlation {:.2} with {}", load.correlation, load.measure);
    if rises && case.shape.is_none_or(|s| s.evidence >= limits::EVIDENCE) {
        reasons.push(Reason::new(
            "growth-beyond-load",
            format!("the floor follows the load ({numbers}), but grows beyond it"),
        ));
        return None;
    }
    if load.with_time && tail.most_growth().is_none_or(|most| most > tail.material) {
        reasons.push(Reason::new(
            "load-rises-too",
            format!(
                "the floor follows the load ({numbers}), but the load itself moves with time: \
                 measure through a fall of the load to tell them apart"
            ),
        ));
        return Some(Verdict::InsufficientData);
    }
    if rises || load.correlation < limits::LOAD_CORRELATION {
        return None;
    }
    reasons.push(Reason::new(
        "follows-load",
        format!("the floor follows the load ({numbers}); nothing that grows is left over"),
    ));
    Some(Verdict::FollowsLoad)
}

/// Whether the load rose too and may be all there is to it.
fn load_may_be_all(case: &Case<'_>, reasons: &mut Vec<Reason>) -> bool {
    let tail = &case.tail;
    let why = match &case.load {
        // Enough floors to set one beside the other: growth has to pass what the load could hold.
        Some(load) => {
            let least = tail.line.slope.low.unwrap_or(0.0) * tail.span + load.takes;
            if least > load.could {
                return false;
            }
            format!(
                "the load ({}) rose in the same time by what may be all there is to it",
                load.measure
            )
        }
        None => {
            let Some((rise, measure)) = load::ramp(case.samples, tail.points) else { return false };
            let first = tail.points.first().map_or(0.0, |p| tail.line.at(p.t));
            if tail.growth() > limits::BEYOND_LOAD * rise * first.max(1.0) {
                return false;
            }
            format!(
                "the load ({measure}) changed by {:.0} % in the same time, which may be all there is \
                 to it",
                100.0 * rise
            )
        }
    };
    let text = format!("{why}: measure through a fall of the load to tell them apart");
    reasons.push(Reason::new("load-rises-too", text));
    true
}

/// What the shapes say of a floor that rises; `None` where it grows at the end.
fn by_shape(case: &Case<'_>, shape: Shape, reasons: &mut Vec<Reason>) -> Option<Verdict> {
    let odds = shape.evidence;
    if odds >= limits::EVIDENCE && shape.growth >= case.tail.material {
        reasons.push(Reason::new(
            "steady",
            format!(
                "shapes that still grow at its end explain it better than any that stopped \
                 (evidence {odds:.1}, {:.1} needed)",
                limits::EVIDENCE
            ),
        ));
        return None;
    }
    let at = |t: f64| duration(t - case.floor.points[0].t);
    let (code, what, verdict) = match shape.flat {
        Flat::Constant => {
            ("interval-wide", "noise about one level".to_owned(), Verdict::InsufficientData)
        }
        Flat::Levelled(t) => {
            let levelled = odds <= -limits::EVIDENCE && flat_since(case, t);
            let verdict = if levelled { Verdict::Plateau } else { Verdict::WarmUp };
            let code = if levelled { "levelled" } else { "slowing" };
            (code, format!("a rise that ended {} into the recording", at(t)), verdict)
        }
        Flat::Saturating => {
            ("slowing", "a rise that levels off, as a cache does".to_owned(), Verdict::WarmUp)
        }
        Flat::Stepped(t) => {
            let what = format!("a step {} into the recording, not a trend", at(t));
            ("step", what, Verdict::InsufficientData)
        }
        Flat::Daily => {
            ("daily-wave", "part of a daily rhythm".to_owned(), Verdict::InsufficientData)
        }
    };
    let how = if odds <= 0.0 { "explains it better than" } else { "explains it about as well as" };
    reasons.push(Reason::new(
        code,
        format!(
            "{what} {how} growth that goes on (evidence {odds:.1}, {:.1} needed): measure as long \
             again",
            limits::EVIDENCE
        ),
    ));
    Some(verdict)
}

/// Whether the floor has not risen materially since a time.
fn flat_since(case: &Case<'_>, t: f64) -> bool {
    let points = &case.floor.points;
    let late = &points[points.partition_point(|p| p.t < t).min(points.len() - 1)..];
    robust::line(late)
        .and_then(|line| line.slope.high)
        .is_some_and(|high| high * span(late) <= case.tail.material)
}

/// What the halves of too few floors for shapes say; `None` where it rises steadily.
fn by_halves(case: &Case<'_>, reasons: &mut Vec<Reason>) -> Option<Verdict> {
    let tail = &case.tail;
    let slope = tail.line.slope;
    if let Some(late) = case.late_knee {
        reasons.push(Reason::new(
            "slowing",
            format!(
                "growth slowed down {} before the end, too late to see whether it goes on: \
                 measure as long again",
                duration(tail.points.last().map_or(0.0, |p| p.t) - case.floor.points[late].t)
            ),
        ));
        return Some(Verdict::WarmUp);
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
        return Some(Verdict::InsufficientData);
    }
    let late_slope = robust::slope(late_half(tail.points)).unwrap_or(0.0);
    if late_slope < limits::STEADY_SHARE * slope.estimate {
        reasons.push(Reason::new(
            "slowing",
            format!(
                "in its later half it rises by only {}: it may be levelling; measure as long again",
                rate(late_slope)
            ),
        ));
        return Some(Verdict::WarmUp);
    }
    reasons.push(Reason::new(
        "steady",
        format!("in its later half it still rises by {}", rate(late_slope)),
    ));
    None
}

/// The slope is not beyond noise, or too small to matter.
fn without_growth(case: &Case<'_>, reasons: &mut Vec<Reason>) -> Verdict {
    let &Case { kind, floor, ref tail, start, late_knee, .. } = case;
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
