//! Robust line fitting: the Theil–Sen slope and an interval that stays honest when neighbouring
//! points are alike.
//!
//! Theil–Sen (Sen 1968) is the median of the slopes of all pairs: up to 29 % of the points may be
//! wild (a floor that caught no collection, a spike). Its textbook interval assumes independent points;
//! memory is not, and a plain interval then "finds" trends everywhere (Mann–Kendall's known false
//! alarms on software-aging data: Machida et al. 2013). So the interval's width is that of generalised
//! least squares on the residuals, freaks drawn in, with the noise's memory integrated out (`gls`).
//!
//! With fewer than 12 points the memory is hardly known: there the interval is Student's t on the
//! residuals.
//!
//! Cost: O(n²) time and memory for n ≤ 60 floors; callers reduce to floors first.

use crate::gls;
use crate::thresholds::{MAX_AUTOCORRELATION, MIN_FLOORS_FOR_MEMORY};
use crate::verdict::Interval;

/// A point of a floor: seconds, and bytes (or any other measure).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) t: f64,
    pub(crate) v: f64,
}

/// A robust line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// Slope per second.
    pub(crate) slope: Interval,
    /// Value at t = 0.
    pub(crate) intercept: f64,
    /// Lag-1 autocorrelation of the residuals, bias-corrected, 0 where too few points.
    pub(crate) autocorrelation: f64,
}

impl Line {
    /// Where nothing can be fitted.
    pub(crate) const FLAT: Self = Self {
        slope: Interval { estimate: 0.0, low: None, high: None },
        intercept: 0.0,
        autocorrelation: 0.0,
    };

    pub(crate) fn at(&self, t: f64) -> f64 {
        self.intercept + self.slope.estimate * t
    }
}

/// The median; `None` for nothing. NaN sorts last.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The `q`-quantile by linear interpolation; `None` for nothing. Leaves the values in another order.
pub(crate) fn quantile(values: &mut [f64], q: f64) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let position = q.clamp(0.0, 1.0) * (values.len() - 1) as f64;
    let (low, part) = (position.floor() as usize, position.fract());
    // Selection, not sorting: medians of 1,770 pair slopes are most of the work there is.
    let (_, &mut at, above) = values.select_nth_unstable_by(low, f64::total_cmp);
    let next = above.iter().copied().min_by(f64::total_cmp).unwrap_or(at);
    Some(if part > 0.0 { at + (next - at) * part } else { at })
}

fn pair_slopes(points: &[Point]) -> Vec<f64> {
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (i, a) in points.iter().enumerate() {
        for b in &points[i + 1..] {
            if b.t > a.t {
                slopes.push((b.v - a.v) / (b.t - a.t));
            }
        }
    }
    slopes
}

/// The Theil–Sen slope alone; `None` for fewer than two distinct times.
pub(crate) fn slope(points: &[Point]) -> Option<f64> {
    median(&mut pair_slopes(points))
}

/// The robust line through `points` (ordered by time); `None` for fewer than two distinct times.
pub(crate) fn line(points: &[Point]) -> Option<Line> {
    line_beside(points, &[])
}

/// The robust line through `points` from which columns such as the load have been taken off: the
/// interval pays for what the columns share with time. `None` for fewer than two distinct times, and
/// where the columns explain time itself.
pub(crate) fn line_beside(points: &[Point], columns: &[Vec<f64>]) -> Option<Line> {
    let mut slopes = pair_slopes(points);
    let estimate = median(&mut slopes)?;
    let mut offsets: Vec<f64> = points.iter().map(|p| p.v - estimate * p.t).collect();
    let intercept = median(&mut offsets)?;
    let mut residuals: Vec<f64> = points.iter().map(|p| p.v - intercept - estimate * p.t).collect();
    if points.len() < MIN_FLOORS_FOR_MEMORY {
        let slope = student(points, &residuals, estimate);
        return Some(Line { slope, intercept, autocorrelation: 0.0 });
    }
    let rho = autocorrelation(&residuals);
    let first = points[0].t;
    let span = points[points.len() - 1].t - first;
    draw_in(&mut residuals);
    let times: Vec<f64> = points.iter().map(|p| (p.t - first) / span).collect();
    let (off, half) = gls::slope(&times, &residuals, columns)?;
    // Theil and Sen's slope stands; least squares of what it leaves says how sure it is, and is off
    // it by what the freaks would have cost or by what the columns share with time.
    let centre = if columns.is_empty() { 0.0 } else { off };
    let slope = Interval {
        estimate: estimate + centre / span,
        low: Some(estimate + (centre - half) / span),
        high: Some(estimate + (centre + half) / span),
    };
    Some(Line { slope, intercept, autocorrelation: rho })
}

/// Residuals beyond 3.5 usual deviations are drawn in to there.
fn draw_in(residuals: &mut [f64]) {
    let mut sizes: Vec<f64> = residuals.iter().map(|r| r.abs()).collect();
    let usual = 1.4826 * median(&mut sizes).unwrap_or(0.0);
    if usual > 0.0 {
        for r in residuals {
            *r = r.clamp(-3.5 * usual, 3.5 * usual);
        }
    }
}

/// By how much AR(1) noise inflates the variance of a trend statistic.
pub(crate) fn inflation(rho: f64) -> f64 {
    (1.0 + rho) / (1.0 - rho)
}

/// Lag-1 autocorrelation of the residuals of a line, corrected for bias and clamped to [0, cap].
/// Removing mean and slope biases it by about −(2 + 4ρ)/n (Kendall 1954 and Marriott and Pope 1954
/// for the mean; twice that for the line). Negative values would narrow the interval: not taken.
fn autocorrelation(residuals: &[f64]) -> f64 {
    let n = residuals.len() as f64;
    ((raw_autocorrelation(residuals) * n + 2.0) / (n - 4.0)).clamp(0.0, MAX_AUTOCORRELATION)
}

fn raw_autocorrelation(residuals: &[f64]) -> f64 {
    let mean = residuals.iter().sum::<f64>() / residuals.len() as f64;
    let variance: f64 = residuals.iter().map(|r| (r - mean).powi(2)).sum();
    if variance <= 0.0 {
        return 0.0;
    }
    let covariance: f64 = residuals.windows(2).map(|w| (w[0] - mean) * (w[1] - mean)).sum();
    covariance / variance
}

/// Two-sided 95 % quantiles of Student's t for 1…13 degrees of freedom.
const STUDENT: [f64; 13] =
    [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160];

/// From this many points on the autocorrelation widens Student's interval too; below, its estimate
/// is mostly noise and t itself is wide.
const MIN_FOR_STUDENT_AUTOCORRELATION: usize = 8;

/// And by no more than this: with so few points the bias correction alone can reach 1.
const MAX_STUDENT_AUTOCORRELATION: f64 = 0.7;

fn student(points: &[Point], residuals: &[f64], estimate: f64) -> Interval {
    let n = points.len();
    let Some(t) = n.checked_sub(3).and_then(|i| STUDENT.get(i)) else {
        return Interval::unknown(estimate);
    };
    let mean_t = points.iter().map(|p| p.t).sum::<f64>() / n as f64;
    let spread: f64 = points.iter().map(|p| (p.t - mean_t).powi(2)).sum();
    let squares: f64 = residuals.iter().map(|r| r * r).sum();
    let rho = if n < MIN_FOR_STUDENT_AUTOCORRELATION { 0.0 } else { autocorrelation(residuals) };
    let loss = inflation(rho.min(MAX_STUDENT_AUTOCORRELATION));
    let error = (squares / (n as f64 - 2.0) / spread * loss).sqrt();
    if !error.is_finite() {
        return Interval::unknown(estimate);
    }
    Interval { estimate, low: Some(estimate - t * error), high: Some(estimate + t * error) }
}

/// Spearman's rank correlation; `None` where one side does not vary.
pub(crate) fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(a), ranks(b));
    let n = a.len().min(b.len()) as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(&b) {
        ab += (x - mean_a) * (y - mean_b);
        aa += (x - mean_a).powi(2);
        bb += (y - mean_b).powi(2);
    }
    (aa > 0.0 && bb > 0.0).then(|| ab / (aa * bb).sqrt())
}

/// Ranks from 0, ties sharing their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let mut end = start;
        while end + 1 < order.len()
            && values[order[end + 1]].total_cmp(&values[order[start]]).is_eq()
        {
            end += 1;
        }
        for &i in &order[start..=end] {
            ranks[i] = (start + end) as f64 / 2.0;
        }
        start = end + 1;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[f64]) -> Vec<Point> {
        values.iter().enumerate().map(|(i, &v)| Point { t: i as f64, v }).collect()
    }

    #[test]
    fn a_line_without_noise_is_exact() {
        let exact = points(&(0..20).map(|i| 1.0 + 2.0 * f64::from(i)).collect::<Vec<_>>());
        let line = line(&exact).unwrap();
        assert_eq!(line.slope, Interval { estimate: 2.0, low: Some(2.0), high: Some(2.0) });
        assert!((line.intercept - 1.0).abs() < 1e-12);
    }

    #[test]
    fn outliers_do_not_move_the_slope() {
        let mut values: Vec<f64> = (0..20).map(|i| f64::from(i) * 3.0).collect();
        values[4] = 1e9;
        values[11] = -1e9;
        values[17] = 5e8;
        let slope = slope(&points(&values)).unwrap();
        assert!((slope - 3.0).abs() < 1e-9, "{slope}");
    }

    /// Reference: least squares on (0,1) (1,3) (2,4): slope 1.5, residual sum 1/6, standard error
    /// √(1/6 / 2) = 0.2887; t(1) = 12.706. Theil–Sen's residuals differ from least squares' by the
    /// median offset: here (0, 0.5, 0) against (−1/6, 1/3, −1/6).
    #[test]
    fn three_points_pay_by_student() {
        let line = line(&points(&[1.0, 3.0, 4.0])).unwrap();
        let half = 12.706 * (0.25f64 / 2.0).sqrt();
        assert!((line.slope.estimate - 1.5).abs() < 1e-12);
        assert!((line.slope.low.unwrap() - (1.5 - half)).abs() < 1e-9);
        assert!((line.slope.high.unwrap() - (1.5 + half)).abs() < 1e-9);
    }

    #[test]
    fn two_points_have_no_interval_and_one_no_line() {
        let two = line(&points(&[1.0, 2.0])).unwrap();
        assert_eq!((two.slope.low, two.slope.high), (None, None));
        assert!(line(&points(&[1.0])).is_none());
        assert!(line(&[Point { t: 1.0, v: 1.0 }, Point { t: 1.0, v: 2.0 }]).is_none());
    }

    #[test]
    fn spearman_by_hand() {
        // d² = 0, 1, 1, 0: 1 − 6·2/(4·15) = 0.8.
        let rho = spearman(&[1.0, 2.0, 3.0, 4.0], &[10.0, 30.0, 20.0, 40.0]).unwrap();
        assert!((rho - 0.8).abs() < 1e-12);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
    }

    #[test]
    fn quantiles_interpolate() {
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&mut values, 0.5), Some(2.5));
        assert_eq!(quantile(&mut values, 0.0), Some(1.0));
        assert_eq!(quantile(&mut values, 1.0), Some(4.0));
        assert_eq!(quantile(&mut [], 0.5), None);
    }
}
