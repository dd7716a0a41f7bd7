//! Whether an expression takes ever new values: what requests bring, ids, times, counters.

use crate::facts::{NONE, Range, Value};
use crate::link::{FileId, Place};

use super::cx::Cx;
use super::world::World;

/// Steps of the search for where a value comes from.
const MAX_STEPS: usize = 64;

/// What never gives the same value twice.
const FRESH: [&str; 16] = [
    "randomUUID",
    "uuid",
    "uuidv4",
    "uuidv7",
    "v4",
    "v7",
    "nanoid",
    "now",
    "random",
    "randomBytes",
    "hrtime",
    "cuid",
    "ulid",
    "createId",
    "ObjectId",
    "Symbol",
];

/// Names of properties and variables that take few values however many requests come.
const FEW: [&str; 45] = [
    "method",
    "statusCode",
    "status",
    "route",
    "httpVersion",
    "protocol",
    "level",
    "type",
    "kind",
    "event",
    "eventName",
    "constructor",
    "locale",
    "lang",
    "language",
    "encoding",
    "charset",
    "code",
    "state",
    "mode",
    "stage",
    "env",
    "action",
    "command",
    "operation",
    "op",
    "topic",
    "queue",
    "exchange",
    "day",
    "hour",
    "weekday",
    "month",
    "secure",
    "platform",
    "version",
    "format",
    "extension",
    "ext",
    "role",
    "category",
    "severity",
    "currency",
    "country",
    "region",
];

/// Endings of such names.
const FEW_ENDINGS: [&str; 10] = [
    "Type",
    "Kind",
    "Method",
    "Status",
    "Level",
    "Locale",
    "Language",
    "Encoding",
    "encodingName",
    "Mode",
];

pub(super) fn takes_few_values(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    FEW.contains(&name) || FEW_ENDINGS.iter().any(|it| name.ends_with(it))
}

impl Cx {
    /// The expression in a range takes ever new values while its code runs again and again.
    pub fn is_unbounded(&self, file: FileId, range: Range) -> bool {
        let world = &self.world;
        let mut todo = vec![(file, range)];
        let mut seen = Vec::new();
        while let Some((file, range)) = todo.pop() {
            if seen.contains(&(file, range.start, range.end)) || seen.len() > MAX_STEPS {
                continue;
            }
            seen.push((file, range.start, range.end));
            // `i % SIZE`: a ring.
            if world.text(file, range).contains('%') {
                continue;
            }
            if is_fresh(world, file, range) {
                return true;
            }
            let facts = world.facts(file);
            let skipped: Vec<Range> = world
                .mentions(file, range)
                .filter(|&it| {
                    matches!(facts.value(it), Some(Value::Member { key, .. })
                        if key != NONE && takes_few_values(facts.name(key)))
                })
                .map(|it| facts.range(it))
                .collect();
            for value in world.mentions(file, range) {
                let at = facts.range(value);
                if skipped.iter().any(|it| it.start <= at.start && at.end <= it.end) {
                    continue;
                }
                match facts.value(value) {
                    Some(Value::Symbol(symbol))
                        if self.symbol_is_unbounded(file, symbol, &mut todo) =>
                    {
                        return true;
                    }
                    Some(Value::Member { key, .. }) if key != NONE => {
                        // `this.nextId`, counted up somewhere.
                        let counted = facts.flow.updates.iter().any(|&(target, _)| {
                            matches!(facts.value(target), Some(Value::Member { key: other, .. }) if other == key)
                        });
                        if counted {
                            return true;
                        }
                    }
                    _ => {}
                }
            }
        }
        false
    }

    fn symbol_is_unbounded(
        &self,
        file: FileId,
        symbol: u32,
        todo: &mut Vec<(FileId, Range)>,
    ) -> bool {
        let world = &self.world;
        let facts = world.facts(file);
        let Some(item) = facts.symbols.get(symbol as usize) else { return false };
        if takes_few_values(facts.name(item.name)) {
            return false;
        }
        let counted =
            facts.flow.updates.iter().any(|it| facts.value(it.0) == Some(Value::Symbol(symbol)));
        if counted {
            return true;
        }
        if item.function == NONE || self.hot.reason(world, (file, item.function)).is_none() {
            return false;
        }
        if let Some(&range) = facts.flow.declared.get(&symbol) {
            todo.push((file, range));
        }
        let Some(place) = world.linked.find(Place::Symbol(file, symbol)) else { return false };
        for (file, assign) in world.assigns_of(place) {
            let facts = world.facts(file);
            match facts.value(assign.value) {
                Some(Value::Param { function, index }) => {
                    if self.param_is_unbounded(file, function, index, todo) {
                        return true;
                    }
                }
                // A part of a parameter that is taken apart.
                Some(Value::Member { object, key })
                    if matches!(facts.value(object), Some(Value::Param { .. })) =>
                {
                    if key != NONE && takes_few_values(facts.name(key)) {
                        continue;
                    }
                    if let Some(Value::Param { function, index }) = facts.value(object)
                        && self.param_is_unbounded(file, function, index, todo)
                    {
                        return true;
                    }
                }
                _ => {
                    let range = facts.range(assign.value);
                    if range.len() > 0 {
                        todo.push((file, range));
                    }
                }
            }
        }
        false
    }

    /// A parameter takes ever new values: a handler's always; another function's, if its caller
    /// hands it such.
    fn param_is_unbounded(
        &self,
        file: FileId,
        function: u32,
        index: u32,
        todo: &mut Vec<(FileId, Range)>,
    ) -> bool {
        let Some((known, reason)) = self.hot.reason(&self.world, (file, function)) else {
            return false;
        };
        if known != function {
            // A callback inside such a function: what it is handed is new each time.
            return true;
        }
        let Some((caller, call, _)) = reason.caller else { return true };
        // `items.forEach(add)`: what it is handed is not written there.
        let facts = self.world.facts(caller);
        let item = facts.calls.get(call as usize);
        let called = item.is_some_and(|it| {
            let functions = self.world.functions(caller, it.callee);
            functions.contains(&(file, function)) || self.world.is_new(caller, call)
        });
        if !called {
            return true;
        }
        match self.world.arg_range(caller, call, index as usize) {
            Some(range) => todo.push((caller, range)),
            None => return false,
        }
        false
    }
}

/// The range makes something new each time: an id, a time, an object.
fn is_fresh(world: &World, file: FileId, range: Range) -> bool {
    let facts = world.facts(file);
    let calls = world.calls_in(file, range).any(|(call, item)| {
        let name = facts.callee_name(item).unwrap_or_default();
        item.range.end <= range.end
            && (FRESH.contains(&name) || (world.is_new(file, call) && name == "Date"))
    });
    let made = world.mentions(file, range).any(|value| {
        facts.range(value) == range
            && matches!(
                facts.value(value),
                Some(Value::New(_) | Value::Object(_) | Value::Function(_) | Value::Array { .. })
            )
    });
    calls
        || made
        || facts.flow.updates.iter().any(|(_, at)| range.contains(at.start) && at.end <= range.end)
}
