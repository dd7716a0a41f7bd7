//! Does the load explain the floor?
//!
//! The floor is compared with the request rate and with the number of connections at the same time
//! (Spearman, so any monotone relation counts). If one goes along with it, its share is taken off
//! by a Theil–Sen fit of floor on load, and the rest is judged as a trend. A leak per request does
//! not hide behind this: it makes the floor follow the *sum* of the requests, not their rate.
//!
//! Where the load itself only rises, load and time cannot be told apart; that is said, not guessed.

use crate::robust::{Point, median, quantile, slope, spearman};
use crate::sample::Sample;
use crate::thresholds::{LOAD_CORRELATION, LOAD_SWING, LOAD_VARIATION, MIN_FLOORS_FOR_LOAD};

/// What the load has to do with the floor.
pub(crate) struct Explained {
    /// The floor with the load's share taken off.
    pub(crate) rest: Vec<Point>,
    /// Spearman correlation of floor and load.
    pub(crate) correlation: f64,
    /// `requests per second` or `connections`.
    pub(crate) measure: &'static str,
    /// The load rises (or falls) with time so steadily that the two cannot be separated.
    pub(crate) with_time: bool,
}

/// The load's share of `floor`, if the load varies and the floor follows it.
pub(crate) fn explain(samples: &[Sample], floor: &[Point]) -> Option<Explained> {
    if floor.len() < MIN_FLOORS_FOR_LOAD {
        return None;
    }
    let candidates = [
        ("requests per second", at_floors(samples, floor, request_rate)),
        ("connections", at_floors(samples, floor, connections)),
    ];
    candidates
        .into_iter()
        .filter_map(|(measure, load)| follow(floor, &load?, measure))
        .max_by(|a, b| a.correlation.total_cmp(&b.correlation))
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

fn follow(floor: &[Point], load: &[f64], measure: &'static str) -> Option<Explained> {
    let mut sorted = load.to_vec();
    let middle = median(&mut sorted)?;
    let spread = quantile(&mut sorted, 0.75)? - quantile(&mut sorted, 0.25)?;
    if middle <= 0.0 || spread < LOAD_VARIATION * middle {
        return None;
    }
    let values: Vec<f64> = floor.iter().map(|p| p.v).collect();
    let times: Vec<f64> = floor.iter().map(|p| p.t).collect();
    let correlation = spearman(&values, load)?;
    if correlation < LOAD_CORRELATION {
        return None;
    }
    let mut by_load: Vec<Point> = load.iter().zip(&values).map(|(&t, &v)| Point { t, v }).collect();
    by_load.sort_by(|a, b| a.t.total_cmp(&b.t));
    let each = slope(&by_load)?;
    let rest = floor
        .iter()
        .zip(load)
        .map(|(p, l)| Point { t: p.t, v: p.v - each * (l - middle) })
        .collect();
    let with_time = spearman(load, &times).is_some_and(|r| r.abs() >= LOAD_CORRELATION);
    Some(Explained { rest, correlation, measure, with_time })
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
