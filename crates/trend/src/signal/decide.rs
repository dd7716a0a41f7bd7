//! The questions in their order, up to the verdict on one signal.

use super::{Case, Tail, multiplied, usual_material};
use crate::load::{self, Load};
use crate::robust::{self, Point};
use crate::segments::{range, span};
use crate::shape::{Flat, Shape};
use crate::text::{HOUR, bytes, duration, rate, rate_interval};
use crate::thresholds as limits;
use crate::verdict::{Reason, Verdict};

pub(super) fn decide(case: &Case<'_>, reasons: &mut Vec<Reason>) -> Verdict {
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
    let per_hour = slope.estimate * HOUR / tail.level.max(1.0);
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
