//! The runs of one service together, where restarts cut a leak into pieces too short to tell.
//!
//! A slow leak in a service that is deployed twice a day never has a long run. But each run rises, and
//! what speaks for growth adds up: the runs' noise is independent, so their evidences (logarithms of
//! Bayes factors) are added, and their slopes averaged by their precision (a fixed-effect
//! meta-analysis, Hedges and Olkin 1985). Warm-up in each run speaks against growth in each run, and is
//! added just so. The last run has a veto if it is long enough to have an opinion: a deploy may have
//! been the fix.

use crate::lives;
use crate::sample::Sample;
use crate::signal::{Judged, among, proven};
use crate::thresholds::{EVIDENCE, LAST_LIFE_SHARE, Z95};
use crate::verdict::{Interval, Verdict, Where};

/// What the runs say together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pooled {
    pub(crate) place: Where,
    /// Bytes per second.
    pub(crate) slope: Interval,
    /// Growth of all runs, in bytes.
    pub(crate) growth: f64,
    pub(crate) evidence: f64,
    pub(crate) runs: usize,
    /// 1 and more for a leak, as in [`Judged::score`].
    pub(crate) score: f64,
}

/// The place for which the runs together speak most strongly.
pub(crate) fn together(lives: &[&[Sample]], judged: &[Vec<(Where, Judged)>]) -> Option<Pooled> {
    let longest = lives.iter().map(|l| lives::span(l)).fold(0.0, f64::max);
    let long: Vec<bool> =
        lives.iter().map(|l| lives::span(l) >= LAST_LIFE_SHARE * longest).collect();
    let count = judged.iter().map(Vec::len).max().unwrap_or(0);
    (0..count)
        .filter_map(|part| of_part(part, judged, &long))
        .max_by(|a, b| a.score.total_cmp(&b.score))
}

fn of_part(part: usize, judged: &[Vec<(Where, Judged)>], long: &[bool]) -> Option<Pooled> {
    let runs: Vec<&(Where, Judged)> = judged
        .iter()
        .zip(long)
        .filter(|(_, long)| **long)
        .filter_map(|(parts, _)| parts.get(part))
        .collect();
    let last = runs.last()?;
    let settled = matches!(last.1.verdict, Verdict::Stable | Verdict::Plateau);
    if runs.len() < 2 || settled || last.1.slope.estimate <= 0.0 {
        return None;
    }
    let (mut weight, mut slope, mut growth, mut evidence, mut material) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let (mut counted, mut rising, mut clean) = (0, 0, true);
    for (_, run) in &runs {
        let Some(low) = run.slope.low else { continue };
        let error = ((run.slope.estimate - low) / Z95).max(1e-12 * run.slope.estimate.abs());
        if error <= 0.0 {
            continue;
        }
        let w = 1.0 / (error * error);
        weight += w;
        slope += w * run.slope.estimate;
        growth += run.growth;
        // A run whose shapes were not worth weighing says a little against growth.
        evidence += run.evidence.unwrap_or(-1.0);
        material = f64::max(material, if run.material.is_finite() { run.material } else { 0.0 });
        rising += usize::from(run.slope.estimate > 0.0);
        clean &= run.clean;
        counted += 1;
    }
    if counted < 2 || rising * 4 < counted * 3 || material <= 0.0 {
        return None;
    }
    let estimate = slope / weight;
    let half = Z95 / weight.sqrt();
    let (sure, size, shape) = (estimate / half, growth / material, evidence / EVIDENCE);
    let weakest = sure.min(size).min(shape);
    let score =
        if weakest >= 1.0 && clean { proven(sure, size, shape) } else { among(weakest).min(0.99) };
    Some(Pooled {
        place: last.0,
        slope: Interval { estimate, low: Some(estimate - half), high: Some(estimate + half) },
        growth,
        evidence,
        runs: counted,
        score,
    })
}
