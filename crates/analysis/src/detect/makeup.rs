//! What the members of a site are made of: where their bytes lie, below which links.
//!
//! A Map of small objects may be a Map of large buffers, of substrings that pin whole documents, or of
//! functions whose scope holds a table. The site's class does not say; a walk over what hangs below some
//! of its members does. Bounded: some members, some nodes of each.

use leakline_heap::{EdgeType, NodeId, NodeType};
use rustc_hash::FxHashMap;

use super::Context;
use crate::growth::GrowthSite;
use crate::scripts::is_builtin;

/// Members that are looked at, spread over all of them.
const MAX_MEMBERS: usize = 96;

/// Nodes that are looked at below one member.
const MAX_NODES: usize = 6_000;

/// Where the bytes of a site's members lie. Sums over the members that were looked at.
#[derive(Debug, Default)]
pub(super) struct MakeUp {
    /// Members that were looked at.
    pub members: u64,
    /// All bytes at and below them.
    pub bytes: u64,
    /// Of these, stores of `ArrayBuffer`s.
    pub buffers: u64,
    /// How many such stores there are.
    pub buffer_count: u64,
    /// Objects that look at stores: typed arrays, `Buffer`s, `DataView`s.
    pub views: u64,
    /// Bytes of strings that only pieces of them keep.
    pub pinned: u64,
    /// Pieces that keep them.
    pub pieces: u64,
    /// Global scopes with all built-ins of their own.
    pub native_contexts: u64,
    /// Functions of scripts that are no file: compiled from text.
    pub compiled: u64,
    /// The variable of a scope that most bytes lie behind, and the function that keeps the scope.
    pub variable: Option<Captured>,
}

/// What a function keeps by its scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Captured {
    /// The variable.
    pub variable: String,
    /// Bytes behind it.
    pub bytes: u64,
    /// The function.
    pub function: NodeId,
}

impl MakeUp {
    /// Whether at least half of all bytes are of a kind.
    pub fn mostly(&self, part: u64) -> bool {
        self.bytes > 0 && part.saturating_mul(2) >= self.bytes
    }
}

/// A node to look at, and by which function's variable it was reached.
struct Step {
    node: NodeId,
    function: Option<NodeId>,
    /// The scope's variable that it lies behind: index into a table of names.
    behind: Option<(NodeId, u32)>,
    pinned: bool,
}

/// Walks below the members of a site.
pub(super) fn make_up(context: &Context<'_>, site: &GrowthSite) -> MakeUp {
    let graph = context.graph();
    let tree = &context.growth.tree;
    let members = &site.group.members;
    let mut found = MakeUp::default();
    let mut behind: FxHashMap<(u32, u64), (u64, NodeId)> = FxHashMap::default();
    let stride = members.len().div_ceil(MAX_MEMBERS).max(1);
    let mut todo = Vec::new();
    for &member in members.iter().rev().step_by(stride) {
        found.members += 1;
        todo.clear();
        todo.push(Step { node: member, function: None, behind: None, pinned: false });
        let mut looked_at = 0;
        while let Some(step) = todo.pop() {
            looked_at += 1;
            if looked_at > MAX_NODES {
                break;
            }
            let node = step.node;
            let size = graph.self_size(node);
            let kind = graph.node_type(node);
            found.bytes += size;
            if step.pinned {
                found.pinned += size;
            }
            if let Some((function, variable)) = step.behind {
                let place = graph.location(function).map_or(u64::from(function.0), |l| {
                    (u64::from(l.line) << 32) | u64::from(l.column)
                });
                let entry = behind.entry((variable, place)).or_insert((0, function));
                entry.0 += size;
            }
            match kind {
                NodeType::Native if is_store(graph.node_name(node)) => {
                    found.buffers += size;
                    found.buffer_count += 1;
                }
                NodeType::SlicedString => found.pieces += 1,
                NodeType::Closure if is_compiled(context, node) => found.compiled += 1,
                _ if graph.node_name(node).starts_with("system / NativeContext") => {
                    found.native_contexts += 1;
                }
                _ => {}
            }
            let of_scope = graph.node_name(node) == "system / Context";
            for edge in graph.edges(node) {
                // The ways of the tree lead to each node once, so no node is counted twice.
                if tree.parent(edge.to).is_none_or(|up| up.edge != edge.id) {
                    continue;
                }
                let text = graph.edge_text(edge);
                if kind == NodeType::Object && text == Some("buffer") {
                    found.views += 1;
                }
                let by_scope = of_scope && edge.kind == EdgeType::Context && step.behind.is_none();
                todo.push(Step {
                    node: edge.to,
                    function: if kind == NodeType::Closure { Some(node) } else { step.function },
                    behind: match step.function.filter(|_| by_scope) {
                        Some(function) => Some((function, edge.name_or_index)),
                        None => step.behind,
                    },
                    pinned: step.pinned
                        || (kind == NodeType::SlicedString && text == Some("parent")),
                });
            }
        }
    }
    let heaviest = behind
        .into_iter()
        .max_by_key(|((name, place), (bytes, _))| (*bytes, std::cmp::Reverse((*name, *place))));
    found.variable = heaviest.map(|((name, _), (bytes, function))| Captured {
        variable: graph.strings().get(name).to_string(),
        bytes,
        function,
    });
    found
}

/// The memory of an `ArrayBuffer`, by its names in V8 6 to 14.
fn is_store(name: &str) -> bool {
    matches!(name, "system / JSArrayBufferData" | "ArrayBufferData" | "system / ArrayBufferData")
}

/// Whether a function was compiled from text, not from a file.
pub(super) fn is_compiled(context: &Context<'_>, function: NodeId) -> bool {
    let graph = context.graph();
    let Some(location) = graph.location(function) else { return false };
    match context.scripts.path(location.script_id) {
        Some(path) => {
            path.starts_with("evalmachine.")
                || path.starts_with("wasm:")
                || (is_builtin(path) && path.is_empty())
        }
        // A script without a name has no path.
        None => true,
    }
}
