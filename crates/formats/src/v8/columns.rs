//! Records to columns: what the numbers of `nodes`, `edges` and `locations` mean.

use leakline_heap::{
    EdgeColumn, EdgeType, Location, LongNames, NodeLabels, NodeType, PackedEdge, SizeColumn, memory,
};

use super::records::{Assemble, Fault, Number, Room, Wrong};
use crate::meta::{EdgeFields, LocationFields, NodeFields};

fn fault(value: usize, what: String) -> Fault {
    Fault { value, what: Wrong::OutOfRange(what) }
}

#[inline]
pub(super) fn narrow<V: Into<u64>>(value: V, at: usize, what: &str) -> Result<u32, Fault> {
    let value = value.into();
    u32::try_from(value)
        .map_err(|_| fault(at, format!("{what} is {value}, which is beyond 32 bits")))
}

/// The type of a number, by the list in `meta`.
#[inline]
fn listed<T: Copy>(number: u64, types: &[T], at: usize, what: &str) -> Result<T, Fault> {
    let found = usize::try_from(number).ok().and_then(|n| types.get(n));
    found.copied().ok_or_else(|| {
        fault(at, format!("{what} type {number}, but `meta` lists only {}", types.len()))
    })
}

/// `nodes`.
pub(super) struct Nodes<'a> {
    pub(super) fields: &'a NodeFields,
    /// Whether to keep the column that says which allocation made a node.
    pub(super) traced: bool,
}

/// The columns of some nodes.
#[derive(Default)]
pub(super) struct NodeColumns {
    label: Vec<u32>,
    long_names: Vec<[u32; 2]>,
    id: Vec<u32>,
    size: Vec<u32>,
    large_sizes: Vec<(u32, u64)>,
    edge_count: Vec<u32>,
    /// Nearly every node is 0 here; those that are not.
    states: Vec<(u32, u8)>,
    trace: Vec<u32>,
}

impl Nodes<'_> {
    /// The nodes of a piece of 32-bit numbers, `FIELDS` a record, without a branch that depends on what is
    /// read. `None` when something is wrong with one of them, or unusual.
    fn usual<const FIELDS: usize>(&self, values: &[u32], out: &mut NodeColumns) -> Option<()> {
        let fields = self.fields;
        let mut kinds = [NodeType::Other as u8; 64];
        for (kind, &listed) in kinds.iter_mut().zip(&fields.types) {
            *kind = listed as u8;
        }
        let listed = fields.types.len() as u32;
        let (records, _) = values.as_chunks::<FIELDS>();
        let n = records.len();
        for column in [&mut out.label, &mut out.id, &mut out.size, &mut out.edge_count] {
            column.resize(n, 0);
        }
        let [kind, name, id] = [fields.kind, fields.name, fields.id].map(|f| f.min(FIELDS - 1));
        let [size, edges] = [fields.size, fields.edge_count].map(|f| f.min(FIELDS - 1));
        let state = fields.detachedness.map(|f| f.min(FIELDS - 1));
        let mut odd = false;
        let mut any_state = 0;
        for (i, record) in records.iter().enumerate() {
            let number = record[kind];
            odd |= number >= listed || record[size] == SizeColumn::LARGE;
            let (label, fits) =
                NodeLabels::pack_number(kinds[number as usize % kinds.len()], record[name]);
            odd |= !fits;
            out.label[i] = label;
            out.id[i] = record[id];
            out.size[i] = record[size];
            out.edge_count[i] = record[edges];
            any_state |= state.map_or(0, |f| record[f]);
        }
        (!odd && any_state == 0).then_some(())
    }
}

impl Assemble for Nodes<'_> {
    type Out = NodeColumns;

    fn assemble<V: Number>(&self, values: &[V], out: &mut NodeColumns) -> Result<(), Fault> {
        let fields = self.fields;
        out.clear();
        if !self.traced
            && fields.types.len() < 64
            && let Some(values) = V::narrow(values)
        {
            let done = match fields.count {
                6 => self.usual::<6>(values, out),
                7 => self.usual::<7>(values, out),
                _ => None,
            };
            if done.is_some() {
                return Ok(());
            }
            out.clear();
        }
        for (i, record) in values.chunks_exact(fields.count).enumerate() {
            let at = |field: usize| i * fields.count + field;
            let kind: NodeType =
                listed(record[fields.kind].into(), &fields.types, at(fields.kind), "node")?;
            let name = narrow(record[fields.name], at(fields.name), "a node's name")?;
            let id = narrow(record[fields.id], at(fields.id), "a node's id")?;
            let edges = narrow(
                record[fields.edge_count],
                at(fields.edge_count),
                "a node's number of edges",
            )?;
            let trace = match fields.trace.filter(|_| self.traced) {
                Some(field) => Some(narrow(record[field], at(field), "a node's allocation")?),
                None => None,
            };
            // From here on nothing is wrong with the record: only whole ones are kept.
            let (label, fits) = NodeLabels::pack(kind, name);
            out.label.push(label);
            if !fits {
                out.long_names.push([i as u32, name]);
            }
            out.id.push(id);
            let size: u64 = record[fields.size].into();
            match u32::try_from(size) {
                Ok(small) if small != SizeColumn::LARGE => out.size.push(small),
                _ => {
                    out.size.push(SizeColumn::LARGE);
                    out.large_sizes.push((i as u32, size));
                }
            }
            out.edge_count.push(edges);
            if let Some(field) = fields.detachedness {
                let state: u64 = record[field].into();
                if state != 0 {
                    out.states.push((i as u32, state.min(u64::from(u8::MAX)) as u8));
                }
            }
            out.trace.extend(trace);
        }
        Ok(())
    }
}

impl NodeColumns {
    fn clear(&mut self) {
        let Self { label, long_names, id, size, large_sizes, edge_count, states, trace } = self;
        for column in [label, id, size, edge_count, trace] {
            column.clear();
        }
        long_names.clear();
        large_sizes.clear();
        states.clear();
    }
}

/// The columns of all nodes, as far as there is room for them in advance.
#[derive(Default)]
pub(super) struct NodeRoom {
    label: Vec<u32>,
    id: Vec<u32>,
    size: Vec<u32>,
    /// One more than nodes: behind a 0, each node's number of edges.
    first_edge: Vec<u32>,
}

/// What is left of it.
pub(super) struct NodeSpot<'a> {
    label: &'a mut [u32],
    id: &'a mut [u32],
    size: &'a mut [u32],
    edge_count: &'a mut [u32],
}

impl NodeRoom {
    /// Room for that many nodes. Fresh pages cost nothing until they are written.
    pub(super) fn of(nodes: usize) -> Self {
        let [label, id, size] = [(); 3].map(|()| memory::zeroed(nodes));
        Self { label, id, size, first_edge: memory::zeroed(nodes + 1) }
    }

    pub(super) fn spots(&mut self) -> NodeSpot<'_> {
        let Self { label, id, size, first_edge } = self;
        NodeSpot { label, id, size, edge_count: &mut first_edge[1..] }
    }
}

impl<'a> Room<NodeColumns> for NodeSpot<'a> {
    type Spot = NodeSpot<'a>;

    fn take(&mut self, records: usize) -> Option<Self::Spot> {
        let [label, id, size, edge_count] =
            [&mut self.label, &mut self.id, &mut self.size, &mut self.edge_count]
                .map(|column| front(column, records));
        Some(NodeSpot { label: label?, id: id?, size: size?, edge_count: edge_count? })
    }

    fn put(out: &NodeColumns, spot: Self::Spot) -> bool {
        let columns = [
            (spot.label, &out.label),
            (spot.id, &out.id),
            (spot.size, &out.size),
            (spot.edge_count, &out.edge_count),
        ];
        columns.into_iter().all(|(spot, column)| put(column, spot))
    }
}

/// The first `n` values of what is left of a column. Where there are not so many, nothing is left: what comes
/// later must not stand before what found no room.
fn front<'a, T>(column: &mut &'a mut [T], n: usize) -> Option<&'a mut [T]> {
    let (front, rest) = std::mem::take(column).split_at_mut_checked(n)?;
    *column = rest;
    Some(front)
}

/// Copies a column to its spot, if that has its length.
fn put<T: Copy>(column: &[T], spot: &mut [T]) -> bool {
    let fits = column.len() == spot.len();
    if fits {
        spot.copy_from_slice(column);
    }
    fits
}

/// All nodes so far.
#[derive(Default)]
pub(super) struct AllNodes {
    /// How many are in their room.
    placed: usize,
    /// Those for which there was none.
    label: Vec<u32>,
    id: Vec<u32>,
    size: Vec<u32>,
    edge_count: Vec<u32>,
    long_names: Vec<[u32; 2]>,
    large_sizes: Vec<(u32, u64)>,
    edges: u64,
    states: Vec<u8>,
    trace: Vec<u32>,
}

impl AllNodes {
    pub(super) fn count(&self) -> usize {
        self.placed + self.label.len()
    }

    /// How many edges the nodes say they have.
    pub(super) fn edges(&self) -> u64 {
        self.edges
    }

    /// Appends nodes, which may be `placed`. `most_nodes` and `most_edges` are what the header promises.
    pub(super) fn append(
        &mut self,
        piece: &NodeColumns,
        placed: bool,
        fields: &NodeFields,
        most_nodes: u64,
        most_edges: u64,
    ) -> Result<(), Fault> {
        let before = self.count();
        if (before + piece.label.len()) as u64 > most_nodes {
            let value = (most_nodes as usize - before) * fields.count;
            return Err(Fault { value, what: Wrong::Surplus { promised: most_nodes } });
        }
        let edges: u64 = piece.edge_count.iter().copied().map(u64::from).sum();
        if self.edges + edges > most_edges {
            let mut sum = self.edges;
            let beyond = piece.edge_count.iter().position(|&count| {
                sum += u64::from(count);
                sum > most_edges
            });
            let value = beyond.unwrap_or(0) * fields.count + fields.edge_count;
            let what = format!("nodes claim more than the {most_edges} edges the header promises");
            return Err(fault(value, what));
        }
        self.edges += edges;
        if placed {
            self.placed += piece.label.len();
        } else {
            self.label.extend_from_slice(&piece.label);
            self.id.extend_from_slice(&piece.id);
            self.size.extend_from_slice(&piece.size);
            self.edge_count.extend_from_slice(&piece.edge_count);
        }
        self.trace.extend_from_slice(&piece.trace);
        let base = before as u32;
        self.long_names.extend(piece.long_names.iter().map(|&[i, name]| [base + i, name]));
        self.large_sizes.extend(piece.large_sizes.iter().map(|&(i, size)| (base + i, size)));
        for &(i, state) in &piece.states {
            self.states.resize(before + i as usize, 0);
            self.states.push(state);
        }
        Ok(())
    }

    /// The finished columns: those in the room, with what found none behind them.
    pub(super) fn finish(mut self, room: NodeRoom, columns: &mut leakline_heap::Columns) {
        let count = self.count();
        if !self.states.is_empty() {
            self.states.resize(count, 0);
        }
        let NodeRoom { mut label, mut id, mut size, mut first_edge } = room;
        for (column, rest) in
            [(&mut label, &self.label), (&mut id, &self.id), (&mut size, &self.size)]
        {
            column.truncate(self.placed);
            column.extend_from_slice(rest);
        }
        first_edge.truncate(self.placed + 1);
        first_edge.extend_from_slice(&self.edge_count);
        let mut sum = 0;
        for offset in &mut first_edge {
            // Below the header's number of edges, which has 32 bits.
            sum += *offset;
            *offset = sum;
        }
        columns.node_label = NodeLabels::new(label.into(), LongNames::new(self.long_names));
        columns.node_id = id.into();
        columns.node_size = SizeColumn::new(size.into(), self.large_sizes);
        columns.first_edge = first_edge.into();
        columns.node_detachedness = self.states.into();
        columns.node_trace = self.trace.into();
    }
}

/// `edges`.
pub(super) struct Edges<'a> {
    pub(super) fields: &'a EdgeFields,
    /// Numbers in a node's record.
    pub(super) stride: u32,
    pub(super) node_count: u64,
}

/// Some edges.
#[derive(Default)]
pub(super) struct EdgePieces {
    packed: Vec<PackedEdge>,
    names: Vec<u32>,
}

impl Edges<'_> {
    /// The edges of a piece whose layout is V8's own, without a branch that depends on what is read.
    /// `None` when something is wrong with one of them.
    fn usual<const STRIDE: u32>(&self, values: &[u32], out: &mut EdgePieces) -> Option<()> {
        /// What no type number stands for.
        const NONE: u8 = u8::MAX;
        let mut kinds = [NONE; 16];
        for (kind, &listed) in kinds.iter_mut().zip(&self.fields.types) {
            *kind = listed as u8;
        }
        let limit = u32::try_from(self.node_count).ok()?;
        let (records, _) = values.as_chunks::<3>();
        out.packed.resize(records.len(), PackedEdge::default());
        out.names.resize(records.len(), 0);
        let mut wrong = false;
        for ((&[kind, name, offset], edge), kept) in
            records.iter().zip(&mut out.packed).zip(&mut out.names)
        {
            let known = kinds[(kind as usize).min(kinds.len() - 1)];
            // `to_node` is an offset into the nodes array, not an ordinal.
            let to = offset / STRIDE;
            wrong |= known == NONE || to * STRIDE != offset || to >= limit;
            *edge = PackedEdge::from_number(u32::from(known), to);
            *kept = name;
        }
        (!wrong).then_some(())
    }

    fn any<V: Copy + Into<u64>>(&self, values: &[V], out: &mut EdgePieces) -> Result<(), Fault> {
        let fields = self.fields;
        let (stride, limit) = (u64::from(self.stride), self.node_count);
        for (i, record) in values.chunks_exact(fields.count).enumerate() {
            let at = |field: usize| i * fields.count + field;
            let kind: EdgeType =
                listed(record[fields.kind].into(), &fields.types, at(fields.kind), "edge")?;
            let name = narrow(record[fields.name], at(fields.name), "an edge's name")?;
            // `to_node` is an offset into the nodes array, not an ordinal.
            let offset: u64 = record[fields.to].into();
            if !offset.is_multiple_of(stride) || offset / stride >= limit {
                let what = format!("an edge points to {offset}, which is no node");
                return Err(fault(at(fields.to), what));
            }
            out.packed.push(PackedEdge::new(kind, (offset / stride) as u32));
            out.names.push(name);
        }
        Ok(())
    }
}

impl Assemble for Edges<'_> {
    type Out = EdgePieces;

    fn assemble<V: Number>(&self, values: &[V], out: &mut EdgePieces) -> Result<(), Fault> {
        let EdgeFields { count, kind, name, to, types } = self.fields;
        if (*count, *kind, *name, *to) == (3, 0, 1, 2)
            && types.len() < 16
            && let Some(values) = V::narrow(values)
        {
            let done = match self.stride {
                6 => self.usual::<6>(values, out),
                7 => self.usual::<7>(values, out),
                _ => None,
            };
            if done.is_some() {
                return Ok(());
            }
        }
        out.packed.clear();
        out.names.clear();
        self.any(values, out)
    }
}

/// The columns of all edges, as far as there is room for them in advance.
#[derive(Default)]
pub(super) struct EdgeRoom {
    packed: Vec<PackedEdge>,
    names: Vec<u32>,
}

/// What is left of it.
pub(super) struct EdgeSpot<'a> {
    packed: &'a mut [PackedEdge],
    names: &'a mut [u32],
}

impl EdgeRoom {
    /// Room for that many edges. Fresh pages cost nothing until they are written.
    pub(super) fn of(edges: usize) -> Self {
        Self { packed: memory::zeroed(edges), names: memory::zeroed(edges) }
    }

    pub(super) fn spots(&mut self) -> EdgeSpot<'_> {
        EdgeSpot { packed: &mut self.packed, names: &mut self.names }
    }
}

impl<'a> Room<EdgePieces> for EdgeSpot<'a> {
    type Spot = EdgeSpot<'a>;

    fn take(&mut self, records: usize) -> Option<Self::Spot> {
        let (packed, names) = (front(&mut self.packed, records), front(&mut self.names, records));
        Some(EdgeSpot { packed: packed?, names: names? })
    }

    fn put(out: &EdgePieces, spot: Self::Spot) -> bool {
        put(&out.packed, spot.packed) && put(&out.names, spot.names)
    }
}

/// All edges so far.
#[derive(Default)]
pub(super) struct AllEdges {
    /// How many are in their room.
    placed: usize,
    /// Those for which there was none.
    rest: EdgePieces,
}

impl AllEdges {
    pub(super) fn count(&self) -> usize {
        self.placed + self.rest.packed.len()
    }

    /// Appends edges, which may be `placed`. `most` is what the header promises.
    pub(super) fn append(
        &mut self,
        piece: &EdgePieces,
        placed: bool,
        fields: &EdgeFields,
        most: u64,
    ) -> Result<(), Fault> {
        let before = self.count();
        if (before + piece.packed.len()) as u64 > most {
            let value = (most as usize - before) * fields.count;
            return Err(Fault { value, what: Wrong::Surplus { promised: most } });
        }
        if placed {
            self.placed += piece.packed.len();
        } else {
            self.rest.packed.extend_from_slice(&piece.packed);
            self.rest.names.extend_from_slice(&piece.names);
        }
        Ok(())
    }

    /// The finished columns: those in the room, with what found none behind them.
    pub(super) fn finish(self, room: EdgeRoom) -> EdgeColumn {
        let EdgeRoom { mut packed, mut names } = room;
        packed.truncate(self.placed);
        names.truncate(self.placed);
        packed.extend_from_slice(&self.rest.packed);
        names.extend_from_slice(&self.rest.names);
        EdgeColumn::new(packed.into(), names.into())
    }
}

/// `locations`.
pub(super) struct Locations<'a> {
    pub(super) fields: &'a LocationFields,
    pub(super) stride: u32,
    pub(super) node_count: u64,
}

impl Assemble for Locations<'_> {
    type Out = Vec<Location>;

    fn assemble<V: Number>(&self, values: &[V], out: &mut Vec<Location>) -> Result<(), Fault> {
        let fields = self.fields;
        let stride = u64::from(self.stride);
        out.clear();
        for (i, record) in values.chunks_exact(fields.count).enumerate() {
            let at = |field: usize| i * fields.count + field;
            let offset: u64 = record[fields.object].into();
            if !offset.is_multiple_of(stride) || offset / stride >= self.node_count {
                let what = format!("a location points to {offset}, which is no node");
                return Err(fault(at(fields.object), what));
            }
            out.push(Location {
                node: (offset / stride) as u32,
                script_id: narrow(record[fields.script], at(fields.script), "a script's id")?
                    as i32,
                line: narrow(record[fields.line], at(fields.line), "a line")?,
                column: narrow(record[fields.column], at(fields.column), "a column")?,
            });
        }
        Ok(())
    }
}
