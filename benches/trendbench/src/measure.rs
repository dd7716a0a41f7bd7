//! Runs the verdict and the baselines over cells of generated series.

use std::time::{Duration, Instant};

use leakline_testkit::turns::in_turn;
use leakline_trend::{Series, Verdict, judge, judge_scored};

use crate::baselines::{Baseline, Said};
use crate::generate::{Cell, Plan, Purpose, constant_leak, generate};

/// What all rules said of one series.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What it was.
    pub plan: Plan,
    /// Its index in the set.
    pub index: u64,
    /// Our verdict.
    pub verdict: Verdict,
    /// Our score.
    pub score: f64,
    /// The codes of our reasons, for reading the misses.
    pub because: String,
    /// Whether our interval covers the true rate; `None` where there is none to cover.
    pub covered: Option<bool>,
    /// The baselines, in their order.
    pub others: [Said; 4],
}

/// Runs `count` series of a cell, on all cores.
pub fn run(purpose: Purpose, cell: Cell, count: u64) -> Vec<Outcome> {
    parallel(count, |index| outcome(purpose, cell, index))
}

fn parallel<T: Send>(count: u64, one: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    in_turn(&(0..count).collect::<Vec<u64>>(), workers, |index| one(*index))
}

fn outcome(purpose: Purpose, cell: Cell, index: u64) -> Outcome {
    let labelled = generate(purpose, cell, index);
    let (trend, score) = judge_scored(&labelled.series);
    let truth = labelled.plan.rate;
    let rate = trend.rate_bytes_per_hour;
    let covered =
        (cell == Cell::Coverage && (rate.low.is_some() || rate.high.is_some())).then(|| {
            rate.low.is_none_or(|low| low <= truth) && rate.high.is_none_or(|high| high >= truth)
        });
    let others = Baseline::ALL.map(|rule| rule.judge(&labelled.series));
    let told = |r: &leakline_trend::Reason| match r.text.find("evidence") {
        Some(at) => format!("{} ({})", r.code, r.text[at..].split(',').next().unwrap_or_default()),
        None => r.code.to_owned(),
    };
    let codes: Vec<String> = trend.reasons.iter().map(told).collect();
    Outcome {
        plan: labelled.plan,
        index,
        verdict: trend.verdict,
        score,
        because: codes.join(" "),
        covered,
        others,
    }
}

/// The share of `scores` above the threshold that lets at most `rate` of `healthy` through.
pub fn sensitivity(leaking: &[f64], healthy: &[f64], rate: f64) -> f64 {
    let mut sorted = healthy.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let allowed = (rate * sorted.len() as f64).floor() as usize;
    let threshold = sorted.get(allowed).copied().unwrap_or(f64::NEG_INFINITY);
    leaking.iter().filter(|s| **s > threshold).count() as f64 / leaking.len().max(1) as f64
}

/// Hours until a constant leak was first called a leak by someone who looks each `every` hours, for
/// `count` processes; `None` where it was not within `hours`.
pub fn delays(
    purpose: Purpose,
    limit: f64,
    rate: f64,
    hours: f64,
    step: f64,
    every: f64,
    count: u64,
) -> Vec<Option<f64>> {
    parallel(count, |index| {
        let series = constant_leak(purpose, index, limit, rate, hours, step).series;
        let looks = (hours / every) as usize;
        (1..=looks).map(|look| look as f64 * every).find(|until| {
            let end = series.samples.partition_point(|s| s.elapsed_seconds <= until * 3600.0);
            let part = Series { name: None, samples: series.samples[..end].to_vec() };
            judge(&part).verdict == Verdict::Leak
        })
    })
}

/// Time to judge `count` series of `samples` samples of RSS, `heap_used`, external memory and
/// requests on one core, and on all of them; making the series is not counted.
pub fn speed(count: usize, samples: usize) -> (Duration, Duration) {
    // A hundred different series, judged over and over: memory of the machine is not the question.
    let set: Vec<Series> = (0..100)
        .map(|index| {
            let cell = if index % 2 == 0 { Cell::Hours12 } else { Cell::Healthy };
            let mut series = generate(Purpose::Tuning, cell, index).series;
            let step = 30.0;
            let source = series.samples.clone();
            series.samples = (0..samples)
                .map(|i| {
                    let mut sample = source[i * source.len() / samples].clone();
                    sample.elapsed_seconds = i as f64 * step;
                    sample
                })
                .collect();
            series
        })
        .collect();
    let begun = Instant::now();
    let mut leaks = 0;
    for index in 0..count {
        leaks += usize::from(judge(&set[index % set.len()]).verdict == Verdict::Leak);
    }
    let one = begun.elapsed();
    let begun = Instant::now();
    let both: Vec<bool> =
        parallel(count as u64, |i| judge(&set[i as usize % set.len()]).verdict == Verdict::Leak);
    let all = begun.elapsed();
    debug_assert_eq!(leaks, both.iter().filter(|l| **l).count());
    (one, all)
}
