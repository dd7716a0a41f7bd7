//! The package's side: by which names code outside can get to the adding statement.
//!
//! The functions around the statement are the start; then those that call one of them, and so on,
//! by name. Within a package names are nearly unique, and names cost one pass over the calls where
//! a points-to relation over a file of half a megabyte would cost seconds.

use std::path::PathBuf;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{FileFacts, NONE, Value};
use crate::files::{Loaded, SourceFiles};

/// Calls between the user's and the adding function.
const MAX_DEPTH: u32 = 4;
/// Bytes of the package's files that are read, beside the statement's own.
const MAX_BYTES: usize = 3 << 20;
/// Names that are followed.
const MAX_NAMES: usize = 200;

/// How code outside gets to a statement.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// Names of functions, methods and classes, with how many calls away they are.
    pub names: FxHashMap<String, u32>,
    /// The module itself is called: `module.exports = function …`.
    pub whole: bool,
    /// The function around the statement is what one of these gives back: `const m = memoize(f)`,
    /// then `m(…)`.
    pub makers: FxHashSet<String>,
}

/// Method names of the language: following them leads everywhere.
const COMMON: [&str; 46] = [
    "add",
    "apply",
    "assign",
    "bind",
    "call",
    "catch",
    "clear",
    "concat",
    "constructor",
    "delete",
    "emit",
    "end",
    "entries",
    "every",
    "exec",
    "filter",
    "find",
    "flush",
    "forEach",
    "get",
    "has",
    "includes",
    "indexOf",
    "join",
    "keys",
    "map",
    "next",
    "on",
    "once",
    "pop",
    "push",
    "reduce",
    "replace",
    "resolve",
    "set",
    "shift",
    "slice",
    "some",
    "sort",
    "splice",
    "split",
    "test",
    "then",
    "toString",
    "unshift",
    "values",
];

pub(super) fn is_common(name: &str) -> bool {
    COMMON.binary_search(&name).is_ok()
}

/// The names by which the statement at `offset` of the file is reached. `pool` are files of the
/// package and of those between it and the user.
pub(super) fn reach(
    loaded: &Arc<Loaded>,
    offset: u32,
    source: &SourceFiles,
    pool: &[PathBuf],
) -> Reach {
    let mut out = Reach::default();
    let functions = Functions::of(loaded.facts());
    for (depth, &index) in functions.around(offset).iter().enumerate() {
        if let Some(name) = functions.name(index) {
            out.names.entry(name.to_owned()).or_insert(0);
            if depth > 0 {
                out.makers.insert(name.to_owned());
            }
        }
        out.whole |= functions.exported.contains(&index);
    }
    let mut files = vec![Arc::clone(loaded)];
    let mut bytes = 0;
    let mut rest: Vec<&PathBuf> = pool.iter().collect();
    for depth in 1..=MAX_DEPTH {
        let last = depth - 1;
        let fresh: Vec<String> = out
            .names
            .iter()
            .filter(|(name, at)| **at == last && !is_common(name))
            .map(|(name, _)| name.clone())
            .collect();
        if fresh.is_empty() || out.names.len() > MAX_NAMES {
            break;
        }
        let finders: Vec<memchr::memmem::Finder<'_>> =
            fresh.iter().map(|name| memchr::memmem::Finder::new(name.as_bytes())).collect();
        rest.retain(|path| {
            let Ok(other) = source.load(path) else { return false };
            if other.key == loaded.key || bytes + other.text.len() > MAX_BYTES {
                return false;
            }
            let named = finders.iter().any(|it| it.find(other.text.as_bytes()).is_some());
            if named {
                bytes += other.text.len();
                files.push(other);
            }
            !named
        });
        let wanted: FxHashSet<&str> = fresh.iter().map(String::as_str).collect();
        let mut found = Vec::new();
        let mut whole = false;
        for file in &files {
            let functions = Functions::of(file.facts());
            for offset in functions.mentions(&wanted, &mut found) {
                for index in functions.around(offset) {
                    found.extend(functions.name(index).map(str::to_owned));
                    whole |= functions.exported.contains(&index);
                }
            }
        }
        out.whole |= whole;
        for name in found {
            out.names.entry(name).or_insert(depth);
        }
    }
    out
}

/// What the names of a file's functions need, gathered once.
struct Functions<'f> {
    facts: &'f FileFacts,
    /// Constructors, with their classes.
    constructors: FxHashMap<u32, u32>,
    /// Those that are the module: `module.exports = f`, `export default f`.
    exported: FxHashSet<u32>,
}

impl<'f> Functions<'f> {
    fn of(facts: &'f FileFacts) -> Functions<'f> {
        let with = |(at, class): (usize, &crate::facts::Class)| (class.constructor, at as u32);
        let constructors = facts.classes.iter().enumerate().map(with).collect();
        let function = |value: u32| match facts.value(value)? {
            Value::Function(at) => Some(at),
            Value::Class(at) => Some(facts.classes.get(at as usize)?.constructor),
            _ => None,
        };
        let mut bound: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        let mut exported = FxHashSet::default();
        let mut symbols = Vec::new();
        for assign in &facts.assigns {
            let held = function(assign.value);
            match facts.value(assign.target) {
                Some(Value::Symbol(symbol)) => {
                    bound.entry(symbol).or_default().extend(held);
                    continue;
                }
                Some(Value::Exports) => {}
                Some(Value::Member { object, key })
                    if key != NONE
                        && facts.name(key) == "default"
                        && facts.value(object) == Some(Value::Exports) => {}
                _ => continue,
            }
            exported.extend(held);
            if let Some(Value::Symbol(symbol)) = facts.value(assign.value) {
                symbols.push(symbol);
            }
        }
        exported.extend(symbols.iter().filter_map(|it| bound.get(it)).flatten());
        exported.remove(&NONE);
        Functions { facts, constructors, exported }
    }

    /// A function's name; of a constructor, the class's.
    fn name(&self, function: u32) -> Option<&'f str> {
        let name = self.facts.functions.get(function as usize)?.name;
        if name != NONE {
            return Some(self.facts.name(name));
        }
        let class = self.facts.classes.get(*self.constructors.get(&function)? as usize)?;
        (class.name != NONE).then(|| self.facts.name(class.name))
    }

    /// Where the file speaks of one of the names: calls it, hands it on, binds it. Other names that
    /// it is given (`this.inc = this.incOnce`) go to `aliases`.
    fn mentions(&self, names: &FxHashSet<&str>, aliases: &mut Vec<String>) -> Vec<u32> {
        let facts = self.facts;
        let named: Vec<bool> = facts.names.iter().map(|name| names.contains(&**name)).collect();
        let is_named = |name: u32| named.get(name as usize).copied().unwrap_or(false);
        if !named.contains(&true) {
            return Vec::new();
        }
        let mention = |value: u32| match facts.value(value) {
            Some(Value::Symbol(symbol)) => {
                facts.symbols.get(symbol as usize).is_some_and(|it| is_named(it.name))
            }
            Some(Value::Member { key, .. }) => is_named(key),
            _ => false,
        };
        let bound = |value: u32| match facts.value(value) {
            Some(Value::Call(call)) => facts
                .calls
                .get(call as usize)
                .filter(|call| facts.callee_name(call) == Some("bind"))
                .and_then(|call| facts.callee_object(call))
                .is_some_and(mention),
            _ => mention(value),
        };
        for assign in &facts.assigns {
            if let Some(Value::Member { key, .. }) = facts.value(assign.target)
                && key != NONE
                && bound(assign.value)
            {
                aliases.push(facts.name(key).to_owned());
            }
        }
        let values = (0..facts.values.len() as u32).filter(|&value| mention(value));
        // Values that no expression spells have no place.
        values
            .map(|value| facts.range(value))
            .filter(|it| it.len() > 0)
            .map(|it| it.start)
            .collect()
    }

    /// The functions around a place, innermost first, that others can call: what runs where it
    /// stands (the wrapper of a whole file) is called by nobody else.
    fn around(&self, offset: u32) -> Vec<u32> {
        let mut out = Vec::new();
        let mut at = self.facts.function_at(offset);
        while let Some(index) = at {
            let Some(function) = self.facts.functions.get(index as usize) else { break };
            if !function.invoked_in_place {
                out.push(index);
            }
            at = Some(function.parent);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_common_names_are_sorted() {
        assert!(super::COMMON.is_sorted());
    }
}
