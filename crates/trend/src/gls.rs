//! Least squares for noise that remembers: first-order autoregressive, whitened.
//!
//! A column of values is whitened by taking from each value ρ times the one before (Prais and
//! Winsten 1954, the first value kept and scaled); ordinary least squares on whitened columns is
//! then generalised least squares on the plain ones. Columns are made orthogonal to a base (level,
//! load, daily rhythm) once, so that hundreds of candidate shapes cost a few dot products each
//! (Frisch and Waugh 1933). Modified Gram–Schmidt keeps it stable without a matrix library.
//!
//! Cost: O(n) per column and base column, n ≤ 60.

/// Columns made orthonormal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Basis {
    columns: Vec<Vec<f64>>,
    /// Logarithm of the determinant of the columns' Gram matrix.
    pub(crate) log_determinant: f64,
}

impl Basis {
    /// Takes a column in, unless the others already span it.
    pub(crate) fn push(&mut self, column: &[f64]) -> bool {
        let whole = dot(column, column);
        let rest = self.rest(column);
        let left = dot(&rest, &rest);
        if left <= 1e-9 * whole || left <= 0.0 {
            return false;
        }
        let scale = 1.0 / left.sqrt();
        self.columns.push(rest.into_iter().map(|v| v * scale).collect());
        self.log_determinant += left.ln();
        true
    }

    /// What of a column the base does not span.
    pub(crate) fn rest(&self, column: &[f64]) -> Vec<f64> {
        let mut rest = column.to_vec();
        for base in &self.columns {
            let along = dot(base, &rest);
            for (r, b) in rest.iter_mut().zip(base) {
                *r -= along * b;
            }
        }
        rest
    }

    /// How many columns it spans.
    pub(crate) fn rank(&self) -> usize {
        self.columns.len()
    }
}

/// The inner product, in four sums that the processor can run side by side.
#[inline]
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a4.remainder().iter().zip(b4.remainder()).map(|(x, y)| x * y).sum();
    let mut sums = [0.0; 4];
    for (x, y) in a4.zip(b4) {
        for i in 0..4 {
            sums[i] += x[i] * y[i];
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// A column whose AR(1) noise of memory `rho` is made independent.
pub(crate) fn whiten(column: &[f64], rho: f64) -> Vec<f64> {
    let first = column.first().map(|v| v * (1.0 - rho * rho).sqrt());
    first.into_iter().chain(column.windows(2).map(|w| w[1] - rho * w[0])).collect()
}

/// The memory ρ of what a fit left over. Taking out `fitted` parameters biases the lag-1
/// autocorrelation by about −(fitted + 3ρ)/n (Kendall 1954; Marriott and Pope 1954), which is put
/// back. Negative values would make the data look richer than they are: not taken.
pub(crate) fn memory(residuals: &[f64], fitted: usize, most: f64) -> f64 {
    let n = residuals.len() as f64;
    let squares = dot(residuals, residuals);
    if squares <= 0.0 || n < fitted as f64 + 5.0 {
        return 0.0;
    }
    let raw = residuals.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / squares;
    let fitted = (fitted as f64).min(4.0);
    ((raw * n + fitted - 1.0) / (n - 3.0 - 1.0)).clamp(0.0, most)
}

/// The slope of a line beside other columns, and the half-width of its 95 % interval, with the noise's
/// memory integrated out: every ρ counts by how well it explains the data (its marginal likelihood
/// under flat priors on the coefficients and 1/σ on the scale), so the interval pays for not knowing
/// ρ. `None` for too few points, or where time lies in the span of the other columns.
pub(crate) fn slope(times: &[f64], values: &[f64], others: &[Vec<f64>]) -> Option<(f64, f64)> {
    /// Steps of ρ. Beyond the last a line cannot be told from a walk in 60 points.
    const GRID: [f64; 12] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.88, 0.94, 0.98];
    let n = times.len();
    let ones = vec![1.0; n];
    let mut parts: Vec<(f64, f64, f64)> = Vec::with_capacity(GRID.len());
    for (i, rho) in GRID.into_iter().enumerate() {
        let mut base = Basis::default();
        base.push(&whiten(&ones, rho));
        for other in others {
            base.push(&whiten(other, rho));
        }
        let time = base.rest(&whiten(times, rho));
        let value = base.rest(&whiten(values, rho));
        let spread = dot(&time, &time);
        let scale = dot(times, times);
        let free = n.checked_sub(base.rank() + 1).filter(|f| *f >= 3)? as f64;
        if spread <= 1e-12 * scale {
            return None;
        }
        let estimate = dot(&time, &value) / spread;
        let squares = (dot(&value, &value) - estimate * estimate * spread).max(0.0);
        let error = (squares / free / spread).sqrt();
        // The cells of the grid are unequal: each weighs by its width.
        let before = if i == 0 { 0.0 } else { f64::midpoint(GRID[i - 1], rho) };
        let after = GRID.get(i + 1).map_or(1.0, |next| f64::midpoint(rho, *next));
        let weight = (after - before).ln() + 0.5 * (1.0 - rho * rho).ln()
            - 0.5 * (base.log_determinant + spread.ln())
            - 0.5 * free * squares.max(f64::MIN_POSITIVE).ln();
        parts.push((weight, estimate, error * student(free) / super::thresholds::Z95));
    }
    let most = parts.iter().map(|p| p.0).fold(f64::NEG_INFINITY, f64::max);
    let mut total = 0.0;
    for part in &mut parts {
        part.0 = (part.0 - most).exp();
        total += part.0;
    }
    let centre = parts.iter().map(|p| p.0 * p.1).sum::<f64>() / total;
    Some((centre, reach(&parts, centre, total)))
}

/// Half-width around `centre` that holds 95 % of a mixture of normals (weight, mean, deviation).
fn reach(parts: &[(f64, f64, f64)], centre: f64, total: f64) -> f64 {
    let inside = |half: f64| {
        parts
            .iter()
            .map(|(weight, mean, deviation)| {
                let at = |edge: f64| {
                    if *deviation > 0.0 {
                        normal((edge - mean) / deviation)
                    } else {
                        f64::from(u8::from(edge >= *mean))
                    }
                };
                weight * (at(centre + half) - at(centre - half))
            })
            .sum::<f64>()
            / total
    };
    let mut high = parts.iter().map(|p| (p.1 - centre).abs() + 4.0 * p.2).fold(0.0, f64::max);
    let mut low = 0.0;
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if inside(middle) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Two-sided 95 % quantile of Student's t, by Cornish and Fisher's expansion (good to 1 % from three
/// degrees of freedom on).
fn student(free: f64) -> f64 {
    let z = super::thresholds::Z95;
    z + (z.powi(3) + z) / (4.0 * free)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * free * free)
        + (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z)
            / (384.0 * free.powi(3))
}

/// The standard normal distribution function (Abramowitz and Stegun 1964, 26.2.17; error < 1e-7).
fn normal(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let density = (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    let series = t
        * (0.319_381_53
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let upper = density * series;
    if x >= 0.0 { 1.0 - upper } else { upper }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference: t tables (e.g. Abramowitz and Stegun, table 26.10) and the normal's.
    #[test]
    fn tables() {
        for (free, expected) in [(4.0, 2.776), (10.0, 2.228), (30.0, 2.042)] {
            assert!((student(free) / expected - 1.0).abs() < 0.01, "{free}: {}", student(free));
        }
        for (x, expected) in [(0.0, 0.5), (1.0, 0.841_345), (-1.96, 0.024_998), (3.0, 0.998_650)] {
            assert!((normal(x) - expected).abs() < 1e-6, "{x}: {}", normal(x));
        }
    }

    #[test]
    fn a_column_in_the_span_is_not_taken() {
        let mut basis = Basis::default();
        assert!(basis.push(&[1.0, 1.0, 1.0]));
        assert!(basis.push(&[0.0, 1.0, 2.0]));
        assert!(!basis.push(&[3.0, 5.0, 7.0]));
        // |1,1,1|² · |−1,0,1|² = 6, the determinant of [[3, 3], [3, 5]].
        assert!((basis.log_determinant.exp() - 6.0).abs() < 1e-9);
    }

    /// By hand: values 0, 1, 3 leave a line's residuals out; whitening by one half gives
    /// 0·√¾, 1 − 0, 3 − ½.
    #[test]
    fn whitening_by_hand() {
        assert_eq!(whiten(&[0.0, 1.0, 3.0], 0.5), [0.0, 1.0, 2.5]);
    }

    #[test]
    fn time_that_is_the_load_has_no_slope() {
        let times: Vec<f64> = (0..20).map(f64::from).collect();
        let load: Vec<f64> = times.iter().map(|t| 5.0 + 2.0 * t).collect();
        assert!(slope(&times, &times, std::slice::from_ref(&load)).is_none());
        let (estimate, half) = slope(&times, &load, &[]).unwrap();
        assert!((estimate - 2.0).abs() < 1e-9 && half < 1e-6, "{estimate} ± {half}");
    }
}
