//! The rules in use elsewhere, written from their published descriptions, each with a continuous
//! score beside its verdict, so that all can be compared at one rate of false alarms.
//!
//! They see RSS where it is recorded and `heap_used` otherwise, which is what their users feed them;
//! a fall by more than half is a restart to all of them (Coroot's own cut), and the longest run is
//! judged: without that, a restart would hide any leak from them.

use leakline_trend::Series;

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// Least squares rise with R² ≥ 0.8 (Precog's test setting).
    LeastSquares,
    /// `predict_linear(memory[1h], 4h) > limit`, as Prometheus alerts are written.
    PredictLinear,
    /// Mann–Kendall at 5 %, two-sided, rising.
    MannKendall,
    /// Coroot's memory-leak rule.
    Coroot,
}

/// What a rule says of a series.
#[derive(Debug, Clone, Copy)]
pub struct Said {
    /// Whether it would alarm.
    pub alarm: bool,
    /// How strongly; comparable within one rule only.
    pub score: f64,
}

impl Baseline {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::LeastSquares, Self::PredictLinear, Self::MannKendall, Self::Coroot];

    /// As the tables print it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeastSquares => "OLS, R² ≥ 0.8",
            Self::PredictLinear => "predict_linear 4 h",
            Self::MannKendall => "Mann–Kendall 5 %",
            Self::Coroot => "Coroot's rule",
        }
    }

    /// Judges a series.
    pub fn judge(self, series: &Series) -> Said {
        let limit = series.samples.iter().rev().find_map(|s| s.limit).map(|l| l as f64);
        let points = longest_run(series);
        match self {
            Self::LeastSquares => least_squares(&points),
            Self::PredictLinear => predict_linear(&points, limit),
            Self::MannKendall => mann_kendall(&points),
            Self::Coroot => coroot(&points, limit),
        }
    }
}

type Points = Vec<(f64, f64)>;

fn longest_run(series: &Series) -> Points {
    let has_rss = series.samples.iter().any(|s| s.rss.is_some());
    let mut runs: Vec<Points> = vec![Vec::new()];
    let mut last = 0.0;
    for sample in &series.samples {
        let Some(value) = (if has_rss { sample.rss } else { sample.heap_used }) else { continue };
        let value = value as f64;
        if value < 0.5 * last {
            runs.push(Vec::new());
        }
        last = value;
        if let Some(run) = runs.last_mut() {
            run.push((sample.elapsed_seconds, value));
        }
    }
    runs.into_iter().max_by_key(Vec::len).unwrap_or_default()
}

/// Slope, intercept and R² of least squares.
fn fit(points: &[(f64, f64)]) -> Option<(f64, f64, f64)> {
    let n = points.len() as f64;
    let (mt, mv) =
        (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let (mut tt, mut tv, mut vv) = (0.0, 0.0, 0.0);
    for (t, v) in points {
        tt += (t - mt).powi(2);
        tv += (t - mt) * (v - mv);
        vv += (v - mv).powi(2);
    }
    (tt > 0.0 && vv > 0.0).then(|| (tv / tt, mv - tv / tt * mt, tv * tv / (tt * vv)))
}

fn least_squares(points: &[(f64, f64)]) -> Said {
    let Some((slope, _, fit)) = fit(points) else { return Said { alarm: false, score: -1.0 } };
    Said { alarm: slope > 0.0 && fit >= 0.8, score: fit * slope.signum() }
}

fn predict_linear(points: &[(f64, f64)], limit: Option<f64>) -> Said {
    let quiet = Said { alarm: false, score: f64::NEG_INFINITY };
    let Some(&(end, now)) = points.last() else { return quiet };
    let from = points.partition_point(|p| p.0 < end - 3600.0);
    let Some((slope, intercept, _)) = fit(&points[from..]) else { return quiet };
    let predicted = slope * (end + 4.0 * 3600.0) + intercept;
    // Without a limit, twice the level of now stands in for it.
    let limit = limit.unwrap_or(2.0 * now);
    Said { alarm: predicted > limit, score: predicted / limit }
}

fn mann_kendall(points: &[(f64, f64)]) -> Said {
    // All pairs of at most 400 samples, evenly taken.
    let every = points.len().div_ceil(400).max(1);
    let values: Vec<f64> = points.iter().step_by(every).map(|p| p.1).collect();
    let n = values.len() as f64;
    let mut s = 0.0;
    for (i, a) in values.iter().enumerate() {
        s += values[i + 1..]
            .iter()
            .map(|b| f64::from(i8::from(b > a) - i8::from(b < a)))
            .sum::<f64>();
    }
    let variance = n * (n - 1.0) * (2.0 * n + 5.0) / 18.0;
    if variance <= 0.0 {
        return Said { alarm: false, score: 0.0 };
    }
    let z = s / variance.sqrt();
    Said { alarm: z > 1.96, score: z }
}

/// RSS of one container: the longest run must have ten points and a third of the window (the caller
/// cut the runs); the last quarter, 15 minutes at least, must rise at 30 % of the whole's slope; the
/// last hour must have gained 5 % of the limit (50 MiB without one); it fires above 10 % an hour.
fn coroot(points: &[(f64, f64)], limit: Option<f64>) -> Said {
    let quiet = Said { alarm: false, score: 0.0 };
    let (Some(&(start, _)), Some(&(end, _))) = (points.first(), points.last()) else {
        return quiet;
    };
    let Some((slope, intercept, _)) = fit(points).filter(|f| f.0 > 0.0 && points.len() >= 10)
    else {
        return quiet;
    };
    let quarter = ((end - start) / 4.0).max(900.0);
    let late = &points[points.partition_point(|p| p.0 < end - quarter)..];
    let share = fit(late).map_or(0.0, |f| f.0) / slope;
    let per_hour = slope * 3600.0 / (slope * start + intercept).max(1.0);
    let least = limit.map_or(50.0 * 1_048_576.0, |l| 0.05 * l);
    let hour = &points[points.partition_point(|p| p.0 < end - 3600.0)..];
    let gained = hour.last().zip(hour.first()).map_or(0.0, |(b, a)| b.1 - a.1);
    if share < 0.3 {
        return quiet;
    }
    // Beyond the veto the rate is what it fires on; its score is given without the absolute floor,
    // which can only help it at a given rate of false alarms.
    Said { alarm: gained >= least && per_hour > 0.10, score: per_hour }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leakline_trend::Sample;

    fn series(value: impl Fn(f64) -> f64) -> Series {
        let sample = |i: u32| Sample {
            elapsed_seconds: f64::from(i) * 60.0,
            rss: Some(value(f64::from(i) / 60.0) as u64),
            limit: Some(1_000_000_000),
            ..Sample::default()
        };
        Series { name: None, samples: (0..360).map(sample).collect() }
    }

    #[test]
    fn a_steep_line_alarms_all_and_a_level_none() {
        let steep = series(|hour| 2e8 + 1.2e8 * hour);
        let level = series(|hour| 2e8 + 1e6 * (hour * 40.0).sin());
        for rule in Baseline::ALL {
            assert!(rule.judge(&steep).alarm, "{rule:?}");
            assert!(!rule.judge(&level).alarm, "{rule:?}");
        }
    }

    #[test]
    fn coroot_vetoes_a_plateau_and_misses_a_slow_leak() {
        let plateau = series(|hour| 2e8 + 2e8 * (hour / 3.0).min(1.0));
        assert!(!Baseline::Coroot.judge(&plateau).alarm);
        let slow = series(|hour| 2e8 + 5e6 * hour);
        assert!(!Baseline::Coroot.judge(&slow).alarm);
        assert!(Baseline::LeastSquares.judge(&slow).alarm);
    }

    #[test]
    fn no_points_are_no_alarm() {
        let empty = Series::default();
        for rule in Baseline::ALL {
            assert!(!rule.judge(&empty).alarm, "{rule:?}");
        }
    }
}
