//! What a growth site weighs, exactly.

use leakline_heap::{HeapGraph, NodeId};

use super::correspond::Correspondence;
use super::groups::Group;
use crate::essential::EssentialEdges;

/// Bytes of new objects that depend on a group. Each byte once, whatever else overlaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// New bytes that nothing holds any more when the whole group is gone.
    pub retained_delta_bytes: u64,
    /// New bytes that nothing holds any more when only the owners let go.
    pub freed_if_cut_bytes: u64,
    /// Shallow size of the group's members together.
    pub shallow_bytes: u64,
}

/// The new bytes that are held at all: what [`weigh`] measures against. O(nodes + edges).
pub fn held_new_bytes(
    graph: &HeapGraph,
    essential: &EssentialEdges,
    first: &Correspondence,
) -> u64 {
    reached_new_bytes(graph, first, |_, edge, _| essential.is_essential(edge))
}

/// Weighs a group by reaching everything else without it: O(nodes + edges), no recursion.
pub fn weigh(
    graph: &HeapGraph,
    essential: &EssentialEdges,
    group: &Group,
    first: &Correspondence,
    all_new_bytes: u64,
) -> Weight {
    let n = graph.node_count();
    let mut member = vec![false; n];
    let mut shallow_bytes = 0;
    for &m in &group.members {
        if !std::mem::replace(&mut member[m.index()], true) {
            shallow_bytes += graph.self_size(m);
        }
    }
    let mut holder = vec![false; n];
    for node in group.owners.iter().chain(&group.stores) {
        holder[node.index()] = true;
    }
    let without_group = reached_new_bytes(graph, first, |_, edge, to| {
        essential.is_essential(edge) && !member[to.index()]
    });
    let without_links = reached_new_bytes(graph, first, |from, edge, to| {
        essential.is_essential(edge) && !(member[to.index()] && holder[from.index()])
    });
    Weight {
        retained_delta_bytes: all_new_bytes.saturating_sub(without_group),
        freed_if_cut_bytes: all_new_bytes.saturating_sub(without_links),
        shallow_bytes,
    }
}

/// New bytes that are reached from the root over the links that `passes` lets through.
fn reached_new_bytes(
    graph: &HeapGraph,
    first: &Correspondence,
    passes: impl Fn(NodeId, leakline_heap::EdgeId, NodeId) -> bool,
) -> u64 {
    let mut seen = vec![false; graph.node_count()];
    let mut stack = vec![graph.root()];
    seen[0] = true;
    let mut bytes = 0;
    while let Some(node) = stack.pop() {
        if first.is_absent(node) {
            bytes += graph.self_size(node);
        }
        for edge in graph.edges(node) {
            if !seen[edge.to.index()] && passes(node, edge.id, edge.to) {
                seen[edge.to.index()] = true;
                stack.push(edge.to);
            }
        }
    }
    bytes
}
