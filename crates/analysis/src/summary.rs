//! The summary view: one row per class, the heaviest first.

use leakline_heap::HeapGraph;
use serde::{Deserialize, Serialize};

use crate::analysis::{Analysis, visible_classes};
use crate::class::ClassLocation;
use crate::distance::Distances;
use crate::scripts::{Scripts, is_builtin};

/// The summary of one snapshot, in the shape of `leakline summary --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The graph as a whole.
    pub snapshot: SnapshotTotals,
    /// One row per class, by retained size.
    pub constructors: Vec<SummaryRow>,
}

/// One graph in four numbers. The caller adds the file's path and format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotTotals {
    /// How many nodes the snapshot has.
    pub node_count: u64,
    /// How many edges it has.
    pub edge_count: u64,
    /// The sum of all shallow sizes in bytes.
    pub total_shallow_bytes: u64,
    /// The object id of the root: `@1`.
    pub root_id: String,
}

/// One class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryRow {
    /// The class's name; several rows may bear one name, for classes at different places.
    pub name: String,
    /// Where the constructor stands.
    pub location: Option<SourceLocation>,
    /// How many objects there are.
    pub count: u64,
    /// The least distance from the user's globals; `None` for what only V8 reaches. `DevTools`' -5 for what
    /// nothing reaches is kept.
    pub distance: Option<i32>,
    /// The sum of the objects' shallow sizes.
    pub shallow_bytes: u64,
    /// What losing all objects of the class frees.
    pub retained_bytes: u64,
}

/// A place in a file; line and column count from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceLocation {
    /// The file as the snapshot names it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in UTF-16 units, from 1.
    pub column: u32,
}

impl SourceLocation {
    /// The place of a class, when the snapshot names the script's file.
    pub fn of(scripts: &Scripts, at: ClassLocation) -> Option<Self> {
        let file = scripts.path(at.script_id)?.to_owned();
        Some(Self { file, line: at.line.saturating_add(1), column: at.column.saturating_add(1) })
    }

    /// Whether the file belongs to the runtime, not to the user.
    pub fn is_builtin(&self) -> bool {
        is_builtin(&self.file)
    }
}

/// Counts and sizes by class, largest retained size first. O(nodes + classes log classes).
pub fn summary(graph: &HeapGraph, analysis: &Analysis) -> Summary {
    let scripts = Scripts::of(graph);
    let totals = analysis.class_totals(&analysis.classes);
    let mut constructors: Vec<SummaryRow> = visible_classes(&analysis.classes, &totals)
        .into_iter()
        .map(|(_, id)| {
            let class = analysis.classes.get(id);
            let total = &totals[id.index()];
            SummaryRow {
                name: class.name.clone(),
                location: class.location.and_then(|at| SourceLocation::of(&scripts, at)),
                count: total.count,
                distance: Some(total.distance).filter(|&d| d < Distances::SYSTEM),
                shallow_bytes: total.shallow_bytes,
                retained_bytes: total.retained_bytes,
            }
        })
        .collect();
    constructors.sort_by(|a, b| {
        b.retained_bytes
            .cmp(&a.retained_bytes)
            .then_with(|| a.name.cmp(&b.name))
            .then_with(|| a.location.cmp(&b.location))
    });
    Summary {
        snapshot: SnapshotTotals {
            node_count: graph.node_count() as u64,
            edge_count: graph.edge_count() as u64,
            total_shallow_bytes: analysis.shallow.iter().fold(0, u64::saturating_add),
            root_id: format!("@{}", graph.object_id(graph.root())),
        },
        constructors,
    }
}
