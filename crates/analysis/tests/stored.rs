//! Graphs and analyses that were kept in a real index file: what was kept comes back to the last number,
//! and nonsense in its place, however well wrapped, leads to answers and never to a panic or an endless walk.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

use std::fmt::Debug;

use leakline_analysis::views::{
    CollectionSort, Heap, Range, Search, closures, collections, containment, contexts, detached,
    dominator_tree, duplicated_strings, native_contexts, object, search, statistics,
};
use leakline_analysis::{
    Analysis, ClassId, PathOptions, Scripts, analyze, remaining_paths, retaining_paths, summary,
};
use leakline_formats::index::{Identity, Index, IndexWriter, WriteError};
use leakline_heap::{EdgeId, EdgeType, HeapGraph, NodeId, NodeType, Retainers, SectionSink};
use leakline_testkit::graph::GraphBuilder;
use proptest::prelude::*;
use tempfile::TempDir;

/// A graph with all that was made of it.
struct All {
    graph: HeapGraph,
    analysis: Analysis,
    scripts: Scripts,
    retainers: Retainers,
}

impl All {
    fn of(graph: HeapGraph) -> Self {
        let (analysis, scripts) = (analyze(&graph), Scripts::of(&graph));
        let retainers = Retainers::of(&graph);
        Self { graph, analysis, scripts, retainers }
    }

    fn heap(&self) -> Heap<'_> {
        Heap {
            graph: &self.graph,
            analysis: &self.analysis,
            scripts: &self.scripts,
            retainers: Some(&self.retainers),
        }
    }

    fn store<S: SectionSink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.graph.store(sink)?;
        self.retainers.store(sink)?;
        self.analysis.store(&self.scripts, sink)
    }

    /// What an index file gives back; `None` where it says itself that it is of no use.
    fn restore(index: &Index) -> Option<Self> {
        let graph = HeapGraph::restore(index)?.ok()?;
        let (analysis, scripts) = Analysis::restore(index, &graph)?;
        let retainers = Retainers::restore(index, &graph)?;
        Some(Self { graph, analysis, scripts, retainers })
    }

    /// The answers to every question about single objects, as text.
    fn look_ups(&self) -> Vec<String> {
        let Self { graph, analysis, scripts, retainers } = self;
        let mut said = Vec::new();
        let mut say = |what: &dyn Debug| said.push(format!("{what:?}"));
        let (n, e) = (graph.node_count(), graph.edge_count());
        say(&(n, e, graph.root(), graph.extra_native_bytes()));
        let tree = &analysis.dominators;
        say(&(tree.len(), tree.is_empty(), analysis.classes.len(), analysis.essential.count()));
        for node in graph.nodes() {
            say(&(graph.node_type(node), graph.node_name(node), graph.node_name_index(node)));
            say(&(graph.object_id(node), graph.self_size(node), graph.detachedness(node)));
            say(&(graph.edge_range(node), graph.location(node), graph.trace_node(node)));
            for edge in graph.edges(node) {
                say(&(edge, graph.edge_text(edge), graph.edge_label(edge)));
                assert!(edge.to.index() < n);
            }
            say(&graph.find_edge(node, EdgeType::Property, "next"));
            for id in [graph.object_id(node), node.0, node.0.wrapping_mul(0x9E37_79B9)] {
                let found = graph.node_with_id(id);
                assert!(found.is_none_or(|node| node.index() < n), "@{id}: {found:?}");
                say(&found);
            }
            let held: Vec<_> = retainers.of_node(node).collect();
            assert!(held.iter().all(|held| held.from.index() < n), "{held:?}");
            say(&(retainers.count(node), held));
            say(&(analysis.class_name(node), analysis.shallow_size(node)));
            say(&(analysis.retained_size(node), scripts.place(graph, node)));
            say(&(analysis.distances.raw(node), analysis.distances.get(node)));
            let class = analysis.classes.of_node(node);
            say(&(analysis.classes.get(class), analysis.classes.is_detached(node)));
            say(&analysis.classes.get(ClassId(node.0)).key());
            let at = tree.position(node);
            say(&(tree.immediate(node), at, tree.at(node.index()), tree.subtree_len(at)));
            say(&tree.dominated(node).collect::<Vec<_>>());
            say(&tree.children(node).collect::<Vec<_>>());
            let dominated: Vec<bool> = graph.nodes().map(|o| tree.dominates(node, o)).collect();
            say(&dominated);
            let heap = self.heap();
            say(&(object(&heap, node), containment(&heap, node), dominator_tree(&heap, node)));
            let options = [PathOptions::default(), PathOptions { max_paths: 50, max_depth: 1 }];
            for options in options {
                let paths = retaining_paths(graph, retainers, analysis, node, options);
                say(&paths.view(graph, node));
            }
            let ignored = [NodeId((node.0 + 1) % n as u32)];
            let options = PathOptions::default();
            say(&remaining_paths(graph, retainers, analysis, node, options, &ignored));
        }
        for edge in (0..e as u32).map(EdgeId) {
            say(&(graph.edge(edge), graph.edge_source(edge), graph.edge_name(edge.0 as usize)));
            say(&analysis.essential.is_essential(edge));
        }
        let strings = graph.strings();
        say(&(strings.len(), strings.iter().collect::<Vec<_>>(), strings.find("next")));
        say(&strings.get(u32::MAX));
        said
    }

    /// The answers to every question about everything; for what passed the checks.
    fn views(&self) -> Vec<String> {
        let heap = self.heap();
        let range = Some(Range { min: 0, max: u64::MAX });
        let wanted = Search { shallow: range, retained: range, ..Search::default() };
        let named = Search { name: Some("a".into()), ..Search::default() };
        let placed = Search { script: Some("app".into()), ..Search::default() };
        vec![
            format!("{:?}", summary(&self.graph, &self.analysis)),
            format!("{:?}", statistics(&heap)),
            format!("{:?}", duplicated_strings(&heap, 2)),
            format!("{:?}", native_contexts(&heap)),
            format!("{:?}", closures(&heap, None)),
            format!("{:?}", contexts(&heap, Some("a"))),
            format!("{:?}", detached(&heap)),
            format!("{:?}", collections(&heap, CollectionSort::Store, 100)),
            format!("{:?}", search(&heap, &wanted, 100)),
            format!("{:?}", search(&heap, &named, 100)),
            format!("{:?}", search(&heap, &placed, 100)),
        ]
    }
}

/// Puts everything through an index file; `None` where the file says itself that it is of no use.
fn through_a_file(
    all: &All,
    wrap: impl FnOnce(&All, &mut IndexWriter) -> Result<(), WriteError>,
) -> (TempDir, Option<All>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.heapsnapshot");
    std::fs::write(&path, "a snapshot").unwrap();
    let identity = Identity::at(&path).unwrap();
    let mut writer = IndexWriter::begin(&path, identity, 0).unwrap();
    wrap(all, &mut writer).unwrap();
    let (place, _) = writer.finish().unwrap();
    let index = Index::open(&place, &identity).expect("just written");
    assert!(index.check_all());
    (folder, All::restore(&index))
}

const NAMES: [&str; 10] = [
    "Object",
    "Array",
    "Map",
    "system / Context",
    "system / NativeContext",
    "a",
    "ünï 日本",
    "",
    "1 / part of key (A @3) -> value (B @5) pair in WeakMap (table @7)",
    "/srv/app.js",
];
const EDGES: [&str; 8] =
    ["next", "table", "elements", "shared", "script", "context", "name", "__proto__"];
const KINDS: [NodeType; 8] = [
    NodeType::Hidden,
    NodeType::Array,
    NodeType::String,
    NodeType::Object,
    NodeType::Code,
    NodeType::Closure,
    NodeType::Native,
    NodeType::Synthetic,
];
const EDGE_KINDS: [EdgeType; 7] = [
    EdgeType::Property,
    EdgeType::Context,
    EdgeType::Element,
    EdgeType::Internal,
    EdgeType::Hidden,
    EdgeType::Shortcut,
    EdgeType::Weak,
];
const SIZES: [u64; 5] = [0, 24, 264, u32::MAX as u64, 1 << 40];

fn graphs() -> impl Strategy<Value = HeapGraph> {
    let nodes = prop::collection::vec((0..8usize, 0..10usize, 0..5usize, 0..4u8, 0..40u32), 1..24);
    let edges = prop::collection::vec((0..24usize, 0..7usize, 0..8usize, 0..24usize), 0..120);
    (nodes, edges).prop_map(|(nodes, edges)| {
        let mut b = GraphBuilder::new();
        let n = nodes.len();
        for (i, (kind, name, size, state, id)) in nodes.into_iter().enumerate() {
            let node = b.node(KINDS[kind], NAMES[name], SIZES[size]);
            // Marks on half of the graphs only: without any, the column is empty.
            if n.is_multiple_of(2) {
                b.set_detachedness(node, state);
            }
            if id < 10 {
                b.set_id(node, id);
            }
            if i % 3 == 0 {
                b.location(node, i as i32 % 4, id, u32::MAX - id);
            }
        }
        for (from, kind, name, to) in edges {
            // Many edges to the root's first child: its retainers are looked for all at once.
            let (from, to) = (NodeId((from % n) as u32), NodeId((to % n / 3) as u32));
            let kind = EDGE_KINDS[kind];
            if kind.has_index_name() {
                b.indexed_edge(from, kind, name as u32, to);
            } else {
                b.edge(from, kind, EDGES[name], to);
            }
        }
        b.build()
    })
}

/// Replaces some of the numbers on their way into the file.
struct Nonsense<'a> {
    into: &'a mut IndexWriter,
    state: u64,
    /// Which sections are spoilt, a bit for each.
    sections: u64,
    /// One number in so many.
    one_in: u64,
    put: u32,
}

impl Nonsense<'_> {
    fn random(&mut self) -> u64 {
        // Marsaglia's xorshift: all that is needed is that every run draws the same.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn number(&mut self) -> u64 {
        let number = self.random() >> 8;
        match self.random() % 8 {
            0 => 0,
            1 => u64::MAX,
            2 => u64::from(u32::MAX) - number % 3,
            3 => number,
            _ => number % 26,
        }
    }
}

impl SectionSink for Nonsense<'_> {
    type Error = WriteError;

    fn put<T: bytemuck::Pod>(&mut self, name: &str, values: &[T]) -> Result<(), WriteError> {
        let mut values = values.to_vec();
        let is_spoilt = self.sections >> (self.put % 64) & 1 != 0;
        self.put += 1;
        // What is no text of the right shape is noticed when it is read: then there is no index.
        if is_spoilt && name != "rest" {
            let width = size_of::<T>().min(8);
            let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut values);
            for value in bytes.chunks_exact_mut(width) {
                if self.random().is_multiple_of(self.one_in) {
                    let number = self.number().to_ne_bytes();
                    value.copy_from_slice(&number[..width]);
                }
            }
        }
        self.into.put(name, &values)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Round trip: the index of a heap answers as the heap itself does.
    #[test]
    fn what_was_kept_comes_back(graph in graphs()) {
        let all = All::of(graph);
        let (_folder, back) = through_a_file(&all, All::store);
        let back = back.expect("what was written is restored");
        prop_assert_eq!(back.graph.check(), Ok(()));
        prop_assert!(back.analysis.check());
        prop_assert_eq!(back.look_ups(), all.look_ups());
        prop_assert_eq!(back.views(), all.views());
        // And what was restored is kept as it was.
        let (_folder, again) = through_a_file(&back, All::store);
        prop_assert_eq!(again.expect("restored").look_ups(), all.look_ups());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Nonsense under right checksums: every look-up ends, and so does every walk over what passes the checks.
    #[test]
    fn nonsense_is_answered(
        graph in graphs(),
        seed in 1..u64::MAX,
        sections in any::<u64>(),
        few in any::<u64>(),
        one_in in 1..8u64,
    ) {
        let all = All::of(graph);
        // Often a few sections only, so that the others make sense of them.
        let sections = if seed.is_multiple_of(4) { sections } else { sections & few & few.rotate_left(17) };
        let (_folder, back) = through_a_file(&all, |all, writer| {
            all.store(&mut Nonsense { into: writer, state: seed, sections, one_in, put: 0 })
        });
        let Some(back) = back else { return Ok(()) };
        back.look_ups();
        if back.graph.check().is_ok() && back.analysis.check() {
            back.views();
        }
    }
}
