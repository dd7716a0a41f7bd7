//! Immediate dominators: the last node that every path from the GC root to a node passes.
//!
//! A node dominated by `d` dies when `d` dies, so dominators decide retained sizes.
//!
//! The algorithm is semi-NCA (Georgiadis, Tarjan, Werneck, "Finding Dominators in Practice", 2006, and
//! Georgiadis' thesis, 2005): semidominators as Lengauer and Tarjan (1979) compute them, then each
//! immediate dominator as nearest common ancestor in the tree built so far. It beat Lengauer–Tarjan and
//! Cooper–Harvey–Kennedy on real heaps several times over, with one trap: the plain walk up the tree is
//! quadratic on a linked list whose payloads an array also holds, and real leaks are chains. So every
//! node keeps a skew-binary jump pointer (Myers 1983), which makes the walk logarithmic.
//!
//! Cost: O(m log n) for n nodes and m essential edges, linear in practice; no recursion; about 40 bytes a
//! node while it runs, 16 bytes a node afterwards, and what `in_edges` keeps of the edges.
//!
//! What no essential edge reaches is treated as in `DevTools`: a node without any retainer hangs on the
//! root like a root of its own, with everything below it; what then remains are rings that only hold each
//! other, and each of their nodes hangs on the root, holding nothing.

use leakline_heap::{Column, HeapGraph, NodeId, memory};

use crate::buffers::Buffers;
use crate::names::Names;

mod in_edges;
mod numbering;

pub(crate) use in_edges::InEdges;
pub(crate) use numbering::Numbering;

/// The dominator tree of one graph.
#[derive(Debug)]
pub struct Dominators {
    /// By node; the root's is the root.
    pub(crate) immediate: Column<u32>,
    /// The nodes in preorder of the dominator tree.
    pub(crate) order: Column<u32>,
    /// By node: where it stands in `order`.
    pub(crate) position: Column<u32>,
    /// By position: how many nodes the subtree has, the node itself included.
    pub(crate) subtree: Column<u32>,
    pub(crate) steps: u64,
}

impl Dominators {
    /// The node whose loss frees `node`. The root's is the root itself.
    #[inline]
    pub fn immediate(&self, node: NodeId) -> NodeId {
        NodeId(self.immediate.get(node.index()))
    }

    /// Whether every path from the root to `node` passes `dominator`. True for a node and itself.
    #[inline]
    pub fn dominates(&self, dominator: NodeId, node: NodeId) -> bool {
        let at = self.position.get(dominator.index());
        let end = at.saturating_add(self.subtree.get(at as usize));
        (at..end).contains(&self.position.get(node.index()))
    }

    /// The nodes in preorder of the tree: the root first, every subtree in one piece.
    pub fn preorder(&self) -> impl ExactSizeIterator<Item = NodeId> + '_ {
        self.order.as_slice().iter().map(|&node| NodeId(node))
    }

    /// How many nodes stand in the [`preorder`](Self::preorder).
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are none, which no graph allows.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Where `node` stands in the preorder.
    #[inline]
    pub fn position(&self, node: NodeId) -> usize {
        self.position.get(node.index()) as usize
    }

    /// The node at a position of the preorder.
    #[inline]
    pub fn at(&self, position: usize) -> NodeId {
        NodeId(self.order.get(position))
    }

    /// How many nodes die with the node at `position`, itself included.
    #[inline]
    pub fn subtree_len(&self, position: usize) -> usize {
        self.subtree.get(position) as usize
    }

    /// Everything that dies with `node`, the node itself first.
    pub fn dominated(&self, node: NodeId) -> impl ExactSizeIterator<Item = NodeId> + '_ {
        let at = self.position(node);
        self.order.range(at..at + self.subtree_len(at)).iter().map(|&node| NodeId(node))
    }

    /// The nodes that `node` immediately dominates.
    pub fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let at = self.position(node);
        let end = (at + self.subtree_len(at)).min(self.len());
        let mut next = at + 1;
        std::iter::from_fn(move || {
            (next < end).then(|| {
                let child = self.at(next);
                // At least itself, whatever somebody lends us.
                next += self.subtree_len(next).max(1);
                child
            })
        })
    }

    /// How many pointers the two walks of the algorithm followed: its work apart from reading each edge
    /// once. For tests of the complexity, which cannot rely on seconds.
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

/// The immediate dominator of every node of `graph` over its essential edges.
pub fn dominators(graph: &HeapGraph) -> Dominators {
    let buffers = Buffers::default();
    let (numbering, _) = Numbering::of(graph, &Names::of(graph), &buffers);
    let in_edges = InEdges::of(graph, &numbering, &buffers);
    let tree = dominators_numbered(numbering, in_edges, &buffers);
    Dominators { immediate: tree.immediate(&buffers).into(), ..tree.lay_out(&buffers) }
}

/// The dominator of each vertex, all named by their depth-first numbers.
pub(crate) struct NumberedTree {
    pub(crate) idom: Vec<u32>,
    pub(crate) node_of: Vec<u32>,
    /// Two words a vertex that are of no more use.
    pub(crate) pairs: Vec<[u32; 2]>,
    steps: u64,
}

pub(crate) fn dominators_numbered(
    numbering: Numbering,
    in_edges: InEdges,
    buffers: &Buffers,
) -> NumberedTree {
    // What each node's number is was asked for the lists only.
    let Numbering { node_of, parent, mut semis, slots: mut pairs, .. } = numbering;
    let mut steps = 0;
    semidominators(&parent, &mut semis, &in_edges, &mut pairs, &mut steps);
    drop(in_edges);
    nearest_common_ancestors(&parent, &semis, &mut pairs, buffers, &mut steps);
    buffers.give(parent);
    // What is left of a pair is the dominator; it takes the place of the semidominator.
    let mut idom = semis;
    for (idom, &[dominator, _]) in idom.iter_mut().zip(&pairs) {
        *idom = dominator;
    }
    NumberedTree { idom, node_of, pairs, steps }
}

/// How many entries of a list ahead the memory is asked for.
const AHEAD: usize = 16;

/// The semidominator of each vertex, all named by their depth-first numbers. Which vertex a label came
/// from is never asked, so labels hold the semidominators themselves.
///
/// `semis` come with what predecessors of lower numbers make of them. `links` are the forest under
/// construction: a vertex's ancestor, and the least semidominator number from the vertex up to, without,
/// that ancestor. What they held does not matter.
fn semidominators(
    parent: &[u32],
    semis: &mut [u32],
    in_edges: &InEdges,
    links: &mut [[u32; 2]],
    steps: &mut u64,
) {
    for (v, (link, &ancestor)) in links.iter_mut().zip(parent).enumerate() {
        *link = [ancestor, v as u32];
    }
    let mut lists = in_edges.backwards();
    for w in (1..parent.len() as u32).rev() {
        let mut semi = semis[w as usize];
        let list = lists.of_number(w);
        for (i, &v) in list.iter().enumerate() {
            if semi == 0 {
                break;
            }
            if let Some(&ahead) = list.get(i + AHEAD) {
                memory::prefetch(links, ahead as usize);
            }
            semi = semi.min(least_label(links, v, w, steps));
        }
        // Apart from the label, which takes in more and more of the way up.
        semis[w as usize] = semi;
        links[w as usize][1] = semi;
    }
}

/// The least label on the way from `v` up to the last vertex above `w`: those are the ones already done.
/// Halves the way for the next time.
#[inline]
fn least_label(links: &mut [[u32; 2]], mut v: u32, w: u32, steps: &mut u64) -> u32 {
    let mut least = u32::MAX;
    loop {
        *steps += 1;
        let [ancestor, label] = links[v as usize];
        least = least.min(label);
        if ancestor <= w {
            return least;
        }
        let [above, label_above] = links[ancestor as usize];
        least = least.min(label_above);
        links[v as usize] = [above, label.min(label_above)];
        if above <= w {
            return least;
        }
        v = above;
    }
}

/// The immediate dominator of a vertex is its parent's nearest ancestor, in the dominator tree so far, that
/// is not below the semidominator.
///
/// The answer stands in `tree`: the vertex's dominator, and, for the walk, an ancestor further up, so
/// chosen that any ancestor is O(log depth) steps away. What it held does not matter.
fn nearest_common_ancestors(
    parent: &[u32],
    semis: &[u32],
    tree: &mut [[u32; 2]],
    buffers: &Buffers,
    steps: &mut u64,
) {
    let mut depth = buffers.take(parent.len());
    depth[0] = 0;
    tree[0] = [0, 0];
    for w in 1..parent.len() {
        let semi = semis[w];
        let mut d = parent[w];
        while d > semi {
            *steps += 1;
            let [dominator, jump] = tree[d as usize];
            // Numbers fall on the way up: a jump that lands below the semidominator's number went too far.
            d = if jump > semi { jump } else { dominator };
        }
        let [_, far] = tree[d as usize];
        let [_, further] = tree[far as usize];
        let depth_of = |v: u32| depth[v as usize];
        let even = depth_of(d) - depth_of(far) == depth_of(far) - depth_of(further);
        let jump = if even { further } else { d };
        depth[w] = depth[d as usize] + 1;
        tree[w] = [d, jump];
    }
    buffers.give(depth);
}

impl NumberedTree {
    /// The dominator of each node, by node.
    pub(crate) fn immediate(&self, buffers: &Buffers) -> Vec<u32> {
        let Self { idom, node_of, .. } = self;
        let mut immediate = buffers.take(idom.len());
        for (v, (&node, &d)) in node_of.iter().zip(idom).enumerate() {
            if let Some(&ahead) = node_of.get(v + AHEAD) {
                memory::prefetch(&immediate, ahead as usize);
            }
            immediate[node as usize] = node_of[d as usize];
        }
        immediate
    }

    /// Lays the tree out in preorder, and turns depth-first numbers back into nodes; what is
    /// [`immediate`](Self::immediate) can be found by another thread and put in later.
    pub(crate) fn lay_out(&self, buffers: &Buffers) -> Dominators {
        let Self { idom, node_of, steps, .. } = self;
        let n = idom.len();
        let mut size = buffers.take_filled(n, 1);
        for v in (1..n).rev() {
            size[idom[v] as usize] += size[v];
        }
        // Dominators have lower numbers, so each vertex finds its dominator's place already known. `next`
        // is the first place below a vertex that is still free.
        let mut next = buffers.take(n);
        // Every entry of these is written.
        let mut order = buffers.take(n);
        let mut position = buffers.take(n);
        let mut subtree = buffers.take(n);
        for v in 0..n {
            if let Some(&ahead) = node_of.get(v + AHEAD) {
                memory::prefetch(&position, ahead as usize);
            }
            let d = idom[v] as usize;
            let at = if v == 0 { 0 } else { next[d] };
            if v > 0 {
                next[d] += size[v];
            }
            next[v] = at + 1;
            let node = node_of[v];
            order[at as usize] = node;
            position[node as usize] = at;
            subtree[at as usize] = size[v];
        }
        buffers.give(size);
        buffers.give(next);
        Dominators {
            immediate: Column::default(),
            order: order.into(),
            position: position.into(),
            subtree: subtree.into(),
            steps: *steps,
        }
    }
}
