//! Retaining paths on drawn graphs and random ones.

use leakline_analysis::{PathOptions, RetainingPaths, analyze, remaining_paths, retaining_paths};
use leakline_heap::{HeapGraph, NodeId, Retainers};
use leakline_testkit::graph::{Drawn, draw, from_edges};
use proptest::prelude::*;

fn find(graph: &HeapGraph, node: NodeId, options: PathOptions) -> RetainingPaths {
    retaining_paths(graph, &Retainers::of(graph), &analyze(graph), node, options)
}

fn words(drawn: &Drawn, label: &str) -> (Vec<String>, bool) {
    let found = find(&drawn.graph, drawn.node(label), PathOptions::default());
    let path = |path: &leakline_analysis::RetainingPath| {
        path.steps.iter().map(|s| drawn.label(s.node)).collect::<Vec<_>>().join(" ")
    };
    (found.paths.iter().map(path).collect(), found.truncated)
}

#[test]
fn each_independent_owner_has_a_path() {
    let drawn = draw(
        "
        root -(shortcut 1)-> global
        global -> cache, registry, scratch
        registry -> list
        cache -> entry
        list -> entry
        entry -> body
        scratch -(weak)-> entry
        ",
    );
    let both = ["global cache entry", "global registry list entry"];
    let (paths, truncated) = words(&drawn, "entry");
    assert_eq!((paths, truncated), (both.map(String::from).to_vec(), false));
    // What hangs on the entry has the entry's owners.
    let (paths, _) = words(&drawn, "body");
    assert_eq!(paths, both.map(|p| format!("{p} body")));
}

#[test]
fn a_backing_store_is_no_second_owner() {
    let drawn = draw(
        "
        root -(shortcut 1)-> global
        global -> list
        list -(element 3)-> item
        list -(internal elements)-> elements
        elements -(internal 3)-> item
        node elements: array (object_elements) 100
        ",
    );
    assert_eq!(words(&drawn, "item"), (vec!["global list item".to_owned()], false));
}

#[test]
fn what_only_holds_the_object_through_itself_is_no_path() {
    let drawn = draw(
        "
        root -(shortcut 1)-> global
        global -> a
        a -> item
        item -> back
        back -> item, a
        lost -> lost2
        lost2 -> lost
        ",
    );
    assert_eq!(words(&drawn, "item"), (vec!["global a item".to_owned()], false));
    assert_eq!(words(&drawn, "lost"), (vec![], false));
    assert_eq!(words(&drawn, "root"), (vec![], false));
}

#[test]
fn more_owners_than_asked_for_are_announced() {
    let mut edges = vec![];
    for owner in 1..=20 {
        edges.extend([(0, owner), (owner, 21)]);
    }
    let graph = from_edges(&[1; 22], &edges);
    let options = PathOptions { max_paths: 5, max_depth: 50 };
    let found = find(&graph, NodeId(21), options);
    assert_eq!((found.paths.len(), found.truncated), (5, true));
    let all = find(&graph, NodeId(21), PathOptions { max_paths: 20, ..options });
    assert_eq!((all.paths.len(), all.truncated), (20, false));
}

#[test]
fn of_a_path_of_a_million_steps_the_ends_are_shown() {
    let n = 1_000_000u32;
    let edges: Vec<(u32, u32)> = (0..n - 1).map(|i| (i, i + 1)).collect();
    let graph = from_edges(&vec![1; n as usize], &edges);
    let found = find(&graph, NodeId(n - 1), PathOptions { max_paths: 3, max_depth: 11 });
    let path = &found.paths[0];
    let nodes: Vec<u32> = path.steps.iter().map(|s| s.node.0).collect();
    assert_eq!(nodes[..5], [1, 2, 3, 4, 5]);
    assert_eq!(nodes[5..], [n - 6, n - 5, n - 4, n - 3, n - 2, n - 1]);
    assert_eq!((path.omitted_after, path.omitted_steps), (5, n as usize - 1 - 11));
    assert!(found.truncated);
}

proptest! {
    #[test]
    fn paths_are_paths_and_the_first_is_the_shortest(
        (n, edges) in (2u32..30).prop_flat_map(|n| {
            (Just(n), prop::collection::vec((0..n, 0..n), 0..80))
        })
    ) {
        let graph = from_edges(&vec![1; n as usize], &edges);
        let mut depth = vec![usize::MAX; n as usize];
        let mut queue = vec![0u32];
        depth[0] = 0;
        let mut at = 0;
        while at < queue.len() {
            let v = queue[at];
            at += 1;
            for &(_, to) in edges.iter().filter(|e| e.0 == v) {
                if depth[to as usize] == usize::MAX {
                    depth[to as usize] = depth[v as usize] + 1;
                    queue.push(to);
                }
            }
        }
        for target in (1..n).map(NodeId) {
            let found = find(&graph, target, PathOptions::default());
            let reachable = depth[target.index()] != usize::MAX;
            prop_assert_eq!(found.paths.is_empty(), !reachable);
            if let Some(first) = found.paths.first() {
                prop_assert_eq!(first.steps.len(), depth[target.index()]);
            }
            for path in &found.paths {
                let mut from = graph.root();
                for step in &path.steps {
                    prop_assert_eq!(graph.edge_source(step.edge), from);
                    prop_assert_eq!(graph.edge(step.edge).to, step.node);
                    from = step.node;
                }
                prop_assert_eq!(from, target);
            }
        }
    }

    #[test]
    fn what_remains_without_some_retainers_passes_none_of_them(
        (n, edges) in (3u32..20).prop_flat_map(|n| {
            (Just(n), prop::collection::vec((0..n, 0..n), 0..60))
        }),
        ignored in prop::collection::vec(1u32..20, 1..4),
    ) {
        let graph = from_edges(&vec![1; n as usize], &edges);
        let (held, analysis) = (Retainers::of(&graph), analyze(&graph));
        let reached = |ignored: &[u32]| {
            let mut seen = vec![false; n as usize];
            let mut stack = vec![0u32];
            while let Some(v) = stack.pop() {
                if ignored.contains(&v) || std::mem::replace(&mut seen[v as usize], true) {
                    continue;
                }
                stack.extend(edges.iter().filter(|e| e.0 == v).map(|e| e.1));
            }
            seen
        };
        let ignored: Vec<u32> = ignored.into_iter().filter(|&i| i < n).collect();
        let (before, after) = (reached(&[]), reached(&ignored));
        let nodes: Vec<NodeId> = ignored.iter().map(|&i| NodeId(i)).collect();
        for target in (1..n).filter(|t| !ignored.contains(t)).map(NodeId) {
            let options = PathOptions::default();
            let found = remaining_paths(&graph, &held, &analysis, target, options, &nodes);
            let (alive, was) = (after[target.index()], before[target.index()]);
            prop_assert_eq!(found.freed, was && !alive);
            prop_assert_eq!(found.paths.paths.is_empty(), !alive);
            for path in &found.paths.paths {
                let mut from = graph.root();
                for step in &path.steps {
                    prop_assert!(!nodes.contains(&step.node));
                    prop_assert_eq!(graph.edge_source(step.edge), from);
                    from = step.node;
                }
                prop_assert_eq!(from, target);
            }
        }
    }
}
