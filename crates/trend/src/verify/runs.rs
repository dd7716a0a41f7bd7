//! Several runs of each side, as `BLeak` verifies a fix (Vilk and Berger, PLDI 2018): repeat the same work,
//! drop the warm-up, compare the mean growth over runs.
//!
//! `BLeak` discards the first half of each run's iterations; so does this, of each run's time. A run gives one
//! number, the robust slope of the floor of its later half. The runs of a side are independent of each
//! other, as the samples within a run are not, so Student's t holds for their means and Welch's for the
//! difference, without any assumption on what noise within a run looks like.

use super::ratio::reduction;
use super::side::{load, unmeasured};
use super::{
    Fix, PROVEN_REDUCTION, REST_SHARE, Reduction, Run, Side, Signal, Verification, candidates,
    concluded, nothing_in_common,
};
use crate::floor::{self, Made};
use crate::judge::judge;
use crate::lives;
use crate::robust::{Point, quantile, slope};
use crate::sample::{Sample, Series};
use crate::text::{HOUR, count};
use crate::thresholds::FLOOR_QUANTILE;
use crate::verdict::{Interval, Reason, Where};

/// With fewer runs than this on a side their scatter is not known.
const MIN_RUNS: usize = 3;

/// What `BLeak`'s authors took.
const GOOD_RUNS: usize = 5;

/// The later half of a run is reduced to the floors of this many stretches where it is not known when full
/// collections ran: few and long, so that each has met one.
const FLOORS: usize = 6;

/// Samples that the later half of a run needs.
const MIN_SAMPLES: usize = 8;

/// Compares several runs before a change with several after it; each series is a run.
pub fn verify_runs(before: &[Series], after: &[Series]) -> Verification {
    let grew = before.iter().map(|s| judge(s).place).find(|p| *p != Where::Unknown);
    let signals = candidates(grew.unwrap_or(Where::Unknown), before, after);
    let Some(signal) = signals.first().copied() else {
        return nothing_in_common([before, after]);
    };
    let sides = [before, after].map(|series| Group::of(series, signal));
    let loads = sides.each_ref().map(Group::per_request);
    let (per, rates) = match &loads {
        [Some(b), Some(a)] => ("request", [b.clone(), a.clone()]),
        _ => ("hour", sides.each_ref().map(Group::per_hour)),
    };
    let means = rates.each_ref().map(|r| mean(r));
    let reduction = reduction(means[0], means[1]);
    let mut reasons = Vec::new();
    let result = decide(&sides, &rates, means, reduction, &mut reasons);
    concluded(signal, per, sides.map(Group::side), reduction, (result, reasons))
}

/// The runs of one side.
struct Group<'a> {
    series: &'a [Series],
    runs: Vec<Run>,
    /// Requests an hour in each of `runs`.
    loads: Vec<Option<f64>>,
    /// Runs that were too short.
    short: usize,
}

impl<'a> Group<'a> {
    fn of(series: &'a [Series], signal: Signal) -> Self {
        let mut group = Self { series, runs: Vec::new(), loads: Vec::new(), short: 0 };
        for one in series {
            let (samples, _) = lives::ordered(&one.samples);
            // A run that restarted is judged by its last life: the others ended in between.
            let life = lives::split(&samples).last().copied().unwrap_or_default();
            let later = later_half(life);
            let Some(rate) = growth(later, signal) else {
                group.short += 1;
                continue;
            };
            let load = load(later.iter());
            group.runs.push(Run {
                name: one.name.clone(),
                rate_bytes_per_hour: rate,
                rate_bytes_per_request: load.map(|l| rate / l),
            });
            group.loads.push(load);
        }
        group
    }

    fn per_hour(&self) -> Vec<f64> {
        self.runs.iter().map(|r| r.rate_bytes_per_hour).collect()
    }

    fn per_request(&self) -> Option<Vec<f64>> {
        self.runs.iter().map(|r| r.rate_bytes_per_request).collect()
    }

    fn side(self) -> Side {
        let loads: Option<Vec<f64>> = self.loads.iter().copied().collect();
        Side {
            rate_bytes_per_hour: mean(&self.per_hour()),
            rate_bytes_per_request: self.per_request().filter(|r| !r.is_empty()).map(|r| mean(&r)),
            requests_per_hour: loads
                .filter(|l| !l.is_empty())
                .map(|l| l.iter().sum::<f64>() / l.len() as f64),
            runs: self.runs,
            name: None,
            ..unmeasured(self.series)
        }
    }
}

fn decide(
    sides: &[Group<'_>; 2],
    rates: &[Vec<f64>; 2],
    means: [Interval; 2],
    reduction: Reduction,
    reasons: &mut Vec<Reason>,
) -> Fix {
    let [b, a] = means;
    let short: usize = sides.iter().map(|s| s.short).sum();
    let enough = rates.iter().all(|r| r.len() >= MIN_RUNS);
    let answer = if enough {
        compare(rates, b, a, reduction, reasons)
    } else {
        reasons.push(Reason::new(
            "too-few-runs",
            format!(
                "{} before and {} after; at least {MIN_RUNS} of each are needed, {GOOD_RUNS} are good",
                count(rates[0].len(), "run"),
                count(rates[1].len(), "run")
            ),
        ));
        Fix::Inconclusive
    };
    if short > 0 {
        reasons.push(Reason::new(
            "short-runs",
            format!(
                "{} left out: {MIN_SAMPLES} samples are needed in the later half of each",
                count(short, "run")
            ),
        ));
    }
    reasons.push(Reason::new(
        "runs",
        "the first half of each run is left out as warm-up; intervals are of the means over runs",
    ));
    answer
}

fn compare(
    rates: &[Vec<f64>; 2],
    b: Interval,
    a: Interval,
    reduction: Reduction,
    reasons: &mut Vec<Reason>,
) -> Fix {
    let more = "add runs, or make them longer";
    let (low, high) = welch(&rates[0], &rates[1]);
    let share = |s: Option<f64>| format!("{:.0} %", 100.0 * s.unwrap_or(0.0).abs());
    if high < 0.0 {
        reasons
            .push(Reason::new("grows-faster", "runs after the change grow faster, beyond chance"));
        return Fix::Worse;
    }
    if b.low.is_none_or(|l| l <= 0.0) {
        reasons.push(Reason::new(
            "no-leak-before",
            format!("the runs before the change show no growth beyond their scatter: {more}"),
        ));
        return Fix::Inconclusive;
    }
    let rest = a.estimate / b.estimate;
    let grows = a.low.is_some_and(|l| l > 0.0);
    if low <= 0.0 {
        if grows {
            reasons.push(Reason::new("same", "they grow still, as fast as far as can be told"));
            return Fix::NotFixed;
        }
        reasons.push(Reason::new(
            "no-difference",
            format!("the means do not differ beyond the scatter of the runs: {more}"),
        ));
        return Fix::Inconclusive;
    }
    if grows && rest > REST_SHARE {
        reasons.push(Reason::new(
            "slower",
            format!(
                "they grow still, more slowly by {}: there is a second cause",
                share(reduction.estimate)
            ),
        ));
        return Fix::NotFixed;
    }
    if reduction.low.is_none_or(|l| l < PROVEN_REDUCTION) {
        reasons.push(Reason::new(
            "after-scattered",
            format!("they grow less, but half of the old growth is not excluded: {more}"),
        ));
        return Fix::Inconclusive;
    }
    reasons.push(Reason::new(
        "mean-growth",
        format!(
            "mean growth fell beyond chance; {:.0} % of it is left ({:.0} % at most)",
            100.0 * rest.max(0.0),
            100.0 * (1.0 - reduction.low.unwrap_or(0.0))
        ),
    ));
    Fix::Fixed
}

fn later_half(life: &[Sample]) -> &[Sample] {
    let Some(first) = life.first() else { return life };
    let middle = first.elapsed_seconds + lives::span(life) / 2.0;
    &life[life.partition_point(|s| s.elapsed_seconds < middle)..]
}

/// Bytes an hour: the robust slope of the floors after full collections, or of the floors of equal stretches
/// where nobody counted collections.
fn growth(samples: &[Sample], signal: Signal) -> Option<f64> {
    let value = |s: &Sample| signal.of(s).map(|v| v as f64);
    let values: Vec<Point> =
        samples.iter().filter_map(|s| Some(Point { t: s.elapsed_seconds, v: value(s)? })).collect();
    if values.len() < MIN_SAMPLES {
        return None;
    }
    let collected = floor::collected(samples, value);
    if signal != Signal::Rss && matches!(collected.made, Made::Collections) {
        return slope(&collected.points).map(|s| s * HOUR);
    }
    let floors: Vec<Point> = values
        .chunks(values.len().div_ceil(FLOORS))
        .filter_map(|part| {
            let mut lows: Vec<f64> = part.iter().map(|p| p.v).collect();
            let t = part.iter().map(|p| p.t).sum::<f64>() / part.len() as f64;
            Some(Point { t, v: quantile(&mut lows, FLOOR_QUANTILE)? })
        })
        .collect();
    slope(&floors).map(|s| s * HOUR)
}

/// The mean with Student's 95 % interval; without bounds for fewer than two.
fn mean(values: &[f64]) -> Interval {
    let (mean, error) = moments(values);
    let reach = error.map(|e| student(values.len() as f64 - 1.0) * e);
    Interval { estimate: mean, low: reach.map(|r| mean - r), high: reach.map(|r| mean + r) }
}

/// Mean and standard error.
fn moments(values: &[f64]) -> (f64, Option<f64>) {
    let n = values.len() as f64;
    if values.is_empty() {
        return (0.0, None);
    }
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (values.len() > 1).then(|| (squares / (n - 1.0) / n).sqrt()))
}

/// Welch's 95 % interval of the difference of means, before − after. Both have two values at least.
fn welch(before: &[f64], after: &[f64]) -> (f64, f64) {
    let ((mb, eb), (ma, ea)) = (moments(before), moments(after));
    let (vb, va) = (eb.unwrap_or(0.0).powi(2), ea.unwrap_or(0.0).powi(2));
    let (nb, na) = (before.len() as f64 - 1.0, after.len() as f64 - 1.0);
    let spread = vb + va;
    let freedom =
        if spread > 0.0 { spread * spread / (vb * vb / nb + va * va / na) } else { nb + na };
    let reach = student(freedom) * spread.sqrt();
    (mb - ma - reach, mb - ma + reach)
}

/// Two-sided 95 % quantile of Student's t, for any degrees of freedom from 1 on: by 1/ν between
/// tabulated values (error below 0.1 %).
fn student(freedom: f64) -> f64 {
    const TABLE: [(f64, f64); 18] = [
        (1.0, 12.7062),
        (1.25, 8.0280),
        (1.5, 6.0167),
        (2.0, 4.3027),
        (2.5, 3.5747),
        (3.0, 3.1824),
        (4.0, 2.7764),
        (5.0, 2.5706),
        (6.0, 2.4469),
        (7.0, 2.3646),
        (8.0, 2.3060),
        (10.0, 2.2281),
        (12.0, 2.1788),
        (15.0, 2.1314),
        (20.0, 2.0860),
        (30.0, 2.0423),
        (60.0, 2.0003),
        (f64::INFINITY, 1.9600),
    ];
    let freedom = freedom.max(1.0);
    let at = TABLE.partition_point(|(v, _)| *v <= freedom).clamp(1, TABLE.len() - 1);
    let ((v0, t0), (v1, t1)) = (TABLE[at - 1], TABLE[at]);
    let part = (1.0 / v0 - 1.0 / freedom) / (1.0 / v0 - 1.0 / v1);
    t0 + (t1 - t0) * part.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: variances 2.5 and 1.3, standard error √(0.5 + 0.26) = 0.87178, degrees of freedom
    /// 0.76² / (0.5²/4 + 0.26²/4) = 7.2746, whose 97.5 % quantile is 2.3466 (by numerical integration).
    #[test]
    fn welch_by_hand() {
        let (low, high) = welch(&[10.0, 12.0, 11.0, 13.0, 14.0], &[1.0, 0.0, 2.0, 1.0, 3.0]);
        let (mean, error) = (f64::midpoint(low, high), (high - low) / 2.0);
        assert!((mean - 10.6).abs() < 1e-9);
        assert!((error / 0.871_78 - 2.3466).abs() < 0.003, "t = {}", error / 0.871_78);
    }

    #[test]
    fn students_quantiles() {
        for (freedom, t) in [(1.0, 12.706), (4.0, 2.776), (9.0, 2.262), (25.0, 2.060), (1e9, 1.960)]
        {
            assert!((student(freedom) - t).abs() < 0.004, "{freedom}: {}", student(freedom));
        }
    }
}
