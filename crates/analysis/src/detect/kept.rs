//! Who keeps a growing collection: what the families of caches, stores, registries and lists have in common.
//!
//! A cache of schemas, a store of sessions and a list of middleware are Maps, objects and arrays like any other;
//! what they are is told by who holds them. This reads the way from the collection upwards: by which names, in
//! objects of which classes, from which packages.

use leakline_heap::{EdgeType, NodeId, NodeType};

use super::bindings::bindings_of;
use super::collection::{Collection, recognise};
use super::{Advice, Case, Context, Finding, Found, Question, Rule, Told, grouped};
use crate::growth::GrowthSite;
use crate::scripts::{Place, property};

/// Links above a collection that say what it is for.
const MAX_UP: usize = 6;

/// One link above a collection.
#[derive(Debug)]
pub(super) struct Up {
    /// The link's name, empty for positions.
    pub name: String,
    /// The link's kind.
    pub kind: EdgeType,
    /// Who holds by it.
    pub node: NodeId,
    /// Its class or name.
    pub class: String,
}

/// A growing collection with what is above it.
pub(super) struct Kept {
    /// The collection, as `collection` knows it.
    pub collection: Collection,
    /// Its holder in words.
    pub holder: String,
    /// From the collection upwards.
    pub above: Vec<Up>,
    /// Packages whose files name it or made who holds it.
    pub packages: Vec<String>,
    /// The package of the holder's holder.
    around: Option<String>,
}

impl Kept {
    /// The collection of a site, when it is one.
    pub(super) fn of(context: &Context<'_>, site: &GrowthSite) -> Option<Self> {
        let (holder, collection) = recognise(context, site)?;
        let graph = context.graph();
        let mut above = Vec::new();
        let mut at = site.group.owner;
        while above.len() < MAX_UP {
            let Some(up) = context.growth.tree.parent(at) else { break };
            at = up.from;
            if graph.node_type(at) == NodeType::Synthetic {
                break;
            }
            let edge = graph.edge(up.edge);
            if graph.node_type(at) == NodeType::Array || edge.kind == EdgeType::Internal {
                continue;
            }
            above.push(Up {
                name: graph.edge_text(edge).unwrap_or_default().to_string(),
                kind: edge.kind,
                node: at,
                class: graph.node_name(at).to_string(),
            });
        }
        let package = |up: &Up| {
            context.scripts.place(graph, up.node).and_then(|place| package_of(&place.script))
        };
        let scripts = collection.scripts();
        let mut packages: Vec<String> = scripts.filter_map(|script| package_of(&script)).collect();
        packages.extend(above.first().and_then(package));
        // `cache._data`: what begins with an underscore is a part of its holder.
        if let Some(up) = above.first().filter(|up| up.name.starts_with('_')) {
            let names = bindings_of(context, up.node);
            packages.extend(names.iter().filter_map(|b| b.script().and_then(package_of)));
        }
        packages.sort_unstable();
        packages.dedup();
        let around = above.get(1).and_then(package);
        Some(Self { collection, holder, above, packages, around })
    }

    /// The names by which the collection itself is held.
    pub(super) fn own_names(&self) -> impl Iterator<Item = &str> {
        let is_part = self.above.first().is_some_and(|up| up.name.starts_with('_'));
        let first = self.above.iter().take(1 + usize::from(is_part)).map(|up| up.name.as_str());
        first.chain(self.collection.names())
    }

    /// Whether it comes out of one of these packages.
    pub(super) fn is_of(&self, packages: &[&str]) -> bool {
        self.packages.iter().chain(&self.around).any(|p| packages.contains(&p.as_str()))
    }

    /// The finding, with the questions of the collection itself.
    pub(super) fn found(self, rule: Rule, advise: Advise) -> Found {
        let questions = self.collection.questions();
        self.found_with(rule, questions, advise)
    }

    /// The finding, with questions of its own.
    pub(super) fn found_with(self, rule: Rule, questions: Vec<Question>, advise: Advise) -> Found {
        let package = self.packages.first().cloned().or(self.around);
        Found::new(rule, self.holder, KeptCase { questions, package, advise })
    }
}

/// The package that a file belongs to: what follows the last `node_modules`, with its scope.
pub(super) fn package_of(script: &str) -> Option<String> {
    let (_, inside) = script.rsplit_once("/node_modules/")?;
    let mut parts = inside.split('/');
    let first = parts.next()?;
    Some(match parts.next() {
        Some(second) if first.starts_with('@') => format!("{first}/{second}"),
        _ => first.to_string(),
    })
}

/// Functions of the user's that the variables of a scope, or the properties of an object, lead to.
pub(super) fn user_functions(context: &Context<'_>, scope: NodeId) -> Vec<Place> {
    let graph = context.graph();
    graph
        .edges(scope)
        .filter(|e| matches!(e.kind, EdgeType::Context | EdgeType::Property))
        .filter(|e| graph.node_type(e.to) == NodeType::Closure)
        .take(32)
        .filter_map(|e| context.scripts.place(graph, e.to))
        .filter(|place| !place.is_builtin() && package_of(&place.script).is_none())
        .collect()
}

/// Whether an object has a property of that name.
pub(super) fn has(context: &Context<'_>, node: NodeId, name: &str) -> bool {
    property(context.graph(), node, name).is_some()
}

/// What a family says of its case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Advise {
    /// What the collection is called in the title: `cache`, `sessions in`.
    pub what: &'static str,
    /// What its entries are called there.
    pub entries: &'static str,
    /// Why it leaks; `{place}` and `{holder}` are replaced.
    pub why: &'static str,
    /// What to change; `{holder}` is replaced.
    pub fix: &'static str,
}

/// A collection that a family has recognised.
#[derive(Debug)]
struct KeptCase {
    questions: Vec<Question>,
    package: Option<String>,
    advise: Advise,
}

impl Case for KeptCase {
    fn questions(&self) -> Vec<Question> {
        self.questions.clone()
    }

    fn no_question(&self) -> String {
        "the collection has no name of its own in the program, so no statement was sought".into()
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let counts = &finding.site.counts;
        let (before, after) = (counts.first().copied(), counts.last().copied());
        let holder = &finding.holder;
        let Advise { what, entries, why, fix } = self.advise;
        let place = told.place.map_or_else(|| "The program".into(), |p| format!("`{p}`"));
        let fill = |text: &str| text.replace("{place}", &place).replace("{holder}", holder);
        let mut explanation = fill(why);
        if let Some(package) = &self.package {
            explanation.push_str(&format!(" (`{holder}` is kept by the package `{package}`.)"));
        }
        Advice {
            title: format!(
                "{what} `{holder}`: {} → {} {entries}",
                grouped(before.unwrap_or(0)),
                grouped(after.unwrap_or(0))
            ),
            explanation,
            fix: fill(fix),
        }
    }
}
