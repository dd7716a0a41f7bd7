//! Comparability and diff, on drawn graphs and random ones.

use leakline_analysis::{By, Diff, DiffRow, analyze, comparability, diff};
use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};
use leakline_testkit::graph::{GraphBuilder, draw};
use proptest::prelude::*;

fn compare(graphs: &[&HeapGraph]) -> Diff {
    let analyses: Vec<_> = graphs.iter().map(|g| analyze(g)).collect();
    let snapshots: Vec<_> = graphs.iter().copied().zip(&analyses).collect();
    diff(&snapshots)
}

fn row<'a>(rows: &'a [DiffRow], name: &str) -> &'a DiffRow {
    rows.iter().find(|r| r.constructor == name).unwrap_or_else(|| panic!("no row {name}"))
}

#[test]
fn rows_count_what_came_and_went_by_id() {
    let before = draw(
        "
        root -> cache, x, gone
        cache -> e1
        node cache: object Cache 16 @11
        node e1: object Entry 100 @13
        node x: object X 8 @15
        node gone: object Gone 24 @17
        ",
    );
    let after = draw(
        "
        root -> cache, x
        cache -> e2, e3
        node cache: object Cache 16 @11
        node x: object X 8 @15
        node e2: object Entry 150 @19
        node e3: object Entry 150 @21
        e3 -> text
        node text: string a_text 1000 @23
        ",
    );
    let result = compare(&[&before.graph, &after.graph]);
    assert_eq!(result.comparable.by, By::Id);
    assert_eq!((result.comparable.kept_ids, result.comparable.conflicting_ids), (2, 0));
    let names: Vec<_> = result.rows.iter().map(|r| r.constructor.as_str()).collect();
    assert_eq!(names, ["(string)", "Entry", "Gone"], "unchanged classes have no row");
    let entry = row(&result.rows, "Entry");
    assert_eq!((entry.new_count, entry.deleted_count, entry.delta_count), (2, 1, 1));
    assert_eq!((entry.allocated_bytes, entry.freed_bytes, entry.delta_bytes), (300, 100, 200));
    assert_eq!(entry.retained_delta_bytes, 1300 - 100);
    let gone = row(&result.rows, "Gone");
    assert_eq!((gone.delta_count, gone.delta_bytes, gone.retained_delta_bytes), (-1, -24, -24));
    assert!(result.steps.is_empty());
}

#[test]
fn three_snapshots_have_steps() {
    let heap = |ids: &[u32]| {
        let mut builder = GraphBuilder::new();
        let root = builder.node(NodeType::Synthetic, "", 0);
        for &id in ids {
            let node = builder.node(NodeType::Object, "Entry", 10);
            builder.set_id(node, id);
            builder.edge(root, EdgeType::Property, "e", node);
        }
        builder.build()
    };
    let (a, b, c) = (heap(&[3, 5]), heap(&[3, 5, 7]), heap(&[3, 7, 9, 11]));
    let result = compare(&[&a, &b, &c]);
    let counts = |rows: &[DiffRow]| (rows[0].new_count, rows[0].deleted_count);
    assert_eq!(counts(&result.rows), (3, 1));
    let steps: Vec<_> = result.steps.iter().map(|s| (s.from, s.to, counts(&s.rows))).collect();
    assert_eq!(steps, [(0, 1, (1, 0)), (1, 2, (2, 1))]);
}

#[test]
fn plain_objects_are_compared_by_the_later_ones_interfaces() {
    let heap = |shapes: &[(&str, u32)]| {
        let mut builder = GraphBuilder::new();
        let root = builder.node(NodeType::Synthetic, "", 0);
        for &(properties, id) in shapes {
            let node = builder.node(NodeType::Object, "Object", 10);
            builder.set_id(node, id);
            builder.edge(root, EdgeType::Property, "o", node);
            for property in properties.chars() {
                builder.edge(node, EdgeType::Property, &property.to_string(), root);
            }
        }
        builder.build()
    };
    let before = heap(&[("ab", 11), ("ab", 13), ("abc", 15)]);
    let after = heap(&[("ab", 11), ("abc", 15), ("abc", 17)]);
    let result = compare(&[&before, &after]);
    // Alone, the first would call all three `{a, b}`; but the second knows `{a, b, c}` and calls the
    // single `ab` just `Object`.
    let rows: Vec<_> = result
        .rows
        .iter()
        .map(|r| (r.constructor.as_str(), r.new_count, r.deleted_count))
        .collect();
    assert_eq!(rows, [("{a, b, c}", 1, 0), ("Object", 0, 1)]);
}

fn heap_of(names: &[&str], first_id: u32) -> HeapGraph {
    let mut builder = GraphBuilder::new();
    let root = builder.node(NodeType::Synthetic, "", 0);
    for (i, name) in names.iter().enumerate() {
        let node = builder.node(NodeType::Object, name, 16);
        builder.set_id(node, first_id + 2 * i as u32);
        builder.edge(root, EdgeType::Property, "o", node);
    }
    builder.build()
}

#[test]
fn ids_that_mean_other_objects_make_a_comparison_by_shape() {
    let a = heap_of(&["A", "A", "B", "B", "C"], 3);
    let b = heap_of(&["B", "B", "A", "C", "C", "C"], 3);
    let found = comparability(&a, &b);
    assert_eq!((found.by, found.kept_ids, found.conflicting_ids), (By::Shape, 1, 4));
    let result = compare(&[&a, &b]);
    let counts = |name| {
        let r = row(&result.rows, name);
        (r.new_count, r.deleted_count, r.delta_count, r.delta_bytes)
    };
    assert_eq!(counts("A"), (0, 1, -1, -16));
    assert_eq!(counts("C"), (2, 0, 2, 32));
    assert!(result.rows.iter().all(|r| r.constructor != "B"));

    let far = heap_of(&["A", "B"], 1001);
    assert_eq!(comparability(&a, &far).by, By::Shape);
    assert_eq!(comparability(&a, &a).by, By::Id);
}

#[test]
fn what_may_change_is_not_held_against_the_ids() {
    use NodeType::{Array, Closure, Code, ConcatenatedString, Object, String};
    let one = |kind: NodeType, name: &str, size: u64| {
        let mut builder = GraphBuilder::new();
        let root = builder.node(NodeType::Synthetic, "", 0);
        let node = builder.node(kind, name, size);
        builder.set_id(node, 77);
        builder.edge(root, EdgeType::Property, "o", node);
        builder.build()
    };
    let same = |a: &HeapGraph, b: &HeapGraph| comparability(a, b).conflicting_ids == 0;
    // A backing store that grew, a string that was flattened, a scope with an id in its name, new code.
    assert!(same(&one(Array, "(object elements)", 16), &one(Array, "(object elements)", 9000)));
    assert!(same(&one(ConcatenatedString, "ab", 32), &one(String, "ab", 16)));
    let scope = "system / Context / @45";
    assert!(same(&one(Object, scope, 32), &one(Object, "system / Context / @4711", 32)));
    assert!(same(&one(Code, "f", 32), &one(Code, "(f)", 900)));
    // These are other objects.
    assert!(!same(&one(Object, "A", 32), &one(Object, "B", 32)));
    assert!(!same(&one(Object, "A", 32), &one(Closure, "A", 32)));
    assert!(!same(&one(Object, "A", 16), &one(Object, "A", 64)));
    assert!(!same(&one(String, "x", 16), &one(String, "y", 16)));
    assert!(!same(&one(Object, "a1", 16), &one(Object, "a2", 16)));
    // Values without a size are numbered as V8 pleases.
    assert!(same(&one(Object, "A", 0), &one(Closure, "B", 32)));
}

/// Objects `(class, id, size)` under a root.
fn heap(objects: &[(u8, u32, u64)]) -> HeapGraph {
    let mut builder = GraphBuilder::new();
    let root = builder.node(NodeType::Synthetic, "", 0);
    let mut last = root;
    for &(class, id, size) in objects {
        let node = builder.node(NodeType::Object, &format!("Class{class}"), size);
        builder.set_id(node, id);
        builder.edge(last, EdgeType::Property, "o", node);
        last = if id % 4 == 1 { root } else { node };
    }
    builder.build()
}

fn objects() -> impl Strategy<Value = Vec<(u8, u32, u64)>> {
    prop::collection::btree_map(0u32..60, (0u8..4, 0u64..50), 0..40).prop_map(|map| {
        // The class follows from the id, mostly, as it does within one session.
        map.into_iter()
            .map(|(id, (class, size))| {
                let class = if class == 0 { (id % 5) as u8 + 4 } else { (id % 3) as u8 };
                (class, 2 * id + 3, size)
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn there_and_back_are_opposites(a in objects(), b in objects()) {
        let (a, b) = (heap(&a), heap(&b));
        let (there, back) = (compare(&[&a, &b]), compare(&[&b, &a]));
        prop_assert_eq!(there.comparable.by, back.comparable.by);
        prop_assert_eq!(there.comparable.conflicting_ids, back.comparable.conflicting_ids);
        let mut mirrored: Vec<DiffRow> = back.rows.into_iter().map(|r| DiffRow {
            new_count: r.deleted_count,
            deleted_count: r.new_count,
            delta_count: -r.delta_count,
            allocated_bytes: r.freed_bytes,
            freed_bytes: r.allocated_bytes,
            delta_bytes: -r.delta_bytes,
            retained_delta_bytes: -r.retained_delta_bytes,
            ..r
        }).collect();
        let mut rows = there.rows;
        rows.sort_by(|a, b| a.constructor.cmp(&b.constructor));
        mirrored.sort_by(|a, b| a.constructor.cmp(&b.constructor));
        prop_assert_eq!(rows, mirrored);
    }

    #[test]
    fn bytes_add_up(mut a in objects(), mut b in objects()) {
        // As in `DevTools`, an object that is still there does not count when only its size changed.
        for object in a.iter_mut().chain(&mut b) {
            object.2 = u64::from(object.1 * 7 % 50);
        }
        let (a, b) = (heap(&a), heap(&b));
        let total = |g: &HeapGraph| g.nodes().map(|n: NodeId| g.self_size(n)).sum::<u64>() as i64;
        let changed: i64 = compare(&[&a, &b]).rows.iter().map(|r| r.delta_bytes).sum();
        prop_assert_eq!(changed, total(&b) - total(&a));
        prop_assert!(compare(&[&a, &a]).rows.is_empty());
    }
}
