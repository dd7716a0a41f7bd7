//! What the analyses need to know of names, learnt once per distinct string instead of once per edge.
//!
//! Two questions come up for millions of edges: "is this internal edge one half of a `WeakMap` pair?"
//! and "is this one of the few names V8 gives a special meaning?". Names repeat, so the string table is
//! walked once, O(strings), and afterwards each question is a bit test or an integer comparison.

use leakline_heap::HeapGraph;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::bits::Bits;

/// Bits of the filter of [`Names::weak_map_tables`]; ids are odd, so the size is.
const FILTER: usize = 65_521;

/// One half of a `WeakMap` entry, as V8 writes it: the value hangs on the table and on the key by two
/// edges of one name, apart from a leading number that tells the halves of different entries apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ephemeron {
    /// The object id of the `WeakMap`'s table.
    pub(crate) table_id: u64,
    /// The same for both halves of one entry.
    pub(crate) pair: u32,
}

/// The meaning of the names in one graph's string table.
#[derive(Debug)]
pub(crate) struct Names {
    is_ephemeron: Bits,
    ephemerons: FxHashMap<u32, Ephemeron>,
    pairs: usize,
    /// `sloppy_function_map`.
    pub(crate) sloppy_function_map: Option<u32>,
    /// `system / NativeContext`.
    pub(crate) native_context: Option<u32>,
    /// `(map descriptors)`.
    pub(crate) map_descriptors: Option<u32>,
    /// `(Document DOM trees)`.
    pub(crate) dom_trees: Option<u32>,
    /// `system / ExternalStringData`.
    pub(crate) external_string_data: Option<u32>,
    /// `Object`, the constructor of plain objects.
    pub(crate) object: Option<u32>,
    /// `__proto__`.
    pub(crate) proto: Option<u32>,
}

impl Names {
    /// Reads the string table of `graph`, O(strings).
    pub(crate) fn of(graph: &HeapGraph) -> Self {
        let strings = graph.strings();
        let mut names = Self {
            is_ephemeron: Bits::new(strings.len()),
            ephemerons: FxHashMap::default(),
            pairs: 0,
            sloppy_function_map: None,
            native_context: None,
            map_descriptors: None,
            dom_trees: None,
            external_string_data: None,
            object: None,
            proto: None,
        };
        let mut pairs: FxHashMap<&str, u32> = FxHashMap::default();
        for (index, text) in strings.iter().enumerate() {
            let index = index as u32;
            let slot = match text {
                "sloppy_function_map" => &mut names.sloppy_function_map,
                "system / NativeContext" => &mut names.native_context,
                "(map descriptors)" => &mut names.map_descriptors,
                "(Document DOM trees)" => &mut names.dom_trees,
                "system / ExternalStringData" => &mut names.external_string_data,
                "Object" => &mut names.object,
                "__proto__" => &mut names.proto,
                _ => {
                    if let Some((pair, table_id)) = parse_ephemeron(text) {
                        let next = pairs.len() as u32;
                        let pair = *pairs.entry(pair).or_insert(next);
                        names.is_ephemeron.set(index as usize);
                        names.ephemerons.insert(index, Ephemeron { table_id, pair });
                    }
                    continue;
                }
            };
            slot.get_or_insert(index);
        }
        names.pairs = pairs.len();
        names
    }

    /// Whether an internal edge of this name is half of a `WeakMap` entry, and of which.
    #[inline]
    pub(crate) fn ephemeron(&self, name: u32) -> Option<Ephemeron> {
        if self.is_ephemeron.get(name as usize) {
            self.ephemerons.get(&name).copied()
        } else {
            None
        }
    }

    /// The nodes that are the table of a `WeakMap` with entries.
    pub(crate) fn weak_map_tables(&self, graph: &HeapGraph) -> Bits {
        let tables: FxHashSet<u64> = self.ephemerons.values().map(|e| e.table_id).collect();
        let mut found = Bits::new(graph.node_count());
        if tables.is_empty() {
            return found;
        }
        // Nearly all ids are no table's; a bitmap the size of a cache line or two says so at once.
        let mut maybe = Bits::new(FILTER);
        for &table in &tables {
            maybe.set(table as usize % FILTER);
        }
        for (node, &id) in graph.object_ids().iter().enumerate() {
            if maybe.get(id as usize % FILTER) && tables.contains(&u64::from(id)) {
                found.set(node);
            }
        }
        found
    }

    /// How many different `WeakMap` entries there are.
    pub(crate) fn pair_count(&self) -> usize {
        self.pairs
    }
}

/// Splits `17 / part of key (K @1) -> value (V @2) pair in WeakMap (table @3)` into the part that both
/// halves share (from the first slash) and the table's id. `None` for every other name.
///
/// The names of key and value are arbitrary text, so the ends are parsed first and the middle is only
/// searched for the one separator that must be there. Line breaks in it disqualify the name, as they do
/// in `DevTools`.
fn parse_ephemeron(text: &str) -> Option<(&str, u64)> {
    let shared = text.trim_start_matches(|c: char| c.is_ascii_digit());
    if shared.len() == text.len() {
        return None;
    }
    let rest = shared.strip_prefix(" / part of key (")?.strip_suffix(')')?;
    let (rest, table_id) = trailing_number(rest)?;
    let rest = rest.strip_suffix(" pair in WeakMap (table @")?.strip_suffix(')')?;
    let middle = trailing_number(rest)?.0.strip_suffix(" @")?;
    if middle.contains(['\n', '\r', '\u{2028}', '\u{2029}']) {
        return None;
    }
    let separator = ") -> value (";
    let mut from = 0;
    while let Some(at) = middle[from..].find(separator) {
        let key = &middle[..from + at];
        if trailing_number(key).is_some_and(|(name, _)| name.ends_with(" @")) {
            return Some((shared, table_id));
        }
        from += at + separator.len();
    }
    None
}

/// Splits the digits off the end.
fn trailing_number(text: &str) -> Option<(&str, u64)> {
    let before = text.trim_end_matches(|c: char| c.is_ascii_digit());
    Some((before, text[before.len()..].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_map_edges_are_told_from_other_names() {
        let shared = " / part of key (Key @7) -> value (Value @9) pair in WeakMap (table @11)";
        assert_eq!(parse_ephemeron(&format!("3{shared}")), Some((shared, 11)));
        let odd = " / part of key (a) -> value (b @1) -> value (c @2) pair in WeakMap (table @4294967297)";
        assert_eq!(parse_ephemeron(&format!("12{odd}")), Some((odd, 4_294_967_297)));
        for no in [
            "",
            "12",
            shared,
            "3 / part of key (Key @7) -> value (Value @9) pair in WeakMap (table @)",
            "3 / part of key (Key @7) -> value (Value @9) pair in WeakMap (table @11) ",
            "3 / part of key (Key) -> value (Value @9) pair in WeakMap (table @11)",
            "3 / part of key (Key @7) -> value (Value) pair in WeakMap (table @11)",
            "3 / part of key (K\ney @7) -> value (Value @9) pair in WeakMap (table @11)",
        ] {
            assert_eq!(parse_ephemeron(no), None, "{no}");
        }
    }
}
