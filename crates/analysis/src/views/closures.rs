//! Functions by the place they are written at: a closure made once per request has one row, with how many
//! there are.

use std::cmp::Reverse;

use leakline_heap::{NodeId, NodeType};
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::groups::{Samples, group_totals};
use super::row::Heap;
use crate::scripts::is_builtin;
use crate::summary::SourceLocation;

const NONE: u32 = u32::MAX;

/// Closures by place, in the shape of `leakline closures --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClosuresView {
    /// How many closures stand in `groups`.
    pub closure_count: u64,
    /// Their shallow sizes together, in bytes.
    pub shallow_bytes: u64,
    /// A row for each place, largest retained size first.
    pub groups: Vec<ClosureGroup>,
}

/// The closures of one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClosureGroup {
    /// The function's name; empty when it has none.
    pub function: String,
    /// Where it is written; `None` for V8's own functions.
    pub location: Option<SourceLocation>,
    /// Whether it belongs to the runtime.
    pub builtin: bool,
    /// How many closures there are.
    pub count: u64,
    /// The sum of their shallow sizes, in bytes.
    pub shallow_bytes: u64,
    /// What losing all of them frees.
    pub retained_bytes: u64,
    /// The first few.
    pub ids: Vec<String>,
}

/// What makes closures one group.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Place {
        script_id: i32,
        line: u32,
        column: u32,
    },
    /// A function without a place, by name.
    Name(u32),
}

/// The closures whose script's path contains `script`; all of them without it. O(nodes).
pub fn closures(heap: &Heap<'_>, script: Option<&str>) -> ClosuresView {
    let graph = heap.graph;
    let mut group_of = vec![NONE; graph.node_count()];
    let mut groups: FxHashMap<Key, u32> = FxHashMap::default();
    let mut samples = Samples::new();
    for node in graph.nodes().filter(|&n| graph.node_type(n) == NodeType::Closure) {
        let at = graph.location(node);
        let path = at.and_then(|at| heap.scripts.path(at.script_id));
        if script.is_some_and(|text| !path.is_some_and(|path| path.contains(text))) {
            continue;
        }
        let key = at.map_or(Key::Name(graph.node_name_index(node)), |at| Key::Place {
            script_id: at.script_id,
            line: at.line,
            column: at.column,
        });
        let next = groups.len() as u32;
        let group = *groups.entry(key).or_insert(next);
        group_of[node.index()] = group;
        samples.add(group, node);
    }
    let totals = group_totals(heap.analysis, groups.len(), |node: NodeId| {
        Some(group_of[node.index()]).filter(|&g| g != NONE)
    });
    let mut rows: Vec<ClosureGroup> = totals
        .iter()
        .enumerate()
        .filter_map(|(group, total)| {
            let members = samples.of(group);
            let first = *members.first()?;
            let location = heap.location(first);
            Some(ClosureGroup {
                function: graph.node_name(first).to_owned(),
                builtin: location.as_ref().is_none_or(|l| is_builtin(&l.file)),
                location,
                count: total.count,
                shallow_bytes: total.shallow_bytes,
                retained_bytes: total.retained_bytes,
                ids: members.iter().map(|&n| heap.id(n)).collect(),
            })
        })
        .collect();
    rows.sort_by(|a, b| {
        (Reverse((a.retained_bytes, a.count)), &a.location, &a.function).cmp(&(
            Reverse((b.retained_bytes, b.count)),
            &b.location,
            &b.function,
        ))
    });
    ClosuresView {
        closure_count: rows.iter().map(|r| r.count).sum(),
        shallow_bytes: rows.iter().map(|r| r.shallow_bytes).fold(0, u64::saturating_add),
        groups: rows,
    }
}
