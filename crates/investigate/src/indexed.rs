//! Opening a snapshot with all that is known of it: from the index where there is one, else by reading it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use leakline_analysis::{Analysis, Scripts, Summary, analyze, summary};
use leakline_formats::index::{Identity, Index, IndexWriter, WriteError};
use leakline_heap::{HeapGraph, Retainers, SectionSink, Sections};

use crate::error::Error;
use crate::events::{Event, Observer};
use crate::open::{file_name, open_snapshot};

/// Smaller snapshots are read faster than a person notices; they get no index.
const MIN_INDEXED_BYTES: u64 = 16 << 20;

/// Whether an index may be used and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexUse {
    /// Use the one there is, keep one where there is none.
    Auto,
    /// Neither.
    Never,
}

/// How much of a heap a question touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A few objects and what is around them.
    Objects,
    /// All of it: the index is checked as a whole first.
    Everything,
}

/// A snapshot with its analyses.
#[derive(Debug)]
pub struct OpenHeap {
    /// The objects.
    pub graph: HeapGraph,
    /// Sizes, distances, dominators, classes.
    pub analysis: Analysis,
    /// The edges backwards, where they are known already.
    pub retainers: Option<Retainers>,
    /// Which file a function comes from; found out when it is first asked for.
    scripts: OnceLock<Scripts>,
    path: PathBuf,
    /// Of the file, before it was read; `None` where it is none that can be looked at twice.
    identity: Option<Identity>,
    index: Option<Index>,
}

impl OpenHeap {
    /// Opens the snapshot at `path`: its index, if it may be used and is up to date, else the file itself.
    ///
    /// # Errors
    /// Whatever is wrong with the file.
    pub fn open(
        path: &Path,
        use_of_index: IndexUse,
        reach: Reach,
        observer: Observer<'_>,
    ) -> Result<Self, Error> {
        if use_of_index == IndexUse::Auto
            && let Some(heap) = Self::from_index(path, reach)
        {
            return Ok(heap);
        }
        let identity = Identity::at(path).ok();
        let graph = open_snapshot(path, observer)?;
        let what = format!("analysing {}", file_name(path));
        observer(Event::Working { what: &what });
        let analysis = analyze(&graph);
        observer(Event::ProgressEnd);
        let path = path.to_path_buf();
        let scripts = OnceLock::new();
        Ok(Self { graph, analysis, scripts, retainers: None, path, identity, index: None })
    }

    fn from_index(path: &Path, reach: Reach) -> Option<Self> {
        let index = Index::of(path)?;
        let graph = HeapGraph::restore(&index)?.ok()?;
        let (analysis, scripts) = Analysis::restore(&index, &graph)?;
        let retainers = Retainers::restore(&index, &graph)?;
        let sound = match reach {
            Reach::Objects => !index.is_damaged(),
            Reach::Everything => index.check_all() && graph.check().is_ok() && analysis.check(),
        };
        sound.then(|| Self {
            graph,
            analysis,
            scripts: scripts.into(),
            retainers: Some(retainers),
            path: path.to_path_buf(),
            identity: None,
            index: Some(index),
        })
    }

    /// Which file a function comes from.
    pub fn scripts(&self) -> &Scripts {
        self.scripts.get_or_init(|| Scripts::of(&self.graph))
    }

    /// Whether it came from an index that turned out to be damaged: then nothing that was learnt from it is
    /// worth anything, and the snapshot has to be opened again, without it.
    pub fn is_damaged(&self) -> bool {
        self.index.as_ref().is_some_and(Index::is_damaged)
    }

    /// Removes the index it came from.
    ///
    /// # Errors
    /// When it cannot be removed. Then it is found damaged again next time, which costs time and no more.
    pub fn remove_index(&self) -> std::io::Result<()> {
        self.index.as_ref().map_or(Ok(()), |index| std::fs::remove_file(index.path()))
    }

    /// Keeps an index for the next question, where that is worth it. Returns where it is and its size.
    ///
    /// # Errors
    /// Why there is none, which harms nothing.
    pub fn keep_index(
        &mut self,
        observer: Observer<'_>,
    ) -> Result<Option<(PathBuf, u64)>, WriteError> {
        // Allocation stacks are not kept; a file that has some is read again.
        let has_traces = !self.graph.columns().node_trace.is_empty();
        let identity = self.identity.filter(|i| i.size_bytes() >= MIN_INDEXED_BYTES && !has_traces);
        let Some(identity) = identity else { return Ok(None) };
        let (n, e) = (self.graph.node_count() as u64, self.graph.edge_count() as u64);
        let expected = n * 60 + e * 13 + self.graph.strings().text().len() as u64;
        let mut writer = IndexWriter::begin(&self.path, identity, expected)?;
        let what = format!("indexing {}", file_name(&self.path));
        observer(Event::Working { what: &what });
        let scripts = self.scripts.get_or_init(|| Scripts::of(&self.graph));
        let retainers = self.retainers.get_or_insert_with(|| Retainers::of(&self.graph));
        let kept = (|| {
            put_summary(&summary(&self.graph, &self.analysis), &mut writer)?;
            self.graph.store(&mut writer)?;
            retainers.store(&mut writer)?;
            self.analysis.store(scripts, &mut writer)?;
            writer.finish()
        })();
        observer(Event::ProgressEnd);
        kept.map(Some)
    }
}

const SUMMARY: &str = "summary";

fn put_summary(summary: &Summary, writer: &mut IndexWriter) -> Result<(), WriteError> {
    // Names and numbers always can be written as JSON.
    writer.put(SUMMARY, &serde_json::to_vec(summary).unwrap_or_default())
}

/// The summary of the snapshot at `path`, if an index has it.
pub fn kept_summary(path: &Path) -> Option<Summary> {
    summary_in(&Index::of(path)?)
}

fn summary_in(index: &Index) -> Option<Summary> {
    let json = index.column::<u8>(SUMMARY)?;
    let summary = serde_json::from_slice(json.as_slice()).ok()?;
    (!index.is_damaged()).then_some(summary)
}

impl OpenHeap {
    /// Keeps only the summary: a few kilobytes that answer the first question of next time. An index that
    /// has it already, and maybe more, is left as it is.
    ///
    /// # Errors
    /// Why it is not kept, which harms nothing.
    pub fn keep_summary(&self, summary: &Summary) -> Result<(), WriteError> {
        let identity = self.identity.filter(|i| i.size_bytes() >= MIN_INDEXED_BYTES);
        let Some(identity) = identity else { return Ok(()) };
        if kept_summary(&self.path).is_some() {
            return Ok(());
        }
        let mut writer = IndexWriter::begin(&self.path, identity, 0)?;
        put_summary(summary, &mut writer)?;
        writer.finish().map(|_| ())
    }
}
