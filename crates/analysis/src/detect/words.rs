//! Retaining paths in words a JavaScript developer uses.

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};

use super::Context;
use crate::growth::ancestors;
use crate::paths::{ObjectRef, StepView};
use crate::scripts::{internal, property};

/// A longer path is a chain; its middle says nothing.
const MAX_STEPS: usize = 64;

/// The retaining path of a node, link by link from the GC root down to it.
pub fn path_steps(context: &Context<'_>, node: NodeId) -> Vec<StepView> {
    let graph = context.graph();
    let mut chain = ancestors(&context.growth.tree, node, MAX_STEPS);
    chain.reverse();
    chain
        .into_iter()
        .filter_map(|n| {
            let edge = graph.edge(context.growth.tree.parent(n)?.edge);
            Some(StepView {
                edge: graph.edge_label(edge),
                edge_type: edge.kind.name(),
                object: ObjectRef::of(graph, n),
            })
        })
        .collect()
}

/// Whether a path for people begins here: what stands above is the runtime's.
fn is_anchor(graph: &HeapGraph, node: NodeId) -> bool {
    let name = graph.node_name(node);
    graph.node_type(node) == NodeType::Object
        && (name == "process"
            || name == "global"
            || name.starts_with("Window")
            || name == "global / ")
}

/// The node as an expression: `process`, `cache`, `server.sessions`, `bus._events`.
pub fn holder_path(context: &Context<'_>, node: NodeId) -> String {
    let graph = context.graph();
    let mut parts: Vec<String> = Vec::new();
    for n in ancestors(&context.growth.tree, node, MAX_STEPS) {
        if is_anchor(graph, n) {
            parts
                .push(graph.node_name(n).split_whitespace().next().unwrap_or("global").to_string());
            break;
        }
        if let Some(name) = exported_name(graph, context, n) {
            parts.push(name);
            break;
        }
        let Some(up) = context.growth.tree.parent(n) else { break };
        let edge = graph.edge(up.edge);
        let name = graph.edge_text(edge).unwrap_or_default();
        match edge.kind {
            EdgeType::Context => {
                parts.push(name.to_string());
                break;
            }
            EdgeType::Property => parts.push(format!(".{}", symbol_name(name))),
            EdgeType::Element => parts.push(format!("[{}]", edge.name_or_index)),
            _ if graph.node_type(up.from) == NodeType::Synthetic => {
                parts.push(named(graph, n));
                break;
            }
            _ => {}
        }
        // Far above the last name nothing helps any more.
        if parts.len() >= 6 {
            parts.push(named(graph, up.from));
            break;
        }
    }
    if parts.is_empty() {
        return named(graph, node);
    }
    parts.reverse();
    let path = parts.concat();
    path.strip_prefix('.').map(ToString::to_string).unwrap_or(path)
}

/// A module's exports object is known by its file.
fn exported_name(graph: &HeapGraph, context: &Context<'_>, node: NodeId) -> Option<String> {
    let up = context.growth.tree.parent(node)?;
    let edge = graph.edge(up.edge);
    if graph.node_name(up.from) != "Module" || graph.edge_text(edge) != Some("exports") {
        return None;
    }
    let file = property(graph, up.from, "filename").or_else(|| property(graph, up.from, "id"))?;
    let path = graph.node_name(file);
    Some(format!("require('{}')", path.rsplit('/').next().unwrap_or(path)))
}

fn named(graph: &HeapGraph, node: NodeId) -> String {
    match graph.node_name(node) {
        "" => format!("({})", graph.node_type(node).name()),
        name => name.to_string(),
    }
}

fn symbol_name(name: &str) -> &str {
    name.strip_prefix("<symbol ").and_then(|n| n.strip_suffix('>')).unwrap_or(name)
}

/// The path to a node as one line with the runtime's own links folded away:
/// `process → 'uncaughtException' listeners → onError() app.js:5`.
pub fn path_words(context: &Context<'_>, node: NodeId) -> String {
    let graph = context.graph();
    let tree = &context.growth.tree;
    let chain = ancestors(tree, node, MAX_STEPS);
    let start = chain.iter().position(|n| is_anchor(graph, *n)).unwrap_or(chain.len() - 1);
    let mut words: Vec<String> = Vec::new();
    let mut skip_event = false;
    for (i, &n) in chain[..=start].iter().enumerate().rev() {
        let Some(up) = tree.parent(n).filter(|_| i < start) else {
            if graph.node_type(n) != NodeType::Synthetic {
                words.push(named(graph, n));
            }
            continue;
        };
        let edge = graph.edge(up.edge);
        let name = graph.edge_text(edge).unwrap_or_default();
        if skip_event {
            skip_event = false;
            words.push(format!("'{name}' listeners"));
            continue;
        }
        match edge.kind {
            EdgeType::Property if name == "_events" => skip_event = true,
            EdgeType::Property => words.push(format!(".{}", symbol_name(name))),
            EdgeType::Context => words.push(format!("variable `{name}`")),
            EdgeType::Element => words.push(described(context, n)),
            // A slot of a table; a table of a table is the runtime's own.
            EdgeType::Internal
                if is_slot(name) && (i == 0 || graph.node_type(n) != NodeType::Array) =>
            {
                words.push(described(context, n));
            }
            EdgeType::Internal if name == "context" => {}
            _ if graph.node_type(n) == NodeType::Closure => words.push(described(context, n)),
            _ if i == 0 => words.push(described(context, n)),
            _ => {}
        }
    }
    words.dedup();
    words.join(" → ")
}

fn is_slot(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit())
}

/// One object in words: a function with its place, an object with its class.
pub(crate) fn described(context: &Context<'_>, node: NodeId) -> String {
    let graph = context.graph();
    match graph.node_type(node) {
        NodeType::Closure => {
            let name = graph.node_name(node);
            let function =
                if name.is_empty() { "(closure)".to_string() } else { format!("{name}()") };
            match context.scripts.place(graph, node) {
                Some(place) => format!("{function} {}:{}", place.file_name(), place.line),
                None => function,
            }
        }
        t if t.is_string() => {
            let text: String = graph.node_name(node).chars().take(24).collect();
            format!("\"{text}\"")
        }
        NodeType::Synthetic => named(graph, node),
        _ => format!("{} @{}", named(graph, node), graph.object_id(node)),
    }
}

/// The function whose scope a context is, by any closure that shares it or a scope inside it.
pub(crate) fn closure_of_context(context: &Context<'_>, scope: NodeId) -> Option<NodeId> {
    let graph = context.graph();
    // A scope may have no closure of its own left, but inner scopes point to it. Bounded: the first few.
    let mut scopes = vec![scope];
    let mut at = 0;
    while at < scopes.len() && at < 64 {
        for held in context.retainers.of_node(scopes[at]) {
            let name = graph.edge_text(graph.edge(held.edge));
            if name == Some("context") && graph.node_type(held.from) == NodeType::Closure {
                return Some(held.from);
            }
            if name == Some("context")
                && let Some(function) = internal(graph, held.from, "function")
            {
                return Some(function);
            }
            if name == Some("previous") {
                scopes.push(held.from);
            }
        }
        at += 1;
    }
    None
}
