//! Middleware, routes, hooks and interceptors that are added while requests are served.

use super::super::cx::Cx;
use super::super::entry::is_router;
use super::{ScanRule, calls_named};
use crate::facts::{Call, NONE, Range, Value, ValueId};
use crate::link::FileId;

const METHODS: [&str; 14] = [
    "use", "get", "post", "put", "delete", "patch", "all", "param", "addHook", "pre", "register",
    "plugin", "ext", "decorate",
];

pub(super) fn check(cx: &mut Cx) {
    for (file, _, call) in calls_named(cx, &METHODS) {
        check_call(cx, file, &call);
    }
}

fn check_call(cx: &mut Cx, file: FileId, call: &Call) {
    let world = &cx.world;
    let facts = world.facts(file);
    let (Some(name), Some(object)) = (facts.callee_name(call), facts.callee_object(call)) else {
        return;
    };
    let args = facts.parts(call.args);
    // Only what is handed a function, or makes one, registers something.
    let registers = args.iter().any(|&arg| {
        !world.functions(file, arg).is_empty() || matches!(facts.value(arg), Some(Value::Call(_)))
    });
    if !registers {
        return;
    }
    let what = if interceptors(cx, file, object) {
        if name != "use" {
            return;
        }
        "interceptor"
    } else if is_router(world, file, call) {
        match name {
            "use" => "middleware",
            "addHook" | "ext" => "hook",
            "register" | "plugin" => "plugin",
            _ => "route",
        }
    } else {
        return;
    };
    let Some(repeated) = cx.repeated(file, call.range.start) else { return };
    if !cx.lives.lasts(world, &cx.hot, file, object)
        || world.runs_once(file, repeated.function, call.range.start, true)
        || (what == "interceptor" && ejects(cx, file, object))
    {
        return;
    }
    // A function that sets up an application and happens to be called by a handler's name.
    if what == "route" && args.len() < 2 {
        return;
    }
    let receiver = world.short(file, facts.range(object));
    let unit = repeated.reason.every.unit();
    let slower = match what {
        "interceptor" => "every call goes through all of them",
        _ => "every request goes through all of them",
    };
    let explanation = format!(
        "{}, and each time adds another {what} to `{receiver}`, which outlives the {unit}. They are \
         never taken off again: memory grows, and {slower}.",
        repeated.words
    );
    let mut fix =
        format!("Move `{receiver}.{name}(…)` out of the handler to where `{receiver}` is set up.");
    if what == "interceptor" {
        fix.push_str(&format!(
            " If one {unit} needs its own, make a client of its own for it, or keep the id that \
             `use` gives and call `{receiver}.eject(id)`."
        ));
    } else {
        fix.push_str(&format!(
            " What differs from {unit} to {unit} belongs into a condition inside the {what}."
        ));
    }
    let range = Range { start: world.anchor(file, call), end: call.range.end };
    cx.report(ScanRule::Middleware, file, range, explanation, fix);
}

/// `client.interceptors.request`
fn interceptors(cx: &Cx, file: FileId, object: ValueId) -> bool {
    let facts = cx.world.facts(file);
    let Some(Value::Member { object, key }) = facts.value(object) else { return false };
    let Some(Value::Member { key: outer, .. }) = facts.value(object) else { return false };
    key != NONE
        && outer != NONE
        && matches!(facts.name(key), "request" | "response")
        && facts.name(outer) == "interceptors"
}

fn ejects(cx: &Cx, file: FileId, object: ValueId) -> bool {
    calls_named(cx, &["eject", "clear"]).iter().any(|(other, _, call)| {
        let at = cx.world.facts(*other).callee_object(call);
        at.is_some_and(|it| cx.world.same((file, object), (*other, it)))
    })
}
