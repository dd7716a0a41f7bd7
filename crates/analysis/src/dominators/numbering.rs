//! Depth-first numbers of the nodes, and which edges retain.
//!
//! One search does four things, because each edge is looked at once and its target is in the cache then:
//! it numbers the nodes, decides whether each edge is essential, counts the essential edges that lead to
//! each node, and finds what the user's globals own.
//!
//! The last comes free by the order of the search. Which edges are essential depends on what the globals
//! own: an edge from outside into it is not. So the search begins with the root's edges to the globals and
//! follows them to the end: from there everything it meets is owned, and what is owned but held back (by
//! an edge that does not retain) is marked from the edges passed over. Only then come the other edges of
//! the root.

use leakline_heap::{EdgeType, HeapGraph, PackedEdge, memory};

use crate::bits::Bits;
use crate::buffers::Buffers;
use crate::essential::{EssentialEdges, Rule, is_entry};
use crate::names::Names;

/// The nodes by depth-first number. The root has number 0.
pub(crate) struct Numbering {
    /// By number: the node.
    pub(super) node_of: Vec<u32>,
    /// By number: the number of the parent in the depth-first tree. The root's is its own.
    pub(super) parent: Vec<u32>,
    /// By node: its number.
    pub(super) number: Vec<u32>,
    /// By node: how many essential edges lead to it from what was reached.
    pub(super) count: Vec<u32>,
    /// From this number on, nodes hang on the root, and their own edges hold nothing.
    pub(super) reached: u32,
}

impl Numbering {
    /// Numbers all nodes: what essential edges reach from the root; then what has no retainer at all, with
    /// what lies below it; then the rings that are left.
    pub(crate) fn of(
        graph: &HeapGraph,
        names: &Names,
        buffers: &Buffers,
    ) -> (Self, EssentialEdges) {
        let n = graph.node_count();
        let mut search = Search {
            graph,
            rule: Rule::new(graph, names),
            edges: graph.packed_edges(),
            first_edges: graph.first_edges(),
            owned: None,
            passed_over: Vec::new(),
            seen: Bits::new(n),
            essential: Bits::new(graph.edge_count()),
            number: buffers.take(n),
            node_of: memory::vec_with_capacity(n),
            parent: memory::vec_with_capacity(n),
            count: buffers.take_filled(n, 0),
            stack: Vec::new(),
        };
        search.visit_from_root(names);
        if search.node_of.len() < n {
            search.orphans();
        }
        let reached = search.node_of.len() as u32;
        for node in 0..n as u32 {
            if search.node_of.len() == n {
                break;
            }
            if !search.seen.get(node as usize) {
                search.enter(node, 0);
            }
        }
        let Search { number, node_of, parent, count, essential, .. } = search;
        (
            Self { node_of, parent, number, count, reached },
            EssentialEdges { bits: essential.into() },
        )
    }
}

struct Search<'a> {
    graph: &'a HeapGraph,
    rule: Rule<'a>,
    edges: &'a [PackedEdge],
    first_edges: &'a [u32],
    /// What the user's globals own, once that is known.
    owned: Option<Bits>,
    /// Until then: targets of edges that do not retain.
    passed_over: Vec<u32>,
    /// Whether a node has a number: small enough for the cache, so that the search need not wait for the
    /// big columns, which it only writes.
    seen: Bits,
    essential: Bits,
    number: Vec<u32>,
    node_of: Vec<u32>,
    parent: Vec<u32>,
    count: Vec<u32>,
    stack: Vec<Frame>,
}

#[derive(Clone, Copy)]
struct Frame {
    node: u32,
    number: u32,
    next_edge: u32,
    end: u32,
    inside: bool,
    is_table: bool,
}

/// How many edges ahead the memory of the target is asked for.
const AHEAD: usize = 6;

impl Search<'_> {
    fn visit_from_root(&mut self, names: &Names) {
        let root = self.graph.root();
        let frame = self.enter(root.0, 0);
        let mut later = Vec::new();
        let mut entries = Vec::new();
        for edge in self.graph.edges(root) {
            if is_entry(self.graph, names, edge) {
                entries.push(edge.to.0);
                self.root_edge(edge.id.0, frame);
            } else {
                later.push(edge.id.0);
            }
        }
        let mut owned = self.seen.clone();
        owned.clear(root.index());
        entries.append(&mut self.passed_over);
        self.flood(&mut owned, entries);
        self.owned = Some(owned);
        for edge in later {
            self.root_edge(edge, frame);
        }
    }

    fn root_edge(&mut self, edge: u32, root: Frame) {
        let frame = Frame { next_edge: edge, end: edge + 1, ..root };
        self.run(frame);
    }

    /// Marks everything that is reached from `stack`, weak edges aside, and is not marked yet.
    fn flood(&self, marked: &mut Bits, mut stack: Vec<u32>) {
        stack.retain(|&node| marked.insert(node as usize));
        while let Some(node) = stack.pop() {
            for edge in &self.edges[self.range(node)] {
                // The bit first: it is nearly always set, and nearer than the edge's type.
                let to = edge.to();
                if !marked.get(to as usize) && !edge.is(EdgeType::Weak) {
                    marked.set(to as usize);
                    stack.push(to);
                }
            }
        }
    }

    fn range(&self, node: u32) -> std::ops::Range<usize> {
        self.first_edges[node as usize] as usize..self.first_edges[node as usize + 1] as usize
    }

    /// Follows a node's edges to the end of everything.
    fn run(&mut self, mut frame: Frame) {
        let edges = self.edges;
        let bottom = self.stack.len();
        loop {
            if frame.next_edge == frame.end {
                if self.stack.len() == bottom {
                    return;
                }
                let Some(up) = self.stack.pop() else { return };
                frame = up;
                continue;
            }
            let e = frame.next_edge as usize;
            frame.next_edge += 1;
            let edge = edges[e];
            let to = edge.to() as usize;
            if !self.retains(frame.node, frame.inside, frame.is_table, e, edge) {
                if self.owned.is_none() && !edge.is(EdgeType::Weak) {
                    self.passed_over.push(to as u32);
                }
                continue;
            }
            self.essential.set(e);
            self.count[to] += 1;
            if self.seen.get(to) {
                continue;
            }
            // A frame without edges left need not be returned to. When it is, its next target's edges are
            // wanted at once.
            if frame.next_edge < frame.end {
                let next = edges[frame.next_edge as usize].to() as usize;
                memory::prefetch(edges, self.first_edges[next] as usize);
                self.stack.push(frame);
            }
            frame = self.enter(to as u32, frame.number);
        }
    }

    #[inline]
    fn retains(
        &self,
        node: u32,
        inside: bool,
        is_table: bool,
        index: usize,
        edge: PackedEdge,
    ) -> bool {
        let foreign = || self.owned.as_ref().is_some_and(|o| o.get(edge.to() as usize));
        self.rule.retains(node, is_table, index, edge) && (inside || !foreign())
    }

    fn enter(&mut self, node: u32, parent: u32) -> Frame {
        let number = self.node_of.len() as u32;
        self.seen.set(node as usize);
        self.number[node as usize] = number;
        self.node_of.push(node);
        self.parent.push(parent);
        let range = self.range(node);
        for edge in self.edges[range.clone()].iter().take(AHEAD) {
            memory::prefetch(self.first_edges, edge.to() as usize);
            memory::prefetch(&self.count, edge.to() as usize);
        }
        // From inside, and from the root, no target is foreign. Until it is known what is owned, only that
        // is met.
        let inside =
            node == self.graph.root().0 || self.owned.as_ref().is_none_or(|o| o.get(node as usize));
        let is_table = self.rule.is_table(node);
        Frame {
            node,
            number,
            next_edge: range.start as u32,
            end: range.end as u32,
            inside,
            is_table,
        }
    }

    /// Visits what has no retainer at all, and what lies below it.
    fn orphans(&mut self) {
        let n = self.graph.node_count() as u32;
        let owned = |node: u32| self.owned.as_ref().is_none_or(|o| o.get(node as usize));
        let mut held = Bits::new(n as usize);
        let mut essential = Vec::new();
        for node in (0..n).filter(|&node| !self.seen.get(node as usize)) {
            for e in self.range(node) {
                let edge = self.edges[e];
                if self.retains(node, owned(node), self.rule.is_table(node), e, edge) {
                    held.set(edge.to() as usize);
                    essential.push(e);
                }
            }
        }
        for e in essential {
            self.essential.set(e);
        }
        for node in 0..n {
            if !self.seen.get(node as usize) && !held.get(node as usize) {
                let frame = self.enter(node, 0);
                self.run(frame);
            }
        }
    }
}
