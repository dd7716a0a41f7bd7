//! Maps, Sets, arrays and dictionaries that last and are only added to.
//!
//! One pass finds the collections and their names (through the points-to relation, so a class's
//! field, an export and a parameter count as names), a second classes every use. One sign of a
//! bound anywhere speaks for the collection: something taken out, a reset, a comparison of its
//! size, or a way to code that is not at hand.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::cx::Cx;
use super::super::world::{World, ingredients};
use super::ScanRule;
use crate::facts::{Call, FileFacts, NONE, Range, Value, ValueId};
use crate::link::{FileId, Place, PlaceId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Map,
    Set,
    Array,
    Object,
}

/// A collection, by one of its names.
struct Candidate {
    kind: Kind,
    file: FileId,
    declared: u32,
    /// Assignments that make it; a second one is a reset.
    made: usize,
    adds: Vec<Add>,
    bounded: bool,
}

/// A statement that adds.
struct Add {
    file: FileId,
    start: u32,
    range: Range,
    /// What the collection is called here.
    name: String,
    /// What decides whether the collection grows: the key, or a set's value; `None`: always.
    key: Option<Range>,
    value: Option<Range>,
}

/// Functions that look at a collection they are handed and keep nothing.
const HARMLESS: [&str; 62] = [
    "keys",
    "values",
    "entries",
    "from",
    "isArray",
    "stringify",
    "log",
    "info",
    "debug",
    "warn",
    "error",
    "trace",
    "dir",
    "table",
    "json",
    "send",
    "end",
    "write",
    "hasOwnProperty",
    "hasOwn",
    "call",
    "has",
    "get",
    "includes",
    "indexOf",
    "inspect",
    "freeze",
    "seal",
    "String",
    "Boolean",
    "Number",
    "deepEqual",
    "deepStrictEqual",
    "equal",
    "strictEqual",
    "ok",
    "max",
    "min",
    "render",
    "format",
    "Map",
    "Set",
    "Array",
    "fromEntries",
    "concat",
    "some",
    "every",
    "find",
    "forEach",
    "map",
    "filter",
    "reduce",
    "join",
    "slice",
    "assign",
    "apply",
    "push",
    "isEmpty",
    "cloneDeep",
    "structuredClone",
    "getOwnPropertyNames",
    "reply",
];

pub(super) fn check(cx: &mut Cx) {
    let mut all = Collections::default();
    for file in cx.world.files() {
        all.find(cx, file);
    }
    if all.list.is_empty() {
        return;
    }
    for file in cx.world.files() {
        all.classify(&cx.world, file);
    }
    for candidate in all.list {
        if candidate.bounded || candidate.made > 1 {
            continue;
        }
        for add in &candidate.adds {
            check_add(cx, &candidate, add);
        }
    }
}

#[derive(Default)]
struct Collections {
    list: Vec<Candidate>,
    at: FxHashMap<PlaceId, usize>,
}

impl Collections {
    /// The collections that a file makes and that last.
    fn find(&mut self, cx: &Cx, file: FileId) {
        let world = &cx.world;
        let facts = world.facts(file);
        for assign in &facts.assigns {
            let Some(kind) = kind_of(facts, assign.value) else { continue };
            if assign.expression && world.grows_itself(file, assign) {
                continue;
            }
            let lazy = matches!(facts.value(assign.value), Some(Value::Either(..)));
            for place in world.targets(file, assign.target) {
                if let Some(&at) = self.at.get(&place) {
                    self.list[at].made += usize::from(!lazy);
                    continue;
                }
                if !worth(world, place) || !cx.lives.place_lasts(world, &cx.hot, place) {
                    continue;
                }
                let target = facts.range(assign.target);
                let declared = if target.len() > 0 { target.start } else { assign.range.start };
                self.at.insert(place, self.list.len());
                self.list.push(Candidate {
                    kind,
                    file,
                    declared,
                    made: 1,
                    adds: Vec::new(),
                    bounded: false,
                });
            }
        }
    }

    /// The collections that a value may denote.
    fn of(&self, world: &World, file: FileId, value: ValueId) -> Vec<usize> {
        let places = world.linked.denotes(file, value).iter();
        places.filter_map(|place| self.at.get(place).copied()).collect()
    }

    fn bound(&mut self, which: &[usize]) {
        for &at in which {
            self.list[at].bounded = true;
        }
    }

    /// Sorts every use in a file.
    fn classify(&mut self, world: &World, file: FileId) {
        let facts = world.facts(file);
        let mut handed_out: FxHashSet<u32> = FxHashSet::default();
        for (id, call) in facts.calls.iter().enumerate() {
            self.method(world, file, id as u32, call);
            if is_harmless(world, file, id as u32, call) {
                continue;
            }
            for &arg in facts.parts(call.args) {
                if let Some(Value::Object(object)) = facts.value(arg) {
                    handed_out.insert(object);
                }
                let which = self.of(world, file, arg);
                self.bound(&which);
            }
        }
        for &(object, _) in &facts.deletes {
            let which = self.of(world, file, object);
            self.bound(&which);
        }
        for assign in &facts.assigns {
            if let Some(Value::Member { object, key }) = facts.value(assign.target) {
                if let Some(Value::Object(literal)) = facts.value(object)
                    && handed_out.contains(&literal)
                {
                    let which = self.of(world, file, assign.value);
                    self.bound(&which);
                }
                if assign.expression && key == NONE {
                    self.index(world, file, assign.target, object, assign.range, assign.value);
                } else if assign.expression && facts.name(key) == "length" {
                    let which = self.of(world, file, object);
                    self.bound(&which);
                }
            }
            if assign.expression {
                self.replaced(world, file, assign.target, assign.value, assign.range);
            }
        }
        for &compare in &facts.flow.compares {
            let text = world.text(file, compare);
            if !text.contains(".size") && !text.contains(".length") && !text.contains("count") {
                continue;
            }
            for value in world.mentions(file, compare).collect::<Vec<_>>() {
                let which = self.of(world, file, value);
                self.bound(&which);
            }
        }
    }

    fn method(&mut self, world: &World, file: FileId, id: u32, call: &Call) {
        let facts = world.facts(file);
        let Some(Value::Member { object, key }) = facts.value(call.callee) else { return };
        if key == NONE {
            return;
        }
        let which = self.of(world, file, object);
        if which.is_empty() {
            return;
        }
        let name = facts.name(key);
        let args = facts.flow.args(id);
        let removes = matches!(name, "delete" | "clear" | "pop" | "shift")
            || (name == "splice" && args.len() < 3);
        if removes {
            self.bound(&which);
            return;
        }
        let start = world.anchor(file, call);
        for at in which {
            let kind = self.list[at].kind;
            let (key, value) = match (name, kind) {
                ("set", Kind::Map) => (args.first().copied(), args.get(1).copied()),
                ("add", Kind::Set) => (args.first().copied(), args.first().copied()),
                ("push" | "unshift" | "splice", Kind::Array) => (None, args.last().copied()),
                _ => continue,
            };
            if key.is_none() && kind != Kind::Array {
                continue;
            }
            let range = call.range;
            let name = world.short(file, facts.range(object));
            self.list[at].adds.push(Add { file, start, range, name, key, value });
        }
    }

    /// `dictionary[key] = value`
    fn index(
        &mut self,
        world: &World,
        file: FileId,
        target: ValueId,
        object: ValueId,
        range: Range,
        value: ValueId,
    ) {
        let facts = world.facts(file);
        let key = facts.flow.keys.get(&target).copied();
        for at in self.of(world, file, object) {
            if self.list[at].kind == Kind::Object && key.is_some() {
                let value = Some(facts.range(value)).filter(|it| it.len() > 0);
                let name = world.short(file, facts.range(object));
                self.list[at].adds.push(Add { file, start: range.start, range, name, key, value });
            }
        }
    }

    /// `list = [...list, x]` adds, any other assignment resets.
    fn replaced(
        &mut self,
        world: &World,
        file: FileId,
        target: ValueId,
        value: ValueId,
        range: Range,
    ) {
        let facts = world.facts(file);
        let which: Vec<usize> =
            world.targets(file, target).iter().filter_map(|it| self.at.get(it).copied()).collect();
        if which.is_empty() {
            return;
        }
        let grown = ingredients(facts, value);
        for at in which {
            let itself = |it: &ValueId| self.of(world, file, *it).contains(&at);
            if grown.iter().any(itself) {
                let kind = self.list[at].kind;
                // Of objects only the keys that are computed add more and more.
                let key = match kind {
                    Kind::Object => computed_key(world.text(file, range), range),
                    Kind::Array => None,
                    _ => Some(range),
                };
                if kind == Kind::Object && key.is_none() {
                    continue;
                }
                let name = world.short(file, facts.range(target));
                self.list[at].adds.push(Add {
                    file,
                    start: range.start,
                    range,
                    name,
                    key,
                    value: None,
                });
            } else if kind_of(facts, value).is_none() {
                // Those that make a collection were counted when it was found.
                self.list[at].bounded = true;
            }
        }
    }
}

/// The collection that an expression makes.
fn kind_of(facts: &FileFacts, value: ValueId) -> Option<Kind> {
    match facts.value(value)? {
        Value::Object(_) => Some(Kind::Object),
        Value::Array { .. } => Some(Kind::Array),
        Value::New(call) => match facts.callee_name(facts.calls.get(call as usize)?)? {
            "Map" => Some(Kind::Map),
            "Set" => Some(Kind::Set),
            "Array" => Some(Kind::Array),
            _ => None,
        },
        Value::Call(call) => {
            let call = facts.calls.get(call as usize)?;
            let object = facts.callee_object(call)?;
            let is_object = matches!(facts.value(object), Some(Value::Global(name)) if facts.name(name) == "Object");
            (is_object && facts.callee_name(call) == Some("create")).then_some(Kind::Object)
        }
        Value::Either(left, right) => {
            let direct = |it| match facts.value(it) {
                Some(Value::Either(..)) => None,
                _ => kind_of_direct(facts, it),
            };
            direct(right).or_else(|| direct(left))
        }
        _ => None,
    }
}

fn kind_of_direct(facts: &FileFacts, value: ValueId) -> Option<Kind> {
    match facts.value(value)? {
        Value::Object(_) => Some(Kind::Object),
        Value::Array { .. } => Some(Kind::Array),
        Value::New(call) => match facts.callee_name(facts.calls.get(call as usize)?)? {
            "Map" => Some(Kind::Map),
            "Set" => Some(Kind::Set),
            _ => None,
        },
        _ => None,
    }
}

/// The key in `{ ...all, [key]: value }`.
fn computed_key(text: &str, range: Range) -> Option<Range> {
    let open = text
        .match_indices('[')
        .find(|&(at, _)| matches!(text[..at].trim_end().as_bytes().last(), Some(b',' | b'{')))?;
    let start = open.0 + 1;
    let end = start + text[start..].find("]:")?;
    Some(Range { start: range.start + start as u32, end: range.start + end as u32 })
}

/// Places by which a program knows a lasting collection.
fn worth(world: &World, place: PlaceId) -> bool {
    match world.linked.place(place) {
        Some(Place::Symbol(..) | Place::Global(_) | Place::Exports(_)) => true,
        Some(Place::Member(object, key)) => {
            world.linked.name(key) != "prototype"
                && !matches!(world.linked.place(object), Some(Place::Param(..)))
        }
        _ => false,
    }
}

/// The call keeps nothing of what it is handed, or its function is at hand.
fn is_harmless(world: &World, file: FileId, id: u32, call: &Call) -> bool {
    let known = if world.is_new(file, id) {
        !world.constructors(file, call.callee).is_empty()
    } else {
        !world.functions(file, call.callee).is_empty()
    };
    known || world.facts(file).callee_name(call).is_some_and(|it| HARMLESS.contains(&it))
}

fn check_add(cx: &mut Cx, candidate: &Candidate, add: &Add) {
    let world = &cx.world;
    let Some(repeated) = cx.repeated(add.file, add.start) else { return };
    if let Some(key) = add.key
        && !cx.is_unbounded(add.file, key)
    {
        return;
    }
    // What is taken out of another collection is bounded by that one.
    let moved = |range| {
        world.calls_in(add.file, range).any(|(_, it)| {
            matches!(world.facts(add.file).callee_name(it), Some("shift" | "pop" | "splice"))
        })
    };
    if add.value.is_some_and(moved) {
        return;
    }
    // `if (!names.includes(name)) names.push(name)`: only as many as there are names.
    let nearest = world.facts(add.file).repeated_function_at(add.start).unwrap_or(NONE);
    let around = if nearest == NONE { repeated.function } else { nearest };
    if let Some(tested) = membership(world, add, around) {
        let grows = match add.key.or(add.value) {
            Some(range) if tested == Tested::Itself => cx.is_unbounded(add.file, range),
            _ => false,
        };
        if !grows {
            return;
        }
    }
    let name = &add.name;
    let what = match candidate.kind {
        Kind::Map => "Map",
        Kind::Set => "Set",
        Kind::Array => "array",
        Kind::Object => "object",
    };
    let unit = repeated.reason.every.unit();
    let key = add.key.map(|it| world.short(add.file, it));
    let adds = match (&key, candidate.kind) {
        (Some(key), Kind::Map | Kind::Object) => {
            format!(
                "adds an entry under `{key}`, which takes ever new values, to the {what} `{name}`"
            )
        }
        (Some(key), Kind::Set) => format!("adds `{key}`, ever new, to the {what} `{name}`"),
        _ => format!("appends to the {what} `{name}`"),
    };
    let declared = world.place_words(candidate.file, candidate.declared);
    let explanation = format!(
        "{}, and each time {adds}. `{name}` ({declared}) lasts as long as the program, and nothing in \
         the scanned files deletes from it, empties it or looks at its size.",
        repeated.words
    );
    let fix = match candidate.kind {
        Kind::Map | Kind::Set => {
            let key = key.unwrap_or_else(|| "key".to_owned());
            format!(
                "Call `{name}.delete({key})` when the {unit} no longer needs the entry; or, if `{name}` is a \
                 cache, bound it: an LRU cache with a maximum, or drop the oldest entry once \
                 `{name}.size` passes a limit."
            )
        }
        Kind::Object => {
            let key = key.unwrap_or_else(|| "key".to_owned());
            format!(
                "`delete {name}[{key}]` when the {unit} no longer needs the entry; or, if `{name}` is a \
                 cache, bound it: an LRU cache with a maximum number of entries."
            )
        }
        Kind::Array => format!(
            "Keep only what is needed: `if ({name}.length > LIMIT) {name}.shift()`, or hand the entries to \
             where they belong (a database, a log) and empty the array."
        ),
    };
    let range = Range { start: add.start, end: add.range.end };
    cx.report(ScanRule::Collection, add.file, range, explanation, fix);
}

#[derive(PartialEq, Eq)]
enum Tested {
    /// Whether the collection has it already.
    Itself,
    /// Whether something else has it: a list of what is allowed.
    Other,
}

/// A test around the addition asks whether something has the key.
fn membership(world: &World, add: &Add, function: u32) -> Option<Tested> {
    let facts = world.facts(add.file);
    let range = facts.functions.get(function as usize)?.range;
    let last = add.name.rsplit('.').next().unwrap_or_default();
    for branch in facts.flow.around(range, add.start) {
        for (_, call) in world.calls_in(add.file, branch.test) {
            let name = facts.callee_name(call).unwrap_or_default();
            if !matches!(
                name,
                "includes" | "has" | "indexOf" | "hasOwnProperty" | "hasOwn" | "some" | "find"
            ) {
                continue;
            }
            let text = world.text(add.file, call.range);
            return Some(if text.contains(last) { Tested::Itself } else { Tested::Other });
        }
    }
    None
}
