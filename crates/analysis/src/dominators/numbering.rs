//! Depth-first numbers of the nodes, and which edges retain.
//!
//! One search does four things, because each edge is looked at once and its target is in the cache then: it
//! numbers the nodes, decides whether each edge is essential, begins the semidominators and says which
//! edges they still need, and finds what the user's globals own.
//!
//! A node is numbered when it is taken from the stack, and then all its edges are looked at in one go: what
//! is not numbered yet is put on the stack, however often it lies there already. That is a true depth-first
//! search (the last edge is followed first), and it makes two kinds of edges. One that leads to a node
//! without a number comes from a lower number, and of all these only the first matters to the
//! semidominator, the one with the least number. One that leads to a numbered node comes from a higher
//! number: only these need the lists of `in_edges`.
//!
//! What the globals own comes free by the order of the search. Which edges are essential depends on it: an
//! edge from outside into it is not. So the search begins with the root's edges to the globals and follows
//! them to the end: from there everything it meets is owned, and what is owned but held back (by an edge
//! that does not retain) is marked from the edges passed over. Only then come the other edges of the root.

use leakline_heap::{EdgeType, HeapGraph, PackedEdge, memory};

use crate::bits::Bits;
use crate::buffers::Buffers;
use crate::essential::{EssentialEdges, Rule, is_entry};
use crate::names::Names;

/// Instead of a count: the semidominator is the root, so no list is needed.
pub(super) const NO_LIST: u32 = u32::MAX;

/// The nodes by depth-first number. The root has number 0.
pub(crate) struct Numbering {
    /// By number: the node.
    pub(super) node_of: Vec<u32>,
    /// By number: the number of the parent in the depth-first tree. The root's is its own.
    pub(super) parent: Vec<u32>,
    /// By number: the least number of a node with an essential edge here, or of the root.
    pub(super) semis: Vec<u32>,
    /// By node: its number, and how many of the edges to it are `listed`, or [`NO_LIST`].
    pub(super) slots: Vec<[u32; 2]>,
    /// By edge: essential, and from a higher number to a lower.
    pub(super) listed: Bits,
}

impl Numbering {
    /// Numbers all nodes: what essential edges reach from the root; then what has no retainer at all, with
    /// what lies below it; then the rings that are left. The rings' nodes hang on the root, and their own
    /// edges hold nothing.
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
            listed: Bits::new(graph.edge_count()),
            slots: memory::zeroed(n),
            node_of: buffers.take(n),
            parent: buffers.take(n),
            semis: buffers.take(n),
            numbered: 0,
            tree: 0,
            stack: Vec::new(),
        };
        search.visit_from_root(names);
        if search.numbered < n {
            search.orphans();
        }
        for node in 0..n as u32 {
            if search.numbered == n {
                break;
            }
            if !search.seen.get(node as usize) {
                search.number(node, 0);
            }
        }
        let Search { slots, node_of, parent, semis, essential, listed, .. } = search;
        (Self { node_of, parent, semis, slots, listed }, EssentialEdges { bits: essential.into() })
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
    /// Whether a node has a number: small enough for the cache.
    seen: Bits,
    essential: Bits,
    listed: Bits,
    /// Before a node has a number, one more than that of the first node with an edge to it stands in its
    /// place; 0 where there is none.
    slots: Vec<[u32; 2]>,
    node_of: Vec<u32>,
    parent: Vec<u32>,
    semis: Vec<u32>,
    numbered: usize,
    /// The first number below the edge of the root that is followed.
    tree: u32,
    /// Nodes to be numbered, each with the number of its parent.
    stack: Vec<[u32; 2]>,
}

/// How many edges ahead the memory of the target is asked for.
const AHEAD: usize = 8;

impl Search<'_> {
    fn visit_from_root(&mut self, names: &Names) {
        let root = self.graph.root();
        self.number(root.0, 0);
        let mut later = Vec::new();
        let mut entries = Vec::new();
        for edge in self.graph.edges(root) {
            if is_entry(self.graph, names, edge) {
                entries.push(edge.to.0);
                self.root_edge(edge.id.0);
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
            self.root_edge(edge);
        }
    }

    fn root_edge(&mut self, edge: u32) {
        self.tree = self.numbered as u32;
        self.scan(self.graph.root().0, 0, edge as usize..edge as usize + 1);
        self.run();
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

    /// Numbers what is on the stack, and what lies below.
    fn run(&mut self) {
        while let Some([node, parent]) = self.stack.pop() {
            if self.seen.get(node as usize) {
                continue;
            }
            let range = self.range(node);
            for &edge in self.edges[range.clone()].iter().take(AHEAD) {
                self.announce(edge);
            }
            let number = self.number(node, parent);
            self.scan(node, number, range);
        }
    }

    /// Asks for the memory that looking at an edge will need.
    #[inline]
    fn announce(&self, edge: PackedEdge) {
        let to = edge.to() as usize;
        memory::prefetch(&self.slots, to);
        if !self.seen.get(to) {
            memory::prefetch(self.first_edges, to);
        }
    }

    /// Gives a node the next number.
    #[inline]
    fn number(&mut self, node: u32, parent: u32) -> u32 {
        let number = self.numbered;
        self.numbered += 1;
        self.seen.set(node as usize);
        let slot = &mut self.slots[node as usize];
        let first = slot[0].saturating_sub(1);
        *slot = [number as u32, if first == 0 { NO_LIST } else { 0 }];
        self.node_of[number] = node;
        self.parent[number] = parent;
        self.semis[number] = first;
        number as u32
    }

    /// Looks at edges of a node.
    #[inline]
    fn scan(&mut self, node: u32, number: u32, range: std::ops::Range<usize>) {
        let edges = self.edges;
        // From inside, and from the root, no target is foreign. Until it is known what is owned, only that
        // is met.
        let inside =
            node == self.graph.root().0 || self.owned.as_ref().is_none_or(|o| o.get(node as usize));
        let is_table = self.rule.is_table(node);
        let end = range.end;
        for e in range {
            let edge = edges[e];
            let to = edge.to();
            if e + AHEAD < end {
                self.announce(edges[e + AHEAD]);
            }
            if !self.retains(node, inside, is_table, e, edge) {
                if self.owned.is_none() && !edge.is(EdgeType::Weak) {
                    self.passed_over.push(to);
                }
                continue;
            }
            self.essential.set(e);
            let slot = &mut self.slots[to as usize];
            if !self.seen.get(to as usize) {
                if slot[0] == 0 {
                    slot[0] = number + 1;
                }
                // It may be the next whose edges are wanted.
                memory::prefetch(edges, self.first_edges[to as usize] as usize);
                self.stack.push([to, number]);
            } else if slot[1] != NO_LIST {
                if slot[0] < self.tree {
                    // Two edges of the root lead here on ways of their own.
                    slot[1] = NO_LIST;
                    self.semis[slot[0] as usize] = 0;
                } else {
                    slot[1] += 1;
                    self.listed.set(e);
                }
            }
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
                self.tree = self.numbered as u32;
                self.stack.push([node, 0]);
                self.run();
            }
        }
    }
}
