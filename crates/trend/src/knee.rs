//! Where warm-up ends: the knee of a floor that first rises fast and then slower.
//!
//! A continuous broken line (one hinge) is fitted by least squares for every possible knee, and
//! the best is accepted if the Bayesian information criterion, at the effective number of points,
//! prefers it strongly and the slope behind it is clearly lower. The part behind it is searched
//! again: warm-up has stages. Change-point search by dynamic programming (PELT) would find steps,
//! not the knees that filling caches make.
//!
//! Cost: O(n) per cut, n ≤ 60, and one robust line.

use crate::robust::{Point, inflation, line};
use crate::thresholds::{
    KNEE_BIC, KNEE_SLOWDOWN, MAX_KNEES, MIN_FLOORS_AFTER_KNEE, MIN_TAIL_SHARE,
};

/// Indices into `floors` where a faster stretch ends, in order; empty if there is no warm-up.
pub(crate) fn knees(floors: &[Point]) -> Vec<usize> {
    let mut cuts = Vec::new();
    let mut start = 0;
    while cuts.len() < MAX_KNEES {
        let Some(knee) = knee(&floors[start..]) else { break };
        start += knee;
        cuts.push(start);
    }
    // What remains must be able to speak for the process: a cut too late is kept as a sign that
    // growth slowed, but the caller sees by the tail's span that it cannot judge it.
    cuts
}

/// Whether the tail behind `start` is long enough to judge.
pub(crate) fn tail_carries(floors: &[Point], start: usize) -> bool {
    let span = |points: &[Point]| match (points.first(), points.last()) {
        (Some(a), Some(b)) => b.t - a.t,
        _ => 0.0,
    };
    span(&floors[start..]) >= MIN_TAIL_SHARE * span(floors)
}

fn knee(points: &[Point]) -> Option<usize> {
    let n = points.len();
    if n < MIN_FLOORS_AFTER_KNEE + 3 {
        return None;
    }
    let scaled = scale(points)?;
    let (straight, hinges) = fits(&scaled)?;
    let best = (1..=n - MIN_FLOORS_AFTER_KNEE)
        .filter_map(|k| Some((k, hinges[k]?)))
        .min_by(|a, b| a.1.squares.total_cmp(&b.1.squares));
    let (k, hinge) = best?;
    let (before, after) = (hinge.slope, hinge.slope + hinge.bend);
    if before <= 0.0 || after > KNEE_SLOWDOWN * before {
        return None;
    }
    // Residuals of the tail carry the noise's memory; those of the whole would carry the knee's.
    let rho = line(&points[k..]).map_or(0.0, |l| l.autocorrelation);
    let effective = n as f64 / inflation(rho);
    // A perfect fit would make the ratio infinite; a thousandth of the range is no noise.
    let least = 1e-6 * n as f64;
    let gain = effective * (straight.max(least) / hinge.squares.max(least)).ln();
    // Two more parameters: the bend and its place.
    (gain - 2.0 * effective.max(2.0).ln() > KNEE_BIC).then_some(k)
}

/// Time and value to [0, 1], so that the normal equations are well conditioned.
fn scale(points: &[Point]) -> Option<Vec<Point>> {
    let (first, last) = (points.first()?.t, points.last()?.t);
    let low = points.iter().map(|p| p.v).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|p| p.v).fold(f64::NEG_INFINITY, f64::max);
    if last <= first || high <= low {
        return None;
    }
    let unit =
        |p: &Point| Point { t: (p.t - first) / (last - first), v: (p.v - low) / (high - low) };
    Some(points.iter().map(unit).collect())
}

#[derive(Debug, Clone, Copy)]
struct Fit {
    slope: f64,
    bend: f64,
    squares: f64,
}

/// Squares that a straight line leaves, and least squares of v = a + slope·t + bend·max(0, t − knee)
/// for a knee at each point. Sums over the points behind a knee are kept while it walks from the end,
/// so all fits together are O(n).
fn fits(points: &[Point]) -> Option<(f64, Vec<Option<Fit>>)> {
    let n = points.len() as f64;
    let mean_t = points.iter().map(|p| p.t).sum::<f64>() / n;
    let mean_v = points.iter().map(|p| p.v).sum::<f64>() / n;
    let (mut tt, mut tv, mut vv) = (0.0, 0.0, 0.0);
    for p in points {
        let (t, v) = (p.t - mean_t, p.v - mean_v);
        tt += t * t;
        tv += t * v;
        vv += v * v;
    }
    if tt <= 0.0 {
        return None;
    }
    let mut hinges = vec![None; points.len()];
    // Count, times, their squares, values and products behind the knee, about the means.
    let (mut count, mut t1, mut t2, mut v1, mut tv1) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (k, p) in points.iter().enumerate().rev() {
        let at = p.t - mean_t;
        let sum = t1 - count * at;
        let th = t2 - at * t1;
        let hh = t2 - 2.0 * at * t1 + count * at * at - sum * sum / n;
        let hv = tv1 - at * v1;
        let determinant = tt * hh - th * th;
        if determinant > 1e-12 {
            let slope = (tv * hh - hv * th) / determinant;
            let bend = (hv * tt - tv * th) / determinant;
            let squares = (vv - slope * tv - bend * hv).max(0.0);
            hinges[k] = Some(Fit { slope, bend, squares });
        }
        let v = p.v - mean_v;
        count += 1.0;
        t1 += at;
        t2 += at * at;
        v1 += v;
        tv1 += at * v;
    }
    Some(((vv - tv * tv / tt).max(0.0), hinges))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor(n: usize, value: impl Fn(f64) -> f64) -> Vec<Point> {
        (0..n).map(|i| Point { t: i as f64 * 10.0, v: value(i as f64) }).collect()
    }

    #[test]
    fn a_straight_line_has_no_knee() {
        assert!(knees(&floor(40, |i| 100.0 + 3.0 * i)).is_empty());
        assert!(knees(&floor(40, |_| 100.0)).is_empty());
    }

    #[test]
    fn a_filled_cache_is_cut_where_it_is_full() {
        let cuts = knees(&floor(40, |i| 100.0 + 5.0 * i.min(12.0)));
        assert_eq!(cuts, [12]);
    }

    #[test]
    fn acceleration_is_no_warm_up() {
        assert!(knees(&floor(40, |i| 100.0 + (i - 20.0).max(0.0))).is_empty());
    }

    #[test]
    fn a_leak_behind_a_warm_up_keeps_its_tail() {
        let floors = floor(40, |i| 100.0 + 20.0 * i.min(6.0) + i);
        let cuts = knees(&floors);
        assert_eq!(cuts, [6]);
        assert!(tail_carries(&floors, 6));
        assert!(!tail_carries(&floors, 35));
    }
}
