//! Retaining paths in words a JavaScript developer uses.

use leakline_heap::{Edge, EdgeType, HeapGraph, NodeId, NodeType, Retainer};

use super::Context;
use super::bindings::{Binding, bindings_of, cell_export, module_file};
use crate::growth::ancestors;
use crate::paths::{ObjectRef, StepView};
use crate::scripts::{internal, is_slot};

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

/// The links above a node that its name is made of; what lies further up names nothing.
const MAX_NAME_PARTS: usize = 6;

/// The node as an expression: `process`, `cache`, `server.sessions`, `tenants.get(…)`.
///
/// The retaining path names it where that path runs through the program. Where it ends in the runtime's own
/// scopes or roots (a socket hangs in a timer list and in C++ handles), the name is the one that the program
/// has for it, and where there is none either, its class.
pub fn holder_path(context: &Context<'_>, node: NodeId) -> String {
    let chain = ancestors(&context.growth.tree, node, MAX_STEPS);
    path_from_program(context, &chain)
        .or_else(|| path_from_binding(context, &chain))
        .unwrap_or_else(|| path_from_class(context, &chain))
}

fn path_from_program(context: &Context<'_>, chain: &[NodeId]) -> Option<String> {
    let graph = context.graph();
    let mut parts = Vec::new();
    for &n in chain {
        // What hangs in a function of the runtime's is the runtime's too: its cache of modules, its pools.
        if graph.node_type(n) == NodeType::Closure
            && context.scripts.place(graph, n).is_some_and(|place| place.is_builtin())
        {
            return None;
        }
        if is_anchor(graph, n) {
            let name = graph.node_name(n).split_whitespace().next().unwrap_or("global");
            parts.push(name.to_string());
            return Some(joined(parts));
        }
        if let Some(name) = exported_name(graph, context, n) {
            parts.push(name);
            return Some(joined(parts));
        }
        let up = context.growth.tree.parent(n)?;
        let edge = graph.edge(up.edge);
        if graph.node_type(up.from) == NodeType::Synthetic || parts.len() > MAX_NAME_PARTS {
            return None;
        }
        if edge.kind == EdgeType::Context {
            if is_runtime_scope(context, up.from) {
                return None;
            }
            // `this` of an arrow or a constructor's scope: its class is what people know it by.
            parts.push(match graph.edge_text(edge)? {
                "this" => named(graph, n),
                name => name.to_string(),
            });
            return Some(joined(parts));
        }
        if edge.kind == EdgeType::Internal
            && graph.edge_text(edge) == Some("value")
            && let Some(Binding::ModuleExport { name: Some(name), .. }) =
                cell_export(context, up.from)
        {
            parts.push(name);
            return Some(joined(parts));
        }
        parts.extend(part(context, edge, up.from));
    }
    None
}

/// Whether the program has a name for the node, or for what it is a part of.
pub(super) fn is_named_by_program(context: &Context<'_>, node: NodeId) -> bool {
    let chain = ancestors(&context.growth.tree, node, MAX_STEPS);
    path_from_program(context, &chain).is_some() || path_from_binding(context, &chain).is_some()
}

/// The program's own name for the node or for what it is a part of.
fn path_from_binding(context: &Context<'_>, chain: &[NodeId]) -> Option<String> {
    let graph = context.graph();
    let mut parts = Vec::new();
    for &n in chain.iter().take(MAX_NAME_PARTS) {
        let own = bindings_of(context, n);
        let names = own.iter().filter_map(|b| match b {
            Binding::Variable { script, name, .. }
            | Binding::ModuleExport { script, name: Some(name) } => {
                Some((script.contains("/node_modules/"), name))
            }
            _ => None,
        });
        if let Some((_, name)) = names.min() {
            parts.push(name.clone());
            return Some(joined(parts));
        }
        if has_class(graph, n) {
            return None;
        }
        let up = context.growth.tree.parent(n)?;
        parts.extend(part(context, graph.edge(up.edge), up.from));
    }
    None
}

fn path_from_class(context: &Context<'_>, chain: &[NodeId]) -> String {
    let graph = context.graph();
    let mut parts = Vec::new();
    for &n in chain.iter().take(MAX_NAME_PARTS) {
        if has_class(graph, n) {
            parts.push(named(graph, n));
            return joined(parts);
        }
        let Some(up) = context.growth.tree.parent(n) else { break };
        parts.extend(part(context, graph.edge(up.edge), up.from));
    }
    chain.first().map_or_else(String::new, |&n| named(graph, n))
}

fn joined(mut parts: Vec<String>) -> String {
    parts.reverse();
    parts.concat()
}

/// One link as it is written behind its owner's name; nothing for links of the runtime's own.
fn part(context: &Context<'_>, edge: Edge, from: NodeId) -> Option<String> {
    let graph = context.graph();
    let name = graph.edge_text(edge).unwrap_or_default();
    match edge.kind {
        EdgeType::Property => Some(match symbol_of(name) {
            Some(symbol) => format!("[Symbol({symbol})]"),
            None if is_identifier(name) => format!(".{name}"),
            None => format!("['{name}']"),
        }),
        EdgeType::Element => Some("[…]".to_string()),
        EdgeType::Internal if is_slot(name) && graph.node_type(from) == NodeType::Array => {
            let store = context.growth.tree.parent(from)?;
            (graph.edge_text(graph.edge(store.edge)) == Some("table"))
                .then(|| ".get(…)".to_string())
        }
        _ => None,
    }
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '#'))
}

pub(super) fn symbol_of(name: &str) -> Option<&str> {
    name.strip_prefix("<symbol ").and_then(|n| n.strip_suffix('>'))
}

/// Whether the class of a node says what it is.
fn has_class(graph: &HeapGraph, node: NodeId) -> bool {
    let name = graph.node_name(node);
    match graph.node_type(node) {
        NodeType::Object => {
            !matches!(name, "" | "Object" | "Array" | "Map" | "Set" | "Module")
                && !name.starts_with("system /")
        }
        NodeType::Native | NodeType::Synthetic => !name.is_empty(),
        _ => false,
    }
}

/// Whether a scope belongs to the runtime's own files.
fn is_runtime_scope(context: &Context<'_>, scope: NodeId) -> bool {
    closure_of_context(context, scope)
        .and_then(|closure| context.scripts.place(context.graph(), closure))
        .is_some_and(|place| place.is_builtin())
}

/// A module's exports object is known by its file.
fn exported_name(graph: &HeapGraph, context: &Context<'_>, node: NodeId) -> Option<String> {
    let up = context.growth.tree.parent(node)?;
    let edge = graph.edge(up.edge);
    if graph.node_name(up.from) != "Module" || graph.edge_text(edge) != Some("exports") {
        return None;
    }
    let path = module_file(graph, up.from)?;
    Some(format!("require('{}')", path.rsplit('/').next().unwrap_or(&path)))
}

fn named(graph: &HeapGraph, node: NodeId) -> String {
    match graph.node_name(node) {
        "" => format!("({})", graph.node_type(node).name()),
        name => name.to_string(),
    }
}

fn symbol_name(name: &str) -> &str {
    symbol_of(name).unwrap_or(name)
}

/// The path to a node as one line with the runtime's own links folded away:
/// `process → 'uncaughtException' listeners → onError() app.js:5`.
pub fn path_words(context: &Context<'_>, node: NodeId) -> String {
    let graph = context.graph();
    let tree = &context.growth.tree;
    let chain = ancestors(tree, node, MAX_STEPS);
    let start = beginning(context, &chain);
    let mut words: Vec<String> = Vec::new();
    let mut skip_event = false;
    for (i, &n) in chain[..=start].iter().enumerate().rev() {
        let variable = |up: &Retainer| graph.edge(up.edge).kind == EdgeType::Context;
        let Some(up) =
            tree.parent(n).filter(|up| i < start || (variable(up) && !is_anchor(graph, n)))
        else {
            if graph.node_type(n) != NodeType::Synthetic {
                words.push(named(graph, n));
            }
            continue;
        };
        let edge = graph.edge(up.edge);
        let name = graph.edge_text(edge).unwrap_or_default();
        if skip_event {
            skip_event = false;
            words.push(format!("'{}' listeners", symbol_name(name)));
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

/// Where the path begins for people: at the program's variable nearest to the object, at `process` or the global
/// object, or else at the nearest object whose class says what it is. What is above is the runtime's.
fn beginning(context: &Context<'_>, chain: &[NodeId]) -> usize {
    let graph = context.graph();
    let of_program = |n: NodeId| {
        let up = context.growth.tree.parent(n);
        up.is_some_and(|up| {
            graph.edge(up.edge).kind == EdgeType::Context && !is_runtime_scope(context, up.from)
        })
    };
    if let Some(at) = chain.iter().position(|&n| of_program(n) || is_anchor(graph, n))
        && path_from_program(context, chain).is_some()
    {
        return at;
    }
    let known = |&n: &NodeId| of_program(n) || has_class(graph, n);
    // The object itself may have a class; what is asked for is who holds it.
    let above = chain.iter().skip(1).position(known).map(|at| at + 1);
    above.unwrap_or_else(|| chain.len().saturating_sub(1))
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
