//! The graph itself.

use std::ops::Range;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use crate::retainers::source_of;
use crate::{
    Allocations, Column, EdgeColumn, EdgeType, MAX_NODES, NodeLabels, NodeType, PackedEdge,
    SizeColumn, StringTable,
};

/// A node of one graph: its position in the columns. Not the snapshot's object id, and meaningless in
/// another graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The position as an index into columns.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// An edge of one graph: its position in the edge columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EdgeId(pub u32);

/// One edge, seen from the node that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Its position.
    pub id: EdgeId,
    /// How it holds.
    pub kind: EdgeType,
    /// An index into the string table, or a number where [`EdgeType::has_index_name`].
    pub name_or_index: u32,
    /// What it holds.
    pub to: NodeId,
}

/// Where the code of an object stands: a function, or the constructor of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
#[repr(C)]
pub struct Location {
    /// The node this is the location of.
    pub node: u32,
    /// V8's number of the script. [`HeapGraph`] does not know its path; see `analysis::scripts`.
    pub script_id: i32,
    /// Line, counted from 0 as in the file format.
    pub line: u32,
    /// Column in UTF-16 units, counted from 0 as in the file format.
    pub column: u32,
}

/// The columns a reader fills. [`HeapGraph::new`] checks them and closes the box.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// Node types and names.
    pub node_label: NodeLabels,
    /// The snapshot's object ids: the same object has the same id in snapshots of one session.
    pub node_id: Column<u32>,
    /// The nodes in the order of their ids, those of one id in their own order; empty where nobody sorted
    /// them.
    pub node_by_id: Column<u32>,
    /// Sizes of the objects themselves, in bytes, as the snapshot states them.
    pub node_size: SizeColumn,
    /// 0 unknown, 1 attached, 2 detached; empty when no node of the file has such a state.
    pub node_detachedness: Column<u8>,
    /// Which entry of the allocation tree made the node; empty when the file was taken without tracking.
    pub node_trace: Column<u32>,
    /// `n + 1` offsets: the edges of node `i` are `first_edge[i]..first_edge[i + 1]`.
    pub first_edge: Column<u32>,
    /// The edges, those of one node together, in the order of the nodes.
    pub edges: EdgeColumn,
    /// The string table.
    pub strings: StringTable,
    /// Who allocated what; `None` when the file was taken without tracking.
    pub allocations: Option<Arc<Allocations>>,
    /// Source locations, in any order.
    pub locations: Column<Location>,
    /// Bytes outside the heap that belong to no node (`extra_native_bytes`).
    pub extra_native_bytes: u64,
}

/// Why columns are no graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// The root is missing.
    #[error("the snapshot has no nodes")]
    NoNodes,
    /// Two columns that must have one length do not.
    #[error("column {column} has {actual} entries, expected {expected}")]
    Length {
        /// The column.
        column: &'static str,
        /// Its length.
        actual: usize,
        /// What the other columns say.
        expected: usize,
    },
    /// More nodes or edges than a 32-bit index can name.
    #[error("{what} {count}, is more than this program can index")]
    TooMany {
        /// Nodes or edges.
        what: &'static str,
        /// How many.
        count: u64,
    },
    /// An index points outside its table.
    #[error("{what} {at} points to {index}, but there are only {limit}")]
    OutOfRange {
        /// What holds the index.
        what: &'static str,
        /// Which of them.
        at: u64,
        /// The index.
        index: u64,
        /// The table's length.
        limit: u64,
    },
}

/// One heap: nodes, edges, names, locations. Node 0 is the root.
#[derive(Debug)]
pub struct HeapGraph {
    columns: Columns,
}

impl HeapGraph {
    /// Checks the columns, O(nodes + edges), on two threads where there are many.
    ///
    /// # Errors
    /// [`GraphError`] when lengths disagree or an index points outside its table.
    pub fn new(mut columns: Columns) -> Result<Self, GraphError> {
        check_lengths(&columns)?;
        check_indexes(&columns)?;
        if !columns.locations.as_slice().is_sorted() {
            columns.locations.to_mut().sort_unstable();
        }
        Ok(Self { columns })
    }

    /// Takes columns that somebody lends without looking at what is in them: only their lengths are
    /// checked. Whatever they hold, single look-ups stay inside; before a walk over everything,
    /// [`check`](Self::check) is due.
    ///
    /// # Errors
    /// [`GraphError`] when lengths disagree.
    pub fn lent(columns: Columns) -> Result<Self, GraphError> {
        check_lengths(&columns)?;
        Ok(Self { columns })
    }

    /// Checks every index of every column, as [`new`](Self::new) does.
    ///
    /// # Errors
    /// [`GraphError`] when one points outside its table.
    pub fn check(&self) -> Result<(), GraphError> {
        check_indexes(&self.columns)
    }

    /// The columns, to be written somewhere.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The root: node 0, from which everything alive is reached.
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.columns.node_label.len()
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.columns.edges.len()
    }

    /// All nodes in the snapshot's order.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + use<> {
        (0..self.node_count() as u32).map(NodeId)
    }

    /// The node's type.
    #[inline]
    pub fn node_type(&self, node: NodeId) -> NodeType {
        self.columns.node_label.kind(node.index())
    }

    /// The node's name: class for objects, text for strings, function name for closures.
    #[inline]
    pub fn node_name(&self, node: NodeId) -> &str {
        self.columns.strings.get(self.node_name_index(node))
    }

    /// The node's name as a string index.
    #[inline]
    pub fn node_name_index(&self, node: NodeId) -> u32 {
        self.columns.node_label.name(node.index())
    }

    /// The snapshot's object id (`@id`).
    #[inline]
    pub fn object_id(&self, node: NodeId) -> u32 {
        self.columns.node_id.get(node.index())
    }

    /// Size of the object itself in bytes, as the snapshot states it.
    #[inline]
    pub fn self_size(&self, node: NodeId) -> u64 {
        self.columns.node_size.get(node.index())
    }

    /// 0 unknown, 1 attached, 2 detached.
    pub fn detachedness(&self, node: NodeId) -> u8 {
        match &self.columns.node_detachedness {
            none if none.is_empty() => 0,
            states => states.get(node.index()),
        }
    }

    /// The positions of the node's edges.
    #[inline]
    pub fn edge_range(&self, node: NodeId) -> Range<usize> {
        let first = &self.columns.first_edge;
        let (start, end) = (first.get(node.index()), first.get(node.index() + 1));
        // Always so, unless somebody lends us nonsense.
        if start <= end && end as usize <= self.edge_count() {
            start as usize..end as usize
        } else {
            0..0
        }
    }

    /// The edges of a node.
    #[inline]
    pub fn edges(&self, node: NodeId) -> impl ExactSizeIterator<Item = Edge> + '_ {
        let range = self.edge_range(node);
        let first = range.start;
        let names = self.columns.edges.names().range(range.clone());
        let packed = self.columns.edges.packed.range(range);
        let both = packed.iter().zip(names).enumerate();
        both.map(move |(i, (&edge, &name))| self.unpack(first + i, edge, name))
    }

    /// The edge at a position.
    #[inline]
    pub fn edge(&self, id: EdgeId) -> Edge {
        let index = id.0 as usize;
        let edges = &self.columns.edges;
        self.unpack(index, edges.packed.get(index), edges.names().get(index))
    }

    #[inline]
    fn unpack(&self, index: usize, edge: PackedEdge, name: u32) -> Edge {
        // A target outside would be nonsense that somebody lends us; the root is at least a node.
        let to = if (edge.to() as usize) < self.node_count() { edge.to() } else { 0 };
        Edge { id: EdgeId(index as u32), kind: edge.kind(), name_or_index: name, to: NodeId(to) }
    }

    /// The node that holds by this edge. Costs a binary search.
    pub fn edge_source(&self, id: EdgeId) -> NodeId {
        source_of(&self.columns.first_edge, id)
    }

    /// The edge's name where it is text, `None` where it is a number.
    #[inline]
    pub fn edge_text(&self, edge: Edge) -> Option<&str> {
        (!edge.kind.has_index_name()).then(|| self.columns.strings.get(edge.name_or_index))
    }

    /// The edge's name as people read it: `cache`, `[17]`.
    pub fn edge_label(&self, edge: Edge) -> String {
        self.edge_text(edge)
            .map_or_else(|| format!("[{}]", edge.name_or_index), ToString::to_string)
    }

    /// The first edge of `node` with this type and name.
    pub fn find_edge(&self, node: NodeId, kind: EdgeType, name: &str) -> Option<Edge> {
        self.edges(node).find(|e| e.kind == kind && self.edge_text(*e) == Some(name))
    }

    /// All edges as they are kept, in order. For walks over everything.
    #[inline]
    pub fn packed_edges(&self) -> &[PackedEdge] {
        self.columns.edges.packed.as_slice()
    }

    /// `n + 1` offsets into [`packed_edges`](Self::packed_edges). For walks over everything.
    #[inline]
    pub fn first_edges(&self) -> &[u32] {
        self.columns.first_edge.as_slice()
    }

    /// Types and names of all nodes as they are kept (see [`NodeLabels::pack`]). For walks over everything.
    #[inline]
    pub fn node_labels(&self) -> &[u32] {
        self.columns.node_label.packed.as_slice()
    }

    /// The name of the edge at `index`: a string index, or a number.
    #[inline]
    pub fn edge_name(&self, index: usize) -> u32 {
        self.columns.edges.names.get(index)
    }

    /// The string table.
    pub fn strings(&self) -> &StringTable {
        &self.columns.strings
    }

    /// The sizes of the objects themselves, by node.
    pub fn self_sizes(&self) -> &SizeColumn {
        &self.columns.node_size
    }

    /// All locations, sorted by node.
    pub fn locations(&self) -> &[Location] {
        self.columns.locations.as_slice()
    }

    /// Where the node's code stands: the function itself, or the constructor of an object. Costs a binary
    /// search.
    pub fn location(&self, node: NodeId) -> Option<Location> {
        let all = &self.columns.locations;
        let (mut low, mut high) = (0, all.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if all.get(middle).node < node.0 { low = middle + 1 } else { high = middle }
        }
        (low < all.len()).then(|| all.get(low)).filter(|l| l.node == node.0)
    }

    /// The entry of the allocation tree that made the node; `None` without tracking, or when it was made
    /// before tracking began.
    pub fn trace_node(&self, node: NodeId) -> Option<u32> {
        let traces = &self.columns.node_trace;
        (!traces.is_empty()).then(|| traces.get(node.index())).filter(|&t| t != 0)
    }

    /// Who allocated what; `None` without tracking.
    pub fn allocations(&self) -> Option<&Allocations> {
        self.columns.allocations.as_deref()
    }

    /// Bytes outside the heap that belong to no node.
    pub fn extra_native_bytes(&self) -> u64 {
        self.columns.extra_native_bytes
    }

    /// The object ids of all nodes. For walks over everything.
    #[inline]
    pub fn object_ids(&self) -> &[u32] {
        self.columns.node_id.as_slice()
    }

    /// The node with this object id, the first where there are several. Costs a walk over the ids, or a
    /// binary search where they are sorted.
    pub fn node_with_id(&self, id: u32) -> Option<NodeId> {
        let sorted = &self.columns.node_by_id;
        if sorted.is_empty() {
            let found = self.object_ids().iter().position(|&i| i == id);
            return found.map(|i| NodeId(i as u32));
        }
        let id_at = |at: usize| self.columns.node_id.get(sorted.get(at) as usize);
        let (mut low, mut high) = (0, sorted.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if id_at(middle) < id { low = middle + 1 } else { high = middle }
        }
        let found = (low < sorted.len() && id_at(low) == id).then(|| NodeId(sorted.get(low)));
        // Always so, unless somebody lends us nonsense.
        found.filter(|node| node.index() < self.node_count())
    }

    /// The nodes in the order of their ids. O(n log n).
    pub(crate) fn sorted_by_id(&self) -> Vec<u32> {
        let ids = self.object_ids().iter().enumerate();
        let mut keys: Vec<u64> = ids.map(|(node, &id)| u64::from(id) << 32 | node as u64).collect();
        keys.sort_unstable();
        keys.into_iter().map(|key| key as u32).collect()
    }
}

fn check_lengths(columns: &Columns) -> Result<(), GraphError> {
    let n = columns.node_label.len();
    let e = columns.edges.len();
    if n == 0 {
        return Err(GraphError::NoNodes);
    }
    if n >= MAX_NODES as usize {
        return Err(GraphError::TooMany { what: "the number of nodes,", count: n as u64 });
    }
    // Together, so that an index into lists of edges with a head for each node fits, too.
    if (n as u64).saturating_add(e as u64) >= u64::from(u32::MAX) {
        let what = "the number of nodes and edges,";
        return Err(GraphError::TooMany { what, count: n as u64 + e as u64 });
    }
    let or_none = |len: usize| if len == 0 { 0 } else { n };
    let (detached, traced) = (columns.node_detachedness.len(), columns.node_trace.len());
    let sorted = columns.node_by_id.len();
    let lengths = [
        ("node_id", columns.node_id.len(), n),
        ("node_size", columns.node_size.len(), n),
        ("first_edge", columns.first_edge.len(), n + 1),
        ("edge_name", columns.edges.names().len(), e),
        ("node_detachedness", detached, or_none(detached)),
        ("node_trace", traced, or_none(traced)),
        ("node_by_id", sorted, or_none(sorted)),
    ];
    match lengths.into_iter().find(|(_, actual, expected)| actual != expected) {
        Some((column, actual, expected)) => Err(GraphError::Length { column, actual, expected }),
        None => Ok(()),
    }
}

fn check_indexes(columns: &Columns) -> Result<(), GraphError> {
    let n = columns.node_label.len();
    let strings = columns.strings.len();
    check_offsets(columns.first_edge.as_slice(), columns.edges.len())?;
    if let Some((at, index)) = columns.node_label.find_name_from(strings) {
        let (at, index) = (at as u64, u64::from(index));
        let what = "name of node";
        return Err(GraphError::OutOfRange { what, at, index, limit: strings as u64 });
    }
    let edges = columns.edges.packed.as_slice();
    let half = edges.len() / 2;
    let (first, second) = edges.split_at(half);
    if edges.len() < MANY_EDGES {
        check_edges(columns, edges, 0, n)?;
    } else {
        std::thread::scope(|scope| {
            let other = scope.spawn(|| check_edges(columns, second, half, n));
            let one = check_edges(columns, first, 0, n);
            one.and(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })?;
    }
    let locations = columns.locations.as_slice();
    match locations.iter().find(|l| l.node as usize >= n) {
        None => Ok(()),
        Some(l) => Err(GraphError::OutOfRange {
            what: "a location, node",
            at: u64::from(l.node),
            index: u64::from(l.node),
            limit: n as u64,
        }),
    }
}

/// From here on a second thread is worth its start.
const MANY_EDGES: usize = 1 << 20;

fn check_edges(
    columns: &Columns,
    edges: &[PackedEdge],
    base: usize,
    nodes: usize,
) -> Result<(), GraphError> {
    let strings = columns.strings.len();
    let names = &columns.edges.names().as_slice()[base..base + edges.len()];
    // Maxima first, which the compiler vectorises; the culprit is only sought when there is one.
    let target = edges.iter().map(|e| e.to()).max().unwrap_or(0);
    let is_text = |e: &PackedEdge| !(e.is(EdgeType::Element) | e.is(EdgeType::Hidden));
    let text_names = edges.iter().zip(names).map(|(e, &name)| if is_text(e) { name } else { 0 });
    let name = text_names.max().unwrap_or(0);
    if edges.is_empty() || ((target as usize) < nodes && (name as usize) < strings) {
        return Ok(());
    }
    for (i, (&edge, &name)) in edges.iter().zip(names).enumerate() {
        let at = base + i;
        let (what, index, limit) = if edge.to() as usize >= nodes {
            ("edge", edge.to(), nodes)
        } else if !edge.kind().has_index_name() && name as usize >= strings {
            ("name of edge", name, strings)
        } else {
            continue;
        };
        let (at, index, limit) = (at as u64, u64::from(index), limit as u64);
        return Err(GraphError::OutOfRange { what, at, index, limit });
    }
    Ok(())
}

fn check_offsets(first_edge: &[u32], edges: usize) -> Result<(), GraphError> {
    let rising = first_edge.is_sorted();
    let last = first_edge.last().copied().unwrap_or(0) as usize;
    if rising && first_edge.first() == Some(&0) && last == edges {
        return Ok(());
    }
    Err(GraphError::Length { column: "first_edge", actual: last, expected: edges })
}
