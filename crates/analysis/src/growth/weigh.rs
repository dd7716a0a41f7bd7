//! What growth sites weigh, exactly.
//!
//! A site's weight is what nothing holds any more when its members are gone: all that is reached *only* through
//! them. One walk of the whole heap for each site would cost more than reading the snapshot. So all are
//! weighed in one: each node carries a word with two bits for each group, "is reached without the group's
//! members" and "is reached without its owners' links to them". The root has all bits; a link passes on what it
//! has, without the bits of a group it would enter. Words only gain bits, so the walk ends; what is
//! reached around all groups, most of the heap, has all its bits at the first visit. O(nodes + edges) in practice,
//! and at most 64 times that.

use std::collections::VecDeque;

use leakline_heap::{EdgeId, HeapGraph, NodeId};
use rustc_hash::FxHashMap;

use super::correspond::Correspondence;
use super::groups::Group;
use crate::bits::Bits;
use crate::essential::EssentialEdges;

/// Bytes of new objects that depend on a group. Each byte once, whatever else overlaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// New bytes that nothing holds any more when the whole group is gone.
    pub retained_delta_bytes: u64,
    /// New bytes that nothing holds any more when only the owners let go.
    pub freed_if_cut_bytes: u64,
    /// Shallow size of the group's members together.
    pub shallow_bytes: u64,
}

/// Groups that are weighed in one walk: a word has two bits for each.
const GROUPS_PER_WALK: usize = 31;

/// The bit of what is reached at all.
const REACHED: u64 = 1 << 63;

/// Weighs groups by reaching everything else without them. No recursion.
pub fn weigh(
    graph: &HeapGraph,
    essential: &EssentialEdges,
    first: &Correspondence,
    groups: &[&Group],
) -> Vec<Weight> {
    let walks = groups.chunks(GROUPS_PER_WALK);
    walks.flat_map(|groups| Walk::of(graph, essential, groups).weights(first, groups)).collect()
}

/// One walk for a few groups.
struct Walk<'a> {
    graph: &'a HeapGraph,
    essential: &'a EssentialEdges,
    /// For each node the groups it is a member of.
    member_of: Vec<u32>,
    /// Owners and stores, and of which groups.
    is_holder: Bits,
    holder_of: FxHashMap<u32, u32>,
    /// For each node, without which groups, and without whose links, it is reached.
    reached: Vec<u64>,
}

impl<'a> Walk<'a> {
    fn of(graph: &'a HeapGraph, essential: &'a EssentialEdges, groups: &[&Group]) -> Self {
        let n = graph.node_count();
        let mut member_of = leakline_heap::memory::zeroed(n);
        let mut is_holder = Bits::new(n);
        let mut holder_of: FxHashMap<u32, u32> = FxHashMap::default();
        for (i, group) in groups.iter().enumerate() {
            for member in &group.members {
                member_of[member.index()] |= 1u32 << i;
            }
            for holder in group.owners.iter().chain(&group.stores) {
                is_holder.set(holder.index());
                *holder_of.entry(holder.0).or_default() |= 1 << i;
            }
        }
        let reached = leakline_heap::memory::zeroed(n);
        let mut walk = Self { graph, essential, member_of, is_holder, holder_of, reached };
        walk.run();
        walk
    }

    /// First around all members, then through them.
    fn run(&mut self) {
        let (edges, first_edges) = (self.graph.packed_edges(), self.graph.first_edges());
        let root = self.graph.root();
        let mut stack = vec![root.0];
        let mut entries: Vec<(u32, u32)> = Vec::new();
        self.reached[root.index()] = u64::MAX;
        while let Some(node) = stack.pop() {
            let range = first_edges[node as usize]..first_edges[node as usize + 1];
            for e in range {
                let to = edges[e as usize].to();
                if self.reached[to as usize] != 0 || !self.essential.is_essential(EdgeId(e)) {
                    continue;
                }
                if self.member_of[to as usize] != 0 {
                    entries.push((node, to));
                    continue;
                }
                self.reached[to as usize] = u64::MAX;
                stack.push(to);
            }
        }
        let mut queue: VecDeque<u32> = VecDeque::new();
        let mut waits = Bits::new(self.graph.node_count());
        for (from, to) in entries {
            self.pass_on(from, to, &mut queue, &mut waits);
        }
        while let Some(node) = queue.pop_front() {
            waits.clear(node as usize);
            for e in first_edges[node as usize]..first_edges[node as usize + 1] {
                if self.essential.is_essential(EdgeId(e)) {
                    self.pass_on(node, edges[e as usize].to(), &mut queue, &mut waits);
                }
            }
        }
    }

    #[inline]
    fn pass_on(&mut self, from: u32, to: u32, queue: &mut VecDeque<u32>, waits: &mut Bits) {
        let before = self.reached[to as usize];
        let offered = self.reached[from as usize];
        if before | offered == before {
            return;
        }
        let entered = self.member_of[to as usize];
        let mut passes = offered;
        if entered != 0 {
            passes &= !u64::from(entered);
            if self.is_holder.get(from as usize) {
                let own = self.holder_of.get(&from).copied().unwrap_or(0);
                passes &= !(u64::from(entered & own) << 32);
            }
        }
        let after = before | passes;
        if after != before {
            self.reached[to as usize] = after;
            if waits.insert(to as usize) {
                queue.push_back(to);
            }
        }
    }

    fn weights(&self, first: &Correspondence, groups: &[&Group]) -> Vec<Weight> {
        let mut weights = vec![Weight::default(); groups.len()];
        for node in self.graph.nodes() {
            let reached = self.reached[node.index()];
            // Reached around all groups, or not at all.
            if reached == u64::MAX || reached & REACHED == 0 || !first.is_absent(node) {
                continue;
            }
            let bytes = self.graph.self_size(node);
            for (i, weight) in weights.iter_mut().enumerate() {
                if reached & (1 << i) == 0 {
                    weight.retained_delta_bytes += bytes;
                }
                if reached & (1 << (i + 32)) == 0 {
                    weight.freed_if_cut_bytes += bytes;
                }
            }
        }
        for (weight, group) in weights.iter_mut().zip(groups) {
            let mut members: Vec<NodeId> = group.members.clone();
            members.sort_unstable();
            members.dedup();
            weight.shallow_bytes = members.iter().map(|m| self.graph.self_size(*m)).sum();
        }
        weights
    }
}
