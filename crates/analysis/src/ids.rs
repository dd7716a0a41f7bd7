//! Nodes by object id.

use leakline_heap::{HeapGraph, NodeId};

/// The nodes of a graph in the order of their object ids. Eight bytes a node, O(n log n) to build; two of
/// them are compared in one pass.
pub(crate) struct IdOrder {
    /// The id in the upper half, the node in the lower.
    entries: Vec<u64>,
}

impl IdOrder {
    /// The nodes of `graph` that `keep` keeps.
    pub(crate) fn of(graph: &HeapGraph, mut keep: impl FnMut(NodeId) -> bool) -> Self {
        let entry = |node: NodeId| u64::from(graph.object_id(node)) << 32 | u64::from(node.0);
        let mut entries: Vec<u64> = graph.nodes().filter(|&n| keep(n)).map(entry).collect();
        entries.sort_unstable();
        Self { entries }
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Calls `each` with the nodes of every id that both have.
    pub(crate) fn for_common(&self, other: &Self, mut each: impl FnMut(NodeId, NodeId)) {
        let (mut i, mut j) = (0, 0);
        while let (Some(&a), Some(&b)) = (self.entries.get(i), other.entries.get(j)) {
            match (a >> 32).cmp(&(b >> 32)) {
                std::cmp::Ordering::Less => i += 1,
                std::cmp::Ordering::Greater => j += 1,
                std::cmp::Ordering::Equal => {
                    each(NodeId(a as u32), NodeId(b as u32));
                    i += 1;
                    j += 1;
                }
            }
        }
    }
}
