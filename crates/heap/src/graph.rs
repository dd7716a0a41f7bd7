//! The graph itself.

use std::ops::Range;

use crate::{EdgeType, NodeType, SizeColumn, StringTable};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
#[derive(Debug, Default)]
pub struct Columns {
    /// Node types.
    pub node_type: Vec<NodeType>,
    /// Node names, as string indexes.
    pub node_name: Vec<u32>,
    /// The snapshot's object ids: the same object has the same id in snapshots of one session.
    pub node_id: Vec<u32>,
    /// Sizes of the objects themselves, in bytes, as the snapshot states them.
    pub node_size: SizeColumn,
    /// 0 unknown, 1 attached, 2 detached; empty when the file has no such column.
    pub node_detachedness: Vec<u8>,
    /// `n + 1` offsets: the edges of node `i` are `first_edge[i]..first_edge[i + 1]`.
    pub first_edge: Vec<u32>,
    /// Edge types.
    pub edge_type: Vec<EdgeType>,
    /// Edge names: string indexes, or numbers (see [`EdgeType::has_index_name`]).
    pub edge_name: Vec<u32>,
    /// Edge targets.
    pub edge_to: Vec<u32>,
    /// The string table.
    pub strings: StringTable,
    /// Source locations, in any order.
    pub locations: Vec<Location>,
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
    #[error("{what} {count} is more than this program can index (4,294,967,294)")]
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
    /// Checks the columns, O(nodes + edges).
    ///
    /// # Errors
    /// [`GraphError`] when lengths disagree or an index points outside its table.
    pub fn new(mut columns: Columns) -> Result<Self, GraphError> {
        let n = columns.node_type.len();
        let e = columns.edge_type.len();
        if n == 0 {
            return Err(GraphError::NoNodes);
        }
        for (what, count) in [("node count", n), ("edge count", e)] {
            if count as u64 >= u64::from(u32::MAX) {
                return Err(GraphError::TooMany { what, count: count as u64 });
            }
        }
        let lengths = [
            ("node_name", columns.node_name.len(), n),
            ("node_id", columns.node_id.len(), n),
            ("node_size", columns.node_size.len(), n),
            ("first_edge", columns.first_edge.len(), n + 1),
            ("edge_name", columns.edge_name.len(), e),
            ("edge_to", columns.edge_to.len(), e),
        ];
        for (column, actual, expected) in lengths {
            if actual != expected {
                return Err(GraphError::Length { column, actual, expected });
            }
        }
        let detached = columns.node_detachedness.len();
        if detached != 0 && detached != n {
            let column = "node_detachedness";
            return Err(GraphError::Length { column, actual: detached, expected: n });
        }
        check_below("name of node", &columns.node_name, columns.strings.len())?;
        check_below("edge", &columns.edge_to, n)?;
        check_offsets(&columns.first_edge, e)?;
        for (i, (&kind, &name)) in columns.edge_type.iter().zip(&columns.edge_name).enumerate() {
            if !kind.has_index_name() && name as usize >= columns.strings.len() {
                return Err(GraphError::OutOfRange {
                    what: "name of edge",
                    at: i as u64,
                    index: u64::from(name),
                    limit: columns.strings.len() as u64,
                });
            }
        }
        if let Some(l) = columns.locations.iter().find(|l| l.node as usize >= n) {
            return Err(GraphError::OutOfRange {
                what: "a location, node",
                at: u64::from(l.node),
                index: u64::from(l.node),
                limit: n as u64,
            });
        }
        columns.locations.sort_unstable();
        Ok(Self { columns })
    }

    /// The root: node 0, from which everything alive is reached.
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.columns.node_type.len()
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.columns.edge_type.len()
    }

    /// All nodes in the snapshot's order.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + use<> {
        (0..self.node_count() as u32).map(NodeId)
    }

    /// The node's type.
    #[inline]
    pub fn node_type(&self, node: NodeId) -> NodeType {
        self.columns.node_type[node.index()]
    }

    /// The node's name: class for objects, text for strings, function name for closures.
    #[inline]
    pub fn node_name(&self, node: NodeId) -> &str {
        self.columns.strings.get(self.columns.node_name[node.index()])
    }

    /// The node's name as a string index.
    #[inline]
    pub fn node_name_index(&self, node: NodeId) -> u32 {
        self.columns.node_name[node.index()]
    }

    /// The snapshot's object id (`@id`).
    #[inline]
    pub fn object_id(&self, node: NodeId) -> u32 {
        self.columns.node_id[node.index()]
    }

    /// Size of the object itself in bytes, as the snapshot states it.
    #[inline]
    pub fn self_size(&self, node: NodeId) -> u64 {
        self.columns.node_size.get(node.index())
    }

    /// 0 unknown, 1 attached, 2 detached.
    pub fn detachedness(&self, node: NodeId) -> u8 {
        self.columns.node_detachedness.get(node.index()).copied().unwrap_or(0)
    }

    /// The positions of the node's edges.
    #[inline]
    pub fn edge_range(&self, node: NodeId) -> Range<usize> {
        let first = &self.columns.first_edge;
        first[node.index()] as usize..first[node.index() + 1] as usize
    }

    /// The edges of a node.
    #[inline]
    pub fn edges(&self, node: NodeId) -> impl ExactSizeIterator<Item = Edge> + '_ {
        self.edge_range(node).map(|e| self.edge(EdgeId(e as u32)))
    }

    /// The edge at a position.
    #[inline]
    pub fn edge(&self, id: EdgeId) -> Edge {
        let e = id.0 as usize;
        Edge {
            id,
            kind: self.columns.edge_type[e],
            name_or_index: self.columns.edge_name[e],
            to: NodeId(self.columns.edge_to[e]),
        }
    }

    /// The node that holds by this edge. Costs a binary search.
    pub fn edge_source(&self, id: EdgeId) -> NodeId {
        let after = self.columns.first_edge.partition_point(|&first| first <= id.0);
        NodeId(after.saturating_sub(1) as u32)
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

    /// Targets of all edges, in order.
    pub fn edge_targets(&self) -> &[u32] {
        &self.columns.edge_to
    }

    /// Types of all edges, in order.
    pub fn edge_types(&self) -> &[EdgeType] {
        &self.columns.edge_type
    }

    /// Names of all edges, in order.
    pub fn edge_names(&self) -> &[u32] {
        &self.columns.edge_name
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
        &self.columns.locations
    }

    /// Where the node's code stands: the function itself, or the constructor of an object.
    pub fn location(&self, node: NodeId) -> Option<Location> {
        let all = &self.columns.locations;
        let at = all.partition_point(|l| l.node < node.0);
        all.get(at).copied().filter(|l| l.node == node.0)
    }

    /// Bytes outside the heap that belong to no node.
    pub fn extra_native_bytes(&self) -> u64 {
        self.columns.extra_native_bytes
    }

    /// The node with this object id. Costs a walk over the ids.
    pub fn node_with_id(&self, id: u32) -> Option<NodeId> {
        self.columns.node_id.iter().position(|&i| i == id).map(|i| NodeId(i as u32))
    }
}

fn check_below(what: &'static str, column: &[u32], limit: usize) -> Result<(), GraphError> {
    // The maximum first: one pass the compiler vectorises; the culprit is only sought when there is one.
    let max = column.iter().copied().max().unwrap_or(0);
    if column.is_empty() || (max as usize) < limit {
        return Ok(());
    }
    let at = column.iter().position(|&i| i as usize >= limit).unwrap_or(0);
    let (at, limit) = (at as u64, limit as u64);
    Err(GraphError::OutOfRange { what, at, index: u64::from(max), limit })
}

fn check_offsets(first_edge: &[u32], edges: usize) -> Result<(), GraphError> {
    let rising = first_edge.is_sorted();
    let last = first_edge.last().copied().unwrap_or(0) as usize;
    if rising && first_edge.first() == Some(&0) && last == edges {
        return Ok(());
    }
    Err(GraphError::Length { column: "first_edge", actual: last, expected: edges })
}
