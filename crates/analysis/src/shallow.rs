//! Shallow sizes as people expect them: an object together with the internals only it owns.
//!
//! V8 writes the elements of an `Array` or the table of a `Map` as nodes of their own. Nobody wants to
//! read "(array) 160 MB" when one `Array` owns all of it, so `DevTools` moves the size of hidden nodes,
//! backing stores and external string data to the owner where there is exactly one, and so do we. The sum
//! over all nodes stays the same.
//!
//! (One difference is known: external string data that the embedder calls detached, which V8 never writes,
//! stays a node of its own there.)
//!
//! Ownership flows along edges that are not weak, from every node that is nobody's internals, through
//! internals only. A node reached from two owners is shared and keeps its size. Each node changes at most
//! twice (unowned, owned, shared), so this takes O(nodes + edges); four bytes a node while it runs.

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType, SizeColumn};

use crate::bits::{BitWriter, Bits};
use crate::buffers::Buffers;
use crate::essential::is_user_root;
use crate::names::Names;

const UNOWNED: u32 = u32::MAX;
const SHARED: u32 = u32::MAX - 1;

/// The adjusted shallow size of every node in bytes.
///
/// A snapshot taken with V8's internals exposed has no user roots; its sizes are left as they are.
pub fn shallow_sizes(graph: &HeapGraph) -> SizeColumn {
    shallow_sizes_named(graph, &Names::of(graph), &Buffers::default())
}

pub(crate) fn shallow_sizes_named(
    graph: &HeapGraph,
    names: &Names,
    buffers: &Buffers,
) -> SizeColumn {
    let mut sizes = graph.self_sizes().clone();
    if !graph.edges(graph.root()).any(|e| is_user_root(graph, names, e.to)) {
        return sizes;
    }
    let mut internal = BitWriter::with_capacity(graph.node_count());
    for node in graph.nodes() {
        internal.push(match graph.node_type(node) {
            NodeType::Hidden | NodeType::Array => true,
            NodeType::Native => Some(graph.node_name_index(node)) == names.external_string_data,
            _ => false,
        });
    }
    let owners = owners(graph, &internal.finish(), buffers);
    for node in graph.nodes() {
        let owner = NodeId(owners[node.index()]);
        // The root and V8's grouping nodes are nobody one would blame.
        if owner.0 >= SHARED
            || owner == node
            || owner == graph.root()
            || graph.node_type(owner) == NodeType::Synthetic
        {
            continue;
        }
        let moved = sizes.get(node.index());
        if moved > 0 {
            sizes.set(node.index(), 0);
            sizes.set(owner.index(), sizes.get(owner.index()).saturating_add(moved));
        }
    }
    buffers.give(owners);
    sizes
}

fn owners(graph: &HeapGraph, internal: &Bits, buffers: &Buffers) -> Vec<u32> {
    let mut owners = buffers.take(graph.node_count());
    let (edges, first_edges) = (graph.packed_edges(), graph.first_edges());
    let mut stack: Vec<u32> = Vec::new();
    // Only internals need to know that they are nobody's yet; the others own themselves from the start.
    for (node, owner) in owners.iter_mut().enumerate() {
        *owner = if internal.get(node) { UNOWNED } else { node as u32 };
    }
    for node in 0..graph.node_count() {
        if internal.get(node) {
            continue;
        }
        stack.push(node as u32);
        while let Some(from) = stack.pop() {
            let owner = owners[from as usize];
            let range =
                first_edges[from as usize] as usize..first_edges[from as usize + 1] as usize;
            for edge in &edges[range] {
                let to = edge.to();
                if !internal.get(to as usize) || edge.is(EdgeType::Weak) {
                    continue;
                }
                let old = owners[to as usize];
                if old == owner || old == SHARED {
                    continue;
                }
                owners[to as usize] = if old == UNOWNED { owner } else { SHARED };
                stack.push(to);
            }
        }
    }
    owners
}
