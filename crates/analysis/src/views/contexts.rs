//! Contexts: the scopes that closures share, with the variables they keep.
//!
//! All closures made in one call of a function share one context, and it holds every variable that any of
//! them uses: a small callback that lives on keeps a large variable that only its neighbour needs. A row here
//! is a function whose calls made contexts; its variables say what each context keeps, and which of them
//! weighs.
//!
//! Contexts of one function have one description of their scope (V8's `ScopeInfo`), and the function's own
//! description points to the same, which gives the function's name and place. The scopes of blocks have no
//! function of their own; there the first closure made in the scope gives the place. Newer V8 writes the
//! description's id into the context's name (`system / Context / scope @123`) and keeps variables that are
//! assigned to in cells (`system / ContextCell`); both are looked through.

use std::cmp::Reverse;

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::groups::{Samples, group_totals};
use super::row::{Heap, Texts};
use crate::scripts::is_builtin;
use crate::summary::SourceLocation;

const NONE: u32 = u32::MAX;

/// Contexts by the function that made them, in the shape of `leakline contexts --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContextsView {
    /// How many contexts stand in `groups`.
    pub context_count: u64,
    /// Their shallow sizes together, in bytes.
    pub shallow_bytes: u64,
    /// A row for each scope, largest retained size first.
    pub groups: Vec<ContextGroup>,
}

/// The contexts of one scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContextGroup {
    /// The name of the function that made them; empty when it has none, `None` when it is not known, as for
    /// the scopes of blocks and of whole modules.
    pub function: Option<String>,
    /// The name of the first closure made in the scope; `None` when none is left.
    pub closure: Option<String>,
    /// Where the function is written, or else the first closure.
    pub location: Option<SourceLocation>,
    /// `function`: the location is that of the function that made the contexts; `closure`: that of the first
    /// closure made in the scope; `None`: neither is known.
    pub location_of: Option<&'static str>,
    /// Whether it belongs to the runtime.
    pub builtin: bool,
    /// How many contexts there are.
    pub count: u64,
    /// How many closures hold them directly, all together.
    pub closure_count: u64,
    /// How many closures hold the one that most hold.
    pub max_closures: u64,
    /// The sum of the contexts' shallow sizes, in bytes.
    pub shallow_bytes: u64,
    /// What losing all of them frees.
    pub retained_bytes: u64,
    /// The variables, the heaviest first.
    pub variables: Vec<ContextVariable>,
    /// The first few contexts.
    pub ids: Vec<String>,
}

/// One variable of a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContextVariable {
    /// Its name.
    pub name: String,
    /// In how many of the contexts it has a value that is an object or a text.
    pub count: u64,
    /// The class of the first value.
    pub class: String,
    /// What its values retain, of those that only the context keeps alive, in bytes.
    pub retained_bytes: u64,
}

/// The contexts of scripts whose path contains `script`; all of them without it. O(nodes + edges of contexts
/// and closures), eight bytes a node while it runs.
pub fn contexts(heap: &Heap<'_>, script: Option<&str>) -> ContextsView {
    let mut scopes = Scopes::of(heap);
    scopes.find_functions(heap);
    let is_context = |node: NodeId| scopes.is_context(heap.graph, node);
    let totals = group_totals(heap.analysis, scopes.groups.len(), |node| {
        is_context(node).then(|| scopes.group_of[node.index()])
    });
    let mut variables = scopes.variables(heap);
    let mut rows: Vec<ContextGroup> = scopes
        .groups
        .iter()
        .zip(&totals)
        .enumerate()
        .map(|(group, (scope, total))| {
            let (location, location_of) = match (scope.function, scope.closure) {
                (Some(f), _) if heap.location(f).is_some() => (heap.location(f), Some("function")),
                (_, Some(c)) => (heap.location(c), Some("closure")),
                _ => (None, None),
            };
            let name = |n: NodeId| heap.graph.node_name(n);
            ContextGroup {
                function: scope.description.map(|d| function_name(name(d)).to_owned()),
                closure: scope.closure.map(|c| name(c).to_owned()),
                builtin: location.as_ref().is_none_or(|l| is_builtin(&l.file)),
                location,
                location_of,
                count: total.count,
                closure_count: scope.closure_count,
                max_closures: scope.max_closures,
                shallow_bytes: total.shallow_bytes,
                retained_bytes: total.retained_bytes,
                variables: std::mem::take(&mut variables[group]),
                ids: scopes.samples.of(group).iter().map(|&n| heap.id(n)).collect(),
            }
        })
        .collect();
    if let Some(text) = script {
        rows.retain(|r| r.location.as_ref().is_some_and(|l| l.file.contains(text)));
    }
    rows.sort_by(|a, b| {
        (Reverse((a.retained_bytes, a.count)), &a.location, &a.function).cmp(&(
            Reverse((b.retained_bytes, b.count)),
            &b.location,
            &b.function,
        ))
    });
    ContextsView {
        context_count: rows.iter().map(|r| r.count).sum(),
        shallow_bytes: rows.iter().map(|r| r.shallow_bytes).fold(0, u64::saturating_add),
        groups: rows,
    }
}

/// One scope: what its contexts have in common.
#[derive(Clone, Copy, Debug, Default)]
struct Scope {
    closure_count: u64,
    max_closures: u64,
    /// The first closure that shares a context of it.
    closure: Option<NodeId>,
    /// The description of the function whose scope it is.
    description: Option<NodeId>,
    /// A closure of that function.
    function: Option<NodeId>,
}

/// All contexts by scope.
struct Scopes {
    names: Texts,
    /// By context, scope description and function description, which are different nodes.
    group_of: Vec<u32>,
    groups: Vec<Scope>,
    samples: Samples,
}

impl Scopes {
    fn of(heap: &Heap<'_>) -> Self {
        let graph = heap.graph;
        let names =
            Texts::of(graph, |t| t == "system / Context" || t.starts_with("system / Context / "));
        let mut scopes = Self {
            names,
            group_of: vec![NONE; graph.node_count()],
            groups: Vec::new(),
            samples: Samples::new(),
        };
        let (closures_of, first_closure) = scopes.closures(graph);
        let scope_info = Texts::of(graph, |t| t == "scope_info");
        let mut undescribed: FxHashMap<String, u32> = FxHashMap::default();
        for node in graph.nodes() {
            if !scopes.is_context(graph, node) {
                continue;
            }
            let next = scopes.groups.len() as u32;
            let closure = Some(first_closure[node.index()]).filter(|&c| c != NONE).map(NodeId);
            let group = match scope_info.internal(graph, node) {
                Some(info) => {
                    let known = &mut scopes.group_of[info.index()];
                    if *known == NONE {
                        *known = next;
                    }
                    *known
                }
                None => *undescribed.entry(likeness(heap, node, closure)).or_insert(next),
            };
            if group == next {
                scopes.groups.push(Scope::default());
            }
            scopes.group_of[node.index()] = group;
            scopes.samples.add(group, node);
            let scope = &mut scopes.groups[group as usize];
            let closures = u64::from(closures_of[node.index()]);
            scope.closure_count += closures;
            scope.max_closures = scope.max_closures.max(closures);
            scope.closure = scope.closure.or(closure);
        }
        scopes
    }

    fn is_context(&self, graph: &HeapGraph, node: NodeId) -> bool {
        self.names.has(graph.node_name_index(node))
            && matches!(
                graph.node_type(node),
                NodeType::Object | NodeType::Hidden | NodeType::Native | NodeType::Other
            )
    }

    /// By context: how many closures share it, and the first of them.
    fn closures(&self, graph: &HeapGraph) -> (Vec<u32>, Vec<u32>) {
        let context = Texts::of(graph, |t| t == "context");
        let mut count = vec![0u32; graph.node_count()];
        let mut first = vec![NONE; graph.node_count()];
        for node in graph.nodes().filter(|&n| graph.node_type(n) == NodeType::Closure) {
            let Some(scope) = context.internal(graph, node) else { continue };
            if self.is_context(graph, scope) {
                count[scope.index()] = count[scope.index()].saturating_add(1);
                if first[scope.index()] == NONE {
                    first[scope.index()] = node.0;
                }
            }
        }
        (count, first)
    }

    /// Finds the functions whose scopes these are: their descriptions lead to the same scope description, and
    /// their closures to theirs.
    fn find_functions(&mut self, heap: &Heap<'_>) {
        let graph = heap.graph;
        let link = Texts::of(graph, |t| t == "name_or_scope_info");
        for node in graph.nodes().filter(|&n| graph.node_type(n) == NodeType::Code) {
            let Some(info) = link.internal(graph, node) else { continue };
            let group = self.group_of[info.index()];
            if group != NONE && graph.node_type(info) != NodeType::String {
                self.group_of[node.index()] = group;
                self.groups[group as usize].description.get_or_insert(node);
            }
        }
        let shared = Texts::of(graph, |t| t == "shared");
        for node in graph.nodes().filter(|&n| graph.node_type(n) == NodeType::Closure) {
            let Some(description) = shared.internal(graph, node) else { continue };
            let group = self.group_of[description.index()];
            if group != NONE && graph.node_type(description) == NodeType::Code {
                self.groups[group as usize].function.get_or_insert(node);
            }
        }
    }

    /// By scope: its variables, the heaviest first.
    fn variables(&self, heap: &Heap<'_>) -> Vec<Vec<ContextVariable>> {
        let graph = heap.graph;
        let mut at: FxHashMap<(u32, u32), usize> = FxHashMap::default();
        let mut found: Vec<Vec<ContextVariable>> = vec![Vec::new(); self.groups.len()];
        for node in graph.nodes().filter(|&n| self.is_context(graph, n)) {
            let group = self.group_of[node.index()];
            let variables = &mut found[group as usize];
            for edge in graph.edges(node).filter(|e| e.kind == EdgeType::Context) {
                let at = *at.entry((group, edge.name_or_index)).or_insert_with(|| {
                    variables.push(ContextVariable {
                        name: graph.edge_text(edge).unwrap_or_default().to_owned(),
                        count: 0,
                        class: heap.analysis.class_name(value(graph, edge.to)).to_owned(),
                        retained_bytes: 0,
                    });
                    variables.len() - 1
                });
                let variable = &mut variables[at];
                variable.count += 1;
                // What others hold too would not go with the context.
                if heap.analysis.dominators.immediate(edge.to) == node {
                    variable.retained_bytes = variable
                        .retained_bytes
                        .saturating_add(heap.analysis.retained_size(edge.to));
                }
            }
        }
        for variables in &mut found {
            variables.sort_by(|a, b| {
                (Reverse(a.retained_bytes), &a.name).cmp(&(Reverse(b.retained_bytes), &b.name))
            });
        }
        found
    }
}

/// What a variable holds: a cell is looked through.
fn value(graph: &HeapGraph, held: NodeId) -> NodeId {
    if graph.node_name(held) != "system / ContextCell" {
        return held;
    }
    let inside = graph.edges(held).find(|e| {
        let is_map = e.kind == EdgeType::Internal && graph.edge_text(*e) == Some("map");
        e.kind != EdgeType::Weak && !is_map && graph.node_name(e.to) != "system / WeakArrayList"
    });
    inside.map_or(held, |e| e.to)
}

/// The name in a function's description; newer V8 puts its own in front.
fn function_name(description: &str) -> &str {
    match description {
        "(shared function info)" | "system / SharedFunctionInfo" => "",
        other => other.strip_prefix("system / SharedFunctionInfo / ").unwrap_or(other),
    }
}

/// What contexts without a scope description have in common: the place of their first closure, and their
/// variables.
fn likeness(heap: &Heap<'_>, context: NodeId, closure: Option<NodeId>) -> String {
    let graph = heap.graph;
    let mut names: Vec<&str> = graph
        .edges(context)
        .filter(|e| e.kind == EdgeType::Context)
        .filter_map(|e| graph.edge_text(e))
        .collect();
    names.sort_unstable();
    let place = closure.and_then(|c| graph.location(c));
    let place = place.map(|at| (at.script_id, at.line, at.column));
    format!("{place:?} {}", names.join(" "))
}

#[cfg(test)]
mod tests {
    use super::function_name;

    #[test]
    fn descriptions_are_named_for_their_function() {
        assert_eq!(function_name("onRequest"), "onRequest");
        assert_eq!(function_name("system / SharedFunctionInfo / onRequest"), "onRequest");
        assert_eq!(function_name("(shared function info)"), "");
    }
}
