//! Opening a snapshot and what every view needs of it: the one door for commands on one file.

use std::path::Path;

use leakline_analysis::views::Heap;
use leakline_heap::{Bytes, HeapGraph, NodeId};
use leakline_investigate::{IndexUse, OpenHeap, Reach};
use serde::Serialize;

use crate::args::{Index, Level, Opening};
use crate::error::CliError;
use crate::exit;
use crate::output::Output;
use crate::progress::Progress;

impl From<Index> for IndexUse {
    fn from(index: Index) -> Self {
        match index {
            Index::Auto => Self::Auto,
            Index::Never => Self::Never,
        }
    }
}

/// A snapshot, analysed.
pub struct Opened {
    /// Objects and analyses.
    pub heap: OpenHeap,
    /// The file as it was named.
    pub name: String,
    use_of_index: IndexUse,
}

/// Opens a snapshot for a question that reaches that far.
pub fn open(
    path: &Path,
    opening: &Opening,
    reach: Reach,
    output: &Output,
) -> Result<Opened, CliError> {
    let mut progress = Progress::new(output);
    let use_of_index = opening.index.into();
    let heap = OpenHeap::open(path, use_of_index, reach, &mut |e| progress.event(e))?;
    Ok(Opened { heap, name: path.display().to_string(), use_of_index })
}

impl Opened {
    /// Prints the answer, then keeps what makes the next one fast. An answer from an index that turned out
    /// to be damaged is not printed: it is an error that [`super::run`] knows what to do about.
    pub fn answer<T: Serialize>(
        mut self,
        output: &Output,
        document: &T,
        text: impl FnOnce() -> String,
    ) -> Result<u8, CliError> {
        if self.heap.is_damaged() {
            return Err(self.damaged());
        }
        output.result(document, text)?;
        if self.use_of_index == IndexUse::Auto {
            let mut progress = Progress::new(output);
            match self.heap.keep_index(&mut |e| progress.event(e)) {
                Ok(None) => {}
                Ok(Some((path, bytes))) => output.tell(
                    Level::Info,
                    &format!(
                        "index kept: {} ({}); the next look takes milliseconds",
                        path.display(),
                        Bytes(bytes)
                    ),
                ),
                Err(e) => output.tell(Level::Debug, &format!("no index kept: {e}")),
            }
        }
        Ok(exit::DONE)
    }

    /// Removes the index that turned out to be damaged.
    fn damaged(&self) -> CliError {
        CliError::damaged_index(&self.name, self.heap.remove_index().is_ok())
    }

    /// The objects.
    pub fn graph(&self) -> &HeapGraph {
        &self.heap.graph
    }

    /// What the views take.
    pub fn heap(&self) -> Heap<'_> {
        let OpenHeap { graph, analysis, retainers, .. } = &self.heap;
        let scripts = self.heap.scripts();
        Heap { graph, analysis, scripts, retainers: retainers.as_ref() }
    }

    /// The object with this id.
    pub fn object(&self, id: ObjectId) -> Result<NodeId, CliError> {
        self.graph().node_with_id(id.0).ok_or_else(|| {
            // In the ruins of a column nothing is found.
            if self.heap.is_damaged() {
                return self.damaged();
            }
            CliError::bad_input(
                "no-such-object",
                format!("{}: no object @{}", self.name, id.0),
                "ids hold within one process: take the id from this file",
            )
        })
    }

    /// The object with this id; the root where none was asked for.
    pub fn object_or_root(&self, id: Option<ObjectId>) -> Result<NodeId, CliError> {
        id.map_or(Ok(self.graph().root()), |id| self.object(id))
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
