//! Chains, stores of numbers, collections in collections and caches on drawn heaps, each with a healthy twin.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod drawn;

use std::ops::Range;

use drawn::Heap;
use leakline_analysis::Scripts;
use leakline_analysis::detect::{Context, Finding, Rule, detect};
use leakline_analysis::growth::{GrowthAnalysis, Pattern};
use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType, Retainers};

fn with_findings<R>(graphs: &[HeapGraph], look: impl FnOnce(&[Finding<'_>]) -> R) -> R {
    let growth = GrowthAnalysis::of(&graphs.iter().collect::<Vec<_>>());
    let retainers = Retainers::of(growth.last());
    let scripts = Scripts::of(growth.last());
    look(&detect(&Context { growth: &growth, retainers: &retainers, scripts: &scripts }))
}

/// Objects by their number, oldest first; `link` joins each with its neighbour.
fn entries(heap: &mut Heap, range: Range<u32>, mut link: impl FnMut(&mut Heap, NodeId, NodeId)) {
    let mut before: Option<NodeId> = None;
    let nodes: Vec<NodeId> = range.map(|i| heap.object("Entry", 200, 10_001 + i * 2)).collect();
    for node in nodes {
        if let Some(before) = before {
            link(heap, before, node);
        }
        before = Some(node);
    }
}

/// `last = { prev: last }`: a variable holds the newest.
fn newest_first(range: Range<u32>) -> HeapGraph {
    let mut heap = Heap::new();
    let state = heap.variable("state", "State", 61);
    let mut newest = None;
    entries(&mut heap, range, |heap, before, node| {
        heap.builder.edge(node, EdgeType::Property, "prev", before);
        newest = Some(node);
    });
    heap.builder.edge(state, EdgeType::Property, "last", newest.unwrap());
    heap.build()
}

/// `tail.next = node`: a variable holds the oldest.
fn oldest_first(range: Range<u32>) -> HeapGraph {
    let mut heap = Heap::new();
    let list = heap.variable("list", "List", 61);
    let mut oldest = None;
    entries(&mut heap, range, |heap, before, node| {
        heap.builder.edge(before, EdgeType::Property, "next", node);
        oldest.get_or_insert(before);
    });
    heap.builder.edge(list, EdgeType::Property, "head", oldest.unwrap());
    heap.build()
}

/// Both at once.
fn both_ways(range: Range<u32>) -> HeapGraph {
    let mut heap = Heap::new();
    let list = heap.variable("list", "List", 61);
    let (mut oldest, mut newest) = (None, None);
    entries(&mut heap, range, |heap, before, node| {
        heap.builder.edge(before, EdgeType::Property, "next", node);
        heap.builder.edge(node, EdgeType::Property, "prev", before);
        oldest.get_or_insert(before);
        newest = Some(node);
    });
    heap.builder.edge(list, EdgeType::Property, "head", oldest.unwrap());
    heap.builder.edge(list, EdgeType::Property, "tail", newest.unwrap());
    heap.build()
}

#[test]
fn a_chain_is_counted_from_either_end() {
    for (draw, holders) in [
        (newest_first as fn(Range<u32>) -> HeapGraph, &["state.last"][..]),
        (oldest_first, &["list.head"]),
        (both_ways, &["list.head", "list.tail"]),
    ] {
        with_findings(&[0..40, 0..120, 0..200].map(draw), |found| {
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].rule, Rule::Chain);
            assert!(holders.contains(&found[0].holder.as_str()), "{}", found[0].holder);
            assert_eq!(found[0].site.counts, [40, 120, 200]);
            assert_eq!(found[0].site.weight.retained_delta_bytes, 160 * 200);
            assert!(matches!(found[0].site.group.pattern, Pattern::Chain(_)));
        });
    }
}

#[test]
fn a_chain_that_loses_its_oldest_is_none() {
    for draw in [newest_first as fn(Range<u32>) -> HeapGraph, oldest_first, both_ways] {
        with_findings(&[0..100, 200..300, 400..500].map(draw), |found| {
            assert!(found.is_empty(), "{found:?}");
        });
        // It fills up to its bound and then drops.
        with_findings(&[0..40, 0..120, 60..200].map(draw), |found| {
            assert!(found.is_empty(), "{found:?}");
        });
    }
}

#[test]
fn functions_that_wrap_each_other_are_a_chain_through_their_scopes() {
    let graphs = [40u32, 120, 200].map(|n| {
        let mut heap = Heap::new();
        let state = heap.variable("app", "App", 61);
        let mut inner: Option<NodeId> = None;
        for i in 0..n {
            let function = heap.builder.node(NodeType::Closure, "wrapped", 64);
            heap.builder.set_id(function, 10_001 + i * 4);
            heap.builder.location(function, 7, 9, 2);
            let scope = heap.object("system / Context", 40, 10_003 + i * 4);
            heap.builder.edge(function, EdgeType::Internal, "context", scope);
            if let Some(inner) = inner {
                heap.builder.edge(scope, EdgeType::Context, "next", inner);
            }
            inner = Some(function);
        }
        heap.builder.edge(state, EdgeType::Property, "handler", inner.unwrap());
        heap.build()
    });
    with_findings(&graphs, |found| {
        assert_eq!((found[0].rule, found[0].holder.as_str()), (Rule::Chain, "app.handler"));
        assert_eq!(found[0].site.counts, [40, 120, 200]);
    });
}

#[test]
fn rings_and_crowded_links_end() {
    let graphs = [40u32, 120, 200].map(|n| {
        let mut heap = Heap::new();
        let state = heap.variable("state", "State", 61);
        let nodes: Vec<NodeId> = (0..n).map(|i| heap.object("Node", 50, 10_001 + i * 2)).collect();
        for (i, &node) in nodes.iter().enumerate() {
            heap.builder.edge(node, EdgeType::Property, "next", nodes[(i + 1) % nodes.len()]);
            heap.builder.edge(node, EdgeType::Property, "owner", nodes[0]);
        }
        heap.builder.edge(state, EdgeType::Property, "ring", nodes[0]);
        heap.build()
    });
    with_findings(&graphs, |found| assert_eq!(found[0].site.counts, [40, 120, 200]));
}

/// A `Map` of numbers with room for so many.
fn numbers(capacity: u64) -> HeapGraph {
    let mut heap = Heap::new();
    let owner = heap.variable("seen", "Map", 61);
    // Two words of header, three of counts, half a bucket and three slots an entry.
    let size = 8 * (2 + 3 + capacity / 2 + 3 * capacity);
    let table = heap.builder.node(NodeType::Array, "", size);
    heap.builder.set_id(table, 500_001 + 2 * capacity as u32);
    heap.builder.edge(owner, EdgeType::Internal, "table", table);
    heap.build()
}

#[test]
fn numbers_are_told_by_the_room_they_take() {
    for rooms in [[512, 2048, 4096], [512, 512, 2048]] {
        with_findings(&rooms.map(numbers), |found| {
            assert_eq!((found[0].rule, found[0].holder.as_str()), (Rule::Collection, "seen"));
            assert_eq!(found[0].site.counts, rooms);
        });
    }
    for rooms in [[1024, 1024, 1024], [512, 1024, 1024], [2048, 512, 1024]] {
        with_findings(&rooms.map(numbers), |found| assert!(found.is_empty(), "{found:?}"));
    }
}

/// An array for each of `users`, each with so many values.
fn per_user(users: u32, each: Range<u32>) -> HeapGraph {
    let mut heap = Heap::new();
    let by_user = heap.variable("byUser", "Object", 61);
    for user in 0..users {
        let list = heap.object("Array", 16, 1_001 + 2 * user);
        heap.builder.edge(by_user, EdgeType::Property, &format!("user{user}"), list);
        for (slot, i) in each.clone().enumerate() {
            let value = heap.object("Value", 90, 200_001 + 2 * (user * 1000 + i));
            heap.builder.indexed_edge(list, EdgeType::Element, slot as u32, value);
        }
    }
    heap.build()
}

#[test]
fn many_small_lists_under_keys_are_one_growth_site() {
    let graphs = [1, 2, 3].map(|n| per_user(60, 0..n));
    with_findings(&graphs, |found| {
        assert_eq!((found[0].rule, found[0].holder.as_str()), (Rule::Collection, "byUser[…]"));
        assert_eq!(found[0].site.counts, [60, 120, 180]);
    });
    let bounded = [0..3, 4..7, 9..12].map(|each| per_user(60, each));
    with_findings(&bounded, |found| assert!(found.is_empty(), "{found:?}"));
}

/// `results` in a scope inside the module's; beside it a function that came from outside, or a number.
fn memo(entries: u32, memoizes: bool) -> HeapGraph {
    let mut heap = Heap::new();
    let holder = heap.variable("parse", "Holder", 61);
    let mut closure = |id: u32| {
        let node = heap.builder.node(NodeType::Closure, "f", 64);
        heap.builder.set_id(node, id);
        node
    };
    let (memoized, function) = (closure(63), closure(65));
    let outer = heap.object("system / Context", 40, 67);
    let scope = heap.object("system / Context", 40, 69);
    let results = heap.object("Map", 32, 71);
    let table = heap.table_of(results, 73);
    heap.builder.edge(holder, EdgeType::Property, "run", memoized);
    heap.builder.edge(memoized, EdgeType::Internal, "context", scope);
    heap.builder.edge(scope, EdgeType::Internal, "previous", outer);
    heap.builder.edge(scope, EdgeType::Context, "results", results);
    heap.builder.edge(function, EdgeType::Internal, "context", outer);
    if memoizes {
        heap.builder.edge(scope, EdgeType::Context, "fn", function);
    }
    heap.values(table, 0..entries);
    heap.build()
}

#[test]
fn a_memo_is_told_by_the_function_beside_it() {
    for (memoizes, rule) in [(true, Rule::MemoizeCache), (false, Rule::Collection)] {
        let graphs = [50, 150, 250].map(|n| memo(n, memoizes));
        with_findings(&graphs, |found| {
            assert_eq!((found[0].rule, found[0].holder.as_str()), (rule, "results"));
        });
    }
}

/// An object of that class with a property that holds a growing array of functions.
fn list_of(class: &str, property: &str, n: u32) -> HeapGraph {
    let mut heap = Heap::new();
    let owner = heap.variable("client", class, 61);
    let list = heap.object("Array", 16, 63);
    heap.builder.edge(owner, EdgeType::Property, property, list);
    for i in 0..n {
        let step = heap.builder.node(NodeType::Closure, "step", 64);
        heap.builder.set_id(step, 10_001 + i * 2);
        heap.builder.indexed_edge(list, EdgeType::Element, i, step);
    }
    heap.build()
}

#[test]
fn what_packages_keep_is_called_by_what_it_is_for() {
    for (class, property, rule) in [
        ("InterceptorManager", "handlers", Rule::Middleware),
        ("DerivedLogger", "transports", Rule::Logger),
        ("ModelManager", "models", Rule::Model),
        ("MemoryStore", "clients", Rule::SessionStore),
        ("Archive", "handlers", Rule::Collection),
    ] {
        let graphs = [50, 150, 250].map(|n| list_of(class, property, n));
        with_findings(&graphs, |found| assert_eq!(found[0].rule, rule, "{class}"));
    }
}
