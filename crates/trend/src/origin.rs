//! Which part of memory grows: each part's floor, and how much it gained.
//!
//! `process.memoryUsage()` splits RSS only in part: `heapUsed` lies inside `heapTotal`, `external`
//! includes `arrayBuffers`, and what remains (rss − heapTotal − external) is native. The parts here
//! do not overlap, so their gains can be compared. RSS of samples behind a heap snapshot is the
//! snapshot's, not the service's, and stays out.

use crate::floor::{self, Floor};
use crate::robust;
use crate::sample::Sample;
use crate::signal::Judged;
use crate::verdict::Where;

/// The floor of the JavaScript heap.
pub(crate) fn heap(samples: &[Sample]) -> Floor {
    floor::collected(samples, |s| s.heap_used.map(|v| v as f64))
}

/// The floor of all external memory, array buffers included.
pub(crate) fn external(samples: &[Sample]) -> Floor {
    floor::collected(samples, |s| s.external.or(s.array_buffers).map(|v| v as f64))
}

/// The floor of RSS before any capture.
pub(crate) fn rss(samples: &[Sample]) -> Floor {
    floor::plain(samples, |s| s.rss.filter(|_| !s.perturbed).map(|v| v as f64))
}

/// The floor of what is neither heap nor external; empty where a part of it is unknown.
pub(crate) fn native(samples: &[Sample]) -> Floor {
    floor::plain(samples, |s| {
        let (rss, heap, external) = (s.rss?, s.heap_total?, s.external?);
        (!s.perturbed).then_some(rss as f64 - heap as f64 - external as f64)
    })
}

/// Buffers and other external memory told apart by which of the two gained more.
pub(crate) fn within_external(samples: &[Sample]) -> Where {
    let buffers = floor::collected(samples, |s| s.array_buffers.map(|v| v as f64));
    let others = floor::collected(samples, |s| Some(s.external? as f64 - s.array_buffers? as f64));
    match (gain(&buffers), gain(&others)) {
        (Some(a), Some(b)) if a >= b => Where::ArrayBuffers,
        // A file with only an arrayBuffers column.
        (Some(_), None) if samples.iter().all(|s| s.external.is_none()) => Where::ArrayBuffers,
        _ => Where::External,
    }
}

/// Where most of a growth lies that only the whole shows: the part that gained most.
pub(crate) fn largest(parts: &[(Where, Judged)]) -> Where {
    parts
        .iter()
        .filter(|(_, part)| part.growth > 0.0)
        .max_by(|a, b| a.1.growth.total_cmp(&b.1.growth))
        .map_or(Where::Unknown, |(place, _)| *place)
}

fn gain(floor: &Floor) -> Option<f64> {
    robust::slope(&floor.points)
}
