//! Types, names and targets in few bytes.
//!
//! A snapshot has five or six times as many edges as nodes, so an edge's width decides how much memory a
//! graph takes, and how many cache lines a walk over it touches. An edge is one word, type and target; its
//! name, which few walks ask for, stands in a column beside it. A node's type and name share a word too; a
//! name that does not fit stands in a sorted list.

use bytemuck::{Pod, Zeroable};

use crate::{Column, EdgeType, NodeType};

const EDGE_KIND_BITS: u32 = 3;
const EDGE_KIND_MASK: u32 = (1 << EDGE_KIND_BITS) - 1;
const NODE_KIND_BITS: u32 = 5;

/// Nodes a graph can have: what is left of a word beside an edge's type.
pub const MAX_NODES: u32 = u32::MAX >> EDGE_KIND_BITS;

/// The largest value stands for "in the list".
const NODE_NAME_LONG: u32 = u32::MAX >> NODE_KIND_BITS;

/// An edge in one word: its type in the lower bits, its target above them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct PackedEdge(u32);

// The index file holds these as they stand in memory.
const _: () = assert!(size_of::<PackedEdge>() == 4 && align_of::<PackedEdge>() == 4);

impl PackedEdge {
    /// Packs an edge; `to` is below [`MAX_NODES`].
    #[inline]
    pub fn new(kind: EdgeType, to: u32) -> Self {
        Self::from_number(kind as u32, to)
    }

    /// Packs an edge whose type is given by its number in [`EdgeType`].
    #[inline]
    pub fn from_number(kind: u32, to: u32) -> Self {
        Self(to << EDGE_KIND_BITS | kind & EDGE_KIND_MASK)
    }

    /// The target, as a position.
    #[inline]
    pub fn to(self) -> u32 {
        self.0 >> EDGE_KIND_BITS
    }

    /// Whether the edge has this type. Cheaper than [`kind`](Self::kind).
    #[inline]
    pub fn is(self, kind: EdgeType) -> bool {
        self.0 & EDGE_KIND_MASK == kind as u32
    }

    /// The type.
    #[inline]
    pub fn kind(self) -> EdgeType {
        EdgeType::ALL[(self.0 & EDGE_KIND_MASK) as usize]
    }
}

/// Names that do not fit their column: position and name, sorted by position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LongNames(Vec<[u32; 2]>);

impl LongNames {
    /// From positions and names in rising order of the positions; others are sorted first.
    pub fn new(mut names: Vec<[u32; 2]>) -> Self {
        if !names.is_sorted_by_key(|[at, _]| *at) {
            names.sort_by_key(|[at, _]| *at);
        }
        Self(names)
    }

    /// All of them.
    pub fn as_slice(&self) -> &[[u32; 2]] {
        &self.0
    }

    #[cold]
    fn get(&self, at: u32) -> Option<u32> {
        let found = self.0.binary_search_by_key(&at, |[at, _]| *at).ok()?;
        Some(self.0[found][1])
    }
}

/// The edges of a graph.
#[derive(Clone, Debug, Default)]
pub struct EdgeColumn {
    pub(crate) packed: Column<PackedEdge>,
    pub(crate) names: Column<u32>,
}

impl EdgeColumn {
    /// Columns of packed edges and of their names.
    pub fn new(packed: Column<PackedEdge>, names: Column<u32>) -> Self {
        Self { packed, names }
    }

    /// Appends an edge.
    pub fn push(&mut self, kind: EdgeType, name: u32, to: u32) {
        self.packed.to_mut().push(PackedEdge::new(kind, to));
        self.names.to_mut().push(name);
    }

    /// How many edges there are.
    pub fn len(&self) -> usize {
        self.packed.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// Types and targets of all edges as they are kept.
    pub fn packed(&self) -> &Column<PackedEdge> {
        &self.packed
    }

    /// Names of all edges.
    pub fn names(&self) -> &Column<u32> {
        &self.names
    }
}

/// Types and names of the nodes of a graph.
#[derive(Clone, Debug, Default)]
pub struct NodeLabels {
    pub(crate) packed: Column<u32>,
    long_names: LongNames,
}

impl NodeLabels {
    /// A column of packed labels, and the names that did not fit, by node.
    pub fn new(packed: Column<u32>, long_names: LongNames) -> Self {
        Self { packed, long_names }
    }

    /// Packs a label; `false` says that the name did not fit.
    #[inline]
    pub fn pack(kind: NodeType, name: u32) -> (u32, bool) {
        Self::pack_number(kind as u8, name)
    }

    /// Packs a label whose type is given by its number in [`NodeType`].
    #[inline]
    pub fn pack_number(kind: u8, name: u32) -> (u32, bool) {
        let fits = name < NODE_NAME_LONG;
        let name = if fits { name } else { NODE_NAME_LONG };
        (name << NODE_KIND_BITS | u32::from(kind), fits)
    }

    /// Appends a node's label.
    pub fn push(&mut self, kind: NodeType, name: u32) {
        let (label, fits) = Self::pack(kind, name);
        let packed = self.packed.to_mut();
        if !fits {
            self.long_names.0.push([packed.len() as u32, name]);
        }
        packed.push(label);
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.packed.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// All labels as they are kept.
    pub fn packed(&self) -> &Column<u32> {
        &self.packed
    }

    /// The names that did not fit, by node.
    pub fn long_names(&self) -> &LongNames {
        &self.long_names
    }

    /// The first node whose name is `limit` or more, and that name.
    pub(crate) fn find_name_from(&self, limit: usize) -> Option<(usize, u32)> {
        let labels = self.packed.as_slice();
        // The maximum first, which the compiler vectorises; the culprit is only sought when there is one.
        let max = labels.iter().copied().max().unwrap_or(0) >> NODE_KIND_BITS;
        if (max as usize) < limit && max != NODE_NAME_LONG {
            return None;
        }
        (0..labels.len()).map(|i| (i, self.name(i))).find(|&(_, name)| name as usize >= limit)
    }

    /// The type in a label.
    #[inline]
    pub fn kind_of(label: u32) -> NodeType {
        NodeType::ALL
            .get((label & ((1 << NODE_KIND_BITS) - 1)) as usize)
            .copied()
            .unwrap_or(NodeType::Other)
    }

    /// The type of a node.
    #[inline]
    pub fn kind(&self, node: usize) -> NodeType {
        Self::kind_of(self.packed.get(node))
    }

    /// The name of a node, as a string index.
    #[inline]
    pub fn name(&self, node: usize) -> u32 {
        let name = self.packed.get(node) >> NODE_KIND_BITS;
        if name == NODE_NAME_LONG { self.long_names.get(node as u32).unwrap_or(name) } else { name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let mut edges = EdgeColumn::default();
        let mut nodes = NodeLabels::default();
        let names = [0, 1, 77, NODE_NAME_LONG - 1, NODE_NAME_LONG, u32::MAX];
        for (i, name) in names.into_iter().enumerate() {
            for kind in EdgeType::ALL {
                edges.push(kind, name, MAX_NODES - 1 - i as u32);
            }
            for kind in NodeType::ALL {
                nodes.push(kind, name);
            }
        }
        for (e, &edge) in edges.packed().as_slice().iter().enumerate() {
            let kind = EdgeType::ALL[e % EdgeType::ALL.len()];
            assert!(edge.is(kind) && edge.kind() == kind);
            let i = e / EdgeType::ALL.len();
            assert_eq!((edges.names().get(e), edge.to()), (names[i], MAX_NODES - 1 - i as u32));
        }
        for n in 0..nodes.len() {
            assert_eq!(nodes.kind(n), NodeType::ALL[n % NodeType::ALL.len()]);
            assert_eq!(nodes.name(n), names[n / NodeType::ALL.len()]);
        }
        assert_eq!(nodes.long_names().as_slice().len(), 2 * NodeType::ALL.len());
        let unsorted = LongNames::new(vec![[9, 1], [3, 2]]);
        assert_eq!((unsorted.get(3), unsorted.get(4)), (Some(2), None));
    }
}
