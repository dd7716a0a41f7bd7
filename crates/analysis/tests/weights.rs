//! What growth sites weigh, against the naive way: take the members out and see what is still reached.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

use leakline_analysis::essential_edges;
use leakline_analysis::growth::{Class, Correspondence, Group, Pattern, correspond, weigh};
use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};
use leakline_testkit::graph::GraphBuilder;
use proptest::prelude::*;

/// A heap of that many objects, with those links.
fn heap(count: u32, links: &[(u32, u32)]) -> HeapGraph {
    let mut builder = GraphBuilder::new();
    builder.node(NodeType::Synthetic, "", 0);
    for i in 1..count {
        let node = builder.node(NodeType::Object, "Object", 1u64 << (i % 20));
        builder.set_id(node, 1 + 2 * i);
    }
    for &(from, to) in links {
        let (from, to) = (NodeId(from % count), NodeId(to % count));
        if from.0 == 0 {
            builder.edge(from, EdgeType::Shortcut, "global", to);
        } else {
            builder.edge(from, EdgeType::Property, "p", to);
        }
    }
    builder.build()
}

fn group(graph: &HeapGraph, owner: u32, members: &[u32]) -> Group {
    let count = graph.node_count() as u32;
    let mut members: Vec<NodeId> =
        members.iter().map(|m| NodeId(m % count)).filter(|m| m.0 > 0).collect();
    members.sort_unstable();
    members.dedup();
    Group {
        owner: NodeId(owner % count),
        owners: vec![NodeId(owner % count)],
        stores: Vec::new(),
        pattern: Pattern::Elements,
        class: Class { kind: NodeType::Object, name: "Object".into(), location: None },
        members,
        tree_bytes: 0,
    }
}

/// New bytes that are reached over the links that pass.
fn reached(
    graph: &HeapGraph,
    first: &Correspondence,
    passes: impl Fn(NodeId, NodeId) -> bool,
) -> u64 {
    let essential = essential_edges(graph);
    let mut seen = vec![false; graph.node_count()];
    let mut stack = vec![graph.root()];
    seen[0] = true;
    let mut bytes = 0;
    while let Some(node) = stack.pop() {
        if first.is_absent(node) {
            bytes += graph.self_size(node);
        }
        for edge in graph.edges(node) {
            if essential.is_essential(edge.id) && !seen[edge.to.index()] && passes(node, edge.to) {
                seen[edge.to.index()] = true;
                stack.push(edge.to);
            }
        }
    }
    bytes
}

proptest! {
    #[test]
    fn all_groups_at_once_weigh_what_each_weighs_alone(
        count in 4u32..24,
        links in prop::collection::vec((0u32..24, 0u32..24), 4..70),
        groups in prop::collection::vec((0u32..24, prop::collection::vec(1u32..24, 1..6)), 1..40),
    ) {
        let graph = heap(count, &links);
        let before = heap(2, &[(0, 1)]);
        let first = correspond(&before, &graph, true);
        let groups: Vec<Group> = groups.iter().map(|(o, m)| group(&graph, *o, m)).collect();
        let weights = weigh(&graph, &essential_edges(&graph), &first, &groups.iter().collect::<Vec<_>>());
        let all = reached(&graph, &first, |_, _| true);
        for (group, weight) in groups.iter().zip(weights) {
            let is_member = |node: NodeId| group.members.contains(&node);
            let without = reached(&graph, &first, |_, to| !is_member(to));
            let uncut = reached(&graph, &first, |from, to| !(is_member(to) && from == group.owner));
            prop_assert_eq!(weight.retained_delta_bytes, all - without);
            prop_assert_eq!(weight.freed_if_cut_bytes, all - uncut);
        }
    }
}
