//! What a monitor records of a process: some of the columns, with gaps.

use leakline_trend::{Sample, Series};

use super::plan::Plan;
use super::process::State;
use super::random::Random;

/// The columns that are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seen {
    /// All of them: an agent in the process.
    Everything,
    /// `process.memoryUsage()` without collections or traffic.
    NoCollections,
    /// RSS and the limit: a container's metrics.
    Rss,
    /// RSS and requests: a container's metrics beside the proxy's.
    RssAndRequests,
    /// `heapUsed` and nothing else: one panel of a dashboard.
    HeapUsed,
}

/// The series that the monitor wrote.
pub(crate) fn record(plan: &Plan, states: Vec<State>, random: &mut Random) -> Series {
    let in_gap = |t: f64| {
        plan.gaps.iter().any(|(at, long)| {
            let share = t / plan.seconds;
            share >= *at && share < at + long
        })
    };
    let bytes = |v: f64| Some(v.max(0.0) as u64);
    let mut samples = Vec::with_capacity(states.len());
    for s in states {
        // A scrape comes a little early or late.
        let t = s.t + plan.step * 0.02 * random.unit();
        if in_gap(s.t) {
            continue;
        }
        let mut sample = Sample { elapsed_seconds: t, ..Sample::default() };
        let seen = plan.seen;
        if seen != Seen::HeapUsed {
            sample.rss = bytes(s.rss);
            sample.limit = bytes(plan.limit);
        }
        if matches!(seen, Seen::Everything | Seen::NoCollections) {
            sample.heap_used = bytes(s.heap_used);
            sample.heap_total = bytes(s.heap_total);
            sample.external = bytes(s.external);
        }
        if seen == Seen::HeapUsed {
            sample.heap_used = bytes(s.heap_used);
        }
        if matches!(seen, Seen::Everything | Seen::RssAndRequests) {
            sample.requests = Some(s.requests as u64);
            sample.connections = Some(s.connections as u64);
        }
        if seen == Seen::Everything {
            sample.gc_major_count = Some(s.collections);
            sample.start_time = Some(1_790_000_000.0 + s.started);
        }
        samples.push(sample);
    }
    Series { name: None, samples }
}
