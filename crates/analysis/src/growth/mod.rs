//! Growth sites: the places where old objects accumulate new ones.
//!
//! A table of constructors says what there is more of; it does not say who keeps it. This module compares
//! the *structure* of the first and the last snapshot:
//!
//! 1. `correspond`: which object of the last snapshot is which object of an earlier one. By id, and where
//!    an object was merely replaced (a grown backing store, `list = [...list, x]`), by its place.
//! 2. `tree`: for each object the retaining path a JavaScript developer would draw, as one tree.
//! 3. `groups`: edges from an owner to new objects, folded by pattern (`[]`, `{key}`, `.name`) and class,
//!    with the owner's number of such edges in every snapshot.
//! 4. `kept`: what the runtime itself keeps in lists that no owner has: timers, listeners of event targets,
//!    reactions on promises, handles. They are counted by kind.
//! 5. `weigh`: the exact bytes that go when the group goes.
//!
//! Where no owner holds many, `chains` finds objects that hold each other in a row, and `room` the stores that
//! grow by numbers alone.
//!
//! Cost: O(nodes + edges). What does not depend on each other runs on two threads.

mod chains;
mod correspond;
mod groups;
mod joint;
mod kept;
mod repeats;
mod room;
mod siblings;
mod swells;
mod tenure;
mod tree;
mod weigh;

use leakline_heap::{HeapGraph, NodeId};
use serde::Serialize;

pub use chains::{Chain, Link};
pub use correspond::{Correspondence, correspond};
pub use groups::{Class, Group, Pattern, growth_groups};
pub use kept::Kept;
pub(crate) use kept::{Side, handle_side, unbound, waiter};
pub use swells::Swelling;
pub use tenure::Tenure;
pub use tree::RetainingTree;
pub use weigh::{Weight, weigh};

use crate::analysis::on_two_threads;
use crate::comparability::{By, Comparability, comparability};
use crate::essential::{EssentialEdges, essential_edges};

/// How much the heap grew: what the last snapshot has and the first does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Growth {
    /// How many objects.
    pub objects: u64,
    /// The sum of their shallow sizes, in bytes.
    pub retained_bytes: u64,
}

/// A place where an owner gained objects from the first snapshot to the last.
#[derive(Clone, Debug)]
pub struct GrowthSite {
    /// Owner, pattern, class and members in the last snapshot.
    pub group: Group,
    /// How many the owner held in each snapshot, first to last.
    pub counts: Vec<u64>,
    /// What it weighs.
    pub weight: Weight,
    /// Whether its members stay from one snapshot to the next.
    pub tenure: Tenure,
}

impl GrowthSite {
    /// How many more the last snapshot has than the first.
    pub fn delta(&self) -> u64 {
        let last = self.counts.last().copied().unwrap_or(0);
        last.saturating_sub(self.counts.first().copied().unwrap_or(0))
    }

    /// Whether the number rose from each snapshot to the next.
    pub fn grows_in_every_gap(&self) -> bool {
        if self.group.pattern == Pattern::Room {
            // Room comes in doubles: it may suffice for one gap, but has to grow in the last.
            let steps = || self.counts.windows(2);
            return steps().all(|w| w[0] <= w[1])
                && steps().next_back().is_some_and(|w| w[0] < w[1]);
        }
        self.counts.windows(2).all(|w| w[0] < w[1])
    }
}

/// The comparison of a series of snapshots of one process, first to last.
pub struct GrowthAnalysis<'a> {
    /// The graphs, first to last.
    pub graphs: Vec<&'a HeapGraph>,
    /// Whether ids of first and last can be compared.
    pub comparable: Comparability,
    /// For the last snapshot, the objects of each earlier one.
    pub earlier: Vec<Correspondence>,
    /// What retains, in the last snapshot.
    pub essential: EssentialEdges,
    /// How each object is held, in the last snapshot.
    pub tree: RetainingTree,
    /// New objects of the last snapshot.
    pub is_new: Vec<bool>,
    /// Their number and size.
    pub growth: Growth,
    /// Growth sites, heaviest first; none lies inside another.
    pub sites: Vec<GrowthSite>,
}

/// Sites that are weighed exactly; leaks beyond the twelfth weigh little.
const MAX_SITES: usize = 12;

/// Sites beyond these that are weighed because much hangs below what they hold, though by another path.
const MAX_SHARED_SITES: usize = 6;

/// Less than this part of the growth explains nothing of it.
const SMALLEST_PART: u64 = 50;

impl<'a> GrowthAnalysis<'a> {
    /// Compares two or more snapshots of one process, first to last.
    ///
    /// # Panics
    /// With fewer than two graphs; the command line asks for two.
    pub fn of(graphs: &[&'a HeapGraph]) -> Self {
        assert!(graphs.len() >= 2, "a comparison needs two snapshots");
        let last = graphs[graphs.len() - 1];
        let matched = || {
            let comparable = comparability(graphs[0], last);
            let by_id = comparable.by == By::Id;
            let earlier: Vec<Correspondence> =
                graphs[..graphs.len() - 1].iter().map(|g| correspond(g, last, by_id)).collect();
            (comparable, earlier)
        };
        let held = || {
            let essential = essential_edges(last);
            let tree = RetainingTree::of(last, &essential);
            (essential, tree)
        };
        let ((comparable, earlier), (essential, tree)) = on_two_threads(matched, held);
        let by_id = comparable.by == By::Id;

        let first = &earlier[0];
        // Nodes without a size stand for values (numbers, `null`); newer V8 numbers them afresh each time.
        let is_new: Vec<bool> =
            last.nodes().map(|n| first.is_new(n) && last.self_size(n) > 0).collect();
        let growth = new_in(last, &earlier[0]);
        let below = groups::new_bytes_below(last, &tree, &is_new);
        let groups = growth_groups(graphs, &earlier, &tree, &is_new, &below);
        let mut sites: Vec<GrowthSite> = worth_weighing(groups, &tree, &below, growth)
            .into_iter()
            .map(|(group, counts)| {
                let tenure =
                    if by_id { tenure::tenure(graphs, &earlier, &group) } else { Tenure::Unknown };
                GrowthSite { group, counts, weight: Weight::default(), tenure }
            })
            .collect();
        for kept in kept::kept_sites(graphs, &earlier, &tree, &below, by_id) {
            let kept::KeptSite { group, counts, tenure } = kept;
            sites.push(GrowthSite { group, counts, weight: Weight::default(), tenure });
        }
        let groups: Vec<&Group> = sites.iter().map(|site| &site.group).collect();
        let weights = weigh(last, &essential, first, &groups);
        for (site, weight) in sites.iter_mut().zip(weights) {
            site.weight = weight;
        }
        joint::weigh_together(last, &essential, first, &mut sites);
        sites.sort_by_key(|s| std::cmp::Reverse(s.weight.retained_delta_bytes));
        Self {
            graphs: graphs.to_vec(),
            comparable,
            earlier,
            essential,
            tree,
            is_new,
            growth,
            sites,
        }
    }

    /// The last snapshot.
    pub fn last(&self) -> &'a HeapGraph {
        self.graphs[self.graphs.len() - 1]
    }
}

/// The groups that are weighed: those that grew from each snapshot to the next before all others, the heaviest by
/// the retaining tree, and some that only look light. In the tree each object hangs on one holder, so that a second
/// holder's group weighs nothing there; whether it is one that counts, only the exact weight says.
fn worth_weighing(
    groups: Vec<(Group, Vec<u64>)>,
    tree: &RetainingTree,
    below: &[u64],
    growth: Growth,
) -> Vec<(Group, Vec<u64>)> {
    let rises = |counts: &[u64]| counts.windows(2).all(|w| w[0] < w[1]);
    let (mut chosen, mut others): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|(_, counts)| rises(counts));
    let rest = chosen.split_off(chosen.len().min(MAX_SITES));
    others.truncate(MAX_SITES - chosen.len());
    chosen.extend(others);
    let heavy = |(group, _): &(Group, Vec<u64>)| {
        union_below(tree, below, &group.members) * SMALLEST_PART >= growth.retained_bytes
    };
    chosen.extend(rest.into_iter().filter(heavy).take(MAX_SHARED_SITES));
    chosen
}

/// New bytes at and below any of the nodes in the tree, each once. O(members log members).
fn union_below(tree: &RetainingTree, below: &[u64], members: &[NodeId]) -> u64 {
    let reached = members.iter().copied().filter(|m| tree.is_reached(*m));
    let mut ranges: Vec<(std::ops::Range<u32>, NodeId)> =
        reached.map(|m| (tree.range(m), m)).collect();
    ranges.sort_unstable_by_key(|(range, _)| range.start);
    let (mut end, mut bytes) = (0, 0);
    for (range, member) in ranges {
        if range.start >= end {
            end = range.end;
            bytes += below[member.index()];
        }
    }
    bytes
}

fn new_in(last: &HeapGraph, first: &Correspondence) -> Growth {
    let mut growth = Growth::default();
    for node in last.nodes().filter(|n| first.is_absent(*n) && last.self_size(*n) > 0) {
        growth.objects += 1;
        growth.retained_bytes += last.self_size(node);
    }
    growth
}

/// The node and all above it to the root, from the node upwards; bounded, for display.
pub fn ancestors(tree: &RetainingTree, node: NodeId, limit: usize) -> Vec<NodeId> {
    let mut chain = vec![node];
    let mut at = node;
    while let Some(edge) = tree.parent(at) {
        at = edge.from;
        chain.push(at);
        if chain.len() >= limit {
            break;
        }
    }
    chain
}
