//! `event-target-listener`: listeners of an `EventTarget`, most often of an `AbortSignal`.
//!
//! Node keeps them in a `Map` by event under a symbol; each value is the head of a list that the listeners link
//! themselves. `AbortSignal.any` adds two more places: the followed signal keeps a weak reference to each signal
//! that follows it, and a follower that somebody listens to is kept by the runtime until it aborts.

use leakline_heap::{EdgeType, HeapGraph, NodeId};

use super::event_listener::captured;
use super::runtime_calls::public_calls;
use super::spoken::{counts, how_often, in_function, subject};
use super::words::{described, holder_path, is_named_by_program};
use super::{Advice, Case, Context, Finding, Found, Question, Rule, Told, listed, sample};
use crate::growth::{GrowthSite, Kept, Pattern, unbound};
use crate::scripts::{Place, internal, property};

/// Listeners that pile up on an event target.
#[derive(Debug)]
struct Listeners {
    /// The target, as its holder's path.
    target: String,
    /// The event.
    event: Option<String>,
    /// What grows.
    what: What,
    /// Where the listening function stands.
    function: Option<Place>,
    /// Variables that each listener keeps.
    captured: Vec<String>,
    /// The target is an `AbortSignal`.
    signal: bool,
    /// One of them in words.
    member: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Listeners of one target.
    Listeners,
    /// Weak references to signals that follow one signal.
    Followers,
    /// Followers that the runtime keeps because somebody listens to them.
    KeptFollowers,
}

/// Retainers that are looked at on the way from a list to its target; there is one of each.
const MAX_RETAINERS: usize = 64;

/// Whether the site is listeners of an event target.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    match site.group.pattern {
        Pattern::Kept(Kept::Listener) => listeners(context, site),
        Pattern::Entries => followers(context, site),
        _ => None,
    }
}

fn listeners(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let graph = context.graph();
    let (target, event) = target_of(context, site.group.owner)?;
    let function = callback(graph, sample(graph, site)?)?;
    let path = target_path(context, target);
    let case = Listeners {
        member: described(context, function),
        target: path.clone(),
        event,
        what: What::Listeners,
        function: context.scripts.place(graph, function),
        captured: captured(graph, function),
        signal: is_signal(graph, target),
    };
    Some(Found::new(Rule::EventTargetListener, path, case))
}

fn followers(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let graph = context.graph();
    let set = site.group.owner;
    let held = context.retainers.of_node(set).take(MAX_RETAINERS).find_map(|held| {
        let edge = graph.edge(held.edge);
        match (edge.kind, graph.edge_text(edge)?) {
            (EdgeType::Property, "<symbol kDependantSignals>") => {
                Some((What::Followers, held.from))
            }
            (EdgeType::Context, "gcPersistentSignals") => Some((What::KeptFollowers, set)),
            _ => None,
        }
    });
    let (what, target) = held?;
    let function = match what {
        What::KeptFollowers => sample(graph, site).and_then(|s| listener_of(graph, s)),
        _ => None,
    };
    let path = match what {
        What::KeptFollowers => "AbortSignal.any".to_string(),
        _ => target_path(context, target),
    };
    let case = Listeners {
        member: function.map_or_else(String::new, |f| described(context, f)),
        target: path.clone(),
        event: Some("abort".into()),
        what,
        function: function.and_then(|f| context.scripts.place(graph, f)),
        captured: function.map(|f| captured(graph, f)).unwrap_or_default(),
        signal: true,
    };
    Some(Found::new(Rule::EventTargetListener, path, case))
}

/// The name of a target. A controller and its signal are one thing to the program.
fn target_path(context: &Context<'_>, target: NodeId) -> String {
    if is_named_by_program(context, target) {
        let path = holder_path(context, target);
        return path.replace(".#signal", ".signal").replace("[Symbol(signal)]", ".signal");
    }
    let graph = context.graph();
    if is_signal(graph, target) { "AbortSignal".into() } else { holder_path(context, target) }
}

/// The target and the event whose list begins at `head`.
fn target_of(context: &Context<'_>, head: NodeId) -> Option<(NodeId, Option<String>)> {
    let graph = context.graph();
    let above = |node: NodeId, fits: &dyn Fn(EdgeType, &str) -> bool| {
        context.retainers.of_node(node).take(MAX_RETAINERS).find_map(|held| {
            let edge = graph.edge(held.edge);
            let text = graph.edge_text(edge).unwrap_or_default();
            fits(edge.kind, text).then(|| (held.from, text.to_string()))
        })
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (table, slot) = above(head, &|kind, text| kind == EdgeType::Internal && is_number(text))?;
    let (map, _) = above(table, &|kind, text| kind == EdgeType::Internal && text == "table")?;
    let (target, _) = above(map, &|kind, text| {
        kind == EdgeType::Property && matches!(text, "<symbol kEvents>" | "<symbol events>")
    })?;
    // An entry's key stands one slot before its value.
    let key = slot.parse::<u32>().ok()?.checked_sub(1)?.to_string();
    let event = internal(graph, table, &key)
        .filter(|k| graph.node_type(*k).is_string())
        .map(|k| graph.node_name(k).to_string());
    Some((target, event))
}

/// The function of a listener: what was given, not what Node made of it.
fn callback(graph: &HeapGraph, listener: NodeId) -> Option<NodeId> {
    let callback = property(graph, listener, "callback")?;
    // An object with a `handleEvent`.
    let function = property(graph, callback, "handleEvent").unwrap_or(callback);
    Some(unbound(graph, function))
}

/// A function that listens to this signal.
fn listener_of(graph: &HeapGraph, signal: NodeId) -> Option<NodeId> {
    let events = property(graph, signal, "<symbol kEvents>")?;
    let table = internal(graph, events, "table")?;
    let mut entries = graph.edges(table).take(MAX_RETAINERS);
    entries.find_map(|e| callback(graph, property(graph, e.to, "next")?))
}

fn is_signal(graph: &HeapGraph, target: NodeId) -> bool {
    graph.node_name(target) == "AbortSignal"
        || property(graph, target, "<symbol kAborted>").is_some()
}

impl Case for Listeners {
    fn questions(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        match &self.function {
            Some(place) if !place.is_builtin() => {
                questions.push(Question::CallAround {
                    function: place.clone(),
                    callees: vec!["addEventListener", "addAbortListener", "on", "once"],
                });
            }
            Some(place) => {
                let calls = public_calls(place);
                if !calls.is_empty() {
                    questions.push(Question::creations(calls));
                }
            }
            None => {}
        }
        if self.what != What::Listeners {
            questions.push(Question::creations(&["AbortSignal.any"]));
        }
        questions
    }

    fn no_question(&self) -> String {
        "the snapshot does not say where the listener's function stands".into()
    }

    fn path(&self) -> Option<String> {
        let event = self.event.as_deref().unwrap_or("…");
        let target = &self.target;
        let member = &self.member;
        Some(match self.what {
            What::Listeners => format!("{target} → '{event}' listeners → {member}"),
            What::Followers => format!("{target} → signals that follow it"),
            What::KeptFollowers => {
                format!("signals of {target} that are listened to → '{event}' listeners → {member}")
            }
        })
    }

    fn emitter(&self) -> Option<(&str, Option<&str>)> {
        Some((&self.target, self.event.as_deref()))
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        match self.what {
            What::Listeners => self.advise_listeners(finding, told),
            What::Followers | What::KeptFollowers => self.advise_followers(finding, told),
        }
    }
}

impl Listeners {
    fn advise_listeners(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let target = &self.target;
        let event = self.event.as_deref().unwrap_or("…");
        let title = format!("'{event}' listeners on `{target}`: {}", counts(finding));
        let of_runtime = self.function.as_ref().is_some_and(Place::is_builtin);
        let keeps = if of_runtime {
            "what the call that was given the signal holds".to_string()
        } else if self.captured.is_empty() {
            "everything its function refers to".to_string()
        } else {
            format!("{} from the scope it was created in", listed(&self.captured))
        };
        let explanation = format!(
            "{} adds a listener{} {}, and nothing removes it. `{target}` outlives them, so none of them is ever \
             freed; each keeps {keeps}.",
            subject(told),
            in_function(told),
            how_often(finding, told),
        );
        let fix = if of_runtime {
            format!(
                "Do not hand `{target}` itself to each call: make an `AbortController` for each of them, and abort \
                 it from one listener that is removed when the call ends: `{target}.addEventListener('abort', \
                 stop)`, then `finally {{ {target}.removeEventListener('abort', stop) }}`."
            )
        } else if self.signal {
            format!(
                "Keep the function in a variable and remove it when the work ends: `{target}.removeEventListener(\
                 '{event}', listener)` in a `finally`. `{{ once: true }}` does not help as long as the signal does \
                 not abort; a second signal does: `addEventListener('{event}', listener, {{ signal: \
                 done.signal }})`, and `done.abort()` at the end."
            )
        } else {
            format!(
                "Add the '{event}' listener once, when the program starts, or keep the function in a variable and \
                 call `{target}.removeEventListener('{event}', listener)` when what it belongs to ends."
            )
        };
        Advice { title, explanation, fix }
    }

    fn advise_followers(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let target = &self.target;
        let (title, explanation) = if self.what == What::Followers {
            (
                format!("signals that follow `{target}`: {}", counts(finding)),
                format!(
                    "{} makes a signal that follows `{target}`{} {}. The long-lived signal keeps a reference for \
                     each of them until it aborts, even when the followers are gone.",
                    subject(told),
                    in_function(told),
                    how_often(finding, told),
                ),
            )
        } else {
            (
                format!("combined signals with listeners: {}", counts(finding)),
                format!(
                    "{} listens to a combined signal{} {}. A signal made by `AbortSignal.any` or \
                     `AbortSignal.timeout` that somebody listens to is kept by the runtime until it aborts or its \
                     listeners are removed; each keeps {}.",
                    subject(told),
                    in_function(told),
                    how_often(finding, told),
                    if self.captured.is_empty() {
                        "what its listener refers to".to_string()
                    } else {
                        listed(&self.captured)
                    },
                ),
            )
        };
        let fix = "Make one `AbortController` for each piece of work, and let one listener on the long-lived signal \
                   abort it; remove that listener, and those of the combined signal, when the work ends."
            .to_string();
        Advice { title, explanation, fix }
    }
}
