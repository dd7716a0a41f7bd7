//! The views of single objects on drawn graphs. Equality of the statistics with `DevTools` on real snapshots is
//! checked through the command line.

mod opened;

use leakline_analysis::views::{
    Range, Search, containment, detached, dominator_tree, native_contexts, object, search,
    statistics,
};
use leakline_analysis::{PathOptions, remaining_paths};
use leakline_heap::{EdgeType, NodeId, NodeType, Retainers};
use leakline_testkit::graph::GraphBuilder;

use opened::{Opened, drawn, program};

const CACHE: &str = "
    root -(shortcut 1)-> global
    root -(element 2)-> roots
    node roots: synthetic (GC_roots) 0
    node global: object global 8 @3
    global -> cache, registry
    node cache: object Cache 16 @5
    node registry: object Registry 24 @7
    cache -> e1, e2
    registry -> e2
    registry -(weak)-> e1
    node e1: object Entry 10 @9
    node e2: object Entry 10 @11
    e1 -> body
    node body: string secret 1000 @13
";

#[test]
fn an_object_with_what_it_holds_and_who_holds_it() {
    let (opened, node) = drawn(CACHE);
    let view = object(&opened.heap(), node("e1"));
    assert_eq!((view.object.object.id.as_str(), view.object.class.as_str()), ("@9", "Entry"));
    assert_eq!((view.object.shallow_bytes, view.object.retained_bytes), (10, 1010));
    assert_eq!((view.object.distance, view.dominator_id.as_deref()), (Some(3), Some("@5")));
    let edges: Vec<_> = view.edges.iter().map(|e| (e.edge.as_str(), e.edge_type)).collect();
    assert_eq!(edges, [("body", "property")]);
    assert_eq!(view.edges[0].object.retained_bytes, 1000);
    let held: Vec<_> =
        view.retainers.iter().map(|r| (r.object.object.id.as_str(), r.essential)).collect();
    assert_eq!(held, [("@5", true), ("@7", false)]);
    assert_eq!((view.retainer_count, view.essential_retainer_count), (2, 1));
    // `e2` has two owners, and dies with neither alone.
    assert_eq!(object(&opened.heap(), node("e2")).dominator_id.as_deref(), Some("@3"));
    assert_eq!(object(&opened.heap(), node("root")).dominator_id, None);
}

#[test]
fn of_ten_thousand_retainers_a_hundred_are_named() {
    let mut builder = GraphBuilder::new();
    let root = builder.node(NodeType::Synthetic, "", 0);
    let shared = builder.node(NodeType::Object, "Shared", 8);
    for i in 0..10_000 {
        let owner = builder.node(NodeType::Object, "Owner", 8);
        builder.indexed_edge(root, EdgeType::Element, i, owner);
        let kind = if i % 2 == 0 { EdgeType::Weak } else { EdgeType::Property };
        builder.edge(owner, kind, "shared", shared);
    }
    let opened = Opened::of(builder.build());
    let view = object(&opened.heap(), shared);
    assert_eq!((view.retainers.len(), view.retainer_count), (100, 10_000));
    assert_eq!(view.essential_retainer_count, 5_000);
    assert!(view.retainers.iter().all(|r| r.essential), "those that keep it alive come first");
}

#[test]
fn containment_shows_edges_by_retained_size_and_leaves_hidden_ones_out() {
    let (opened, node) = drawn(
        "
        root -(shortcut 1)-> global
        global -> small, large
        global -(hidden 3)-> inner
        global -(weak)-> large
        node small: object Small 1
        node large: object Large 100
        node inner: object Inner 1000
        ",
    );
    let view = containment(&opened.heap(), node("global"));
    let rows: Vec<_> = view.rows.iter().map(|r| (r.edge.as_str(), r.edge_type)).collect();
    assert_eq!(rows, [("large", "property"), ("large", "weak"), ("small", "property")]);
    assert_eq!((view.edge_count, view.hidden_edge_count), (4, 1));
    let root = containment(&opened.heap(), node("root"));
    assert_eq!(root.rows[0].object.object.name, "global");
}

#[test]
fn dominators_up_and_down_and_where_the_weight_gathers() {
    let (opened, node) = drawn(
        "
        root -(shortcut 1)-> global
        global -> holder, other
        holder -> list
        list -> a, b, c
        a -> a1
        node other: object Other 30
        node a: object Item 10
        node b: object Item 100
        node c: object Item 100
        ",
    );
    let name = |row: &leakline_analysis::views::ObjectRow| row.object.name.clone();
    let view = dominator_tree(&opened.heap(), node("list"));
    assert_eq!(view.chain.iter().map(name).collect::<Vec<_>>(), ["holder", "global", ""]);
    assert_eq!((view.depth, view.omitted_dominators, view.dominated_count), (3, 0, 4));
    let children: Vec<_> = view.children.iter().map(|c| c.retained_bytes).collect();
    assert_eq!((children, view.children_count), (vec![100, 100, 11], 3));
    assert_eq!(view.accumulation, None, "it spreads at once");
    // 244 of 244 bytes in `global`, 213 in `holder` and 212 in `list`; no child of that has 70 %.
    let view = dominator_tree(&opened.heap(), node("root"));
    let point = view.accumulation.expect("a place where it gathers");
    assert_eq!((point.object.object.name.as_str(), point.steps), ("list", 3));
    assert_eq!((point.children_count, point.share), (3, 212.0 / 244.0));
    assert_eq!(point.largest_child.map(|c| c.retained_bytes), Some(100));
}

#[test]
fn of_a_chain_of_a_million_the_ends_are_shown() {
    let n = 1_000_000u32;
    let edges: Vec<(u32, u32)> = (0..n - 1).map(|i| (i, i + 1)).collect();
    let opened = Opened::of(leakline_testkit::graph::from_edges(&vec![1; n as usize], &edges));
    let view = dominator_tree(&opened.heap(), NodeId(n - 1));
    assert_eq!((view.depth, view.omitted_dominators), (u64::from(n) - 1, u64::from(n) - 101));
    assert_eq!(view.chain.len(), 100);
    assert_eq!(view.chain.last().map(|r| r.object.id.as_str()), Some("@1"));
    assert_eq!(view.chain[0].retained_bytes, 2);
    // The lower half of the chain still has most of each step's weight.
    let point = dominator_tree(&opened.heap(), NodeId(0)).accumulation.expect("a chain");
    assert!(point.steps > 900_000, "{}", point.steps);
}

#[test]
fn statistics_by_kind_of_memory() {
    let (opened, _) = drawn(
        "
        root -(shortcut 1)-> global
        global -> list, shared1, shared2, text, cons, fn, system, buffer, wrapper
        list -(internal elements)-> own
        shared1 -(internal elements)-> both
        shared2 -(internal elements)-> both
        fn -> code
        buffer -> data
        node global: object global 8
        node list: object Array 16
        node own: array (object_elements) 100
        node shared1: object Array 16
        node shared2: object Array 16
        node both: array (object_elements) 50
        node text: string hello 20
        node cons: concatenated_string x 32
        node fn: closure f 64
        node code: code f 500
        node system: hidden system 7
        node buffer: object ArrayBuffer 40
        node data: native system_/_JSArrayBufferData 4096
        node wrapper: native Handle 300
        ",
    );
    let s = statistics(&opened.heap());
    assert_eq!((s.native.total_bytes, s.native.typed_arrays_bytes), (4396, 4096));
    assert_eq!((s.v8_heap.code_bytes, s.v8_heap.strings_bytes), (500, 52));
    // The elements that two arrays share are neither's, and an array's own are counted with it already.
    assert_eq!(s.v8_heap.js_arrays_bytes, 16 + 100 + 16 + 16);
    // Hidden nodes with one owner are counted with the owner.
    assert_eq!(s.v8_heap.system_bytes, 0);
    assert_eq!(s.v8_heap.other_bytes, 8 + 7 + 64 + 40 + 50);
    assert_eq!(s.total_bytes, s.v8_heap.total_bytes + s.native.total_bytes);
}

#[test]
fn detached_objects_by_class() {
    let (opened, _) = drawn(
        "
        root -(shortcut 1)-> global
        global -> a, b, c, fine
        a -> part
        part -> script
        node a: native Handle 100 detached
        node b: native Handle 50 detached
        node c: object Wrapper 10 detached
        node part: native Part 7
        node fine: native Handle 1000 attached
        node script: object Kept 500
        ",
    );
    let view = detached(&opened.heap());
    assert_eq!((view.count, view.shallow_bytes, view.retained_bytes), (4, 167, 667));
    let rows: Vec<_> = view
        .groups
        .iter()
        .map(|g| (g.class.as_str(), g.count, g.shallow_bytes, g.retained_bytes))
        .collect();
    assert_eq!(
        rows,
        [("Detached Handle", 2, 150, 657), ("Detached Part", 1, 7, 507), ("Wrapper", 1, 10, 10)]
    );
    assert_eq!(view.groups[0].objects[0].retained_bytes, 607);
}

#[test]
fn native_contexts_with_their_global_objects_and_sandboxes() {
    let (opened, _) = drawn(
        "
        root -(shortcut 1)-> global
        root -(element 2)-> handles
        node handles: synthetic (Global_handles) 0
        handles -(internal 1)-> main
        node main: hidden system_/_NativeContext 2264
        main -(internal extension)-> global
        global -> sandbox, text
        node text: string system_/_NativeContext 32
        sandbox -> tenant, run, again
        node sandbox: object Object 40
        run -(internal context)-> vm
        again -(internal context)-> vm
        node run: closure run 56
        node again: closure again 56
        node vm: hidden system_/_NativeContext 2264
        vm -(internal extension)-> inner
        node inner: object Object 40
        vm -(internal embedder_data)-> data
        node data: hidden system_/_EmbedderDataArray 336
        data -(hidden 32)-> sandbox
        ",
    );
    let view = native_contexts(&opened.heap());
    assert_eq!(view.contexts.len(), 2, "a text of that name is none");
    let [main, vm] = [&view.contexts[0], &view.contexts[1]];
    assert!(main.main && !vm.main);
    assert_eq!(main.global.as_ref().map(|g| g.object.name.as_str()), Some("global"));
    assert_eq!(vm.sandbox_names, ["tenant", "run", "again"]);
    assert_eq!((vm.context.retained_bytes, vm.dominated_count), (2264 + 40 + 336, 2));
}

#[test]
fn newer_v8s_root_leads_to_the_context_itself() {
    let (opened, _) = drawn(
        "
        root -(shortcut 1)-> main
        node main: hidden system_/_NativeContext 2264
        main -(internal extension)-> global
        ",
    );
    assert!(native_contexts(&opened.heap()).contexts[0].main);
}

#[test]
fn a_browsers_frame_is_known_by_its_url() {
    let mut b = GraphBuilder::new();
    let root = b.node(NodeType::Synthetic, "", 0);
    let global = b.node(NodeType::Object, "Window / https://example.org/a", 40);
    let native = b.node(NodeType::Native, "system / NativeContext", 1244);
    b.indexed_edge(root, EdgeType::Shortcut, 1, global);
    b.edge(global, EdgeType::Internal, "native_context", native);
    b.edge(native, EdgeType::Internal, "extension", global);
    let view = native_contexts(&Opened::of(b.build()).heap());
    assert_eq!(view.contexts[0].url.as_deref(), Some("https://example.org/a"));
}

#[test]
fn search_by_everything() {
    let (opened, _) = drawn(CACHE);
    let ids = |wanted: Search| -> Vec<String> {
        let found = search(&opened.heap(), &wanted, 10);
        found.matches.into_iter().map(|m| m.object.object.id).collect()
    };
    let text = |t: &str| Some(t.to_owned());
    assert_eq!(ids(Search { name: text("ENTR"), ..Search::default() }), ["@9", "@11"]);
    assert_eq!(ids(Search { class: text("string"), ..Search::default() }), ["@13"]);
    assert_eq!(ids(Search { id: Some(7), ..Search::default() }), ["@7"]);
    assert_eq!(ids(Search { kind: Some(NodeType::String), ..Search::default() }), ["@13"]);
    let range = |min, max| Some(Range { min, max });
    assert_eq!(ids(Search { shallow: range(10, 16), ..Search::default() }), ["@5", "@9", "@11"]);
    let retained = Search { retained: range(1000, 1010), ..Search::default() };
    assert_eq!(ids(retained.clone()), ["@9", "@13"]);
    assert_eq!(ids(Search { name: text("entry"), ..retained.clone() }), ["@9"]);
    let found = search(&opened.heap(), &retained, 1);
    // Bytes that one match retains of another are counted once.
    assert_eq!((found.match_count, found.matches.len(), found.retained_bytes), (2, 1, 1010));
    assert_eq!(ids(Search { script: text("app.js"), ..Search::default() }), [""; 0]);
    let (opened, _) = program(2);
    let wanted = Search { script: text("app.js"), ..Search::default() };
    let found = search(&opened.heap(), &wanted, 10);
    assert_eq!(found.match_count, 3);
    assert_eq!(found.matches[0].location.as_ref().map(|l| l.line), Some(4));
}

#[test]
fn retainers_that_are_ignored_hold_nothing() {
    let (opened, node) = drawn(CACHE);
    let held = Retainers::of(&opened.graph);
    let remaining = |of: &str, ignored: &[&str]| {
        let ignored: Vec<NodeId> = ignored.iter().map(|l| node(l)).collect();
        let options = PathOptions::default();
        let found =
            remaining_paths(&opened.graph, &held, &opened.analysis, node(of), options, &ignored);
        let paths = found.paths.paths.iter();
        let paths: Vec<Vec<NodeId>> =
            paths.map(|p| p.steps.iter().map(|s| s.node).collect()).collect();
        (paths, found.freed)
    };
    let by_registry = vec![node("global"), node("registry"), node("e2")];
    assert_eq!(remaining("e2", &["cache"]), (vec![by_registry], false));
    assert_eq!(remaining("e2", &["cache", "registry"]), (vec![], true));
    assert_eq!(remaining("e1", &["cache"]), (vec![], true), "the other edge is weak");
    assert_eq!(remaining("e2", &["global"]), (vec![], true), "a dominator");
    assert_eq!(remaining("e2", &["body"]).0.len(), 2);
}

#[test]
fn where_an_object_was_allocated_is_told_as_people_count() {
    use leakline_heap::{AllocationsBuilder, TraceEntry, TraceFunction};
    let (opened, node) = drawn(CACHE);
    let mut columns = opened.graph.columns().clone();
    let string = |text: &str| {
        opened.graph.strings().iter().position(|s| s == text).expect("a string of the graph") as u32
    };
    // Names that the graph has: `global` calls `Cache` in the script `Entry`, at a place V8 did not know.
    let mut builder = AllocationsBuilder::default();
    let function = |name, script_name, line, column| TraceFunction {
        name: string(name),
        script_name: string(script_name),
        script_id: 7,
        line,
        column,
    };
    builder.functions(&[
        function("global", "", 0, 0),
        function("global", "Entry", 3, 9),
        function("", "Entry", 0, 0),
    ]);
    for (parent, id, function) in [(None, 1, 0), (Some(0), 2, 1), (Some(1), 3, 2)] {
        let entry = builder.begin(parent);
        *builder.entry(entry) = TraceEntry { id, function, count: 1, size: 10 };
    }
    let allocations = builder.build(opened.graph.strings()).expect("consistent");
    columns.allocations = Some(allocations.into());
    let mut traces = vec![0; opened.graph.node_count()];
    traces[node("e1").index()] = 3;
    traces[node("e2").index()] = 77;
    columns.node_trace = traces.into();
    let tracked = Opened::of(leakline_heap::HeapGraph::new(columns).expect("consistent"));
    let stack = object(&tracked.heap(), node("e1")).allocation_stack.expect("it is known");
    let told: Vec<_> =
        stack.iter().map(|f| (f.function.as_str(), f.file.as_deref(), f.line, f.column)).collect();
    assert_eq!(
        told,
        [("(anonymous)", Some("Entry"), None, None), ("global", Some("Entry"), Some(3), Some(9))]
    );
    // An entry that the tree does not have, and an object older than the tracking.
    assert_eq!(object(&tracked.heap(), node("e2")).allocation_stack, None);
    assert_eq!(object(&tracked.heap(), node("cache")).allocation_stack, None);
    assert_eq!(object(&opened.heap(), node("e1")).allocation_stack, None);
}
