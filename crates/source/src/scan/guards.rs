//! Tests that let code run only once, or only while there is room.

use crate::facts::{NONE, Range, Value};
use crate::link::FileId;

use super::world::World;

impl World {
    /// The code at `offset` runs at most once, or only for what is new: a test around it looks at
    /// something that the same function then sets (`if (!started) { started = true; … }`), or at a
    /// set or map that it adds to.
    pub fn runs_once(&self, file: FileId, function: u32, offset: u32, adds_count: bool) -> bool {
        let facts = self.facts(file);
        let Some(item) = facts.functions.get(function as usize) else { return false };
        let range = item.range;
        facts.flow.around(range, offset).any(|branch| {
            self.mentions(file, branch.test).any(|value| match facts.value(value) {
                Some(Value::Symbol(symbol)) => {
                    let outside = facts
                        .symbols
                        .get(symbol as usize)
                        .is_some_and(|it| !range_has(range, it.scope));
                    outside
                        && (self.sets(file, range, |it| it == Value::Symbol(symbol))
                            || (adds_count && self.adds_to(file, range, symbol)))
                }
                Some(Value::Member { key, .. }) if key != NONE => {
                    let name = facts.name(key);
                    matches!(name, "listenerCount" | "listeners" | "rawListeners")
                        || self.sets(
                            file,
                            range,
                            |it| matches!(it, Value::Member { key: other, .. } if other == key),
                        )
                }
                _ => false,
            })
        })
    }

    /// The range assigns to something that fits.
    fn sets(&self, file: FileId, range: Range, fits: impl Fn(Value) -> bool) -> bool {
        let facts = self.facts(file);
        facts
            .assigns
            .iter()
            .filter(|it| it.expression && range.contains(it.range.start))
            .filter_map(|it| facts.value(it.target))
            .chain(
                facts
                    .flow
                    .updates
                    .iter()
                    .filter(|(_, at)| range.contains(at.start))
                    .filter_map(|&(target, _)| facts.value(target)),
            )
            .any(fits)
    }

    /// The range adds to the collection in a variable.
    fn adds_to(&self, file: FileId, range: Range, symbol: u32) -> bool {
        let facts = self.facts(file);
        let is_it = |object| facts.value(object) == Some(Value::Symbol(symbol));
        let called = self.calls_in(file, range).any(|(_, call)| {
            matches!(facts.callee_name(call), Some("add" | "set" | "push"))
                && facts.callee_object(call).is_some_and(is_it)
        });
        called
            || facts.assigns.iter().any(|it| {
                it.expression
                    && range.contains(it.range.start)
                    && matches!(facts.value(it.target), Some(Value::Member { object, .. }) if is_it(object))
            })
    }
}

fn range_has(outer: Range, inner: Range) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}
