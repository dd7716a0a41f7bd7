//! The files at hand as the rules see them: the points-to relation and the ways through it that
//! every rule needs, indexed once.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::facts::{Assign, Call, FileFacts, NONE, Range, Value, ValueId};
use crate::files::Loaded;
use crate::link::{FileId, Linked, Place, PlaceId};
use crate::statement::{anchor, snippet};

/// Steps of any search through assignments and properties; real chains are far shorter.
const MAX_STEPS: usize = 64;

/// A function of a file.
pub(super) type FunctionId = (FileId, u32);

/// The files and their relation.
pub(super) struct World {
    pub linked: Linked,
    /// Per file: values that an expression spells, by their start.
    by_start: Vec<Vec<(u32, ValueId)>>,
    /// Per file: calls by their start.
    calls: Vec<Vec<(u32, u32)>>,
    /// Per file and call: its value.
    call_values: Vec<Vec<ValueId>>,
    /// Per file and object literal: its value.
    object_values: Vec<Vec<ValueId>>,
    /// Who is assigned to a place.
    assigned: FxHashMap<PlaceId, Vec<(FileId, u32)>>,
    /// The variable that a parameter is bound to.
    params: FxHashMap<(FileId, u32, u32), u32>,
    /// Per file: the package it belongs to.
    packages: Vec<Option<String>>,
}

impl World {
    /// Links the files and indexes the relation.
    pub fn new(files: Vec<Arc<Loaded>>) -> World {
        let linked = Linked::new(files);
        let mut world = World {
            by_start: Vec::new(),
            calls: Vec::new(),
            call_values: Vec::new(),
            object_values: Vec::new(),
            assigned: FxHashMap::default(),
            params: FxHashMap::default(),
            packages: linked.files.iter().map(|file| package_of(file)).collect(),
            linked,
        };
        for at in 0..world.linked.files.len() {
            world.index(at as FileId);
        }
        world
    }

    fn index(&mut self, file: FileId) {
        let loaded = Arc::clone(&self.linked.files[file as usize]);
        let facts = loaded.facts();
        let mut by_start: Vec<(u32, ValueId)> = Vec::with_capacity(facts.values.len());
        let mut call_values = vec![NONE; facts.calls.len()];
        let mut object_values = vec![NONE; facts.objects.len()];
        for (id, value) in facts.values.iter().enumerate() {
            let range = facts.ranges[id];
            if range.len() > 0 {
                by_start.push((range.start, id as ValueId));
            }
            if let Value::Call(call) | Value::New(call) = *value
                && let Some(slot) = call_values.get_mut(call as usize)
            {
                *slot = id as ValueId;
            }
            if let Value::Object(object) = *value
                && let Some(slot) = object_values.get_mut(object as usize)
            {
                *slot = id as ValueId;
            }
        }
        by_start.sort_unstable();
        let mut calls: Vec<(u32, u32)> =
            spelled(facts).map(|(id, it)| (it.range.start, id)).collect();
        calls.sort_unstable();
        self.by_start.push(by_start);
        self.calls.push(calls);
        self.call_values.push(call_values);
        self.object_values.push(object_values);
        for (at, assign) in facts.assigns.iter().enumerate() {
            for place in self.targets(file, assign.target) {
                self.assigned.entry(place).or_default().push((file, at as u32));
            }
            if let (Some(Value::Symbol(symbol)), Some(Value::Param { function, index })) =
                (facts.value(assign.target), facts.value(assign.value))
            {
                self.params.insert((file, function, index), symbol);
            }
        }
    }

    /// The places that an assignment to the value writes.
    pub fn targets(&self, file: FileId, target: ValueId) -> Vec<PlaceId> {
        let facts = self.facts(file);
        match facts.value(target) {
            Some(Value::Symbol(symbol)) => {
                self.linked.find(Place::Symbol(file, symbol)).into_iter().collect()
            }
            Some(Value::Global(_) | Value::Exports) => {
                self.linked.denotes(file, target).first().copied().into_iter().collect()
            }
            Some(Value::Member { object, key }) if key != NONE => {
                let Some(key) = self.linked.name_id(facts.name(key)) else { return Vec::new() };
                let objects = self.linked.denotes(file, object).iter();
                objects.filter_map(|&it| self.linked.find(Place::Member(it, key))).collect()
            }
            _ => Vec::new(),
        }
    }

    pub fn files(&self) -> impl Iterator<Item = FileId> + use<> {
        0..self.linked.files.len() as FileId
    }

    pub fn loaded(&self, file: FileId) -> &Loaded {
        &self.linked.files[file as usize]
    }

    pub fn facts(&self, file: FileId) -> &FileFacts {
        self.linked.files[file as usize].facts()
    }

    /// The source in a range; empty where there is none.
    pub fn text(&self, file: FileId, range: Range) -> &str {
        self.loaded(file).text.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// The source of a value on one line, short enough for a sentence.
    pub fn short(&self, file: FileId, range: Range) -> String {
        let text = snippet(self.text(file, range));
        if text.chars().count() <= 48 {
            return text;
        }
        text.chars().take(47).chain(['…']).collect()
    }

    /// The values spelled inside a range, by their start.
    pub fn mentions(&self, file: FileId, range: Range) -> impl Iterator<Item = ValueId> + '_ {
        let values = &self.by_start[file as usize];
        let from = values.partition_point(|&(start, _)| start < range.start);
        let facts = self.facts(file);
        values[from..]
            .iter()
            .take_while(move |&&(start, _)| start < range.end)
            .map(|&(_, value)| value)
            .filter(move |&value| facts.range(value).end <= range.end)
    }

    /// The calls inside a range, nested functions included, in source order.
    pub fn calls_in(&self, file: FileId, range: Range) -> impl Iterator<Item = (u32, &Call)> {
        let calls = &self.calls[file as usize];
        let from = calls.partition_point(|&(start, _)| start < range.start);
        let facts = self.facts(file);
        calls[from..]
            .iter()
            .take_while(move |&&(start, _)| start < range.end)
            .filter_map(move |&(_, call)| Some((call, facts.calls.get(call as usize)?)))
    }

    /// All calls of all files.
    pub fn all_calls(&self) -> impl Iterator<Item = (FileId, u32, &Call)> {
        self.files()
            .flat_map(move |file| spelled(self.facts(file)).map(move |(id, call)| (file, id, call)))
    }

    /// The value that a call has.
    pub fn value_of_call(&self, file: FileId, call: u32) -> ValueId {
        self.call_values[file as usize].get(call as usize).copied().unwrap_or(NONE)
    }

    /// The source of an object literal.
    pub fn object_range(&self, file: FileId, object: u32) -> Range {
        let value = self.object_values[file as usize].get(object as usize);
        value.map_or_else(Range::default, |&it| self.facts(file).range(it))
    }

    pub fn is_new(&self, file: FileId, call: u32) -> bool {
        let value = self.facts(file).value(self.value_of_call(file, call));
        matches!(value, Some(Value::New(_)))
    }

    /// The argument of a call, `NONE` where it is nothing that is followed.
    pub fn arg(&self, file: FileId, call: &Call, at: usize) -> ValueId {
        self.facts(file).parts(call.args).get(at).copied().unwrap_or(NONE)
    }

    /// The source of an argument.
    pub fn arg_range(&self, file: FileId, call: u32, at: usize) -> Option<Range> {
        self.facts(file).flow.args(call).get(at).copied()
    }

    /// The string that a value certainly is.
    pub fn string(&self, file: FileId, value: ValueId) -> Option<&str> {
        if let Some(Value::Text(name)) = self.facts(file).value(value) {
            return Some(self.facts(file).name(name));
        }
        let mut texts = self.linked.denotes(file, value).iter().filter_map(|&place| {
            match self.linked.place(place)? {
                Place::Text(name) => Some(self.linked.name(name)),
                _ => None,
            }
        });
        texts.next().filter(|_| texts.next().is_none())
    }

    /// The functions that a value may be.
    pub fn functions(&self, file: FileId, value: ValueId) -> Vec<FunctionId> {
        let places = self.linked.denotes(file, value).iter();
        places
            .filter_map(|&place| match self.linked.place(place)? {
                Place::Function(file, function) => Some((file, function)),
                _ => None,
            })
            .collect()
    }

    /// The constructors that `new` of the value may run.
    pub fn constructors(&self, file: FileId, value: ValueId) -> Vec<FunctionId> {
        let places = self.linked.denotes(file, value).iter();
        places
            .filter_map(|&place| match self.linked.place(place)? {
                Place::Function(file, function) => Some((file, function)),
                Place::Class(file, class) => {
                    let constructor = self.facts(file).classes.get(class as usize)?.constructor;
                    (constructor != NONE).then_some((file, constructor))
                }
                _ => None,
            })
            .collect()
    }

    /// The assignments to a place.
    pub fn assigns_of(&self, place: PlaceId) -> impl Iterator<Item = (FileId, &Assign)> {
        let list = self.assigned.get(&place).map_or(&[][..], Vec::as_slice);
        list.iter()
            .filter_map(|&(file, at)| Some((file, self.facts(file).assigns.get(at as usize)?)))
    }

    /// The name of a parameter, where it is a plain variable.
    pub fn param_name(&self, file: FileId, function: u32, index: u32) -> Option<&str> {
        let facts = self.facts(file);
        let symbol = self.params.get(&(file, function, index))?;
        Some(facts.name(facts.symbols.get(*symbol as usize)?.name))
    }

    /// The variable is a parameter, or a part of one.
    pub fn is_param(&self, file: FileId, symbol: u32) -> bool {
        let Some(place) = self.linked.find(Place::Symbol(file, symbol)) else { return false };
        self.assigns_of(place).any(|(file, assign)| {
            let facts = self.facts(file);
            match facts.value(assign.value) {
                Some(Value::Param { .. }) => true,
                Some(Value::Member { object, .. }) => {
                    matches!(facts.value(object), Some(Value::Param { .. }))
                }
                _ => false,
            }
        })
    }

    /// What packages call a place: `express`, `winston.createLogger`, `process.env`.
    pub fn foreign(&self, place: PlaceId) -> Option<String> {
        let mut keys = Vec::new();
        let mut place = place;
        for _ in 0..MAX_STEPS {
            let root = match self.linked.place(place)? {
                Place::Member(object, key) => {
                    let name = self.linked.name(key);
                    if name != "default" {
                        keys.push(name.to_owned());
                    }
                    place = object;
                    continue;
                }
                Place::Foreign(name) => {
                    let name = self.linked.name(name);
                    if name.starts_with('.') || name.starts_with('/') {
                        return None;
                    }
                    name.trim_start_matches("node:").to_owned()
                }
                Place::Global(name) => self.linked.name(name).to_owned(),
                Place::Exports(file) => self.packages[file as usize].clone()?,
                _ => return None,
            };
            keys.push(root);
            keys.reverse();
            return Some(keys.join("."));
        }
        None
    }

    /// All package names of what a value may denote.
    pub fn foreign_names(&self, file: FileId, value: ValueId) -> Vec<String> {
        self.linked.denotes(file, value).iter().filter_map(|&it| self.foreign(it)).collect()
    }

    /// The calls and constructions whose results a value may be: its own, and those assigned to
    /// what it denotes.
    pub fn makers(&self, file: FileId, value: ValueId) -> Vec<(FileId, u32)> {
        let mut out = Vec::new();
        let mut todo = vec![(file, value)];
        let mut seen: Vec<PlaceId> = Vec::new();
        let mut steps = 0;
        while let Some((file, value)) = todo.pop() {
            steps += 1;
            if steps > MAX_STEPS {
                break;
            }
            match self.facts(file).value(value) {
                Some(Value::Call(call) | Value::New(call)) => out.push((file, call)),
                Some(Value::Either(left, right)) => todo.extend([(file, left), (file, right)]),
                Some(_) => {
                    for &place in self.linked.denotes(file, value) {
                        if seen.contains(&place) {
                            continue;
                        }
                        seen.push(place);
                        todo.extend(self.assigns_of(place).map(|(file, it)| (file, it.value)));
                    }
                }
                None => {}
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The package names of the functions that made a value.
    pub fn made_from(&self, file: FileId, value: ValueId) -> Vec<String> {
        let mut out = Vec::new();
        for (file, call) in self.makers(file, value) {
            let Some(call) = self.facts(file).calls.get(call as usize) else { continue };
            out.extend(self.foreign_names(file, call.callee));
        }
        out
    }

    /// Two values may be the same thing.
    pub fn same(&self, a: (FileId, ValueId), b: (FileId, ValueId)) -> bool {
        let other = self.linked.denotes(b.0, b.1);
        self.linked.denotes(a.0, a.1).iter().any(|place| other.contains(place))
    }

    /// The assignment adds to what it replaces: `list = [...list, x]`.
    pub fn grows_itself(&self, file: FileId, assign: &Assign) -> bool {
        let targets = self.targets(file, assign.target);
        ingredients(self.facts(file), assign.value)
            .iter()
            .any(|&it| self.linked.denotes(file, it).iter().any(|it| targets.contains(it)))
    }

    /// Where the last link of a call stands.
    pub fn anchor(&self, file: FileId, call: &Call) -> u32 {
        anchor(self.loaded(file), call)
    }

    /// The function's own name.
    pub fn function_name(&self, (file, function): FunctionId) -> Option<String> {
        let facts = self.facts(file);
        let item = facts.functions.get(function as usize)?;
        if item.name == NONE {
            return None;
        }
        let name = facts.name(item.name);
        Some(match item.owner_name {
            NONE => name.to_owned(),
            owner => format!("{}.{name}", facts.name(owner)),
        })
    }

    /// A function as the subject of a sentence: by its name, or by the nearest one around it.
    pub fn function_words(&self, (file, function): FunctionId) -> String {
        if let Some(name) = self.function_name((file, function)) {
            return format!("`{name}`");
        }
        let facts = self.facts(file);
        let mut at = facts.functions.get(function as usize).map_or(NONE, |it| it.parent);
        while let Some(item) = facts.functions.get(at as usize) {
            if let Some(name) = self.function_name((file, at)) {
                return format!("The function inside `{name}`");
            }
            at = item.parent;
        }
        "This function".to_owned()
    }

    /// `file.js:12`
    pub fn place_words(&self, file: FileId, offset: u32) -> String {
        let loaded = self.loaded(file);
        let name = loaded.path.file_name().unwrap_or_default().to_string_lossy();
        format!("{name}:{}", loaded.lines.position(&loaded.text, offset).0)
    }
}

/// What a new collection is made from: `[...a, x]`, `a.concat(x)`, `{ ...o, [k]: v }`.
pub(super) fn ingredients(facts: &FileFacts, value: ValueId) -> Vec<ValueId> {
    match facts.value(value) {
        Some(Value::Array { parts }) => facts.parts(parts).to_vec(),
        Some(Value::Object(object)) => {
            facts.objects.get(object as usize).map(|it| it.spreads.clone()).unwrap_or_default()
        }
        Some(Value::Call(call)) => {
            let Some(call) = facts.calls.get(call as usize) else { return Vec::new() };
            match facts.callee_name(call) {
                Some("concat") => facts.callee_object(call).into_iter().collect(),
                Some("assign") => facts.parts(call.args).to_vec(),
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

/// The calls that the source spells; injected instances are none.
fn spelled(facts: &FileFacts) -> impl Iterator<Item = (u32, &Call)> {
    let calls = facts.calls.iter().enumerate().filter(|(_, it)| it.range.len() > 0);
    calls.map(|(id, call)| (id as u32, call))
}

/// The installed package that a file belongs to.
fn package_of(file: &Loaded) -> Option<String> {
    let path = file.key.to_string_lossy();
    let (_, inside) = path.rsplit_once("/node_modules/")?;
    let mut parts = inside.split('/');
    let first = parts.next()?;
    let scoped = first.starts_with('@');
    Some(if scoped { format!("{first}/{}", parts.next()?) } else { first.to_owned() })
}
