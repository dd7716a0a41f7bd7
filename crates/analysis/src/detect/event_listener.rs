//! `event-listener`: listeners of an `EventEmitter`.
//!
//! Node keeps listeners in `emitter._events`: an object by event name, whose values are one function or an
//! array of functions. A listener registered with `once` is a bound wrapper that knows the original.

use leakline_heap::{EdgeType, HeapGraph, NodeId};

use super::runtime_calls::public_calls;
use super::words::{holder_path, is_named_by_program, symbol_of};
use super::{Advice, Case, Context, Finding, Found, Question, Rule, Told, grouped, listed, sample};
use crate::growth::{GrowthSite, Pattern, unbound};
use crate::scripts::{Place, internal, property};

/// Listeners that pile up on an emitter.
#[derive(Debug)]
struct Listener {
    /// The emitter, as its holder's path: `process`, `bus`.
    emitter: String,
    /// The event, `None` where each listener has an event of its own.
    event: Option<String>,
    /// Where the listening function stands.
    function: Option<Place>,
    /// Variables that each listener keeps through the scope it closes over.
    captured: Vec<String>,
    /// Registered with `once`.
    once: bool,
    /// The program has a name for the emitter; else `emitter` is its class.
    named: bool,
}

/// Whether the site is an emitter's list of listeners.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let graph = context.graph();
    let owner = site.group.owner;
    let (emitter, event) = match site.group.pattern {
        Pattern::Elements => {
            let (events, event) = holder_by_property(context, owner)?;
            (emitter_of(context, events)?, Some(event))
        }
        // Each listener under an event of its own: `bus.once('reply:' + id, …)`.
        Pattern::Keys => (emitter_of(context, owner)?, None),
        _ => return None,
    };
    let sample = sample(graph, site)?;
    let (function, once) = listener_function(graph, sample);
    let path = holder_path(context, emitter);
    let listener = Listener {
        emitter: path.clone(),
        event,
        function: context.scripts.place(graph, function),
        captured: captured(graph, function),
        once,
        named: is_named_by_program(context, emitter),
    };
    Some(Found::new(Rule::EventListener, path, listener))
}

impl Case for Listener {
    fn questions(&self) -> Vec<Question> {
        let Some(function) = &self.function else { return Vec::new() };
        // `once(emitter, 'end')`, `source.pipe(target)`: the listening function is Node's own.
        if function.is_builtin() {
            let callees = public_calls(function);
            return if callees.is_empty() {
                Vec::new()
            } else {
                vec![Question::creations(callees)]
            };
        }
        vec![
            Question::Registration {
                function: function.clone(),
                event: self.event.clone(),
                emitter: self.emitter.clone(),
            },
            // Node's own functions register what they are given: `fs.watchFile(path, listener)`.
            Question::CallAround { function: function.clone(), callees: GIVEN.to_vec() },
        ]
    }

    fn no_question(&self) -> String {
        match &self.function {
            Some(_) => "the listener is one of the runtime's own functions".into(),
            None => "the snapshot does not say where the listener's function stands".into(),
        }
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        advise(finding, self, told)
    }

    fn emitter(&self) -> Option<(&str, Option<&str>)> {
        Some((&self.emitter, self.event.as_deref()))
    }
}

/// What registers the function that it is given.
const GIVEN: [&str; 6] = ["watchFile", "on", "once", "addListener", "prependListener", "request"];

/// The object that holds `node` by a property below `_events`, and the property's name.
fn holder_by_property(context: &Context<'_>, node: NodeId) -> Option<(NodeId, String)> {
    let graph = context.graph();
    context.retainers.of_node(node).find_map(|held| {
        let edge = graph.edge(held.edge);
        let is_event = edge.kind == EdgeType::Property && emitter_of(context, held.from).is_some();
        is_event.then(|| (held.from, written(graph.edge_text(edge).unwrap_or_default())))
    })
}

/// An event's name as it stands in a program: a symbol as `Symbol(done)`.
fn written(name: &str) -> String {
    symbol_of(name).map_or_else(|| name.to_string(), |symbol| format!("Symbol({symbol})"))
}

/// The emitter whose `_events` this object is.
fn emitter_of(context: &Context<'_>, events: NodeId) -> Option<NodeId> {
    let graph = context.graph();
    context.retainers.of_node(events).find_map(|held| {
        let edge = graph.edge(held.edge);
        let is_events = edge.kind == EdgeType::Property && graph.edge_text(edge) == Some("_events");
        is_events.then_some(held.from)
    })
}

/// The user's function behind what `_events` holds, and whether it was registered with `once`.
pub(super) fn listener_function(graph: &HeapGraph, held: NodeId) -> (NodeId, bool) {
    let wrapped = property(graph, held, "listener").or_else(|| {
        internal(graph, held, "bound_this").and_then(|state| property(graph, state, "listener"))
    });
    if let Some(original) = wrapped {
        return (unbound(graph, original), true);
    }
    (unbound(graph, held), false)
}

/// The variables of the scope that the function closes over.
pub(super) fn captured(graph: &HeapGraph, function: NodeId) -> Vec<String> {
    let Some(scope) = internal(graph, function, "context") else { return Vec::new() };
    let mut names: Vec<String> = graph
        .edges(scope)
        .filter(|e| e.kind == EdgeType::Context)
        .filter_map(|e| graph.edge_text(e))
        .filter(|name| !matches!(*name, "this" | "arguments" | ".this_function" | ".new.target"))
        .map(ToString::to_string)
        .collect();
    names.dedup();
    names
}

fn advise(finding: &Finding<'_>, listener: &Listener, told: Told<'_>) -> Advice {
    let site = finding.site;
    let before = site.counts.first().copied().unwrap_or(0);
    let after = site.counts.last().copied().unwrap_or(0);
    let emitter = &listener.emitter;
    let (event, what) = match &listener.event {
        Some(event) => (event.as_str(), format!("'{event}' listeners on `{emitter}`")),
        None => ("…", format!("listeners on `{emitter}`, each for an event of its own")),
    };
    let title = format!("{what}: {} → {}", grouped(before), grouped(after));
    let place = told.place.map_or_else(|| "Some statement".into(), |p| format!("`{p}`"));
    let per_request = match told.requests {
        Some(requests) if requests > 0 && follows(site.delta(), requests) => {
            "adds a new listener with every request, and"
        }
        _ => "adds a new listener each time it runs, and",
    };
    let life = if emitter == "process" {
        "`process` lives as long as the program, so every one of them does too".to_string()
    } else {
        format!("`{emitter}` outlives them, so none of them is ever freed")
    };
    let same = site.delta() > 2 * site.group.members.len() as u64;
    let keeps = if same {
        "a place in the list; it is one function each time, so that every event runs it that often"
            .into()
    } else if listener.captured.is_empty() {
        "everything its function refers to".to_string()
    } else {
        format!("{} from the scope it was created in", listed(&listener.captured))
    };
    let once_note = if listener.once {
        " `once` does not help as long as the event does not come."
    } else {
        ""
    };
    let explanation =
        format!("{place} {per_request} nothing removes it. {life}; each keeps {keeps}.{once_note}");
    let where_ = told.function.map_or_else(String::new, |f| format!(" out of `{f}`"));
    if !listener.named {
        let fix = format!(
            "Register the '{event}' listener once for each `{emitter}`, where that is created, not each time it \
             is used. If it must belong to one request, keep the function in a variable and remove it with \
             `removeListener('{event}', listener)` when the response ends."
        );
        return Advice { title, explanation, fix };
    }
    let fix = format!(
        "Register the '{event}' listener once, at start-up: move it{where_} to the top level of the \
         module. If it must belong to one request, keep the function in a variable and remove it when \
         the response ends: `res.once('close', () => {emitter}.removeListener('{event}', listener))`."
    );
    Advice { title, explanation, fix }
}

/// Whether the growth is about one for each request.
pub(super) fn follows(delta: u64, requests: u64) -> bool {
    let ratio = delta as f64 / requests as f64;
    (0.8..=1.25).contains(&ratio)
}
