//! Shapes that break programs, read from files and put through every analysis. Nothing here is timed, but each
//! would take hours, or the stack, where something is quadratic or recurses.

use std::fmt::Write;
use std::path::Path;

use leakline_analysis::detect::{Context, Told, advise, detect, path_steps, path_words};
use leakline_analysis::growth::GrowthAnalysis;
use leakline_analysis::views::{
    CollectionSort, Heap, closures, collections, containment, contexts, detached, dominator_tree,
    duplicated_strings, native_contexts, object, statistics,
};
use leakline_analysis::{Analysis, PathOptions, Scripts, analyze, diff, retaining_paths, summary};
use leakline_formats::{Error, ReadOptions, read_snapshot_from};
use leakline_heap::{HeapGraph, NodeId, Retainers};

/// A file of these objects. The first is the root; ids count up from 1 in twos unless told.
#[derive(Default)]
struct Shape {
    nodes: String,
    edges: String,
    node_count: usize,
    edge_count: usize,
}

const FIELDS: usize = 6;

impl Shape {
    /// An object with an id of its own, its class a number of [`STRINGS`], and what it holds by which edge type.
    fn object_with_id(
        &mut self,
        id: u64,
        class: usize,
        held: impl IntoIterator<Item = (u8, usize)>,
    ) {
        let mut own = 0usize;
        for (kind, to) in held {
            let comma = if self.edge_count > 0 { "," } else { "" };
            let name = if kind == 1 { own } else { 4 + own % 4 };
            let _ = writeln!(self.edges, "{comma}{kind},{name},{}", to * FIELDS);
            own += 1;
            self.edge_count += 1;
        }
        let comma = if self.node_count > 0 { "," } else { "" };
        let kind = if self.node_count == 0 { 9 } else { 3 };
        let _ = writeln!(self.nodes, "{comma}{kind},{class},{id},16,{own},0");
        self.node_count += 1;
    }

    fn object(&mut self, class: usize, held: impl IntoIterator<Item = (u8, usize)>) {
        self.object_with_id(2 * self.node_count as u64 + 1, class, held);
    }

    fn text(&self) -> String {
        format!(
            r#"{{"snapshot":{{"meta":{{"node_fields":["type","name","id","self_size","edge_count","detachedness"],"node_types":[["hidden","array","string","object","code","closure","regexp","number","native","synthetic"],"string","number","number","number","number"],"edge_fields":["type","name_or_index","to_node"],"edge_types":[["context","element","property","internal","hidden","shortcut","weak"],"string_or_number","node"],"location_fields":["object_index","script_id","line","column"]}},"node_count":{},"edge_count":{},"trace_function_count":0}},
"nodes":[{}],
"edges":[{}],
"locations":[],
"strings":["","Object","Map","Array","next","table","elements","_events"]}}"#,
            self.node_count, self.edge_count, self.nodes, self.edges
        )
    }

    fn read(&self) -> Result<HeapGraph, Error> {
        let text = self.text();
        let path = Path::new("shape.heapsnapshot");
        read_snapshot_from(text.as_bytes(), text.len() as u64, path, ReadOptions::default())
    }
}

const OBJECT: usize = 1;
const MAP: usize = 2;
const ARRAY: usize = 3;
const ELEMENT: u8 = 1;
const PROPERTY: u8 = 2;
const INTERNAL: u8 = 3;
const WEAK: u8 = 6;

/// Every view of some objects, and of the whole.
fn views(graph: &HeapGraph, analysis: &Analysis, nodes: &[NodeId]) {
    let scripts = Scripts::of(graph);
    let retainers = Retainers::of(graph);
    let heap = Heap { graph, analysis, scripts: &scripts, retainers: Some(&retainers) };
    let total: u64 = graph.nodes().map(|n| graph.self_size(n)).sum();
    assert_eq!(analysis.retained_size(graph.root()), total);
    assert_eq!(summary(graph, analysis).snapshot.node_count, graph.node_count() as u64);
    for &node in nodes {
        let view = object(&heap, node);
        assert!(view.object.retained_bytes >= view.object.shallow_bytes);
        containment(&heap, node);
        dominator_tree(&heap, node);
        retaining_paths(graph, &retainers, analysis, node, PathOptions::default())
            .view(graph, node);
    }
    statistics(&heap);
    duplicated_strings(&heap, 2);
    native_contexts(&heap);
    closures(&heap, None);
    contexts(&heap, None);
    detached(&heap);
    collections(&heap, CollectionSort::Waste, 10);
}

/// The whole engine on a file, as if it were taken three times: first as `before`, then twice as `after`.
fn engine(before: &Shape, after: &Shape) {
    let read = |shape: &Shape| shape.read().unwrap_or_else(|e| panic!("{e}"));
    let graphs = [read(before), read(after), read(after)];
    let all: Vec<Analysis> = graphs.iter().map(analyze).collect();
    for (graph, analysis) in graphs.iter().zip(&all) {
        let last = graph.node_count() as u32 - 1;
        views(graph, analysis, &[0, last / 2, last].map(NodeId));
    }
    let pairs: Vec<_> = graphs.iter().zip(&all).collect();
    diff(&pairs);
    assert!(diff(&pairs[1..]).rows.is_empty(), "a file does not differ from itself");
    let refs: Vec<&HeapGraph> = graphs.iter().collect();
    let growth = GrowthAnalysis::of(&refs);
    let retainers = Retainers::of(growth.last());
    let scripts = Scripts::of(growth.last());
    let context = Context { growth: &growth, retainers: &retainers, scripts: &scripts };
    for finding in detect(&context) {
        assert!(!advise(&finding, Told::default()).title.is_empty());
        path_steps(&context, finding.site.group.owner);
        path_words(&context, finding.site.group.owner);
    }
}

/// Only a root.
fn nothing() -> Shape {
    let mut shape = Shape::default();
    shape.object(0, []);
    shape
}

#[test]
fn only_a_root() {
    engine(&nothing(), &nothing());
    let mut itself = Shape::default();
    itself.object(0, [(PROPERTY, 0), (ELEMENT, 0), (WEAK, 0)]);
    engine(&itself, &itself);
}

#[test]
fn no_nodes_at_all_are_no_snapshot() {
    let e = Shape::default().read().expect_err("there is no root");
    assert_eq!(e.code(), "not-a-snapshot", "{e}");
}

/// A chain; each element holds a payload that an array holds too, as linked lists with an index do.
fn chain(length: usize) -> Shape {
    let mut shape = Shape::default();
    shape.object(0, [(PROPERTY, 1)]);
    for i in 1..=length {
        shape.object(OBJECT, (i < length).then_some((PROPERTY, i + 1)));
    }
    shape
}

#[test]
fn a_chain_of_a_million() {
    engine(&nothing(), &chain(1_000_000));
}

#[test]
fn a_list_whose_payloads_an_array_holds() {
    const LENGTH: usize = 100_000;
    // Root, array, then element and payload in turn.
    let mut shape = Shape::default();
    shape.object(0, [(PROPERTY, 1), (PROPERTY, 2)]);
    shape.object(ARRAY, (0..LENGTH).map(|i| (ELEMENT, 3 + 2 * i)));
    for i in 0..LENGTH {
        let next = (i + 1 < LENGTH).then_some((PROPERTY, 4 + 2 * i));
        shape.object(OBJECT, std::iter::once((PROPERTY, 3 + 2 * i)).chain(next));
        shape.object(MAP, []);
    }
    engine(&nothing(), &shape);
}

/// One object with many edges, to as many others and back to itself.
fn star(edges: usize, others: usize) -> Shape {
    let mut shape = Shape::default();
    shape.object(0, [(PROPERTY, 1)]);
    shape.object(ARRAY, (0..edges).map(|i| (ELEMENT, 1 + i % (others + 1))));
    for _ in 0..others {
        shape.object(OBJECT, [(INTERNAL, 1)]);
    }
    shape
}

#[test]
fn one_node_with_a_million_edges() {
    engine(&star(10, 5), &star(1_000_000, 500_000));
}

#[test]
fn one_node_with_a_million_edges_to_one_other() {
    engine(&nothing(), &star(1_000_000, 1));
}

#[test]
#[ignore = "over twenty seconds without optimisation: run it with --release -- --ignored"]
fn one_node_with_ten_million_edges() {
    // One file instead of three: it has 150 MB.
    let graph = star(10_000_000, 1_000_000).read().unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(graph.edge_count(), 11_000_001);
    views(&graph, &analyze(&graph), &[1, 500_000, 1_000_001].map(NodeId));
}

#[test]
fn rings_within_rings() {
    // A ring of many, each the root of a small ring; the last object closes everything and holds the root.
    const RINGS: usize = 50_000;
    let mut shape = Shape::default();
    shape.object(0, [(PROPERTY, 1)]);
    for i in 0..RINGS {
        let head = 1 + 3 * i;
        let next = 1 + 3 * ((i + 1) % RINGS);
        shape.object(MAP, [(PROPERTY, head + 1), (PROPERTY, next)]);
        shape.object(OBJECT, [(PROPERTY, head + 2), (PROPERTY, head)]);
        shape.object(OBJECT, [(PROPERTY, head), (PROPERTY, head + 2), (INTERNAL, 0)]);
    }
    engine(&nothing(), &shape);
}

#[test]
fn what_nothing_reaches() {
    // Half of the heap hangs on nothing: chains, rings and single objects that hold what lives.
    const HALF: usize = 20_000;
    let mut shape = Shape::default();
    shape.object(0, (1..HALF).map(|i| (ELEMENT, i)));
    for i in 1..2 * HALF {
        let to = if i < HALF { i } else { HALF + (i * 7) % HALF };
        shape.object(OBJECT, [(PROPERTY, to), (PROPERTY, i % HALF)]);
    }
    engine(&nothing(), &shape);
    // And all but the root.
    let mut lost = Shape::default();
    lost.object(0, []);
    for i in 1..1000 {
        lost.object(OBJECT, [(PROPERTY, 1 + i % 999)]);
    }
    engine(&lost, &lost);
    // Held by weak edges only.
    let mut weak = Shape::default();
    weak.object(0, (1..1000).map(|i| (WEAK, i)));
    for i in 1..1000 {
        weak.object(OBJECT, [(WEAK, i), (PROPERTY, 1 + i % 999)]);
    }
    engine(&lost, &weak);
}

#[test]
fn ids_that_repeat() {
    let mut same = Shape::default();
    let mut few = Shape::default();
    let mut extreme = Shape::default();
    for shape in [&mut same, &mut few, &mut extreme] {
        shape.object(0, (1..3000).map(|i| (ELEMENT, i)));
    }
    for i in 1..3000usize {
        same.object_with_id(1, OBJECT, [(PROPERTY, i)]);
        few.object_with_id(i as u64 % 7, 1 + i % 3, [(PROPERTY, 1 + i % 2999)]);
        extreme.object_with_id(u64::from(u32::MAX) - i as u64 % 2, OBJECT, [(PROPERTY, 2999)]);
    }
    for before in [&same, &few, &extreme] {
        for after in [&same, &few, &extreme] {
            engine(before, after);
        }
    }
}

#[test]
fn everything_leads_to_the_last_object() {
    const LAST: usize = 100_000;
    let mut shape = Shape::default();
    shape.object(0, (1..=LAST).map(|i| (ELEMENT, i)));
    for i in 1..LAST {
        shape.object(OBJECT, [(PROPERTY, LAST), (PROPERTY, (i + 1).min(LAST))]);
    }
    shape.object(MAP, [(PROPERTY, LAST), (PROPERTY, 1)]);
    engine(&chain(10), &shape);
    // One further is no object.
    let text = shape.text().replacen(
        &format!(",{}\n", LAST * FIELDS),
        &format!(",{}\n", (LAST + 1) * FIELDS),
        1,
    );
    let path = Path::new("shape.heapsnapshot");
    let e = read_snapshot_from(text.as_bytes(), text.len() as u64, path, ReadOptions::default())
        .expect_err("no such object");
    assert_eq!(e.code(), "index-out-of-range", "{e}");
}

#[test]
fn a_ladder_has_more_paths_than_can_be_walked() {
    // Two ways at each of many steps: two to the power of that many paths to the last one.
    const STEPS: usize = 50_000;
    let mut shape = Shape::default();
    shape.object(0, [(PROPERTY, 1), (PROPERTY, 2)]);
    for i in 0..STEPS {
        let next = 3 + 2 * i;
        for _ in 0..2 {
            let held =
                if i + 1 < STEPS { vec![(PROPERTY, next), (PROPERTY, next + 1)] } else { vec![] };
            shape.object(MAP, held);
        }
    }
    engine(&nothing(), &shape);
}

#[test]
fn counts_at_their_limits() {
    let shape = star(3, 2);
    let count = format!("\"node_count\":{}", shape.node_count);
    let edges = format!("\"edge_count\":{}", shape.edge_count);
    let read = |text: &str| {
        let path = Path::new("shape.heapsnapshot");
        read_snapshot_from(text.as_bytes(), text.len() as u64, path, ReadOptions::default())
            .map(|_| ())
            .map_err(|e| e.code())
    };
    for (number, code) in [
        ("4294967293", "count-mismatch"),
        ("4294967294", "count-mismatch"),
        ("4294967295", "too-large"),
        ("4294967296", "too-large"),
        ("18446744073709551615", "too-large"),
        ("18446744073709551616", "not-a-snapshot"),
        ("-1", "not-a-snapshot"),
        ("1e3", "not-a-snapshot"),
    ] {
        let nodes = shape.text().replace(&count, &format!("\"node_count\":{number}"));
        assert_eq!(read(&nodes), Err(code), "{number} nodes");
        let edges = shape.text().replace(&edges, &format!("\"edge_count\":{number}"));
        assert_eq!(read(&edges), Err(code), "{number} edges");
    }
    // The largest numbers that fit, and sizes of 64 bits.
    for (from, to) in [(",16,", ",18446744073709551,"), (",5,16,", ",4294967295,16,")] {
        let text = shape.text().replace(from, to);
        assert_ne!(text, shape.text());
        assert_eq!(read(&text), Ok(()), "{to}");
    }
}
