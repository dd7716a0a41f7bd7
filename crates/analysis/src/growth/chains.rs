//! Chains: each new object holds the one before it, so that no owner has more than one.
//!
//! A list whose head is replaced (`last = { previous: last }`), one that grows at its tail, an object whose
//! method closes over the object it replaced, a string that is appended to: their weight sits behind a
//! single link, and a table of owners does not see them. In the retaining tree they are deep. From each
//! link where the old holds something new and deep, the deepest child is followed down; when the same kinds
//! of links come again and again, the path is a chain, and its period is how it is linked. How long the
//! chain was in the earlier snapshots is found by following the same links there. O(nodes + edges), and
//! O(length) for each of the few chains.

use leakline_heap::{Edge, EdgeType, HeapGraph, NodeId, NodeType};
use rustc_hash::{FxHashMap, FxHashSet};

use super::groups::{Class, Group, Pattern};
use super::tree::RetainingTree;

/// One link of a chain, by what it is called and where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Link {
    /// How it holds.
    pub kind: EdgeType,
    /// Its name; empty for links that are numbered.
    pub name: String,
    /// The type it leads to.
    pub to: NodeType,
    /// The class it leads to; empty for strings, whose name is their text.
    pub class: String,
}

impl Link {
    pub(super) fn of(graph: &HeapGraph, edge: Edge) -> Self {
        let to = graph.node_type(edge.to);
        let is_text = matches!(to, NodeType::String) || to.is_string();
        Self {
            kind: edge.kind,
            name: graph.edge_text(edge).unwrap_or_default().to_string(),
            to: if is_text { NodeType::String } else { to },
            class: if is_text { String::new() } else { graph.node_name(edge.to).to_string() },
        }
    }

    /// The link of that name from a node.
    pub(super) fn follow(&self, graph: &HeapGraph, from: NodeId) -> Option<NodeId> {
        let fits = |edge: &Edge| {
            edge.kind == self.kind
                && graph.edge_text(*edge).unwrap_or_default() == self.name
                && Self::of(graph, *edge) == *self
        };
        graph.edges(from).find(fits).map(|e| e.to)
    }
}

/// How a chain is linked: from its holder to the first member, and from each member to the next.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cycle {
    /// From the holder to the first member.
    pub entry: Link,
    /// From a member to the next one.
    pub links: Vec<Link>,
}

/// Fewer members than this are nesting, not a chain.
const MIN_LENGTH: usize = 16;

/// More links than this from a member to the next are met nowhere.
const MAX_PERIOD: usize = 24;

/// Deep places that are looked into.
const MAX_STARTS: usize = 16;

/// Lighter chains are not looked at.
const MIN_BYTES: u64 = 4 << 10;

/// The chains of new objects, unsorted.
pub(super) fn chains(
    graph: &HeapGraph,
    tree: &RetainingTree,
    is_new: &[bool],
    below: &[u64],
) -> Vec<Group> {
    let depth = depths(graph, tree, is_new);
    let mut starts: Vec<NodeId> = Vec::new();
    for node in tree.top_down() {
        if !is_new[node.index()]
            || (depth[node.index()] as usize) < MIN_LENGTH
            || below[node.index()] < MIN_BYTES
        {
            continue;
        }
        if tree.parent(node).is_some_and(|up| !is_new[up.from.index()]) {
            starts.push(node);
        }
    }
    starts.sort_by_key(|n| (std::cmp::Reverse(below[n.index()]), *n));
    starts.truncate(MAX_STARTS);
    starts.into_iter().filter_map(|start| chain(graph, tree, below, &depth, start)).collect()
}

/// For each new node how many new nodes are on the longest path down from it.
fn depths(graph: &HeapGraph, tree: &RetainingTree, is_new: &[bool]) -> Vec<u32> {
    let mut depth = vec![0u32; graph.node_count()];
    for node in tree.top_down().rev() {
        if !is_new[node.index()] {
            continue;
        }
        depth[node.index()] += 1;
        if let Some(up) = tree.parent(node).filter(|up| is_new[up.from.index()]) {
            let own = depth[node.index()];
            let above = &mut depth[up.from.index()];
            *above = own.max(*above);
        }
    }
    depth
}

/// Follows the deepest children down and folds what recurs.
fn chain(
    graph: &HeapGraph,
    tree: &RetainingTree,
    below: &[u64],
    depth: &[u32],
    start: NodeId,
) -> Option<Group> {
    let mut path = vec![start];
    loop {
        let at = path[path.len() - 1];
        let own = |e: &Edge| {
            tree.parent(e.to).is_some_and(|up| up.edge == e.id) && depth[e.to.index()] > 0
        };
        let next = graph.edges(at).filter(own).max_by_key(|e| (depth[e.to.index()], e.to))?.to;
        path.push(next);
        if depth[next.index()] <= 1 {
            break;
        }
    }
    let link_to = |node: NodeId| {
        let up = tree.parent(node)?;
        Some(Link::of(graph, graph.edge(up.edge)))
    };
    let links: Vec<Link> = path.iter().filter_map(|&n| link_to(n)).collect();
    if links.len() != path.len() {
        return None;
    }
    let mut times: FxHashMap<&Link, usize> = FxHashMap::default();
    // The first link comes from the holder and is called as that calls it.
    for link in &links[1..] {
        *times.entry(link).or_default() += 1;
    }
    let most = *times.values().max()?;
    if most < MIN_LENGTH || most * MAX_PERIOD < path.len() {
        return None;
    }
    // Of the kinds that come in every period, what the program made speaks best.
    let member_link = *times
        .iter()
        .filter(|(_, count)| **count * 10 >= most * 9)
        .map(|(link, _)| link)
        .max_by_key(|link| (plainness(link), std::cmp::Reverse((&link.class, &link.name))))?;
    let same = |link: &Link| link.to == member_link.to && link.class == member_link.class;
    let members_at: Vec<usize> =
        links.iter().enumerate().filter(|(_, l)| same(l)).map(|(i, _)| i).collect();
    let cycle = period(&links, &members_at)?;
    let first = *members_at.first()?;
    let owner = tree.parent(path[first])?.from;
    let members: Vec<NodeId> = members_at.iter().map(|&i| path[i]).collect();
    let mut sorted = members.clone();
    sorted.sort_unstable();
    Some(Group {
        owner,
        owners: vec![owner],
        stores: Vec::new(),
        pattern: Pattern::Chain(Cycle { entry: links[first].clone(), links: cycle }),
        class: Class::of(graph, members[0]),
        tree_bytes: below[members[0].index()],
        members: sorted,
    })
}

/// How much a link's target says to a developer: objects of the program, then functions, then the rest.
fn plainness(link: &Link) -> u8 {
    match link.to {
        NodeType::Object if !link.class.starts_with("system /") => 3,
        NodeType::Closure => 2,
        NodeType::String => 1,
        _ => 0,
    }
}

/// The links between two members that stand there most often.
fn period(links: &[Link], members_at: &[usize]) -> Option<Vec<Link>> {
    let mut times: FxHashMap<&[Link], usize> = FxHashMap::default();
    for pair in members_at.windows(2) {
        let between = links.get(pair[0] + 1..=pair[1])?;
        if between.len() <= MAX_PERIOD {
            *times.entry(between).or_default() += 1;
        }
    }
    let (best, count) = times.into_iter().max_by(|a, b| (a.1, b.0).cmp(&(b.1, a.0)))?;
    (count >= MIN_LENGTH / 2).then(|| best.to_vec())
}

/// The members of a chain that a holder has in one graph, first to last.
pub(super) fn members_of(graph: &HeapGraph, holder: NodeId, cycle: &Cycle) -> Vec<NodeId> {
    let mut found = Vec::new();
    let mut seen: FxHashSet<NodeId> = FxHashSet::default();
    // The first member may have been a plain value; then the chain begins nowhere.
    let mut at = cycle.entry.follow(graph, holder);
    while let Some(member) = at {
        if !seen.insert(member) {
            break;
        }
        found.push(member);
        at = cycle.links.iter().try_fold(member, |node, link| link.follow(graph, node));
    }
    found
}
