//! Transports and loggers that are made while requests are served.

use super::super::cx::Cx;
use super::{ScanRule, calls_named};
use crate::facts::{Call, Range, Value};
use crate::link::FileId;

/// Transports that hold a file, a socket or a thread.
const HOLDING: [&str; 6] = ["File", "DailyRotateFile", "Http", "Stream", "Syslog", "MongoDB"];

pub(super) fn check(cx: &mut Cx) {
    for (file, id, call) in
        calls_named(cx, &["add", "addStream", "createLogger", "transport", "pino"])
    {
        check_call(cx, file, id, &call);
    }
    for (file, id, call) in calls_named(cx, &["child"]) {
        child_of_itself(cx, file, id, &call);
    }
}

/// `logger = logger.child(…)`: each is made from the last one and carries all of their fields.
fn child_of_itself(cx: &mut Cx, file: FileId, id: u32, call: &Call) {
    let world = &cx.world;
    let facts = world.facts(file);
    let Some(object) = facts.callee_object(call) else { return };
    let value = world.value_of_call(file, id);
    let chained = facts.assigns.iter().any(|it| {
        it.expression
            && it.value == value
            && match (facts.value(it.target), facts.value(object)) {
                (Some(Value::Symbol(target)), Some(Value::Symbol(object))) => {
                    target == object
                        && facts.symbols.get(target as usize).is_some_and(|it| it.top_level)
                }
                _ => false,
            }
    });
    let from = world.made_from(file, object);
    let known = ["pino", "winston", "bunyan"];
    if !chained || !from.iter().any(|it| known.iter().any(|name| it.starts_with(name))) {
        return;
    }
    let Some(repeated) = cx.repeated(file, call.range.start) else { return };
    let name = world.short(file, facts.range(object));
    let explanation = format!(
        "{}, and each time replaces `{name}` by a child of itself. Every child carries the fields of all \
         before it, so `{name}` grows, and every line it writes.",
        repeated.words
    );
    let fix = format!(
        "Leave `{name}` as it is and keep the child in a variable of its own: \
         `const log = {name}.child({{ … }})`."
    );
    let range = Range { start: world.anchor(file, call), end: call.range.end };
    cx.report(ScanRule::Logger, file, range, explanation, fix);
}

fn check_call(cx: &mut Cx, file: FileId, id: u32, call: &Call) {
    let world = &cx.world;
    let facts = world.facts(file);
    let name = facts.callee_name(call).unwrap_or_default();
    let names = world.foreign_names(file, call.callee);
    let from = |package: &str| {
        names.iter().any(|it| it == package || it.starts_with(&format!("{package}.")))
    };
    let transport = transport_in(cx, file, call.range);
    let closed = world.all_calls().any(|(other, _, it)| {
        other == file && matches!(world.facts(other).callee_name(it), Some("remove" | "close"))
    });
    let object = facts.callee_object(call);
    let what = match name {
        "add" | "addStream" => {
            let Some(object) = object else { return };
            let made = world.made_from(file, object);
            let logger = made.iter().any(|it| it.starts_with("winston") || it.starts_with("bunyan"))
                || world.foreign_names(file, object).iter().any(|it| it == "winston");
            if !logger || closed || !cx.lives.lasts(world, &cx.hot, file, object) {
                return;
            }
            let object = world.short(file, facts.range(object));
            format!("adds another transport to `{object}`, which keeps it and writes every line to all of them")
        }
        "createLogger" if from("winston") => match &transport {
            Some(it) if !closed => {
                format!("makes a logger with a `{it}` transport of its own, which stays open until it is closed")
            }
            _ => return,
        },
        "transport" if from("pino") => {
            "starts another transport, a worker thread that lives until the program ends".to_owned()
        }
        "pino" if from("pino") && world.text(file, call.range).contains("transport:") => {
            "makes a logger with a transport of its own, a worker thread that lives until the program ends"
                .to_owned()
        }
        _ => return,
    };
    if world.arg_range(file, id, 0).is_none() {
        return;
    }
    let Some(repeated) = cx.repeated(file, call.range.start) else { return };
    let explanation = format!("{}, and each time {what}.", repeated.words);
    let unit = repeated.reason.every.unit();
    let fix = format!(
        "Make the logger and its transports once, at the top of a module. For fields of one {unit} use \
         `logger.child({{ … }})`, which shares the transports."
    );
    let range = Range { start: world.anchor(file, call), end: call.range.end };
    cx.report(ScanRule::Logger, file, range, explanation, fix);
}

/// The transport that is made inside a range and holds something.
fn transport_in(cx: &Cx, file: FileId, range: Range) -> Option<String> {
    let facts = cx.world.facts(file);
    cx.world
        .calls_in(file, range)
        .filter(|(id, _)| cx.world.is_new(file, *id))
        .filter_map(|(_, it)| facts.callee_name(it))
        .find(|it| HOLDING.contains(it))
        .map(str::to_owned)
}
