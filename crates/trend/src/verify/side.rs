//! What one side of a comparison shows: its rate, its load, from where to where it went.

use super::{Side, Signal};
use crate::lives;
use crate::robust::quantile;
use crate::sample::{Sample, Series};
use crate::text::HOUR;
use crate::thresholds::FLOOR_QUANTILE;
use crate::verdict::{Interval, Trend, Where};

/// The share of a run whose lowest decile stands for its beginning or its end.
const END_SHARE: f64 = 0.03;

/// And at least so many samples, so that the lowest of them carry little garbage.
const MIN_END_SAMPLES: usize = 12;

/// Describes a side. `trend` is of the compared part alone, `place` of all of memory.
pub(super) fn side(series: &Series, trend: &Trend, place: Where, signal: Signal) -> Side {
    let (samples, _) = lives::ordered(&series.samples);
    let lives = lives::split(&samples);
    let stretch = trend.judged_segment().map(|s| (s.start_seconds, s.end_seconds));
    let life = lives
        .iter()
        .copied()
        .find(|life| stretch.is_some_and(|(_, end)| within(life, end)))
        .or_else(|| lives.last().copied())
        .unwrap_or_default();
    let (from, to) = stretch.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    let requests_per_hour = load(life.iter().filter(|s| (from..=to).contains(&s.elapsed_seconds)));
    let rate = trend.rate_bytes_per_hour;
    Side {
        name: series.name.clone(),
        verdict: Some(trend.verdict),
        confidence: Some(trend.confidence),
        place,
        rate_bytes_per_hour: rate,
        rate_bytes_per_request: requests_per_hour.map(|load| divided(rate, load)),
        requests_per_hour,
        samples: life.len(),
        span_seconds: lives::span(life),
        start_bytes: end(life, signal, false),
        end_bytes: end(life, signal, true),
        runs: Vec::new(),
    }
}

/// A side of which nothing can be compared.
pub(super) fn unmeasured(series: &[Series]) -> Side {
    Side {
        name: series.first().filter(|_| series.len() == 1).and_then(|s| s.name.clone()),
        verdict: None,
        confidence: None,
        place: Where::Unknown,
        rate_bytes_per_hour: Interval::unknown(0.0),
        rate_bytes_per_request: None,
        requests_per_hour: None,
        samples: series.iter().map(|s| s.samples.len()).sum(),
        span_seconds: series.iter().map(|s| lives::span(&s.samples)).sum(),
        start_bytes: None,
        end_bytes: None,
        runs: Vec::new(),
    }
}

pub(super) fn divided(rate: Interval, requests_per_hour: f64) -> Interval {
    rate.scaled(1.0 / requests_per_hour)
}

/// Requests an hour over those samples; `None` unless most of them say it and there were some.
pub(super) fn load<'a>(samples: impl Iterator<Item = &'a Sample>) -> Option<f64> {
    let (mut requests, mut seconds, mut known, mut all) = (0.0, 0.0, 0, 0);
    let mut before = None::<f64>;
    for sample in samples {
        if let Some(at) = before {
            all += 1;
            if let Some(count) = sample.requests {
                known += 1;
                requests += count as f64;
                seconds += sample.elapsed_seconds - at;
            }
        }
        before = Some(sample.elapsed_seconds);
    }
    (seconds > 0.0 && requests > 0.0 && known * 2 > all).then(|| requests / seconds * HOUR)
}

fn within(life: &[Sample], time: f64) -> bool {
    matches!((life.first(), life.last()), (Some(a), Some(b))
        if (a.elapsed_seconds..=b.elapsed_seconds).contains(&time))
}

/// The floor at the beginning or the end of a run.
fn end(life: &[Sample], signal: Signal, last: bool) -> Option<u64> {
    let mut values: Vec<f64> = life.iter().filter_map(|s| Some(signal.of(s)? as f64)).collect();
    let some = ((values.len() as f64 * END_SHARE) as usize).max(MIN_END_SAMPLES).min(values.len());
    let mut part = if last {
        values.split_off(values.len().saturating_sub(some))
    } else {
        values.truncate(some);
        values
    };
    quantile(&mut part, FLOOR_QUANTILE).map(|v| v as u64)
}
