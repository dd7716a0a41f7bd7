//! `chain`: each new object holds the one before it, or hangs on it.
//!
//! A linked list that is never cut, `state = { prev: state }`, `handler = wrap(handler)`, errors that are each
//! other's cause. Nothing in it is large; its head, or the variable at its tail, keeps it all.

use leakline_heap::{NodeId, NodeType};

use super::bindings::bindings_of;
use super::collection::{CollectionKind, keys};
use super::words::{described, holder_path};
use super::{Advice, Binding, Case, Context, Finding, Found, Question, Rule, Told, grouped};
use crate::growth::{Chain, GrowthSite, Pattern};
use crate::scripts::Place;

/// A chain that grows.
#[derive(Debug)]
struct Grown {
    /// The name of the end that new objects are put to, or of its holder.
    head: String,
    /// The link's name in the program, where it is a property or a variable.
    link: Option<String>,
    /// What the objects are.
    class: String,
    /// Where the linked functions stand, where they are functions.
    function: Option<Place>,
    /// New objects come first (`last = { prev: last }`); else they are put to the end.
    at_front: bool,
    /// Names of the growing end, nearest to the user first.
    bindings: Vec<Binding>,
    /// Property names of the objects.
    keys: Vec<String>,
}

/// Whether the site is a chain.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let Pattern::Chain(chain) = &site.group.pattern else { return None };
    let graph = context.graph();
    let (first, last) = (*site.group.members.first()?, *site.group.members.last()?);
    // With comparable ids the new end is the one whose object was not there before; a head that was merely
    // replaced keeps its place, but is another object.
    let earliest = context.growth.earlier.first()?;
    let at_front = earliest.is_absent(first) || !earliest.is_absent(last);
    let end = if at_front { first } else { last };
    let mut bindings = names_of_end(context, chain, end);
    if bindings.is_empty() && !at_front {
        bindings.extend(link_property(context, chain, end));
    }
    let holder = holder_path(context, first);
    let function = (graph.node_type(first) == NodeType::Closure)
        .then(|| context.scripts.place(graph, first))
        .flatten();
    let class = match graph.node_type(first) {
        NodeType::Closure => described(context, first),
        _ => site.group.class.label().to_string(),
    };
    let grown = Grown {
        head: holder.clone(),
        link: chain.link_name().map(ToString::to_string),
        class,
        function,
        at_front,
        bindings,
        keys: keys(graph, end),
    };
    let rule = if is_logger(context, first) { Rule::Logger } else { Rule::Chain };
    Some(Found::new(rule, holder, grown))
}

/// Whether the chain is of loggers, each the child of the one before.
fn is_logger(context: &Context<'_>, node: NodeId) -> bool {
    let graph = context.graph();
    let class = graph.node_name(node);
    class == "Pino"
        || class.ends_with("Logger")
        || graph
            .edges(node)
            .take(64)
            .any(|e| graph.edge_text(e).is_some_and(|name| name.starts_with("<symbol pino.")))
}

/// The names of the chain's growing end, without the links of the chain itself.
fn names_of_end(context: &Context<'_>, chain: &Chain, end: NodeId) -> Vec<Binding> {
    let own_link = |b: &Binding| {
        matches!(b, Binding::Property { name, .. }
            if chain.links.iter().any(|l| l.name.as_deref() == Some(name)))
    };
    let mut names = bindings_of(context, end);
    names.retain(|b| !own_link(b));
    names
}

/// The link as a property of the objects' class: `tail.next = node`.
fn link_property(context: &Context<'_>, chain: &Chain, end: NodeId) -> Option<Binding> {
    let graph = context.graph();
    Some(Binding::Property {
        name: chain.link_name()?.to_string(),
        owner_class: graph.node_name(end).to_string(),
        script: context.scripts.place(graph, end).filter(|p| !p.is_builtin()).map(|p| p.script),
    })
}

impl Case for Grown {
    fn questions(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        if !self.bindings.is_empty() {
            questions.push(Question::Adders {
                holders: self.bindings.clone(),
                kind: CollectionKind::Chain,
                value_keys: self.keys.clone(),
                value_class: Some(self.class.clone()).filter(|c| c != "Object"),
            });
        }
        questions.extend(self.function.clone().map(Question::Enclosing));
        questions
    }

    fn no_question(&self) -> String {
        format!("`{}` has no name of its own in the program, so no statement was sought", self.head)
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        advise(finding, self, told)
    }
}

fn advise(finding: &Finding<'_>, chain: &Grown, told: Told<'_>) -> Advice {
    let site = finding.site;
    let before = site.counts.first().copied().unwrap_or(0);
    let after = site.counts.last().copied().unwrap_or(0);
    let Grown { head, class, .. } = chain;
    let title = format!("chain at `{head}`: {} → {} links", grouped(before), grouped(after));
    let place = told.place.map_or_else(|| "Some statement".into(), |p| format!("`{p}`"));
    let link = match &chain.link {
        Some(link) if link == "__proto__" => "as its prototype".to_string(),
        Some(link) => format!("through `{link}`"),
        None => "by a link of its own".to_string(),
    };
    let explanation = if chain.at_front {
        format!(
            "{place} puts a new {class} into `{head}` each time it runs, and the new one holds the one before it \
             {link}. So none of them can go: `{head}` keeps the newest, and that keeps all others."
        )
    } else {
        format!(
            "{place} hangs a new {class} on the one before it {link} each time it runs, and nothing takes the \
             oldest off. `{head}` keeps the first, and that keeps all others."
        )
    };
    let fix = match (&chain.link, chain.function.is_some()) {
        _ if finding.rule == Rule::Logger => format!(
            "Make each child of the module's own logger and keep it in a variable of the handler, not in `{head}`: \
             `const log = {head}.child({{ requestId }})`."
        ),
        (Some(link), _) if link == "__proto__" => format!(
            "Make each new object from the first one instead of the one before: `Object.create(base)`, and copy \
             into it what is needed of `{head}`."
        ),
        (_, true) => format!(
            "Do not wrap what is already wrapped: build `{head}` once from the original function, or keep the \
             steps in an array and run them in turn: `for (const step of steps) value = step(value)`."
        ),
        (Some(link), _) if chain.at_front => format!(
            "Copy what is needed of the old one instead of keeping it: no `{link}`, or cut the chain at a \
             length: `if (++count > 100) {{ oldest.{link} = null }}`. For a history, an array with a bound says \
             it better: `history.push(entry); if (history.length > 100) history.shift()`."
        ),
        (Some(link), _) => format!(
            "Take the oldest off when it is done: `{head} = {head}.{link}`; or give the list a bound and drop \
             the first when it is reached."
        ),
        (None, _) => format!(
            "Cut the chain at `{head}`: keep what is needed of the old one, not the old one itself."
        ),
    };
    Advice { title, explanation, fix }
}
