//! Edges backwards: who holds a node.

use crate::memory::zeroed;
use crate::{EdgeId, HeapGraph, NodeId};

/// The edges of a graph by their target, in CSR form. Built once, in O(nodes + edges), by counting
/// sort: the retainers of a node stand in the order of the edges in the snapshot.
#[derive(Clone, Debug)]
pub struct Retainers {
    first: Vec<u32>,
    edge: Vec<u32>,
    from: Vec<u32>,
}

/// One edge seen from its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retainer {
    /// The edge.
    pub edge: EdgeId,
    /// The node that holds.
    pub from: NodeId,
}

impl Retainers {
    /// Indexes all edges of `graph`, weak ones included: callers decide what retains.
    pub fn of(graph: &HeapGraph) -> Self {
        let n = graph.node_count();
        let (edges, first_edges) = (graph.packed_edges(), graph.first_edges());
        let mut first = zeroed(n + 1);
        for edge in edges {
            first[edge.to() as usize + 1] += 1;
        }
        for i in 0..n {
            first[i + 1] += first[i];
        }
        let mut next: Vec<u32> = first[..n].to_vec();
        let mut edge = zeroed(edges.len());
        let mut from = zeroed(edges.len());
        for (node, range) in first_edges.windows(2).enumerate() {
            for e in range[0]..range[1] {
                let slot = &mut next[edges[e as usize].to() as usize];
                edge[*slot as usize] = e;
                from[*slot as usize] = node as u32;
                *slot += 1;
            }
        }
        Self { first, edge, from }
    }

    /// Who holds `node`.
    pub fn of_node(&self, node: NodeId) -> impl Iterator<Item = Retainer> + '_ {
        let range = self.first[node.index()] as usize..self.first[node.index() + 1] as usize;
        range.map(|i| Retainer { edge: EdgeId(self.edge[i]), from: NodeId(self.from[i]) })
    }

    /// How many edges lead to `node`.
    pub fn count(&self, node: NodeId) -> usize {
        (self.first[node.index() + 1] - self.first[node.index()]) as usize
    }
}
