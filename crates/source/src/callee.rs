//! Whether a call is one of those that a question names.

use crate::facts::{Call, FileFacts, NONE, Value};
use crate::files::Loaded;
use crate::link::{FileId, Linked, Place};

/// How a call's callee bears one of the names; better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    /// It is a global, or comes out of a module that is no file at hand: nothing of the user's.
    Outside,
    /// It is written so.
    Written,
    /// Another name for it is written.
    Alias,
}

/// The call's callee bears one of the names: `setInterval`, `race`, `Promise.race`.
pub(crate) fn named(
    linked: &Linked,
    file: FileId,
    loaded: &Loaded,
    call: &Call,
    names: &[String],
) -> Option<Named> {
    let facts = loaded.facts();
    let written = facts.callee_name(call);
    let mut best = None;
    for name in names.iter().filter(|name| !name.is_empty()) {
        let (object, last) = match name.rsplit_once('.') {
            Some((object, last)) => (Some(object), last),
            None => (None, name.as_str()),
        };
        let found = if written == Some(last) {
            let fits = object.is_none_or(|object| object_is(linked, file, loaded, call, object));
            let outside = is_outside(linked, file, facts, call);
            fits.then_some(if outside { Named::Outside } else { Named::Written })
        } else {
            is_alias(linked, file, call, object, last).then_some(Named::Alias)
        };
        best = match (best, found) {
            (Some(a), Some(b)) => Some(std::cmp::min(a, b)),
            (a, b) => a.or(b),
        };
    }
    best
}

fn is_outside(linked: &Linked, file: FileId, facts: &FileFacts, call: &Call) -> bool {
    if matches!(facts.value(call.callee), Some(Value::Global(_))) {
        return true;
    }
    linked.denotes(file, call.callee).iter().any(|&place| {
        matches!(linked.place(place), Some(Place::Member(object, _))
            if matches!(linked.place(object), Some(Place::Foreign(_) | Place::Global(_))))
    })
}

/// The object of `object.last(…)` is called so, or is the module of that name.
fn object_is(linked: &Linked, file: FileId, loaded: &Loaded, call: &Call, name: &str) -> bool {
    let facts = loaded.facts();
    let Some(object) = facts.callee_object(call) else {
        return is_alias(linked, file, call, Some(name), facts.callee_name(call).unwrap_or(""));
    };
    let range = facts.range(object);
    let text = loaded.text.get(range.start as usize..range.end as usize).unwrap_or_default();
    text == name
        || text.strip_suffix(name).is_some_and(|before| before.ends_with('.'))
        || linked.denotes(file, object).iter().any(|&place| bears(linked, place, name))
}

/// A place that goes by the name.
fn bears(linked: &Linked, place: u32, name: &str) -> bool {
    match linked.place(place) {
        Some(Place::Foreign(module)) => linked.name(module).trim_start_matches("node:") == name,
        Some(Place::Global(key) | Place::Member(_, key)) => linked.name(key) == name,
        _ => false,
    }
}

/// The callee denotes `last` of some object, under whatever name it is written.
fn is_alias(linked: &Linked, file: FileId, call: &Call, object: Option<&str>, last: &str) -> bool {
    linked.denotes(file, call.callee).iter().any(|&place| match linked.place(place) {
        Some(Place::Member(holder, key)) if key != NONE && linked.name(key) == last => {
            object.is_none_or(|object| bears(linked, holder, object))
        }
        Some(Place::Global(key)) => object.is_none() && linked.name(key) == last,
        _ => false,
    })
}
