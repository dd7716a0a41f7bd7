//! Which of several adding statements leaks.
//!
//! In order: code that runs again and again before code that runs once; the collection by the name that the
//! snapshot knows it by before an alias; values that look like the
//! leaked ones; no bound on the collection's size beside the addition; the collection by its own
//! name rather than through a parameter. Each is a sign a reader would go by, none is proof, so
//! the rest stays in [`crate::Found::others`].

use std::cmp::Reverse;

use rustc_hash::FxHashSet;

use super::forms::Form;
use super::{AdderHint, CollectionKind, denotes_any};
use crate::facts::{FileFacts, NONE, Value};
use crate::link::{FileId, Linked, Place, PlaceId};

/// Overlap of property names from which on values count as alike, in percent.
const ALIKE_PERCENT: usize = 50;

/// Orders the forms, best first; those that rank alike stay in order of file and place.
pub(super) fn rank(
    linked: &Linked,
    forms: Vec<(FileId, Form)>,
    kind: CollectionKind,
    target: &FxHashSet<PlaceId>,
    hint: &AdderHint,
    words: &[String],
) -> Vec<(FileId, Form)> {
    let mut scored: Vec<_> = forms
        .into_iter()
        .map(|(file, form)| {
            let facts = linked.files[file as usize].facts();
            let repeated = facts.repeated_function_at(form.start).is_some();
            let alike = likeness(linked, file, &form, hint);
            let bounded = is_bounded(linked, file, facts, &form, target);
            let direct = !through_parameter(facts, form.target);
            let by_name =
                written(facts, form.target).is_some_and(|name| words.iter().any(|w| w == name));
            (Reverse((repeated, by_name, alike, !bounded, direct)), (file, form))
        })
        .collect();
    if kind == CollectionKind::Chain {
        // What begins the chain stands before what goes on with it.
        scored.sort_by_key(|(score, (file, form))| (*score, *file, Reverse(form.start)));
    } else {
        scored.sort_by_key(|(score, (file, form))| (*score, *file, form.start));
    }
    scored.into_iter().map(|(_, form)| form).collect()
}

/// The last name by which the target is written.
fn written(facts: &FileFacts, target: u32) -> Option<&str> {
    match facts.value(target)? {
        Value::Member { key, .. } if key != NONE => Some(facts.name(key)),
        Value::Symbol(symbol) => facts.symbols.get(symbol as usize).map(|s| facts.name(s.name)),
        Value::Global(name) => Some(facts.name(name)),
        _ => None,
    }
}

/// How much the added value looks like the leaked ones; higher is more, 1 is "cannot tell".
fn likeness(linked: &Linked, file: FileId, form: &Form, hint: &AdderHint) -> u8 {
    let mut best = 1;
    let facts = linked.files[file as usize].facts();
    let mut named_class = None;
    if let Some(Value::New(call)) = facts.value(form.value)
        && let Some(call) = facts.calls.get(call as usize)
    {
        named_class = facts.callee_name(call);
    }
    let mut differs = false;
    for &place in linked.denotes(file, form.value) {
        let Some(place) = linked.place(place) else { continue };
        match (linked.instance_name(place), place) {
            (Some(class), _) => named_class = Some(class),
            (None, Place::Object(owner, object)) => {
                let facts = linked.files[owner as usize].facts();
                let Some(object) = facts.objects.get(object as usize) else { continue };
                if hint.value_keys.is_empty() || !object.spreads.is_empty() {
                    continue;
                }
                let keys: FxHashSet<&str> =
                    object.keys.iter().map(|&key| facts.name(key)).collect();
                let shared =
                    hint.value_keys.iter().filter(|key| keys.contains(key.as_str())).count();
                let total = keys.len().max(hint.value_keys.len());
                match shared * 100 {
                    all if all == total * 100 => best = best.max(3),
                    most if most >= total * ALIKE_PERCENT => best = best.max(2),
                    0 => differs = true,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    match (&hint.value_class, named_class) {
        (Some(wanted), Some(class)) if wanted == class => best = 3,
        (Some(wanted), Some(_)) if wanted != "Object" => differs = true,
        _ => {}
    }
    // A constant key that no leaked key equals speaks against the statement.
    if !hint.key_samples.is_empty()
        && let Some(Value::Text(key)) = facts.value(form.key)
        && !hint.key_samples.iter().any(|sample| sample == facts.name(key))
    {
        differs = true;
    }
    if best == 1 && differs { 0 } else { best }
}

/// The function around the addition looks at the collection's size and takes something out.
fn is_bounded(
    linked: &Linked,
    file: FileId,
    facts: &FileFacts,
    form: &Form,
    target: &FxHashSet<PlaceId>,
) -> bool {
    let Some(function) = facts.repeated_function_at(form.start) else { return false };
    let Some(range) = facts.functions.get(function as usize).map(|it| it.range) else {
        return false;
    };
    let same = |object: u32| denotes_any(linked, file, object, target) || object == form.target;
    let looks = facts.values.iter().zip(&facts.ranges).any(|(value, at)| {
        matches!(*value, Value::Member { object, key } if key != NONE
            && range.contains(at.start)
            && matches!(facts.name(key), "size" | "length")
            && same(object))
    });
    if !looks {
        return false;
    }
    let removes = facts.calls.iter().any(|call| {
        range.contains(call.range.start)
            && matches!(
                facts.callee_name(call),
                Some("delete" | "clear" | "shift" | "pop" | "splice")
            )
            && facts.callee_object(call).is_some_and(same)
    });
    removes
        || facts.deletes.iter().any(|&(object, at)| range.contains(at) && same(object))
        || facts.assigns.iter().any(|assign| {
            assign.expression
                && range.contains(assign.range.start)
                && matches!(facts.value(assign.target), Some(Value::Member { object, key })
                    if key != NONE && facts.name(key) == "length" && same(object))
        })
}

/// The collection comes into the function as an argument.
fn through_parameter(facts: &FileFacts, target: u32) -> bool {
    let Some(Value::Symbol(symbol)) = facts.value(target) else { return false };
    facts.assigns.iter().any(|assign| {
        facts.value(assign.target) == Some(Value::Symbol(symbol))
            && matches!(facts.value(assign.value), Some(Value::Param { .. }))
    })
}

/// Of the assignments to a chain's end those that put something new there: not the ones that write a link of
/// its objects (`node.prev = tail`), and not those that take a step along it (`tail = tail.prev`). All, if
/// nothing else is left.
pub(super) fn without_links(
    linked: &Linked,
    forms: Vec<(FileId, Form)>,
    links: &[String],
) -> Vec<(FileId, Form)> {
    let is_link = |file: FileId, value: u32| {
        let facts = linked.files[file as usize].facts();
        matches!(facts.value(value), Some(Value::Member { key, .. })
            if key != NONE && links.iter().any(|link| link == facts.name(key)))
    };
    let puts =
        |(file, form): &(FileId, Form)| !is_link(*file, form.target) && !is_link(*file, form.value);
    if forms.iter().any(puts) { forms.into_iter().filter(puts).collect() } else { forms }
}
