//! Depth-first numbers of the nodes, and the edges backwards in terms of these numbers.

use leakline_heap::{EdgeId, HeapGraph, NodeId};

use crate::bits::Bits;
use crate::essential::EssentialEdges;

/// Not numbered yet.
const NONE: u32 = u32::MAX;

/// The nodes by depth-first number. The root has number 0.
pub(super) struct Numbering {
    /// By number: the node.
    pub(super) node_of: Vec<u32>,
    /// By number: the number of the parent in the depth-first tree.
    pub(super) parent: Vec<u32>,
    /// By number: where the essential edges come from.
    pub(super) predecessors: Predecessors,
}

/// The essential edges backwards, in CSR form. Vertices with one edge have an empty list: that edge is
/// the tree's, and the parent is known.
pub(super) struct Predecessors {
    first: Vec<u32>,
    from: Vec<u32>,
}

impl Predecessors {
    /// The numbers of the predecessors of `vertex`; empty when its parent is the only one.
    #[inline]
    pub(super) fn of(&self, vertex: u32) -> &[u32] {
        let v = vertex as usize;
        &self.from[self.first[v] as usize..self.first[v + 1] as usize]
    }
}

impl Numbering {
    pub(super) fn of(graph: &HeapGraph, essential: &EssentialEdges) -> Self {
        let n = graph.node_count();
        let mut dfs = DepthFirst {
            graph,
            essential,
            seen: Bits::new(n),
            number: vec![NONE; n],
            in_degree: vec![0; n],
            node_of: Vec::with_capacity(n),
            parent: Vec::with_capacity(n),
            stack: Vec::new(),
        };
        dfs.visit(graph.root(), 0);
        if dfs.node_of.len() < n {
            dfs.visit_orphans();
        }
        // What is left are rings: each node hangs on the root, and its own edges hold nothing.
        let reached = dfs.node_of.len() as u32;
        let DepthFirst { mut number, in_degree, mut node_of, mut parent, .. } = dfs;
        if node_of.len() < n {
            for node in graph.nodes() {
                if number[node.index()] == NONE {
                    number[node.index()] = node_of.len() as u32;
                    node_of.push(node.0);
                    parent.push(0);
                }
            }
        }
        let predecessors = predecessors(graph, essential, &number, &node_of, in_degree, reached);
        Self { node_of, parent, predecessors }
    }
}

struct DepthFirst<'a> {
    graph: &'a HeapGraph,
    essential: &'a EssentialEdges,
    /// Whether a node has a number: small enough for the cache, so that the search need not wait for the
    /// big columns, which it only writes.
    seen: Bits,
    number: Vec<u32>,
    /// By node: essential edges that lead to it from numbered nodes.
    in_degree: Vec<u32>,
    node_of: Vec<u32>,
    parent: Vec<u32>,
    stack: Vec<Frame>,
}

#[derive(Clone, Copy)]
struct Frame {
    number: u32,
    next_edge: u32,
    end: u32,
}

impl DepthFirst<'_> {
    fn visit(&mut self, start: NodeId, parent: u32) {
        let targets = self.graph.edge_targets();
        let mut frame = self.enter(start, parent);
        loop {
            if frame.next_edge == frame.end {
                let Some(up) = self.stack.pop() else { return };
                frame = up;
                continue;
            }
            let e = frame.next_edge;
            frame.next_edge += 1;
            if !self.essential.is_essential(EdgeId(e)) {
                continue;
            }
            let to = targets[e as usize];
            self.in_degree[to as usize] += 1;
            if !self.seen.get(to as usize) {
                // A frame without edges left need not be returned to.
                if frame.next_edge < frame.end {
                    self.stack.push(frame);
                }
                frame = self.enter(NodeId(to), frame.number);
            }
        }
    }

    fn enter(&mut self, node: NodeId, parent: u32) -> Frame {
        let number = self.node_of.len() as u32;
        self.seen.set(node.index());
        self.number[node.index()] = number;
        self.node_of.push(node.0);
        self.parent.push(parent);
        let edges = self.graph.edge_range(node);
        Frame { number, next_edge: edges.start as u32, end: edges.end as u32 }
    }

    /// Visits what has no retainer at all, and what lies below it.
    fn visit_orphans(&mut self) {
        let mut retained = Bits::new(self.graph.node_count());
        for (e, &to) in self.graph.edge_targets().iter().enumerate() {
            if self.essential.is_essential(EdgeId(e as u32)) {
                retained.set(to as usize);
            }
        }
        for node in self.graph.nodes() {
            if !self.seen.get(node.index()) && !retained.get(node.index()) {
                self.visit(node, 0);
            }
        }
    }
}

fn predecessors(
    graph: &HeapGraph,
    essential: &EssentialEdges,
    number: &[u32],
    node_of: &[u32],
    in_degree: Vec<u32>,
    reached: u32,
) -> Predecessors {
    // The lists stand in the order of the numbers, in which they are read.
    let mut next_slot = in_degree;
    let mut first = Vec::with_capacity(node_of.len() + 1);
    let mut total = 0;
    for (v, &node) in node_of.iter().enumerate() {
        first.push(total);
        let degree = &mut next_slot[node as usize];
        let listed = v > 0 && (v as u32) < reached && *degree > 1;
        let begin = if listed { total } else { NONE };
        total += if listed { *degree } else { 0 };
        *degree = begin;
    }
    first.push(total);
    let mut from = vec![0u32; total as usize];
    let targets = graph.edge_targets();
    for node in graph.nodes() {
        let source = number[node.index()];
        if source >= reached {
            continue;
        }
        for e in graph.edge_range(node) {
            if !essential.is_essential(EdgeId(e as u32)) {
                continue;
            }
            let next = &mut next_slot[targets[e] as usize];
            if *next != NONE {
                from[*next as usize] = source;
                *next += 1;
            }
        }
    }
    Predecessors { first, from }
}
