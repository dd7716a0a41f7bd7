//! Retained sizes: the bytes that are freed when a node is lost.
//!
//! The retained size of a node is the sum of the shallow sizes of everything it dominates. One pass over
//! the dominator tree from the leaves up, O(nodes).

use leakline_heap::{NodeId, SizeColumn, memory};

use crate::dominators::{Dominators, NumberedTree};

/// How many nodes ahead the memory is asked for.
const AHEAD: usize = 16;

/// The retained size of each node in bytes.
#[derive(Debug)]
pub struct RetainedSizes {
    pub(crate) sizes: SizeColumn,
}

impl RetainedSizes {
    /// What losing `node` frees, in bytes, its own shallow size included.
    #[inline]
    pub fn get(&self, node: NodeId) -> u64 {
        self.sizes.get(node.index())
    }
}

/// Sums shallow sizes up the dominator tree.
pub fn retained_sizes(dominators: &Dominators, shallow: &SizeColumn) -> RetainedSizes {
    let mut sizes = shallow.clone();
    // In preorder backwards, all that a node dominates comes before the node.
    for position in (1..dominators.len()).rev() {
        let node = dominators.at(position);
        let above = dominators.immediate(node).index();
        sizes.set(above, sizes.get(above).saturating_add(sizes.get(node.index())));
    }
    RetainedSizes { sizes }
}

/// The same, of a tree whose vertices are numbered so that what a vertex dominates has higher numbers.
pub(crate) fn retained_sizes_numbered(tree: &NumberedTree, shallow: &SizeColumn) -> RetainedSizes {
    let NumberedTree { idom, node_of, .. } = tree;
    let n = idom.len();
    let small = shallow.small().as_slice();
    let mut sums: Vec<u64> = memory::vec_with_capacity(n);
    for (v, &node) in node_of.iter().enumerate() {
        if let Some(&ahead) = node_of.get(v + AHEAD) {
            memory::prefetch(small, ahead as usize);
        }
        sums.push(shallow.get(node as usize));
    }
    for v in (1..n).rev() {
        let d = idom[v] as usize;
        sums[d] = sums[d].saturating_add(sums[v]);
    }
    let mut sizes: Vec<u32> = memory::zeroed(n);
    let mut large = Vec::new();
    for (v, &node) in node_of.iter().enumerate() {
        if let Some(&ahead) = node_of.get(v + AHEAD) {
            memory::prefetch(&sizes, ahead as usize);
        }
        let (small, is_large) = SizeColumn::pack(sums[v]);
        sizes[node as usize] = small;
        if is_large {
            large.push((node, sums[v]));
        }
    }
    RetainedSizes { sizes: SizeColumn::new(sizes.into(), large) }
}
