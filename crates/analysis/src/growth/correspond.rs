//! Which object of the last snapshot is which object of an earlier one.

use leakline_heap::{Edge, EdgeType, HeapGraph, NodeId, NodeType};
use rustc_hash::FxHashMap;

use crate::scripts::is_slot;

const NONE: u32 = u32::MAX;

/// For each node of the later graph its counterpart in the earlier one.
#[derive(Debug)]
pub struct Correspondence {
    counterpart: Vec<u32>,
    /// Nodes whose id the earlier graph has, or in comparison by shape, those that were matched at all.
    known: Vec<bool>,
}

impl Correspondence {
    /// The counterpart in the earlier graph.
    #[inline]
    pub fn get(&self, node: NodeId) -> Option<NodeId> {
        let c = self.counterpart[node.index()];
        (c != NONE).then_some(NodeId(c))
    }

    /// Whether neither the object nor one in its place existed earlier.
    #[inline]
    pub fn is_new(&self, node: NodeId) -> bool {
        self.counterpart[node.index()] == NONE
    }

    /// Whether the object itself did not exist earlier, even if another stood in its place.
    #[inline]
    pub fn is_absent(&self, node: NodeId) -> bool {
        !self.known[node.index()]
    }
}

/// Matches `last` against `earlier`.
///
/// With comparable ids an object is itself where its id is. A backing store that grew, and an object that a
/// named link replaced by one of the same class, keep their *place*: they are matched too, so that "who
/// grew" is asked of the owner, not of its newest storage. Without comparable ids only places are matched,
/// from the root downwards; list positions count as places then, so appended elements are what is new.
///
/// O(nodes log nodes + edges).
pub fn correspond(earlier: &HeapGraph, last: &HeapGraph, by_id: bool) -> Correspondence {
    let mut counterpart = vec![NONE; last.node_count()];
    let mut taken = vec![false; earlier.node_count()];
    if by_id {
        match_ids(earlier, last, &mut counterpart, &mut taken);
    } else {
        counterpart[0] = 0;
        taken[0] = true;
    }
    let known_by_id: Vec<bool> = counterpart.iter().map(|&c| c != NONE).collect();
    let mut work: Vec<NodeId> = last.nodes().filter(|n| counterpart[n.index()] != NONE).collect();
    // Breadth first, so that the shortest place of an object decides.
    let mut at = 0;
    while at < work.len() {
        let node = work[at];
        at += 1;
        let old = NodeId(counterpart[node.index()]);
        let candidates: Vec<Edge> = last
            .edges(node)
            .filter(|e| counterpart[e.to.index()] == NONE && is_place(last, *e, by_id))
            .collect();
        if candidates.is_empty() {
            continue;
        }
        let places = Places::of(earlier, old, candidates.len());
        for edge in candidates {
            let target = edge.to;
            let Some(before) = places.find(last, edge) else { continue };
            if counterpart[target.index()] == NONE
                && !taken[before.index()]
                && same_class(earlier, before, last, target)
            {
                counterpart[target.index()] = before.0;
                taken[before.index()] = true;
                work.push(target);
            }
        }
    }
    let known = if by_id { known_by_id } else { counterpart.iter().map(|&c| c != NONE).collect() };
    Correspondence { counterpart, known }
}

/// Whether a link names a place that a replaced object keeps.
fn is_place(graph: &HeapGraph, edge: Edge, by_id: bool) -> bool {
    match edge.kind {
        EdgeType::Property | EdgeType::Context => true,
        // Numbered internal links are the slots of stores and tables: positions, not places.
        EdgeType::Internal => !by_id || !graph.edge_text(edge).is_some_and(is_slot),
        // Shortcuts lead from the root to the global objects.
        EdgeType::Element | EdgeType::Hidden | EdgeType::Shortcut => !by_id,
        EdgeType::Weak | EdgeType::Other => false,
    }
}

/// The links of one earlier object, findable by kind and name.
///
/// A walk for the few, a table for the many: an object with 100,000 new keys would otherwise cost
/// 100,000 walks over 100,000 links.
enum Places<'a> {
    Walk(&'a HeapGraph, NodeId),
    Table(FxHashMap<Place<'a>, NodeId>),
}

type Place<'a> = (EdgeType, Option<&'a str>, u32);

impl<'a> Places<'a> {
    fn of(graph: &'a HeapGraph, node: NodeId, lookups: usize) -> Self {
        if lookups < 8 {
            return Self::Walk(graph, node);
        }
        let mut table = FxHashMap::default();
        for edge in graph.edges(node) {
            table.entry(place_of(graph, edge)).or_insert(edge.to);
        }
        Self::Table(table)
    }

    fn find(&self, other: &HeapGraph, edge: Edge) -> Option<NodeId> {
        let wanted = place_of(other, edge);
        match self {
            Self::Walk(graph, node) => {
                graph.edges(*node).find(|e| place_of(graph, *e) == wanted).map(|e| e.to)
            }
            Self::Table(table) => table.get(&wanted).copied(),
        }
    }
}

fn place_of(graph: &HeapGraph, edge: Edge) -> Place<'_> {
    match graph.edge_text(edge) {
        Some(text) => (edge.kind, Some(text), 0),
        None => (edge.kind, None, edge.name_or_index),
    }
}

fn same_class(a: &HeapGraph, x: NodeId, b: &HeapGraph, y: NodeId) -> bool {
    let kind = a.node_type(x);
    kind == b.node_type(y)
        // Strings and numbers are values: another one in the same place is another value.
        && !kind.is_string()
        && kind != NodeType::Number
        && a.node_name(x) == b.node_name(y)
}

fn match_ids(earlier: &HeapGraph, last: &HeapGraph, counterpart: &mut [u32], taken: &mut [bool]) {
    let a = sorted_ids(earlier);
    let b = sorted_ids(last);
    let mut i = 0;
    for pair in b {
        let id = pair >> 32;
        while i < a.len() && a[i] >> 32 < id {
            i += 1;
        }
        let Some(&candidate) = a.get(i).filter(|p| **p >> 32 == id) else { continue };
        let (old, new) = (NodeId(candidate as u32), NodeId(pair as u32));
        // One id, two types: the id was given anew.
        if earlier.node_type(old) == last.node_type(new) {
            counterpart[new.index()] = old.0;
            taken[old.index()] = true;
        }
    }
}

/// Ids and nodes in one word each, sorted by id.
fn sorted_ids(graph: &HeapGraph) -> Vec<u64> {
    let mut ids: Vec<u64> =
        graph.nodes().map(|n| u64::from(graph.object_id(n)) << 32 | u64::from(n.0)).collect();
    ids.sort_unstable();
    ids
}
