//! `pending-promise`: promises that never settle, and reactions on one that lasts.
//!
//! A promise that nobody can settle any more is garbage like everything else. It leaks when somebody keeps the
//! function that would settle it (a Map of resolvers by request id), or when it is awaited, raced or followed again
//! and again while it lasts: each `then`, `await` and `Promise.race` adds a reaction to the promise's own list.

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};
use rustc_hash::FxHashSet;

use super::spoken::{counts, how_often, in_function, subject};
use super::words::{described, holder_path};
use super::{
    Advice, Case, Context, Finding, Found, Question, Rule, Told, chain, collection, sample,
};
use crate::growth::{GrowthSite, Kept, Pattern, unbound, waiter};
use crate::scripts::{Place, internal};

/// Whether the site is reactions on one promise, or a collection of functions that settle promises.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    match site.group.pattern {
        Pattern::Kept(Kept::Reaction) => Some(reactions(context, site)),
        Pattern::Entries | Pattern::Elements | Pattern::Keys | Pattern::Chain(_) => {
            resolvers(context, site)
        }
        _ => None,
    }
}

/// Reactions on one promise.
#[derive(Debug)]
struct Reactions {
    promise: String,
    by: By,
    /// Who waits, in words.
    member: String,
}

/// How the program waits.
#[derive(Debug)]
enum By {
    /// A function handed to `then`, `catch` or `finally`.
    Then(Place),
    /// An async function that awaits.
    Await(Place),
    /// `Promise.race` or one of its like: the functions are V8's own.
    Race,
}

fn reactions(context: &Context<'_>, site: &GrowthSite) -> Found {
    let graph = context.graph();
    let promise = holder_path(context, site.group.owner);
    let place = |node: NodeId| context.scripts.place(graph, node).filter(|p| !p.is_builtin());
    let by = sample(graph, site).and_then(|reaction| {
        let function = waiter(graph, reaction, &|f| place(f).is_some())?.function;
        let at = place(function)?;
        let handed_over = graph.edges(reaction).take(16).any(|e| unbound(graph, e.to) == function);
        let by = if handed_over { By::Then(at) } else { By::Await(at) };
        Some((by, described(context, function)))
    });
    let (by, member) = by.unwrap_or((By::Race, "the promise of a race".into()));
    let case = Reactions { promise: promise.clone(), by, member };
    Found::new(Rule::PendingPromise, promise, case)
}

const THEN: [&str; 3] = ["then", "catch", "finally"];
const RACE: [&str; 4] = ["Promise.race", "Promise.any", "Promise.all", "Promise.allSettled"];

/// `ready` of `client.ready`.
fn last_name(path: &str) -> &str {
    path.rsplit(['.', '#']).next().unwrap_or(path)
}

impl Case for Reactions {
    fn questions(&self) -> Vec<Question> {
        match &self.by {
            By::Then(place) => {
                vec![Question::CallAround { function: place.clone(), callees: THEN.to_vec() }]
            }
            By::Await(place) => vec![Question::Awaits {
                function: place.clone(),
                words: vec![last_name(&self.promise).to_string()],
            }],
            By::Race => vec![Question::creations(&RACE[..1]), Question::creations(&RACE)],
        }
    }

    fn path(&self) -> Option<String> {
        Some(format!("{} → reactions → {}", self.promise, self.member))
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let promise = &finding.holder;
        let title = format!("reactions on the pending promise `{promise}`: {}", counts(finding));
        let does = match self.by {
            By::Then(_) => format!("follows `{promise}` with another function"),
            By::Await(_) => format!("waits for `{promise}`"),
            By::Race => format!("races against `{promise}`"),
        };
        let explanation = format!(
            "{} {does}{} {}. A promise keeps a reaction for everyone who waits until it settles; `{promise}` lasts, so \
             none of them is ever freed, even when the race is long won.",
            subject(told),
            in_function(told),
            how_often(finding, told),
        );
        let fix = match self.by {
            By::Race => format!(
                "Do not race against a promise that lasts. Let one reaction on `{promise}` serve all: keep the \
                 functions to call in a `Set`, add one for each race and delete it in `finally`. Or use an \
                 `AbortSignal` and remove the listener when the work is done."
            ),
            By::Then(_) | By::Await(_) => format!(
                "Follow `{promise}` once, when the program starts, and let that one reaction serve all who wait, from \
                 a `Set` that they leave when they end. Or settle `{promise}`: a wait with a deadline ends."
            ),
        };
        Advice { title, explanation, fix }
    }
}

/// A collection of functions that settle promises, one for each that waits.
#[derive(Debug)]
struct Resolvers {
    collection: Box<dyn Case>,
    /// The function that waits.
    waits: Option<Place>,
}

fn resolvers(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let graph = context.graph();
    let member = sample(graph, site)?;
    // A queue that links its entries wraps each of them once or twice.
    let is_queue = matches!(site.group.pattern, Pattern::Chain(_));
    let depth = if is_queue { MAX_WRAPS } else { 1 };
    let promise = pending_behind(graph, member, depth, &site.group.members)?;
    let waits = waiting_place(context, promise);
    let inner = if is_queue { chain::check } else { collection::check };
    let Found { holder, case, .. } = inner(context, site)?;
    Some(Found::new(Rule::PendingPromise, holder, Resolvers { collection: case, waits }))
}

/// The function that waits for the promise: the program's own before those of packages.
fn waiting_place(context: &Context<'_>, promise: NodeId) -> Option<Place> {
    let graph = context.graph();
    let head = internal(graph, promise, "reactions_or_result")?;
    let place = |node: NodeId| context.scripts.place(graph, node).filter(|p| !p.is_builtin());
    let own = |node: NodeId| place(node).is_some_and(|p| !p.script.contains("/node_modules/"));
    let found =
        waiter(graph, head, &own).or_else(|| waiter(graph, head, &|node| place(node).is_some()))?;
    place(found.function)
}

/// Objects between an entry of a queue and the function that settles.
const MAX_WRAPS: usize = 3;

/// Objects of one entry that are looked at.
const MAX_PARTS: usize = 64;

/// The pending promise that a member settles: a resolving function, or an object with one (`{ resolve, reject }`),
/// as many objects below it as `depth` says. Other members are not looked into.
fn pending_behind(
    graph: &HeapGraph,
    member: NodeId,
    depth: usize,
    members: &[NodeId],
) -> Option<NodeId> {
    if graph.node_type(member) == NodeType::Closure {
        return pending_of(graph, member);
    }
    let others: FxHashSet<NodeId> =
        if depth > 1 { members.iter().copied().collect() } else { FxHashSet::default() };
    let mut level = vec![member];
    let mut looked_at = 0;
    for _ in 0..depth {
        let mut below = Vec::new();
        for &object in &level {
            if graph.node_type(object) != NodeType::Object {
                continue;
            }
            for edge in graph.edges(object).take(32) {
                let is_part = matches!(edge.kind, EdgeType::Property | EdgeType::Element)
                    && graph.edge_text(edge) != Some("__proto__");
                looked_at += usize::from(is_part);
                if !is_part || looked_at > MAX_PARTS {
                    continue;
                }
                if graph.node_type(edge.to) == NodeType::Closure {
                    if let Some(promise) = pending_of(graph, edge.to) {
                        return Some(promise);
                    }
                } else if !others.contains(&edge.to) {
                    below.push(edge.to);
                }
            }
        }
        level = below;
    }
    None
}

/// The promise of a resolving function of V8's, while it is pending.
fn pending_of(graph: &HeapGraph, function: NodeId) -> Option<NodeId> {
    if graph.location(function).is_some() {
        return None;
    }
    let scope = internal(graph, function, "context")?;
    let is_promise = |node: NodeId| {
        graph.node_type(node) == NodeType::Object && graph.node_name(node) == "Promise"
    };
    let promise = graph.edges(scope).take(16).find(|e| is_promise(e.to))?.to;
    let result = internal(graph, promise, "reactions_or_result");
    // Without a link nobody waits yet; a settled one has its value there.
    let pending = result.is_none_or(|r| graph.node_name(r) == "system / PromiseReaction");
    pending.then_some(promise)
}

impl Case for Resolvers {
    fn questions(&self) -> Vec<Question> {
        let mut questions = self.collection.questions();
        // Where the queue is a package's that is not at hand, the one who waits is.
        questions.extend(
            self.waits
                .iter()
                .map(|function| Question::Awaits { function: function.clone(), words: Vec::new() }),
        );
        questions
    }

    fn no_question(&self) -> String {
        self.collection.no_question()
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let holder = &finding.holder;
        let title = format!("promises that wait in `{holder}`: {}", counts(finding));
        let waits = self.waits.as_ref().map_or_else(String::new, |place| {
            format!(" What waits is the function at `{}:{}`.", place.file_name(), place.line)
        });
        let explanation = format!(
            "{} puts the function that would settle a promise into `{holder}`{} {}, and nothing calls it and takes it \
             out. Everyone who waits for that promise is kept with it.{waits}",
            subject(told),
            in_function(told),
            how_often(finding, told),
        );
        let fix = format!(
            "Settle every promise on every way: when the answer comes, when it fails, and after a deadline. \
             `const timer = setTimeout(() => {{ reject(new Error('timeout')) }}, 30_000)`, and in all three cases take \
             the entry out of `{holder}` and clear the timer."
        );
        Advice { title, explanation, fix }
    }
}
