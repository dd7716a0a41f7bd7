//! Worker threads that are started while requests are served and never end.

use super::super::cx::Cx;
use super::{ScanRule, calls_named};
use crate::facts::{Call, NONE, Value, ValueId};
use crate::link::FileId;

pub(super) fn check(cx: &mut Cx) {
    for (file, id, call) in calls_named(cx, &["Worker"]) {
        check_call(cx, file, id, &call);
    }
}

fn check_call(cx: &mut Cx, file: FileId, id: u32, call: &Call) {
    let world = &cx.world;
    let facts = world.facts(file);
    let threads = world.foreign_names(file, call.callee);
    if !world.is_new(file, id) || !threads.iter().any(|it| it == "worker_threads.Worker") {
        return;
    }
    let Some(repeated) = cx.repeated(file, call.range.start) else { return };
    let value = world.value_of_call(file, id);
    let Some(assign) = facts.assigns.iter().find(|it| it.value == value && value != NONE) else {
        return;
    };
    let Some(Value::Symbol(symbol)) = facts.value(assign.target) else { return };
    let is_it = |it: ValueId| facts.value(it) == Some(Value::Symbol(symbol));
    let called = |method: &str| {
        facts.calls.iter().any(|it| {
            facts.callee_name(it) == Some(method) && facts.callee_object(it).is_some_and(is_it)
        })
    };
    let handed_on = facts.calls.iter().any(|it| facts.parts(it.args).iter().any(|&it| is_it(it)))
        || facts.functions.iter().any(|it| it.returns.iter().any(|&it| is_it(it)))
        || facts.assigns.iter().any(|it| is_it(it.value));
    // A worker that is only started ends with its script; one that is sent messages waits for more.
    if called("terminate") || called("unref") || handed_on || !called("postMessage") {
        return;
    }
    let name = world.short(file, facts.range(assign.target));
    let unit = repeated.reason.every.unit();
    let explanation = format!(
        "{}, and each time starts a worker thread that is sent messages and never told to end. A worker \
         that listens for messages lives on with its own heap, some megabytes each.",
        repeated.words
    );
    let fix = format!(
        "Call `{name}.terminate()` when the answer is there; better, start a pool of workers once and send \
         each {unit}'s work to one of them."
    );
    cx.report(ScanRule::Worker, file, call.range, explanation, fix);
}
