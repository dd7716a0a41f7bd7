//! Edges backwards: who holds a node.

use crate::memory::zeroed;
use crate::{Column, EdgeId, HeapGraph, NodeId};

/// The edges of a graph by their target, in CSR form. Built once, in O(nodes + edges), by counting
/// sort: the retainers of a node stand in the order of the edges in the snapshot.
#[derive(Clone, Debug)]
pub struct Retainers {
    pub(crate) first: Column<u32>,
    pub(crate) edge: Column<u32>,
    from: Sources,
}

/// Retainers that are looked for one by one.
const FEW: usize = 64;

/// Where edges come from.
#[derive(Clone, Debug)]
enum Sources {
    /// In the order of the retainers.
    Listed(Vec<u32>),
    /// By looking for the edge among the first edges of the nodes; half the size, for what is kept on disk.
    Searched(Column<u32>),
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
        Self { first: first.into(), edge: edge.into(), from: Sources::Listed(from) }
    }

    /// Takes columns that somebody lends, made of `graph`.
    pub(crate) fn lent(first: Column<u32>, edge: Column<u32>, graph: &HeapGraph) -> Self {
        Self { first, edge, from: Sources::Searched(graph.columns().first_edge.clone()) }
    }

    /// Who holds `node`.
    pub fn of_node(&self, node: NodeId) -> impl Iterator<Item = Retainer> + '_ {
        let start = self.first.get(node.index()) as usize;
        let edges = self.edge.range(start..start + self.count(node));
        // Looking for many at once, the column is taken as a whole, which is checked as a whole when it is
        // lent.
        let first_edges = match &self.from {
            Sources::Searched(first_edges) if edges.len() > FEW => first_edges.as_slice(),
            _ => &[],
        };
        edges.iter().enumerate().map(move |(i, &edge)| {
            let edge = EdgeId(edge);
            let from = match &self.from {
                Sources::Listed(from) => NodeId(from[start + i]),
                Sources::Searched(column) if first_edges.is_empty() => source_of(column, edge),
                Sources::Searched(_) => {
                    let after = first_edges.partition_point(|&first| first <= edge.0);
                    NodeId(after.saturating_sub(1).min(first_edges.len().saturating_sub(2)) as u32)
                }
            };
            Retainer { edge, from }
        })
    }

    /// How many edges lead to `node`.
    pub fn count(&self, node: NodeId) -> usize {
        let (start, end) = (self.first.get(node.index()), self.first.get(node.index() + 1));
        // Always a rising pair, unless somebody lends us nonsense.
        end.saturating_sub(start) as usize
    }
}

/// The node among whose edges this one is: the last whose edges begin at or before it. Nodes without edges
/// begin where the next one does. `first_edges` has an entry more than there are nodes.
pub(crate) fn source_of(first_edges: &Column<u32>, edge: EdgeId) -> NodeId {
    let (mut low, mut high) = (0, first_edges.len().saturating_sub(1));
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if first_edges.get(middle) <= edge.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    NodeId(low as u32)
}
