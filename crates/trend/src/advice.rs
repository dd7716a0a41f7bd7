//! What to do next, by the part of memory that grows.
//!
//! A heap snapshot answers for the JavaScript heap alone. For the other parts the cheap experiment that tells
//! the usual causes apart comes first: an allocator that does not give back, or a cache of pages, looks like
//! a leak from outside and is none.

use crate::judge::judge;
use crate::sample::{Sample, Series};
use crate::verdict::{Reason, Trend, Verdict, Where};

/// The next steps for a leak, the first one first; nothing for any other verdict.
pub fn advice(series: &Series, trend: &Trend) -> Vec<Reason> {
    if trend.verdict != Verdict::Leak {
        return Vec::new();
    }
    let knows_heap = series.samples.iter().any(|s| s.heap_used.is_some());
    let knows_split = series.samples.iter().any(|s| s.heap_total.is_some());
    let mut steps = Vec::new();
    let mut step = |code, text: &str| steps.push(Reason::new(code, text));
    // Where only RSS and the heap are known, RSS leads although the heap is what grows.
    let place = if trend.place == Where::Unknown && knows_heap && !knows_split && heap_leaks(series)
    {
        Where::JsHeap
    } else {
        trend.place
    };
    match place {
        Where::JsHeap => step(
            "next-snapshots",
            "objects pile up in the JavaScript heap: `leakline investigate PID` compares heap snapshots and \
             names the statement. Do it while the heap is small: a snapshot takes several times its size",
        ),
        Where::ArrayBuffers => {
            step(
                "next-holders",
                "the bytes lie outside the heap, but what holds the Buffers is in it: `leakline investigate PID` \
                 shows the holder",
            );
            step(
                "next-bodies",
                "the usual causes: response bodies that nobody reads to their end, chunks collected without a \
                 bound, a small slice that keeps a large Buffer",
            );
        }
        Where::External => {
            step(
                "next-add-on",
                "a heap snapshot will not show this: it is memory of a native add-on or of WebAssembly. \
                 `grep '\\.node' /proc/PID/maps` lists the add-ons that are loaded",
            );
            step(
                "next-add-on-experiment",
                "the cheap experiment: one replica without the add-on, or with its previous version",
            );
        }
        Where::Native => {
            step(
                "next-allocator-experiment",
                "a heap snapshot will not show this. The cheap experiment: one replica with \
                 MALLOC_ARENA_MAX=2, or with jemalloc (LD_PRELOAD). If its RSS levels, the allocator held on to \
                 freed memory, and that setting is the fix",
            );
            step(
                "next-threads",
                "if it grows all the same: does `grep Threads /proc/PID/status` grow too? Each thread has a \
                 stack. Else a native add-on leaks: try its previous version",
            );
        }
        Where::Unknown if knows_heap => step(
            "next-split",
            if knows_split {
                "it is not clear which part grows: watch longer, with `leakline watch PID`"
            } else {
                "RSS grows, and the heap does not explain it: record heapTotal, external and arrayBuffers too, \
                 or let `leakline watch PID` do it, to see which part it is"
            },
        ),
        Where::Unknown => {
            step(
                "next-split",
                "only the whole is known: `leakline watch PID` tells which part of memory grows",
            );
            step(
                "next-page-cache",
                "a container's working set counts cached file pages too: if `anon` in its memory.stat stays \
                 level, files are read or written and nothing leaks",
            );
        }
    }
    steps
}

/// Whether the heap alone is a leak.
fn heap_leaks(series: &Series) -> bool {
    let heap = |s: &Sample| Sample { rss: None, ..s.clone() };
    let alone = Series { name: None, samples: series.samples.iter().map(heap).collect() };
    let trend = judge(&alone);
    trend.verdict == Verdict::Leak && trend.place == Where::JsHeap
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Confidence, Interval};

    fn of(place: Where, verdict: Verdict, sample: Sample) -> Vec<&'static str> {
        let trend = Trend {
            verdict,
            confidence: Confidence::High,
            place,
            rate_bytes_per_hour: Interval::unknown(1.0),
            time_to_limit_seconds: None,
            segments: Vec::new(),
            reasons: Vec::new(),
        };
        let series = Series { name: None, samples: vec![sample] };
        advice(&series, &trend).into_iter().map(|r| r.code).collect()
    }

    #[test]
    fn rss_that_only_repeats_the_heap_leads_to_the_heap() {
        let sample = |i: u32| {
            let heap = 80_000_000 + u64::from(i) * 400_000 + u64::from(i % 7) * 100_000;
            Sample {
                elapsed_seconds: f64::from(i) * 30.0,
                heap_used: Some(heap),
                rss: Some(heap * 6 / 5 + 60_000_000),
                gc_major_count: Some(u64::from(i / 8)),
                ..Sample::default()
            }
        };
        let series = Series { name: None, samples: (0..400).map(sample).collect() };
        let trend = judge(&series);
        assert_eq!((trend.verdict, trend.place), (Verdict::Leak, Where::Unknown), "{trend:#?}");
        assert_eq!(advice(&series, &trend)[0].code, "next-snapshots");
    }

    #[test]
    fn each_part_has_its_next_step_and_no_leak_has_none() {
        let heap = || Sample { heap_used: Some(1), ..Sample::default() };
        let leak = |place| of(place, Verdict::Leak, heap());
        assert_eq!(leak(Where::JsHeap), ["next-snapshots"]);
        assert_eq!(leak(Where::ArrayBuffers), ["next-holders", "next-bodies"]);
        assert_eq!(leak(Where::External)[0], "next-add-on");
        assert_eq!(leak(Where::Native)[0], "next-allocator-experiment");
        assert_eq!(leak(Where::Unknown), ["next-split"]);
        let rss = Sample { rss: Some(1), ..Sample::default() };
        assert_eq!(of(Where::Unknown, Verdict::Leak, rss), ["next-split", "next-page-cache"]);
        assert!(of(Where::JsHeap, Verdict::WarmUp, heap()).is_empty());
    }
}
