//! Retained sizes: the bytes that are freed when a node is lost.
//!
//! The retained size of a node is the sum of the shallow sizes of everything it dominates. One pass over
//! the dominator tree from the leaves up, O(nodes).

use leakline_heap::{NodeId, SizeColumn};

use crate::dominators::Dominators;

/// The retained size of each node in bytes.
#[derive(Debug)]
pub struct RetainedSizes {
    sizes: SizeColumn,
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
