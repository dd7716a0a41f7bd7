//! The comparison view: what came and what went, class by class.
//!
//! Rows compare the first snapshot with the last as `DevTools`' Comparison view does. Where object ids mean
//! the same in both (see [`comparability`]), an object is new if its id is, and plain objects of both are
//! classified by the later one's interfaces. Where ids do not, only the counts of each class can be
//! compared: "new" is then by how much the count rose.
//!
//! O(n log n) per pair; sixteen bytes a node while a pair is compared.

use leakline_heap::{HeapGraph, NodeId, SizeColumn};
use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::analysis::{Analysis, ClassTotal, on_two_threads, visible_classes};
use crate::class::ClassIndex;
use crate::comparability::{By, Comparability, comparability};
use crate::scripts::Scripts;
use crate::summary::SourceLocation;

/// The comparison of two or more snapshots, in the shape of `leakline diff --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Whether the first and the last snapshot can be compared by object id.
    pub comparable: Comparability,
    /// The last against the first, one row per class that changed, the most bytes gained first.
    pub rows: Vec<DiffRow>,
    /// Each snapshot against the one before, for three and more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<DiffStep>,
}

/// One step of a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiffStep {
    /// The earlier snapshot: its position in the series, from 0.
    pub from: usize,
    /// The later snapshot.
    pub to: usize,
    /// Whether these two can be compared by object id.
    pub comparable: Comparability,
    /// As [`Diff::rows`].
    pub rows: Vec<DiffRow>,
}

/// One class in a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiffRow {
    /// The class's name.
    pub constructor: String,
    /// Where its constructor stands, for classes that are told apart by it.
    pub location: Option<SourceLocation>,
    /// Objects only the later snapshot has.
    pub new_count: u64,
    /// Objects only the earlier snapshot has.
    pub deleted_count: u64,
    /// New minus deleted.
    pub delta_count: i64,
    /// Shallow sizes of the new objects.
    pub allocated_bytes: u64,
    /// Shallow sizes of the deleted objects.
    pub freed_bytes: u64,
    /// Allocated minus freed.
    pub delta_bytes: i64,
    /// Retained size of the whole class, later minus earlier.
    pub retained_delta_bytes: i64,
}

/// Compares snapshots of one program, first to last, each with its analysis. Fewer than two have no rows.
pub fn diff(snapshots: &[(&HeapGraph, &Analysis)]) -> Diff {
    let sides: Vec<Side<'_>> =
        snapshots.iter().map(|&(graph, analysis)| Side { graph, analysis }).collect();
    let [first, .., last] = sides.as_slice() else {
        let reason = "a comparison needs two snapshots".to_owned();
        let comparable = Comparability { by: By::Shape, kept_ids: 0, conflicting_ids: 0, reason };
        return Diff { comparable, rows: Vec::new(), steps: Vec::new() };
    };
    let (rows, comparable) = compared(first, last);
    let steps = if sides.len() < 3 {
        Vec::new()
    } else {
        let step = |(from, pair): (usize, &[Side<'_>])| {
            let (rows, comparable) = compared(&pair[0], &pair[1]);
            DiffStep { from, to: from + 1, comparable, rows }
        };
        sides.windows(2).enumerate().map(step).collect()
    };
    Diff { comparable, rows, steps }
}

struct Side<'a> {
    graph: &'a HeapGraph,
    analysis: &'a Analysis,
}

/// Compares two snapshots. Whether their ids mean the same, and how the earlier one's objects are classed by
/// the later one's interfaces, is found out at once.
fn compared(earlier: &Side<'_>, later: &Side<'_>) -> (Vec<DiffRow>, Comparability) {
    let interfaces = later.analysis.classes.interfaces();
    let (comparable, reclassified) = on_two_threads(
        || comparability(earlier.graph, later.graph),
        || {
            (earlier.analysis.classes.interfaces() != interfaces)
                .then(|| ClassIndex::with_interfaces(earlier.graph, interfaces))
        },
    );
    let earlier_classes = reclassified.as_ref().unwrap_or(&earlier.analysis.classes);
    (compare(earlier, earlier_classes, later, comparable.by), comparable)
}

fn compare(
    earlier: &Side<'_>,
    earlier_classes: &ClassIndex,
    later: &Side<'_>,
    by: By,
) -> Vec<DiffRow> {
    let mut groups = Groups::default();
    groups.add(earlier, earlier_classes, 0, by);
    groups.add(later, &later.analysis.classes, 1, by);
    let mut changes = match by {
        By::Id => {
            let (before, after) = on_two_threads(
                || groups.members(earlier, earlier_classes, 0),
                || groups.members(later, &later.analysis.classes, 1),
            );
            let sizes = [&earlier.analysis.shallow, &later.analysis.shallow];
            changes_by_id(&before, &after, sizes, groups.list.len())
        }
        By::Shape => changes_by_total(&groups),
    };
    for (change, group) in changes.iter_mut().zip(&groups.list) {
        // What only the earlier snapshot has, `DevTools` calls by the earlier one's own classes.
        if group.total[1].count == 0
            && let Some(node) = change.last_deleted
        {
            change.name = Some(earlier.analysis.class_name(node).to_owned());
        }
    }
    let mut rows: Vec<DiffRow> = changes
        .into_iter()
        .zip(groups.list)
        .filter(|(c, _)| c.count != [0, 0] || c.bytes != [0, 0])
        .map(|(change, group)| {
            let [freed_bytes, allocated_bytes] = change.bytes;
            let [deleted_count, new_count] = change.count;
            let [before, after] = group.total;
            DiffRow {
                constructor: change.name.unwrap_or(group.name),
                location: group.location,
                new_count,
                deleted_count,
                delta_count: difference(new_count, deleted_count),
                allocated_bytes,
                freed_bytes,
                delta_bytes: difference(allocated_bytes, freed_bytes),
                retained_delta_bytes: difference(after.retained_bytes, before.retained_bytes),
            }
        })
        .collect();
    rows.sort_by(|a, b| {
        b.delta_bytes
            .cmp(&a.delta_bytes)
            .then_with(|| b.allocated_bytes.cmp(&a.allocated_bytes))
            .then_with(|| a.constructor.cmp(&b.constructor))
            .then_with(|| a.location.cmp(&b.location))
    });
    rows
}

fn difference(a: u64, b: u64) -> i64 {
    a.wrapping_sub(b) as i64
}

/// The classes of both snapshots, matched.
#[derive(Default)]
struct Groups {
    list: Vec<Group>,
    by_key: FxHashMap<String, u32>,
    /// For each snapshot, by class: the group, or [`NO_GROUP`].
    of_class: [Vec<u32>; 2],
}

struct Group {
    name: String,
    location: Option<SourceLocation>,
    total: [ClassTotal; 2],
}

const NO_GROUP: u32 = u32::MAX;

impl Groups {
    fn add(&mut self, side: &Side<'_>, classes: &ClassIndex, which: usize, by: By) {
        let scripts = Scripts::of(side.graph);
        let totals = side.analysis.class_totals(classes);
        self.of_class[which] = vec![NO_GROUP; classes.len()];
        for (key, id) in visible_classes(classes, &totals) {
            let class = classes.get(id);
            let location = class.location.and_then(|at| SourceLocation::of(&scripts, at));
            let key = match by {
                By::Id => key,
                // Another process numbers scripts differently, and another version moves the lines.
                By::Shape => match &location {
                    Some(at) => format!("{},{}", at.file, class.name),
                    None => format!(",{}", class.name),
                },
            };
            let next = self.list.len() as u32;
            let group = *self.by_key.entry(key).or_insert(next);
            if group == next {
                let name = class.name.clone();
                self.list.push(Group { name, location, total: [ClassTotal::default(); 2] });
            }
            let group_total = &mut self.list[group as usize].total[which];
            let total = &totals[id.index()];
            group_total.count += total.count;
            group_total.shallow_bytes += total.shallow_bytes;
            group_total.retained_bytes += total.retained_bytes;
            self.of_class[which][id.index()] = group;
        }
    }

    /// The objects of one snapshot, by group and object id.
    fn members(&self, side: &Side<'_>, classes: &ClassIndex, which: usize) -> Vec<Member> {
        let group_of = &self.of_class[which];
        let mut members: Vec<Member> = side
            .graph
            .nodes()
            .filter(|&node| side.analysis.shallow_size(node) > 0)
            .filter_map(|node| {
                let group = group_of[classes.of_node(node).index()];
                let key = u64::from(group) << 32 | u64::from(side.graph.object_id(node));
                (group != NO_GROUP).then_some(Member { key, node })
            })
            .collect();
        members.sort_unstable_by_key(|m| m.key);
        members
    }
}

/// What changed in one group; index 0 what went, 1 what came.
#[derive(Clone, Default)]
struct Change {
    count: [u64; 2],
    bytes: [u64; 2],
    last_deleted: Option<NodeId>,
    name: Option<String>,
}

/// An object of a group.
#[derive(Clone, Copy)]
struct Member {
    /// The group in the upper half, the object id in the lower.
    key: u64,
    node: NodeId,
}

impl Member {
    fn group(self) -> usize {
        (self.key >> 32) as usize
    }
}

/// Merges the objects of both snapshots: what only one of them has, came or went. An object whose class
/// changed did both.
fn changes_by_id(
    before: &[Member],
    after: &[Member],
    sizes: [&SizeColumn; 2],
    groups: usize,
) -> Vec<Change> {
    let mut changes = vec![Change::default(); groups];
    let mut count = |member: Member, which: usize| {
        let change = &mut changes[member.group()];
        change.count[which] += 1;
        change.bytes[which] += sizes[which].get(member.node.index());
        if which == 0 {
            change.last_deleted = Some(member.node);
        }
    };
    let (mut i, mut j) = (0, 0);
    loop {
        match (before.get(i), after.get(j)) {
            (Some(a), Some(b)) if a.key == b.key => (i, j) = (i + 1, j + 1),
            (Some(&a), b) if b.is_none_or(|b| a.key < b.key) => {
                count(a, 0);
                i += 1;
            }
            (_, Some(&b)) => {
                count(b, 1);
                j += 1;
            }
            _ => return changes,
        }
    }
}

fn changes_by_total(groups: &Groups) -> Vec<Change> {
    groups
        .list
        .iter()
        .map(|group| {
            let [before, after] = group.total;
            Change {
                count: [
                    before.count.saturating_sub(after.count),
                    after.count.saturating_sub(before.count),
                ],
                bytes: [
                    before.shallow_bytes.saturating_sub(after.shallow_bytes),
                    after.shallow_bytes.saturating_sub(before.shallow_bytes),
                ],
                ..Change::default()
            }
        })
        .collect()
}
