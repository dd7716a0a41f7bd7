//! `shared-context`: a function keeps a variable alive that only its sibling uses.
//!
//! All functions that are made in one scope share one context, with every variable that *any* of them uses.
//! A small function that is kept therefore keeps the large variable of its sibling. Two shapes are told:
//!
//! - a chain: the variable holds what the scope's function was kept by the time before, so each keeps all of its
//!   ancestors (`const original = thing; thing = { method() {} }`);
//! - a collection of such functions, or of objects with such methods, most of whose weight lies behind one
//!   variable of their scope. Which variables a function uses is not in the heap but in its text, so the
//!   source is asked: only when the kept function does not mention the variable is it this family.

use leakline_heap::{EdgeType, NodeId, NodeType};

use super::collection::{self, Collection};
use super::makeup::make_up;
use super::words::{described, holder_path};
use super::{
    Advice, Case, Context, Finding, Found, Question, Rule, ScopeAnswer, ScopeQuestion, Told,
    grouped, listed,
};
use crate::growth::{GrowthSite, Pattern};
use crate::scripts::Place;

/// Each member keeps the one before by a scope.
#[derive(Debug)]
struct Ancestors {
    variable: String,
    function: String,
    place: Option<Place>,
    /// Other functions of the scope that are alive.
    siblings: Vec<String>,
}

/// Members whose weight lies behind one variable of their functions' scope.
#[derive(Clone, Debug)]
struct Kept {
    collection: Collection,
    variable: String,
    function: String,
    place: Place,
    /// What the source said: who uses the variable. `None` before it was asked.
    users: Option<Vec<String>>,
}

/// Whether the site's members are kept, or heavy, by a scope they share with other functions.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    match site.group.pattern {
        Pattern::Chain(_) => ancestors(context, site),
        _ => kept(context, site),
    }
}

fn ancestors(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let graph = context.graph();
    let Pattern::Chain(cycle) = &site.group.pattern else { return None };
    // A function whose scope holds the next function calls it: that is a chain, and nobody's sibling.
    if !cycle.links.iter().any(|l| l.kind == EdgeType::Property) {
        return None;
    }
    let by_scope = cycle
        .links
        .iter()
        .find_map(|l| l.name.as_deref().filter(|n| l.kind == EdgeType::Context && *n != "this"))?;
    // The function whose scope it is, on the way down from a member that is not the last.
    let tree = &context.growth.tree;
    let (function, scope) = site.group.members.iter().rev().find_map(|&member| {
        let mut at = member;
        for _ in 0..32 {
            let up = tree.parent(at)?;
            let edge = graph.edge(up.edge);
            if edge.kind == EdgeType::Context && graph.edge_text(edge) == Some(by_scope) {
                let above = tree.parent(up.from)?;
                return (graph.node_type(above.from) == NodeType::Closure)
                    .then_some((above.from, up.from));
            }
            at = up.from;
        }
        None
    })?;
    let place = context.scripts.place(graph, function);
    if place.as_ref().is_some_and(Place::is_builtin) {
        return None;
    }
    let case = Ancestors {
        variable: by_scope.to_string(),
        function: function_words(context, function),
        place,
        siblings: siblings(context, scope, function),
    };
    let head = site
        .group
        .members
        .iter()
        .copied()
        .find(|m| tree.parent(*m).is_some_and(|up| up.from == site.group.owner));
    Some(Found::new(
        Rule::SharedContext,
        holder_path(context, head.unwrap_or(site.group.owner)),
        case,
    ))
}

fn function_words(context: &Context<'_>, function: NodeId) -> String {
    let name = context.graph().node_name(function);
    if name.is_empty() { described(context, function) } else { format!("{name}()") }
}

/// Other functions that share the scope. Bounded: the first few links.
fn siblings(context: &Context<'_>, scope: NodeId, function: NodeId) -> Vec<String> {
    let graph = context.graph();
    let shares = |held: &leakline_heap::Retainer| {
        graph.edge_text(graph.edge(held.edge)) == Some("context")
            && graph.node_type(held.from) == NodeType::Closure
            && held.from != function
    };
    let held = context.retainers.of_node(scope).take(64).filter(shares);
    held.take(3).map(|held| function_words(context, held.from)).collect()
}

fn kept(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let graph = context.graph();
    let (holder, collection) = collection::recognise(context, site)?;
    let made = make_up(context, site);
    let captured = made.variable.as_ref().filter(|v| made.mostly(v.bytes))?;
    if matches!(captured.variable.as_str(), "this" | ".this_function" | "arguments") {
        return None;
    }
    let place = context.scripts.place(graph, captured.function).filter(|p| !p.is_builtin())?;
    let case = Kept {
        collection,
        variable: captured.variable.clone(),
        function: function_words(context, captured.function),
        place,
        users: None,
    };
    Some(Found::new(Rule::Collection, holder, case))
}

impl Case for Ancestors {
    fn questions(&self) -> Vec<Question> {
        self.place.iter().cloned().map(Question::Enclosing).collect()
    }

    fn no_question(&self) -> String {
        "the snapshot does not say where the function stands whose scope is kept".into()
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let site = finding.site;
        let before = grouped(site.counts.first().copied().unwrap_or(0));
        let after = grouped(site.counts.last().copied().unwrap_or(0));
        let Self { variable, function, .. } = self;
        let holder = &finding.holder;
        let place = told.place.map_or_else(|| "The program".into(), |p| format!("`{p}`"));
        let title = format!(
            "scope of `{function}` keeps `{variable}`, which keeps the one before: {before} → {after}"
        );
        let needed = if self.siblings.is_empty() {
            format!(
                "some function in the same scope uses `{variable}` (it need not be alive any more)"
            )
        } else {
            format!("{} in the same scope may use it", listed(&self.siblings))
        };
        let explanation = format!(
            "{place} makes `{function}`, and `{holder}` keeps it. Functions of one scope share all variables \
             that any of them uses: {needed}, so `{function}` keeps `{variable}` too, whether it uses it or not. \
             `{variable}` is what was there the time before, with a scope of its own: a chain that grows \
             by one each time."
        );
        let fix = format!(
            "Break the chain at its link: set `{variable} = null` at the end of the function that declares it, or \
             make `{function}` outside of that scope, in a function of its own that is given only what it needs."
        );
        Advice { title, explanation, fix }
    }
}

impl Case for Kept {
    fn questions(&self) -> Vec<Question> {
        let mut questions = self.collection.questions();
        questions.push(Question::Enclosing(self.place.clone()));
        questions
    }

    fn scope_question(&self) -> Option<ScopeQuestion> {
        Some(ScopeQuestion { function: self.place.clone(), variable: self.variable.clone() })
    }

    fn with_scope(&self, answer: &ScopeAnswer) -> Option<(Rule, Box<dyn Case>)> {
        if answer.mentioned {
            return None;
        }
        let users = Some(answer.users.clone());
        Some((Rule::SharedContext, Box::new(Self { users, ..self.clone() })))
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let Self { collection, variable, function, .. } = self;
        let Some(users) = &self.users else {
            let mut advice = collection.advise(finding, told);
            let extra = format!(
                " Most of their weight is `{variable}`, which `{function}` keeps by the scope it was made in."
            );
            advice.explanation.push_str(&extra);
            return advice;
        };
        let site = finding.site;
        let before = grouped(site.counts.first().copied().unwrap_or(0));
        let after = grouped(site.counts.last().copied().unwrap_or(0));
        let holder = &finding.holder;
        let place = told.place.map_or_else(|| "The program".into(), |p| format!("`{p}`"));
        let kind = collection.kind.name();
        let needed = match users.as_slice() {
            [] => "another function of that scope uses it".to_string(),
            users => format!("{} in that scope uses it", listed(users)),
        };
        Advice {
            title: format!(
                "`{function}` in {kind} `{holder}` keeps `{variable}` that it does not use: {before} → {after}"
            ),
            explanation: format!(
                "{place} adds `{function}` to the {kind} `{holder}`, and nothing takes it out. It does not mention \
                 `{variable}`, but {needed}, and functions of one scope share all variables that any of them \
                 uses. So each entry keeps its `{variable}`, which is most of what it weighs."
            ),
            fix: format!(
                "Make `{function}` in a function of its own that is given only what it needs, or set \
                 `{variable} = null` when its last user is done. And give `{holder}` a bound: {}",
                collection.bound(holder)
            ),
        }
    }
}
