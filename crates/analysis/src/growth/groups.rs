//! Links from an owner to new objects, folded into groups that a person would name as one thing.

use leakline_heap::{Edge, EdgeType, HeapGraph, NodeId, NodeType};
use rustc_hash::{FxHashMap, FxHashSet};

use super::chains::{self, Chain};
use super::correspond::Correspondence;
use super::kept::Kept;
use super::swells::Swelling;
use super::tree::RetainingTree;
use super::{repeats, room, siblings, swells};
use crate::analysis::on_two_threads;
use crate::views::layout;

/// How an owner holds the members of a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pattern {
    /// Elements of an array.
    Elements,
    /// Entries of a `Map` or `Set`.
    Entries,
    /// Properties of an object used as a dictionary: a different name for each member.
    Keys,
    /// Names of an object used as a dictionary whose values are numbers or the like: only the keys are objects.
    Names,
    /// One property.
    Property(String),
    /// One variable of a scope.
    Variable(String),
    /// A numbered list of the runtime: handles, roots.
    List,
    /// One link of the runtime's own.
    Internal(String),
    /// A chain, each object of which holds the next; the members are its objects in order.
    Chain(Box<Chain>),
    /// No objects: a store of numbers, whose room grows.
    Room,
    /// One value that is larger each time.
    Size(Swelling),
    /// A list of the runtime's own that its members link themselves: timers, listeners of event targets.
    Kept(Kept),
}

/// What the members of a group are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Class {
    /// Their type.
    pub kind: NodeType,
    /// Constructor or function name; empty for strings, whose name is their text.
    pub name: String,
    /// For functions, script number, line and column (from 0): functions of one place are one class.
    pub location: Option<(i32, u32, u32)>,
}

impl Class {
    /// The class of a node.
    pub fn of(graph: &HeapGraph, node: NodeId) -> Self {
        let kind = graph.node_type(node);
        let kind = if kind.is_string() { NodeType::String } else { kind };
        let named = !matches!(kind, NodeType::String | NodeType::Number | NodeType::BigInt);
        Self {
            kind,
            name: if named { graph.node_name(node).to_string() } else { String::new() },
            location: (kind == NodeType::Closure)
                .then(|| graph.location(node).map(|l| (l.script_id, l.line, l.column)))
                .flatten(),
        }
    }

    /// The name people know the class by: `(closure)` and `(string)` as DevTools writes them.
    pub fn label(&self) -> &str {
        match self.kind {
            NodeType::String => "(string)",
            NodeType::Number => "(number)",
            NodeType::BigInt => "(bigint)",
            NodeType::Closure if self.name.is_empty() => "(closure)",
            NodeType::Array if self.name.is_empty() => "(array)",
            _ => &self.name,
        }
    }
}

/// New objects that one owner holds in one way.
#[derive(Clone, Debug)]
pub struct Group {
    /// Who holds them; of several owners the one that holds most.
    pub owner: NodeId,
    /// All owners: more than one where many of a kind grow, a Map per tenant.
    pub owners: Vec<NodeId>,
    /// The owners' own storage (a map's table, an array's elements), which holds the members too.
    pub stores: Vec<NodeId>,
    /// How.
    pub pattern: Pattern,
    /// What most of the bytes are.
    pub class: Class,
    /// The new objects.
    pub members: Vec<NodeId>,
    /// New bytes below the members in the retaining tree: the estimate that ranks groups.
    pub tree_bytes: u64,
}

/// From this many properties to new objects on, the names are keys, not fields. Few classes declare more
/// fields of one kind, and a dictionary that leaks passes it at once.
const MIN_KEYS: usize = 8;

/// An object that did not exist in the first snapshot (a cache made on first use) owns a growth site only
/// with this many members: every new object holds a few others.
const MIN_MEMBERS_OF_NEW_OWNER: usize = 16;

/// Fewer new objects than this in one place are not yet growth.
const MIN_MEMBERS: usize = 3;

/// Groups that grew, heaviest first, each with its count per snapshot. No group lies inside another.
pub fn growth_groups(
    graphs: &[&HeapGraph],
    earlier: &[Correspondence],
    tree: &RetainingTree,
    is_new: &[bool],
    below: &[u64],
) -> Vec<(Group, Vec<u64>)> {
    let last = graphs[graphs.len() - 1];
    let of_owners = |nodes: &[u32]| {
        let mut found = Vec::new();
        let mut dictionaries = siblings::Dictionaries::default();
        for owner in nodes.iter().map(|&node| NodeId(node)).filter(|&node| can_own(last, node)) {
            found.extend(groups_of_owner(last, tree, is_new, below, &mut dictionaries, owner));
            found.extend(repeats::of_owner(graphs[0], &earlier[0], last, is_new, owner));
            found.extend(room::of_owner(graphs[0], &earlier[0], last, owner));
        }
        found
    };
    let (near, far) = tree.halves();
    let (mut found, (of_far, chains)) = on_two_threads(
        || of_owners(near),
        || (of_owners(far), chains::find(last, tree, is_new, below)),
    );
    found.extend(of_far);
    found.extend(chains);
    let found = siblings::fold(last, tree, found, |owner| least_of(is_new, owner));
    let owners: FxHashSet<NodeId> = found.iter().flat_map(|g| g.owners.iter().copied()).collect();
    let swelling = swells::swells(graphs, earlier, tree, |owner| owners.contains(&owner));
    let mut found: Vec<(Group, Option<Vec<u64>>)> = found
        .into_iter()
        .map(|group| (group, None))
        .chain(swelling.into_iter().map(|(group, sizes)| (group, Some(sizes))))
        .collect();
    found.sort_by_key(|(g, _)| (std::cmp::Reverse(g.tree_bytes), g.owner));

    let mut covered = vec![false; last.node_count()];
    let mut kept = Vec::new();
    for (group, sizes) in found {
        // Bounds the work on heaps with very many small sites; the rest is lighter than any of these.
        if kept.len() >= 64 {
            break;
        }
        // What is old was held before, whatever new object it is reached through on the cheapest way now.
        if covered[tree.position(group.owner) as usize] && is_new[group.owner.index()] {
            continue;
        }
        let counts = sizes.unwrap_or_else(|| counts(graphs, earlier, tree, &group));
        if counts.first() >= counts.last() {
            continue;
        }
        for &member in &group.members {
            // Ranges of members are disjoint or equal; a filled one is not filled again.
            let range = tree.range(member);
            if tree.is_reached(member) && !covered[range.start as usize] {
                covered[range.start as usize..range.end as usize].fill(true);
            }
        }
        kept.push((group, counts));
    }
    kept
}

/// For each node, the shallow size of the new nodes at and below it in the tree.
pub(super) fn new_bytes_below(
    graph: &HeapGraph,
    tree: &RetainingTree,
    is_new: &[bool],
) -> Vec<u64> {
    let mut below = vec![0u64; graph.node_count()];
    for node in tree.top_down().rev() {
        if is_new[node.index()] {
            below[node.index()] += graph.self_size(node);
        }
        if let Some(up) = tree.parent(node) {
            below[up.from.index()] += below[node.index()];
        }
    }
    below
}

/// Compiled code, hidden classes and feedback grow while a program warms up; they hold nothing for the user.
fn can_own(graph: &HeapGraph, node: NodeId) -> bool {
    !matches!(graph.node_type(node), NodeType::Code | NodeType::ObjectShape | NodeType::Number)
        && !graph.node_type(node).is_string()
}

/// The owner of a store and how its slots hold, when the node is one.
fn store_of(
    graph: &HeapGraph,
    tree: &RetainingTree,
    node: NodeId,
) -> Option<(NodeId, &'static str)> {
    if graph.node_type(node) != NodeType::Array {
        return None;
    }
    let up = tree.parent(node)?;
    match graph.edge_text(graph.edge(up.edge)) {
        Some("table") => Some((up.from, "table")),
        Some("elements") => Some((up.from, "elements")),
        Some("properties") => Some((up.from, "properties")),
        _ => None,
    }
}

fn groups_of_owner(
    graph: &HeapGraph,
    tree: &RetainingTree,
    is_new: &[bool],
    below: &[u64],
    dictionaries: &mut siblings::Dictionaries,
    node: NodeId,
) -> Vec<Group> {
    let store = store_of(graph, tree, node);
    // Slots of `elements` and `properties` are drawn a second time as the object's own elements and properties.
    match store {
        Some((owner, "properties")) => {
            return names_of_dictionary(graph, tree, is_new, below, owner, node)
                .into_iter()
                .collect();
        }
        Some((_, "elements")) => return Vec::new(),
        _ => {}
    }
    let links: Vec<Edge> =
        graph.edges(node).filter(|e| is_new[e.to.index()] && holds(graph, *e)).collect();
    if links.is_empty() {
        return Vec::new();
    }
    let owner = store.map_or(node, |(owner, _)| owner);
    let mut least = least_of(is_new, node);
    if links.len() < least {
        // One of many collections in another may have gained a single entry; together they tell.
        let is_collection = store.is_some() || graph.node_name(owner) == "Array";
        let container = is_collection
            .then(|| siblings::container_of(graph, tree, dictionaries, owner))
            .flatten();
        if container.is_none_or(|c| is_new[c.index()]) {
            return Vec::new();
        }
        least = 1;
    }
    let stores: Vec<NodeId> = graph
        .edges(owner)
        .filter(|e| {
            e.kind == EdgeType::Internal
                && matches!(graph.edge_text(*e), Some("elements" | "properties" | "table"))
        })
        .map(|e| e.to)
        .collect();
    let keyed = links.iter().filter(|e| e.kind == EdgeType::Property).count() >= MIN_KEYS;
    let mut folded: FxHashMap<(Pattern, Option<Class>), Vec<NodeId>> = FxHashMap::default();
    for edge in links {
        let pattern = pattern_of(graph, edge, store.is_some(), keyed, node);
        // Functions are told apart by their place, and what hangs in a list of the runtime's by its class;
        // everything else in one place is one thing.
        let apart = graph.node_type(edge.to) == NodeType::Closure
            || graph.node_type(node) == NodeType::Synthetic;
        let class = apart.then(|| Class::of(graph, edge.to));
        folded.entry((pattern, class)).or_default().push(edge.to);
    }
    fold_compiled(graph, least, &mut folded);
    let own_bytes = |members: &[NodeId]| -> u64 {
        let own = members.iter().filter(|m| tree.parent(**m).is_some_and(|up| up.from == node));
        own.map(|m| below[m.index()]).sum()
    };
    let mut groups = Vec::new();
    for ((pattern, class), mut members) in folded {
        members.sort_unstable();
        members.dedup();
        if members.len() < least {
            continue;
        }
        let class = class.unwrap_or_else(|| heaviest_class(graph, below, &members));
        let tree_bytes = own_bytes(&members);
        if pattern == Pattern::Keys {
            // An entry is its key too, as in a map's table.
            members.extend(new_names(graph, is_new, &stores));
            members.sort_unstable();
            members.dedup();
        }
        groups.push(Group {
            owner,
            owners: vec![owner],
            stores: stores.clone(),
            pattern,
            class,
            members,
            tree_bytes,
        });
    }
    groups
}

/// Functions of one place are one class; but what is compiled anew for each (`new Function`, `eval`) has a
/// script of its own each time, and is one class to a person. Such functions are put together.
fn fold_compiled(
    graph: &HeapGraph,
    least: usize,
    folded: &mut FxHashMap<(Pattern, Option<Class>), Vec<NodeId>>,
) {
    let mut apart: FxHashMap<Pattern, Vec<NodeId>> = FxHashMap::default();
    for ((pattern, class), members) in folded.iter() {
        let is_function = class.as_ref().is_some_and(|c| c.kind == NodeType::Closure);
        if is_function && members.len() < least {
            apart.entry(pattern.clone()).or_default().extend(members);
        }
    }
    for (pattern, members) in apart {
        let mut scripts: Vec<i32> =
            members.iter().filter_map(|m| graph.location(*m)).map(|l| l.script_id).collect();
        scripts.sort_unstable();
        scripts.dedup();
        // Functions of one file are so many places, not so many of one thing.
        if members.len() < MIN_COMPILED.max(least) || scripts.len() * 2 < members.len() {
            continue;
        }
        let first = graph.node_name(members[0]);
        let name = if members.iter().all(|m| graph.node_name(*m) == first) { first } else { "" };
        let class = Class { kind: NodeType::Closure, name: name.to_string(), location: None };
        let is_function =
            |c: &Option<Class>| c.as_ref().is_some_and(|c| c.kind == NodeType::Closure);
        folded.retain(|(p, c), m| *p != pattern || !is_function(c) || m.len() >= least);
        folded.insert((pattern, Some(class)), members);
    }
}

/// Fewer functions with a script each than this may be modules that were loaded late.
const MIN_COMPILED: usize = 8;

/// How many new members make a group of one owner.
fn least_of(is_new: &[bool], owner: NodeId) -> usize {
    if is_new[owner.index()] { MIN_MEMBERS_OF_NEW_OWNER } else { MIN_MEMBERS }
}

/// The names in a dictionary's store, where the values are no objects of their own: `counts[key] = 1`.
fn names_of_dictionary(
    graph: &HeapGraph,
    tree: &RetainingTree,
    is_new: &[bool],
    below: &[u64],
    owner: NodeId,
    store: NodeId,
) -> Option<Group> {
    let mut members = new_names(graph, is_new, &[store]);
    members.sort_unstable();
    members.dedup();
    if members.len() < MIN_MEMBERS_OF_NEW_OWNER {
        return None;
    }
    let values = graph
        .edges(owner)
        .filter(|e| e.kind == EdgeType::Property && is_new[e.to.index()] && holds(graph, *e));
    // With values the object's own properties make the group.
    if values.count() * 2 >= members.len() {
        return None;
    }
    let own = |m: &&NodeId| tree.parent(**m).is_some_and(|up| up.from == store);
    Some(Group {
        owner,
        owners: vec![owner],
        stores: vec![store],
        pattern: Pattern::Names,
        class: Class { kind: NodeType::String, name: String::new(), location: None },
        // V8's table of names holds them as well, but only as long as somebody else does.
        tree_bytes: members.iter().filter(own).map(|m| below[m.index()]).sum(),
        members,
    })
}

/// New names in a dictionary's store.
fn new_names(graph: &HeapGraph, is_new: &[bool], stores: &[NodeId]) -> Vec<NodeId> {
    let names = stores.iter().flat_map(|&store| names_in(graph, store)).map(|e| e.to);
    names.filter(|n| is_new[n.index()]).collect()
}

fn names_in(graph: &HeapGraph, store: NodeId) -> impl Iterator<Item = Edge> + '_ {
    graph.edges(store).filter(|e| {
        e.kind == EdgeType::Internal
            && graph.node_type(e.to).is_string()
            && graph.edge_text(*e).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Whether a link of an object is one that can hold members of a group.
fn holds(graph: &HeapGraph, edge: Edge) -> bool {
    match edge.kind {
        EdgeType::Property => graph.edge_text(edge) != Some("__proto__"),
        EdgeType::Element | EdgeType::Context | EdgeType::Hidden => true,
        EdgeType::Internal => graph.edge_text(edge).is_some_and(|n| !OWN_LINKS.contains(&n)),
        EdgeType::Shortcut | EdgeType::Weak | EdgeType::Other => false,
    }
}

/// Links from an object to its own parts.
const OWN_LINKS: [&str; 9] = [
    "map",
    "elements",
    "properties",
    "table",
    "shared",
    "code",
    "feedback_cell",
    "context",
    "script",
];

fn pattern_of(
    graph: &HeapGraph,
    edge: Edge,
    in_table: bool,
    keyed: bool,
    owner: NodeId,
) -> Pattern {
    if in_table {
        return Pattern::Entries;
    }
    let name = || graph.edge_text(edge).unwrap_or_default().to_string();
    match edge.kind {
        EdgeType::Property if keyed => Pattern::Keys,
        EdgeType::Property => Pattern::Property(name()),
        EdgeType::Context => Pattern::Variable(name()),
        EdgeType::Element if graph.node_type(owner) == NodeType::Object => Pattern::Elements,
        EdgeType::Internal if !name().bytes().all(|b| b.is_ascii_digit()) => {
            Pattern::Internal(name())
        }
        _ => Pattern::List,
    }
}

fn heaviest_class(graph: &HeapGraph, below: &[u64], members: &[NodeId]) -> Class {
    let mut weight: FxHashMap<Class, u64> = FxHashMap::default();
    for &m in members {
        // A group of tiny equals is decided by number: each counts a byte more than it weighs.
        *weight.entry(Class::of(graph, m)).or_default() += below[m.index()] + 1;
    }
    let fallback = || Class { kind: NodeType::Other, name: String::new(), location: None };
    weight
        .into_iter()
        .max_by(|a, b| (a.1, &b.0.name).cmp(&(b.1, &a.0.name)))
        .map_or_else(fallback, |(c, _)| c)
}

/// How many members of the group's class the owners held in each snapshot, first to last.
fn counts(
    graphs: &[&HeapGraph],
    earlier: &[Correspondence],
    tree: &RetainingTree,
    group: &Group,
) -> Vec<u64> {
    let last = graphs[graphs.len() - 1];
    let mut counts = Vec::with_capacity(graphs.len());
    for (graph, at) in graphs.iter().zip(earlier) {
        let held = group.owners.iter().map(|&owner| match at.get(owner) {
            Some(owner) => count_held(graph, owner, group),
            None => u64::from(stood_alone(last, tree, graph, at, owner, group)),
        });
        let mut held: u64 = held.sum();
        if matches!(group.pattern, Pattern::Chain(_)) {
            // The holder of a chain's head may be a new one each time; the chain's objects are the same.
            held = held.max(group.members.iter().filter(|m| !at.is_absent(**m)).count() as u64);
        }
        counts.push(held);
    }
    counts.push(group.owners.iter().map(|&owner| count_held(last, owner, group)).sum());
    counts
}

/// Whether in the place of the list one member stood alone: an emitter keeps its only listener without a list
/// around it, and many programs do so with their first value.
fn stood_alone(
    last: &HeapGraph,
    tree: &RetainingTree,
    graph: &HeapGraph,
    at: &Correspondence,
    owner: NodeId,
    group: &Group,
) -> bool {
    let before = || {
        let up = tree.parent(owner)?;
        let edge = last.edge(up.edge);
        let holder = at.get(up.from).filter(|_| edge.kind == EdgeType::Property)?;
        graph.find_edge(holder, EdgeType::Property, last.edge_text(edge)?)
    };
    group.pattern == Pattern::Elements && before().is_some_and(|e| is_of(graph, e.to, &group.class))
}

fn is_of(graph: &HeapGraph, node: NodeId, wanted: &Class) -> bool {
    let kind = graph.node_type(node);
    if kind != wanted.kind && !(kind.is_string() && wanted.kind == NodeType::String) {
        return false;
    }
    match wanted.kind {
        NodeType::String | NodeType::Number | NodeType::BigInt => true,
        // Functions that were compiled one by one share no place, and perhaps no name.
        NodeType::Closure if wanted.location.is_none() && wanted.name.is_empty() => true,
        _ if graph.node_name(node) != wanted.name => false,
        // Script numbers are one process's; the same process is what is compared.
        NodeType::Closure => match (graph.location(node), wanted.location) {
            (Some(a), Some(b)) => (a.script_id, a.line, a.column) == b,
            _ => true,
        },
        _ => true,
    }
}

/// The links by which `owner` holds members of the group's class, by the group's pattern, each with its slot:
/// in a hash table the slot's number, everywhere else 0.
pub(super) fn held_edges<'a>(
    graph: &'a HeapGraph,
    owner: NodeId,
    group: &'a Group,
) -> impl Iterator<Item = (usize, Edge)> + 'a {
    let entries = group.pattern == Pattern::Entries;
    let store = match group.pattern {
        Pattern::Entries => Some("table"),
        Pattern::Names => Some("properties"),
        _ => None,
    };
    let from = match store {
        Some(name) => graph.find_edge(owner, EdgeType::Internal, name).map(|e| e.to),
        None => Some(owner),
    };
    // A map's table holds key, value and chain per entry (every third slot is a key), a set's key and chain.
    let stride = if is_set(graph, owner) { 2 } else { 3 };
    from.into_iter().flat_map(move |from| graph.edges(from)).filter_map(move |e| {
        if entries {
            let slot = graph.edge_text(e).and_then(|n| n.parse::<usize>().ok())?;
            return Some((slot % stride, e));
        }
        if group.pattern == Pattern::Names {
            let is_name = graph.node_type(e.to).is_string() && e.kind == EdgeType::Internal;
            return is_name.then_some((0, e));
        }
        if !holds(graph, e) {
            return None;
        }
        let fits = match &group.pattern {
            Pattern::Elements => e.kind == EdgeType::Element,
            Pattern::Keys => e.kind == EdgeType::Property,
            Pattern::Property(name) => {
                e.kind == EdgeType::Property && graph.edge_text(e) == Some(name)
            }
            Pattern::Variable(name) => {
                e.kind == EdgeType::Context && graph.edge_text(e) == Some(name)
            }
            Pattern::Internal(name) => {
                e.kind == EdgeType::Internal && graph.edge_text(e) == Some(name)
            }
            Pattern::List => !matches!(e.kind, EdgeType::Property | EdgeType::Context),
            // A chain is followed, a store and a value are weighed, and what the runtime keeps is counted by kind.
            Pattern::Entries
            | Pattern::Names
            | Pattern::Chain(_)
            | Pattern::Room
            | Pattern::Size(_)
            | Pattern::Kept(_) => false,
        };
        (fits && is_of(graph, e.to, &group.class)).then_some((0, e))
    })
}

/// Whether a collection is a `Set`, or of a class that extends it: its table has no values. The
/// table's size tells, whatever the class is called; where it does not, the name does.
fn is_set(graph: &HeapGraph, owner: NodeId) -> bool {
    let table = graph.find_edge(owner, EdgeType::Internal, "table").map(|e| e.to);
    match table.and_then(|table| layout::table_of(graph, table)) {
        Some(kind) => kind == layout::Table::Set,
        None => graph.node_name(owner).ends_with("Set"),
    }
}

/// How many of the group's class `owner` holds in `graph`, by the group's pattern.
fn count_held(graph: &HeapGraph, owner: NodeId, group: &Group) -> u64 {
    match &group.pattern {
        Pattern::Chain(chain) => return chains::length(graph, owner, chain),
        Pattern::Room => return room::room(graph, owner),
        _ => {}
    }
    let mut by_slot = [0u64; 3];
    for (slot, edge) in held_edges(graph, owner, group) {
        // Slots of one kind are counted, so that keys and values of one class are not counted twice.
        if group.pattern != Pattern::Entries || is_of(graph, edge.to, &group.class) {
            by_slot[slot] += 1;
        }
    }
    by_slot.into_iter().max().unwrap_or(0)
}
