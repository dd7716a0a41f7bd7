//! One retaining path per object, the way a developer would draw it.
//!
//! The shortest path from the root often runs through inline caches, compiled code or the debugger's
//! handles. Links differ in how much they explain, so each has a cost, and the tree holds the cheapest path
//! of each object: properties, variables and elements cost 1, V8's own links more, roots that say nothing
//! about the program the most. Dijkstra with buckets (Dial 1969): costs are small integers, so a ring of
//! queues replaces the heap. O(nodes + edges), no recursion.

use leakline_heap::{EdgeId, EdgeType, HeapGraph, NodeId, NodeType, Retainer};

use crate::essential::EssentialEdges;

const NONE: u32 = u32::MAX;

/// Buckets in the ring: one more than the highest cost.
const RING: usize = MAX_COST as usize + 1;
const MAX_COST: u32 = 60;

/// The cheapest retaining path of every object, as a tree from the root.
#[derive(Debug)]
pub struct RetainingTree {
    parent: Vec<u32>,
    edge: Vec<u32>,
    /// Reached nodes; a parent stands before its children.
    order: Vec<u32>,
    /// Position in a depth-first numbering, and the end of the subtree's range.
    enter: Vec<u32>,
    leave: Vec<u32>,
}

impl RetainingTree {
    /// Builds the tree over the edges that retain.
    pub fn of(graph: &HeapGraph, essential: &EssentialEdges) -> Self {
        let n = graph.node_count();
        let mut cost = vec![u32::MAX; n];
        let mut parent = vec![NONE; n];
        let mut via = vec![NONE; n];
        let mut settled = vec![false; n];
        let mut order = Vec::with_capacity(n);
        let mut ring: Vec<Vec<u32>> = vec![Vec::new(); RING];
        cost[0] = 0;
        ring[0].push(0);
        let mut waiting = 1usize;
        let mut distance = 0u32;
        while waiting > 0 {
            let slot = distance as usize % RING;
            while let Some(next) = ring[slot].pop() {
                waiting -= 1;
                let node = NodeId(next);
                if settled[node.index()] || cost[node.index()] != distance {
                    continue;
                }
                settled[node.index()] = true;
                order.push(next);
                for edge in graph.edges(node) {
                    if settled[edge.to.index()] || !essential.is_essential(edge.id) {
                        continue;
                    }
                    let price = distance + edge_cost(graph, node, edge.kind, edge.id);
                    if price < cost[edge.to.index()] {
                        cost[edge.to.index()] = price;
                        parent[edge.to.index()] = next;
                        via[edge.to.index()] = edge.id.0;
                        ring[price as usize % RING].push(edge.to.0);
                        waiting += 1;
                    }
                }
            }
            distance += 1;
        }
        let (enter, leave) = number(&parent, &order, n);
        Self { parent, edge: via, order, enter, leave }
    }

    /// The link by which the node is held, `None` for the root and for what nothing holds.
    #[inline]
    pub fn parent(&self, node: NodeId) -> Option<Retainer> {
        let p = self.parent[node.index()];
        (p != NONE).then(|| Retainer { edge: EdgeId(self.edge[node.index()]), from: NodeId(p) })
    }

    /// Whether the node is held at all.
    #[inline]
    pub fn is_reached(&self, node: NodeId) -> bool {
        node.0 == 0 || self.parent[node.index()] != NONE
    }

    /// Reached nodes, each after its parent.
    pub fn top_down(&self) -> impl DoubleEndedIterator<Item = NodeId> + '_ {
        self.order.iter().map(|&n| NodeId(n))
    }

    /// Whether `inner` lies at or below `outer`.
    #[inline]
    pub fn contains(&self, outer: NodeId, inner: NodeId) -> bool {
        self.is_reached(inner)
            && self.enter[outer.index()] <= self.enter[inner.index()]
            && self.enter[inner.index()] < self.leave[outer.index()]
    }

    /// The node's position in the depth-first numbering: a subtree is a range of positions.
    #[inline]
    pub fn position(&self, node: NodeId) -> u32 {
        self.enter[node.index()]
    }

    /// The range of positions at and below the node.
    #[inline]
    pub fn range(&self, node: NodeId) -> std::ops::Range<u32> {
        self.enter[node.index()]..self.leave[node.index()]
    }
}

/// Depth-first numbers from parents alone: subtree sizes bottom-up, then each child takes the next range.
fn number(parent: &[u32], order: &[u32], n: usize) -> (Vec<u32>, Vec<u32>) {
    let mut size = vec![0u32; n];
    for &node in order.iter().rev() {
        size[node as usize] += 1;
        let p = parent[node as usize];
        if p != NONE {
            size[p as usize] += size[node as usize];
        }
    }
    let mut enter = vec![0u32; n];
    let mut leave = vec![0u32; n];
    let mut next = vec![0u32; n];
    for &node in order {
        let p = parent[node as usize];
        let start = if p == NONE { 0 } else { next[p as usize] };
        enter[node as usize] = start;
        leave[node as usize] = start + size[node as usize];
        next[node as usize] = start + 1;
        if p != NONE {
            next[p as usize] = start + size[node as usize];
        }
    }
    (enter, leave)
}

/// What a link costs on the way to an explanation.
fn edge_cost(graph: &HeapGraph, from: NodeId, kind: EdgeType, id: EdgeId) -> u32 {
    match graph.node_type(from) {
        NodeType::Synthetic => return root_cost(graph, from, kind),
        // Out of scripts, function descriptions and hidden classes lead only V8's own links.
        NodeType::Code | NodeType::ObjectShape => return 40,
        _ => {}
    }
    match kind {
        EdgeType::Property => match graph.edge_text(graph.edge(id)) {
            // A prototype holds methods, not data.
            Some("__proto__") => 12,
            _ => 1,
        },
        EdgeType::Element | EdgeType::Context => 1,
        EdgeType::Internal => match graph.edge_text(graph.edge(id)) {
            Some("elements" | "properties" | "table" | "context") => 1,
            Some("bound_function" | "bound_this" | "previous" | "value") => 2,
            Some(name) if name.bytes().all(|b| b.is_ascii_digit()) => 1,
            Some("feedback_cell" | "code" | "shared" | "map" | "script") => 40,
            _ => 4,
        },
        EdgeType::Hidden | EdgeType::Other => 10,
        EdgeType::Shortcut | EdgeType::Weak => MAX_COST,
    }
}

fn root_cost(graph: &HeapGraph, from: NodeId, kind: EdgeType) -> u32 {
    // The root's shortcuts name the global objects: where JavaScript begins.
    if from.0 == 0 && kind == EdgeType::Shortcut {
        return 1;
    }
    match graph.node_name(from) {
        // Sockets, servers and timers are held from C++ by these.
        "(Global handles)" => 8,
        "(GC roots)" | "" => 4,
        // What a function on the stack happens to touch explains nothing.
        "(Stack roots)" | "(Handle scope)" | "(Micro tasks)" => MAX_COST,
        _ => 20,
    }
}
