//! Distances, sizes, classes and the summary on drawn graphs. Equality with `DevTools` on real snapshots is
//! checked through the command line.

use leakline_analysis::{
    Distances, SummaryRow, analyze, distances, essential_edges, shallow_sizes, summary,
};
use leakline_heap::{EdgeType, NodeType};
use leakline_testkit::graph::{Drawn, GraphBuilder, draw};

fn row(rows: &[SummaryRow], name: &str) -> (u64, Option<i32>, u64, u64) {
    let row = rows.iter().find(|r| r.name == name).unwrap_or_else(|| panic!("no row {name}"));
    (row.count, row.distance, row.shallow_bytes, row.retained_bytes)
}

fn essential_labels(drawn: &Drawn) -> Vec<String> {
    let essential = essential_edges(&drawn.graph);
    let edges = drawn.graph.nodes().flat_map(|from| {
        let edges = drawn.graph.edges(from).filter(|e| essential.is_essential(e.id));
        edges.map(move |e| (from, e.to)).collect::<Vec<_>>()
    });
    edges.map(|(from, to)| format!("{}-{}", drawn.label(from), drawn.label(to))).collect()
}

#[test]
fn weak_edges_shortcuts_and_edges_into_the_users_heap_do_not_retain() {
    let drawn = draw(
        "
        root -(shortcut 1)-> global
        root -(element 2)-> handles
        node handles: synthetic (Global_handles) 0
        global -> a
        global -(weak)-> b
        global -(shortcut)-> c
        a -> a, b
        handles -> a, system
        system -> global
        ",
    );
    assert_eq!(
        essential_labels(&drawn),
        ["root-global", "root-handles", "global-a", "handles-system", "a-b"]
    );
}

/// A `WeakMap` with one entry, reachable at different depths.
fn weak_map() -> Drawn {
    draw(
        "
        root -(shortcut 1)-> global
        global -> map, far
        far -> farther
        farther -> key
        map -(internal table)-> table
        table -(internal 1 / part of key (Key @11) -> value (Value @13) pair in WeakMap (table @9))-> value
        key -(internal 2 / part of key (Key @11) -> value (Value @13) pair in WeakMap (table @9))-> value
        node map: object WeakMap 16
        node table: array (object_elements) 64 @9
        node key: object Key 8 @11
        node value: object Value 8 @13
        ",
    )
}

#[test]
fn a_weak_maps_value_hangs_on_the_key_and_is_as_far_as_the_farther_of_both() {
    let drawn = weak_map();
    let graph = &drawn.graph;
    let analysis = analyze(graph);
    let (key, value) = (drawn.node("key"), drawn.node("value"));
    assert_eq!(analysis.dominators.immediate(value), key);
    assert_eq!(analysis.distances.get(key), Some(4));
    assert_eq!(analysis.distances.get(value), Some(5));
    assert_eq!(analysis.distances.get(drawn.node("table")), Some(3));
}

#[test]
fn distances_count_from_the_users_globals_first() {
    let drawn = draw(
        "
        root -(element 1)-> roots
        root -(shortcut 2)-> global
        node roots: synthetic (GC_roots) 0
        roots -> internal, global
        internal -> deep
        global -> a
        a -(weak)-> b
        unheld -> a
        ",
    );
    let distances = distances(&drawn.graph);
    let raw = |label| distances.raw(drawn.node(label));
    assert_eq!((raw("global"), raw("a")), (1, 2));
    assert_eq!(raw("root"), Distances::SYSTEM);
    assert_eq!((raw("internal"), raw("deep")), (Distances::SYSTEM + 2, Distances::SYSTEM + 3));
    assert_eq!((raw("b"), raw("unheld")), (Distances::NONE, Distances::NONE));
    assert_eq!(distances.get(drawn.node("deep")), None);
    assert_eq!(distances.get(drawn.node("b")), None);
    assert_eq!(distances.get(drawn.node("a")), Some(2));
}

#[test]
fn links_shared_by_all_objects_of_a_shape_do_not_count_for_distances() {
    let drawn = draw(
        "
        root -> a
        a -> descriptors, context
        descriptors -(internal 3)-> key
        descriptors -(internal 4)-> value
        descriptors -(internal enum_cache)-> cache
        context -(internal sloppy_function_map)-> map
        context -(internal other)-> other
        node descriptors: array (map_descriptors) 8
        node context: hidden system_/_NativeContext 8
        ",
    );
    let distances = distances(&drawn.graph);
    let get = |label| distances.get(drawn.node(label));
    assert_eq!((get("key"), get("cache"), get("other")), (Some(3), Some(3), Some(3)));
    assert_eq!((get("value"), get("map")), (None, None));
}

#[test]
fn internals_count_with_their_only_owner() {
    let drawn = draw(
        "
        root -(shortcut 1)-> global
        root -(element 2)-> roots
        global -> list, other
        list -(internal elements)-> elements
        elements -(internal)-> nested
        list -(internal)-> shared
        other -(internal)-> shared
        shared -(internal)-> below
        roots -(internal)-> unowned
        other -(weak)-> weakling
        list -> text
        text -(internal)-> data
        node roots: synthetic (GC_roots) 0
        node list: object Array 16
        node elements: array (object_elements) 100
        node nested: hidden system 30
        node shared: array (shared) 7
        node below: array (below) 5
        node unowned: array (internal) 11
        node weakling: array (weak) 3
        node text: string hello 20
        node data: native system_/_ExternalStringData 1000
        ",
    );
    let sizes = shallow_sizes(&drawn.graph);
    let size = |label: &str| sizes.get(drawn.node(label).index());
    assert_eq!(size("list"), 146);
    assert_eq!((size("elements"), size("nested")), (0, 0));
    assert_eq!((size("shared"), size("below")), (7, 5));
    assert_eq!((size("unowned"), size("roots"), size("weakling")), (11, 0, 3));
    assert_eq!((size("text"), size("data")), (1020, 0));
    assert_eq!(sizes.iter().sum::<u64>(), drawn.graph.self_sizes().iter().sum::<u64>());
}

#[test]
fn sizes_stay_as_they_are_when_v8s_internals_are_exposed() {
    let drawn = draw(
        "
        root -> roots
        roots -> list
        list -(internal elements)-> elements
        node roots: synthetic (GC_roots) 0
        node elements: array (object_elements) 100
        ",
    );
    assert_eq!(shallow_sizes(&drawn.graph).get(drawn.node("elements").index()), 100);
}

#[test]
fn classes_are_named_as_devtools_names_them() {
    let drawn = draw(
        "
        root -(shortcut 1)-> global
        global -> fn, re, str, cons, code, hid, num, sym, arr, el, det, inherits, plain, dom
        det -> inherits
        hid -> shape
        global -> unknown
        node fn: closure handler 1
        node re: regexp a+ 1
        node str: string text 1
        node cons: concatenated_string x 1
        node code: code onRequest 1
        node hid: object system 1
        node shape: object_shape system_/_Map 1
        node num: number heap_number 1
        node sym: symbol s 1
        node arr: array (object_elements) 1
        node el: native <div_id=\"a\"> 1
        node det: native Handle 1 detached
        node inherits: native Part 1
        node plain: object Object 1
        node dom: native Window 1 attached
        node unknown: type_of_2040 x 1
        ",
    );
    let analysis = analyze(&drawn.graph);
    let names: Vec<&str> = drawn.graph.nodes().skip(2).map(|n| analysis.class_name(n)).collect();
    assert_eq!(
        names,
        [
            "Function",
            "RegExp",
            "(string)",
            "(concatenated string)",
            "(compiled code)",
            "system",
            "(number)",
            "(symbol)",
            // Owned by `global`: still a class, though without bytes.
            "(array)",
            "<div>",
            "Detached Handle",
            "Detached Part",
            "Object",
            "Window",
            "(object shape)",
            "(other)",
        ]
    );
    assert!(analysis.classes.is_detached(drawn.node("inherits")));
}

/// `counts[i]` plain objects with the properties `shapes[i]`.
fn plain_objects(shapes: &[(&[&str], usize)]) -> leakline_heap::HeapGraph {
    let mut builder = GraphBuilder::new();
    let root = builder.node(NodeType::Synthetic, "", 0);
    let value = builder.node(NodeType::Number, "heap number", 1);
    for (properties, count) in shapes {
        for _ in 0..*count {
            let object = builder.node(NodeType::Object, "Object", 10);
            builder.edge(root, EdgeType::Property, "o", object);
            builder.edge(object, EdgeType::Property, "__proto__", value);
            for property in *properties {
                builder.edge(object, EdgeType::Property, property, value);
            }
        }
    }
    builder.build()
}

#[test]
fn plain_objects_are_classed_by_the_largest_frequent_interface() {
    let graph = plain_objects(&[
        (&["id", "name"], 5),
        (&["name", "id"], 3),
        (&["id", "name", "extra"], 2),
        (&["id"], 1),
        (&["name", "other", "id"], 1),
        (&[], 4),
        (&["a,b"], 2),
        (&["s", "s"], 2),
        (&["s"], 2),
    ]);
    let analysis = analyze(&graph);
    let rows = summary(&graph, &analysis).constructors;
    let count = |name: &str| row(&rows, name).0;
    // The most frequent order of properties names all; one of a kind is no interface of its own.
    assert_eq!(count("{id, name}"), 5 + 3 + 1);
    assert_eq!(count("{id, name, extra}"), 2);
    assert_eq!(count("{\"a,b\"}"), 2);
    assert_eq!(count("{s, s}"), 2);
    assert_eq!(count("{s}"), 2);
    assert_eq!(count("Object"), 1 + 4);
}

#[test]
fn interfaces_rarer_than_one_in_a_thousand_are_none_and_long_names_are_cut() {
    let long: Vec<String> = (0..30).map(|i| format!("property{i}")).collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    let graph = plain_objects(&[(&["id"], 3000), (&["rare"], 2), (&long, 10)]);
    let analysis = analyze(&graph);
    let rows = summary(&graph, &analysis).constructors;
    assert_eq!(row(&rows, "Object").0, 2);
    let cut = rows.iter().find(|r| r.name.starts_with("{property0")).expect("the long interface");
    // 109 characters before the last property, 119 with it; the separator is not counted.
    assert!(cut.name.len() == 122 && cut.name.ends_with(", property10}"), "{}", cut.name);
}

#[test]
fn classes_of_one_name_at_two_places_are_two_rows() {
    let mut builder = GraphBuilder::new();
    let root = builder.node(NodeType::Synthetic, "", 0);
    let code = |builder: &mut GraphBuilder, script_id, path: &str| {
        let class = builder.node(NodeType::Closure, "Session", 1);
        let shared = builder.node(NodeType::Code, "Session", 1);
        let script = builder.node(NodeType::Code, path, 1);
        let name = builder.node(NodeType::String, path, 1);
        builder.edge(root, EdgeType::Property, "class", class);
        builder.edge(class, EdgeType::Internal, "shared", shared);
        builder.edge(shared, EdgeType::Internal, "script", script);
        builder.edge(script, EdgeType::Internal, "name", name);
        builder.location(class, script_id, 4, 6);
        let object = builder.node(NodeType::Object, "Session", 50);
        builder.edge(root, EdgeType::Property, "object", object);
        builder.location(object, script_id, 4, 6);
        object
    };
    let first = code(&mut builder, 7, "/srv/a.js");
    code(&mut builder, 8, "/srv/b.js");
    let inner = builder.node(NodeType::Object, "Session", 70);
    builder.edge(first, EdgeType::Property, "inner", inner);
    builder.location(inner, 7, 4, 6);
    let graph = builder.build();
    let result = summary(&graph, &analyze(&graph));
    let rows: Vec<_> = result.constructors.iter().filter(|r| r.name == "Session").collect();
    let places: Vec<_> = rows
        .iter()
        .map(|r| {
            let at = r.location.as_ref().expect("a location");
            (at.file.as_str(), at.line, at.column, r.count, r.shallow_bytes, r.retained_bytes)
        })
        .collect();
    // What a class's own object holds is counted once.
    assert_eq!(places, [("/srv/a.js", 5, 7, 2, 120, 120), ("/srv/b.js", 5, 7, 1, 50, 50)]);
    assert_eq!(result.snapshot.node_count, 12);
    assert_eq!(result.snapshot.root_id, "@1");
}

#[test]
fn a_summary_says_how_far_and_how_much() {
    let drawn = draw(
        "
        root -(shortcut 1)-> global
        root -(element 2)-> roots
        node roots: synthetic (GC_roots) 0
        node global: object global 8
        roots -> hidden
        node hidden: code builtin 40
        global -> cache
        node cache: object Cache 16
        cache -> e1, e2
        node e1: object Entry 10
        node e2: object Entry 10
        e1 -> body
        node body: string secret 1000
        lonely -> e1
        node lonely: object Lonely 5
        ",
    );
    let result = summary(&drawn.graph, &analyze(&drawn.graph));
    let rows = &result.constructors;
    assert_eq!(row(rows, "global"), (1, Some(1), 8, 1044));
    assert_eq!(row(rows, "Cache"), (1, Some(2), 16, 1036));
    // `lonely` is out of the user's reach: its edge into the user's heap holds nothing.
    assert_eq!(row(rows, "Entry"), (2, Some(3), 20, 1020));
    assert_eq!(row(rows, "(compiled code)"), (1, None, 40, 40));
    assert_eq!(row(rows, "Lonely"), (1, Some(Distances::NONE), 5, 5));
    assert_eq!(result.snapshot.total_shallow_bytes, 1089);
    assert!(rows.is_sorted_by(|a, b| a.retained_bytes >= b.retained_bytes));
}

#[test]
fn of_two_classes_with_one_key_the_one_that_starts_later_is_shown() {
    // `DevTools` keeps an object named `Function` apart from functions and then shows only one of the rows.
    let drawn = draw(
        "
        root -(shortcut 1)-> global
        global -> fn1, fake, fn2
        node fn1: closure f 10
        node fake: object Function 7
        node fn2: closure g 10
        ",
    );
    let result = summary(&drawn.graph, &analyze(&drawn.graph));
    let rows = result.constructors.iter().filter(|r| r.name == "Function");
    assert_eq!(rows.map(|r| (r.count, r.shallow_bytes)).collect::<Vec<_>>(), [(1, 7)]);
    // Nothing is lost from the total.
    assert_eq!(result.snapshot.total_shallow_bytes, 28);
}
