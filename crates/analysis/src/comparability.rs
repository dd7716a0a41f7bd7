//! Whether object ids of two snapshots mean the same objects.
//!
//! V8 hands out an id when it first sees an object and keeps it while one inspector session lasts. Closing
//! the session starts over: the next snapshot reuses the same numbers for other objects, and nothing in
//! the file says so. A comparison by id would then be nonsense in every row. So every comparison first
//! looks at the ids that both snapshots have: the same object has the same kind, the same name and about
//! the same size.
//!
//! Objects do legally change: strings are flattened, backing stores grow or shrink in place, code is
//! replaced, an object becomes a dictionary. What can change is not held against the ids, and the rest is
//! judged by its share. O(n log n).

use leakline_heap::{HeapGraph, NodeId, NodeType};
use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::analysis::on_two_threads;
use crate::ids::IdOrder;

/// Ids are trusted while at most this share of the common ones changed its meaning. Measured: 0.0006 %
/// over one session, 76 % over two sessions of one process, so any number between would do; 5 % leaves room
/// for programs that do strange things to their objects.
const MAX_CONFLICTING_SHARE: f64 = 0.05;

/// What the rows of a comparison are matched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Object ids mean the same objects.
    Id,
    /// They do not; only classes and counts can be compared.
    Shape,
}

/// Whether two snapshots can be compared by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparability {
    /// What to match by.
    pub by: By,
    /// Ids that both snapshots have, for what looks like the same object.
    pub kept_ids: u64,
    /// Ids that both snapshots have, for different objects.
    pub conflicting_ids: u64,
    /// Why, in words.
    pub reason: String,
}

/// Compares what the common ids of two graphs stand for.
pub fn comparability(a: &HeapGraph, b: &HeapGraph) -> Comparability {
    // Nodes without a size stand for values, not for objects; V8 numbers some of them as it pleases.
    let order = |graph: &HeapGraph| IdOrder::of(graph, |node| graph.self_size(node) > 0);
    let (ids_a, ids_b) = on_two_threads(|| order(a), || order(b));
    let mut comparer = Comparer { a, b, same_name: FxHashMap::default() };
    let (mut kept, mut conflicting) = (0u64, 0u64);
    ids_a.for_common(&ids_b, |x, y| {
        if comparer.looks_same(x, y) {
            kept += 1;
        } else {
            conflicting += 1;
        }
    });
    let common = kept + conflicting;
    let share = if common == 0 { 1.0 } else { conflicting as f64 / common as f64 };
    let by = if share <= MAX_CONFLICTING_SHARE { By::Id } else { By::Shape };
    let reason = match by {
        By::Id => format!(
            "{conflicting} of {common} common object ids stand for something else: both snapshots are of \
             one session"
        ),
        By::Shape if common == 0 => {
            format!("none of {} and {} object ids are common", ids_a.len(), ids_b.len())
        }
        By::Shape => format!(
            "{conflicting} of {common} common object ids stand for something else: another process, or \
             the inspector session was closed in between"
        ),
    };
    Comparability { by, kept_ids: kept, conflicting_ids: conflicting, reason }
}

struct Comparer<'a> {
    a: &'a HeapGraph,
    b: &'a HeapGraph,
    /// By pair of name indexes; names repeat a lot.
    same_name: FxHashMap<(u32, u32), bool>,
}

impl Comparer<'_> {
    fn looks_same(&mut self, x: NodeId, y: NodeId) -> bool {
        let kind = self.a.node_type(x);
        let other = self.b.node_type(y);
        // A concatenated string becomes flat or a slice; the text may then be written differently.
        if kind.is_string() && other.is_string() {
            return kind != other || kind != NodeType::String || self.same_name(x, y);
        }
        if kind != other {
            return false;
        }
        match kind {
            // Replaced in place by V8 at any time.
            NodeType::Code | NodeType::ObjectShape => true,
            NodeType::Hidden | NodeType::Array => self.same_name(x, y),
            _ => self.same_name(x, y) && same_size_class(self.a.self_size(x), self.b.self_size(y)),
        }
    }

    fn same_name(&mut self, x: NodeId, y: NodeId) -> bool {
        let pair = (self.a.node_name_index(x), self.b.node_name_index(y));
        let (a, b) = (self.a.node_name(x), self.b.node_name(y));
        *self.same_name.entry(pair).or_insert_with(|| a == b || without_ids(a).eq(without_ids(b)))
    }
}

/// Sizes of one object: unused room at its end is cut off, and an embedder's estimate varies a little.
fn same_size_class(a: u64, b: u64) -> bool {
    a.max(b) <= 2 * a.min(b)
}

/// The characters of a name without the ids V8 puts into some: `system / Context / @45 scope`.
fn without_ids(name: &str) -> impl Iterator<Item = char> + '_ {
    let mut after_at = false;
    name.chars().filter(move |&c| {
        let part_of_id = after_at && c.is_ascii_digit();
        after_at = c == '@' || part_of_id;
        !part_of_id
    })
}
