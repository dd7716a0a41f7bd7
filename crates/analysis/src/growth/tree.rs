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
        let mut reached = vec![Reached { cost: u32::MAX, parent: NONE, edge: NONE }; n];
        let mut prices = Prices::of(graph);
        let (edges, first_edges) = (graph.packed_edges(), graph.first_edges());
        let mut order = Vec::with_capacity(n);
        let mut ring: Vec<Vec<u32>> = vec![Vec::new(); RING];
        reached[0].cost = 0;
        ring[0].push(0);
        let mut waiting = 1usize;
        let mut distance = 0u32;
        while waiting > 0 {
            let slot = distance as usize % RING;
            while let Some(next) = ring[slot].pop() {
                waiting -= 1;
                // Another way was cheaper. The same price is never paid twice: only lower ones are pushed.
                if reached[next as usize].cost != distance {
                    continue;
                }
                order.push(next);
                let fixed = fixed_cost(graph, NodeId(next));
                for e in first_edges[next as usize]..first_edges[next as usize + 1] {
                    let to = edges[e as usize].to() as usize;
                    // The least price is 1: what is settled, or can get no cheaper, is left without a look at names.
                    if reached[to].cost <= distance + 1 || !essential.is_essential(EdgeId(e)) {
                        continue;
                    }
                    let price = distance
                        + match fixed {
                            Fixed::ButShortcuts(_) if edges[e as usize].is(EdgeType::Shortcut) => 1,
                            Fixed::All(cost) | Fixed::ButShortcuts(cost) => cost,
                            Fixed::None => prices.of_edge(graph, e, edges[e as usize].kind()),
                        };
                    if price < reached[to].cost {
                        reached[to] = Reached { cost: price, parent: next, edge: e };
                        ring[price as usize % RING].push(to as u32);
                        waiting += 1;
                    }
                }
            }
            distance += 1;
        }
        let parent: Vec<u32> = reached.iter().map(|it| it.parent).collect();
        let via: Vec<u32> = reached.iter().map(|it| it.edge).collect();
        drop(reached);
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

    /// The same as [`top_down`](Self::top_down), as positions in two parts of equal length.
    pub(super) fn halves(&self) -> (&[u32], &[u32]) {
        self.order.split_at(self.order.len() / 2)
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

/// What the search knows of a node: one cache line for all of it.
#[derive(Clone, Copy)]
struct Reached {
    cost: u32,
    parent: u32,
    edge: u32,
}

/// What all links of a node cost, where their names do not matter.
#[derive(Clone, Copy)]
enum Fixed {
    All(u32),
    /// The root's shortcuts name the global objects: where JavaScript begins.
    ButShortcuts(u32),
    None,
}

fn fixed_cost(graph: &HeapGraph, from: NodeId) -> Fixed {
    match graph.node_type(from) {
        NodeType::Synthetic if from.0 == 0 => Fixed::ButShortcuts(root_cost(graph, from)),
        NodeType::Synthetic => Fixed::All(root_cost(graph, from)),
        // Out of scripts, function descriptions and hidden classes lead only V8's own links.
        NodeType::Code | NodeType::ObjectShape => Fixed::All(40),
        _ => Fixed::None,
    }
}

fn root_cost(graph: &HeapGraph, from: NodeId) -> u32 {
    match graph.node_name(from) {
        // Sockets, servers and timers are held from C++ by these.
        "(Global handles)" => 8,
        "(GC roots)" | "" => 4,
        // What a function on the stack happens to touch explains nothing.
        "(Stack roots)" | "(Handle scope)" | "(Micro tasks)" => MAX_COST,
        _ => 20,
    }
}

/// What links cost by their names; each name is looked at once.
struct Prices {
    /// The string of `__proto__`.
    prototype: Option<u32>,
    /// Costs of internal links by the number of their name; 0 for one not looked at yet.
    internal: Vec<u8>,
}

impl Prices {
    fn of(graph: &HeapGraph) -> Self {
        let strings = graph.strings();
        Self { prototype: strings.find("__proto__"), internal: vec![0; strings.len()] }
    }

    #[inline]
    fn of_edge(&mut self, graph: &HeapGraph, edge: u32, kind: EdgeType) -> u32 {
        match kind {
            // A prototype holds methods, not data.
            EdgeType::Property if Some(graph.edge_name(edge as usize)) == self.prototype => 12,
            EdgeType::Property | EdgeType::Element | EdgeType::Context => 1,
            EdgeType::Internal => self.of_internal(graph, graph.edge_name(edge as usize)),
            EdgeType::Hidden | EdgeType::Other => 10,
            EdgeType::Shortcut | EdgeType::Weak => MAX_COST,
        }
    }

    #[inline]
    fn of_internal(&mut self, graph: &HeapGraph, name: u32) -> u32 {
        let Some(known) = self.internal.get_mut(name as usize) else { return 4 };
        if *known == 0 {
            *known = match graph.strings().get(name) {
                "elements" | "properties" | "table" | "context" => 1,
                "bound_function" | "bound_this" | "previous" | "value" => 2,
                name if name.bytes().all(|b| b.is_ascii_digit()) => 1,
                "feedback_cell" | "code" | "shared" | "map" | "script" => 40,
                _ => 4,
            };
        }
        u32::from(*known)
    }
}
