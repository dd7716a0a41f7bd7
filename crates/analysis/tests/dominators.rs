//! Dominators and retained sizes: drawn graphs with tables, a naive oracle, and shapes that are hard.

use leakline_analysis::{dominators, retained_sizes, shallow_sizes};
use leakline_heap::{HeapGraph, NodeId};
use leakline_testkit::graph::{Drawn, draw, from_edges};
use proptest::prelude::*;

/// Checks `immediate` (node, dominator) and that nothing else is in the graph.
fn check_tree(drawn: &Drawn, expected: &[(&str, &str)]) {
    let graph = &drawn.graph;
    let tree = dominators(graph);
    let actual: Vec<(&str, &str)> =
        graph.nodes().skip(1).map(|n| (drawn.label(n), drawn.label(tree.immediate(n)))).collect();
    let mut expected = expected.to_vec();
    expected.sort_by_key(|(label, _)| drawn.node(label));
    assert_eq!(actual, expected);
    assert_eq!(tree.immediate(graph.root()), graph.root());
    check_preorder(graph, &tree);
}

/// The preorder lists every node once, and subtrees are what `immediate` says.
fn check_preorder(graph: &HeapGraph, tree: &leakline_analysis::Dominators) {
    assert_eq!(tree.len(), graph.node_count());
    assert_eq!(tree.at(0), graph.root());
    for node in graph.nodes() {
        assert_eq!(tree.at(tree.position(node)), node);
        let children = graph.nodes().skip(1).filter(|&n| tree.immediate(n) == node).count();
        assert_eq!(tree.children(node).count(), children);
        assert!(tree.children(node).all(|child| tree.immediate(child) == node));
        let below: Vec<NodeId> = tree.dominated(node).collect();
        for other in graph.nodes() {
            assert_eq!(tree.dominates(node, other), below.contains(&other));
        }
    }
}

#[test]
fn the_graph_of_lengauer_and_tarjan() {
    // Figure 1 of their paper, and the dominator tree of figure 2.
    let drawn = draw(
        "
        r -> a, b, c
        a -> d
        b -> a, d, e
        c -> f, g
        d -> l
        e -> h
        f -> i
        g -> i, j
        h -> e, k
        i -> k
        j -> i
        k -> i, r
        l -> h
        ",
    );
    check_tree(
        &drawn,
        &[
            ("a", "r"),
            ("b", "r"),
            ("c", "r"),
            ("d", "r"),
            ("e", "r"),
            ("f", "c"),
            ("g", "c"),
            ("h", "r"),
            ("i", "r"),
            ("j", "g"),
            ("k", "r"),
            ("l", "d"),
        ],
    );
}

#[test]
fn self_edges_and_cycles_hold_nobody() {
    let drawn = draw(
        "
        root -> a
        a -> a, b
        b -> c, b
        c -> a, d
        d -> c
        ",
    );
    check_tree(&drawn, &[("a", "root"), ("b", "a"), ("c", "b"), ("d", "c")]);
}

#[test]
fn what_nothing_retains_is_a_root_of_its_own_and_rings_hang_on_the_root() {
    let drawn = draw(
        "
        root -> a
        a -> shared
        root -(weak)-> orphan
        orphan -> below, shared
        ring1 -> ring2, tail, b
        ring2 -> ring1
        tail -> tail2
        a -> b
        ",
    );
    check_tree(
        &drawn,
        &[
            ("a", "root"),
            // The orphan counts as a second owner; the ring does not.
            ("shared", "root"),
            ("orphan", "root"),
            ("below", "orphan"),
            ("ring1", "root"),
            ("ring2", "root"),
            ("tail", "root"),
            ("b", "a"),
            ("tail2", "root"),
        ],
    );
}

#[test]
fn retained_sizes_count_each_byte_once() {
    let drawn = draw(
        "
        root -> a, b
        a -> c, d
        b -> d
        c -> e
        node a: object A 10
        node b: object B 20
        node c: object C 5
        node d: object D 100
        node e: object E 9000000000
        ",
    );
    let graph = &drawn.graph;
    let tree = dominators(graph);
    let retained = retained_sizes(&tree, &shallow_sizes(graph));
    for (label, bytes) in [
        ("root", 9_000_000_135u64),
        ("a", 9_000_000_015),
        ("b", 20),
        ("c", 9_000_000_005),
        ("d", 100),
        ("e", 9_000_000_000),
    ] {
        assert_eq!(retained.get(drawn.node(label)), bytes, "{label}");
    }
}

/// What is reached from the root when `without` is taken away.
fn reached(graph: &HeapGraph, without: Option<NodeId>) -> Vec<bool> {
    let mut seen = vec![false; graph.node_count()];
    let mut stack = vec![graph.root()];
    if without == Some(graph.root()) {
        return seen;
    }
    seen[0] = true;
    while let Some(node) = stack.pop() {
        for edge in graph.edges(node) {
            if Some(edge.to) != without && !seen[edge.to.index()] {
                seen[edge.to.index()] = true;
                stack.push(edge.to);
            }
        }
    }
    seen
}

fn graphs() -> impl Strategy<Value = (Vec<u64>, Vec<(u32, u32)>)> {
    (2usize..40).prop_flat_map(|n| {
        let edge = (0..n as u32, 0..n as u32);
        (prop::collection::vec(0u64..100, n), prop::collection::vec(edge, 0..n * 3))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn dominators_and_retained_sizes_equal_removal_and_reach((sizes, edges) in graphs()) {
        // The oracle over the graph as the module defines it: roots of their own hang on the root.
        let n = sizes.len() as u32;
        let mut held = vec![false; n as usize];
        for &(from, to) in &edges {
            held[to as usize] |= from != to;
        }
        let mut full = edges.clone();
        full.extend((1..n).filter(|&v| !held[v as usize]).map(|v| (0, v)));
        let with_orphans = from_edges(&sizes, &full);
        let alive = reached(&with_orphans, None);
        full.retain(|&(from, _)| alive[from as usize]);
        full.extend((1..n).filter(|&v| !alive[v as usize]).map(|v| (0, v)));
        let oracle = from_edges(&sizes, &full);

        let graph = from_edges(&sizes, &edges);
        let tree = dominators(&graph);
        let retained = retained_sizes(&tree, graph.self_sizes());
        for d in graph.nodes() {
            let rest = reached(&oracle, Some(d));
            let mut freed = 0;
            for v in graph.nodes() {
                let dies = !rest[v.index()];
                prop_assert_eq!(tree.dominates(d, v), dies, "{:?} over {:?}", d, v);
                freed += if dies { graph.self_size(v) } else { 0 };
            }
            prop_assert_eq!(retained.get(d), freed);
        }
    }
}

#[test]
fn a_chain_of_a_million() {
    let n = 1_000_000u32;
    let edges: Vec<(u32, u32)> = (0..n - 1).map(|i| (i, i + 1)).collect();
    let graph = from_edges(&vec![1; n as usize], &edges);
    let tree = dominators(&graph);
    let retained = retained_sizes(&tree, &shallow_sizes(&graph));
    for i in [0, 1, n / 2, n - 1] {
        assert_eq!(retained.get(NodeId(i)), u64::from(n - i));
    }
}

#[test]
fn one_node_with_a_million_edges() {
    let n = 1_000_000u32;
    let mut edges: Vec<(u32, u32)> = (2..n).map(|i| (1, i)).collect();
    edges.push((0, 1));
    edges.extend((2..n).step_by(2).map(|i| (0, i)));
    let graph = from_edges(&vec![1; n as usize], &edges);
    let tree = dominators(&graph);
    assert_eq!(tree.children(NodeId(1)).count(), n as usize / 2 - 1);
    assert_eq!(tree.children(graph.root()).count(), n as usize / 2);
}

/// A linked list whose payloads an array also holds; the list's head is node 1, the array node 2.
fn list_with_array(n: u32) -> HeapGraph {
    let mut edges = vec![(0, 1), (0, 2)];
    let link = |i: u32| if i == 0 { 1 } else { 2 + 2 * i };
    let payload = |i: u32| 3 + 2 * i;
    for i in 0..n {
        edges.push((link(i), payload(i)));
        if i + 1 < n {
            edges.push((link(i), link(i + 1)));
        }
    }
    edges.extend((0..n).map(|i| (2, payload(i))));
    from_edges(&vec![1; 2 * n as usize + 2], &edges)
}

#[test]
fn work_on_a_list_with_an_array_does_not_grow_quadratically() {
    for links_first in [false, true] {
        let steps = |n: u32| {
            let mut graph = list_with_array(n);
            if links_first {
                // The other order of edges makes the other depth-first tree.
                let mut edges: Vec<(u32, u32)> = graph
                    .nodes()
                    .flat_map(|v| graph.edges(v).map(move |e| (v.0, e.to.0)).collect::<Vec<_>>())
                    .collect();
                edges.reverse();
                graph = from_edges(&vec![1; graph.node_count()], &edges);
            }
            let tree = dominators(&graph);
            assert!(graph.nodes().skip(3).step_by(2).all(|payload| tree.immediate(payload).0 == 0));
            tree.steps() as f64 / f64::from(n)
        };
        let (small, large) = (steps(4_000), steps(256_000));
        // Logarithmic growth over a factor of 64 is at most six steps more per element for each walk.
        assert!(large < small + 20.0, "steps per element: {small} grew to {large}");
    }
}
