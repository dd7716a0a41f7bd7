//! A daily rhythm, taken out where two days show it.
//!
//! Sine and cosine of a day and of half a day are fitted beside a line, and accepted if the Bayesian
//! information criterion prefers them strongly. From then on they are columns like the load's: each
//! shape is weighed beside them. Harmonics, not a profile per hour: at 60 floors a profile would cost
//! a third of the data. Precog switches its detection off where it sees a daily rhythm; a slow leak
//! is visible in nothing but such series.

use crate::gls::{Basis, dot};
use crate::robust::Point;
use crate::thresholds::{SEASON_BIC, SEASON_DAYS};

const DAY: f64 = 86_400.0;

/// The columns of the rhythm; empty where there is none, or too few days to know.
pub(crate) fn columns(points: &[Point]) -> Vec<Vec<f64>> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    let days = (last.t - first.t) / DAY;
    let per_day = points.len() as f64 / days;
    if days < SEASON_DAYS || per_day < 4.0 || points.len() < 16 {
        return Vec::new();
    }
    let wave = |times: f64, f: fn(f64) -> f64| {
        let angle = |p: &Point| std::f64::consts::TAU * times * (p.t - first.t) / DAY;
        points.iter().map(|p| f(angle(p))).collect::<Vec<f64>>()
    };
    let mut waves = vec![wave(1.0, f64::sin), wave(1.0, f64::cos)];
    if per_day >= 8.0 {
        waves.extend([wave(2.0, f64::sin), wave(2.0, f64::cos)]);
    }
    let mut basis = Basis::default();
    basis.push(&vec![1.0; points.len()]);
    basis.push(&points.iter().map(|p| (p.t - first.t) / DAY).collect::<Vec<f64>>());
    let values: Vec<f64> = points.iter().map(|p| p.v - first.v).collect();
    let before = basis.rest(&values);
    for column in &waves {
        basis.push(column);
    }
    let after = basis.rest(&values);
    let n = points.len() as f64;
    let least = f64::MIN_POSITIVE;
    let gain = n * (dot(&before, &before).max(least) / dot(&after, &after).max(least)).ln();
    if gain - waves.len() as f64 * n.ln() > SEASON_BIC { waves } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(days: f64, value: impl Fn(f64) -> f64) -> Vec<Point> {
        (0..60)
            .map(|i| days / 60.0 * f64::from(i))
            .map(|d| Point { t: d * DAY, v: value(d) })
            .collect()
    }

    #[test]
    fn three_days_show_a_rhythm_and_one_does_not() {
        let wave = |day: f64| 100.0 + 5.0 * day + 10.0 * (day * std::f64::consts::TAU).sin();
        assert_eq!(columns(&points(3.0, wave)).len(), 4);
        assert!(columns(&points(1.0, wave)).is_empty());
        assert!(columns(&points(3.0, |day| 100.0 + 5.0 * day)).is_empty());
    }
}
