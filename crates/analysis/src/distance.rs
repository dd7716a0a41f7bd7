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

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};

use crate::bits::Bits;
use crate::essential::is_user_root;
use crate::names::Names;

/// The distance of each node.
#[derive(Debug)]
pub struct Distances {
    raw: Vec<i32>,
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
        let raw = self.raw[node.index()];
        (0..Self::SYSTEM).contains(&raw).then_some(raw as u32)
    }

    /// `DevTools`' own number: [`Distances::NONE`] and values above [`Distances::SYSTEM`] included.
    #[inline]
    pub fn raw(&self, node: NodeId) -> i32 {
        self.raw[node.index()]
    }
}

/// Measures the distance of every node of `graph`.
pub fn distances(graph: &HeapGraph) -> Distances {
    distances_named(graph, &Names::of(graph))
}

pub(crate) fn distances_named(graph: &HeapGraph, names: &Names) -> Distances {
    let n = graph.node_count();
    let mut search = Search {
        graph,
        names,
        raw: vec![Distances::NONE; n],
        seen: Bits::new(n),
        queue: Vec::with_capacity(n),
        half_met: Bits::new(names.pair_count()),
    };
    for edge in graph.edges(graph.root()) {
        if is_user_root(graph, names, edge.to) {
            search.raw[edge.to.index()] = 1;
            search.seen.set(edge.to.index());
            search.queue.push(edge.to.0);
        }
    }
    let has_user_roots = !search.queue.is_empty();
    search.run();
    search.queue.clear();
    let root = graph.root();
    search.raw[root.index()] = if has_user_roots { Distances::SYSTEM } else { 0 };
    search.seen.set(root.index());
    search.queue.push(root.0);
    search.run();
    Distances { raw: search.raw }
}

struct Search<'a> {
    graph: &'a HeapGraph,
    names: &'a Names,
    raw: Vec<i32>,
    // The same as `raw != NONE`, but small enough for the cache: nearly all edges lead to seen nodes.
    seen: Bits,
    queue: Vec<u32>,
    half_met: Bits,
}

impl Search<'_> {
    fn run(&mut self) {
        let graph = self.graph;
        let (kinds, targets, edge_names) =
            (graph.edge_types(), graph.edge_targets(), graph.edge_names());
        let mut next = 0;
        while let Some(&node) = self.queue.get(next) {
            next += 1;
            let node = NodeId(node);
            let distance = self.raw[node.index()].saturating_add(1);
            let skip = self.skipped_names(node);
            for e in graph.edge_range(node) {
                let to = targets[e] as usize;
                if self.seen.get(to) {
                    continue;
                }
                let kind = kinds[e];
                if kind == EdgeType::Weak {
                    continue;
                }
                match skip {
                    Skip::Descriptors => {
                        if is_descriptor_link(graph, kind, edge_names[e]) {
                            continue;
                        }
                    }
                    Skip::Named(name) if !kind.has_index_name() && edge_names[e] == name => {
                        continue;
                    }
                    Skip::Named(_) | Skip::Nothing => {
                        if kind == EdgeType::Internal
                            && let Some(half) = self.names.ephemeron(edge_names[e])
                        {
                            if self.half_met.insert(half.pair as usize) {
                                continue;
                            }
                            // A third edge of this name starts over, as in `DevTools`.
                            self.half_met.clear(half.pair as usize);
                        }
                    }
                }
                self.seen.set(to);
                self.raw[to] = distance;
                self.queue.push(to as u32);
            }
        }
    }

    fn skipped_names(&self, node: NodeId) -> Skip {
        match self.graph.node_type(node) {
            NodeType::Hidden
                if Some(self.graph.node_name_index(node)) == self.names.native_context =>
            {
                self.names.sloppy_function_map.map_or(Skip::Nothing, Skip::Named)
            }
            NodeType::Array
                if Some(self.graph.node_name_index(node)) == self.names.map_descriptors =>
            {
                Skip::Descriptors
            }
            _ => Skip::Nothing,
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
