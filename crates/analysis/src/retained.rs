//! Retained sizes: the bytes that are freed when a node is lost.
//!
//! The retained size of a node is the sum of the shallow sizes of everything it dominates. One pass over
//! the dominator tree from the leaves up, O(nodes).

use leakline_heap::{NodeId, SizeColumn, memory};

use crate::buffers::Buffers;
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
/// `sums` is room for the sums, a pair of words for each vertex; what it holds does not matter.
pub(crate) fn retained_sizes_numbered(
    tree: &NumberedTree,
    sums: &mut [[u32; 2]],
    shallow: &SizeColumn,
    buffers: &Buffers,
) -> RetainedSizes {
    let NumberedTree { idom, node_of, .. } = tree;
    let small = shallow.small().as_slice();
    let halves = |sum: u64| [sum as u32, (sum >> 32) as u32];
    let sum_of = |[low, high]: [u32; 2]| u64::from(high) << 32 | u64::from(low);
    for (v, (&node, sum)) in node_of.iter().zip(&mut *sums).enumerate() {
        if let Some(&ahead) = node_of.get(v + AHEAD) {
            memory::prefetch(small, ahead as usize);
        }
        *sum = halves(shallow.get(node as usize));
    }
    for v in (1..idom.len()).rev() {
        let (above, own) = (idom[v] as usize, sum_of(sums[v]));
        sums[above] = halves(sum_of(sums[above]).saturating_add(own));
    }
    let mut sizes = buffers.take(idom.len());
    let mut large = Vec::new();
    for (v, (&node, &sum)) in node_of.iter().zip(&*sums).enumerate() {
        if let Some(&ahead) = node_of.get(v + AHEAD) {
            memory::prefetch(&sizes, ahead as usize);
        }
        let sum = sum_of(sum);
        let (small, is_large) = SizeColumn::pack(sum);
        sizes[node as usize] = small;
        if is_large {
            large.push((node, sum));
        }
    }
    RetainedSizes { sizes: SizeColumn::new(sizes.into(), large) }
}
