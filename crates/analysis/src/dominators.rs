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
//! node and 4 an edge while it runs, 16 bytes a node afterwards.
//!
//! What no essential edge reaches is treated as in `DevTools`: a node without any retainer hangs on the
//! root like a root of its own, with everything below it; what then remains are rings that only hold each
//! other, and each of their nodes hangs on the root, holding nothing.

use leakline_heap::{HeapGraph, NodeId};

use crate::essential::EssentialEdges;

mod numbering;

use numbering::Numbering;

/// The dominator tree of one graph.
#[derive(Debug)]
pub struct Dominators {
    /// By node; the root's is the root.
    immediate: Vec<u32>,
    /// The nodes in preorder of the dominator tree.
    order: Vec<u32>,
    /// By node: where it stands in `order`.
    position: Vec<u32>,
    /// By position: how many nodes the subtree has, the node itself included.
    subtree: Vec<u32>,
    steps: u64,
}

impl Dominators {
    /// The node whose loss frees `node`. The root's is the root itself.
    #[inline]
    pub fn immediate(&self, node: NodeId) -> NodeId {
        NodeId(self.immediate[node.index()])
    }

    /// Whether every path from the root to `node` passes `dominator`. True for a node and itself.
    #[inline]
    pub fn dominates(&self, dominator: NodeId, node: NodeId) -> bool {
        let at = self.position[dominator.index()];
        let end = at + self.subtree[at as usize];
        (at..end).contains(&self.position[node.index()])
    }

    /// The nodes in preorder of the tree: the root first, every subtree in one piece.
    pub fn preorder(&self) -> impl ExactSizeIterator<Item = NodeId> + '_ {
        self.order.iter().map(|&node| NodeId(node))
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
        self.position[node.index()] as usize
    }

    /// The node at a position of the preorder.
    #[inline]
    pub fn at(&self, position: usize) -> NodeId {
        NodeId(self.order[position])
    }

    /// How many nodes die with the node at `position`, itself included.
    #[inline]
    pub fn subtree_len(&self, position: usize) -> usize {
        self.subtree[position] as usize
    }

    /// Everything that dies with `node`, the node itself first.
    pub fn dominated(&self, node: NodeId) -> impl ExactSizeIterator<Item = NodeId> + '_ {
        let at = self.position(node);
        self.order[at..at + self.subtree_len(at)].iter().map(|&node| NodeId(node))
    }

    /// The nodes that `node` immediately dominates.
    pub fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let at = self.position(node);
        let end = at + self.subtree_len(at);
        let mut next = at + 1;
        std::iter::from_fn(move || {
            (next < end).then(|| {
                let child = self.at(next);
                next += self.subtree_len(next);
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
pub fn dominators(graph: &HeapGraph, essential: &EssentialEdges) -> Dominators {
    let Numbering { node_of, parent, predecessors } = Numbering::of(graph, essential);
    let mut steps = 0;
    let semis = semidominators(&parent, &predecessors, &mut steps);
    drop(predecessors);
    let idom = nearest_common_ancestors(&parent, &semis, &mut steps);
    drop((parent, semis));
    tree(&idom, &node_of, steps)
}

/// One vertex of the forest of [`semidominators`]; two halves of one word, since they are read together.
#[derive(Clone, Copy)]
struct Link {
    ancestor: u32,
    /// The least semidominator number from the vertex up to, without, its ancestor.
    label: u32,
}

/// The semidominator of each vertex, all named by their depth-first numbers. Which vertex a label came
/// from is never asked, so labels hold the semidominators themselves.
fn semidominators(
    parent: &[u32],
    predecessors: &numbering::Predecessors,
    steps: &mut u64,
) -> Vec<u32> {
    // Apart from the labels, which take in more and more of the way up.
    let mut semis = vec![0; parent.len()];
    let mut links: Vec<Link> = parent
        .iter()
        .enumerate()
        .map(|(v, &ancestor)| Link { ancestor, label: v as u32 })
        .collect();
    for w in (1..parent.len() as u32).rev() {
        // The parent is a predecessor, or stands in for the root where there is none.
        let mut semi = parent[w as usize];
        for &v in predecessors.of(w) {
            if semi == 0 {
                break;
            }
            let candidate = if v <= w { v } else { least_label(&mut links, v, w, steps) };
            semi = semi.min(candidate);
        }
        links[w as usize].label = semi;
        semis[w as usize] = semi;
    }
    semis
}

/// The least label on the way from `v` up to the last vertex above `w`: those are the ones already done.
/// Halves the way for the next time.
#[inline]
fn least_label(links: &mut [Link], mut v: u32, w: u32, steps: &mut u64) -> u32 {
    let mut least = u32::MAX;
    loop {
        *steps += 1;
        let here = links[v as usize];
        least = least.min(here.label);
        if here.ancestor <= w {
            return least;
        }
        let above = links[here.ancestor as usize];
        least = least.min(above.label);
        links[v as usize] = Link { ancestor: above.ancestor, label: here.label.min(above.label) };
        if above.ancestor <= w {
            return least;
        }
        v = above.ancestor;
    }
}

/// A vertex of the dominator tree under construction.
#[derive(Clone, Copy)]
struct Climb {
    dominator: u32,
    /// An ancestor further up, so chosen that any ancestor is O(log depth) steps away.
    jump: u32,
    depth: u32,
}

/// The immediate dominator of a vertex is its parent's nearest ancestor, in the dominator tree so far, that
/// is not below the semidominator.
fn nearest_common_ancestors(parent: &[u32], semis: &[u32], steps: &mut u64) -> Vec<u32> {
    let mut tree: Vec<Climb> = Vec::with_capacity(parent.len());
    tree.push(Climb { dominator: 0, jump: 0, depth: 0 });
    for w in 1..parent.len() {
        let semi = semis[w];
        let mut d = parent[w];
        while d > semi {
            *steps += 1;
            let Climb { dominator, jump, .. } = tree[d as usize];
            // Numbers fall on the way up: a jump that lands below the semidominator's number went too far.
            d = if jump > semi { jump } else { dominator };
        }
        let above = tree[d as usize];
        let far = tree[above.jump as usize];
        let even = above.depth - far.depth == far.depth - tree[far.jump as usize].depth;
        let jump = if even { far.jump } else { d };
        tree.push(Climb { dominator: d, jump, depth: above.depth + 1 });
    }
    tree.into_iter().map(|vertex| vertex.dominator).collect()
}

/// Turns depth-first numbers back into nodes and lays the tree out in preorder.
fn tree(idom: &[u32], node_of: &[u32], steps: u64) -> Dominators {
    let n = idom.len();
    let mut size = vec![1u32; n];
    for v in (1..n).rev() {
        size[idom[v] as usize] += size[v];
    }
    // Dominators have lower numbers, so each vertex finds its dominator's place already known. `next` is
    // the first place below a vertex that is still free.
    let mut immediate = vec![0u32; n];
    let mut order = vec![0u32; n];
    let mut position = vec![0u32; n];
    let mut subtree = vec![0u32; n];
    let mut next = vec![0u32; n];
    for v in 0..n {
        let d = idom[v] as usize;
        let at = if v == 0 { 0 } else { next[d] };
        if v > 0 {
            next[d] += size[v];
        }
        next[v] = at + 1;
        let node = node_of[v];
        immediate[node as usize] = node_of[d];
        order[at as usize] = node;
        position[node as usize] = at;
        subtree[at as usize] = size[v];
    }
    Dominators { immediate, order, position, subtree, steps }
}
