//! The views on random graphs: input is hostile.

mod opened;

use leakline_analysis::views::{
    CollectionSort, Range, Search, closures, collections, containment, contexts, detached,
    dominator_tree, duplicated_strings, native_contexts, object, search, statistics,
};
use leakline_heap::{EdgeType, NodeId, NodeType};
use leakline_testkit::graph::GraphBuilder;
use proptest::prelude::*;

use opened::Opened;

const NAMES: [&str; 14] = [
    "Object",
    "Array",
    "Map",
    "WeakSet",
    "system / Context",
    "system / Context / scope @7",
    "system / ContextCell",
    "system / NativeContext",
    "system / JSArrayBufferData",
    "(object properties)",
    "makeHandler",
    "",
    "Window / ",
    "name_or_scope_info",
];
const EDGES: [&str; 16] = [
    "table",
    "elements",
    "properties",
    "map",
    "context",
    "shared",
    "scope_info",
    "name_or_scope_info",
    "extension",
    "embedder_data",
    "actual",
    "length",
    "value",
    "script",
    "5",
    "4294967295",
];
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
const EDGE_KINDS: [EdgeType; 6] = [
    EdgeType::Context,
    EdgeType::Element,
    EdgeType::Property,
    EdgeType::Internal,
    EdgeType::Hidden,
    EdgeType::Weak,
];
const SIZES: [u64; 6] = [0, 24, 152, 264, 1 << 33, u64::MAX / 64];

proptest! {
    /// Whatever a file claims to be, no view panics, and groups add up.
    #[test]
    fn any_graph_has_views(
        nodes in prop::collection::vec((0..8usize, 0..14usize, 0..6usize, 0..4u8), 1..25),
        edges in prop::collection::vec((0..25usize, 0..6usize, 0..16usize, 0..25usize), 0..90),
    ) {
        let mut b = GraphBuilder::new();
        let n = nodes.len();
        for (i, (kind, name, size, state)) in nodes.into_iter().enumerate() {
            let node = b.node(KINDS[kind], NAMES[name], SIZES[size]);
            b.set_detachedness(node, state);
            if i % 3 == 0 {
                b.location(node, 7, u32::MAX, u32::MAX);
            }
        }
        for (from, kind, name, to) in edges {
            let (from, to) = (NodeId((from % n) as u32), NodeId((to % n) as u32));
            let kind = EDGE_KINDS[kind];
            if kind.has_index_name() {
                b.indexed_edge(from, kind, name as u32, to);
            } else {
                b.edge(from, kind, EDGES[name], to);
            }
        }
        let opened = Opened::of(b.build());
        let heap = opened.heap();
        for node in opened.graph.nodes() {
            let view = object(&heap, node);
            prop_assert!(view.essential_retainer_count <= view.retainer_count);
            prop_assert_eq!(containment(&heap, node).edge_count, view.edges.len() as u64);
            let tree = dominator_tree(&heap, node);
            prop_assert_eq!(tree.chain.len() as u64, tree.depth);
        }
        statistics(&heap);
        duplicated_strings(&heap, 2);
        native_contexts(&heap);
        let groups = closures(&heap, None);
        let is_closure = |n: &NodeId| opened.graph.node_type(*n) == NodeType::Closure;
        let closures = opened.graph.nodes().filter(is_closure).count() as u64;
        prop_assert_eq!(groups.closure_count, closures);
        let groups = contexts(&heap, None);
        prop_assert_eq!(groups.context_count, groups.groups.iter().map(|g| g.count).sum::<u64>());
        let groups = detached(&heap);
        prop_assert_eq!(groups.count, groups.groups.iter().map(|g| g.count).sum::<u64>());
        let all = collections(&heap, CollectionSort::Waste, 100);
        prop_assert_eq!(all.collection_count, all.collections.len() as u64);
        let everything = Search { shallow: Some(Range { min: 0, max: u64::MAX }), ..Search::default() };
        prop_assert_eq!(search(&heap, &everything, 100).match_count, n as u64);
    }
}
