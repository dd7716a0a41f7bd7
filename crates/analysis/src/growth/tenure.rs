//! Whether what a growing owner holds stays: the difference between a leak and a busy place.
//!
//! A number that rises from snapshot to snapshot is not yet a leak: a bounded cache that is still filling
//! rises, and so do requests in flight under rising load. But a leak keeps what it has, while a cache at its
//! bound drops its oldest entries and a finished request leaves. With comparable ids that can be seen: of
//! what the owner held in one snapshot, how much does it still hold in the next?
//!
//! Entries are followed by the id of the member or, in a dictionary, by its key, and of a table by keys and
//! by values; the slot that lasts longest decides, because a value may be refreshed under its key. O(members
//! log members).

use std::hash::{Hash, Hasher};

use leakline_heap::{EdgeType, HeapGraph, NodeId};
use rustc_hash::FxHasher;

use super::correspond::Correspondence;
use super::groups::{Group, Pattern, held_edges};

/// Fewer members than this say nothing about how long members stay.
const MIN_MEMBERS: u64 = 16;

/// How lasting the members of a group are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenure {
    /// What came stays.
    Stays,
    /// Much of what was held is gone again: work in flight, a cache that replaces its entries.
    Churns,
    /// Cannot be told: too few members, or no comparable ids.
    Unknown,
}

/// The members of one snapshot, as sorted identities, one list per way of telling them apart.
pub(super) type Tracks = Vec<Vec<u64>>;

/// Follows a group's members through the snapshots, first to last. `earlier` leads from the last graph to
/// each one before it.
pub fn tenure(graphs: &[&HeapGraph], earlier: &[Correspondence], group: &Group) -> Tenure {
    let mut series: Vec<Tracks> = Vec::with_capacity(graphs.len());
    for (i, graph) in graphs.iter().enumerate() {
        let owners = group.owners.iter().filter_map(|&o| match earlier.get(i) {
            Some(at) => at.get(o),
            None => Some(o),
        });
        series.push(tracks(graph, owners, group));
    }
    judge(&series)
}

pub(super) fn judge(series: &[Tracks]) -> Tenure {
    let size = |t: &Tracks| t.iter().map(|ids| ids.len() as u64).max().unwrap_or(0);
    let n = series.len();
    let [.., before, last] = series else { return Tenure::Unknown };
    let kept = shared(before, last);
    let held = size(before);
    if n == 2 {
        return match held {
            ..MIN_MEMBERS => Tenure::Unknown,
            _ if kept * 2 < held => Tenure::Churns,
            _ => Tenure::Stays,
        };
    }
    let oldest_once = shared(&series[0], &series[1]);
    // First in, first out: the oldest lasted one gap and are gone at the end.
    if oldest_once >= MIN_MEMBERS && shared(&series[0], last) * 2 < oldest_once {
        return Tenure::Churns;
    }
    let steps: Vec<u64> =
        series.windows(2).map(|w| size(&w[1]).saturating_sub(size(&w[0]))).collect();
    let gained = steps[n - 3];
    // A leak keeps what came in the gap before; requests in flight have gone.
    let lasting = kept.saturating_sub(shared(&series[n - 3], before));
    if held >= MIN_MEMBERS && gained > 0 && lasting * 2 < gained {
        return Tenure::Churns;
    }
    // Slower growth while entries go: a cache that reaches its bound.
    let largest = steps.iter().copied().max().unwrap_or(0);
    if held >= MIN_MEMBERS
        && steps[n - 2] * 4 <= largest * 3
        && (held - kept.min(held)) * 10 >= held
    {
        return Tenure::Churns;
    }
    if held < MIN_MEMBERS { Tenure::Unknown } else { Tenure::Stays }
}

fn tracks(graph: &HeapGraph, owners: impl Iterator<Item = NodeId>, group: &Group) -> Tracks {
    let mut tracks: Tracks = vec![Vec::new(); 4];
    for owner in owners {
        if let Pattern::Chain(chain) = &group.pattern {
            let objects = chain.walk(graph, owner).into_iter();
            tracks[0].extend(objects.map(|n| u64::from(graph.object_id(n))));
        }
        for (slot, edge) in held_edges(graph, owner, group) {
            tracks[slot % 3].push(u64::from(graph.object_id(edge.to)));
            if group.pattern == Pattern::Keys && edge.kind == EdgeType::Property {
                tracks[3].push(hashed(graph.edge_text(edge).unwrap_or_default()));
            }
        }
    }
    for ids in &mut tracks {
        ids.sort_unstable();
        ids.dedup();
    }
    tracks
}

/// Names in a number range of their own, above all object ids.
fn hashed(name: &str) -> u64 {
    let mut hasher = FxHasher::default();
    name.hash(&mut hasher);
    hasher.finish() | 1 << 63
}

/// How many members two snapshots share, by the way of telling them apart that shares most.
fn shared(a: &Tracks, b: &Tracks) -> u64 {
    let mut best = 0;
    for x in a.iter().filter(|ids| !ids.is_empty()) {
        for y in b.iter().filter(|ids| !ids.is_empty()) {
            best = best.max(common(x, y));
        }
    }
    best
}

fn common(a: &[u64], b: &[u64]) -> u64 {
    let (mut i, mut j, mut n) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                n += 1;
                i += 1;
                j += 1;
            }
        }
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(ranges: &[std::ops::Range<u64>]) -> Vec<Tracks> {
        ranges.iter().map(|r| vec![r.clone().collect()]).collect()
    }

    #[test]
    fn a_leak_stays() {
        assert_eq!(judge(&series(&[0..200, 0..600, 0..1000])), Tenure::Stays);
        assert_eq!(judge(&series(&[0..0, 0..400, 0..800])), Tenure::Stays);
        assert_eq!(judge(&series(&[0..200, 0..600])), Tenure::Stays);
    }

    #[test]
    fn a_cache_that_drops_its_oldest_churns() {
        assert_eq!(judge(&series(&[0..200, 0..600, 300..1000])), Tenure::Churns);
        assert_eq!(judge(&series(&[0..0, 0..400, 100..800])), Tenure::Churns);
        assert_eq!(judge(&series(&[0..0, 0..400, 200..800])), Tenure::Churns);
        assert_eq!(judge(&series(&[0..300, 200..700])), Tenure::Churns);
    }

    #[test]
    fn work_in_flight_churns_even_while_it_rises() {
        assert_eq!(judge(&series(&[0..20, 100..200, 500..900])), Tenure::Churns);
    }

    #[test]
    fn a_leak_beside_work_in_flight_stays() {
        let mut s = series(&[0..100, 0..200, 0..300]);
        for (i, tracks) in s.iter_mut().enumerate() {
            let from = 10_000 * (i as u64 + 1);
            tracks[0].extend(from..from + 1000);
        }
        assert_eq!(judge(&s), Tenure::Stays);
    }

    #[test]
    fn refreshed_values_under_lasting_keys_stay() {
        let s: Vec<Tracks> = (1..=3u64)
            .map(|i| vec![(0..i * 100).collect(), (i * 10_000..i * 10_000 + i * 100).collect()])
            .collect();
        assert_eq!(judge(&s), Tenure::Stays);
    }
}
