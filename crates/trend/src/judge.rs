//! From a series to its [`Trend`]: lives, signals, and the one answer out of several.

use crate::lives;
use crate::origin;
use crate::pool::{self, Pooled};
use crate::sample::{Sample, Series};
use crate::segments::short_segment;
use crate::signal::{self, Judged, Kind};
use crate::text::{self, HOUR, bytes, count, duration, rate_interval};
use crate::thresholds::{
    EVIDENCE, LAST_LIFE_SHARE, MATERIAL_SHARE, MIN_SAMPLES, WHOLE_RSS_SECONDS,
};
use crate::verdict::{Confidence, Interval, Reason, Segment, Trend, Verdict, Where};

/// Judges one series. Any samples will do: too few, or none, are `insufficient-data`.
pub fn judge(series: &Series) -> Trend {
    judge_scored(series).0
}

/// Judges one series, with the score its verdict hangs on: how strongly the data speak for a leak.
/// It orders series from "certainly none" to "certainly one" for comparisons at a fixed rate of
/// false alarms; a verdict of `leak` has a score of 1 and more.
pub fn judge_scored(series: &Series) -> (Trend, f64) {
    let (samples, mut mended) = lives::ordered(&series.samples);
    let lives = lives::split(&samples);
    let Some(chosen) = choose(&lives) else {
        let trend = undecided(&[], Reason::new("no-samples", "there are no samples"));
        return (trend, 0.0);
    };
    let judged: Vec<Vec<(Where, Judged)>> = lives.iter().map(|life| parts(life)).collect();
    let mut pooled = None;
    let (mut trend, mut score) = conclude(judged[chosen].clone(), lives[chosen]);
    if lives.len() > 1 {
        if trend.verdict != Verdict::Leak {
            pooled = pool::together(&lives, &judged);
        }
        if let Some(pooled) = pooled {
            score = score.max(pooled.score);
            if pooled.score >= 1.0 {
                pooled_leak(&mut trend, pooled, lives[lives.len() - 1]);
            }
        }
        let others: Vec<(usize, Trend)> = lives
            .iter()
            .zip(judged)
            .enumerate()
            .filter(|(i, _)| *i != chosen)
            .map(|(i, (life, parts))| (i, conclude(parts, life).0))
            .collect();
        trend.reasons.push(restarts(&lives, chosen, &others));
        let mut segments: Vec<Segment> =
            others.into_iter().flat_map(|(_, other)| other.segments).collect();
        segments.append(&mut trend.segments);
        segments.sort_by(|a, b| a.start_seconds.total_cmp(&b.start_seconds));
        trend.segments = segments;
    }
    trend.reasons.append(&mut mended);
    trend.reasons.extend(lives::gaps(lives[chosen]));
    (trend, score)
}

/// The answer where there is nothing to compute with.
fn undecided(samples: &[Sample], reason: Reason) -> Trend {
    Trend {
        verdict: Verdict::InsufficientData,
        confidence: Confidence::Low,
        place: Where::Unknown,
        rate_bytes_per_hour: Interval::unknown(0.0),
        time_to_limit_seconds: None,
        segments: short_segment(samples),
        reasons: vec![reason],
    }
}

/// The last life, unless it is too young to speak; then the longest.
fn choose(lives: &[&[Sample]]) -> Option<usize> {
    let last = lives.len().checked_sub(1)?;
    let longest = (0..lives.len())
        .max_by(|&a, &b| lives::span(lives[a]).total_cmp(&lives::span(lives[b])))?;
    let young = lives::span(lives[last]) < LAST_LIFE_SHARE * lives::span(lives[longest])
        || lives[last].len() < MIN_SAMPLES;
    Some(if young { longest } else { last })
}

fn restarts(lives: &[&[Sample]], chosen: usize, others: &[(usize, Trend)]) -> Reason {
    let leaking = others.iter().filter(|(_, t)| t.verdict == Verdict::Leak).count();
    let which = if chosen + 1 == lives.len() { "last" } else { "longest" };
    Reason::new(
        "restarts",
        format!(
            "{}; judged is the {which} run, {} long; of the {} others, {leaking} leaked too",
            count(lives.len() - 1, "restart"),
            duration(lives::span(lives[chosen])),
            others.len()
        ),
    )
}

/// A leak that no single run could show.
fn pooled_leak(trend: &mut Trend, pooled: Pooled, last: &[Sample]) {
    trend.verdict = Verdict::Leak;
    trend.confidence = Confidence::Medium;
    trend.place = pooled.place;
    trend.rate_bytes_per_hour = pooled.slope.scaled(HOUR);
    trend.time_to_limit_seconds = time_to_limit(last, pooled.slope);
    let text = format!(
        "none of the runs decides it alone; {} of them together rise by {}, {} in all (evidence \
         {:.1}, {:.1} needed)",
        pooled.runs,
        rate_interval(pooled.slope),
        bytes(pooled.growth),
        pooled.evidence,
        EVIDENCE
    );
    trend.reasons.insert(0, Reason::new("runs-together", text));
    let text = "a cache that each run fills anew and never fills up would look the same";
    trend.reasons.push(Reason::new("cache-caveat", text));
}

/// Each part of memory that is known of a life, judged.
fn parts(samples: &[Sample]) -> Vec<(Where, Judged)> {
    let mut parts: Vec<(Where, Judged)> = Vec::new();
    if samples.len() < MIN_SAMPLES {
        return parts;
    }
    let has = |value: fn(&Sample) -> Option<u64>| samples.iter().any(|s| value(s).is_some());
    if has(|s| s.heap_used) {
        parts.push((Where::JsHeap, signal::judge(Kind::Heap, &origin::heap(samples), samples)));
    }
    if has(|s| s.external) || has(|s| s.array_buffers) {
        let judged = signal::judge(Kind::External, &origin::external(samples), samples);
        parts.push((origin::within_external(samples), judged));
    }
    let native = origin::native(samples);
    if !native.points.is_empty() {
        parts.push((Where::Native, signal::judge(Kind::Native, &native, samples)));
    } else if has(|s| s.rss) {
        parts.push((Where::Unknown, signal::judge(Kind::Rss, &origin::rss(samples), samples)));
    }
    // RSS as a whole is heard where its parts are known but too noisy to decide: heap_used sampled
    // rarely is mostly garbage's phase, which RSS does not show. Not where garbage may be all of it, and
    // not in a short run: V8 lets RSS climb for long before it collects (the recording of a bounded cache
    // under a large heap limit rises by 8 MiB a minute for a quarter of an hour).
    let undecided = |part: &Judged| {
        part.clean && matches!(part.verdict, Verdict::InsufficientData | Verdict::WarmUp)
    };
    if has(|s| s.rss)
        && parts.len() > 1
        && lives::span(samples) >= WHOLE_RSS_SECONDS
        && !has(|s| s.gc_major_count)
        && parts.iter().any(|(_, part)| undecided(part))
        && parts.iter().all(|(_, part)| part.clean && part.verdict != Verdict::Leak)
    {
        let whole = signal::judge(Kind::Rss, &origin::rss(samples), samples);
        if whole.verdict == Verdict::Leak {
            parts.push((origin::largest(&parts), whole));
        }
    }
    parts
}

/// The one answer of a life.
fn conclude(parts: Vec<(Where, Judged)>, samples: &[Sample]) -> (Trend, f64) {
    let Some(lead) = lead(&parts, samples) else {
        let text = format!("{}; at least {MIN_SAMPLES} are needed", count(samples.len(), "sample"));
        return (undecided(samples, Reason::new("too-few-samples", text)), 0.0);
    };
    let score = parts.iter().map(|(_, part)| part.score).fold(0.0, f64::max);
    (combine(parts, lead, samples), score)
}

/// Which part speaks for the process: the leak that gained most; else the main signal (the heap
/// where it is known), unless another part moved by an amount that matters to the whole.
fn lead(parts: &[(Where, Judged)], samples: &[Sample]) -> Option<usize> {
    let gain = |i: &usize| parts[*i].1.growth;
    let most = |of: &mut dyn Iterator<Item = usize>| of.max_by(|a, b| gain(a).total_cmp(&gain(b)));
    let leaks = most(&mut (0..parts.len()).filter(|i| parts[*i].1.verdict == Verdict::Leak));
    if leaks.is_some() {
        return leaks;
    }
    if parts.is_empty() {
        return None;
    }
    let calm = |v: Verdict| matches!(v, Verdict::Stable | Verdict::Plateau | Verdict::FollowsLoad);
    if !calm(parts[0].1.verdict) {
        return Some(0);
    }
    let whole = samples.iter().rev().find_map(|s| s.rss.or(s.heap_used)).unwrap_or(0) as f64;
    let moved = most(&mut (1..parts.len()).filter(|i| {
        let part = &parts[*i];
        // Native memory of a short run is always unsettled; it only speaks as a leak.
        !calm(part.1.verdict)
            && !matches!(part.0, Where::Native | Where::Unknown)
            && part.1.growth >= MATERIAL_SHARE * whole
    }));
    Some(moved.unwrap_or(0))
}

fn combine(mut parts: Vec<(Where, Judged)>, lead: usize, samples: &[Sample]) -> Trend {
    let (place, judged) = parts.swap_remove(lead);
    let leak = judged.verdict == Verdict::Leak;
    let grows = leak || judged.slope.low.is_some_and(|low| low > 0.0);
    let mut reasons = judged.reasons;
    for (other, part) in &parts {
        if part.verdict == Verdict::Leak {
            reasons.push(Reason::new(
                "also-grows",
                format!(
                    "{} grows too, by {} in the same time",
                    text::place(*other),
                    bytes(part.growth)
                ),
            ));
        }
    }
    if samples.iter().any(|s| s.perturbed) && samples.iter().any(|s| s.rss.is_some()) {
        reasons.push(Reason::new(
            "perturbed-excluded",
            "RSS after the first heap snapshot is the snapshot's and stays out of the trend",
        ));
    }
    let time_to_limit_seconds = leak.then(|| time_to_limit(samples, judged.slope)).flatten();
    if let Some(time) = time_to_limit_seconds {
        let bound = |b: Option<f64>| b.map_or_else(|| "never".to_owned(), duration);
        reasons.push(Reason::new(
            "time-to-limit",
            format!(
                "at this rate the limit is reached in {} (95 %: {} to {})",
                duration(time.estimate),
                bound(time.low),
                bound(time.high)
            ),
        ));
    }
    Trend {
        verdict: judged.verdict,
        confidence: judged.confidence,
        place: if grows { place } else { Where::Unknown },
        rate_bytes_per_hour: judged.slope.scaled(HOUR),
        time_to_limit_seconds,
        segments: judged.segments,
        reasons,
    }
}

/// Seconds until the limit at a rising slope: the room left now, over the slope's interval. A limit
/// kills by RSS; without RSS the heap stands in for it, which flatters.
fn time_to_limit(samples: &[Sample], slope: Interval) -> Option<Interval> {
    let limit = samples.iter().rev().find_map(|s| s.limit)? as f64;
    let undisturbed = samples.iter().rev().find_map(|s| s.rss.filter(|_| !s.perturbed));
    let last = samples.last()?;
    // RSS before a capture is old by now; what has leaked since is added.
    let now = match undisturbed {
        Some(rss) if last.perturbed => {
            let at = samples
                .iter()
                .rev()
                .find(|s| s.rss.is_some() && !s.perturbed)
                .map_or(last.elapsed_seconds, |s| s.elapsed_seconds);
            rss as f64 + slope.estimate * (last.elapsed_seconds - at)
        }
        Some(rss) => rss as f64,
        None => samples.iter().rev().find_map(|s| s.rss.or(s.heap_used))? as f64,
    };
    let room = (limit - now).max(0.0);
    if slope.estimate <= 0.0 {
        return None;
    }
    let at = |rate: Option<f64>| rate.filter(|r| *r > 0.0).map(|r| room / r);
    // A faster slope is the earlier end; an unbounded one could be there at once.
    Some(Interval {
        estimate: room / slope.estimate,
        low: at(slope.high).or(Some(0.0)),
        high: at(slope.low),
    })
}
