//! Everything the views need of one graph, computed together.
//!
//! Two threads, in four steps of about equal halves: depth-first numbers beside distances and sizes; the
//! edges backwards, shared by both; dominators beside classes; retained sizes beside the tree's order. Working
//! memory that one analysis is done with, the next one takes (see `buffers`).

use leakline_heap::{HeapGraph, NodeId, SizeColumn, memory};

use crate::buffers::Buffers;
use crate::class::{ClassId, ClassIndex};
use crate::distance::{Distances, distances_named};
use crate::dominators::{Dominators, InEdges, Numbering, dominators_numbered};
use crate::essential::EssentialEdges;
use crate::names::Names;
use crate::retained::{RetainedSizes, retained_sizes_numbered};
use crate::shallow::shallow_sizes_named;

/// The basic analyses of one graph. Nodes are those of the graph it was made from.
#[derive(Debug)]
pub struct Analysis {
    /// Which edges retain.
    pub essential: EssentialEdges,
    /// How far each node is from the user's globals.
    pub distances: Distances,
    /// Shallow sizes in bytes, V8's internals counted with their owner.
    pub shallow: SizeColumn,
    /// Who frees whom.
    pub dominators: Dominators,
    /// What losing a node frees.
    pub retained: RetainedSizes,
    /// The class of each node.
    pub classes: ClassIndex,
}

impl Analysis {
    /// The name of a node's class.
    pub fn class_name(&self, node: NodeId) -> &str {
        self.classes.name_of(node)
    }

    /// The shallow size of a node in bytes.
    #[inline]
    pub fn shallow_size(&self, node: NodeId) -> u64 {
        self.shallow.get(node.index())
    }

    /// The retained size of a node in bytes.
    #[inline]
    pub fn retained_size(&self, node: NodeId) -> u64 {
        self.retained.get(node)
    }

    /// Counts and sizes of every class of `classes`, by class number: the graph's own [`Self::classes`], or
    /// the same graph classified by another snapshot's interfaces. O(nodes), on two threads.
    pub fn class_totals(&self, classes: &ClassIndex) -> Vec<ClassTotal> {
        let mut totals = vec![ClassTotal::default(); classes.len()];
        let retained = std::thread::scope(|scope| {
            let retained = scope.spawn(|| self.class_retained(classes));
            self.class_sums(classes, &mut totals);
            joined(retained)
        });
        for (total, retained) in totals.iter_mut().zip(retained) {
            total.retained_bytes = retained;
        }
        totals
    }

    /// Everything but the retained sizes, in the order of the nodes.
    fn class_sums(&self, classes: &ClassIndex, totals: &mut [ClassTotal]) {
        let class_of = classes.class_of.as_slice();
        let distances = self.distances.raw.as_slice();
        for (node, (&class, &distance)) in class_of.iter().zip(distances).enumerate() {
            let shallow = self.shallow.get(node);
            if shallow == 0 {
                continue;
            }
            let total = &mut totals[class as usize];
            if total.count == 0 {
                total.distance = distance;
                total.first = NodeId(node as u32);
            }
            total.distance = total.distance.min(distance);
            total.last = NodeId(node as u32);
            total.count += 1;
            total.shallow_bytes = total.shallow_bytes.saturating_add(shallow);
        }
    }

    /// The retained size of each class, in the order of the dominator tree.
    fn class_retained(&self, classes: &ClassIndex) -> Vec<u64> {
        let mut retained = vec![0u64; classes.len()];
        // Where the subtree ends in which a class is already counted; 0 is before everything.
        let mut counted_until = vec![0u32; classes.len()];
        let order = self.dominators.order.as_slice();
        let subtree = self.dominators.subtree.as_slice();
        let class_of = classes.class_of.as_slice();
        let shallow = self.shallow.small().as_slice();
        let sizes = self.retained.sizes.small().as_slice();
        for (position, (&node, &length)) in order.iter().zip(subtree).enumerate() {
            if let Some(&ahead) = order.get(position + AHEAD) {
                memory::prefetch(class_of, ahead as usize);
                memory::prefetch(shallow, ahead as usize);
                memory::prefetch(sizes, ahead as usize);
            }
            let class = class_of[node as usize] as usize;
            // What hangs below another object of the class is in that one's retained size already.
            if position as u32 >= counted_until[class] && shallow[node as usize] > 0 {
                let sum = &mut retained[class];
                *sum = sum.saturating_add(self.retained.get(NodeId(node)));
                counted_until[class] = position as u32 + length;
            }
        }
        retained
    }
}

/// How many nodes ahead the memory is asked for: the walk is in the order of the tree, the columns are not.
const AHEAD: usize = 16;

/// The objects of one class taken together. Objects without a size of their own are not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassTotal {
    /// How many objects there are.
    pub count: u64,
    /// The least distance of one, as `DevTools` has it (see [`Distances::raw`]).
    pub distance: i32,
    /// The sum of their shallow sizes.
    pub shallow_bytes: u64,
    /// What losing them all frees, as `DevTools` sums it: the retained sizes of those that no other object
    /// of the class dominates.
    pub retained_bytes: u64,
    /// The first of them in the graph.
    pub first: NodeId,
    /// The last of them in the graph.
    pub last: NodeId,
}

impl Default for ClassTotal {
    fn default() -> Self {
        Self {
            count: 0,
            distance: Distances::NONE,
            shallow_bytes: 0,
            retained_bytes: 0,
            first: NodeId(0),
            last: NodeId(0),
        }
    }
}

/// The classes that stand in a view, in no order. Classes of different origin can bear one
/// [`key`](crate::Class::key) (an object named `Function`, and functions); `DevTools` shows only the one
/// whose first object comes last, so the others are left out here too.
pub(crate) fn visible_classes(
    classes: &ClassIndex,
    totals: &[ClassTotal],
) -> Vec<(String, ClassId)> {
    let mut by_key: rustc_hash::FxHashMap<String, ClassId> = rustc_hash::FxHashMap::default();
    for (id, class) in classes.iter() {
        if totals[id.index()].count == 0 {
            continue;
        }
        by_key
            .entry(class.key())
            .and_modify(|shown| {
                if totals[shown.index()].first < totals[id.index()].first {
                    *shown = id;
                }
            })
            .or_insert(id);
    }
    by_key.into_iter().collect()
}

/// Computes everything, on two threads.
pub fn analyze(graph: &HeapGraph) -> Analysis {
    let names = Names::of(graph);
    let buffers = Buffers::default();
    let ((numbering, essential), (distances, shallow)) = on_two_threads(
        || Numbering::of(graph, &names, &buffers),
        || {
            let distances = distances_named(graph, &names, &buffers);
            (distances, shallow_sizes_named(graph, &names, &buffers))
        },
    );
    let in_edges = InEdges::of(graph, &numbering, &buffers);
    let (mut tree, classes) = on_two_threads(
        || dominators_numbered(numbering, in_edges, &buffers),
        || ClassIndex::named(graph, &names, None),
    );
    let mut pairs = std::mem::take(&mut tree.pairs);
    let ((retained, immediate), dominators) = on_two_threads(
        || {
            let retained = retained_sizes_numbered(&tree, &mut pairs, &shallow, &buffers);
            (retained, tree.immediate(&buffers))
        },
        || tree.lay_out(&buffers),
    );
    let dominators = Dominators { immediate: immediate.into(), ..dominators };
    Analysis { essential, distances, shallow, dominators, retained, classes }
}

/// Does both at once.
pub(crate) fn on_two_threads<A, B: Send>(
    here: impl FnOnce() -> A,
    there: impl FnOnce() -> B + Send,
) -> (A, B) {
    std::thread::scope(|scope| {
        let there = scope.spawn(there);
        let here = here();
        (here, joined(there))
    })
}

/// What a thread returns; its panic is ours.
fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
