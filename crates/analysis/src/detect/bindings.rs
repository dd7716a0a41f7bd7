//! By which names the program knows an object: the doors `source` searches for statements behind.

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType, Retainer};

use super::Context;
use super::words::closure_of_context;
use crate::scripts::{Place, property};

/// A name that the program holds an object by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// A variable that closures share.
    Variable {
        /// The file.
        script: String,
        /// The variable.
        name: String,
        /// A function inside the variable's scope.
        near: Option<Place>,
    },
    /// A property of an object.
    Property {
        /// The property.
        name: String,
        /// The object's class.
        owner_class: String,
        /// The file of the class, when known.
        script: Option<String>,
    },
    /// An entry of a collection that is known by this name: `tenants.get(t)`, `byUser[u]`.
    Entry(Box<Self>),
    /// What a module exports: the whole of it, or one name.
    ModuleExport {
        /// The module's file.
        script: String,
        /// The export, `None` for `module.exports` itself.
        name: Option<String>,
    },
}

impl Binding {
    /// The variable's, property's or export's own name.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Variable { name, .. } | Self::Property { name, .. } => Some(name),
            Self::ModuleExport { name, .. } => name.as_deref(),
            Self::Entry(_) => None,
        }
    }

    /// The file that it is in, when known.
    pub(super) fn script(&self) -> Option<&str> {
        match self {
            Self::Variable { script, .. } | Self::ModuleExport { script, .. } => Some(script),
            Self::Property { script, .. } => script.as_deref(),
            Self::Entry(of) => of.script(),
        }
    }
}

/// More names than this help nobody; modules that import a cache by the dozen all lead to the same one.
const MAX_BINDINGS: usize = 32;

/// All names of `node`: variables, properties and exports that hold it directly. Variables of the runtime's
/// own files are left out.
pub(crate) fn bindings_of(context: &Context<'_>, node: NodeId) -> Vec<Binding> {
    let graph = context.graph();
    let mut found: Vec<Binding> = Vec::new();
    for held in context.retainers.of_node(node) {
        let edge = graph.edge(held.edge);
        let Some(name) = graph.edge_text(edge) else { continue };
        let binding = match edge.kind {
            EdgeType::Context => variable(context, held.from, name),
            EdgeType::Property if name == "__proto__" => None,
            EdgeType::Property => Some(property_binding(context, held.from, name)),
            EdgeType::Internal if name == "value" => cell_export(context, held.from),
            _ => None,
        };
        if let Some(binding) = binding
            && !found.contains(&binding)
        {
            found.push(binding);
            if found.len() >= MAX_BINDINGS {
                break;
            }
        }
    }
    found
}

/// Collections around a collection that are looked through: `byDay.get(d).get(user)`.
const MAX_LEVELS: usize = 3;

/// Names of `node` as an entry of a collection that has a name: `tenants.get(t)`, `byUser[u]`.
pub(crate) fn entries_of(context: &Context<'_>, node: NodeId) -> Vec<Binding> {
    let tree = &context.growth.tree;
    let mut at = node;
    for level in 1..=MAX_LEVELS {
        let Some(container) = container_of(context, tree.parent(at)) else { break };
        let mut names = bindings_of(context, container);
        if !names.is_empty() {
            for name in &mut names {
                for _ in 0..level {
                    *name = Binding::Entry(Box::new(name.clone()));
                }
            }
            return names;
        }
        at = container;
    }
    Vec::new()
}

/// The collection that holds by this link as one of its entries: an array, a map, an object by a property.
fn container_of(context: &Context<'_>, held: Option<Retainer>) -> Option<NodeId> {
    let graph = context.graph();
    let held = held?;
    let edge = graph.edge(held.edge);
    match edge.kind {
        EdgeType::Property | EdgeType::Element
            if graph.node_type(held.from) == NodeType::Object =>
        {
            Some(held.from)
        }
        EdgeType::Internal if graph.node_type(held.from) == NodeType::Array => {
            let store = context.growth.tree.parent(held.from)?;
            (graph.edge_text(graph.edge(store.edge)) == Some("table")).then_some(store.from)
        }
        _ => None,
    }
}

fn variable(context: &Context<'_>, scope: NodeId, name: &str) -> Option<Binding> {
    let closure = closure_of_context(context, scope)?;
    let place = context.scripts.place(context.graph(), closure)?;
    if place.is_builtin() {
        return None;
    }
    Some(Binding::Variable {
        script: place.script.clone(),
        name: name.to_string(),
        near: Some(place),
    })
}

fn property_binding(context: &Context<'_>, object: NodeId, name: &str) -> Binding {
    let graph = context.graph();
    if graph.node_name(object) == "Module"
        && name == "exports"
        && let Some(script) = module_file(graph, object)
    {
        return Binding::ModuleExport { script, name: None };
    }
    // `module.exports = { cache }`: the object in between is the module's exports.
    for held in context.retainers.of_node(object) {
        let edge = graph.edge(held.edge);
        if edge.kind == EdgeType::Property
            && graph.edge_text(edge) == Some("exports")
            && graph.node_name(held.from) == "Module"
            && let Some(script) = module_file(graph, held.from)
        {
            return Binding::ModuleExport { script, name: Some(name.to_string()) };
        }
    }
    let place = context.scripts.place(graph, object).filter(|p| !p.is_builtin());
    Binding::Property {
        name: name.to_string(),
        owner_class: graph.node_name(object).to_string(),
        script: place.map(|p| p.script),
    }
}

/// The file of a CommonJS module. Strings that V8 has not flattened yet have no text of their own.
pub(super) fn module_file(graph: &HeapGraph, module: NodeId) -> Option<String> {
    ["filename", "id"].into_iter().find_map(|name| {
        let file = property(graph, module, name)?;
        (graph.node_type(file) == NodeType::String).then(|| graph.node_name(file).to_string())
    })
}

/// An exported variable of an ES module lives in a cell. The module's table of exports holds the name and,
/// in the slot after it, the cell.
pub(super) fn cell_export(context: &Context<'_>, cell: NodeId) -> Option<Binding> {
    let graph = context.graph();
    if graph.node_name(cell) != "system / Cell" {
        return None;
    }
    for in_table in context.retainers.of_node(cell) {
        let slot: u32 = graph.edge_text(graph.edge(in_table.edge))?.parse().ok()?;
        let name = graph
            .edges(in_table.from)
            .find(|e| {
                graph.edge_text(*e).and_then(|n| n.parse::<u32>().ok()) == slot.checked_sub(1)
                    && graph.node_type(e.to).is_string()
            })
            .map(|e| graph.node_name(e.to).to_string());
        let Some(name) = name else { continue };
        for module in context.retainers.of_node(in_table.from) {
            if graph.node_name(module.from) != "system / SourceTextModule" {
                continue;
            }
            if let Some(script) = module_script(context, module.from) {
                return Some(Binding::ModuleExport { script, name: Some(name) });
            }
        }
    }
    None
}

/// The file of an ES module: the place of its body, which it holds as a generator or as a function.
fn module_script(context: &Context<'_>, module: NodeId) -> Option<String> {
    let graph = context.graph();
    graph.edges(module).find_map(|e| {
        let is_code = matches!(graph.node_type(e.to), NodeType::Object | NodeType::Closure);
        let place = is_code.then(|| context.scripts.place(graph, e.to)).flatten()?;
        Some(place.script)
    })
}
