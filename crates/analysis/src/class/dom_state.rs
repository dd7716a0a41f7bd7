//! Which native objects are detached.
//!
//! The embedder marks the objects it knows about as attached (1) or detached (2); the rest inherit: what an
//! attached native object holds is attached, and of what is then left, what a detached one holds is
//! detached. JavaScript objects pass nothing on: every way from JavaScript into native objects leads to
//! one that knows its own state. O(nodes), and the edges of marked natives.

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};

use crate::bits::Bits;

const ATTACHED: u8 = 1;
const DETACHED: u8 = 2;

/// The native objects that are detached.
pub(super) fn detached(graph: &HeapGraph) -> Bits {
    let mut visited = Bits::new(graph.node_count());
    let mut detached = Bits::new(graph.node_count());
    let mut stacks: [Vec<NodeId>; 2] = [Vec::new(), Vec::new()];
    for node in graph.nodes() {
        let stack = match graph.detachedness(node) {
            ATTACHED => &mut stacks[0],
            DETACHED => &mut stacks[1],
            // A state this version does not know is no reason to inherit another one.
            0 => continue,
            _ => {
                visited.set(node.index());
                continue;
            }
        };
        if graph.node_type(node) == NodeType::Native && visited.insert(node.index()) {
            stack.push(node);
        }
    }
    let [mut from_attached, mut from_detached] = stacks;
    for node in &from_detached {
        detached.set(node.index());
    }
    while let Some(node) = from_attached.pop() {
        inherit(graph, node, &mut visited, &mut from_attached, None);
    }
    while let Some(node) = from_detached.pop() {
        inherit(graph, node, &mut visited, &mut from_detached, Some(&mut detached));
    }
    detached
}

fn inherit(
    graph: &HeapGraph,
    node: NodeId,
    visited: &mut Bits,
    stack: &mut Vec<NodeId>,
    mut mark: Option<&mut Bits>,
) {
    for edge in graph.edges(node) {
        let to = edge.to.index();
        if matches!(edge.kind, EdgeType::Hidden | EdgeType::Weak)
            || graph.node_type(edge.to) != NodeType::Native
            || !visited.insert(to)
        {
            continue;
        }
        if let Some(mark) = &mut mark {
            mark.set(to);
        }
        stack.push(edge.to);
    }
}
