//! Lists that grow by the same few objects again and again.
//!
//! `emitter.on('drain', onDrain)` with one function for all leaks no object, only a slot for each call, until the
//! list itself is what is large and every `emit` runs the function a thousand times. No new object shows it,
//! so the links of each list are counted in both snapshots. O(links of lists).

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};
use rustc_hash::FxHashMap;

use super::correspond::Correspondence;
use super::groups::{Class, Group, Pattern};

/// Fewer additional slots than this are no growth.
const MIN_SLOTS: usize = 16;

/// The group of a list's slots, when the list grew by references to objects that it held before or that are few.
pub(super) fn of_owner(
    first_graph: &HeapGraph,
    first: &Correspondence,
    graph: &HeapGraph,
    is_new: &[bool],
    owner: NodeId,
) -> Option<Group> {
    if graph.node_type(owner) != NodeType::Object || graph.node_name(owner) != "Array" {
        return None;
    }
    let slots = |graph: &HeapGraph, node: NodeId| {
        graph.edges(node).filter(|e| e.kind == EdgeType::Element).count()
    };
    let now = slots(graph, owner);
    if now < MIN_SLOTS {
        return None;
    }
    let before = first.get(owner).map_or(0, |old| slots(first_graph, old));
    if now < before + MIN_SLOTS {
        return None;
    }
    let mut times: FxHashMap<NodeId, usize> = FxHashMap::default();
    let mut fresh = 0;
    for edge in graph.edges(owner).filter(|e| e.kind == EdgeType::Element) {
        let seen = times.entry(edge.to).or_default();
        *seen += 1;
        fresh += usize::from(is_new[edge.to.index()] && *seen == 1);
    }
    // Objects of their own make an ordinary group.
    if fresh * 2 >= now - before {
        return None;
    }
    let (&most, &count) = times.iter().max_by_key(|(node, count)| (**count, **node))?;
    // Slots of `undefined`, `null` or a hole are room that was made in advance: a queue's ring.
    if count < MIN_SLOTS || graph.node_type(most) == NodeType::Hidden {
        return None;
    }
    let store = graph.find_edge(owner, EdgeType::Internal, "elements")?.to;
    let mut members = vec![most, store];
    members.sort_unstable();
    Some(Group {
        owner,
        owners: vec![owner],
        stores: vec![store],
        pattern: Pattern::Elements,
        class: Class::of(graph, most),
        members,
        tree_bytes: graph.self_size(store),
    })
}
