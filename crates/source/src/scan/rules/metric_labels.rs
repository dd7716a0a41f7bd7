//! Labels of metrics whose values come from requests: a time series for every value, for good.

use super::super::cx::Cx;
use super::super::entry::last_name;
use super::{ScanRule, calls_named};
use crate::facts::{Call, NONE, Range, Value};
use crate::link::{FileId, Place};

const METHODS: [&str; 7] = ["labels", "inc", "dec", "observe", "set", "startTimer", "zero"];
/// Properties of a request that differ from request to request.
const VARIES: [&str; 14] = [
    "url",
    "originalUrl",
    "path",
    "pathname",
    "href",
    "ip",
    "remoteAddress",
    "sessionID",
    "id",
    "query",
    "userId",
    "user",
    "search",
    "requestId",
];
/// Properties whose properties differ.
const VARY_INSIDE: [&str; 4] = ["params", "query", "body", "headers"];

pub(super) fn check(cx: &mut Cx) {
    for (file, id, call) in calls_named(cx, &METHODS) {
        check_call(cx, file, id, &call);
    }
}

fn check_call(cx: &mut Cx, file: FileId, id: u32, call: &Call) {
    let world = &cx.world;
    let facts = world.facts(file);
    let Some(mut object) = facts.callee_object(call) else { return };
    let name = facts.callee_name(call).unwrap_or_default();
    // `metric.labels(…).inc()`: the labels are the inner call's.
    if matches!(facts.value(object), Some(Value::Call(_))) {
        return;
    }
    let metric = world.made_from(file, object).iter().any(|it| {
        it.starts_with("prom-client.")
            && ["Counter", "Gauge", "Histogram", "Summary"].iter().any(|kind| it.ends_with(kind))
    });
    if !metric {
        return;
    }
    if let Some(Value::Either(left, _)) = facts.value(object) {
        object = left;
    }
    let labels = facts.flow.args(id);
    let mut found = None;
    for (at, range) in labels.iter().enumerate() {
        // Only the first argument of the others holds labels.
        if at > 0 && name != "labels" {
            break;
        }
        let pieces: Vec<(Option<String>, Range)> = match literal(cx, file, call, at) {
            Some(literal) => facts
                .flow
                .properties
                .iter()
                .filter(|it| it.0 == literal)
                .map(|it| (Some(facts.name(it.1).to_owned()), it.2))
                .collect(),
            _ if name == "labels" => vec![(None, *range)],
            _ => Vec::new(),
        };
        found = pieces.into_iter().find(|(_, range)| varies(cx, file, *range));
        if found.is_some() {
            break;
        }
    }
    let Some((label, range)) = found else { return };
    let Some(repeated) = cx.repeated(file, call.range.start) else { return };
    let metric = last_name(world, file, object).to_owned();
    let value = world.short(file, range);
    let named = label.map_or_else(|| "a label".to_owned(), |it| format!("the label `{it}`"));
    let explanation = format!(
        "{}, and gives {named} of `{metric}` the value `{value}`, which differs from request to request. \
         The client keeps a time series for every combination of label values until the program ends, \
         and every scrape carries all of them.",
        repeated.words
    );
    let fix = format!(
        "Label with what takes few values: the route's pattern (`req.route?.path`), the method, the class \
         of the status. Put `{value}` into logs or traces."
    );
    let range = Range { start: world.anchor(file, call), end: call.range.end };
    cx.report(ScanRule::MetricLabels, file, range, explanation, fix);
}

/// The object literal of this file that an argument is, directly or through a variable.
fn literal(cx: &Cx, file: FileId, call: &Call, at: usize) -> Option<u32> {
    let value = cx.world.arg(file, call, at);
    if let Some(Value::Object(literal)) = cx.world.facts(file).value(value) {
        return Some(literal);
    }
    let mut literals = cx.world.linked.denotes(file, value).iter().filter_map(|&place| {
        match cx.world.linked.place(place)? {
            Place::Object(owner, literal) if owner == file => Some(literal),
            _ => None,
        }
    });
    literals.next().filter(|_| literals.next().is_none())
}

/// The expression is a part of a request that differs from request to request, as it comes.
fn varies(cx: &Cx, file: FileId, range: Range) -> bool {
    let world = &cx.world;
    let facts = world.facts(file);
    // A call in between may map it to few values.
    if world.calls_in(file, range).any(|(_, call)| call.range.end <= range.end) {
        return false;
    }
    // Only what is the value itself, or a side of `a || b`: not the test of a condition.
    let text = world.text(file, range);
    if text.contains(" ? ") || text.contains(".route") {
        return false;
    }
    world.mentions(file, range).any(|value| match facts.value(value) {
        Some(Value::Member { object, key }) if key != NONE => {
            let name = facts.name(key);
            let inside = match facts.value(object) {
                Some(Value::Member { key, .. }) if key != NONE => {
                    VARY_INSIDE.contains(&facts.name(key))
                }
                _ => false,
            };
            (VARIES.contains(&name) || inside) && cx.is_unbounded(file, facts.range(value))
        }
        _ => false,
    })
}
