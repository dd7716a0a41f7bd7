//! Groups that are one thing to a person: a Map per tenant, listeners on every socket.
//!
//! A program that keeps one collection per user leaks into hundreds of owners at once, each too small to
//! stand for the leak. Such owners hang in one container (`tenants.get(…)`, `rooms[…].log`), and listeners
//! of one function pile up on many emitters; both are folded into one group with many owners. O(groups).

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};
use rustc_hash::FxHashMap;

use super::groups::{Class, Group, Pattern};
use super::tree::RetainingTree;

/// Property links between an owner and the entry of the container it hangs in.
const MAX_LINKS: usize = 3;

/// One function on this many emitters is a pattern; on two, it may be two statements.
const MIN_EMITTERS: usize = 3;

#[derive(PartialEq, Eq, Hash)]
enum Role<'a> {
    /// In which container, and by which properties below its entry.
    Entry(NodeId, Vec<&'a str>),
    /// The class of the holder and the property by which it holds: a socket's list for `close`.
    Listeners(&'a str, &'a str),
}

/// Folds groups of owners that play one role. The heaviest owner stays the group's first.
pub(super) fn fold(graph: &HeapGraph, tree: &RetainingTree, groups: Vec<Group>) -> Vec<Group> {
    let mut by_role: FxHashMap<(Role<'_>, Pattern, Class, &str), Vec<Group>> = FxHashMap::default();
    let mut out = Vec::new();
    for group in groups {
        match role(graph, tree, &group) {
            Some(role) => {
                let owner_class = graph.node_name(group.owner);
                let key = (role, group.pattern.clone(), group.class.clone(), owner_class);
                by_role.entry(key).or_default().push(group);
            }
            None => out.push(group),
        }
    }
    for ((role, ..), mut alike) in by_role {
        if matches!(role, Role::Listeners(..)) && alike.len() < MIN_EMITTERS {
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
        out.push(first);
    }
    out
}

fn role<'a>(graph: &'a HeapGraph, tree: &RetainingTree, group: &Group) -> Option<Role<'a>> {
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
    let mut names = Vec::new();
    let mut at = group.owner;
    while names.len() <= MAX_LINKS {
        let up = tree.parent(at)?;
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
            EdgeType::Property => names.push(graph.edge_text(edge)?),
            _ => return None,
        }
        at = up.from;
    }
    None
}
