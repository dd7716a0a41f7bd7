//! Objects by name, class, id, type, size or script.

use std::cmp::Reverse;

use leakline_heap::{NodeId, NodeType};
use serde::Serialize;

use super::row::{Heap, ObjectRow, Texts};
use crate::bits::Bits;
use crate::summary::SourceLocation;

/// From so many bytes to so many, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
}

impl Range {
    fn contains(self, bytes: u64) -> bool {
        (self.min..=self.max).contains(&bytes)
    }
}

/// What to look for; everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// The name contains this, in any case: class of an object, text of a string, name of a function.
    pub name: Option<String>,
    /// The class, as the summary names it, contains this, in any case.
    pub class: Option<String>,
    /// The object id.
    pub id: Option<u32>,
    /// The shallow size.
    pub shallow: Option<Range>,
    /// The retained size.
    pub retained: Option<Range>,
    /// V8's type.
    pub kind: Option<NodeType>,
    /// The path of the script of a function or of an object's constructor contains this.
    pub script: Option<String>,
}

/// What was found, in the shape of `leakline search --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SearchView {
    /// How many objects match.
    pub match_count: u64,
    /// The sum of their shallow sizes, in bytes.
    pub shallow_bytes: u64,
    /// What losing all of them frees, in bytes, each byte once.
    pub retained_bytes: u64,
    /// The largest by retained size, as many as were asked for.
    pub matches: Vec<SearchRow>,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SearchRow {
    /// The object.
    #[serde(flatten)]
    pub object: ObjectRow,
    /// Where a function's code stands, or an object's constructor.
    pub location: Option<SourceLocation>,
}

/// The objects that match, at most `limit` of them. O(nodes + text, matches sorted): each text and each
/// class name is looked at once, not each object's.
pub fn search(heap: &Heap<'_>, wanted: &Search, limit: usize) -> SearchView {
    let graph = heap.graph;
    let contains = |lower: &Option<String>| {
        let lower = lower.as_ref().map(|t| t.to_lowercase());
        move |text: &str| lower.as_ref().is_none_or(|l| text.to_lowercase().contains(l))
    };
    let named = wanted.name.as_ref().map(|_| Texts::of(graph, contains(&wanted.name)));
    let of_class = wanted.class.as_ref().map(|_| {
        let fits = contains(&wanted.class);
        heap.analysis.classes.iter().map(|(_, class)| fits(&class.name)).collect::<Vec<bool>>()
    });
    let in_script = wanted.script.as_ref().map(|script| {
        let mut nodes = Bits::new(graph.node_count());
        for at in graph.locations() {
            if heap.scripts.path(at.script_id).is_some_and(|path| path.contains(script)) {
                nodes.set(at.node as usize);
            }
        }
        nodes
    });
    let analysis = heap.analysis;
    let fits = |&node: &NodeId| {
        wanted.id.is_none_or(|id| graph.object_id(node) == id)
            && wanted.kind.is_none_or(|kind| graph.node_type(node) == kind)
            && wanted.shallow.is_none_or(|r| r.contains(analysis.shallow_size(node)))
            && wanted.retained.is_none_or(|r| r.contains(analysis.retained_size(node)))
            && named.as_ref().is_none_or(|n| n.has(graph.node_name_index(node)))
            && of_class.as_ref().is_none_or(|c| c[analysis.classes.of_node(node).index()])
            && in_script.as_ref().is_none_or(|s| s.get(node.index()))
    };
    let mut found: Vec<NodeId> = graph.nodes().filter(fits).collect();
    let (shallow_bytes, retained_bytes) = totals(heap, &found);
    found.sort_by_key(|&n| (Reverse(analysis.retained_size(n)), n));
    let row = |&node: &NodeId| SearchRow { object: heap.row(node), location: heap.location(node) };
    SearchView {
        match_count: found.len() as u64,
        shallow_bytes,
        retained_bytes,
        matches: found.iter().take(limit).map(row).collect(),
    }
}

fn totals(heap: &Heap<'_>, found: &[NodeId]) -> (u64, u64) {
    let tree = &heap.analysis.dominators;
    let mut order: Vec<(usize, NodeId)> = found.iter().map(|&n| (tree.position(n), n)).collect();
    order.sort_unstable();
    let (mut shallow, mut retained, mut counted_until) = (0u64, 0u64, 0);
    for (position, node) in order {
        shallow = shallow.saturating_add(heap.analysis.shallow_size(node));
        if position >= counted_until {
            retained = retained.saturating_add(heap.analysis.retained_size(node));
            counted_until = position + tree.subtree_len(position);
        }
    }
    (shallow, retained)
}
