//! Collections by how full they are: `Map`, `Set`, `WeakMap`, `WeakSet`, arrays, and objects that V8 keeps as
//! dictionaries because so many properties were added or deleted.
//!
//! What a snapshot shows of a collection is its store: the size, and the slots that lead to an object or a
//! text. Small integers and booleans of older V8 leave no trace, so the number of entries is known only where
//! something of each is drawn: keys of dictionaries and weak collections always, entries of maps and sets
//! unless numbers are mapped to numbers, elements unless they are numbers or missing. V8 shrinks an ordered
//! table that is less than a quarter full, so one with fewer visible entries holds invisible ones. Where the
//! number is not known, none is invented: [`CollectionRow::entries_known`] is false and nothing is called
//! wasted.

use std::cmp::Reverse;

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};
use serde::Serialize;

use super::holders::{Holder, holders};
use super::row::{Heap, ObjectRow, Texts};
use crate::bits::Bits;

pub(crate) mod layout;

use layout::{Layout, MIN_CAPACITY, Table};

/// What a collection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum CollectionKind {
    /// A `Map`, or an object of a class that extends it.
    Map,
    /// A `Set`.
    Set,
    /// A `WeakMap`.
    WeakMap,
    /// A `WeakSet`.
    WeakSet,
    /// An array.
    Array,
    /// An object kept as a dictionary.
    Object,
}

const KINDS: [CollectionKind; 6] = [
    CollectionKind::Map,
    CollectionKind::Set,
    CollectionKind::WeakMap,
    CollectionKind::WeakSet,
    CollectionKind::Array,
    CollectionKind::Object,
];

/// What the rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectionSort {
    /// The size of the store.
    Store,
    /// What free room in it takes.
    Waste,
}

/// All collections, in the shape of `leakline collections --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CollectionsView {
    /// How many bytes a pointer takes in this heap: 8, or 4 where V8 compresses pointers.
    pub pointer_bytes: u64,
    /// How many collections there are.
    pub collection_count: u64,
    /// The sizes of all stores, in bytes.
    pub store_bytes: u64,
    /// What free room in them takes, in bytes.
    pub wasted_bytes: u64,
    /// A row for each kind.
    pub kinds: Vec<CollectionTotals>,
    /// The first by the order asked for.
    pub collections: Vec<CollectionRow>,
}

/// The collections of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CollectionTotals {
    /// The kind.
    pub kind: CollectionKind,
    /// How many there are.
    pub count: u64,
    /// How many of them hold nothing.
    pub empty_count: u64,
    /// How many are, of the room they have, at most a quarter full, …
    pub quarter_full_count: u64,
    /// … at most half full, …
    pub half_full_count: u64,
    /// … fuller than half.
    pub full_count: u64,
    /// Of how many it is not known.
    pub unknown_count: u64,
    /// Entries that are known of, all together.
    pub entries: u64,
    /// The sizes of their stores, in bytes.
    pub store_bytes: u64,
    /// What free room in them takes, in bytes.
    pub wasted_bytes: u64,
}

/// One collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CollectionRow {
    /// The object.
    #[serde(flatten)]
    pub object: ObjectRow,
    /// What it is.
    pub kind: CollectionKind,
    /// How many entries the snapshot shows.
    pub entries: u64,
    /// Whether there are no more than that.
    pub entries_known: bool,
    /// How many entries its store has room for; `None` when the store's layout is not known.
    pub capacity: Option<u64>,
    /// The size of its store, in bytes.
    pub store_bytes: u64,
    /// What the free room takes, in bytes; `None` when entries or capacity are not known.
    pub wasted_bytes: Option<u64>,
    /// By what name it is held, and by whom.
    pub held_by: Option<Holder>,
}

/// A collection as it is found.
#[derive(Clone, Copy, Debug)]
struct Found {
    node: NodeId,
    kind: CollectionKind,
    entries: u64,
    known: bool,
    capacity: Option<u64>,
    store_bytes: u64,
    entry_bytes: u64,
}

impl Found {
    fn wasted(&self) -> Option<u64> {
        let capacity = self.capacity.filter(|_| self.known)?;
        Some(capacity.saturating_sub(self.entries) * self.entry_bytes)
    }
}

/// All collections of the heap, and rows for the first `limit` of them. O(nodes + edges of collections).
pub fn collections(heap: &Heap<'_>, sort: CollectionSort, limit: usize) -> CollectionsView {
    let mut finder = Finder::of(heap.graph);
    let mut found: Vec<Found> =
        heap.graph.nodes().filter_map(|node| finder.collection(node)).collect();
    let kinds: Vec<CollectionTotals> = KINDS.into_iter().map(|kind| totals(kind, &found)).collect();
    found.sort_by_key(|f| {
        let by_waste = if sort == CollectionSort::Waste { f.wasted().unwrap_or(0) } else { 0 };
        (Reverse((by_waste, f.store_bytes, f.entries)), f.node)
    });
    let collection_count = found.len() as u64;
    found.truncate(limit);
    let nodes: Vec<NodeId> = found.iter().map(|f| f.node).collect();
    let rows = found.iter().zip(holders(heap, &nodes)).map(|(f, held_by)| CollectionRow {
        object: heap.row(f.node),
        kind: f.kind,
        entries: f.entries,
        entries_known: f.known,
        capacity: f.capacity,
        store_bytes: f.store_bytes,
        wasted_bytes: f.wasted(),
        held_by,
    });
    CollectionsView {
        pointer_bytes: finder.pointer,
        collection_count,
        store_bytes: kinds.iter().map(|k| k.store_bytes).fold(0, u64::saturating_add),
        wasted_bytes: kinds.iter().map(|k| k.wasted_bytes).fold(0, u64::saturating_add),
        collections: rows.collect(),
        kinds,
    }
}

fn totals(kind: CollectionKind, found: &[Found]) -> CollectionTotals {
    let mut totals = CollectionTotals {
        kind,
        count: 0,
        empty_count: 0,
        quarter_full_count: 0,
        half_full_count: 0,
        full_count: 0,
        unknown_count: 0,
        entries: 0,
        store_bytes: 0,
        wasted_bytes: 0,
    };
    for f in found.iter().filter(|f| f.kind == kind) {
        totals.count += 1;
        totals.entries += f.entries;
        totals.store_bytes = totals.store_bytes.saturating_add(f.store_bytes);
        totals.wasted_bytes = totals.wasted_bytes.saturating_add(f.wasted().unwrap_or(0));
        let bucket = match f.capacity {
            _ if !f.known => &mut totals.unknown_count,
            _ if f.entries == 0 => &mut totals.empty_count,
            None => &mut totals.unknown_count,
            Some(capacity) if 4 * f.entries <= capacity => &mut totals.quarter_full_count,
            Some(capacity) if 2 * f.entries <= capacity => &mut totals.half_full_count,
            Some(_) => &mut totals.full_count,
        };
        *bucket += 1;
    }
    totals
}

/// Recognises collections and counts what is in them.
struct Finder<'a> {
    graph: &'a HeapGraph,
    pointer: u64,
    stores: Texts,
    table: Texts,
    elements: Texts,
    properties: Texts,
    map: Texts,
    array: Texts,
    hole: Texts,
    /// Stores counted already: a copy of an array may share the original's until one of both is changed.
    counted: Bits,
    /// Scratch: entries of one store that are taken.
    taken: Vec<u64>,
}

impl<'a> Finder<'a> {
    fn of(graph: &'a HeapGraph) -> Self {
        let is = |text: &'static str| Texts::of(graph, move |t| t == text);
        Self {
            graph,
            pointer: pointer_bytes(graph),
            stores: Texts::of(graph, |t| matches!(t, "table" | "elements" | "properties")),
            table: is("table"),
            elements: is("elements"),
            properties: is("properties"),
            map: is("map"),
            array: is("Array"),
            hole: Texts::of(graph, |t| matches!(t, "system / Hole" | "hole" | "the_hole")),
            counted: Bits::new(graph.node_count()),
            taken: Vec::new(),
        }
    }

    fn collection(&mut self, node: NodeId) -> Option<Found> {
        let graph = self.graph;
        if graph.node_type(node) != NodeType::Object {
            return None;
        }
        let is_array = self.array.has(graph.node_name_index(node));
        let (mut elements, mut properties) = (None, None);
        let internal = graph
            .edges(node)
            .filter(|e| e.kind == EdgeType::Internal && self.stores.has(e.name_or_index));
        for edge in internal {
            if self.table.has(edge.name_or_index) {
                return self.table(node, edge.to);
            } else if self.elements.has(edge.name_or_index) {
                elements = Some(edge.to);
            } else if self.properties.has(edge.name_or_index) {
                properties = Some(edge.to);
            }
        }
        if is_array {
            // `Array.prototype` is an array too, but nobody's collection.
            return Some(self.array(node, elements));
        }
        let properties = properties.and_then(|store| self.dictionary(node, store));
        properties.or_else(|| elements.and_then(|store| self.dictionary(node, store)))
    }

    fn table(&mut self, node: NodeId, store: NodeId) -> Option<Found> {
        if self.graph.node_type(store) != NodeType::Array {
            return None;
        }
        let bytes = self.graph.self_size(store);
        let name = self.graph.node_name(node);
        let known = layout::table(layout::slots(bytes, self.pointer));
        let kind = match known {
            Some((Table::Map, _)) => CollectionKind::Map,
            Some((Table::Set, _)) => CollectionKind::Set,
            Some((Table::Weak, _)) if name.ends_with("Set") => CollectionKind::WeakSet,
            Some((Table::Weak, _)) => CollectionKind::WeakMap,
            None => match name {
                "Map" => CollectionKind::Map,
                "Set" => CollectionKind::Set,
                "WeakMap" => CollectionKind::WeakMap,
                "WeakSet" => CollectionKind::WeakSet,
                _ => return None,
            },
        };
        let weak = matches!(kind, CollectionKind::WeakMap | CollectionKind::WeakSet);
        let Some((_, layout)) = known else {
            return Some(Found {
                node,
                kind,
                entries: 0,
                known: false,
                capacity: None,
                store_bytes: self.store_bytes(store),
                entry_bytes: 0,
            });
        };
        let entries = self.entries(store, layout, weak);
        // A weak collection's keys are objects, which are always drawn.
        let known = weak || 4 * entries >= layout.capacity || layout.capacity == MIN_CAPACITY;
        Some(Found {
            node,
            kind,
            entries,
            known,
            capacity: Some(layout.capacity),
            store_bytes: self.store_bytes(store),
            entry_bytes: layout.entry_slots * self.pointer,
        })
    }

    fn dictionary(&mut self, node: NodeId, store: NodeId) -> Option<Found> {
        // Elements and properties in a row have no hidden class drawn, or are no array.
        if self.graph.node_type(store) != NodeType::Array || !self.has_map(store) {
            return None;
        }
        let layout = layout::dictionary(layout::slots(self.graph.self_size(store), self.pointer))?;
        let entries = self.entries(store, layout, false);
        // Numbers as keys leave no trace, and their values may not either.
        let named = self.graph.node_name(store) == "(object properties)";
        if !named && entries == 0 {
            return None;
        }
        Some(Found {
            node,
            kind: if self.array.has(self.graph.node_name_index(node)) {
                CollectionKind::Array
            } else {
                CollectionKind::Object
            },
            entries,
            known: named,
            capacity: Some(layout.capacity),
            store_bytes: self.store_bytes(store),
            entry_bytes: layout.entry_slots * self.pointer,
        })
    }

    fn array(&mut self, node: NodeId, elements: Option<NodeId>) -> Found {
        let found = Found {
            node,
            kind: CollectionKind::Array,
            entries: 0,
            known: true,
            capacity: Some(0),
            store_bytes: 0,
            entry_bytes: self.pointer,
        };
        let Some(store) = elements else { return found };
        if let Some(sparse) = self.dictionary(node, store) {
            return sparse;
        }
        let capacity = layout::slots(self.graph.self_size(store), self.pointer);
        let mut entries = 0;
        let mut length = 0;
        // Newer V8 draws numbers as elements of the array, but not in its store.
        for edge in self.graph.edges(node).filter(|e| e.kind == EdgeType::Element) {
            entries += 1;
            length = length.max(u64::from(edge.name_or_index) + 1);
        }
        Found {
            entries,
            // Dense as far as it is visible, and with no more room than V8 leaves when an array grows.
            known: entries > 0 && entries == length && capacity <= grown(length),
            capacity: Some(capacity.max(entries)),
            store_bytes: self.store_bytes(store),
            // Numbers with a fraction take eight bytes on any V8; their arrays are never known, though.
            ..found
        }
    }

    /// Counts a store's bytes once.
    fn store_bytes(&mut self, store: NodeId) -> u64 {
        if self.counted.insert(store.index()) { self.graph.self_size(store) } else { 0 }
    }

    fn has_map(&self, store: NodeId) -> bool {
        self.map.internal(self.graph, store).is_some()
    }

    /// How many entries of a store have a slot that leads somewhere.
    fn entries(&mut self, store: NodeId, layout: Layout, weak: bool) -> u64 {
        self.taken.clear();
        for edge in self.graph.edges(store) {
            let slot = match edge.kind {
                EdgeType::Hidden | EdgeType::Element => u64::from(edge.name_or_index),
                EdgeType::Weak | EdgeType::Internal => {
                    // The halves of a weak map's entries have long names and weak slots beside them.
                    if weak != (edge.kind == EdgeType::Weak) {
                        continue;
                    }
                    match self.graph.edge_text(edge).map(str::parse) {
                        Some(Ok(slot)) => slot,
                        _ => continue,
                    }
                }
                _ => continue,
            };
            // A deleted entry's slots hold the hole.
            if self.hole.has(self.graph.node_name_index(edge.to)) {
                continue;
            }
            if let Some((entry, _)) = layout.entry_of(slot) {
                self.taken.push(entry);
            }
        }
        self.taken.sort_unstable();
        self.taken.dedup();
        self.taken.len() as u64
    }
}

/// The room V8 gives an array that has grown to this length: half as much again, and sixteen.
fn grown(length: u64) -> u64 {
    length + length / 2 + 16
}

/// How many bytes a pointer takes. Every function has at least six of them: 48 bytes and more, or under 40
/// where pointers are compressed.
fn pointer_bytes(graph: &HeapGraph) -> u64 {
    const SMALLEST_UNCOMPRESSED: u64 = 48;
    let (mut small, mut large) = (0u64, 0u64);
    for node in graph.nodes().filter(|&n| graph.node_type(n) == NodeType::Closure) {
        match graph.self_size(node) {
            0 => {}
            1..SMALLEST_UNCOMPRESSED => small += 1,
            _ => large += 1,
        }
    }
    if small > large { 4 } else { 8 }
}
