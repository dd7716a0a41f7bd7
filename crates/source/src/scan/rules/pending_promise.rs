//! Races against a promise that lasts: each leaves its reactions on it until it is settled.

use super::super::cx::Cx;
use super::{ScanRule, calls_named};
use crate::facts::{Call, FileFacts, Range, Value, ValueId};
use crate::link::{FileId, Place};

pub(super) fn check(cx: &mut Cx) {
    for (file, id, call) in calls_named(cx, &["race", "any"]) {
        check_call(cx, file, id, &call);
    }
}

fn check_call(cx: &mut Cx, file: FileId, id: u32, call: &Call) {
    let world = &cx.world;
    let facts = world.facts(file);
    let promise = facts.callee_object(call).and_then(|it| facts.value(it));
    if !matches!(promise, Some(Value::Global(name)) if facts.name(name) == "Promise") {
        return;
    }
    let Some(list) = world.arg_range(file, id, 0) else { return };
    let mut elements = facts.flow.elements.iter().filter(|(array, _)| *array == list);
    let lasting = elements.find_map(|(_, element)| {
        let value = world.mentions(file, *element).find(|&it| facts.range(it) == *element)?;
        lasting_promise(cx, file, facts, value).then(|| world.short(file, *element))
    });
    let Some(name) = lasting else { return };
    let Some(repeated) = cx.repeated(file, call.range.start) else { return };
    let unit = repeated.reason.every.unit();
    let explanation = format!(
        "{}, and each time races against `{name}`, a promise that lasts. Until `{name}` is settled, every \
         race leaves its reactions on it, and with them the results of the other promises.",
        repeated.words
    );
    let fix = format!(
        "Race against a promise that is made for the {unit}, or turn `{name}` into an AbortSignal and \
         remove its listener in a `finally`."
    );
    let range = Range { start: world.anchor(file, call), end: call.range.end };
    cx.report(ScanRule::PendingPromise, file, range, explanation, fix);
}

/// The value is a variable that lasts and was given a promise where it is declared.
fn lasting_promise(cx: &Cx, file: FileId, facts: &FileFacts, value: ValueId) -> bool {
    if !matches!(facts.value(value), Some(Value::Symbol(_) | Value::Member { .. }))
        || !cx.lives.lasts(&cx.world, &cx.hot, file, value)
    {
        return false;
    }
    let made = cx.world.makers(file, value);
    let promise = made.iter().any(|&(other, call)| {
        let facts = cx.world.facts(other);
        let Some(item) = facts.calls.get(call as usize) else { return false };
        let name = facts.callee_name(item).unwrap_or_default();
        (cx.world.is_new(other, call) && name == "Promise") || name == "once"
    });
    promise
        && cx
            .world
            .linked
            .denotes(file, value)
            .iter()
            .all(|&it| !matches!(cx.world.linked.place(it), Some(Place::Function(..))))
}
