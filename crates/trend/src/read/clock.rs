//! Rows whose clock was set while they were written.
//!
//! Rows with absolute times may stand in any order: exports of several shards are sorted, and their times do
//! not overlap. A clock that is set back writes the same times again; one that is set right (after a boot
//! without network, say) leaves a few rows in another year. Either would end every judgement, and is mended
//! and said.

use crate::sample::Sample;
use crate::text::{count, duration};
use crate::verdict::Reason;

/// A break longer than this, and than so many times the rest of the series, is no gap in sampling.
const JUMP_SECONDS: f64 = 86_400.0;
const JUMP_TIMES: f64 = 20.0;

/// Rows on the lesser side of a jump, at most, that are left out rather than moved.
const STRAY_SHARE: f64 = 0.05;

/// A clock is set a few times; what falls more often is another kind of disorder.
const MAX_SETS: usize = 3;

/// Mends the times of a series in the order of its rows.
pub(super) fn mend(samples: &mut Vec<Sample>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(set_back(samples));
    reasons.extend(strays(samples));
    reasons
}

fn usual_step(samples: &[Sample]) -> f64 {
    let steps = samples.windows(2).map(|w| w[1].elapsed_seconds - w[0].elapsed_seconds);
    let mut steps: Vec<f64> = steps.filter(|s| *s > 0.0).collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied().unwrap_or(1.0)
}

/// A stretch that repeats times of the one before it is moved behind it.
fn set_back(samples: &mut [Sample]) -> Option<Reason> {
    let falls: Vec<usize> = (1..samples.len())
        .filter(|&i| samples[i].elapsed_seconds < samples[i - 1].elapsed_seconds)
        .collect();
    if falls.is_empty() || falls.len() > MAX_SETS {
        return None;
    }
    let step = usual_step(samples);
    let mut mended = 0.0_f64;
    let mut start = 0;
    for (n, &at) in falls.iter().enumerate() {
        let next = falls.get(n + 1).copied().unwrap_or(samples.len());
        let (first, last) = (samples[start].elapsed_seconds, samples[at - 1].elapsed_seconds);
        let (from, to) = (samples[at].elapsed_seconds, samples[next - 1].elapsed_seconds);
        // Two rows in the wrong order, or a shard that lies wholly before, are what sorting is for.
        let again = from > first && next - at > 1 && to > first && last - from > step;
        if again {
            let by = last + step - from;
            samples[at..].iter_mut().for_each(|s| s.elapsed_seconds += by);
            mended = mended.max(last - from);
        } else {
            start = at;
        }
    }
    (mended > 0.0).then(|| {
        Reason::new(
            "clock-set-back",
            format!(
                "the clock was set back by {} while this was recorded: what follows is judged as if it had \
                 gone on",
                duration(mended)
            ),
        )
    })
}

/// A few rows in quite another time are left out; if they are many, the two parts are joined.
fn strays(samples: &mut Vec<Sample>) -> Option<Reason> {
    let mut times: Vec<f64> = samples.iter().map(|s| s.elapsed_seconds).collect();
    times.sort_by(f64::total_cmp);
    let span = times.last()? - times.first()?;
    let (at, jump) = times
        .windows(2)
        .enumerate()
        .map(|(i, w)| (i + 1, w[1] - w[0]))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    if jump < JUMP_SECONDS || jump < JUMP_TIMES * (span - jump) {
        return None;
    }
    let (border, lesser) = (times[at], at.min(times.len() - at));
    if lesser as f64 <= STRAY_SHARE * times.len() as f64 {
        let early = at <= times.len() / 2;
        samples.retain(|s| (s.elapsed_seconds >= border) == early);
        return Some(Reason::new(
            "stray-times",
            format!("{} left out: {} off all others", count(lesser, "sample"), duration(jump)),
        ));
    }
    let by = jump - usual_step(samples);
    let late = samples.iter_mut().filter(|s| s.elapsed_seconds >= border);
    late.for_each(|s| s.elapsed_seconds -= by);
    Some(Reason::new(
        "clock-jump",
        format!(
            "the clock jumped by {} while this was recorded: what follows is judged as if it had not",
            duration(jump)
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(times: impl IntoIterator<Item = f64>) -> Vec<Sample> {
        let sample = |t| Sample { elapsed_seconds: t, rss: Some(1), ..Sample::default() };
        times.into_iter().map(sample).collect()
    }

    fn mended(times: impl IntoIterator<Item = f64>) -> (Vec<f64>, Vec<&'static str>) {
        let mut samples = at(times);
        let codes = mend(&mut samples).into_iter().map(|r| r.code).collect();
        (samples.iter().map(|s| s.elapsed_seconds).collect(), codes)
    }

    fn minutes(from: f64, n: u32) -> impl Iterator<Item = f64> {
        (0..n).map(move |i| from + f64::from(i) * 60.0)
    }

    #[test]
    fn a_clock_that_was_set_back_goes_on() {
        let (times, codes) = mended(minutes(1e9, 120).chain(minutes(1e9 + 3600.0, 120)));
        assert_eq!(codes, ["clock-set-back"]);
        assert!(times.windows(2).all(|w| (w[1] - w[0] - 60.0).abs() < 1e-6), "{times:?}");
    }

    #[test]
    fn shards_and_swapped_rows_are_left_to_sorting() {
        let (_, codes) = mended(minutes(1e9 + 7200.0, 120).chain(minutes(1e9, 120)));
        assert!(codes.is_empty(), "{codes:?}");
        let (times, codes) = mended([0.0, 120.0, 60.0, 180.0, 240.0]);
        assert!(codes.is_empty() && times[1] > times[2], "{codes:?}");
        assert!(mended((0..50).rev().map(f64::from)).1.is_empty());
        assert!(mended([]).1.is_empty() && mended([5.0]).1.is_empty());
    }

    #[test]
    fn rows_of_another_year() {
        let (times, codes) = mended([0.0].into_iter().chain(minutes(1e9, 100)));
        assert_eq!((times.len(), codes), (100, vec!["stray-times"]));
        let (times, codes) = mended(minutes(0.0, 100).chain(minutes(1e9, 100)));
        assert_eq!((times.len(), codes), (200, vec!["clock-jump"]));
        assert!((times[199] - times[0] - 199.0 * 60.0).abs() < 1e-6);
        // A weekend without samples is a gap.
        let (_, codes) = mended(minutes(0.0, 600).chain(minutes(200_000.0, 600)));
        assert!(codes.is_empty());
    }
}
