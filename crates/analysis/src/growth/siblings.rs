//! Groups that are one thing to a person: a Map per tenant, listeners on every socket.
//!
//! A program that keeps one collection per user leaks into hundreds of owners at once, each too small to
//! stand for the leak. Such owners hang in one container (`tenants.get(…)`, `rooms[…].log`), and listeners
//! of one function pile up on many emitters; both are folded into one group with many owners. O(groups).

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};
use rustc_hash::FxHashMap;

use super::groups::{Class, Group, Pattern};
use super::tree::RetainingTree;

/// So many properties that lead to objects of one class are keys. (As `MIN_KEYS` of new objects.)
const MIN_KEYS: usize = 8;

/// So many growing collections of one class under properties of one object are one dictionary.
const MIN_UNDER_KEYS: usize = 4;

/// A folded group has at least so many members: each of many owners may have gained a single one.
const MIN_FOLDED: usize = 16;

/// Property links between an owner and the entry of the container it hangs in.
const MAX_LINKS: usize = 3;

/// One function on this many emitters is a pattern; on two, it may be two statements.
const MIN_EMITTERS: usize = 3;

#[derive(PartialEq, Eq, Hash)]
enum Role<'a> {
    /// In which container, and by which properties below its entry.
    Entry(NodeId, Vec<&'a str>),
    /// Under a key of this object, if there are enough of them.
    Key(NodeId),
    /// The class of the holder and the property by which it holds: a socket's list for `close`.
    Listeners(&'a str, &'a str),
}

/// Folds groups of owners that play one role. The heaviest owner stays the group's first.
///
/// A group with fewer members than `least` says for its owner is no growth unless it is folded with others.
pub(super) fn fold(
    graph: &HeapGraph,
    tree: &RetainingTree,
    groups: Vec<Group>,
    least: impl Fn(NodeId) -> usize,
) -> Vec<Group> {
    let mut dictionaries = Dictionaries::default();
    let mut by_role: FxHashMap<(Role<'_>, Pattern, Class, &str), Vec<Group>> = FxHashMap::default();
    let mut out = Vec::new();
    for group in groups {
        match role(graph, tree, &mut dictionaries, &group) {
            Some(role) => {
                let owner_class = graph.node_name(group.owner);
                let key = (role, group.pattern.clone(), group.class.clone(), owner_class);
                by_role.entry(key).or_default().push(group);
            }
            None => out.push(group),
        }
    }
    for ((role, ..), mut alike) in by_role {
        let least = match role {
            Role::Listeners(..) => MIN_EMITTERS,
            Role::Key(_) => MIN_UNDER_KEYS,
            Role::Entry(..) => 2,
        };
        if alike.len() < least {
            out.append(&mut alike);
            continue;
        }
        alike.sort_by_key(|g| (std::cmp::Reverse(g.tree_bytes), g.owner));
        let mut alike = alike.into_iter();
        let Some(mut first) = alike.next() else { continue };
        for other in alike {
            first.owners.extend(other.owners);
            first.stores.extend(other.stores);
            first.members.extend(other.members);
            first.tree_bytes += other.tree_bytes;
        }
        first.members.sort_unstable();
        first.members.dedup();
        if first.members.len() >= MIN_FOLDED {
            out.push(first);
        }
    }
    out.retain(|g| g.owners.len() > 1 || g.members.len() >= least(g.owner) || is_by_nature(g));
    out
}

/// Groups whose members are no count: a store, a function in many slots.
fn is_by_nature(group: &Group) -> bool {
    match group.pattern {
        Pattern::Room | Pattern::Chain(_) => true,
        Pattern::Elements => group.members.iter().any(|m| group.stores.contains(m)),
        _ => false,
    }
}

/// Whether the owner is an entry of a collection, and of which.
pub(super) fn container_of(
    graph: &HeapGraph,
    tree: &RetainingTree,
    dictionaries: &mut Dictionaries,
    owner: NodeId,
) -> Option<NodeId> {
    match place_of(graph, tree, dictionaries, owner)? {
        Role::Entry(container, _) => Some(container),
        Role::Key(_) | Role::Listeners(..) => None,
    }
}

/// Which objects are used as dictionaries; each is looked at once.
#[derive(Default)]
pub(super) struct Dictionaries {
    known: FxHashMap<(NodeId, u32), bool>,
}

impl Dictionaries {
    /// Whether the object holds many of that class by property.
    fn has_many(&mut self, graph: &HeapGraph, object: NodeId, like: NodeId) -> bool {
        let class = graph.node_name_index(like);
        *self.known.entry((object, class)).or_insert_with(|| {
            let alike = graph
                .edges(object)
                .filter(|e| e.kind == EdgeType::Property && graph.node_name_index(e.to) == class);
            alike.take(MIN_KEYS).count() >= MIN_KEYS
        })
    }
}

fn role<'a>(
    graph: &'a HeapGraph,
    tree: &RetainingTree,
    dictionaries: &mut Dictionaries,
    group: &Group,
) -> Option<Role<'a>> {
    if group.class.kind == NodeType::Closure && group.pattern == Pattern::Elements {
        let up = tree.parent(group.owner)?;
        let edge = graph.edge(up.edge);
        if edge.kind == EdgeType::Property {
            let holder = tree.parent(up.from).map_or(up.from, |above| above.from);
            return Some(Role::Listeners(graph.node_name(holder), graph.edge_text(edge)?));
        }
    }
    if !matches!(group.pattern, Pattern::Elements | Pattern::Entries | Pattern::Keys) {
        return None;
    }
    place_of(graph, tree, dictionaries, group.owner)
}

/// Where an owner hangs, seen from the container it is part of.
fn place_of<'a>(
    graph: &'a HeapGraph,
    tree: &RetainingTree,
    dictionaries: &mut Dictionaries,
    owner: NodeId,
) -> Option<Role<'a>> {
    let mut names = Vec::new();
    let mut at = owner;
    let mut by_key = None;
    while names.len() <= MAX_LINKS {
        let Some(up) = tree.parent(at) else { break };
        let edge = graph.edge(up.edge);
        let kind = graph.node_type(up.from);
        match edge.kind {
            EdgeType::Element if kind == NodeType::Object => {
                return Some(Role::Entry(up.from, names));
            }
            EdgeType::Internal if kind == NodeType::Array => {
                let container = tree.parent(up.from)?;
                let is_table = graph.edge_text(graph.edge(container.edge)) == Some("table");
                return is_table.then_some(Role::Entry(container.from, names));
            }
            EdgeType::Property if kind == NodeType::Object => {
                if dictionaries.has_many(graph, up.from, at) {
                    return Some(Role::Entry(up.from, names));
                }
                if names.is_empty() {
                    by_key = Some(Role::Key(up.from));
                }
                names.push(graph.edge_text(edge)?);
            }
            _ => break,
        }
        at = up.from;
    }
    by_key
}
