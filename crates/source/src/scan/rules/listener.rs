//! Listeners on emitters and event targets that outlive them.
//!
//! Three things must hold: the registering code runs again and again, the emitter lasts, and no
//! code removes listeners of that event from it. An `off` with a function that is made on the spot
//! removes nothing and does not count.

use rustc_hash::FxHashMap;

use super::super::cx::Cx;
use super::super::world::World;
use super::{ScanRule, calls_named};
use crate::facts::{Call, NONE, Range, Value, ValueId};
use crate::link::FileId;

const ADDERS: [&str; 6] =
    ["on", "addListener", "once", "prependListener", "prependOnceListener", "addEventListener"];
const REMOVERS: [&str; 4] = ["off", "removeListener", "removeEventListener", "removeAllListeners"];
/// Events that come at an end, or never: a `once` on them waits as long as the emitter lives.
const RARE: [&str; 14] = [
    "exit",
    "beforeExit",
    "uncaughtException",
    "unhandledRejection",
    "SIGTERM",
    "SIGINT",
    "SIGHUP",
    "SIGUSR2",
    "error",
    "close",
    "end",
    "disconnect",
    "shutdown",
    "abort",
];

/// `off(event, f)`, `removeAllListeners(event)`.
struct Removal {
    file: FileId,
    object: ValueId,
    listener: ValueId,
    /// It hands over a function that was made on the spot.
    removes_nothing: bool,
    offset: u32,
}

/// All of them, by event; under `None` those of an event that is not known.
struct Removals {
    by_event: FxHashMap<Option<String>, Vec<Removal>>,
}

pub(super) fn check(cx: &mut Cx) {
    let removals = removals(cx);
    for (file, id, call) in calls_named(cx, &ADDERS) {
        check_call(cx, &removals, file, id, &call);
    }
}

fn removals(cx: &Cx) -> Removals {
    let world = &cx.world;
    let mut by_event: FxHashMap<Option<String>, Vec<Removal>> = FxHashMap::default();
    let all = calls_named(cx, &REMOVERS).into_iter().filter_map(|(file, _, call)| {
        let facts = world.facts(file);
        let object = facts.callee_object(&call)?;
        let event = world.string(file, world.arg(file, &call, 0)).map(str::to_owned);
        let all = facts.callee_name(&call) == Some("removeAllListeners");
        let removes_nothing = !all
            && match facts.value(world.arg(file, &call, 1)) {
                Some(Value::Function(_)) => true,
                Some(Value::Call(inner)) => {
                    facts.calls.get(inner as usize).and_then(|it| facts.callee_name(it))
                        == Some("bind")
                }
                _ => false,
            };
        let listener = if all { NONE } else { world.arg(file, &call, 1) };
        let offset = call.range.start;
        Some((event, Removal { file, object, listener, removes_nothing, offset }))
    });
    for (event, removal) in all {
        by_event.entry(event).or_default().push(removal);
    }
    Removals { by_event }
}

fn check_call(cx: &mut Cx, removals: &Removals, file: FileId, id: u32, call: &Call) {
    let world = &cx.world;
    let facts = world.facts(file);
    let args = facts.parts(call.args);
    let (Some(name), Some(object)) = (facts.callee_name(call), facts.callee_object(call)) else {
        return;
    };
    if args.len() < 2 {
        return;
    }
    // `router.on('GET', '/x', f)`, `$el.on('click', '.x', f)`: the second argument is the listener.
    if matches!(facts.value(args[1]), Some(Value::Text(_) | Value::Template { .. })) {
        return;
    }
    let event = world.string(file, args[0]).map(str::to_owned);
    let is_target = name == "addEventListener";
    if name.contains("nce") && !event.as_deref().is_some_and(|it| RARE.contains(&it)) {
        return;
    }
    if is_target && has_end(cx, file, id) {
        return;
    }
    let Some(repeated) = cx.repeated(file, call.range.start) else { return };
    if !cx.lives.lasts(world, &cx.hot, file, object)
        || world.runs_once(file, repeated.function, call.range.start, true)
    {
        return;
    }
    // Those of the same event, and those of an event that is not known.
    let candidates = match &event {
        Some(event) => {
            let known = removals.by_event.get(&Some(event.clone()));
            let unknown = removals.by_event.get(&None);
            known.into_iter().chain(unknown).flatten().collect::<Vec<_>>()
        }
        None => removals.by_event.values().flatten().collect(),
    };
    let same = |it: &&Removal| {
        world.same((file, object), (it.file, it.object))
            && !other_function(world, (file, args[1]), (it.file, it.listener))
    };
    let removed: Vec<&Removal> = candidates.into_iter().filter(same).collect();
    if removed.iter().any(|it| !it.removes_nothing) {
        return;
    }
    let vain = removed.first().map(|it| world.place_words(it.file, it.offset));
    let emitter = world.short(file, facts.range(object));
    let event_words = event.as_ref().map_or_else(
        || world.short(file, world.arg_range(file, id, 0).unwrap_or_default()),
        |it| format!("'{it}'"),
    );
    let unit = repeated.reason.every.unit();
    let adds = if name.contains("nce") {
        format!(
            "adds a {event_words} listener to `{emitter}` that waits for an event which may never come"
        )
    } else {
        format!("adds another {event_words} listener to `{emitter}`")
    };
    let mut explanation = format!(
        "{}, and each time {adds}. Nothing removes it, and `{emitter}` outlives the {unit}, so every \
         listener and all that its function closes over stays in memory.",
        repeated.words
    );
    if let Some(place) = vain {
        explanation.push_str(&format!(
            " The removal at {place} hands over a function made on the spot; it equals no listener and \
             removes nothing."
        ));
    }
    let inner = facts.function_at(call.range.start);
    let inner = inner.and_then(|it| world.function_name((file, it)));
    let outside = inner.map_or_else(|| "this function".to_owned(), |it| format!("`{it}`"));
    let listener = listener_name(cx, file, args.get(1).copied().unwrap_or(NONE));
    let remove = if is_target { "removeEventListener" } else { "off" };
    let fix = if is_target {
        format!(
            "Register it once, outside of {outside}; or end it with its {unit}: pass `{{ signal }}` of an \
             AbortController that you abort then, or call \
             `{emitter}.{remove}({event_words}, {listener})` with the same function."
        )
    } else {
        format!(
            "Register it once, outside of {outside}. If it belongs to one {unit}, keep the function in \
             a variable and call `{emitter}.{remove}({event_words}, {listener})` when the {unit} ends."
        )
    };
    let rule = if is_target { ScanRule::EventTargetListener } else { ScanRule::EventListener };
    let range = Range { start: world.anchor(file, call), end: call.range.end };
    cx.report(rule, file, range, explanation, fix);
}

/// Both listeners are known, and they are different functions. One that is made on the spot is told
/// about by itself.
fn other_function(world: &World, added: (FileId, ValueId), removed: (FileId, ValueId)) -> bool {
    if matches!(world.facts(removed.0).value(removed.1), Some(Value::Function(_) | Value::Call(_)))
    {
        return false;
    }
    let (added, removed) =
        (world.functions(added.0, added.1), world.functions(removed.0, removed.1));
    !added.is_empty() && !removed.is_empty() && !added.iter().any(|it| removed.contains(it))
}

/// `{ once: true }` or `{ signal }` among the options.
fn has_end(cx: &Cx, file: FileId, call: u32) -> bool {
    let Some(options) = cx.world.arg_range(file, call, 2) else { return false };
    let text = cx.world.text(file, options);
    text.contains("once") || text.contains("signal") || !text.starts_with('{') && text.len() > 5
}

fn listener_name(cx: &Cx, file: FileId, listener: ValueId) -> String {
    let facts = cx.world.facts(file);
    match facts.value(listener) {
        Some(Value::Symbol(symbol)) => facts
            .symbols
            .get(symbol as usize)
            .map_or("listener", |it| facts.name(it.name))
            .to_owned(),
        _ => "listener".to_owned(),
    }
}
