//! The containment view: what an object holds, the heaviest first. From the root it shows the heap from the
//! outside: the user's global objects, the GC roots, what the embedder added.

use std::cmp::Reverse;

use leakline_heap::{Edge, EdgeType, NodeId};
use serde::Serialize;

use super::row::{EdgeRow, Heap, ObjectRow};

/// What an object holds, in the shape of `leakline containment --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContainmentView {
    /// The object; the root when none was asked for.
    pub object: ObjectRow,
    /// How many edges it has.
    pub edge_count: u64,
    /// How many of them V8 calls hidden; as in `DevTools` they have no row.
    pub hidden_edge_count: u64,
    /// Its edges, largest retained size first.
    pub rows: Vec<EdgeRow>,
}

/// The edges of `node`. O(its edges, sorted).
pub fn containment(heap: &Heap<'_>, node: NodeId) -> ContainmentView {
    let edge_count = heap.graph.edges(node).len() as u64;
    let mut shown: Vec<Edge> =
        heap.graph.edges(node).filter(|e| e.kind != EdgeType::Hidden).collect();
    // Stable: among equals the snapshot's order stays.
    shown.sort_by_key(|e| Reverse(heap.analysis.retained_size(e.to)));
    ContainmentView {
        object: heap.row(node),
        edge_count,
        hidden_edge_count: edge_count - shown.len() as u64,
        rows: shown.into_iter().map(|e| heap.edge_row(e)).collect(),
    }
}
