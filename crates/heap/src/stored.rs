//! A graph as named sections of plain numbers, to be kept somewhere and taken back.
//!
//! Where the sections go is not decided here: `leakline-formats` writes them into an index file and lends
//! them from there without copying.

use bytemuck::Pod;

use crate::{
    Column, Columns, EdgeColumn, GraphError, HeapGraph, LongNames, NodeLabels, Retainers,
    SizeColumn, StringTable,
};

/// Takes sections, one after the other.
pub trait SectionSink {
    /// What can go wrong with it.
    type Error;

    /// Keeps a section under a name of at most 24 bytes.
    ///
    /// # Errors
    /// Whatever keeps it from being kept.
    fn put<T: Pod>(&mut self, name: &str, values: &[T]) -> Result<(), Self::Error>;
}

/// Gives sections back.
pub trait Sections {
    /// The section of that name; `None` where there is none, or one of another width.
    fn column<T: Pod + Default + Send + Sync>(&self, name: &str) -> Option<Column<T>>;
}

impl SizeColumn {
    /// Keeps the sizes under `name`.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn store<S: SectionSink>(&self, name: &str, sink: &mut S) -> Result<(), S::Error> {
        sink.put(name, self.small().as_slice())?;
        let mut large: Vec<[u64; 2]> =
            self.large().map(|(at, size)| [u64::from(at), size]).collect();
        large.sort_unstable();
        sink.put(&format!("{name}.large"), &large)
    }

    /// Takes sizes back.
    pub fn restore(name: &str, sections: &impl Sections) -> Option<Self> {
        let small = sections.column(name)?;
        let large: Column<[u64; 2]> = sections.column(&format!("{name}.large"))?;
        let pairs = large.as_slice().iter().map(|&[at, size]| (at as u32, size));
        Some(Self::new(small, pairs))
    }
}

impl HeapGraph {
    /// Keeps the graph.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn store<S: SectionSink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let c = self.columns();
        sink.put("node.label", c.node_label.packed().as_slice())?;
        sink.put("node.label.long", c.node_label.long_names().as_slice())?;
        sink.put("node.id", c.node_id.as_slice())?;
        if c.node_by_id.is_empty() {
            sink.put("node.by_id", &self.sorted_by_id())?;
        } else {
            sink.put("node.by_id", c.node_by_id.as_slice())?;
        }
        c.node_size.store("node.size", sink)?;
        sink.put("node.detachedness", c.node_detachedness.as_slice())?;
        sink.put("node.first_edge", c.first_edge.as_slice())?;
        sink.put("edge", c.edges.packed().as_slice())?;
        sink.put("edge.name", c.edges.names().as_slice())?;
        sink.put("string.text", c.strings.text())?;
        sink.put("string.end", c.strings.ends())?;
        sink.put("location", c.locations.as_slice())?;
        sink.put("extra_native_bytes", &[c.extra_native_bytes])
    }

    /// Takes a graph back, as [`HeapGraph::lent`] does. `None` where a section is missing.
    ///
    /// # Errors
    /// [`GraphError`] when lengths disagree.
    pub fn restore(sections: &impl Sections) -> Option<Result<Self, GraphError>> {
        let long: Column<[u32; 2]> = sections.column("node.label.long")?;
        let columns = Columns {
            node_label: NodeLabels::new(
                sections.column("node.label")?,
                LongNames::new(long.as_slice().to_vec()),
            ),
            node_id: sections.column("node.id")?,
            node_by_id: sections.column("node.by_id")?,
            node_size: SizeColumn::restore("node.size", sections)?,
            node_detachedness: sections.column("node.detachedness")?,
            first_edge: sections.column("node.first_edge")?,
            edges: EdgeColumn::new(sections.column("edge")?, sections.column("edge.name")?),
            strings: StringTable::lent(
                sections.column("string.text")?,
                sections.column("string.end")?,
            ),
            locations: sections.column("location")?,
            extra_native_bytes: sections
                .column::<u64>("extra_native_bytes")?
                .range(0..1)
                .first()
                .copied()?,
            ..Columns::default()
        };
        Some(Self::lent(columns))
    }
}

impl Retainers {
    /// Keeps the edges backwards.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn store<S: SectionSink>(&self, sink: &mut S) -> Result<(), S::Error> {
        sink.put("retainer.first", self.first.as_slice())?;
        sink.put("retainer.edge", self.edge.as_slice())
    }

    /// Takes them back; `graph` is the graph they were made of.
    pub fn restore(sections: &impl Sections, graph: &HeapGraph) -> Option<Self> {
        let first: Column<u32> = sections.column("retainer.first")?;
        let edge: Column<u32> = sections.column("retainer.edge")?;
        let fits = first.len() == graph.node_count() + 1 && edge.len() == graph.edge_count();
        fits.then(|| Self::lent(first, edge, graph))
    }
}
