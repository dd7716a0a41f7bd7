//! The spellings of "add to a collection".

use std::sync::Arc;

use super::CollectionKind;
use crate::facts::{Call, FileFacts, NONE, Value, ValueId};
use crate::files::Loaded;
use crate::statement::anchor;

/// A statement that adds to something.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    /// The collection.
    pub target: ValueId,
    /// What is added, or `NONE`.
    pub value: ValueId,
    /// What it is added under, or `NONE`.
    pub key: ValueId,
    /// Where the statement starts and ends.
    pub start: u32,
    pub end: u32,
    /// For a reassignment: the new value, which must be made from the old one.
    pub needs: Option<ValueId>,
}

/// The methods that add to such a collection.
pub(crate) fn methods(kind: CollectionKind) -> &'static [&'static str] {
    match kind {
        CollectionKind::Map => &["set"],
        CollectionKind::Set => &["add"],
        CollectionKind::Array => &["push", "unshift", "splice"],
        CollectionKind::Object => &[],
    }
}

/// All such statements of a file, in order.
pub(crate) fn forms(loaded: &Arc<Loaded>, kind: CollectionKind) -> Vec<Form> {
    let facts = loaded.facts();
    let mut out = Vec::new();
    for call in &facts.calls {
        let args = facts.parts(call.args);
        let arg = |at: usize| args.get(at).copied().unwrap_or(NONE);
        let Some(Value::Member { object, key }) = facts.value(call.callee) else { continue };
        if key == NONE {
            continue;
        }
        let name = facts.name(key);
        let (start, end) = (anchor(loaded, call), call.range.end);
        let form = |target, key, value| Form { target, value, key, start, end, needs: None };
        if methods(kind).contains(&name) {
            // `splice` with two arguments only removes.
            if name == "splice" && args.len() < 3 {
                continue;
            }
            out.push(match name {
                "set" => form(object, arg(0), arg(1)),
                "splice" => form(object, NONE, arg(2)),
                _ => form(object, NONE, arg(0)),
            });
        } else if matches!(name, "call" | "apply")
            && let Some((method, owner)) = method_value(facts, object)
            && methods(kind).contains(&method)
        {
            // `a.push.apply(a, xs)`, `Array.prototype.push.apply(a, xs)`, and with
            // `const { push } = Array.prototype`: `push.call(a, x)`.
            out.push(form(arg(0), NONE, arg(1)));
            if arg(0) == NONE {
                out.push(form(owner, NONE, arg(1)));
            }
        } else if kind == CollectionKind::Object
            && matches!(facts.value(object), Some(Value::Global(global))
                if matches!(facts.name(global), "Object" | "Reflect"))
        {
            match name {
                "assign" | "defineProperties" => out.push(form(arg(0), NONE, arg(1))),
                "defineProperty" | "set" => out.push(form(arg(0), arg(1), arg(2))),
                _ => {}
            }
        }
    }
    assignments(facts, kind, &mut out);
    out.sort_by_key(|form| form.start);
    out
}

/// A method that is spoken of, not called: its name and the object it is taken from.
fn method_value(facts: &FileFacts, value: ValueId) -> Option<(&str, ValueId)> {
    match facts.value(value)? {
        Value::Member { object, key } if key != NONE => Some((facts.name(key), object)),
        Value::Symbol(symbol) => {
            facts.symbols.get(symbol as usize).map(|it| (facts.name(it.name), NONE))
        }
        _ => None,
    }
}

/// A call that adds by what its callee is, whatever it is called.
pub(super) fn called(loaded: &Loaded, call: &Call) -> Form {
    let args = loaded.facts().parts(call.args);
    Form {
        target: NONE,
        value: args.last().copied().unwrap_or(NONE),
        key: NONE,
        start: anchor(loaded, call),
        end: call.range.end,
        needs: None,
    }
}

fn assignments(facts: &FileFacts, kind: CollectionKind, out: &mut Vec<Form>) {
    for assign in facts.assigns.iter().filter(|assign| assign.expression) {
        let (start, end) = (assign.range.start, assign.range.end);
        let value = assign.value;
        if matches!(kind, CollectionKind::Array | CollectionKind::Object)
            && let Some(Value::Member { object, key: NONE }) = facts.value(assign.target)
        {
            out.push(Form { target: object, value, key: NONE, start, end, needs: None });
        }
        if value != NONE {
            let target = assign.target;
            out.push(Form { target, value: NONE, key: NONE, start, end, needs: Some(value) });
        }
    }
}

/// The collections that a new one is made from: `[...a, x]`, `a.concat(x)`, `{...o, k: v}`,
/// `Object.assign({}, o, …)`, `new Map([...m, pair])`.
pub(crate) fn ingredients(facts: &FileFacts, value: ValueId) -> Vec<ValueId> {
    let mut out = Vec::new();
    let mut todo = vec![value];
    let mut steps = 0;
    while let Some(value) = todo.pop() {
        steps += 1;
        if steps > 64 {
            break;
        }
        match facts.value(value) {
            Some(Value::Array { parts }) => out.extend(facts.parts(parts)),
            Some(Value::Object(object)) => {
                out.extend(facts.objects.get(object as usize).iter().flat_map(|it| &it.spreads));
            }
            Some(Value::Either(left, right)) => todo.extend([left, right]),
            Some(Value::New(call)) => {
                let Some(call) = facts.calls.get(call as usize) else { continue };
                let known = matches!(facts.callee_name(call), Some("Map" | "Set" | "Array"));
                for &arg in facts.parts(call.args).iter().filter(|_| known) {
                    out.push(arg);
                    todo.push(arg);
                }
            }
            Some(Value::Call(call)) => {
                let Some(call) = facts.calls.get(call as usize) else { continue };
                match facts.callee_name(call) {
                    Some("concat") => {
                        out.extend(facts.callee_object(call));
                        // `[].concat(a, x)`.
                        out.extend(facts.parts(call.args));
                    }
                    Some("assign") => {
                        out.extend(facts.parts(call.args));
                        todo.extend(facts.parts(call.args));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    out.retain(|&part| part != NONE);
    out
}
