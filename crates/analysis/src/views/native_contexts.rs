//! Native contexts: JavaScript worlds with a global object and built-ins of their own. A plain Node.js
//! process has one; `vm.createContext`, test runners and templates that compile in a sandbox make more, and
//! each costs about a megabyte before anything runs in it.

use std::cmp::Reverse;

use leakline_heap::{EdgeType, NodeId, NodeType};
use serde::Serialize;

use super::row::{Heap, ObjectRow, Texts};

/// Variables of a sandbox that are named.
const MAX_NAMES: usize = 8;

/// All native contexts, in the shape of `leakline native-contexts --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NativeContextsView {
    /// One row each: the program's own first, then largest retained size first.
    pub contexts: Vec<NativeContextRow>,
}

/// One native context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NativeContextRow {
    /// The context; its retained size is what goes when only it is lost.
    #[serde(flatten)]
    pub context: ObjectRow,
    /// Whether it is the program's own: the root leads to it, or to its global object.
    pub main: bool,
    /// The URL or name in its global object's name, where the embedder gives one.
    pub url: Option<String>,
    /// Its global object.
    pub global: Option<ObjectRow>,
    /// For a context of Node's `vm` module: the object that was made its sandbox.
    pub sandbox: Option<ObjectRow>,
    /// The first few properties of the sandbox, by which to know it.
    pub sandbox_names: Vec<String>,
    /// How many objects die with the context, itself not counted.
    pub dominated_count: u64,
    /// Whether the embedder has let go of it.
    pub detached: bool,
}

/// Finds the native contexts. O(nodes), and their edges.
pub fn native_contexts(heap: &Heap<'_>) -> NativeContextsView {
    let graph = heap.graph;
    let name = Texts::of(graph, |t| t == "system / NativeContext");
    let extension = Texts::of(graph, |t| t == "extension" || t == "global_object");
    let embedder_data = Texts::of(graph, |t| t == "embedder_data");
    let is_context = |&n: &NodeId| {
        // V8 has called these hidden, native and object; a string with this text is none.
        name.has(graph.node_name_index(n))
            && matches!(
                graph.node_type(n),
                NodeType::Hidden | NodeType::Native | NodeType::Object | NodeType::Other
            )
    };
    // To the global object up to Node 24, to the context itself in Node 26.
    let is_main = |node: NodeId| {
        graph.edges(graph.root()).any(|e| e.kind == EdgeType::Shortcut && e.to == node)
    };
    let mut contexts: Vec<NativeContextRow> = graph
        .nodes()
        .filter(is_context)
        .map(|node| {
            let global = extension.internal(graph, node);
            let sandbox = embedder_data.internal(graph, node).and_then(|data| {
                let held = graph.edges(data).filter(|e| e.kind == EdgeType::Hidden);
                held.map(|e| e.to).find(|&to| {
                    graph.node_type(to) == NodeType::Object && graph.node_name(to) != "global"
                })
            });
            let tree = &heap.analysis.dominators;
            NativeContextRow {
                context: heap.row(node),
                main: is_main(node) || global.is_some_and(is_main),
                url: global.and_then(|g| url(graph.node_name(g))),
                global: global.map(|g| heap.row(g)),
                sandbox: sandbox.map(|s| heap.row(s)),
                sandbox_names: sandbox.map(|s| names(heap, s)).unwrap_or_default(),
                dominated_count: tree.subtree_len(tree.position(node)) as u64 - 1,
                detached: heap.is_detached(node),
            }
        })
        .collect();
    contexts.sort_by_key(|c| (!c.main, Reverse(c.context.retained_bytes)));
    NativeContextsView { contexts }
}

/// `Window / https://example.org`
fn url(global: &str) -> Option<String> {
    let (_, url) = global.split_once(" / ")?;
    (!url.is_empty()).then(|| url.to_owned())
}

fn names(heap: &Heap<'_>, sandbox: NodeId) -> Vec<String> {
    heap.graph
        .edges(sandbox)
        .filter(|e| e.kind == EdgeType::Property)
        .filter_map(|e| heap.graph.edge_text(e))
        .filter(|name| *name != "__proto__" && !name.starts_with("<symbol"))
        .take(MAX_NAMES)
        .map(ToOwned::to_owned)
        .collect()
}
