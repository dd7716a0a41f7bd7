//! Sums over groups of objects, each byte once.

use leakline_heap::NodeId;

use crate::analysis::Analysis;

/// The objects of one group taken together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GroupTotal {
    pub(super) count: u64,
    pub(super) shallow_bytes: u64,
    /// The retained sizes of those that no other object of the group dominates.
    pub(super) retained_bytes: u64,
}

/// Counts and sums of `groups` groups, by a walk over the dominator tree. O(nodes).
pub(super) fn group_totals(
    analysis: &Analysis,
    groups: usize,
    group_of: impl Fn(NodeId) -> Option<u32>,
) -> Vec<GroupTotal> {
    let mut totals = vec![GroupTotal::default(); groups];
    // Where the subtree ends in which a group is already counted.
    let mut counted_until = vec![0usize; groups];
    for (position, node) in analysis.dominators.preorder().enumerate() {
        let Some(group) = group_of(node).map(|g| g as usize) else { continue };
        let total = &mut totals[group];
        total.count += 1;
        total.shallow_bytes = total.shallow_bytes.saturating_add(analysis.shallow_size(node));
        if position >= counted_until[group] {
            total.retained_bytes =
                total.retained_bytes.saturating_add(analysis.retained_size(node));
            counted_until[group] = position + analysis.dominators.subtree_len(position);
        }
    }
    totals
}

/// The first few members of each group, for people to look at.
#[derive(Debug)]
pub(super) struct Samples {
    of_group: Vec<Vec<NodeId>>,
}

impl Samples {
    const EACH: usize = 3;

    pub(super) fn new() -> Self {
        Self { of_group: Vec::new() }
    }

    pub(super) fn add(&mut self, group: u32, node: NodeId) {
        let group = group as usize;
        if self.of_group.len() <= group {
            self.of_group.resize_with(group + 1, Vec::new);
        }
        if self.of_group[group].len() < Self::EACH {
            self.of_group[group].push(node);
        }
    }

    pub(super) fn of(&self, group: usize) -> &[NodeId] {
        self.of_group.get(group).map_or(&[], Vec::as_slice)
    }
}
