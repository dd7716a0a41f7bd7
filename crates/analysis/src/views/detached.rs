//! Detached objects: the embedder has let go of them, only JavaScript still holds on. In a browser these are
//! DOM nodes in no document. Node.js marks few of its own objects; a long list here is worth a look.

use std::cmp::Reverse;

use leakline_heap::NodeId;
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::groups::group_totals;
use super::row::{Heap, ObjectRow};

/// Objects that are named in each row.
const MAX_OBJECTS: usize = 10;
const NONE: u32 = u32::MAX;

/// Detached objects, in the shape of `leakline detached --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DetachedView {
    /// How many there are.
    pub count: u64,
    /// Their shallow sizes together, in bytes.
    pub shallow_bytes: u64,
    /// What losing all of them frees, in bytes.
    pub retained_bytes: u64,
    /// A row for each class, largest retained size first.
    pub groups: Vec<DetachedGroup>,
}

/// The detached objects of one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DetachedGroup {
    /// The class as the summary names it.
    pub class: String,
    /// How many there are.
    pub count: u64,
    /// The sum of their shallow sizes, in bytes.
    pub shallow_bytes: u64,
    /// What losing all of them frees.
    pub retained_bytes: u64,
    /// The ten largest by retained size.
    pub objects: Vec<ObjectRow>,
}

/// What is marked as detached, and what inherits it. O(nodes).
pub fn detached(heap: &Heap<'_>) -> DetachedView {
    let graph = heap.graph;
    let mut group_of_class = vec![NONE; heap.analysis.classes.len()];
    let mut classes = Vec::new();
    let mut members: FxHashMap<u32, Vec<NodeId>> = FxHashMap::default();
    for node in graph.nodes().filter(|&n| heap.is_detached(n)) {
        let class = heap.analysis.classes.of_node(node);
        let group = &mut group_of_class[class.index()];
        if *group == NONE {
            *group = classes.len() as u32;
            classes.push(class);
        }
        members.entry(*group).or_default().push(node);
    }
    let totals = group_totals(heap.analysis, classes.len(), |node| {
        heap.is_detached(node).then(|| group_of_class[heap.analysis.classes.of_node(node).index()])
    });
    let all = group_totals(heap.analysis, 1, |node| heap.is_detached(node).then_some(0))[0];
    let mut groups: Vec<DetachedGroup> = classes
        .iter()
        .zip(&totals)
        .zip(0..)
        .map(|((&class, total), group)| {
            let mut nodes = members.remove(&group).unwrap_or_default();
            nodes.sort_by_key(|&n| (Reverse(heap.analysis.retained_size(n)), n));
            DetachedGroup {
                class: heap.analysis.classes.get(class).name.clone(),
                count: total.count,
                shallow_bytes: total.shallow_bytes,
                retained_bytes: total.retained_bytes,
                objects: nodes.iter().take(MAX_OBJECTS).map(|&n| heap.row(n)).collect(),
            }
        })
        .collect();
    groups.sort_by(|a, b| {
        (Reverse(a.retained_bytes), &a.class).cmp(&(Reverse(b.retained_bytes), &b.class))
    });
    DetachedView {
        count: all.count,
        shallow_bytes: all.shallow_bytes,
        retained_bytes: all.retained_bytes,
        groups,
    }
}
