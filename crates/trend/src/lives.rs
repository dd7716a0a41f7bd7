//! The lives of a process: sorts a series and splits it where the process restarted.
//!
//! A start time or a GC counter that changes proves a restart. Without either, RSS that falls by
//! more than half between two samples is taken for one, and so is a fall by a quarter that the
//! samples around it confirm: the process that a limit killed comes back at its base, which may be two
//! thirds of the limit. A heap that falls is no restart, however far: V8 lets garbage grow to four
//! times what lives.
//!
//! Cost: O(n), O(n log n) if unsorted.

use std::borrow::Cow;

use crate::sample::Sample;
use crate::text::{count, duration};
use crate::thresholds::{CONFIRMED_DROP, RESTART_DROP, START_TIME_SLACK_SECONDS};
use crate::verdict::Reason;

/// The samples in order, without doubles, and what had to be mended.
pub(crate) fn ordered(samples: &[Sample]) -> (Cow<'_, [Sample]>, Vec<Reason>) {
    let sound = samples.iter().all(|s| s.elapsed_seconds.is_finite())
        && samples.windows(2).all(|w| w[0].elapsed_seconds < w[1].elapsed_seconds);
    if sound {
        return (Cow::Borrowed(samples), Vec::new());
    }
    let mut reasons = Vec::new();
    let mut own: Vec<Sample> =
        samples.iter().filter(|s| s.elapsed_seconds.is_finite()).cloned().collect();
    if own.windows(2).any(|w| w[0].elapsed_seconds > w[1].elapsed_seconds) {
        own.sort_by(|a, b| a.elapsed_seconds.total_cmp(&b.elapsed_seconds));
        reasons.push(Reason::new("times-sorted", "samples were out of order and have been sorted"));
    }
    let before = own.len();
    // The last of several with one time stands: it was written last.
    own.reverse();
    own.dedup_by(|a, b| {
        let same = a.elapsed_seconds.total_cmp(&b.elapsed_seconds).is_eq();
        // The collection happened, whichever of the two said so.
        b.full_gc |= same && a.full_gc;
        same
    });
    own.reverse();
    if own.len() < before {
        reasons.push(Reason::new(
            "duplicate-times",
            format!(
                "{} with the time of another sample; the later of each is used",
                count(before - own.len(), "sample")
            ),
        ));
    }
    (Cow::Owned(own), reasons)
}

/// Splits ordered samples at restarts; every part is non-empty.
pub(crate) fn split(samples: &[Sample]) -> Vec<&[Sample]> {
    let mut lives = Vec::new();
    let mut start = 0;
    // The last known figures of the current life: a gap must not hide a restart.
    let (mut rss, mut started, mut majors) = (None::<u64>, None::<f64>, None::<u64>);
    for (i, sample) in samples.iter().enumerate() {
        let same_start = match (started, sample.start_time) {
            (Some(a), Some(b)) => Some((a - b).abs() <= START_TIME_SLACK_SECONDS),
            _ => None,
        };
        let fewer_gcs = matches!((majors, sample.gc_major_count), (Some(a), Some(b)) if b < a);
        let dropped = match (rss, sample.rss) {
            // After a capture V8 gives back what the capture took.
            (Some(a), Some(b)) if !sample.perturbed => (b as f64) < (1.0 - RESTART_DROP) * a as f64,
            _ => false,
        };
        let restarted = match same_start {
            Some(same) => !same,
            None => {
                let confirmed =
                    || fell(samples, start, i, |s| s.rss.filter(|_| !s.perturbed), CONFIRMED_DROP);
                fewer_gcs || (majors.is_none() && (dropped || confirmed()))
            }
        };
        if restarted && i > start {
            lives.push(&samples[start..i]);
            start = i;
            (rss, started, majors) = (None, None, None);
        }
        rss = sample.rss.filter(|_| !sample.perturbed).or(rss);
        started = sample.start_time.or(started);
        majors = sample.gc_major_count.or(majors);
    }
    if start < samples.len() {
        lives.push(&samples[start..]);
    }
    lives
}

/// Whether a value fell by more than a share at sample `at`, for good: three samples from there on
/// against three before (of those there are since `from`), the lowest of these and the highest of those.
fn fell(
    samples: &[Sample],
    from: usize,
    at: usize,
    value: impl Fn(&Sample) -> Option<u64>,
    share: f64,
) -> bool {
    let Some(now) = value(&samples[at]) else { return false };
    let Some(last) = samples[from..at].iter().rev().find_map(&value) else { return false };
    // Most samples end here.
    if now as f64 >= (1.0 - share) * last as f64 {
        return false;
    }
    let before = samples[from..at].iter().rev().filter_map(&value).take(3).min();
    let after = samples[at..].iter().filter_map(&value).take(3).max();
    before.zip(after).is_some_and(|(b, a)| (a as f64) < (1.0 - share) * b as f64)
}

/// Seconds from the first to the last sample.
pub(crate) fn span(samples: &[Sample]) -> f64 {
    match (samples.first(), samples.last()) {
        (Some(a), Some(b)) => b.elapsed_seconds - a.elapsed_seconds,
        _ => 0.0,
    }
}

/// Says so if sampling stopped for long in the middle of a life.
pub(crate) fn gaps(samples: &[Sample]) -> Option<Reason> {
    let mut steps: Vec<f64> =
        samples.windows(2).map(|w| w[1].elapsed_seconds - w[0].elapsed_seconds).collect();
    let usual = crate::robust::median(&mut steps)?;
    // Ten usual steps are no jitter any more.
    let long: Vec<f64> = steps.iter().copied().filter(|s| *s > 10.0 * usual).collect();
    let longest = long.iter().copied().max_by(f64::total_cmp)?;
    Some(Reason::new(
        "gaps",
        format!("{} in sampling, the longest {}", count(long.len(), "gap"), duration(longest)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rss(t: f64, rss: u64) -> Sample {
        Sample { elapsed_seconds: t, rss: Some(rss), ..Sample::default() }
    }

    #[test]
    fn a_drop_by_more_than_half_splits() {
        let samples = [rss(0.0, 100), rss(1.0, 180), rss(2.0, 90), rss(3.0, 100), rss(4.0, 40)];
        let lives: Vec<usize> = split(&samples).iter().map(|l| l.len()).collect();
        assert_eq!(lives, [4, 1]);
    }

    #[test]
    fn a_fall_by_a_third_splits_if_it_lasts() {
        let of = |values: &[u64]| -> usize {
            let samples: Vec<Sample> =
                values.iter().enumerate().map(|(i, v)| rss(i as f64, *v)).collect();
            split(&samples).len()
        };
        assert_eq!(of(&[250, 255, 260, 170, 175, 180]), 2);
        // One low sample, or the end of one high one.
        assert_eq!(of(&[250, 255, 260, 170, 258, 260]), 1);
        assert_eq!(of(&[170, 172, 260, 170, 175, 180]), 1);
    }

    #[test]
    fn a_gap_does_not_hide_a_restart() {
        let mut samples = vec![rss(0.0, 100), rss(1.0, 0), rss(2.0, 30)];
        samples[1].rss = None;
        assert_eq!(split(&samples).len(), 2);
    }

    #[test]
    fn start_time_overrules_the_drop() {
        let at = |t, bytes, start| Sample { start_time: Some(start), ..rss(t, bytes) };
        let one = [at(0.0, 900, 5.0), at(1.0, 100, 5.4)];
        assert_eq!(split(&one).len(), 1);
        let two = [at(0.0, 900, 5.0), at(1.0, 890, 60.0)];
        assert_eq!(split(&two).len(), 2);
    }

    #[test]
    fn a_capture_is_no_restart() {
        let mut samples = vec![rss(0.0, 300), rss(1.0, 900), rss(2.0, 310)];
        samples[1].perturbed = true;
        samples[2].perturbed = true;
        assert_eq!(split(&samples).len(), 1);
    }

    #[test]
    fn a_gc_counter_that_falls_splits_and_one_that_does_not_overrules_the_drop() {
        let at = |t, bytes, n| Sample { gc_major_count: Some(n), ..rss(t, bytes) };
        assert_eq!(split(&[at(0.0, 100, 7), at(1.0, 100, 1)]).len(), 2);
        assert_eq!(split(&[at(0.0, 100, 7), at(1.0, 20, 8)]).len(), 1);
    }

    #[test]
    fn mending() {
        let samples = [rss(2.0, 3), rss(1.0, 1), rss(1.0, 2), rss(f64::NAN, 9)];
        let (kept, reasons) = ordered(&samples);
        let values: Vec<u64> = kept.iter().filter_map(|s| s.rss).collect();
        assert_eq!(values, [2, 3]);
        let codes: Vec<&str> = reasons.iter().map(|r| r.code).collect();
        assert_eq!(codes, ["times-sorted", "duplicate-times"]);
        assert!(matches!(ordered(&[rss(1.0, 1), rss(2.0, 1)]).0, Cow::Borrowed(_)));
    }
}
