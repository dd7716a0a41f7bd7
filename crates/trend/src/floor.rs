//! The post-GC floor: from all samples of a signal to at most 60 points that carry no garbage.
//!
//! `heap_used` counts garbage not yet collected. Minor collections clear the young part every
//! second or so under load, but what survived two of them waits for a full (mark-compact)
//! collection, minutes away: between two full collections a healthy heap rises just as a leaking
//! one does. Only the lowest sample after each full collection bounds what is live. So:
//!
//! - full collections known (a counter, or captures): one floor per epoch between them;
//! - unknown, but bins of ten minutes and more: each bin has met one, its low quantile is a floor;
//! - otherwise the bins' low quantiles are marked unclean: they may prove that nothing grows (live
//!   memory lies below them), not that something leaks.
//!
//! RSS has no such marks; its bins' low quantiles are taken as they are. Bins also keep their
//! medians: a leak lifts everything, so lows that rise alone are no leak. Series of more
//! than two weeks get one floor per day, so that a daily rhythm cannot pose as a trend.
//!
//! Cost: O(n log n) time, O(n) memory.

use crate::robust::{Point, median};
use crate::sample::Sample;
use crate::thresholds::{
    APART_SECONDS, BIN_SECONDS_WITH_GC, DAILY_FLOORS_FROM_DAYS, FLOOR_QUANTILE, FLOORS_FROM_FEW,
    MAX_FLOORS, MIN_CLEAN_FLOORS, MIN_PER_FLOOR, MIN_WIDE_BINS, SPAN_SECONDS_WITH_GC, TOOTH_SHARE,
};

const DAY: f64 = 86_400.0;

/// How the points came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// Lowest samples between full collections.
    Collections,
    /// Low quantiles of bins.
    Bins,
    /// Low quantiles of days.
    Days,
}

/// The floor of one signal.
#[derive(Debug, Clone)]
pub(crate) struct Floor {
    pub(crate) points: Vec<Point>,
    /// The medians of the bins the points are from; empty for collections.
    pub(crate) middles: Vec<Point>,
    pub(crate) made: Made,
    /// Whether growth of the points is growth of live memory.
    pub(crate) clean: bool,
    /// Full collections seen; `None` if unknown.
    pub(crate) collections: Option<usize>,
}

#[derive(Debug, Default)]
struct Points {
    lows: Vec<Point>,
    middles: Vec<Point>,
}

impl Points {
    fn floor(self, made: Made, clean: bool, collections: Option<usize>) -> Floor {
        Floor { points: self.lows, middles: self.middles, made, clean, collections }
    }
}

/// One value of a signal.
#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Point,
    /// A full collection ran since the reading before.
    collected: bool,
}

/// The floor of a signal that garbage collection shapes.
pub(crate) fn collected(samples: &[Sample], value: impl Fn(&Sample) -> Option<f64>) -> Floor {
    let (readings, known) = readings(samples, value);
    let collections = known.then(|| readings.iter().filter(|r| r.collected).count());
    if let Some(points) = daily(&readings) {
        return points.floor(Made::Days, true, collections);
    }
    if known {
        let points = epochs(&readings);
        if points.len() >= MIN_CLEAN_FLOORS {
            let points = Points { lows: points, middles: Vec::new() };
            return points.floor(Made::Collections, true, collections);
        }
    }
    let (points, width) = if known { bins(&readings) } else { teeth_wide(&readings) };
    if known {
        return points.floor(Made::Bins, false, collections);
    }
    let long = width >= BIN_SECONDS_WITH_GC
        || readings
            .last()
            .zip(readings.first())
            .is_some_and(|(last, first)| last.at.t - first.at.t >= SPAN_SECONDS_WITH_GC);
    let (points, whole) = without_last_tooth(points);
    points.floor(Made::Bins, long && whole, collections)
}

/// Bins as wide as the sawtooth asks for, where nobody counted the collections: of several widths the
/// one whose lows make the surest slope, by the deviation of their second differences (blind to any
/// trend) over the root of their number. Lows of bins within one tooth are garbage's slope.
fn teeth_wide(readings: &[Reading]) -> (Points, f64) {
    let fine = bins(readings);
    let count = fine.0.lows.len();
    let unsure = |points: &Points| {
        let lows = &points.lows;
        let mut bends: Vec<f64> =
            lows.windows(3).map(|w| (w[0].v - 2.0 * w[1].v + w[2].v).abs()).collect();
        median(&mut bends).unwrap_or(f64::INFINITY) / (lows.len() as f64).sqrt()
    };
    let (Some(first), Some(last)) = (readings.first(), readings.last()) else { return fine };
    let span = last.at.t - first.at.t;
    let mut best = (unsure(&fine.0), fine);
    for parts in [count / 2, count / 3] {
        if parts >= MIN_WIDE_BINS {
            let width = span / parts as f64;
            let points = binned(readings, width, parts);
            // Wider bins have to be clearly better: fewer points carry less of a shape.
            let how = 1.3 * unsure(&points);
            if how < best.0 {
                best = (how, (points, width));
            }
        }
    }
    best.1
}

/// Leaves out what rose since the last great fall, if there was one: where nobody counted the
/// collections, that may be garbage still waiting for one. Also whether enough is left to speak.
fn without_last_tooth(mut points: Points) -> (Points, bool) {
    let (mut high, mut low) = (f64::NEG_INFINITY, f64::INFINITY);
    for p in &points.lows {
        high = high.max(p.v);
        low = low.min(p.v);
    }
    let great = TOOTH_SHARE * (high - low);
    let fall = (1..points.lows.len()).rev().find(|&i| {
        // Over two bins: a collection may lie within one.
        let before = points.lows[i - 1].v.max(points.lows[i.saturating_sub(2)].v);
        before - points.lows[i].v > great
    });
    let Some(fall) = fall else { return (points, true) };
    let count = points.lows.len();
    let end = points.lows[fall].t;
    points.lows.truncate(fall + 1);
    points.middles.retain(|p| p.t <= end);
    let whole = points.lows.len() * 2 >= count;
    (points, whole)
}

/// The floor of a signal that collections do not mark, such as RSS.
pub(crate) fn plain(samples: &[Sample], value: impl Fn(&Sample) -> Option<f64>) -> Floor {
    let (readings, _) = readings(samples, value);
    if let Some(points) = daily(&readings) {
        return points.floor(Made::Days, true, None);
    }
    let (points, _) = bins(&readings);
    points.floor(Made::Bins, true, None)
}

/// The signal's readings, and whether full collections are known at all.
fn readings(samples: &[Sample], value: impl Fn(&Sample) -> Option<f64>) -> (Vec<Reading>, bool) {
    let mut readings = Vec::with_capacity(samples.len());
    let mut count = None::<u64>;
    let mut known = false;
    // Carried over samples that lack the value: the collection still lies between two readings.
    let mut pending = false;
    for sample in samples {
        pending |= sample.full_gc;
        known |= sample.full_gc;
        if let Some(now) = sample.gc_major_count {
            if let Some(before) = count {
                known = true;
                pending |= now > before;
            }
            count = Some(now);
        }
        if let Some(v) = value(sample) {
            readings.push(Reading {
                at: Point { t: sample.elapsed_seconds, v },
                collected: std::mem::take(&mut pending),
            });
        }
    }
    (readings, known)
}

/// The reading at the floor's quantile (the minimum of ten and fewer): a real sample, with its time.
fn lowest(readings: &mut [Point]) -> Option<Point> {
    if readings.is_empty() {
        return None;
    }
    readings.sort_by(|a, b| a.v.total_cmp(&b.v).then(a.t.total_cmp(&b.t)));
    let rank = (FLOOR_QUANTILE * (readings.len() - 1) as f64) as usize;
    readings.get(rank).copied()
}

/// One point per stretch between full collections. A stretch too short to have met the bottom of
/// the minor sawtooth goes on over the next collection; what lies before the first is left out.
fn epochs(readings: &[Reading]) -> Vec<Point> {
    // Few samples over a long time, with a collection between any two: each is a floor of its own.
    let apart = readings
        .last()
        .zip(readings.first())
        .is_some_and(|(last, first)| last.at.t - first.at.t >= APART_SECONDS);
    let often = readings.iter().filter(|r| r.collected).count();
    let least =
        if apart { (often / FLOORS_FROM_FEW).clamp(1, MIN_PER_FLOOR) } else { MIN_PER_FLOOR };
    let mut stretches: Vec<Vec<Point>> = Vec::new();
    for reading in readings {
        let long_enough = stretches.last().is_none_or(|s| s.len() >= least);
        if reading.collected && long_enough {
            stretches.push(Vec::new());
        }
        if let Some(stretch) = stretches.last_mut() {
            stretch.push(reading.at);
        }
    }
    let group = stretches.len().div_ceil(MAX_FLOORS).max(1);
    // The minimum, not a quantile: a heap never reads lower than it is, and after a capture a single
    // sample may be the only clean one of its stretch.
    let least =
        |chunk: &[Vec<Point>]| chunk.iter().flatten().copied().min_by(|a, b| a.v.total_cmp(&b.v));
    stretches.chunks(group).filter_map(least).collect()
}

/// Low quantiles of equal bins of time, and the bins' width. Bins without samples are gaps.
fn bins(readings: &[Reading]) -> (Points, f64) {
    let (Some(first), Some(last)) = (readings.first(), readings.last()) else {
        return (Points::default(), 0.0);
    };
    // Few samples over a long time were taken far apart: each is a phase of its own.
    let apart = last.at.t - first.at.t >= APART_SECONDS;
    let least = if apart { readings.len().min(FLOORS_FROM_FEW) } else { 1 };
    let count = (readings.len() / (MIN_PER_FLOOR + 1)).clamp(least, MAX_FLOORS);
    let width = (last.at.t - first.at.t) / count as f64;
    (binned(readings, width, count), width)
}

fn binned(readings: &[Reading], width: f64, count: usize) -> Points {
    let Some(first) = readings.first().filter(|_| width > 0.0) else { return Points::default() };
    let mut bins: Vec<Vec<Point>> = vec![Vec::new(); count];
    for reading in readings {
        let index = (((reading.at.t - first.at.t) / width) as usize).min(count - 1);
        bins[index].push(reading.at);
    }
    let middle = |bin: &Vec<Point>| {
        let mut values: Vec<f64> = bin.iter().map(|p| p.v).collect();
        Some(Point { t: bin.get(bin.len() / 2)?.t, v: median(&mut values)? })
    };
    let middles = bins.iter().filter_map(middle).collect();
    Points { lows: bins.iter_mut().filter_map(|bin| lowest(bin)).collect(), middles }
}

/// One floor per day where there are enough days; a last day less than half over is left out.
fn daily(readings: &[Reading]) -> Option<Points> {
    let (first, last) = (readings.first()?, readings.last()?);
    let days = (last.at.t - first.at.t) / DAY;
    if days < DAILY_FLOORS_FROM_DAYS {
        return None;
    }
    // Years of samples still make at most 60 floors: whole days, several to one.
    let per_floor = (days / MAX_FLOORS as f64).ceil().max(1.0);
    let floors = (days / per_floor).floor() as usize;
    let rest = days / per_floor - floors as f64;
    let count = if rest >= 0.5 { floors + 1 } else { floors };
    let end = first.at.t + count as f64 * per_floor * DAY;
    let inside = readings.partition_point(|r| r.at.t < end);
    let points = binned(&readings[..inside], per_floor * DAY, count);
    // A file with few samples, or mostly gaps, has no daily floors.
    (points.lows.len() >= 6 && readings.len() >= points.lows.len() * MIN_PER_FLOOR)
        .then_some(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heap(t: f64, used: u64, majors: u64) -> Sample {
        Sample {
            elapsed_seconds: t,
            heap_used: Some(used),
            gc_major_count: Some(majors),
            ..Sample::default()
        }
    }

    fn used(sample: &Sample) -> Option<f64> {
        sample.heap_used.map(|v| v as f64)
    }

    #[test]
    fn each_epoch_gives_its_lowest_sample() {
        // Garbage rises by 10 a second; full collections at 3, 6 and 9 s reach 100, 110, 120.
        let samples: Vec<Sample> =
            (0..12).map(|i| heap(i as f64, 90 + i / 3 * 10 + i % 3 * 10, i / 3)).collect();
        let floor = collected(&samples, used);
        assert_eq!(floor.made, Made::Collections);
        assert_eq!(floor.collections, Some(3));
        let got: Vec<(f64, f64)> = floor.points.iter().map(|p| (p.t, p.v)).collect();
        assert_eq!(got, [(3.0, 100.0), (6.0, 110.0), (9.0, 120.0)]);
    }

    #[test]
    fn captures_stand_in_for_the_counter() {
        let mut samples: Vec<Sample> = (0..40).map(|i| heap(i as f64, 100 + i, 0)).collect();
        for sample in &mut samples {
            sample.gc_major_count = None;
        }
        for i in [10, 20, 30] {
            samples[i].full_gc = true;
        }
        let floor = collected(&samples, used);
        assert_eq!((floor.made, floor.points.len()), (Made::Collections, 3));
    }

    #[test]
    fn few_collections_leave_the_floor_unclean() {
        let samples: Vec<Sample> = (0..60).map(|i| heap(i as f64, 100 + i, 0)).collect();
        let floor = collected(&samples, used);
        assert!(!floor.clean);
        assert_eq!(floor.collections, Some(0));
    }

    #[test]
    fn long_bins_are_clean_without_a_counter() {
        let samples: Vec<Sample> = (0..600)
            .map(|i| Sample { gc_major_count: None, ..heap(i as f64 * 120.0, 100, 0) })
            .collect();
        let floor = collected(&samples, used);
        assert!(floor.clean && floor.collections.is_none());
        assert_eq!(floor.points.len(), MAX_FLOORS);
    }

    #[test]
    fn weeks_are_seen_by_days() {
        let day = |t: f64| 1000.0 + 500.0 * (t / DAY * std::f64::consts::TAU).sin();
        let samples: Vec<Sample> = (0..16 * 288)
            .map(|i| {
                let t = i as f64 * 300.0;
                Sample { elapsed_seconds: t, rss: Some(day(t) as u64), ..Sample::default() }
            })
            .collect();
        let floor = plain(&samples, |s| s.rss.map(|v| v as f64));
        assert_eq!((floor.made, floor.points.len()), (Made::Days, 16));
        let (low, high) =
            floor.points.iter().fold((f64::MAX, f64::MIN), |(l, h), p| (l.min(p.v), h.max(p.v)));
        assert!(high - low < 5.0, "the daily wave is gone: {low} to {high}");
    }

    #[test]
    fn missing_values_are_gaps_and_keep_the_collection() {
        let mut samples: Vec<Sample> = (0..15).map(|i| heap(i as f64, 100, i / 3)).collect();
        samples[3].heap_used = None;
        let floor = collected(&samples, used);
        assert_eq!(floor.made, Made::Collections);
        assert_eq!(floor.points.first().map(|p| p.t), Some(4.0));
    }
}
