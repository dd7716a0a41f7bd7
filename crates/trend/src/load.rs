//! Does the load explain the floor?
//!
//! Memory is held per request in flight and per connection, so a healthy floor goes up and down with
//! them. The load at each floor becomes a column beside every shape (`shape`) and beside the line
//! (`robust`): a trend has to show in what the load leaves over, and where load and time run together
//! the interval says how little is known. A leak per request does not hide behind this: it makes the
//! floor follow the *sum* of the requests, not their rate; the sum is kept as another clock.
//!
//! Of requests and connections the one that explains more is taken. What is held per request in flight
//! rises in proportion at most; a floor that rises far beyond the load's own rise is not explained by
//! it, however well the two run together.

use crate::gls::{Basis, dot};
use crate::robust::{Point, median, quantile, slope, spearman};
use crate::sample::Sample;
use crate::thresholds::{
    BEYOND_LOAD, LOAD_BIC, LOAD_CORRELATION, LOAD_SWING, LOAD_SWING_BESIDE, LOAD_VARIATION,
    MIN_FLOORS_FOR_LOAD,
};

/// What the load has to do with the floor.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// The load at each floor, about its middle; empty where only a capped share was taken off.
    pub(crate) column: Option<Vec<f64>>,
    /// The floor with the load's share taken off.
    pub(crate) rest: Vec<Point>,
    /// Spearman correlation of floor and load.
    pub(crate) correlation: f64,
    /// `requests per second` or `connections`.
    pub(crate) measure: &'static str,
    /// Whether it clearly explains some of the floor.
    pub(crate) matters: bool,
    /// The load rises (or falls) with time so steadily that the two can hardly be separated.
    pub(crate) with_time: bool,
    /// Bytes that the load's rise over the floor takes off, and the most that it could: three times
    /// the upper bound of its coefficient (a load measured beside the floor rather than in it weakens
    /// the coefficient), but in proportion to the load at the most.
    pub(crate) takes: f64,
    pub(crate) could: f64,
    squares: f64,
}

/// The load's part in `floor`, beside `others` (a daily rhythm); `None` where the load is unknown, does
/// not vary, or goes against the floor.
pub(crate) fn explain(samples: &[Sample], floor: &[Point], others: &[Vec<f64>]) -> Option<Load> {
    if floor.len() < MIN_FLOORS_FOR_LOAD {
        return None;
    }
    let candidates = [
        ("requests per second", at_floors(samples, floor, request_rate)),
        ("connections", at_floors(samples, floor, connections)),
    ];
    candidates
        .into_iter()
        .filter_map(|(measure, load)| follow(floor, &load?, measure, others))
        .min_by(|a, b| a.squares.total_cmp(&b.squares))
}

/// Requests served until each floor point; `None` where they are not known throughout.
pub(crate) fn served(samples: &[Sample], floor: &[Point]) -> Option<Vec<f64>> {
    let known = samples.iter().filter(|s| s.requests.is_some()).count();
    if known * 10 < samples.len() * 9 {
        return None;
    }
    let (mut total, mut at) = (0.0, 0);
    let mut served = Vec::with_capacity(floor.len());
    for point in floor {
        while let Some(sample) = samples.get(at).filter(|s| s.elapsed_seconds <= point.t) {
            total += sample.requests.unwrap_or(0) as f64;
            at += 1;
        }
        served.push(total);
    }
    Some(served)
}

/// By which share of its middle the load rose over the floor's span, and what was measured; `None`
/// where it is unknown or did not rise with time. Asked of few floors too, where [`explain`] cannot
/// separate load from time; there any large swing counts as a rise.
pub(crate) fn ramp(samples: &[Sample], floor: &[Point]) -> Option<(f64, &'static str)> {
    let span = floor.last()?.t - floor.first()?.t;
    let candidates = [
        ("requests per second", at_floors(samples, floor, request_rate)),
        ("connections", at_floors(samples, floor, connections)),
    ];
    let rise = |load: Vec<f64>| -> Option<f64> {
        if floor.len() < MIN_FLOORS_FOR_LOAD {
            // Too few to tell a rise from a swing: a swing is as bad, memory lags behind it.
            let low = load.iter().copied().fold(f64::INFINITY, f64::min);
            let high = load.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let share = (high - low) / low;
            return (share >= LOAD_SWING).then_some(share);
        }
        let times: Vec<f64> = floor.iter().map(|p| p.t).collect();
        let points: Vec<Point> =
            floor.iter().zip(&load).map(|(p, &v)| Point { t: p.t, v }).collect();
        let share = slope(&points)? * span / median(&mut load.clone())?;
        let rises = spearman(&load, &times)? >= LOAD_CORRELATION && share >= LOAD_VARIATION;
        rises.then_some(share)
    };
    candidates
        .into_iter()
        .filter_map(|(measure, load)| Some((rise(load?)?, measure)))
        .max_by(|a, b| a.0.total_cmp(&b.0))
}

fn follow(
    floor: &[Point],
    load: &[f64],
    measure: &'static str,
    others: &[Vec<f64>],
) -> Option<Load> {
    let mut sorted = load.to_vec();
    let middle = median(&mut sorted)?;
    let spread = quantile(&mut sorted, 0.9)? - quantile(&mut sorted, 0.1)?;
    if middle <= 0.0 || spread < LOAD_VARIATION * middle {
        return None;
    }
    let values: Vec<f64> = floor.iter().map(|p| p.v).collect();
    let times: Vec<f64> = floor.iter().map(|p| p.t - floor[0].t).collect();
    let column: Vec<f64> = load.iter().map(|l| l / middle - 1.0).collect();
    let mut base = Basis::default();
    base.push(&vec![1.0; floor.len()]);
    for other in others {
        base.push(other);
    }
    let alone = regress(&base, &column, &values)?;
    base.push(&times);
    // Beside time, unless the two are one.
    let beside = regress(&base, &column, &values).unwrap_or(alone);
    if beside.each + 2.0 * beside.error <= 0.0 || alone.each + 2.0 * alone.error <= 0.0 {
        return None;
    }
    let level = median(&mut values.clone())?.abs();
    let most = BEYOND_LOAD * level;
    let capped = alone.each > most;
    let each = if capped { most.min(beside.each.max(0.0)) } else { beside.each.max(0.0) };
    let rest =
        floor.iter().zip(&column).map(|(p, c)| Point { t: p.t, v: p.v - each * c }).collect();
    let by_time: Vec<Point> = times.iter().zip(&column).map(|(&t, &v)| Point { t, v }).collect();
    let rise = (slope(&by_time)? * times.last()?).max(0.0);
    let from =
        values[..values.len().div_ceil(5)].iter().sum::<f64>() / values.len().div_ceil(5) as f64;
    // A load that hardly does anything but rise says little about its coefficient, and noise in it
    // draws that to nothing: then only the proportion bounds it.
    let swing = (base_swing(&base, &column) / floor.len() as f64).sqrt();
    let known = if swing >= LOAD_SWING_BESIDE * rise {
        3.0 * (beside.each + 2.0 * beside.error) * rise
    } else {
        f64::INFINITY
    };
    let could = known.min(from.abs() * rise).max(0.0);
    let n = floor.len() as f64;
    let explains = |part: &Regression| n * (part.before / part.after).ln() - n.ln() > LOAD_BIC;
    Some(Load {
        correlation: spearman(&values, load)?,
        matters: !capped
            && ((explains(&beside) && beside.each > 0.0) || (explains(&alone) && alone.each > 0.0)),
        with_time: spearman(load, &times).is_some_and(|r| r.abs() >= LOAD_CORRELATION),
        takes: each * rise,
        could,
        squares: beside.after,
        column: (!capped).then_some(column),
        rest,
        measure,
    })
}

/// Squares of what of a column level, time and rhythm do not explain.
fn base_swing(base: &Basis, column: &[f64]) -> f64 {
    let rest = base.rest(column);
    dot(&rest, &rest)
}

#[derive(Clone, Copy)]
struct Regression {
    each: f64,
    error: f64,
    /// Squares without and with the column.
    before: f64,
    after: f64,
}

fn regress(base: &Basis, column: &[f64], values: &[f64]) -> Option<Regression> {
    let (column, whole) = (base.rest(column), dot(column, column));
    let values = base.rest(values);
    let squares = dot(&column, &column);
    if squares <= 1e-6 * whole {
        return None;
    }
    let each = dot(&column, &values) / squares;
    let before = dot(&values, &values).max(f64::MIN_POSITIVE);
    let after = (before - each * each * squares).max(1e-9 * before);
    let free = (values.len() as f64 - base.rank() as f64 - 1.0).max(1.0);
    Some(Regression { each, error: (after / free / squares).sqrt(), before, after })
}

/// The load in the stretch that ends with each floor point; `None` if unknown for any of them.
fn at_floors(
    samples: &[Sample],
    floor: &[Point],
    measure: impl Fn(&[Sample]) -> Option<f64>,
) -> Option<Vec<f64>> {
    let mut from = 0;
    let mut loads = Vec::with_capacity(floor.len());
    for point in floor {
        let to = samples.partition_point(|s| s.elapsed_seconds <= point.t);
        // Neighbouring floors may lie in neighbouring samples: look at a few at least.
        let start = from.min(to.saturating_sub(4));
        loads.push(measure(&samples[start..to])?);
        from = to;
    }
    Some(loads)
}

fn request_rate(samples: &[Sample]) -> Option<f64> {
    let mut requests = 0.0;
    let mut seconds = 0.0;
    for pair in samples.windows(2) {
        if let Some(count) = pair[1].requests {
            requests += count as f64;
            seconds += pair[1].elapsed_seconds - pair[0].elapsed_seconds;
        }
    }
    (seconds > 0.0).then(|| requests / seconds)
}

fn connections(samples: &[Sample]) -> Option<f64> {
    let mut open: Vec<f64> =
        samples.iter().filter_map(|s| s.connections.map(|c| c as f64)).collect();
    median(&mut open)
}
