//! What all views are made of: objects and edges with their numbers.

use leakline_heap::{Edge, EdgeId, EdgeType, HeapGraph, NodeId, Retainer, Retainers};
use serde::Serialize;

use crate::analysis::Analysis;
use crate::bits::Bits;
use crate::distance::Distances;
use crate::paths::ObjectRef;
use crate::scripts::Scripts;
use crate::summary::SourceLocation;

/// An analysed snapshot. All three must come from one graph.
#[derive(Clone, Copy, Debug)]
pub struct Heap<'a> {
    /// The objects.
    pub graph: &'a HeapGraph,
    /// Sizes, distances, dominators, classes.
    pub analysis: &'a Analysis,
    /// Which file a function comes from.
    pub scripts: &'a Scripts,
    /// The edges backwards, where somebody has them already.
    pub retainers: Option<&'a Retainers>,
}

/// An object with its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectRow {
    /// Id, name and type.
    #[serde(flatten)]
    pub object: ObjectRef,
    /// The class it stands under in the summary.
    pub class: String,
    /// Its distance from the user's globals; `None` for what only V8 reaches. `DevTools`' -5 for what
    /// nothing reaches is kept.
    pub distance: Option<i32>,
    /// Its size in bytes.
    pub shallow_bytes: u64,
    /// What losing it frees, in bytes.
    pub retained_bytes: u64,
}

/// An edge and what it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EdgeRow {
    /// The edge's name: `_events`, `[17]`.
    pub edge: String,
    /// V8's name of the edge's type.
    pub edge_type: &'static str,
    /// The object.
    pub object: ObjectRow,
}

impl Heap<'_> {
    /// The edges that lead to `node`, and where they come from, in the snapshot's order. A walk over all
    /// edges, unless somebody has them backwards.
    pub(super) fn retainers_of(&self, node: NodeId) -> Vec<Retainer> {
        if let Some(retainers) = self.retainers {
            return retainers.of_node(node).collect();
        }
        let edges = self.graph.packed_edges().iter().enumerate();
        let held = edges.filter(|(_, edge)| edge.to() == node.0).map(|(e, _)| EdgeId(e as u32));
        held.map(|edge| Retainer { edge, from: self.graph.edge_source(edge) }).collect()
    }

    /// An object's row.
    pub fn row(&self, node: NodeId) -> ObjectRow {
        ObjectRow {
            object: ObjectRef::of(self.graph, node),
            class: self.analysis.class_name(node).to_owned(),
            distance: Some(self.analysis.distances.raw(node)).filter(|&d| d < Distances::SYSTEM),
            shallow_bytes: self.analysis.shallow_size(node),
            retained_bytes: self.analysis.retained_size(node),
        }
    }

    /// An edge's row.
    pub(super) fn edge_row(&self, edge: Edge) -> EdgeRow {
        EdgeRow {
            edge: self.graph.edge_label(edge),
            edge_type: edge.kind.name(),
            object: self.row(edge.to),
        }
    }

    /// An object's id as it is written: `@245233`.
    pub(super) fn id(&self, node: NodeId) -> String {
        format!("@{}", self.graph.object_id(node))
    }

    /// Where the code of a function stands, or the constructor of an object.
    pub(super) fn location(&self, node: NodeId) -> Option<SourceLocation> {
        let at = self.graph.location(node)?;
        let file = self.scripts.path(at.script_id)?.to_owned();
        Some(SourceLocation {
            file,
            line: at.line.saturating_add(1),
            column: at.column.saturating_add(1),
        })
    }

    /// Whether the embedder says that nothing but JavaScript holds on to this object any more, or it is part
    /// of one of which that is said.
    pub(super) fn is_detached(&self, node: NodeId) -> bool {
        const DETACHED: u8 = 2;
        self.graph.detachedness(node) == DETACHED || self.analysis.classes.is_detached(node)
    }
}

/// Some texts of the string table: asking an edge or a node for its name costs a bit then.
pub(super) struct Texts(Bits);

impl Texts {
    /// The strings that fulfil a condition, O(strings).
    pub(super) fn of(graph: &HeapGraph, wanted: impl Fn(&str) -> bool) -> Self {
        let mut bits = Bits::new(graph.strings().len());
        for (i, text) in graph.strings().iter().enumerate() {
            if wanted(text) {
                bits.set(i);
            }
        }
        Self(bits)
    }

    /// Whether the string at this index is one of them.
    #[inline]
    pub(super) fn has(&self, index: u32) -> bool {
        self.0.get(index as usize)
    }

    /// The first internal edge of a node with one of these names.
    pub(super) fn internal(&self, graph: &HeapGraph, node: NodeId) -> Option<NodeId> {
        graph
            .edges(node)
            .find(|e| e.kind == EdgeType::Internal && self.has(e.name_or_index))
            .map(|e| e.to)
    }
}
