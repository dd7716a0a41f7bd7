//! Which edges keep their target alive.
//!
//! A snapshot draws more edges than the garbage collector follows: weak references, shortcuts for the
//! reader, both halves of a `WeakMap` entry. Retained sizes and retaining paths only make sense over the
//! edges that retain. We decide as Chrome `DevTools` does, so that numbers agree with what people see
//! there; in its words these edges are *essential*.
//!
//! An edge is not essential if it
//! - is weak, or leads from a node to itself;
//! - is the table's half of a `WeakMap` entry: the key's half stands for both, since losing the key
//!   already frees the value;
//! - is a shortcut, except at the root, where shortcuts lead to the user's global objects;
//! - leads from outside into what the user's globals reach: what the debugger or V8 itself also holds
//!   should not look shared.
//!
//! O(nodes + edges) time, one bit per edge.

use leakline_heap::{EdgeId, EdgeType, HeapGraph, NodeId, NodeType};

use crate::bits::{BitWriter, Bits};
use crate::names::Names;

/// For each edge, whether it retains.
#[derive(Debug)]
pub struct EssentialEdges {
    bits: Bits,
}

impl EssentialEdges {
    /// Whether the edge keeps its target alive.
    #[inline]
    pub fn is_essential(&self, edge: EdgeId) -> bool {
        self.bits.get(edge.0 as usize)
    }

    /// How many edges do.
    pub fn count(&self) -> usize {
        self.bits.count()
    }
}

/// Decides for every edge of `graph` whether it retains.
pub fn essential_edges(graph: &HeapGraph) -> EssentialEdges {
    essential_edges_named(graph, &Names::of(graph))
}

pub(crate) fn essential_edges_named(graph: &HeapGraph, names: &Names) -> EssentialEdges {
    let owned = reached_from_user_globals(graph, names);
    let (kinds, targets, edge_names) =
        (graph.edge_types(), graph.edge_targets(), graph.edge_names());
    let root = graph.root();
    let any_ephemerons = names.pair_count() > 0;
    let mut bits = BitWriter::with_capacity(graph.edge_count());
    for node in graph.nodes() {
        // From inside, and from the root, no target is foreign.
        let inside = node == root || owned.get(node.index());
        for e in graph.edge_range(node) {
            let to = targets[e];
            let kind = kinds[e];
            let is_half = || {
                let half = names.ephemeron(edge_names[e]);
                half.is_some_and(|half| half.table_id == u64::from(graph.object_id(node)))
            };
            let retains = kind != EdgeType::Weak
                && to != node.0
                && (kind != EdgeType::Shortcut || node == root)
                && (inside || !owned.get(to as usize))
                && !(any_ephemerons && kind == EdgeType::Internal && is_half());
            bits.push(retains);
        }
    }
    EssentialEdges { bits: bits.finish() }
}

/// Everything the user's globals reach, weak edges aside: `DevTools` calls it page-owned.
fn reached_from_user_globals(graph: &HeapGraph, names: &Names) -> Bits {
    let mut reached = Bits::new(graph.node_count());
    let mut stack: Vec<NodeId> = Vec::new();
    for edge in graph.edges(graph.root()) {
        let is_entry = match edge.kind {
            EdgeType::Shortcut => true,
            EdgeType::Element => is_dom_trees_root(graph, names, edge.to),
            _ => false,
        };
        if is_entry {
            stack.push(edge.to);
            reached.set(edge.to.index());
        }
    }
    let (kinds, targets) = (graph.edge_types(), graph.edge_targets());
    while let Some(node) = stack.pop() {
        for e in graph.edge_range(node) {
            let to = targets[e];
            // The bit first: it is nearly always set, and nearer than the edge's type.
            if !reached.get(to as usize) && kinds[e] != EdgeType::Weak {
                reached.set(to as usize);
                stack.push(NodeId(to));
            }
        }
    }
    reached
}

/// Whether `node` is the browser's list of documents: it counts as a root of the user's, though V8 made it.
pub(crate) fn is_dom_trees_root(graph: &HeapGraph, names: &Names, node: NodeId) -> bool {
    graph.node_type(node) == NodeType::Synthetic
        && Some(graph.node_name_index(node)) == names.dom_trees
}

/// Whether `node`, held by the root, is the user's: a global object or the list of documents.
pub(crate) fn is_user_root(graph: &HeapGraph, names: &Names, node: NodeId) -> bool {
    graph.node_type(node) != NodeType::Synthetic || is_dom_trees_root(graph, names, node)
}
