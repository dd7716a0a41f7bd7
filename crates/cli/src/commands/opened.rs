//! Opening a snapshot and what every view needs of it: the one door for commands on one file.

use std::path::Path;

use leakline_analysis::views::Heap;
use leakline_analysis::{Analysis, Scripts, analyze};
use leakline_heap::{HeapGraph, NodeId};
use leakline_investigate::open_snapshot;

use crate::args::Opening;
use crate::error::CliError;
use crate::output::Output;
use crate::progress::Progress;

/// A snapshot, analysed.
pub struct Opened {
    /// The objects.
    pub graph: HeapGraph,
    /// Sizes, distances, dominators, classes.
    pub analysis: Analysis,
    /// Which file a function comes from.
    pub scripts: Scripts,
    /// The file as it was named.
    pub name: String,
}

/// Reads and analyses a snapshot.
pub fn open(path: &Path, _opening: &Opening, output: &Output) -> Result<Opened, CliError> {
    let mut progress = Progress::new(output);
    let graph = open_snapshot(path, &mut |e| progress.event(e))?;
    let analysis = analyze(&graph);
    let scripts = Scripts::of(&graph);
    Ok(Opened { graph, analysis, scripts, name: path.display().to_string() })
}

impl Opened {
    /// What the views take.
    pub fn heap(&self) -> Heap<'_> {
        Heap { graph: &self.graph, analysis: &self.analysis, scripts: &self.scripts }
    }

    /// The object with this id.
    pub fn object(&self, id: ObjectId) -> Result<NodeId, CliError> {
        self.graph.node_with_id(id.0).ok_or_else(|| {
            CliError::bad_input(
                "no-such-object",
                format!("{}: no object @{}", self.name, id.0),
                "ids hold within one process: take the id from this file",
            )
        })
    }

    /// The object with this id; the root where none was asked for.
    pub fn object_or_root(&self, id: Option<ObjectId>) -> Result<NodeId, CliError> {
        id.map_or(Ok(self.graph.root()), |id| self.object(id))
    }
}

/// An object id as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectId(pub u32);

impl ObjectId {
    /// Reads `@245233`; the `@` may be left out. Before a file is opened: a slip of the finger should not
    /// cost a minute.
    pub fn parse(text: &str) -> Result<Self, CliError> {
        text.strip_prefix('@').unwrap_or(text).parse().map(Self).map_err(|_| {
            CliError::usage(
                format!("`{text}` is no object id"),
                "object ids look like @245233; `leakline suspects` prints some",
            )
        })
    }

    /// The same where there may be none.
    pub fn parse_if_given(text: Option<&str>) -> Result<Option<Self>, CliError> {
        text.map(Self::parse).transpose()
    }
}
