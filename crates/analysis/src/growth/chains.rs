//! Chains: each object holds the one before it, or the one after.
//!
//! `last = { prev: last }`, `tail.next = node`, `handler = wrap(handler)`: nobody holds many objects, so no owner
//! stands out, and yet the whole length hangs on one link. In the retaining tree a chain is a deep path that
//! repeats itself: the same few links to the same few classes, again and again. Between two objects of one
//! class may lie what V8 puts there (a closure holds its scope, the scope the next closure).
//!
//! 1. From each new object that begins a path, the path goes to the child with most new bytes below it: what an
//!    object carries weighs less than all that follows, so that the path runs along the chain.
//! 2. The shortest period in which links and classes repeat is sought in it.
//! 3. The chain's length is counted by walking its links, the same way in every snapshot.
//!
//! O(nodes) for the paths (each new object lies on one), O(edges) for each of the few chains.

use std::hash::{Hash, Hasher};

use leakline_heap::{Edge, EdgeType, HeapGraph, NodeId, NodeType};
use rustc_hash::FxHasher;

use super::groups::{Class, Group, Pattern};
use super::tree::RetainingTree;
use crate::bits::Bits;
use crate::scripts::is_slot;

const NONE: u32 = u32::MAX;

/// Fewer repetitions than this may be nesting of any kind: a tree of modules, wrapped callbacks.
const MIN_LINKS: usize = 16;

/// Objects from one link of a chain to the next. A pending promise and what continues after it are six.
const MAX_PERIOD: usize = 8;

/// Chains that are looked at, the heaviest first.
const MAX_CHAINS: usize = 24;

/// Lists of the runtime's own whose length says nothing of its own: their members have other holders, and
/// families of their own.
const RUNTIME_LISTS: [&str; 5] =
    ["Timeout", "Immediate", "TimersList", "Listener", "FixedCircularBuffer"];

/// One link of a chain: its kind and name, and the class of what it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Link {
    /// The kind.
    pub kind: EdgeType,
    /// The name, `None` for positions.
    pub name: Option<String>,
    /// What it leads to.
    pub class: Class,
}

impl Link {
    pub(super) fn of(graph: &HeapGraph, edge: Edge) -> Self {
        let name = graph.edge_text(edge).filter(|n| !is_slot(n)).map(ToString::to_string);
        Self { kind: edge.kind, name, class: Class::of(graph, edge.to) }
    }

    pub(super) fn fits(&self, graph: &HeapGraph, edge: Edge) -> bool {
        edge.kind == self.kind
            && self.name.as_deref().is_none_or(|name| graph.edge_text(edge) == Some(name))
            && self.class == Class::of(graph, edge.to)
    }
}

/// How a chain hangs together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chain {
    /// From the owner to the chain's first object; without a name where the owner holds several chains.
    pub entry: Link,
    /// From one object of the chain to the next.
    pub links: Vec<Link>,
}

impl Chain {
    /// The link's name as the program writes it: `prev`, `next`; `None` where it is a position.
    pub fn link_name(&self) -> Option<&str> {
        let named = |l: &&Link| matches!(l.kind, EdgeType::Property | EdgeType::Context);
        self.links.iter().find(named).and_then(|l| l.name.as_deref())
    }

    /// The objects of the owner's chains, from the first on.
    pub(super) fn walk(&self, graph: &HeapGraph, owner: NodeId) -> Vec<NodeId> {
        let mut seen = Bits::new(graph.node_count());
        let mut found = Vec::new();
        let table = graph.find_edge(owner, EdgeType::Internal, "table");
        let holders = [Some(owner), table.map(|e| e.to)];
        for holder in holders.into_iter().flatten() {
            for edge in graph.edges(holder).filter(|e| self.entry.fits(graph, *e)) {
                self.follow(graph, edge.to, &mut seen, &mut found);
            }
        }
        found
    }

    fn follow(&self, graph: &HeapGraph, first: NodeId, seen: &mut Bits, found: &mut Vec<NodeId>) {
        let mut at = first;
        while seen.insert(at.index()) {
            found.push(at);
            let mut next = at;
            for link in &self.links {
                match graph.edges(next).find(|e| link.fits(graph, *e)) {
                    Some(edge) => next = edge.to,
                    None => return,
                }
            }
            at = next;
        }
    }
}

/// All chains with new objects in them, heaviest first. The members of each group are the chain's objects, old
/// and new, in order.
pub(super) fn find(
    graph: &HeapGraph,
    tree: &RetainingTree,
    is_new: &[bool],
    below: &[u64],
) -> Vec<Group> {
    let heavy = heaviest_children(graph, tree, below);
    let follows = |node: NodeId| {
        tree.parent(node)
            .is_some_and(|up| is_new[up.from.index()] && heavy[up.from.index()] == node.0)
    };
    let mut runs: Vec<(u64, Run)> = Vec::new();
    let mut path = Vec::new();
    for start in tree.top_down().filter(|n| is_new[n.index()] && !follows(*n)) {
        path.clear();
        path.push(start);
        let mut at = start;
        while let Some(next) = next_of(&heavy, at).filter(|n| is_new[n.index()]) {
            path.push(next);
            at = next;
        }
        if let Some(run) = repeating(graph, tree, &path) {
            runs.push((below[run.first.index()], run));
        }
    }
    runs.sort_by_key(|(bytes, run)| (std::cmp::Reverse(*bytes), run.first));
    let mut taken = Bits::new(graph.node_count());
    let mut groups: Vec<Group> = Vec::new();
    for (_, run) in runs.into_iter().take(MAX_CHAINS) {
        let Some(group) = group_of(graph, tree, below, run) else { continue };
        let known = group.members.iter().filter(|m| taken.get(m.index())).count();
        // A list that can be walked from both ends has two paths, and is one chain.
        if known * 2 > group.members.len() {
            let same = |g: &&mut Group| group.members.last().is_some_and(|m| g.members.contains(m));
            if let Some(first) = groups.iter_mut().find(same) {
                first.tree_bytes += group.tree_bytes;
            }
            continue;
        }
        for member in &group.members {
            taken.set(member.index());
        }
        match groups.iter_mut().find(|g| beside(g, &group)) {
            Some(first) => join(first, group),
            None => groups.push(group),
        }
    }
    groups
}

fn next_of(heavy: &[u32], node: NodeId) -> Option<NodeId> {
    let next = heavy[node.index()];
    (next != NONE).then_some(NodeId(next))
}

/// For each node the child with most new bytes below it.
fn heaviest_children(graph: &HeapGraph, tree: &RetainingTree, below: &[u64]) -> Vec<u32> {
    let mut heavy = vec![NONE; graph.node_count()];
    for node in tree.top_down() {
        let Some(up) = tree.parent(node) else { continue };
        let best = &mut heavy[up.from.index()];
        if below[node.index()] > 0 && (*best == NONE || below[*best as usize] < below[node.index()])
        {
            *best = node.0;
        }
    }
    heavy
}

/// A stretch of a path that repeats itself.
struct Run {
    /// The first object of the chain in the stretch.
    first: NodeId,
    /// The links from there to the next object of the chain.
    links: Vec<Link>,
}

/// The longest stretch of the path in which links and classes repeat.
fn repeating(graph: &HeapGraph, tree: &RetainingTree, path: &[NodeId]) -> Option<Run> {
    if path.len() < MIN_LINKS {
        return None;
    }
    let signs: Vec<u64> = path.iter().map(|&n| sign(graph, tree, n)).collect();
    let (mut best, mut period, mut start) = (0, 0, 0);
    for p in 1..=MAX_PERIOD.min(path.len() - 1) {
        let mut run = 0;
        for i in p..signs.len() {
            run = if signs[i] == signs[i - p] { run + 1 } else { 0 };
            // A multiple of the period repeats as well; a longer one must be clearly better.
            if run > best + best / 8 && run >= (MIN_LINKS - 1) * p {
                (best, period, start) = (run, p, i + 1 - run);
            }
        }
    }
    if period == 0 {
        return None;
    }
    // `start` is the first node that repeats an earlier one; the links into it and the next are the cycle.
    let cycle = &path[start..(start + period).min(path.len())];
    let main = main_of(graph, cycle)?;
    let links = (1..=period)
        .map(|i| {
            let node = path[start + (main + i) % period];
            let edge = graph.edge(tree.parent(node)?.edge);
            Some(Link::of(graph, edge))
        })
        .collect::<Option<Vec<_>>>()?;
    Some(Run { first: cycle[main], links })
}

/// The link that leads to a node and the node's class, as one number.
fn sign(graph: &HeapGraph, tree: &RetainingTree, node: NodeId) -> u64 {
    let mut hasher = FxHasher::default();
    if let Some(up) = tree.parent(node) {
        Link::of(graph, graph.edge(up.edge)).hash(&mut hasher);
    }
    hasher.finish()
}

/// Which of the objects of a cycle a person would call the chain's link: an object with a class, or else a
/// function, or else whatever object there is.
fn main_of(graph: &HeapGraph, cycle: &[NodeId]) -> Option<usize> {
    let rank = |&n: &NodeId| match graph.node_type(n) {
        NodeType::Object if RUNTIME_LISTS.contains(&graph.node_name(n)) => None,
        NodeType::Object if !graph.node_name(n).starts_with("system /") => Some(0),
        NodeType::Closure => Some(1),
        NodeType::Object if graph.node_name(n) == "system / Context" => Some(2),
        // A string that is appended to: each holds the one before as its first part.
        kind if kind.is_string() => Some(3),
        _ => None,
    };
    let ranked = cycle.iter().enumerate().filter_map(|(i, n)| rank(n).map(|r| (r, i)));
    let (_, main) = ranked.min()?;
    let is_runtime = |n: &NodeId| RUNTIME_LISTS.contains(&graph.node_name(*n));
    (!cycle.iter().any(is_runtime)).then_some(main)
}

/// The whole chain that a stretch belongs to: upwards to where it hangs, and down to its end.
fn group_of(graph: &HeapGraph, tree: &RetainingTree, below: &[u64], run: Run) -> Option<Group> {
    let mut top = run.first;
    while let Some(above) = one_up(graph, tree, &run.links, top) {
        top = above;
    }
    let up = tree.parent(top)?;
    let chain = Chain { entry: Link::of(graph, graph.edge(up.edge)), links: run.links };
    // A string of many parts is one value among others, if it has no name of its own.
    if chain.entry.class.kind == NodeType::String && chain.entry.name.is_none() {
        return None;
    }
    let (owner, stores) = match tree.parent(up.from) {
        Some(above)
            if graph.node_type(up.from) == NodeType::Array
                && graph.edge_text(graph.edge(above.edge)) == Some("table") =>
        {
            (above.from, vec![up.from])
        }
        _ => (up.from, Vec::new()),
    };
    let mut members = Vec::new();
    chain.follow(graph, top, &mut Bits::new(graph.node_count()), &mut members);
    Some(Group {
        owner,
        owners: vec![owner],
        stores,
        class: Class::of(graph, top),
        pattern: Pattern::Chain(Box::new(chain)),
        members,
        tree_bytes: below[top.index()],
    })
}

/// The chain's object before this one, by the tree.
fn one_up(graph: &HeapGraph, tree: &RetainingTree, links: &[Link], node: NodeId) -> Option<NodeId> {
    let mut at = node;
    for link in links.iter().rev() {
        let up = tree.parent(at)?;
        if !link.fits(graph, graph.edge(up.edge)) {
            return None;
        }
        at = up.from;
    }
    // The links of a chain end where they began: at an object of the same class.
    (Class::of(graph, at) == links.last()?.class).then_some(at)
}

/// Whether one owner holds both, by entries that differ in their names only: a chain for each user.
fn beside(a: &Group, b: &Group) -> bool {
    let (Pattern::Chain(x), Pattern::Chain(y)) = (&a.pattern, &b.pattern) else { return false };
    a.owner == b.owner
        && x.links == y.links
        && x.entry.kind == y.entry.kind
        && x.entry.kind != EdgeType::Context
        && x.entry.class == y.entry.class
}

fn join(first: &mut Group, other: Group) {
    if let Pattern::Chain(chain) = &mut first.pattern {
        chain.entry.name = None;
    }
    first.members.extend(other.members);
    first.tree_bytes += other.tree_bytes;
}

/// How many objects the owner's chains have.
pub(super) fn length(graph: &HeapGraph, owner: NodeId, chain: &Chain) -> u64 {
    chain.walk(graph, owner).len() as u64
}
