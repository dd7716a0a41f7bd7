//! The stretches of a floor, and the measures of one stretch.

use crate::robust::{self, Point};
use crate::sample::Sample;
use crate::text::HOUR;
use crate::verdict::{Segment, Verdict};

/// The stretches of a floor between cuts.
pub(crate) fn segments(points: &[Point], cuts: &[usize], verdict: Verdict) -> Vec<Segment> {
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
                slope_bytes_per_hour: slope.map(|s| s.estimate * HOUR),
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

/// Seconds from the first to the last point.
pub(crate) fn span(points: &[Point]) -> f64 {
    match (points.first(), points.last()) {
        (Some(a), Some(b)) => b.t - a.t,
        _ => 0.0,
    }
}

/// The middle of the values.
pub(crate) fn level(points: &[Point]) -> f64 {
    robust::median(&mut points.iter().map(|p| p.v).collect::<Vec<_>>()).unwrap_or(0.0)
}

/// From the lowest to the highest value.
pub(crate) fn range(points: &[Point]) -> f64 {
    let low = points.iter().map(|p| p.v).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|p| p.v).fold(f64::NEG_INFINITY, f64::max);
    if high > low { high - low } else { 0.0 }
}
