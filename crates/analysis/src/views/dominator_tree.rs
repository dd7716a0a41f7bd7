//! The dominator tree, a level at a time: what dies with an object, and with whom the object dies.
//!
//! Where nearly all of an object's retained size hangs on one child, and of that child's on one of its own,
//! the way down is followed to the place where it spreads: the *accumulation point*. There many objects are
//! kept by one, which is what a leak looks like.

use std::cmp::Reverse;

use leakline_heap::NodeId;
use serde::Serialize;

use super::row::{Heap, ObjectRow};

/// A child with at least this share of its parent's retained size is followed. The analyzer that made the
/// notion known (Eclipse MAT's leak suspects) draws the line there too: the size drops by a third or more.
const BIG_SHARE: f64 = 0.7;
/// Dominators that are named, and steps on the way down; of a longer chain the two ends.
const MAX_CHAIN: usize = 100;

/// A part of the dominator tree, in the shape of `leakline dominators --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DominatorsView {
    /// The object; the root when none was asked for.
    pub object: ObjectRow,
    /// How many dominators it has up to the root.
    pub depth: u64,
    /// Its dominators, the immediate one first, the root last; of more than a hundred the two ends.
    pub chain: Vec<ObjectRow>,
    /// How many are left out in the middle of `chain`.
    pub omitted_dominators: u64,
    /// How many objects die with it, itself not counted.
    pub dominated_count: u64,
    /// How many objects it dominates immediately.
    pub children_count: u64,
    /// They, largest retained size first.
    pub children: Vec<ObjectRow>,
    /// Where the weight below it gathers; `None` when it spreads at once.
    pub accumulation: Option<Accumulation>,
}

/// The place to which the heaviest way down leads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Accumulation {
    /// The accumulation point.
    pub object: ObjectRow,
    /// How many steps it is below the object asked for.
    pub steps: u64,
    /// Its retained size as a share of that object's, 0 to 1.
    pub share: f64,
    /// Its heaviest child.
    pub largest_child: Option<ObjectRow>,
    /// How many objects it dominates immediately.
    pub children_count: u64,
}

/// The tree around `node`. O(dominators above + children on the heaviest way down).
pub fn dominator_tree(heap: &Heap<'_>, node: NodeId) -> DominatorsView {
    let (graph, tree) = (heap.graph, &heap.analysis.dominators);
    let mut above = Vec::new();
    let mut at = node;
    // No chain is longer than there are objects, unless somebody lends us nonsense that goes in circles.
    while at != graph.root() && above.len() < graph.node_count() {
        at = tree.immediate(at);
        above.push(at);
    }
    let depth = above.len() as u64;
    let omitted = above.len().saturating_sub(MAX_CHAIN);
    if omitted > 0 {
        above.drain(MAX_CHAIN / 2..MAX_CHAIN / 2 + omitted);
    }
    let mut children: Vec<NodeId> = tree.children(node).collect();
    children.sort_by_key(|&c| (Reverse(heap.analysis.retained_size(c)), c));
    DominatorsView {
        object: heap.row(node),
        depth,
        chain: above.into_iter().map(|d| heap.row(d)).collect(),
        omitted_dominators: omitted as u64,
        dominated_count: (tree.subtree_len(tree.position(node)) as u64).saturating_sub(1),
        children_count: children.len() as u64,
        children: children.into_iter().map(|c| heap.row(c)).collect(),
        accumulation: accumulation(heap, node),
    }
}

fn accumulation(heap: &Heap<'_>, from: NodeId) -> Option<Accumulation> {
    let size = |n: NodeId| heap.analysis.retained_size(n);
    // Every object is the child of one: a walk that looks at more children goes in circles, through
    // nonsense that somebody lends us.
    let mut left = heap.graph.node_count();
    let mut largest = |n: NodeId| {
        let children = heap.analysis.dominators.children(n);
        let looked_at = children.take_while(|_| {
            left = left.saturating_sub(1);
            left > 0
        });
        looked_at.max_by_key(|&c| (size(c), Reverse(c)))
    };
    let mut at = from;
    let mut steps = 0;
    let mut child = largest(at);
    while let Some(next) = child {
        // The root holds everything there is; what matters begins with its heaviest child.
        let of_root = at == heap.graph.root();
        if !of_root && (size(next) as f64) < BIG_SHARE * size(at) as f64 {
            break;
        }
        at = next;
        steps += 1;
        child = largest(at);
    }
    (steps > 0).then(|| Accumulation {
        object: heap.row(at),
        steps,
        share: size(at) as f64 / size(from).max(1) as f64,
        largest_child: child.map(|c| heap.row(c)),
        children_count: heap.analysis.dominators.children(at).count() as u64,
    })
}
