//! `async-context`: what is bound to an asynchronous context and outlives its request.
//!
//! Three forms can be told from the heap: an `AsyncLocalStorage` made for each request and kept in the runtime's
//! list of all that are in use, a collection that a hook of `async_hooks` fills by asynchronous id, and a
//! collection of `AsyncResource`s. (A store that a timer or a promise keeps is named with the timer or the promise.)

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};

use super::spoken::{counts, how_often, in_function, subject};
use super::words::is_named_by_program;
use super::{Advice, Case, Context, Finding, Found, Question, Rule, Told, collection, sample};
use crate::growth::{Chain, GrowthSite, Pattern};
use crate::scripts::{internal, property};

/// Storages made again and again.
#[derive(Debug)]
struct Storages;

/// A collection by asynchronous id, or of asynchronous resources.
#[derive(Debug)]
struct Bound {
    collection: Box<dyn Case>,
    by_hook: bool,
}

/// Stores of which each holds the one it was made in.
#[derive(Debug)]
struct Nested {
    /// The property by which a store holds the one before: `parent`.
    link: Option<String>,
}

/// Whether the site belongs to asynchronous contexts.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    if let Pattern::Chain(chain) = &site.group.pattern {
        let link = chain.link_name().map(ToString::to_string);
        let is_nested = is_store(context, site, chain);
        return is_nested
            .then(|| Found::new(Rule::AsyncContext, "AsyncLocalStorage".into(), Nested { link }));
    }
    if !matches!(
        site.group.pattern,
        Pattern::Entries | Pattern::Elements | Pattern::Keys | Pattern::Names
    ) {
        return None;
    }
    let graph = context.graph();
    let member = sample(graph, site)?;
    let class = graph.node_name(member);
    if class == "AsyncLocalStorage" && !is_named_by_program(context, site.group.owner) {
        return Some(Found::new(Rule::AsyncContext, "AsyncLocalStorage".into(), Storages));
    }
    let by_hook = filled_by_hook(context, site.group.owner);
    if by_hook || is_resource(graph, member) {
        let Found { holder, case, .. } = collection::check(context, site)?;
        return Some(Found::new(Rule::AsyncContext, holder, Bound { collection: case, by_hook }));
    }
    None
}

/// Whether a chain begins with what a context has as its store: a resource's property before Node 24, the value of
/// a storage in the context's own map since.
fn is_store(context: &Context<'_>, site: &GrowthSite, chain: &Chain) -> bool {
    let graph = context.graph();
    let by_resource = chain.entry.name.as_deref() == Some("<symbol kResourceStore>");
    by_resource
        || graph.node_name(site.group.owner) == "AsyncContextFrame"
        || site.group.members.first().is_some_and(|&head| {
            let tables = context.retainers.of_node(head).take(MAX_HOLDERS);
            tables.map(|held| held.from).any(|table| {
                graph.node_name(table) == "AsyncContextFrame"
                    || context.retainers.of_node(table).take(MAX_HOLDERS).any(|held| {
                        graph.edge_text(graph.edge(held.edge)) == Some("table")
                            && graph.node_name(held.from) == "AsyncContextFrame"
                    })
            })
        })
}

/// Holders of a store that are looked at.
const MAX_HOLDERS: usize = 256;

/// Hooks that are looked at; programs have one or two.
const MAX_HOOKS: usize = 32;

/// Scopes between a hook's function and the one that holds the collection.
const MAX_SCOPES: usize = 8;

/// Whether a hook's `init` sees the collection in its scopes or as a property of what it was bound to.
fn filled_by_hook(context: &Context<'_>, owner: NodeId) -> bool {
    let graph = context.graph();
    // Who holds the collection: scopes, and objects as their property.
    let holders: Vec<NodeId> = context
        .retainers
        .of_node(owner)
        .take(64)
        .filter(|held| matches!(graph.edge(held.edge).kind, EdgeType::Context | EdgeType::Property))
        .map(|held| held.from)
        .collect();
    let hooks = hooks(context);
    hooks.iter().any(|&init| {
        let mut scope = internal(graph, init, "context");
        for _ in 0..MAX_SCOPES {
            let Some(at) = scope else { return false };
            // The scope of a whole module is every function's; only a hook's own closeness says something.
            if holders.contains(&at) && graph.edges(at).len() <= 64 {
                return true;
            }
            scope = internal(graph, at, "previous");
        }
        false
    })
}

/// The `init` functions of all hooks.
fn hooks(context: &Context<'_>) -> Vec<NodeId> {
    let graph = context.graph();
    let is_hook = |node: &NodeId| {
        graph.node_type(*node) == NodeType::Object && graph.node_name(*node) == "AsyncHook"
    };
    let init = |hook: NodeId| {
        let mut links = graph.edges(hook).filter(|e| e.kind == EdgeType::Property);
        links.find(|e| {
            matches!(graph.edge_text(*e), Some("<symbol init>" | "<symbol init_symbol>"))
                && graph.node_type(e.to) == NodeType::Closure
        })
    };
    graph.nodes().filter(is_hook).take(MAX_HOOKS).filter_map(init).map(|e| e.to).collect()
}

fn is_resource(graph: &HeapGraph, member: NodeId) -> bool {
    graph.node_name(member) == "AsyncResource"
        || property(graph, member, "<symbol trigger_async_id_symbol>").is_some()
}

impl Case for Storages {
    fn questions(&self) -> Vec<Question> {
        vec![Question::creations(&["AsyncLocalStorage"])]
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let title = format!("AsyncLocalStorage instances in use: {}", counts(finding));
        let explanation = format!(
            "{} makes a new `AsyncLocalStorage`{} {}. Once it was used, the runtime lists it until `disable()` is \
             called, and carries its store through every asynchronous step.",
            subject(told),
            in_function(told),
            how_often(finding, told),
        );
        let fix = "Make one `AsyncLocalStorage` when the module loads, `const storage = new AsyncLocalStorage()`, and \
                   give each request a store of its own: `storage.run({ requestId }, () => next())`."
            .to_string();
        Advice { title, explanation, fix }
    }
}

impl Case for Nested {
    fn questions(&self) -> Vec<Question> {
        vec![Question::creations(&["enterWith"]), Question::creations(&["run"])]
    }

    fn path(&self) -> Option<String> {
        let link = self.link.as_deref().map_or_else(String::new, |link| format!(" → .{link}"));
        Some(format!("the store of an asynchronous context{link} → the store before it"))
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let title = format!("stores of asynchronous contexts, one in another: {}", counts(finding));
        let link = self.link.as_deref().unwrap_or("parent");
        let explanation = format!(
            "{} enters a new store that holds the former one as `{link}`{} {}. The context that it is entered in does \
             not end, so the next store is entered on top of it, and none of them is ever freed.",
            subject(told),
            in_function(told),
            how_often(finding, told),
        );
        let fix = format!(
            "Use `storage.run(store, callback)`, which ends with its function, instead of `enterWith`, which lasts for \
             all that follows; begin the work of a long-lived loop or queue outside of any request's context \
             (`storage.exit(() => …)`). Keep an id of the former store in `{link}`, not the store."
        );
        Advice { title, explanation, fix }
    }
}

impl Case for Bound {
    fn questions(&self) -> Vec<Question> {
        self.collection.questions()
    }

    fn no_question(&self) -> String {
        self.collection.no_question()
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let holder = &finding.holder;
        let title = format!("`{holder}`, by asynchronous context: {}", counts(finding));
        let (does, fix) = if self.by_hook {
            (
                format!("puts an entry into `{holder}` for asynchronous operations"),
                format!(
                    "Delete the entry in the hook's `destroy(asyncId)`, `{holder}.delete(asyncId)`; for promises, whose \
                     `destroy` comes late or never, use `AsyncLocalStorage` instead: it needs no table."
                ),
            )
        } else {
            (
                format!("adds an asynchronous resource to `{holder}`"),
                format!(
                    "Take the resource out of `{holder}` when its work is done, and call `emitDestroy()` where it was \
                     made with `requireManualDestroy`."
                ),
            )
        };
        let explanation = format!(
            "{} {does}{} {}, and nothing takes it out. The operations end, their entries stay.",
            subject(told),
            in_function(told),
            how_often(finding, told),
        );
        Advice { title, explanation, fix }
    }
}
