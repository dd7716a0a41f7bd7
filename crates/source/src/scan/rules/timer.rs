//! Intervals that are started again and again and that nobody clears.

use super::super::cx::Cx;
use super::{ScanRule, calls_named};
use crate::facts::{Call, FileFacts, NONE, Range, Value, ValueId};
use crate::link::FileId;

pub(super) fn check(cx: &mut Cx) {
    let clears = calls_named(cx, &["clearInterval", "clearTimeout"]);
    for (file, id, call) in calls_named(cx, &["setInterval"]) {
        check_call(cx, &clears, file, id, &call);
    }
}

/// Who takes the handle.
enum Handle {
    Dropped,
    /// A variable or property.
    Kept(ValueId, String),
    /// Handed on, to where it cannot be followed.
    Unknown,
}

fn check_call(cx: &mut Cx, clears: &[(FileId, u32, Call)], file: FileId, id: u32, call: &Call) {
    let world = &cx.world;
    let Some(repeated) = cx.repeated(file, call.range.start) else { return };
    let (range, handle) = handle(cx, file, id, call);
    let how = match &handle {
        Handle::Unknown => return,
        Handle::Dropped => "and its handle is dropped, so nothing can stop it".to_owned(),
        Handle::Kept(target, name) => {
            let key = last_key(world.facts(file), *target);
            let cleared = clears.iter().any(|(other, _, clear)| {
                let arg = world.arg(*other, clear, 0);
                world.same((file, *target), (*other, arg))
                    || (key.is_some() && last_key(world.facts(*other), arg) == key)
            });
            if cleared {
                return;
            }
            format!("and no `clearInterval` is ever called with `{name}`")
        }
    };
    let unit = repeated.reason.every.unit();
    let explanation = format!(
        "{}, and each time starts another interval, {how}. Every one of them goes on ticking and keeps \
         what its function closes over.",
        repeated.words
    );
    let name = match &handle {
        Handle::Kept(_, name) => name.clone(),
        _ => "timer".to_owned(),
    };
    let end = match repeated.reason.every {
        super::super::hot::Every::Request => "res.once('close', …)".to_owned(),
        super::super::hot::Every::Connection => "the connection's 'close' event".to_owned(),
        _ => format!("the end of the {unit}"),
    };
    let fix = format!(
        "Start one interval when the program starts; or keep the handle (`const {name} = setInterval(…)`) \
         and call `clearInterval({name})` when the {unit} ends, in {end}.",
        name = name.rsplit(['.', '#']).next().unwrap_or("timer"),
    );
    let shown = Range { start: call.range.start, end: range.end };
    cx.report(ScanRule::Timer, file, shown, explanation, fix);
}

/// Who takes the handle of the interval; `.unref()` behind it is a part of it.
fn handle(cx: &Cx, file: FileId, id: u32, call: &Call) -> (Range, Handle) {
    let world = &cx.world;
    let facts = world.facts(file);
    let mut value = world.value_of_call(file, id);
    let mut range = call.range;
    for (_, outer) in
        world.calls_in(file, Range { start: call.range.start, end: call.range.start + 1 })
    {
        if let Some(Value::Member { object, key }) = facts.value(outer.callee)
            && object == value
            && key != NONE
            && matches!(facts.name(key), "unref" | "ref")
        {
            range = outer.range;
            let call = facts.values.iter().position(|it| {
                matches!(*it, Value::Call(at) if facts.calls.get(at as usize).is_some_and(|it| it.range == range))
            });
            value = call.map_or(NONE, |it| it as ValueId);
            break;
        }
    }
    if facts.flow.is_dropped(range) {
        return (range, Handle::Dropped);
    }
    let kept = facts.assigns.iter().find(|it| it.value == value && value != NONE);
    let Some(assign) = kept else { return (range, Handle::Unknown) };
    // A property of a literal goes where the literal goes.
    if let Some(Value::Member { object, .. }) = facts.value(assign.target)
        && matches!(facts.value(object), Some(Value::Object(_)))
    {
        return (range, Handle::Unknown);
    }
    let target = facts.range(assign.target);
    let name = world.short(file, target);
    // The variable itself may be handed on: returned, pushed, passed.
    if let Some(Value::Symbol(symbol)) = facts.value(assign.target) {
        let is_it = |it: ValueId| facts.value(it) == Some(Value::Symbol(symbol));
        let returned = facts.functions.iter().any(|it| it.returns.iter().any(|&it| is_it(it)));
        let passed = facts.calls.iter().any(|it| {
            facts.parts(it.args).iter().any(|&it| is_it(it))
                && !matches!(facts.callee_name(it), Some("clearInterval" | "clearTimeout"))
        });
        let stored = facts.assigns.iter().any(|it| is_it(it.value));
        let listed = facts.flow.elements.iter().any(|(_, at)| world.text(file, *at) == name);
        if returned || passed || stored || listed {
            return (range, Handle::Unknown);
        }
    }
    (range, Handle::Kept(assign.target, name))
}

fn last_key(facts: &FileFacts, value: ValueId) -> Option<&str> {
    match facts.value(value) {
        Some(Value::Member { key, .. }) if key != NONE => Some(facts.name(key)),
        _ => None,
    }
}
