//! A variable that is replaced by something that holds what it was: a chain that never ends.

use super::super::cx::Cx;
use super::super::world::World;
use super::ScanRule;
use crate::facts::{Assign, FileFacts, NONE, Range, Value, ValueId};
use crate::link::{FileId, Place};

pub(super) fn check(cx: &mut Cx) {
    for file in cx.world.files() {
        for at in 0..cx.world.facts(file).assigns.len() {
            let assign = cx.world.facts(file).assigns[at];
            if assign.expression {
                check_assign(cx, file, &assign);
            }
        }
    }
}

fn check_assign(cx: &mut Cx, file: FileId, assign: &Assign) {
    let world = &cx.world;
    let facts = world.facts(file);
    let Some(Value::Symbol(symbol)) = facts.value(assign.target) else { return };
    let Some(item) = facts.symbols.get(symbol as usize) else { return };
    if item.function != NONE && cx.hot.reason(world, (file, item.function)).is_some() {
        return;
    }
    let Some(link) = link(world, file, assign.value, symbol) else { return };
    // Somebody walks along the chain, cuts it, or begins a new one.
    let replaced = facts.assigns.iter().any(|it| {
        it.expression
            && it.range != assign.range
            && facts.value(it.target) == Some(Value::Symbol(symbol))
    });
    let cut = world.files().any(|other| {
        let facts = world.facts(other);
        let of_link = |value| {
            matches!(facts.value(value), Some(Value::Member { key, .. })
                if key != NONE && facts.name(key) == link)
        };
        let in_constructor = |it: &Assign| {
            facts
                .function_at(it.range.start)
                .is_some_and(|at| facts.classes.iter().any(|class| class.constructor == at))
        };
        facts.assigns.iter().any(|it| it.expression && of_link(it.target) && !in_constructor(it))
            || facts.flow.compares.iter().any(|&it| {
                world.mentions(other, it).any(of_link) || world.text(other, it).contains("depth")
            })
    });
    if replaced || cut {
        return;
    }
    let Some(repeated) = cx.repeated(file, assign.range.start) else { return };
    let name = facts.name(item.name).to_owned();
    let explanation = format!(
        "{}, and each time replaces `{name}` by an object whose `{link}` is the `{name}` before it. \
         Nothing cuts the chain, so the last object keeps all that ever were.",
        repeated.words
    );
    let fix = format!(
        "Keep of the object before only what is needed (an id, a hash) instead of the object itself, or \
         cut the chain: `{name}.{link} = undefined` once it is no longer read."
    );
    cx.report(ScanRule::Chain, file, assign.range, explanation, fix);
}

/// The property under which a new value holds the variable.
fn link(world: &World, file: FileId, value: ValueId, symbol: u32) -> Option<String> {
    let facts = world.facts(file);
    match facts.value(value)? {
        Value::Object(literal) => facts
            .flow
            .properties
            .iter()
            .find(|it| it.0 == literal && is_variable(world, file, it.2, symbol))
            .map(|it| facts.name(it.1).to_owned()),
        Value::New(call) => {
            let item = facts.calls.get(call as usize)?;
            let args = facts.flow.args(call);
            let index = args.iter().position(|&it| is_variable(world, file, it, symbol))? as u32;
            world.linked.denotes(file, item.callee).iter().find_map(|&place| {
                match world.linked.place(place)? {
                    Place::Class(owner, class) => {
                        let facts = world.facts(owner);
                        let constructor = facts.classes.get(class as usize)?.constructor;
                        kept_as(world, owner, facts, constructor, index)
                    }
                    Place::Function(owner, function) => {
                        kept_as(world, owner, world.facts(owner), function, index)
                    }
                    _ => None,
                }
            })
        }
        _ => None,
    }
}

/// The expression in a range is the variable and nothing else.
fn is_variable(world: &World, file: FileId, range: Range, symbol: u32) -> bool {
    let facts = world.facts(file);
    world
        .mentions(file, range)
        .any(|it| facts.range(it) == range && facts.value(it) == Some(Value::Symbol(symbol)))
}

/// The property of `this` that a constructor gives its parameter.
fn kept_as(
    world: &World,
    file: FileId,
    facts: &FileFacts,
    constructor: u32,
    index: u32,
) -> Option<String> {
    let param = world.param_name(file, constructor, index)?;
    let range = facts.functions.get(constructor as usize)?.range;
    facts.assigns.iter().find_map(|it| {
        let Some(Value::Member { object, key }) = facts.value(it.target) else { return None };
        let Some(Value::Symbol(symbol)) = facts.value(it.value) else { return None };
        let fits = range.contains(it.range.start)
            && key != NONE
            && matches!(facts.value(object), Some(Value::This(_)))
            && facts
                .symbols
                .get(symbol as usize)
                .is_some_and(|it| it.function == constructor && facts.name(it.name) == param);
        fits.then(|| facts.name(key).to_owned())
    })
}
