//! The views that take many objects together, on drawn graphs.

mod opened;

use leakline_analysis::views::{
    CollectionKind, CollectionSort, closures, collections, contexts, duplicated_strings,
};
use leakline_heap::{EdgeType, NodeType};
use leakline_testkit::graph::GraphBuilder;

use opened::{Opened, drawn, program};

/// Strings of these texts and sizes, all held by the root.
fn strings(texts: &[(&str, u64)]) -> Opened {
    let mut builder = GraphBuilder::new();
    let root = builder.node(NodeType::Synthetic, "", 0);
    for (text, size) in texts {
        let node = builder.node(NodeType::String, text, *size);
        builder.edge(root, EdgeType::Property, "s", node);
    }
    Opened::of(builder.build())
}

#[test]
fn equal_strings_waste_all_but_one() {
    let opened =
        strings(&[("a", 24), ("b", 24), ("a", 24), ("a", 24), ("b", 24), ("c", 24), ("value", 0)]);
    let view = duplicated_strings(&opened.heap(), 2);
    let rows: Vec<_> =
        view.strings.iter().map(|s| (s.text.as_str(), s.count, s.wasted_bytes)).collect();
    assert_eq!(rows, [("a", 3, 48), ("b", 2, 24)]);
    assert_eq!((view.wasted_bytes, view.string_count, view.string_bytes), (72, 6, 144));
    assert_eq!(duplicated_strings(&opened.heap(), 3).strings.len(), 1);
}

#[test]
fn texts_that_are_cut_are_only_compared_with_equal_sizes_and_never_certain() {
    let cut = "x".repeat(1024);
    let opened = strings(&[(&cut, 4016), (&cut, 4016), (&cut, 5016), (&cut, 1040), (&cut, 1040)]);
    let view = duplicated_strings(&opened.heap(), 2);
    let rows: Vec<_> =
        view.strings.iter().map(|s| (s.bytes_each, s.count, s.truncated, s.certain)).collect();
    assert_eq!(rows, [(4016, 2, true, false), (1040, 2, false, true)]);
    assert_eq!((view.wasted_bytes, view.uncertain_wasted_bytes), (1040, 4016));
    assert_eq!((view.duplicated_count, view.uncertain_count), (1, 1));
}

#[test]
fn newer_v8_tells_length_and_hash() {
    let mut builder = GraphBuilder::new();
    let root = builder.node(NodeType::Synthetic, "", 0);
    for hash in ["17", "17", "18"] {
        let text = builder.node(NodeType::String, &"x".repeat(1024), 4016);
        builder.edge(root, EdgeType::Property, "s", text);
        for (name, digits) in [("length", "4000"), ("hash", hash)] {
            let number = builder.node(NodeType::Number, "int", 0);
            let value = builder.node(NodeType::String, digits, 0);
            builder.edge(text, EdgeType::Internal, name, number);
            builder.edge(number, EdgeType::Internal, "value", value);
        }
    }
    let view = duplicated_strings(&Opened::of(builder.build()).heap(), 2);
    let rows: Vec<_> = view.strings.iter().map(|s| (s.count, s.certain)).collect();
    assert_eq!(rows, [(2, true)]);
}

#[test]
fn a_string_that_stands_in_for_another_is_no_copy() {
    let (opened, _) = drawn(
        "
        root -(shortcut 1)-> global
        global -> a, thin
        thin -(internal actual)-> a
        node a: string text 24
        node thin: string text 16
        ",
    );
    assert!(duplicated_strings(&opened.heap(), 2).strings.is_empty());
}

#[test]
fn closures_by_place() {
    let (opened, _) = program(3);
    let view = closures(&opened.heap(), None);
    let rows: Vec<_> = view
        .groups
        .iter()
        .map(|g| {
            let at = g.location.as_ref().expect("a place");
            (g.function.as_str(), at.line, at.column, g.count, g.retained_bytes)
        })
        .collect();
    let each = 64 + 48 + 24 + 1000;
    // The scope's description and the functions' own are shared by several.
    assert_eq!(rows, [("inner", 4, 9, 3, 3 * each), ("outer", 3, 5, 1, 64 + 1)]);
    assert_eq!((view.closure_count, view.shallow_bytes), (4, 256));
    assert_eq!(closures(&opened.heap(), Some("app.js")).groups.len(), 2);
    assert!(closures(&opened.heap(), Some("other.js")).groups.is_empty());
}

#[test]
fn closures_of_one_place_that_hold_each_other_are_counted_once() {
    let mut b = GraphBuilder::new();
    let root = b.node(NodeType::Synthetic, "", 0);
    let mut above = root;
    for _ in 0..5 {
        let next = b.node(NodeType::Closure, "next", 10);
        b.edge(above, EdgeType::Property, "next", next);
        b.location(next, 7, 3, 8);
        above = next;
    }
    let view = closures(&Opened::of(b.build()).heap(), None);
    assert_eq!((view.groups[0].count, view.groups[0].retained_bytes), (5, 50));
}

#[test]
fn contexts_by_the_function_that_made_them() {
    let (opened, made) = program(4);
    let view = contexts(&opened.heap(), None);
    assert_eq!((view.context_count, view.groups.len()), (4, 1));
    let group = &view.groups[0];
    assert_eq!(
        (group.function.as_deref(), group.closure.as_deref()),
        (Some("outer"), Some("inner"))
    );
    let at = group.location.as_ref().map(|l| (l.file.as_str(), l.line, l.column));
    assert_eq!((at, group.location_of), (Some(("/srv/app.js", 3, 5)), Some("function")));
    assert_eq!((group.count, group.closure_count, group.max_closures), (4, 4, 1));
    assert_eq!((group.shallow_bytes, group.retained_bytes), (4 * 48, 4 * (48 + 24 + 1000)));
    let variables: Vec<_> = group
        .variables
        .iter()
        .map(|v| (v.name.as_str(), v.class.as_str(), v.count, v.retained_bytes))
        .collect();
    // What others hold too weighs nothing here; a cell is looked through.
    assert_eq!(variables, [("heavy", "Heavy", 4, 4 * 1024), ("common", "Common", 4, 0)]);
    assert_eq!(group.ids[0], format!("@{}", opened.graph.object_id(made[0])));
    assert!(contexts(&opened.heap(), Some("other.js")).groups.is_empty());
}

#[test]
fn a_scope_without_a_function_is_known_by_its_first_closure() {
    let mut b = GraphBuilder::new();
    let root = b.node(NodeType::Synthetic, "", 0);
    for (place, variable) in [(1, "a"), (1, "a"), (2, "a"), (2, "b")] {
        let closure = b.node(NodeType::Closure, "callback", 64);
        b.edge(root, EdgeType::Property, "callback", closure);
        b.location(closure, 7, place, 0);
        let context = b.node(NodeType::Object, "system / Context", 48);
        b.edge(closure, EdgeType::Internal, "context", context);
        let value = b.node(NodeType::Object, "Value", 10);
        b.edge(context, EdgeType::Context, variable, value);
    }
    let view = contexts(&Opened::of(b.build()).heap(), None);
    let counts: Vec<u64> = view.groups.iter().map(|g| g.count).collect();
    assert_eq!(counts, [2, 1, 1]);
    // The file of script 7 is not known, so there is no place to tell.
    assert_eq!((view.groups[0].location.as_ref(), &view.groups[0].function), (None, &None));
}

/// A collection: its class, the link to its store, the store's size, and the slots that lead to something.
fn collection(
    class: &str,
    link: &str,
    store_name: &str,
    size: u64,
    edge: EdgeType,
    slots: &[u32],
    mapped: bool,
) -> leakline_analysis::views::CollectionRow {
    let mut b = GraphBuilder::new();
    let root = b.node(NodeType::Synthetic, "", 0);
    let global = b.node(NodeType::Object, "global", 8);
    b.indexed_edge(root, EdgeType::Shortcut, 1, global);
    // Tells the size of pointers.
    let function = b.node(NodeType::Closure, "f", 56);
    b.edge(global, EdgeType::Property, "f", function);
    let owner = b.node(NodeType::Object, class, 32);
    b.edge(global, EdgeType::Property, "cache", owner);
    let store = b.node(NodeType::Array, store_name, size);
    b.edge(owner, EdgeType::Internal, link, store);
    for &slot in slots {
        let value = b.node(NodeType::Object, "Value", 8);
        b.edge(store, edge, &slot.to_string(), value);
        if class == "Array" {
            b.indexed_edge(owner, EdgeType::Element, slot, value);
        }
    }
    if mapped {
        let map = b.node(NodeType::Hidden, "system / Map", 72);
        b.edge(store, EdgeType::Internal, "map", map);
    }
    let opened = Opened::of(b.build());
    let view = collections(&opened.heap(), CollectionSort::Store, 5);
    assert_eq!((view.collection_count, view.pointer_bytes), (1, 8));
    view.collections.into_iter().next().expect("one collection")
}

#[test]
fn collections_by_fill() {
    use CollectionKind::{Array, Map, Object, Set, WeakMap, WeakSet};
    let internal = EdgeType::Internal;
    let elements = "(object elements)";
    let cases = [
        // Two of four, keys and values; an entry whose value is a number; nothing but numbers.
        (
            collection("Map", "table", "", 152, internal, &[5, 6, 8], true),
            Map,
            2,
            true,
            4,
            Some(48),
        ),
        (collection("Lru", "table", "", 264, internal, &[7, 10], true), Map, 2, true, 8, Some(144)),
        (collection("Map", "table", "", 264, internal, &[], true), Map, 0, false, 8, None),
        (collection("Map", "table", "", 152, internal, &[], true), Map, 0, true, 4, Some(96)),
        (collection("Set", "table", "", 120, internal, &[5], true), Set, 1, true, 4, Some(48)),
        (
            collection("WeakMap", "table", "", 168, EdgeType::Weak, &[3, 4, 7], true),
            WeakMap,
            2,
            true,
            8,
            Some(96),
        ),
        (
            collection("WeakSet", "table", "", 104, EdgeType::Weak, &[], true),
            WeakSet,
            0,
            true,
            4,
            Some(64),
        ),
        (
            collection("Array", "elements", elements, 152, internal, &[0, 1, 2], false),
            Array,
            3,
            true,
            17,
            Some(112),
        ),
        // Holes or numbers between: not known. Numbers only: neither.
        (
            collection("Array", "elements", elements, 152, internal, &[0, 9], false),
            Array,
            2,
            false,
            17,
            None,
        ),
        (
            collection("Array", "elements", elements, 8016, internal, &[], true),
            Array,
            0,
            false,
            1000,
            None,
        ),
        (
            collection(
                "Object",
                "properties",
                "(object properties)",
                448,
                internal,
                &[6, 7, 15],
                true,
            ),
            Object,
            2,
            true,
            16,
            Some(336),
        ),
    ];
    for (i, (row, kind, entries, known, capacity, wasted)) in cases.into_iter().enumerate() {
        assert_eq!(
            (row.kind, row.entries, row.entries_known, row.capacity, row.wasted_bytes),
            (kind, entries, known, Some(capacity), wasted),
            "case {i}"
        );
        let held = row.held_by.expect("a holder");
        assert_eq!((held.edge.as_str(), held.owner.name.as_str()), ("cache", "global"));
    }
}

#[test]
fn where_pointers_are_compressed_slots_are_half_as_wide() {
    let mut b = GraphBuilder::new();
    let root = b.node(NodeType::Synthetic, "", 0);
    let function = b.node(NodeType::Closure, "f", 32);
    b.edge(root, EdgeType::Property, "f", function);
    let owner = b.node(NodeType::Object, "Map", 16);
    b.edge(root, EdgeType::Property, "m", owner);
    let store = b.node(NodeType::Array, "", 8 + 4 * 17);
    b.edge(owner, EdgeType::Internal, "table", store);
    let view = collections(&Opened::of(b.build()).heap(), CollectionSort::Waste, 5);
    assert_eq!(view.pointer_bytes, 4);
    assert_eq!((view.collections[0].capacity, view.wasted_bytes), (Some(4), 48));
}

#[test]
fn deleted_entries_are_free_room_and_a_shared_store_is_counted_once() {
    let (opened, _) = drawn(
        "
        root -(shortcut 1)-> global
        global -> m, a, b
        m -(internal table)-> table
        table -(internal 5)-> hole
        table -(internal 8)-> value
        a -(internal elements)-> store
        b -(internal elements)-> store
        store -(internal 0)-> value
        a -(element 0)-> value
        b -(element 0)-> value
        node m: object Map 32
        node table: array x 152
        node hole: hidden system_/_Hole 0
        node a: object Array 32
        node b: object Array 32
        node store: array (object_elements) 24
        ",
    );
    let view = collections(&opened.heap(), CollectionSort::Store, 10);
    let map = view.collections.iter().find(|c| c.kind == CollectionKind::Map).expect("the map");
    assert_eq!((map.entries, map.wasted_bytes), (1, Some(72)));
    let arrays = view.kinds.iter().find(|k| k.kind == CollectionKind::Array).expect("arrays");
    assert_eq!((arrays.count, arrays.store_bytes, arrays.full_count), (2, 24, 2));
}
