//! Under which name an object is held: one retainer each, the one that says most.
//!
//! A value of a `Map` is held by the map's table, an element of an array by its elements. Such storage is
//! passed over: the owner is the map. Two passes over the edges for all objects together.

use leakline_heap::{EdgeId, EdgeType, HeapGraph, NodeId, NodeType};
use serde::Serialize;

use super::row::Heap;
use crate::bits::Bits;
use crate::distance::Distances;
use crate::paths::ObjectRef;

/// Who holds an object, by what name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// The edge's name: `sessions`, `[17]`.
    pub edge: String,
    /// V8's name of the edge's type.
    pub edge_type: &'static str,
    /// The object that holds.
    pub owner: ObjectRef,
    /// The class it stands under in the summary.
    pub owner_class: String,
}

/// The best retainer of each of `nodes`, in their order. O(edges) twice, and a
/// small table of `nodes`.
pub(super) fn holders(heap: &Heap<'_>, nodes: &[NodeId]) -> Vec<Option<Holder>> {
    let first = best_retainers(heap, nodes);
    let stores: Vec<NodeId> = first
        .iter()
        .map(|held| held.map_or(heap.graph.root(), |(_, from)| from))
        .map(|from| if is_storage(heap.graph, from) { from } else { heap.graph.root() })
        .collect();
    let owners = if stores.iter().any(|&s| s != heap.graph.root()) {
        best_retainers(heap, &stores)
    } else {
        vec![None; stores.len()]
    };
    let words = |(held, owner): (&Found, &Found)| {
        let (edge, from) = (*held)?;
        let edge = heap.graph.edge(edge);
        let owner = owner.map_or(from, |(_, owner)| owner);
        Some(Holder {
            edge: heap.graph.edge_label(edge),
            edge_type: edge.kind.name(),
            owner: ObjectRef::of(heap.graph, owner),
            owner_class: heap.analysis.class_name(owner).to_owned(),
        })
    };
    first.iter().zip(&owners).map(words).collect()
}

fn is_storage(graph: &HeapGraph, node: NodeId) -> bool {
    matches!(graph.node_type(node), NodeType::Array | NodeType::Hidden)
}

/// An edge and the object it starts from.
type Found = Option<(EdgeId, NodeId)>;

fn best_retainers(heap: &Heap<'_>, nodes: &[NodeId]) -> Vec<Found> {
    let graph = heap.graph;
    // The bit first: nearly no edge leads to one of the few.
    let mut wanted = Bits::new(graph.node_count());
    let mut order: Vec<(NodeId, usize)> = nodes.iter().copied().zip(0..).collect();
    order.sort_unstable();
    for &node in nodes.iter().filter(|&&n| n != graph.root()) {
        wanted.set(node.index());
    }
    let mut best: Vec<Option<(Rank, EdgeId, NodeId)>> = vec![None; nodes.len()];
    for from in graph.nodes() {
        for edge in graph.edges(from) {
            if !wanted.get(edge.to.index()) || !heap.analysis.essential.is_essential(edge.id) {
                continue;
            }
            let rank = rank(heap, edge.kind, from);
            let start = order.partition_point(|&(node, _)| node < edge.to);
            for &(_, at) in order[start..].iter().take_while(|(node, _)| *node == edge.to) {
                if best[at].is_none_or(|(known, ..)| rank < known) {
                    best[at] = Some((rank, edge.id, from));
                }
            }
        }
    }
    best.into_iter().map(|found| found.map(|(_, edge, from)| (edge, from))).collect()
}

type Rank = (bool, u8, i32);

/// Lower says more: the user's objects before V8's, names before numbers before links that JavaScript cannot
/// see, and near before far.
fn rank(heap: &Heap<'_>, kind: EdgeType, from: NodeId) -> Rank {
    let distance = heap.analysis.distances.raw(from);
    let by_kind = match kind {
        EdgeType::Context => 0,
        EdgeType::Property => 1,
        EdgeType::Element => 2,
        EdgeType::Internal => 3,
        _ => 4,
    };
    (!(0..Distances::SYSTEM).contains(&distance), by_kind, distance)
}
