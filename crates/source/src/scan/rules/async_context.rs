//! Contexts of `AsyncLocalStorage` that are entered and never left, and hooks enabled per request.

use super::super::cx::Cx;
use super::{ScanRule, calls_named};
use crate::facts::{Call, Range};
use crate::link::FileId;

pub(super) fn check(cx: &mut Cx) {
    for (file, id, call) in calls_named(cx, &["enterWith", "createHook"]) {
        check_call(cx, file, id, &call);
    }
}

fn check_call(cx: &mut Cx, file: FileId, id: u32, call: &Call) {
    let world = &cx.world;
    let facts = world.facts(file);
    let Some(repeated) = cx.repeated(file, call.range.start) else { return };
    let unit = repeated.reason.every.unit();
    let (explanation, fix) = if facts.callee_name(call) == Some("enterWith") {
        let Some(object) = facts.callee_object(call) else { return };
        let storage =
            world.made_from(file, object).iter().any(|it| it == "async_hooks.AsyncLocalStorage");
        let Some(store) = world.arg_range(file, id, 0) else { return };
        // `enterWith(undefined)` leaves.
        if !storage || matches!(world.text(file, store), "undefined" | "null") {
            return;
        }
        let name = world.short(file, facts.range(object));
        let store = world.short(file, store);
        (
            format!(
                "{}, and enters `{store}` as the context of `{name}`. `enterWith` has no end: all that starts \
                 later from here (sockets of a pool, timers, listeners) keeps this store alive, and the \
                 next {unit} on the same connection begins in it.",
                repeated.words
            ),
            format!(
                "Use `{name}.run({store}, () => …)` around the work of one {unit}; it ends with its function."
            ),
        )
    } else {
        let hooks = world.foreign_names(file, call.callee);
        if !hooks.iter().any(|it| it == "async_hooks.createHook")
            || world.loaded(file).text.contains(".disable(")
        {
            return;
        }
        (
            format!(
                "{}, and each time makes another async hook that nothing disables. Enabled hooks are kept for \
                 good and run for every asynchronous operation of the program.",
                repeated.words
            ),
            "Make one hook when the program starts, or call `hook.disable()` when it is done."
                .to_owned(),
        )
    };
    let range = Range { start: world.anchor(file, call), end: call.range.end };
    cx.report(ScanRule::AsyncContext, file, range, explanation, fix);
}
