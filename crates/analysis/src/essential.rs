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

use leakline_heap::{EdgeId, EdgeType, HeapGraph, NodeId, NodeType, PackedEdge};

use crate::bits::{BitColumn, Bits};
use crate::buffers::Buffers;
use crate::dominators::Numbering;
use crate::names::Names;

/// For each edge, whether it retains.
#[derive(Debug)]
pub struct EssentialEdges {
    pub(crate) bits: BitColumn,
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

/// Decides for every edge of `graph` whether it retains. The search that numbers the nodes for the
/// dominators decides it on its way.
pub fn essential_edges(graph: &HeapGraph) -> EssentialEdges {
    Numbering::of(graph, &Names::of(graph), &Buffers::default()).1
}

/// What decides about an edge, all but whether it leads from outside into what the user's globals reach.
pub(crate) struct Rule<'a> {
    graph: &'a HeapGraph,
    names: &'a Names,
    /// Few nodes are the table of a `WeakMap`: only their edges need to be asked for their names.
    tables: Bits,
}

impl<'a> Rule<'a> {
    pub(crate) fn new(graph: &'a HeapGraph, names: &'a Names) -> Self {
        Self { graph, names, tables: names.weak_map_tables(graph) }
    }

    /// Whether `node` is the table of a `WeakMap`.
    #[inline]
    pub(crate) fn is_table(&self, node: u32) -> bool {
        self.tables.get(node as usize)
    }

    /// Whether the edge at `index` of `node`, which is `edge`, retains, if its target is not foreign.
    #[inline]
    pub(crate) fn retains(
        &self,
        node: u32,
        is_table: bool,
        index: usize,
        edge: PackedEdge,
    ) -> bool {
        !edge.is(EdgeType::Weak)
            && edge.to() != node
            && (!edge.is(EdgeType::Shortcut) || node == self.graph.root().0)
            && !(is_table && self.is_ephemeron_half(node, index, edge))
    }

    /// Whether an edge of a table is its half of an entry.
    #[cold]
    fn is_ephemeron_half(&self, node: u32, index: usize, edge: PackedEdge) -> bool {
        edge.is(EdgeType::Internal)
            && self
                .names
                .ephemeron(self.graph.edge_name(index))
                .is_some_and(|half| half.table_id == u64::from(self.graph.object_id(NodeId(node))))
    }
}

/// Whether an edge of the root leads to what the user owns.
pub(crate) fn is_entry(graph: &HeapGraph, names: &Names, edge: leakline_heap::Edge) -> bool {
    match edge.kind {
        EdgeType::Shortcut => true,
        EdgeType::Element => is_dom_trees_root(graph, names, edge.to),
        _ => false,
    }
}

/// Whether `node` is the browser's list of documents: it counts as a root of the user's, though V8 made it.
fn is_dom_trees_root(graph: &HeapGraph, names: &Names, node: NodeId) -> bool {
    graph.node_type(node) == NodeType::Synthetic
        && Some(graph.node_name_index(node)) == names.dom_trees
}

/// Whether `node`, held by the root, is the user's: a global object or the list of documents.
pub(crate) fn is_user_root(graph: &HeapGraph, names: &Names, node: NodeId) -> bool {
    graph.node_type(node) != NodeType::Synthetic || is_dom_trees_root(graph, names, node)
}
