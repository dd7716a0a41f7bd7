//! Stores that grow without objects: numbers in a `Map`, a `Set` or an array.
//!
//! `seen.add(id)` with numbers for ids makes no object and no link that a snapshot shows; all that grows is the
//! collection's own store. Its size tells for how many entries there is room, and since V8 makes room as it is
//! needed and shrinks what is less than a quarter full, a room that grows from snapshot to snapshot is a
//! collection that is only added to. O(nodes + links of large stores).

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};

use super::correspond::Correspondence;
use super::groups::{Class, Group, Pattern};
use crate::views::layout;

/// Smaller stores are not worth a look.
const MIN_BYTES: u64 = 4 << 10;

/// The group of a store that grew and shows hardly any objects in it.
pub(super) fn of_owner(
    first_graph: &HeapGraph,
    first: &Correspondence,
    graph: &HeapGraph,
    owner: NodeId,
) -> Option<Group> {
    if graph.node_type(owner) != NodeType::Object {
        return None;
    }
    let store = store(graph, owner)?;
    if graph.self_size(store) < MIN_BYTES {
        return None;
    }
    let now = room(graph, owner);
    let before = first.get(owner).map_or(0, |old| room(first_graph, old));
    if now <= before {
        return None;
    }
    let shown = |e: &leakline_heap::Edge| {
        !matches!(graph.edge_text(*e), Some("map")) && graph.self_size(e.to) > 0
    };
    // A table is at least a quarter full; what is not shown are numbers.
    let few = (now / 8) as usize;
    if graph.edges(store).filter(shown).take(few + 1).count() > few {
        return None;
    }
    Some(Group {
        owner,
        owners: vec![owner],
        stores: vec![store],
        pattern: Pattern::Room,
        class: Class { kind: NodeType::Number, name: String::new(), location: None },
        members: vec![store],
        tree_bytes: graph.self_size(store),
    })
}

/// The number of entries in the owner's store, where numbers are drawn; else how many it has room for.
pub(super) fn room(graph: &HeapGraph, owner: NodeId) -> u64 {
    let Some(store) = store(graph, owner) else { return 0 };
    // Newer V8 draws small numbers as elements of the array, though not in its store.
    let drawn = graph.edges(owner).filter(|e| e.kind == EdgeType::Element).count() as u64;
    let bytes = graph.self_size(store);
    let table = [8, 4].into_iter().find_map(|p| layout::table(layout::slots(bytes, p)));
    match table {
        Some((_, table)) if is_table(graph, owner, store) => {
            let mut by_slot = [0u64; 3];
            let slots = graph.edges(store).filter_map(|e| graph.edge_text(e)?.parse::<u64>().ok());
            for (_, slot) in slots.filter_map(|slot| table.entry_of(slot)) {
                by_slot[slot as usize % 3] += 1;
            }
            let entries = by_slot.into_iter().max().unwrap_or(0);
            if entries * 4 >= table.capacity { entries } else { table.capacity }
        }
        _ if drawn > 0 => drawn,
        _ => layout::slots(bytes, 8),
    }
}

fn is_table(graph: &HeapGraph, owner: NodeId, store: NodeId) -> bool {
    graph.find_edge(owner, EdgeType::Internal, "table").is_some_and(|e| e.to == store)
}

fn store(graph: &HeapGraph, owner: NodeId) -> Option<NodeId> {
    graph
        .edges(owner)
        .filter(|e| e.kind == EdgeType::Internal)
        .filter(|e| matches!(graph.edge_text(*e), Some("table" | "elements")))
        .map(|e| e.to)
        .max_by_key(|n| graph.self_size(*n))
}
