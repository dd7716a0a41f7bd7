//! One object: its numbers, what it holds and who holds it.

use leakline_heap::NodeId;
use serde::Serialize;

use super::allocation::{AllocationFrame, allocation_stack};
use super::row::{EdgeRow, Heap, ObjectRow};
use crate::summary::SourceLocation;

/// Retainers that are named; an object that everything holds (a hidden class, `undefined`) has thousands.
const MAX_RETAINERS: usize = 100;

/// One object, in the shape of `leakline object --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectView {
    /// The object.
    #[serde(flatten)]
    pub object: ObjectRow,
    /// Whose loss frees it; `None` for the root.
    pub dominator_id: Option<String>,
    /// Where a function's code stands, or an object's constructor.
    pub location: Option<SourceLocation>,
    /// Whether the embedder says that only JavaScript still holds it.
    pub detached: bool,
    /// The calls that made it, the one that allocated first; `None` where the snapshot does not know.
    pub allocation_stack: Option<Vec<AllocationFrame>>,
    /// What it holds, in the snapshot's order, weak edges included.
    pub edges: Vec<EdgeRow>,
    /// How many edges lead to it.
    pub retainer_count: u64,
    /// How many of them keep it alive.
    pub essential_retainer_count: u64,
    /// Who holds it directly: those that keep it alive first, the nearest to the user's globals first, a
    /// hundred at most.
    pub retainers: Vec<RetainerRow>,
}

/// An edge seen from its target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RetainerRow {
    /// The edge's name.
    pub edge: String,
    /// V8's name of the edge's type.
    pub edge_type: &'static str,
    /// Whether it keeps the object alive; weak edges and shortcuts do not.
    pub essential: bool,
    /// The object that holds.
    pub object: ObjectRow,
}

/// Everything about `node`. O(edges), or, where the edges are known backwards, O(edges of the node).
pub fn object(heap: &Heap<'_>, node: NodeId) -> ObjectView {
    let graph = heap.graph;
    let retainers = heap.retainers_of(node).into_iter().map(|held| {
        let essential = heap.analysis.essential.is_essential(held.edge);
        let distance = heap.analysis.distances.raw(held.from);
        // What nothing reaches has a negative distance and comes last.
        (!essential, distance < 0, distance, held.edge, held.from)
    });
    let mut held: Vec<_> = retainers.collect();
    held.sort_unstable_by_key(|&(weak, lost, distance, edge, _)| (weak, lost, distance, edge.0));
    let essential = held.iter().filter(|h| !h.0).count() as u64;
    let retainers = held.iter().take(MAX_RETAINERS).map(|&(weak, _, _, edge, from)| {
        let edge = graph.edge(edge);
        RetainerRow {
            edge: graph.edge_label(edge),
            edge_type: edge.kind.name(),
            essential: !weak,
            object: heap.row(from),
        }
    });
    let dominator = heap.analysis.dominators.immediate(node);
    ObjectView {
        object: heap.row(node),
        dominator_id: (node != graph.root()).then(|| heap.id(dominator)),
        location: heap.location(node),
        detached: heap.is_detached(node),
        allocation_stack: allocation_stack(graph, node),
        edges: graph.edges(node).map(|e| heap.edge_row(e)).collect(),
        retainer_count: held.len() as u64,
        essential_retainer_count: essential,
        retainers: retainers.collect(),
    }
}
