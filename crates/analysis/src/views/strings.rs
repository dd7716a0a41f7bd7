//! Strings that exist several times, and what that wastes.
//!
//! Only flat strings are compared: a concatenation has no text of its own in a snapshot, and a slice is no
//! copy. Strings that merely stand in for another one (V8's thin strings) are no copies either.
//!
//! V8 cuts texts at 1024 UTF-16 units, so two long strings may look alike and differ further on. Those are
//! told from whole ones by their size, and only compared when their sizes are equal, and their length and
//! hash where the snapshot has them (newer V8 does). Without a hash they remain *uncertain*: they have rows
//! of their own and count in a sum of their own.

use std::cmp::Reverse;

use leakline_heap::{HeapGraph, NodeId, NodeType};
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::holders::{Holder, holders};
use super::row::{Heap, Texts};

/// Where V8 cuts a text unless it was told otherwise, in UTF-16 units.
const V8_LIMIT: u64 = 1024;
/// More than this beside the text itself is no header, on any V8: the string has more text than the snapshot
/// shows (V8's limit can be set lower). The largest header known belongs to strings kept outside the heap.
const LARGEST_HEADER: u64 = 96;
/// Header and padding of a string in the heap, at most.
const PADDED_HEADER: u64 = 24;
/// Copies that are named.
const MAX_IDS: usize = 5;

/// Duplicated strings, in the shape of `leakline strings --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StringsView {
    /// How many flat strings there are.
    pub string_count: u64,
    /// Their sizes together, in bytes.
    pub string_bytes: u64,
    /// How many texts are duplicated for certain.
    pub duplicated_count: u64,
    /// How many may be.
    pub uncertain_count: u64,
    /// What the copies of texts that are equal for certain waste, in bytes: all but one of each.
    pub wasted_bytes: u64,
    /// The same for texts that may differ where the snapshot has cut them.
    pub uncertain_wasted_bytes: u64,
    /// The texts, most wasteful first.
    pub strings: Vec<DuplicatedString>,
}

/// A text that exists several times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DuplicatedString {
    /// The text, as far as the snapshot has it.
    pub text: String,
    /// How often it exists.
    pub count: u64,
    /// The size of the largest copy; nearly always that of each.
    pub bytes_each: u64,
    /// The sizes of all copies together.
    pub total_bytes: u64,
    /// All but the largest copy.
    pub wasted_bytes: u64,
    /// Whether the snapshot has cut the text.
    pub truncated: bool,
    /// Whether the copies are equal for certain.
    pub certain: bool,
    /// The first of them.
    pub ids: Vec<String>,
    /// By what name the first is held, and by whom.
    pub held_by: Option<Holder>,
}

/// One string on its way into a group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    text: u32,
    /// What copies must share beside the text; 0 for whole ones.
    size: u64,
    /// Length and hash, as string indexes.
    told: [u32; 2],
    node: NodeId,
}

/// The texts that exist at least `min_count` times. O(nodes + edges + text, copies sorted).
pub fn duplicated_strings(heap: &Heap<'_>, min_count: u64) -> StringsView {
    let graph = heap.graph;
    let told = Told::of(graph);
    let thin = Texts::of(graph, |t| t == "actual");
    let is_candidate = |node: NodeId| {
        graph.node_type(node) == NodeType::String && heap.analysis.shallow_size(node) > 0
    };
    let canonical = canonical_texts(graph);
    let mut copies = vec![0u32; graph.strings().len()];
    let (mut string_count, mut string_bytes) = (0u64, 0u64);
    for node in graph.nodes().filter(|&n| is_candidate(n)) {
        string_count += 1;
        string_bytes = string_bytes.saturating_add(heap.analysis.shallow_size(node));
        let text = canonical[graph.node_name_index(node) as usize] as usize;
        copies[text] = copies[text].saturating_add(1);
    }
    let mut entries = Vec::new();
    for node in graph.nodes().filter(|&n| is_candidate(n)) {
        let text = canonical[graph.node_name_index(node) as usize];
        if copies[text as usize] < 2 || thin.internal(graph, node).is_some() {
            continue;
        }
        let size = heap.analysis.shallow_size(node);
        let whole = is_whole(graph.strings().get(text), size);
        let told = if whole { [0, 0] } else { told.of_string(graph, node) };
        entries.push(Entry { text, size: if whole { 0 } else { size }, told, node });
    }
    entries.sort_unstable();
    let (mut strings, firsts): (Vec<DuplicatedString>, Vec<NodeId>) = entries
        .chunk_by(|a, b| (a.text, a.size, a.told) == (b.text, b.size, b.told))
        .filter(|group| group.len() as u64 >= min_count.max(2))
        .map(|group| duplicated(heap, group))
        .unzip();
    for (string, held_by) in strings.iter_mut().zip(holders(heap, &firsts)) {
        string.held_by = held_by;
    }
    strings.sort_by(|a, b| {
        (Reverse(a.wasted_bytes), &a.text, a.bytes_each).cmp(&(
            Reverse(b.wasted_bytes),
            &b.text,
            b.bytes_each,
        ))
    });
    let wasted = |certain: bool| {
        let of = strings.iter().filter(|s| s.certain == certain).map(|s| s.wasted_bytes);
        of.fold(0, u64::saturating_add)
    };
    StringsView {
        string_count,
        string_bytes,
        duplicated_count: strings.iter().filter(|s| s.certain).count() as u64,
        uncertain_count: strings.iter().filter(|s| !s.certain).count() as u64,
        wasted_bytes: wasted(true),
        uncertain_wasted_bytes: wasted(false),
        strings,
    }
}

/// A group's row, and its first member.
fn duplicated(heap: &Heap<'_>, group: &[Entry]) -> (DuplicatedString, NodeId) {
    let sizes = || group.iter().map(|e| heap.analysis.shallow_size(e.node));
    let total = sizes().fold(0, u64::saturating_add);
    let largest = sizes().max().unwrap_or(0);
    let Entry { text, size, told, node } = group[0];
    let row = DuplicatedString {
        text: heap.graph.strings().get(text).to_owned(),
        count: group.len() as u64,
        bytes_each: largest,
        total_bytes: total,
        wasted_bytes: total - largest,
        truncated: size != 0,
        // Equal beginning, size, length and hash.
        certain: size == 0 || told[1] != 0,
        ids: group.iter().take(MAX_IDS).map(|e| heap.id(e.node)).collect(),
        held_by: None,
    };
    (row, node)
}

/// Whether a string of this size has no more text than this.
fn is_whole(text: &str, size: u64) -> bool {
    let units = text.encode_utf16().count() as u64;
    if units < V8_LIMIT {
        return size <= 2 * units + LARGEST_HEADER;
    }
    let bytes = if text.chars().all(|c| c <= '\u{ff}') { units } else { 2 * units };
    size <= bytes + PADDED_HEADER
}

/// For each string index, the first one with the same text. V8 writes each text once; others may not.
fn canonical_texts(graph: &HeapGraph) -> Vec<u32> {
    let mut first: FxHashMap<&str, u32> = FxHashMap::default();
    graph.strings().iter().zip(0..).map(|(text, i)| *first.entry(text).or_insert(i)).collect()
}

/// What newer V8 tells of a string beside its text: `length` and `hash` lead to numbers, those to their
/// digits.
struct Told {
    length: Texts,
    hash: Texts,
    value: Texts,
}

impl Told {
    fn of(graph: &HeapGraph) -> Self {
        Self {
            length: Texts::of(graph, |t| t == "length"),
            hash: Texts::of(graph, |t| t == "hash"),
            value: Texts::of(graph, |t| t == "value"),
        }
    }

    fn of_string(&self, graph: &HeapGraph, node: NodeId) -> [u32; 2] {
        [&self.length, &self.hash].map(|name| {
            let number = name.internal(graph, node);
            let digits = number.and_then(|n| self.value.internal(graph, n));
            digits.map_or(0, |d| graph.node_name_index(d))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn a_cut_text_is_told_by_its_size() {
        assert!(is_whole("", 16));
        assert!(is_whole("short", 24));
        // Kept in two bytes a character although one would do.
        assert!(is_whole(&"a".repeat(500), 1016));
        assert!(is_whole(&"a".repeat(1024), 1040));
        assert!(!is_whole(&"a".repeat(1024), 2016));
        assert!(is_whole(&"ж".repeat(1024), 2064));
        assert!(!is_whole(&"ж".repeat(1024), 3000));
        // V8 was told to cut at a hundred.
        assert!(!is_whole(&"a".repeat(100), 5000));
    }
}
