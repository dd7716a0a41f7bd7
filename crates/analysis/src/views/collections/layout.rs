//! How V8 lays out what a collection keeps its entries in.
//!
//! A snapshot gives the size of a store and the slots that hold something, not its capacity. Capacities
//! follow from the layouts, which have been the same from Node 12 to 26; a pointer takes eight bytes, four
//! where V8 compresses pointers (Chrome, Electron). A store begins with two pointers' worth of header (hidden class and length).
//!
//! | store | slots for a capacity of c |
//! |---|---|
//! | of a `Map` | 3 + c / 2 buckets + 3 c (key, value, next) |
//! | of a `Set` | 3 + c / 2 buckets + 2 c (key, next) |
//! | of a `WeakMap`, a `WeakSet` | 3 + 2 c (key, value) |
//! | of an object's properties, as a dictionary | a prefix of 4 to 8, then 3 c (key, value, details) |
//! | of elements | c |
//!
//! Capacities of tables are powers of two, so that a table's size tells its kind: a class of the user's that
//! extends `Map` is recognised whatever its name.

use leakline_heap::{HeapGraph, NodeId};

/// What kind of table it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// Of a `Map`.
    Map,
    /// Of a `Set`.
    Set,
    /// Of a `WeakMap` or `WeakSet`.
    Weak,
}

/// A table of known layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Entries there is room for.
    pub(crate) capacity: u64,
    /// The first slot of the first entry.
    pub(crate) first_slot: u64,
    /// Slots of an entry.
    pub(crate) entry_slots: u64,
}

const HEADER_SLOTS: u64 = 2;
/// A table counts its entries, deleted entries and buckets (or its capacity) in front.
const TABLE_PREFIX: u64 = 3;
/// The smallest capacity of an ordered table.
pub(crate) const MIN_CAPACITY: u64 = 4;

impl Layout {
    /// The entry a slot belongs to, and which slot of it it is.
    pub(crate) fn entry_of(self, slot: u64) -> Option<(u64, u64)> {
        let at = slot.checked_sub(self.first_slot)?;
        let entry = at / self.entry_slots;
        (entry < self.capacity).then_some((entry, at % self.entry_slots))
    }
}

/// Slots of a store of this many bytes.
pub(crate) fn slots(bytes: u64, pointer: u64) -> u64 {
    (bytes / pointer).saturating_sub(HEADER_SLOTS)
}

/// The layout of a table with so many slots.
pub(crate) fn table(slots: u64) -> Option<(Table, Layout)> {
    let body = slots.checked_sub(TABLE_PREFIX)?;
    // Twice the slots that one more entry takes, its half of a bucket included.
    for (kind, doubled, buckets, entry_slots) in
        [(Table::Map, 7, true, 3), (Table::Set, 5, true, 2), (Table::Weak, 4, false, 2)]
    {
        if (2 * body).is_multiple_of(doubled) {
            let capacity = 2 * body / doubled;
            if capacity.is_power_of_two() && capacity >= MIN_CAPACITY {
                let first_slot = TABLE_PREFIX + if buckets { capacity / 2 } else { 0 };
                return Some((kind, Layout { capacity, first_slot, entry_slots }));
            }
        }
    }
    None
}

/// What kind of table a store is, whatever a pointer takes.
pub(crate) fn table_of(graph: &HeapGraph, store: NodeId) -> Option<Table> {
    let bytes = graph.self_size(store);
    [8, 4].into_iter().find_map(|pointer| table(slots(bytes, pointer))).map(|(kind, _)| kind)
}

/// Whether a store has the size of a dictionary, whatever a pointer takes: one that V8 shrinks when it empties.
pub(crate) fn is_dictionary(graph: &HeapGraph, store: NodeId) -> bool {
    let bytes = graph.self_size(store);
    [8, 4].into_iter().any(|pointer| dictionary(slots(bytes, pointer)).is_some())
}

/// The layout of a dictionary of properties or of sparse elements with so many slots.
pub(crate) fn dictionary(slots: u64) -> Option<Layout> {
    const ENTRY: u64 = 3;
    let most = slots / ENTRY;
    if most == 0 {
        return None;
    }
    let capacity = 1 << most.ilog2();
    let prefix = slots - ENTRY * capacity;
    (4..=8).contains(&prefix).then_some(Layout { capacity, first_slot: prefix, entry_slots: ENTRY })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes as Node 20 and 24 write them for collections of so many entries.
    #[test]
    fn capacities_are_those_of_real_stores() {
        let of = |bytes| table(slots(bytes, 8)).map(|(kind, l)| (kind, l.capacity));
        for (bytes, kind, capacity) in [
            (152, Table::Map, 4),
            (264, Table::Map, 8),
            (28_712, Table::Map, 1024),
            (229_416, Table::Map, 8192),
            (120, Table::Set, 4),
            (20_520, Table::Set, 1024),
            (163_880, Table::Set, 8192),
            (104, Table::Weak, 4),
            (32_808, Table::Weak, 2048),
            (131_112, Table::Weak, 8192),
        ] {
            assert_eq!(of(bytes), Some((kind, capacity)), "{bytes}");
        }
        assert_eq!(of(160), None);
        let of = |bytes| dictionary(slots(bytes, 8)).map(|l| (l.capacity, l.first_slot));
        assert_eq!(of(6208), Some((256, 6)));
        assert_eq!(of(196_672), Some((8192, 6)));
        assert_eq!(of(144), Some((4, 4)));
        assert_eq!(of(48), None);
    }

    #[test]
    fn no_size_belongs_to_two_kinds_of_tables() {
        for (a, b) in [(7, 5), (7, 4), (5, 4)] {
            for i in 2..40u32 {
                for j in 2..40u32 {
                    assert_ne!(u64::pow(2, i) * a, u64::pow(2, j) * b, "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn slots_belong_to_entries() {
        let (_, map) = table(slots(152, 8)).expect("the smallest Map");
        assert_eq!(map.entry_of(4), None);
        assert_eq!((map.entry_of(5), map.entry_of(9)), (Some((0, 0)), Some((1, 1))));
        assert_eq!(map.entry_of(17), None);
    }
}
