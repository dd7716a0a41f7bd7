//! Everything the views need of one graph, computed together.
//!
//! Two threads: dominators on one, sizes, distances and classes on the other; neither waits for the other
//! but at the end. Each thread frees its working memory before its next step.

use leakline_heap::{HeapGraph, NodeId, SizeColumn};

use crate::class::{ClassId, ClassIndex};
use crate::distance::{Distances, distances_named};
use crate::dominators::{Dominators, dominators};
use crate::essential::{EssentialEdges, essential_edges_named};
use crate::names::Names;
use crate::retained::{RetainedSizes, retained_sizes};
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
    /// the same graph classified by another snapshot's interfaces. O(nodes).
    pub fn class_totals(&self, classes: &ClassIndex) -> Vec<ClassTotal> {
        let mut totals = vec![ClassTotal::default(); classes.len()];
        // Where the subtree ends in which a class is already counted; 0 is before everything.
        let mut counted_until = vec![0usize; classes.len()];
        for (position, node) in self.dominators.preorder().enumerate() {
            let shallow = self.shallow.get(node.index());
            if shallow == 0 {
                continue;
            }
            let class = classes.of_node(node).index();
            let distance = self.distances.raw(node);
            let total = &mut totals[class];
            if total.count == 0 {
                total.distance = distance;
                total.first = node;
                total.last = node;
            } else {
                total.distance = total.distance.min(distance);
                total.first = total.first.min(node);
                total.last = total.last.max(node);
            }
            total.count += 1;
            total.shallow_bytes += shallow;
            // What hangs below another object of the class is in that one's retained size already.
            if position >= counted_until[class] {
                total.retained_bytes += self.retained.get(node);
                counted_until[class] = position + self.dominators.subtree_len(position);
            }
        }
        totals
    }
}

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
    let (essential, dominators, distances, shallow, classes) = std::thread::scope(|scope| {
        let tree = scope.spawn(|| {
            let essential = essential_edges_named(graph, &names);
            let dominators = dominators(graph, &essential);
            (essential, dominators)
        });
        let shallow = shallow_sizes_named(graph, &names);
        let distances = distances_named(graph, &names);
        let classes = ClassIndex::named(graph, &names, None);
        let (essential, dominators) =
            tree.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (essential, dominators, distances, shallow, classes)
    });
    let retained = retained_sizes(&dominators, &shallow);
    Analysis { essential, distances, shallow, dominators, retained, classes }
}
