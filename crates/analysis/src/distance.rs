//! How far every node is from the user's globals, in edges.
//!
//! A breadth-first search, twice: first from the user's roots (distance 1), then from the GC root for what
//! only V8 itself reaches; those get [`Distances::SYSTEM`] and more. Three kinds of edges are passed over,
//! as in `DevTools`, because they shorten distances in a way that misleads:
//! - weak ones;
//! - `sloppy_function_map` of a native context and the descriptor links of hidden classes, which are
//!   shared by unrelated objects;
//! - the first half met of a `WeakMap` entry: a value is as far away as the *farther* of key and map,
//!   and breadth-first order meets the farther one second.
//!
//! O(nodes + edges) time; four bytes a node stay, four more are used while searching.

use leakline_heap::{
    Column, EdgeType, HeapGraph, NodeId, NodeLabels, NodeType, PackedEdge, memory,
};

use crate::bits::Bits;
use crate::buffers::Buffers;
use crate::essential::is_user_root;
use crate::names::Names;

/// The distance of each node.
#[derive(Debug)]
pub struct Distances {
    pub(crate) raw: Column<i32>,
}

impl Distances {
    /// `DevTools`' number for "no edge leads here".
    pub const NONE: i32 = -5;
    /// From here on a distance counts from the GC root, not from the user's globals.
    pub const SYSTEM: i32 = 100_000_000;

    /// How many edges lie between the user's globals and `node`, counting the edge from the root; `None`
    /// for what only V8 itself reaches, and for what nothing reaches.
    #[inline]
    pub fn get(&self, node: NodeId) -> Option<u32> {
        let raw = self.raw(node);
        (0..Self::SYSTEM).contains(&raw).then_some(raw as u32)
    }

    /// `DevTools`' own number: [`Distances::NONE`] and values above [`Distances::SYSTEM`] included.
    #[inline]
    pub fn raw(&self, node: NodeId) -> i32 {
        self.raw.get(node.index())
    }
}

/// Measures the distance of every node of `graph`.
pub fn distances(graph: &HeapGraph) -> Distances {
    distances_named(graph, &Names::of(graph), &Buffers::default())
}

pub(crate) fn distances_named(graph: &HeapGraph, names: &Names, buffers: &Buffers) -> Distances {
    let n = graph.node_count();
    let mut raw: Vec<i32> = memory::vec_with_capacity(n);
    raw.resize(n, Distances::NONE);
    let mut search = Search {
        graph,
        names,
        edges: graph.packed_edges(),
        first_edges: graph.first_edges(),
        labels: graph.node_labels(),
        raw,
        seen: Bits::new(n),
        queue: buffers.take(n),
        ends: 0,
        half_met: Bits::new(names.pair_count()),
        skipping: Skipping::of(names),
    };
    // A root that is held twice is visited twice, which matters to halves of `WeakMap` entries.
    let mut roots = Vec::new();
    for edge in graph.edges(graph.root()) {
        if is_user_root(graph, names, edge.to) {
            search.raw[edge.to.index()] = 1;
            search.seen.set(edge.to.index());
            roots.push(edge.to.0);
        }
    }
    search.run(&roots);
    search.ends = 0;
    // The root may have been met on the way; it starts over all the same.
    let root = graph.root();
    search.raw[root.index()] = if roots.is_empty() { 0 } else { Distances::SYSTEM };
    search.seen.set(root.index());
    search.run(&[root.0]);
    buffers.give(search.queue);
    Distances { raw: search.raw.into() }
}

struct Search<'a> {
    graph: &'a HeapGraph,
    names: &'a Names,
    edges: &'a [PackedEdge],
    first_edges: &'a [u32],
    labels: &'a [u32],
    raw: Vec<i32>,
    /// The same as `raw != NONE`, but small enough for the cache: nearly all edges lead to seen nodes.
    seen: Bits,
    /// Nodes met, in order; `ends` says how many. A node is met once in a search, so there is room.
    queue: Vec<u32>,
    ends: usize,
    half_met: Bits,
    skipping: Skipping,
}

/// How many nodes of the queue ahead the memory is asked for.
const AHEAD: usize = 8;

impl Search<'_> {
    /// Visits the roots, then everything that is met on the way, in order.
    fn run(&mut self, roots: &[u32]) {
        for &root in roots {
            self.visit(root);
        }
        let mut next = 0;
        while next < self.ends {
            let met = &self.queue[..self.ends];
            let node = met[next];
            if let Some(&far) = met.get(next + 2 * AHEAD) {
                memory::prefetch(self.first_edges, far as usize);
                memory::prefetch(&self.raw, far as usize);
                memory::prefetch(self.labels, far as usize);
            }
            if let Some(&near) = met.get(next + AHEAD) {
                memory::prefetch(self.edges, self.first_edges[near as usize] as usize);
            }
            next += 1;
            self.visit(node);
        }
    }

    #[inline]
    fn visit(&mut self, node: u32) {
        let (edges, first_edges) = (self.edges, self.first_edges);
        let distance = self.raw[node as usize].saturating_add(1);
        let range = first_edges[node as usize] as usize..first_edges[node as usize + 1] as usize;
        let skip = self.skipping.of_label(self.labels[node as usize]);
        for (e, &edge) in range.clone().zip(&edges[range]) {
            let to = edge.to();
            if self.seen.get(to as usize)
                || edge.is(EdgeType::Weak)
                || self.passes_over(skip, e, edge)
            {
                continue;
            }
            self.seen.set(to as usize);
            self.raw[to as usize] = distance;
            self.queue[self.ends] = to;
            self.ends += 1;
        }
    }

    /// Whether an edge to something new does not count.
    #[inline]
    fn passes_over(&mut self, skip: Skip, index: usize, edge: PackedEdge) -> bool {
        match skip {
            Skip::Nothing if !edge.is(EdgeType::Internal) => false,
            Skip::Descriptors => {
                let name = self.graph.edge_name(index);
                is_descriptor_link(self.graph, edge.kind(), name)
            }
            Skip::Named(name)
                if !edge.kind().has_index_name() && self.graph.edge_name(index) == name =>
            {
                true
            }
            Skip::Named(_) | Skip::Nothing => {
                if edge.is(EdgeType::Internal)
                    && let Some(half) = self.names.ephemeron(self.graph.edge_name(index))
                {
                    if self.half_met.insert(half.pair as usize) {
                        return true;
                    }
                    // A third edge of this name starts over, as in `DevTools`.
                    self.half_met.clear(half.pair as usize);
                }
                false
            }
        }
    }
}

/// The labels of nodes some of whose edges are passed over.
struct Skipping {
    native_context: Option<u32>,
    map_descriptors: Option<u32>,
    sloppy_function_map: Option<u32>,
}

impl Skipping {
    fn of(names: &Names) -> Self {
        let label = |kind, name: Option<u32>| name.map(|name| NodeLabels::pack(kind, name).0);
        Self {
            native_context: label(NodeType::Hidden, names.native_context),
            map_descriptors: label(NodeType::Array, names.map_descriptors),
            sloppy_function_map: names.sloppy_function_map,
        }
    }

    #[inline]
    fn of_label(&self, label: u32) -> Skip {
        if Some(label) == self.native_context {
            self.sloppy_function_map.map_or(Skip::Nothing, Skip::Named)
        } else if Some(label) == self.map_descriptors {
            Skip::Descriptors
        } else {
            Skip::Nothing
        }
    }
}

/// What to pass over among the edges of one node.
#[derive(Clone, Copy)]
enum Skip {
    Nothing,
    Named(u32),
    Descriptors,
}

/// In a descriptor array the first two elements are bookkeeping; then come key, type and value in turns.
/// One of the three links to what all objects of a shape share.
fn is_descriptor_link(graph: &HeapGraph, kind: EdgeType, name: u32) -> bool {
    let index = if kind.has_index_name() {
        u64::from(name)
    } else {
        let text = graph.strings().get(name).trim_start();
        let digits = text.strip_prefix('+').unwrap_or(text);
        let end = digits.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
        let Ok(index) = digits[..end].parse() else { return false };
        index
    };
    index >= 2 && index % 3 == 1
}
