//! Single values that swell: a string or a buffer that is put together anew each time.
//!
//! `all = Buffer.concat([all, chunk])` replaces one object by a larger one. No owner gains members, but one
//! place holds more bytes in each snapshot. Large values are therefore followed by their place: from the value up to the nearest object that
//! an earlier snapshot has, and down the same links there. O(nodes), and a few links for each large value.

use leakline_heap::{HeapGraph, NodeId, NodeType};

use super::chains::Link;
use super::correspond::Correspondence;
use super::groups::{Class, Group, Pattern};
use super::tree::RetainingTree;

/// Smaller values are not followed.
const MIN_SIZE: u64 = 8 << 10;

/// Less growth than this is no explanation of anything.
const MIN_GROWTH: u64 = 8 << 10;

/// Large values that are followed, largest first.
const MAX_VALUES: usize = 128;

/// Links from a value up to what the earlier snapshot knows.
const MAX_LINKS: usize = 8;

/// What a swelling value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Swelling {
    /// A string that begins as the earlier one did.
    Text,
    /// A buffer, or another string: that it is larger may be chance.
    Value,
}

/// Values that are larger in each snapshot, with their sizes in bytes.
pub(super) fn swells(
    graphs: &[&HeapGraph],
    earlier: &[Correspondence],
    tree: &RetainingTree,
    has_group: impl Fn(NodeId) -> bool,
) -> Vec<(Group, Vec<u64>)> {
    let Some(&last) = graphs.last() else { return Vec::new() };
    let mut large: Vec<NodeId> = last
        .nodes()
        .filter(|n| last.self_size(*n) >= MIN_SIZE && tree.is_reached(*n) && can_swell(last, *n))
        .collect();
    large.sort_by_key(|n| (std::cmp::Reverse(last.self_size(*n)), *n));
    large.truncate(MAX_VALUES);
    large
        .into_iter()
        .filter_map(|value| {
            let owner = owner_of(last, tree, value)?;
            if has_group(owner) {
                return None;
            }
            let before: Vec<Option<NodeId>> = graphs
                .iter()
                .zip(earlier)
                .map(|(graph, at)| same_place(graph, at, last, tree, value))
                .collect();
            swell(graphs, last, value, owner, &before)
        })
        .collect()
}

fn swell(
    graphs: &[&HeapGraph],
    last: &HeapGraph,
    value: NodeId,
    owner: NodeId,
    before: &[Option<NodeId>],
) -> Option<(Group, Vec<u64>)> {
    let size = last.self_size(value);
    let size_in = |(graph, node): (&&HeapGraph, &Option<NodeId>)| {
        node.map_or(0, |node| graph.self_size(node))
    };
    let mut sizes: Vec<u64> = graphs.iter().zip(before).map(size_in).collect();
    sizes.push(size);
    let rises = sizes.windows(2).all(|w| w[0] < w[1]);
    if !rises || size - sizes[0] < MIN_GROWTH {
        return None;
    }
    let growth = size - sizes[0];
    let alike = begins_alike(graphs, last, value, before);
    let swelling = if alike { Swelling::Text } else { Swelling::Value };
    let group = Group {
        owner,
        owners: vec![owner],
        stores: vec![value],
        pattern: Pattern::Size(swelling),
        class: Class::of(last, value),
        members: vec![value],
        tree_bytes: growth,
    };
    Some((group, sizes))
}

/// Texts this long that begin alike are one text that was added to.
const MIN_PREFIX: usize = 24;

fn begins_alike(
    graphs: &[&HeapGraph],
    last: &HeapGraph,
    value: NodeId,
    before: &[Option<NodeId>],
) -> bool {
    if !last.node_type(value).is_string() {
        return false;
    }
    let start = |graph: &HeapGraph, node: NodeId| -> Vec<u8> {
        graph.node_name(node).bytes().take(MIN_PREFIX).collect()
    };
    let own = start(last, value);
    own.len() == MIN_PREFIX
        && graphs
            .iter()
            .zip(before)
            .all(|(graph, node)| node.is_none_or(|node| own.starts_with(&start(graph, node))))
}

/// Strings and the bytes of buffers.
fn can_swell(graph: &HeapGraph, node: NodeId) -> bool {
    match graph.node_type(node) {
        NodeType::String => true,
        NodeType::Native => graph.node_name(node).ends_with("ArrayBufferData"),
        _ => false,
    }
}

/// The object that the program knows the value by: the buffer of the bytes, the string itself.
fn owner_of(graph: &HeapGraph, tree: &RetainingTree, value: NodeId) -> Option<NodeId> {
    match graph.node_type(value) {
        NodeType::String => {
            // Texts of scripts, and names in tables of V8, are the runtime's.
            let up = tree.parent(value)?;
            matches!(graph.node_type(up.from), NodeType::Object | NodeType::Array).then_some(value)
        }
        _ => {
            let mut at = value;
            for _ in 0..3 {
                let up = tree.parent(at)?;
                let link = graph.edge_text(graph.edge(up.edge));
                if !matches!(link, Some("backing_store" | "buffer" | "extension")) {
                    break;
                }
                at = up.from;
            }
            (at != value).then_some(at)
        }
    }
}

/// What stands in the value's place in an earlier graph.
fn same_place(
    graph: &HeapGraph,
    at: &Correspondence,
    last: &HeapGraph,
    tree: &RetainingTree,
    value: NodeId,
) -> Option<NodeId> {
    let mut links = Vec::new();
    let mut node = value;
    let mut known = None;
    for _ in 0..MAX_LINKS {
        if let Some(counterpart) = at.get(node) {
            known = Some(counterpart);
            break;
        }
        let up = tree.parent(node)?;
        let link = Link::of(last, last.edge(up.edge));
        // A slot is a position and no place.
        link.name.as_ref()?;
        links.push(link);
        node = up.from;
    }
    links.iter().rev().try_fold(known?, |node, link| {
        graph.edges(node).find(|e| link.fits(graph, *e)).map(|e| e.to)
    })
}
