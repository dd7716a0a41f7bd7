//! What a picture of a judged series shows: lines, floor, segments, the band of the slope, the forecast.
//!
//! Data only, reduced to what a screen can show; `report` draws it. Times are the series' seconds, values
//! bytes.

use crate::floor;
use crate::lives;
use crate::robust::{Point, median};
use crate::sample::{Sample, Series};
use crate::text::HOUR;
use crate::verdict::{Trend, Verdict, Where};

/// A line keeps the lowest and the highest value of this many stretches of time.
const STRETCHES: usize = 400;

/// A break of so many usual steps is a gap: no line is drawn across it.
const GAP_STEPS: f64 = 10.0;

/// A forecast is drawn for as long again as was measured, at most: further out it is no picture's business.
const FORECAST_SHARE: f64 = 1.0;

/// A limit this many times as high as the highest line is out of sight.
const LIMIT_IN_SIGHT: f64 = 4.0;

/// A place in the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dot {
    /// Seconds.
    pub t: f64,
    /// Bytes.
    pub v: f64,
}

/// The fitted line of one segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// Its beginning.
    pub from: Dot,
    /// Its end.
    pub to: Dot,
    /// As in [`crate::Segment`].
    pub kind: &'static str,
}

/// Where the memory will be: from the last known place, at the slope and its two bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Now.
    pub from: Dot,
    /// At the estimated slope.
    pub to: Dot,
    /// At the lower and the upper bound, at the same time as `to`.
    pub between: (f64, f64),
    /// Whether the limit is met within the picture.
    pub meets_limit: bool,
}

/// Everything to draw of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// What is drawn: `heap_used`, `external`, `rss`, `native`.
    pub signal: &'static str,
    /// The signal, in unbroken pieces.
    pub line: Vec<Vec<Dot>>,
    /// RSS in unbroken pieces, where the signal is a part of it.
    pub rss: Vec<Vec<Dot>>,
    /// The floor points.
    pub floor: Vec<Dot>,
    /// The segments.
    pub segments: Vec<Stretch>,
    /// The corners of the slope's 95 % band over the judged segment: low and high at its ends.
    pub band: Option<[(Dot, Dot); 2]>,
    /// The limit.
    pub limit: Option<f64>,
    /// For a leak.
    pub forecast: Option<Forecast>,
    /// When the process restarted.
    pub restarts: Vec<f64>,
}

impl Picture {
    /// The first and the last second to show; `None` without samples.
    pub fn times(&self) -> Option<(f64, f64)> {
        let dots = self.line.iter().chain(&self.rss).flatten().map(|d| d.t);
        let (low, high) = range(dots.chain(self.forecast.iter().map(|f| f.to.t)))?;
        Some((low, high))
    }

    /// The limit, unless memory is so far below it that nothing else could be seen beside it.
    pub fn limit_in_sight(&self) -> Option<f64> {
        self.limit.filter(|limit| *limit <= LIMIT_IN_SIGHT * self.top())
    }

    /// The highest value of any line, the limit not counted.
    pub fn top(&self) -> f64 {
        let lines = self.line.iter().chain(&self.rss).flatten().map(|d| d.v);
        let ahead = self.forecast.iter().map(|f| f.to.v);
        range(lines.chain(ahead)).map_or(0.0, |(_, high)| high)
    }
}

/// What to draw of a series and its judgement.
pub fn picture(series: &Series, trend: &Trend) -> Picture {
    let (samples, _) = lives::ordered(&series.samples);
    let lives = lives::split(&samples);
    let (signal, value) = signal_of(&samples, trend);
    let floor = lives.iter().flat_map(|life| {
        let floor = if signal == "rss" || signal == "native" {
            floor::plain(life, value)
        } else {
            floor::collected(life, value)
        };
        floor.points
    });
    let floor: Vec<Dot> = floor.map(|p| Dot { t: p.t, v: p.v }).collect();
    let usual = usual_step(&samples);
    let lines = |value: fn(&Sample) -> Option<f64>| -> Vec<Vec<Dot>> {
        lives.iter().flat_map(|life| pieces(life, value, usual)).collect()
    };
    let segments: Vec<Stretch> = trend
        .segments
        .iter()
        .filter_map(|s| {
            let slope = s.slope_bytes_per_hour? / HOUR;
            let at = centre(&floor, s.start_seconds, s.end_seconds)?;
            let dot = |t: f64| Dot { t, v: at.v + slope * (t - at.t) };
            Some(Stretch { from: dot(s.start_seconds), to: dot(s.end_seconds), kind: s.kind })
        })
        .collect();
    let limit = samples.iter().rev().find_map(|s| s.limit).map(|l| l as f64);
    Picture {
        signal,
        line: lines(value),
        rss: if signal == "rss" { Vec::new() } else { lines(rss) },
        band: band(trend, &floor),
        segments,
        floor,
        limit,
        forecast: forecast(&samples, trend, limit, value),
        restarts: lives.iter().skip(1).map(|life| life[0].elapsed_seconds).collect(),
    }
}

type Value = fn(&Sample) -> Option<f64>;

fn rss(sample: &Sample) -> Option<f64> {
    sample.rss.filter(|_| !sample.perturbed).map(|v| v as f64)
}

fn native(sample: &Sample) -> Option<f64> {
    let parts = sample.heap_total? + sample.external.unwrap_or(0);
    Some((rss(sample)? - parts as f64).max(0.0))
}

/// The part of memory that the verdict is about.
fn signal_of(samples: &[Sample], trend: &Trend) -> (&'static str, Value) {
    let heap: Value = |s| s.heap_used.map(|v| v as f64);
    let external: Value = |s| s.external.or(s.array_buffers).map(|v| v as f64);
    let has = |value: Value| samples.iter().any(|s| value(s).is_some());
    match trend.place {
        Where::Native if has(native) => ("native", native),
        Where::External | Where::ArrayBuffers if has(external) => ("external", external),
        Where::Unknown if trend.verdict == Verdict::Leak && has(rss) => ("rss", rss),
        _ if has(heap) => ("heap_used", heap),
        _ if has(rss) => ("rss", rss),
        _ => ("external", external),
    }
}

fn usual_step(samples: &[Sample]) -> f64 {
    let mut steps: Vec<f64> =
        samples.windows(2).map(|w| w[1].elapsed_seconds - w[0].elapsed_seconds).collect();
    median(&mut steps).unwrap_or(0.0)
}

/// Unbroken pieces, each bucket of time reduced to its lowest and highest value.
fn pieces(samples: &[Sample], value: Value, usual: f64) -> Vec<Vec<Dot>> {
    let dots = samples.iter().filter_map(|s| Some(Dot { t: s.elapsed_seconds, v: value(s)? }));
    let mut pieces: Vec<Vec<Dot>> = Vec::new();
    for dot in dots {
        match pieces.last_mut() {
            Some(piece) if piece.last().is_some_and(|l| dot.t - l.t <= GAP_STEPS * usual) => {
                piece.push(dot);
            }
            _ => pieces.push(vec![dot]),
        }
    }
    let all: usize = pieces.iter().map(Vec::len).sum();
    let each = all.div_ceil(STRETCHES);
    if each > 2 {
        for piece in &mut pieces {
            *piece = piece.chunks(each).flat_map(extremes).collect();
        }
    }
    pieces
}

/// The lowest and the highest, in order of time.
fn extremes(dots: &[Dot]) -> Vec<Dot> {
    let by = |a: &&Dot, b: &&Dot| a.v.total_cmp(&b.v);
    let (Some(low), Some(high)) = (dots.iter().min_by(by), dots.iter().max_by(by)) else {
        return Vec::new();
    };
    if low.t < high.t { vec![*low, *high] } else { vec![*high, *low] }
}

/// The middle of the floor in a stretch of time: a robust line goes through it.
fn centre(floor: &[Dot], from: f64, to: f64) -> Option<Point> {
    let inside = || floor.iter().filter(|d| (from..=to).contains(&d.t));
    let t = median(&mut inside().map(|d| d.t).collect::<Vec<_>>())?;
    let v = median(&mut inside().map(|d| d.v).collect::<Vec<_>>())?;
    Some(Point { t, v })
}

/// The two bounds of the slope through the middle of the segment that was judged.
fn band(trend: &Trend, floor: &[Dot]) -> Option<[(Dot, Dot); 2]> {
    let rate = trend.rate_bytes_per_hour;
    let (low, high) = (rate.low? / HOUR, rate.high? / HOUR);
    let judged = trend.judged_segment().filter(|s| s.slope_bytes_per_hour.is_some())?;
    let at = centre(floor, judged.start_seconds, judged.end_seconds)?;
    let ends = |t: f64| {
        let (a, b) = (at.v + low * (t - at.t), at.v + high * (t - at.t));
        (Dot { t, v: a.min(b) }, Dot { t, v: a.max(b) })
    };
    Some([ends(judged.start_seconds), ends(judged.end_seconds)])
}

fn forecast(
    samples: &[Sample],
    trend: &Trend,
    limit: Option<f64>,
    value: Value,
) -> Option<Forecast> {
    let rate = trend.rate_bytes_per_hour;
    if trend.verdict != Verdict::Leak || rate.estimate <= 0.0 {
        return None;
    }
    let (first, last) = (samples.first()?.elapsed_seconds, samples.last()?.elapsed_seconds);
    // The limit counts RSS; without it the signal stands in.
    let at = samples.iter().rev().find_map(|s| Some(Dot { t: s.elapsed_seconds, v: rss(s)? }));
    let from = at.or_else(|| {
        samples.iter().rev().find_map(|s| Some(Dot { t: s.elapsed_seconds, v: value(s)? }))
    })?;
    let ahead = (last - first) * FORECAST_SHARE;
    let slope = rate.estimate / HOUR;
    let room = limit.map(|l| ((l - from.v) / slope).max(0.0));
    let seconds = room.map_or(ahead, |r| r.min(ahead));
    let reach = |per_hour: Option<f64>| from.v + per_hour.unwrap_or(rate.estimate) / HOUR * seconds;
    Some(Forecast {
        from,
        to: Dot { t: from.t + seconds, v: reach(Some(rate.estimate)) },
        between: (reach(rate.low), reach(rate.high)),
        meets_limit: room.is_some_and(|r| r <= ahead),
    })
}

fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |range, v| {
        let (low, high) = range.unwrap_or((v, v));
        Some((low.min(v), high.max(v)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge;

    fn leak(hours: u32) -> Series {
        let sample = |i: u32| Sample {
            elapsed_seconds: f64::from(i) * 30.0,
            heap_used: Some(80_000_000 + u64::from(i) * 200_000 + u64::from(i % 20) * 500_000),
            rss: Some(150_000_000 + u64::from(i) * 200_000 + u64::from(i % 20) * 500_000),
            limit: Some(512 << 20),
            ..Sample::default()
        };
        Series { name: None, samples: (0..hours * 120).map(sample).collect() }
    }

    #[test]
    fn a_leak_is_drawn_with_its_way_to_the_limit() {
        let series = leak(8);
        let trend = judge(&series);
        let p = picture(&series, &trend);
        assert_eq!(trend.verdict, Verdict::Leak, "{trend:#?}");
        let forecast = p.forecast.as_ref().unwrap();
        assert!(forecast.meets_limit && forecast.from.t < forecast.to.t, "{forecast:?}");
        assert!((forecast.to.v - p.limit.unwrap()).abs() < 1e6);
        assert!(p.line.iter().map(Vec::len).sum::<usize>() <= 2 * STRETCHES);
        let band = p.band.unwrap();
        assert!(band[1].0.v <= band[1].1.v && !p.floor.is_empty() && !p.segments.is_empty());
        assert!(p.times().unwrap().0.abs() < f64::EPSILON);
        assert!(p.top() >= forecast.to.v);
    }

    #[test]
    fn lines_break_at_gaps_and_restarts_and_nothing_is_no_picture() {
        let mut series = leak(4);
        series.samples.drain(100..200);
        let restart = series.samples[300].elapsed_seconds;
        for sample in &mut series.samples[300..] {
            sample.rss = sample.rss.map(|v| v / 4);
        }
        let p = picture(&series, &judge(&series));
        assert_eq!(p.rss.len().max(p.line.len()), 3, "{:?}", p.restarts);
        assert_eq!(p.restarts, [restart]);
        let empty = Series::default();
        assert_eq!(picture(&empty, &judge(&empty)).times(), None);
    }
}
