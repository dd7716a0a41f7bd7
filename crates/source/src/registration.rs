//! Listeners: from a closure's position to the statement that registers it.
//!
//! Every call of a listener method in the files at hand is a candidate. How the closure gets into
//! its argument decides the rank: written there, under its name, through a module's export, out of
//! a factory, through a parameter; last, by the event's name alone.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::facts::{Call, FileFacts, NONE, Range, Value, ValueId};
use crate::files::{ClosureAt, Loaded, SourceFiles};
use crate::gather::gather;
use crate::link::{FileId, Linked, Place};
use crate::location::Location;
use crate::statement::{Certainty, Found, anchor, statement};
use crate::textual;

/// The methods by which Node's and the web's emitters take a listener.
pub const LISTENER_METHODS: [&str; 7] = [
    "on",
    "addListener",
    "once",
    "prependListener",
    "prependOnceListener",
    "addEventListener",
    "subscribe",
];

/// What is known about the listener.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListenerQuery {
    /// The event's name, where the emitter's table tells it.
    pub event: Option<String>,
    /// What the emitter is called in code: `process`, `bus`.
    pub emitter_hint: Option<String>,
    /// Methods that register; [`LISTENER_METHODS`] by default.
    pub methods: Vec<String>,
}

impl Default for ListenerQuery {
    fn default() -> ListenerQuery {
        ListenerQuery {
            event: None,
            emitter_hint: None,
            methods: LISTENER_METHODS.map(str::to_owned).to_vec(),
        }
    }
}

impl ListenerQuery {
    /// A query for listeners of `event`.
    #[must_use]
    pub fn event(event: impl Into<String>) -> ListenerQuery {
        ListenerQuery { event: Some(event.into()), ..ListenerQuery::default() }
    }

    /// The same, of an emitter that code calls `name`.
    #[must_use]
    pub fn emitter(mut self, name: impl Into<String>) -> ListenerQuery {
        self.emitter_hint = Some(name.into());
        self
    }
}

/// How the closure reaches the registering call; better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Route {
    Written,
    Wrapped,
    Named,
    Imported,
    Factory,
    EventOnly,
}

/// Whether the call's event is the one asked for; better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum EventMatch {
    Same,
    Possible,
    Other,
}

struct Candidate {
    file: FileId,
    start: u32,
    end: u32,
    route: Route,
    event: EventMatch,
    emitter: bool,
    repeated: bool,
}

/// The statement that registers the closure which starts at `closure` as a listener.
///
/// `other_files` are the scripts the snapshot knows; they are searched where the closure's own file
/// does not register it. Fails only if no file can be read at all.
pub fn registration(
    files: &SourceFiles,
    closure: &Location,
    query: &ListenerQuery,
    other_files: &[PathBuf],
) -> Result<Found, Error> {
    let own = files.load(&closure.file);
    let seeds: Vec<Arc<Loaded>> = own.iter().cloned().collect();
    if let Ok(loaded) = &own
        && let Some(found) = written_in_place(loaded, closure, query)
    {
        return Ok(found);
    }
    let words: Vec<String> = match (&own, &query.event) {
        // Without the file, the event's name is all there is to go by.
        (Err(_), event) => event.iter().cloned().collect(),
        _ => Vec::new(),
    };
    let gathered = gather(files, &seeds, other_files, &words);
    let mut notes = gathered.notes;
    if let Err(error) = own {
        if gathered.files.is_empty() {
            return Err(error);
        }
        notes.insert(0, error.to_string());
    }
    let at = seeds
        .first()
        .map_or(ClosureAt::Nothing, |loaded| loaded.closure_function(closure, &mut notes));
    let edited = !matches!(at, ClosureAt::Start(_));
    let target = match at {
        ClosureAt::Start(function) | ClosureAt::Inside(function) => Some(function),
        _ => None,
    };
    let own_failed = seeds.first().is_some_and(|loaded| loaded.parsed().failed);
    let linked = Linked::new(gathered.files);

    // In a file that was edited the event says more than a function that happens to stand there.
    if edited && query.event.is_some() && !own_failed {
        let here: Vec<Candidate> =
            candidates(&linked, query, None).into_iter().filter(|it| it.file == 0).collect();
        if !here.is_empty() && !seeds.is_empty() {
            return Ok(answer(&linked, here, query, notes, Some(closure.line)));
        }
    }
    let mut candidates = match target {
        Some(function) => candidates(&linked, query, Some(function)),
        None => Vec::new(),
    };
    if candidates.is_empty() && own_failed {
        let loaded = &seeds[0];
        if let Some(statement) = textual::registration(loaded, closure, query) {
            return Ok(Found {
                best: Some(statement),
                others: Vec::new(),
                how: "found by text near the closure, because the file cannot be parsed".to_owned(),
                certainty: Certainty::ByText,
                caller: None,
                notes,
            });
        }
    }
    if candidates.is_empty() && query.event.is_some() {
        // Nothing passes the closure on: look for the event in every file that names it.
        let words: Vec<String> = query.event.iter().cloned().collect();
        let gathered = gather(files, &seeds, other_files, &words);
        let wider = Linked::new(gathered.files);
        candidates = self::candidates(&wider, query, None);
        return Ok(answer(&wider, candidates, query, notes, None));
    }
    let found = answer(&linked, candidates, query, notes, None);
    let certainty =
        if edited { found.certainty.max(Certainty::Likeliest) } else { found.certainty };
    Ok(Found { certainty, ..found })
}

/// The common case, answered from the closure's own file without reading any other.
fn written_in_place(
    loaded: &Arc<Loaded>,
    closure: &Location,
    query: &ListenerQuery,
) -> Option<Found> {
    let mut notes: Vec<String> = loaded.notes().cloned().collect();
    let ClosureAt::Start(function) = loaded.closure_function(closure, &mut notes) else {
        return None;
    };
    let linked = Linked::new(vec![Arc::clone(loaded)]);
    let candidates = candidates(&linked, query, Some(function));
    let sure = |it: &Candidate| it.route <= Route::Wrapped && it.event != EventMatch::Other;
    candidates.iter().any(sure).then(|| answer(&linked, candidates, query, notes, None))
}

fn candidates(linked: &Linked, query: &ListenerQuery, target: Option<u32>) -> Vec<Candidate> {
    // The closure's own file is always the first.
    let target_place = target.and_then(|function| linked.find(Place::Function(0, function)));
    let mut out = Vec::new();
    for (id, loaded) in linked.files.iter().enumerate() {
        let file = id as FileId;
        let facts = loaded.facts();
        for call in &facts.calls {
            let Some(name) = facts.callee_name(call) else { continue };
            if !query.methods.iter().any(|method| method == name) {
                continue;
            }
            // A plain `once(f)` wraps; only what no file declares (`setInterval`) registers so.
            let registers = match facts.value(call.callee) {
                Some(Value::Member { .. }) => true,
                Some(Value::Global(_)) => !LISTENER_METHODS.contains(&name),
                _ => false,
            };
            if !registers {
                continue;
            }
            let args = facts.parts(call.args);
            let event = event_match(linked, file, facts, args, query);
            let route = match (target, target_place) {
                (Some(function), place) => args
                    .iter()
                    .filter_map(|&arg| {
                        route(linked, file, facts, arg, Value::Function(function), place)
                    })
                    .min(),
                (None, _) => (event == EventMatch::Same).then_some(Route::EventOnly),
            };
            let Some(route) = route else { continue };
            let start = anchor(loaded, call);
            out.push(Candidate {
                file,
                start,
                end: call.range.end,
                route,
                event,
                emitter: emitter_matches(linked, loaded, file, call, query),
                repeated: facts.repeated_function_at(start).is_some(),
            });
        }
        if let Some(event) = &query.event {
            handler_properties(linked, file, facts, event, target, &mut out);
        }
    }
    out
}

/// `socket.onmessage = handler` registers as well.
fn handler_properties(
    linked: &Linked,
    file: FileId,
    facts: &FileFacts,
    event: &str,
    target: Option<u32>,
    out: &mut Vec<Candidate>,
) {
    let Some(function) = target else { return };
    let place = linked.find(Place::Function(0, function));
    for assign in facts.assigns.iter().filter(|assign| assign.expression) {
        let Some(Value::Member { key, .. }) = facts.value(assign.target) else { continue };
        if key == NONE || facts.name(key).strip_prefix("on") != Some(event) {
            continue;
        }
        let written = Value::Function(function);
        if let Some(route) = route(linked, file, facts, assign.value, written, place) {
            let Range { start, end } = assign.range;
            let repeated = facts.repeated_function_at(start).is_some();
            let event = EventMatch::Same;
            out.push(Candidate { file, start, end, route, event, emitter: false, repeated });
        }
    }
}

/// How the function, which stands in the first file, gets into an argument, if it does.
pub(crate) fn route(
    linked: &Linked,
    file: FileId,
    facts: &FileFacts,
    arg: ValueId,
    written: Value,
    place: Option<u32>,
) -> Option<Route> {
    if file == 0 {
        // Follow what is written in place: conditions, `.bind(…)`, wrappers.
        let mut todo = vec![(arg, Route::Written)];
        let mut steps = 0;
        while let Some((value, route)) = todo.pop() {
            steps += 1;
            if steps > 64 {
                break;
            }
            match facts.value(value) {
                Some(value) if value == written => return Some(route),
                Some(Value::Either(left, right)) => todo.extend([(left, route), (right, route)]),
                Some(Value::Call(call)) => {
                    let Some(call) = facts.calls.get(call as usize) else { continue };
                    todo.extend(facts.parts(call.args).iter().map(|&arg| (arg, Route::Wrapped)));
                    todo.extend(facts.callee_object(call).map(|object| (object, Route::Wrapped)));
                }
                _ => {}
            }
        }
    }
    let place = place?;
    // An object with `handleEvent` is a listener too.
    let denotes = linked.denotes(file, arg);
    let handle = linked.name_id("handleEvent");
    let holds = |id: u32| {
        let member = handle.and_then(|key| linked.find(Place::Member(id, key)));
        member.is_some_and(|member| linked.contents(member).contains(&place))
    };
    if !denotes.contains(&place) && !denotes.iter().any(|&id| holds(id)) {
        return None;
    }
    Some(match facts.value(arg) {
        Some(Value::Call(_)) => Route::Factory,
        _ if file == 0 => Route::Named,
        _ => Route::Imported,
    })
}

/// Compares the call's event, the text among its first arguments, with the one asked for.
fn event_match(
    linked: &Linked,
    file: FileId,
    facts: &FileFacts,
    args: &[ValueId],
    query: &ListenerQuery,
) -> EventMatch {
    let (Some(event), Some(&first)) = (&query.event, args.first()) else {
        return EventMatch::Possible;
    };
    if let Some(Value::Template { head, tail }) = facts.value(first) {
        let fits = event.len() >= facts.name(head).len() + facts.name(tail).len()
            && event.starts_with(facts.name(head))
            && event.ends_with(facts.name(tail));
        return if fits { EventMatch::Possible } else { EventMatch::Other };
    }
    let mut some_text = false;
    for &place in linked.denotes(file, first) {
        if let Some(Place::Text(name)) = linked.place(place) {
            some_text = true;
            if linked.name(name) == event {
                return EventMatch::Same;
            }
        }
    }
    if some_text { EventMatch::Other } else { EventMatch::Possible }
}

/// Whether the call's object is called as the hint says, here or where it comes from.
fn emitter_matches(
    linked: &Linked,
    loaded: &Loaded,
    file: FileId,
    call: &Call,
    query: &ListenerQuery,
) -> bool {
    let Some(hint) = &query.emitter_hint else { return false };
    let facts = loaded.facts();
    let Some(object) = facts.callee_object(call) else { return false };
    let Range { start, end } = facts.range(object);
    let text = loaded.text.get(start as usize..end as usize).unwrap_or_default();
    if text == hint || text.strip_suffix(hint.as_str()).is_some_and(|it| it.ends_with('.')) {
        return true;
    }
    linked.denotes(file, object).iter().any(|&place| match linked.place(place) {
        Some(Place::Foreign(name)) => linked.name(name).trim_start_matches("node:") == hint,
        Some(Place::Global(name) | Place::Member(_, name)) => linked.name(name) == hint,
        Some(Place::Symbol(owner, symbol)) => linked
            .files
            .get(owner as usize)
            .map(|file| file.facts())
            .and_then(|facts| Some(facts.name(facts.symbols.get(symbol as usize)?.name)))
            .is_some_and(|name| name == hint),
        Some(place) => linked.instance_name(place).is_some_and(|name| name == hint),
        None => false,
    })
}

fn answer(
    linked: &Linked,
    mut candidates: Vec<Candidate>,
    query: &ListenerQuery,
    notes: Vec<String>,
    near: Option<u32>,
) -> Found {
    // A call for another event is an answer only if nothing better passes the closure on.
    candidates.sort_by_key(|it| {
        (
            it.event == EventMatch::Other,
            it.route,
            it.event,
            !it.repeated,
            !it.emitter,
            it.file,
            it.start,
        )
    });
    // By the event alone, what the emitter is called weighs more than where the call stands.
    if candidates.first().is_some_and(|it| it.route == Route::EventOnly) {
        candidates.sort_by_key(|it| {
            let package = linked.files[it.file as usize].is_package();
            let loaded = &linked.files[it.file as usize];
            let line = loaded.lines.line_of(it.start);
            let moved = near.map_or(0, |near| near.abs_diff(line));
            (!it.emitter, package, !it.repeated, it.file, moved, it.start)
        });
    }
    let event = query.event.as_deref().unwrap_or("the event");
    let how = match candidates.first() {
        None => "no statement was found that registers the closure".to_owned(),
        Some(best) => match best.route {
            Route::Written => "the closure is written in the registering call".to_owned(),
            Route::Wrapped => "the closure is written in the registering call, wrapped".to_owned(),
            Route::Named => "the function is passed by its name in the same file".to_owned(),
            Route::Imported => "the function reaches the call from another file".to_owned(),
            Route::Factory => "the function comes out of a call in the argument".to_owned(),
            Route::EventOnly => match candidates.len() {
                1 => format!("the only call that registers a listener for `{event}`"),
                count => {
                    format!("the likeliest of {count} calls that register listeners for `{event}`")
                }
            },
        },
    };
    let certainty = match candidates.first() {
        Some(best) if best.route == Route::EventOnly => Certainty::Likeliest,
        _ => Certainty::Derived,
    };
    let statements = candidates.iter().map(|candidate| {
        let loaded = &linked.files[candidate.file as usize];
        statement(loaded, candidate.start, candidate.end)
    });
    Found::of(statements, how, certainty, notes)
}
