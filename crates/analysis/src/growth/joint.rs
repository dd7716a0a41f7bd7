//! Sites that hold the same things together.
//!
//! `events.once(bus, 'ready')` adds two listeners, one for `ready` and one for `error`, and both keep the waiting
//! function. Without either list alone nothing is freed, so each weighs next to nothing, however much hangs below.
//! Sites whose members share what they hold are therefore weighed together, and each gets the common weight: it is
//! what goes when the leak is mended. One traversal for each set of sites.

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};
use rustc_hash::FxHashSet;

use super::GrowthSite;
use super::correspond::Correspondence;
use super::groups::{Group, Pattern};
use super::weigh::weigh;
use crate::essential::EssentialEdges;

/// A site that frees less than this part of what hangs below it shares it with others.
const SHARED: u64 = 4;

/// Links of one member that are followed: what a closure or a wrapper has, not what a collection holds.
const MAX_LINKS: usize = 24;

/// Gives sites that share what they hold their common weight.
pub(super) fn weigh_together(
    graph: &HeapGraph,
    essential: &EssentialEdges,
    first: &Correspondence,
    sites: &mut [GrowthSite],
) {
    let mut done = vec![false; sites.len()];
    for at in 0..sites.len() {
        let site = &sites[at];
        if done[at]
            || site.group.tree_bytes / SHARED <= site.weight.retained_delta_bytes
            || site.group.pattern == Pattern::List
        {
            continue;
        }
        let shared = held(graph, first, &site.group);
        let delta = site.delta();
        let together: Vec<usize> = (0..sites.len())
            .filter(|&other| {
                other == at
                    || similar(delta, sites[other].delta())
                        && shares(graph, first, &sites[other].group, &shared)
            })
            .collect();
        if together.len() < 2 {
            continue;
        }
        let mut common = sites[at].group.clone();
        for &other in together.iter().filter(|other| **other != at) {
            let group = &sites[other].group;
            common.members.extend(&group.members);
            common.owners.extend(&group.owners);
            common.stores.extend(&group.stores);
        }
        common.members.sort_unstable();
        common.members.dedup();
        let weight = weigh(graph, essential, first, &[&common])[0];
        for other in together {
            done[other] = true;
            let own = &mut sites[other].weight;
            own.retained_delta_bytes = own.retained_delta_bytes.max(weight.retained_delta_bytes);
        }
    }
}

/// Whether two sites grow by about the same number.
fn similar(a: u64, b: u64) -> bool {
    a.abs_diff(b) * 4 <= a.max(b)
}

/// New objects that the members hold: directly, and through their functions.
fn held(graph: &HeapGraph, first: &Correspondence, group: &Group) -> FxHashSet<NodeId> {
    let mut found = FxHashSet::default();
    for &member in &group.members {
        found.extend(held_by(graph, first, member));
    }
    found
}

fn shares(
    graph: &HeapGraph,
    first: &Correspondence,
    group: &Group,
    shared: &FxHashSet<NodeId>,
) -> bool {
    let with = group
        .members
        .iter()
        .filter(|m| held_by(graph, first, **m).iter().any(|n| shared.contains(n)))
        .count();
    with * 2 >= group.members.len()
}

fn held_by(graph: &HeapGraph, first: &Correspondence, member: NodeId) -> Vec<NodeId> {
    let is_part = |node: NodeId| {
        matches!(graph.node_type(node), NodeType::Object | NodeType::Closure)
            && first.is_absent(node)
            && graph.self_size(node) > 0
    };
    let links = |node: NodeId| -> Vec<NodeId> {
        let edges = graph.edges(node).take(MAX_LINKS);
        edges.filter(|e| e.kind != EdgeType::Weak).map(|e| e.to).filter(|n| is_part(*n)).collect()
    };
    let mut found = links(member);
    let functions: Vec<NodeId> =
        found.iter().copied().filter(|n| graph.node_type(*n) == NodeType::Closure).collect();
    for function in functions {
        found.extend(links(function));
    }
    found
}
