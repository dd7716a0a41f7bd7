//! Retaining paths: why an object is still alive.
//!
//! From the GC root to the object, along edges that retain. One shortest path is rarely the whole story:
//! an object held by two owners lives until both let go. Every path passes the object's dominators in
//! order, so a path is a series of *sections*, each from one dominator to the next. The shortest path
//! takes the shortest way through each. Alternatives are sought in the section nearest to the object that
//! has any: there the object, or the dominator it depends on, has several owners. Sections farther up
//! tell how *that* owner is held, which is a question of its own.
//!
//! Within a section the search goes backwards, best first, guided by the known distances (A*; Hart,
//! Nilsson, Raphael 1968); passing an object again that an earlier path passed costs as much as a detour.
//! A way that differs only by a backing store (`[17]`, or `elements` and then `17`) is no other way.
//! Everything on a way between two dominators is dominated by the upper one, which keeps the search
//! small; what bounds it in any case is [`MAX_WORK`], and the answer says when it was cut short.
//!
//! Retainers can be ignored, as in `DevTools`: what would still hold the object if these let go? Dominators
//! of the whole graph remain dominators when it loses nodes, so the sections stay; the search only passes
//! what is still reachable then.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use leakline_heap::{EdgeId, HeapGraph, NodeId, NodeType, Retainers};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use crate::analysis::Analysis;
use crate::bits::Bits;
use crate::distance::Distances;
use crate::essential::EssentialEdges;

/// Retainers looked at for one object, all its paths together: some tenths of a second.
const MAX_WORK: usize = 2_000_000;
/// Of these, for further paths than the first, where only a few are asked for. Such a path is found at once
/// or not at all: what takes long is to find out that there is none, and that can wait until somebody asks
/// for all paths.
const MAX_OTHER_WORK: usize = 20_000;
/// "A few", as the command line understands it.
const FEW: usize = 5;
/// What it costs to pass an object again: a detour of so many steps is preferred. Longer ones explain
/// little, and searching for them would mean searching everything.
const REUSE_COST: u64 = 20;
/// What only V8 itself reaches explains little to the user: paths through user objects are preferred when
/// they are at most so much longer.
const SYSTEM_DETOUR: u64 = 20;
/// Ways that differ from known ones by backing stores only, before a section is given up.
const MAX_SAME_WAYS: usize = 8;

/// How much to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathOptions {
    /// At most so many paths.
    pub max_paths: usize,
    /// Of a longer path only the two ends are kept, so many steps together.
    pub max_depth: usize,
}

impl Default for PathOptions {
    fn default() -> Self {
        // Three owners are enough to see that cutting one is not enough; fifty steps fit on a screen.
        Self { max_paths: 3, max_depth: 50 }
    }
}

/// Why an object is alive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetainingPaths {
    /// The paths, the shortest first; none when nothing retains the object.
    pub paths: Vec<RetainingPath>,
    /// Whether there is more: another path, steps left out, or the search was cut short.
    pub truncated: bool,
}

/// One way from the GC root to the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetainingPath {
    /// The edges in order: the first one starts at the root, the last one leads to the object.
    pub steps: Vec<PathStep>,
    /// How many steps are left out.
    pub omitted_steps: usize,
    /// After how many of `steps` they are missing.
    pub omitted_after: usize,
}

/// One edge of a path and where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathStep {
    /// The edge.
    pub edge: EdgeId,
    /// Its target.
    pub node: NodeId,
}

/// Finds why `node` is alive. An empty answer that is not truncated means that nothing retains it.
pub fn retaining_paths(
    graph: &HeapGraph,
    retainers: &Retainers,
    analysis: &Analysis,
    node: NodeId,
    options: PathOptions,
) -> RetainingPaths {
    let finder = Finder { graph, retainers, analysis, alive: None, work_left: MAX_WORK };
    paths_of(finder, node, options)
}

/// Why an object would still be alive if some of its retainers were gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemainingPaths {
    /// The paths that pass none of the ignored objects.
    pub paths: RetainingPaths,
    /// Whether the object is alive, and would be freed without the ignored ones.
    pub freed: bool,
}

/// Finds what still keeps `node` alive when the objects `ignored` are passed over. O(nodes + edges) besides
/// the search.
pub fn remaining_paths(
    graph: &HeapGraph,
    retainers: &Retainers,
    analysis: &Analysis,
    node: NodeId,
    options: PathOptions,
    ignored: &[NodeId],
) -> RemainingPaths {
    let alive = reachable(graph, &analysis.essential, ignored);
    if !alive.get(node.index()) {
        let freed = reachable(graph, &analysis.essential, &[]).get(node.index());
        return RemainingPaths { paths: RetainingPaths::default(), freed };
    }
    let alive = Some(&alive);
    let finder = Finder { graph, retainers, analysis, alive, work_left: MAX_WORK };
    RemainingPaths { paths: paths_of(finder, node, options), freed: false }
}

/// What the root reaches over essential edges without passing any of `ignored`.
fn reachable(graph: &HeapGraph, essential: &EssentialEdges, ignored: &[NodeId]) -> Bits {
    let mut seen = Bits::new(graph.node_count());
    for node in ignored {
        seen.set(node.index());
    }
    let mut stack = Vec::new();
    if seen.insert(graph.root().index()) {
        stack.push(graph.root());
    }
    while let Some(node) = stack.pop() {
        for edge in graph.edges(node) {
            if essential.is_essential(edge.id) && seen.insert(edge.to.index()) {
                stack.push(edge.to);
            }
        }
    }
    for node in ignored {
        seen.clear(node.index());
    }
    seen
}

fn paths_of(mut finder: Finder<'_>, node: NodeId, options: PathOptions) -> RetainingPaths {
    let Finder { graph, analysis, .. } = finder;
    let mut result = RetainingPaths::default();
    // The sections from the object up to the root, each with its shortest way.
    let mut ends = vec![node];
    let mut ways: Vec<Vec<PathStep>> = Vec::new();
    let mut end = node;
    while end != graph.root() {
        let start = analysis.dominators.immediate(end);
        if start == end {
            // Nothing but the root is its own dominator: somebody lends us nonsense.
            return result;
        }
        match finder.way(start, end, &FxHashSet::default()) {
            Found::Way(way) => ways.push(way),
            Found::Nothing => return result,
            Found::OutOfWork => {
                result.truncated = true;
                return result;
            }
        }
        ends.push(start);
        end = start;
    }
    if ways.is_empty() || options.max_paths == 0 {
        return result;
    }
    if options.max_paths <= FEW {
        finder.work_left = finder.work_left.min(MAX_OTHER_WORK);
    }
    let mut choices: Vec<(usize, Vec<PathStep>)> = Vec::new();
    for (section, way) in ways.iter().enumerate() {
        let (others, truncated) = finder.other_ways(
            ends[section + 1],
            ends[section],
            way,
            options.max_paths.saturating_sub(1),
        );
        result.truncated |= truncated;
        if !others.is_empty() || truncated {
            choices.extend(others.into_iter().map(|way| (section, way)));
            break;
        }
    }
    let compose = |choice: Option<&(usize, Vec<PathStep>)>| {
        let section = |(i, way)| match choice {
            Some((section, other)) if *section == i => other,
            _ => way,
        };
        ways.iter().enumerate().rev().flat_map(|way| section(way).iter().copied()).collect()
    };
    let paths = std::iter::once(None).chain(choices.iter().map(Some));
    result.paths = paths.map(|choice| shorten(compose(choice), options.max_depth)).collect();
    result.paths.sort_by_key(|path| path.steps.len() + path.omitted_steps);
    result.truncated |= result.paths.iter().any(|path| path.omitted_steps > 0);
    result
}

fn shorten(mut steps: Vec<PathStep>, max_depth: usize) -> RetainingPath {
    let omitted = steps.len().saturating_sub(max_depth);
    // The object's own end says more than the root's, so it gets the odd step.
    let omitted_after = if omitted == 0 { 0 } else { max_depth / 2 };
    steps.drain(omitted_after..omitted_after + omitted);
    RetainingPath { steps, omitted_steps: omitted, omitted_after }
}

enum Found {
    Way(Vec<PathStep>),
    Nothing,
    OutOfWork,
}

struct Finder<'a> {
    graph: &'a HeapGraph,
    retainers: &'a Retainers,
    analysis: &'a Analysis,
    /// What a path may pass; `None` for everything.
    alive: Option<&'a Bits>,
    work_left: usize,
}

/// How a node was reached, going backwards.
#[derive(Clone, Copy)]
struct Reached {
    cost: u64,
    by: PathStep,
}

impl Finder<'_> {
    /// The cheapest way from `start` to `end`, its immediate dominator to it.
    fn way(&mut self, start: NodeId, end: NodeId, used: &FxHashSet<NodeId>) -> Found {
        let mut reached: FxHashMap<NodeId, Reached> = FxHashMap::default();
        let mut queue: BinaryHeap<Reverse<(u64, u64, u32)>> = BinaryHeap::new();
        queue.push(Reverse((0, 0, end.0)));
        while let Some(Reverse((estimate, ahead, node))) = queue.pop() {
            let node = NodeId(node);
            if node == start {
                return Found::Way(collect(&reached, start, end));
            }
            let cost = reached.get(&node).map_or(0, |r| r.cost);
            if estimate > cost + ahead {
                continue; // A cheaper way to this node was found meanwhile.
            }
            for retainer in self.retainers.of_node(node) {
                let Some(left) = self.work_left.checked_sub(1) else { return Found::OutOfWork };
                self.work_left = left;
                let from = retainer.from;
                if from == end
                    || self.alive.is_some_and(|alive| !alive.get(from.index()))
                    || !self.analysis.essential.is_essential(retainer.edge)
                    || !self.analysis.dominators.dominates(start, from)
                {
                    continue;
                }
                let cost = cost + 1 + if used.contains(&from) { REUSE_COST } else { 0 };
                if reached.get(&from).is_some_and(|known| known.cost <= cost) {
                    continue;
                }
                let by = PathStep { edge: retainer.edge, node };
                reached.insert(from, Reached { cost, by });
                let ahead = self.steps_ahead(from);
                queue.push(Reverse((cost + ahead, ahead, from.0)));
            }
        }
        Found::Nothing
    }

    /// How many steps a node is from the root, at least.
    fn steps_ahead(&self, node: NodeId) -> u64 {
        if node == self.graph.root() {
            return 0;
        }
        match self.analysis.distances.raw(node) {
            raw @ Distances::SYSTEM.. => {
                u64::from((raw - Distances::SYSTEM) as u32) + SYSTEM_DETOUR
            }
            raw @ 0.. => u64::from(raw as u32),
            // No edge that counts for distances leads here; the search may have come another way.
            _ => 0,
        }
    }

    /// Other ways than `known` from `start` to `end`, at most `limit`, and whether there are more.
    fn other_ways(
        &mut self,
        start: NodeId,
        end: NodeId,
        known: &[PathStep],
        limit: usize,
    ) -> (Vec<Vec<PathStep>>, bool) {
        let mut others = Vec::new();
        let mut used: FxHashSet<NodeId> = inner(known).collect();
        let mut same_ways = 0;
        while same_ways < MAX_SAME_WAYS {
            let way = match self.way(start, end, &used) {
                Found::Way(way) => way,
                Found::Nothing => break,
                Found::OutOfWork => return (others, true),
            };
            let (mut is_new, mut is_other) = (false, false);
            for node in inner(&way) {
                let fresh = used.insert(node);
                is_new |= fresh;
                is_other |= fresh && !self.is_storage(node);
            }
            if is_other && others.len() == limit {
                return (others, true);
            }
            if is_other {
                others.push(way);
            } else if is_new {
                same_ways += 1;
            } else {
                break;
            }
        }
        (others, false)
    }

    /// Whether the node is a part of its owner that no program sees: elements, properties, cells.
    fn is_storage(&self, node: NodeId) -> bool {
        matches!(self.graph.node_type(node), NodeType::Array | NodeType::Hidden)
    }
}

/// The nodes strictly between the ends of a way.
fn inner(way: &[PathStep]) -> impl Iterator<Item = NodeId> + '_ {
    way.iter().rev().skip(1).map(|step| step.node)
}

fn collect(reached: &FxHashMap<NodeId, Reached>, start: NodeId, end: NodeId) -> Vec<PathStep> {
    let mut steps = Vec::new();
    let mut at = start;
    while at != end
        && let Some(next) = reached.get(&at)
    {
        steps.push(next.by);
        at = next.by.node;
    }
    steps
}

/// An object as it is named in answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectRef {
    /// Its id: `@245233`.
    pub id: String,
    /// Its name: class, function, or text.
    pub name: String,
    /// V8's name of its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

impl ObjectRef {
    /// The names of a node.
    pub fn of(graph: &HeapGraph, node: NodeId) -> Self {
        Self {
            id: format!("@{}", graph.object_id(node)),
            name: graph.node_name(node).to_owned(),
            kind: graph.node_type(node).name(),
        }
    }
}

/// Retaining paths in words, in the shape of `leakline retainers --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RetainersView {
    /// The object in question.
    pub object: ObjectRef,
    /// Its paths from the GC root.
    pub paths: Vec<PathView>,
    /// See [`RetainingPaths::truncated`].
    pub truncated: bool,
}

/// One path in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PathView {
    /// Edge by edge, starting at the GC root.
    pub steps: Vec<StepView>,
    /// See [`RetainingPath::omitted_steps`].
    pub omitted_steps: usize,
    /// See [`RetainingPath::omitted_after`].
    pub omitted_after: usize,
}

/// One edge in words, and the object it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepView {
    /// The edge's name: `_events`, `[17]`.
    pub edge: String,
    /// V8's name of the edge's type.
    pub edge_type: &'static str,
    /// What it leads to.
    pub object: ObjectRef,
}

impl RetainingPaths {
    /// Puts the answer about `node` in words.
    pub fn view(&self, graph: &HeapGraph, node: NodeId) -> RetainersView {
        let step = |step: &PathStep| {
            let edge = graph.edge(step.edge);
            StepView {
                edge: graph.edge_label(edge),
                edge_type: edge.kind.name(),
                object: ObjectRef::of(graph, step.node),
            }
        };
        let path = |path: &RetainingPath| PathView {
            steps: path.steps.iter().map(step).collect(),
            omitted_steps: path.omitted_steps,
            omitted_after: path.omitted_after,
        };
        RetainersView {
            object: ObjectRef::of(graph, node),
            paths: self.paths.iter().map(path).collect(),
            truncated: self.truncated,
        }
    }
}
