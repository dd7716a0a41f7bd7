//! Which places a value may denote, over several files at once.
//!
//! A points-to analysis by inclusion constraints, after Andersen, "Program Analysis and
//! Specialization for the C Programming Language" (1994), §4: each place holds the union of what
//! is assigned to it, each value denotes the places that its parts lead to. Unlike the original
//! the sets hold names as well (variable, property, export), because the question is "is this
//! expression another name for that collection", and allocation sites would make all collections
//! of one factory the same.
//!
//! Solved by whole passes until nothing changes, at most [`MAX_PASSES`]; sets stop growing at
//! [`MAX_SET`] and property paths at [`MAX_PATH`], so the cost is linear in the values. A bound
//! that is reached loses aliases, never correctness of a line that is shown with its own text.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{FileFacts, NONE, This, Value, ValueId};
use crate::files::Loaded;
use crate::modules;

/// Each pass carries an alias across one more chain of files; deeper re-exports are rare.
const MAX_PASSES: usize = 10;
/// Places per set.
const MAX_SET: usize = 24;
/// Properties in a row: `a.b.c.d`.
const MAX_PATH: u8 = 5;

/// The name under which a collection's place has all that is in it, whatever it is kept under.
const ELEMENT: &str = "[]";

pub(crate) type PlaceId = u32;
pub(crate) type FileId = u32;

/// Something that can hold or be a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Symbol(FileId, u32),
    Param(FileId, u32, u32),
    Exports(FileId),
    /// A module that is no file at hand (built in, not installed); by name.
    Foreign(u32),
    Global(u32),
    Function(FileId, u32),
    Class(FileId, u32),
    /// Any instance of a class.
    Instance(FileId, u32),
    /// Any object made by `new` of a plain function.
    Made(FileId, u32),
    Object(FileId, u32),
    Text(u32),
    Member(PlaceId, u32),
}

/// The files at hand and the relation over them.
pub(crate) struct Linked {
    pub files: Vec<Arc<Loaded>>,
    names: Names,
    places: Vec<Place>,
    depths: Vec<u8>,
    index: FxHashMap<Place, PlaceId>,
    contents: Vec<Set>,
    /// Per file, per value.
    denotes: Vec<Vec<Set>>,
    /// Per file, per value: its place, of those that are one; looked up once, not in each pass.
    leaves: Vec<Vec<PlaceId>>,
    /// Per file: its names in the shared table.
    local_names: Vec<Vec<u32>>,
    /// Per file: what each module name leads to.
    imports: Vec<FxHashMap<u32, FileId>>,
    /// Per file: the function that each variable names, for constructor functions.
    named_functions: Vec<FxHashMap<u32, u32>>,
    /// [`ELEMENT`] in the shared table.
    element: u32,
    changed: bool,
}

type Set = Vec<PlaceId>;

#[derive(Debug, Default)]
struct Names {
    list: Vec<Box<str>>,
    index: FxHashMap<Box<str>, u32>,
}

impl Names {
    fn intern(&mut self, name: &str) -> u32 {
        if let Some(&id) = self.index.get(name) {
            return id;
        }
        let id = self.list.len() as u32;
        self.list.push(name.into());
        self.index.insert(name.into(), id);
        id
    }
}

impl Linked {
    /// Links the files.
    pub fn new(files: Vec<Arc<Loaded>>) -> Linked {
        let mut linked = Linked {
            names: Names::default(),
            places: Vec::new(),
            depths: Vec::new(),
            index: FxHashMap::default(),
            contents: Vec::new(),
            denotes: files.iter().map(|it| vec![Set::new(); it.facts().values.len()]).collect(),
            leaves: files.iter().map(|it| vec![NONE; it.facts().values.len()]).collect(),
            local_names: Vec::new(),
            imports: Vec::new(),
            named_functions: Vec::new(),
            element: NONE,
            changed: true,
            files,
        };
        linked.prepare();
        let files = linked.files.clone();
        for _ in 0..MAX_PASSES {
            if !linked.changed {
                break;
            }
            linked.changed = false;
            for (file, loaded) in files.iter().enumerate() {
                linked.pass(file as FileId, loaded.facts());
            }
        }
        linked
    }

    fn prepare(&mut self) {
        self.element = self.names.intern(ELEMENT);
        let by_key: FxHashMap<_, _> =
            self.files.iter().enumerate().map(|(id, file)| (file.key.clone(), id as u32)).collect();
        for file in self.files.clone() {
            let facts = file.facts();
            let names = facts.names.iter().map(|name| self.names.intern(name)).collect();
            self.local_names.push(names);
            let mut imports = FxHashMap::default();
            for value in &facts.values {
                if let Value::Module(source) = *value
                    && !imports.contains_key(&source)
                    && let Some(path) = modules::resolve(&file.path, facts.name(source))
                {
                    let key = std::fs::canonicalize(&path).unwrap_or(path);
                    if let Some(&target) = by_key.get(&key) {
                        imports.insert(source, target);
                    }
                }
            }
            self.imports.push(imports);
            let mut named = FxHashMap::default();
            for assign in &facts.assigns {
                if let (Some(Value::Symbol(symbol)), Some(Value::Function(function))) =
                    (facts.value(assign.target), facts.value(assign.value))
                {
                    named.insert(symbol, function);
                }
            }
            self.named_functions.push(named);
        }
    }

    /// The places that a value may denote.
    pub fn denotes(&self, file: FileId, value: ValueId) -> &[PlaceId] {
        let set = self.denotes.get(file as usize).and_then(|sets| sets.get(value as usize));
        set.map_or(&[], Vec::as_slice)
    }

    pub fn place(&self, id: PlaceId) -> Option<Place> {
        self.places.get(id as usize).copied()
    }

    pub fn find(&self, place: Place) -> Option<PlaceId> {
        self.index.get(&place).copied()
    }

    /// The places that lead into a place: what its values may denote.
    pub fn contents(&self, place: PlaceId) -> &[PlaceId] {
        self.contents.get(place as usize).map_or(&[], Vec::as_slice)
    }

    pub fn name(&self, id: u32) -> &str {
        self.names.list.get(id as usize).map_or("", |name| &**name)
    }

    pub fn name_id(&self, name: &str) -> Option<u32> {
        self.names.index.get(name).copied()
    }

    /// All places, for searches by name.
    pub fn places(&self) -> impl Iterator<Item = (PlaceId, Place)> + '_ {
        self.places.iter().enumerate().map(|(id, &place)| (id as PlaceId, place))
    }

    /// The class or constructor name of a place that stands for instances.
    pub fn instance_name(&self, place: Place) -> Option<&str> {
        match place {
            Place::Instance(file, class) => {
                let facts = self.files.get(file as usize)?.facts();
                Some(facts.name(facts.classes.get(class as usize)?.name))
            }
            Place::Made(file, function) => {
                let facts = self.files.get(file as usize)?.facts();
                Some(facts.name(facts.functions.get(function as usize)?.name))
            }
            _ => None,
        }
    }

    fn intern(&mut self, place: Place) -> Option<PlaceId> {
        if let Some(&id) = self.index.get(&place) {
            return Some(id);
        }
        let depth = match place {
            Place::Member(object, _) => self.depths.get(object as usize)? + 1,
            _ => 0,
        };
        if depth > MAX_PATH {
            return None;
        }
        let id = self.places.len() as PlaceId;
        self.places.push(place);
        self.depths.push(depth);
        self.contents.push(Set::new());
        self.index.insert(place, id);
        self.changed = true;
        Some(id)
    }

    /// The place of a value that is one by itself.
    fn leaf(&mut self, file: FileId, id: usize, value: Value) -> Option<PlaceId> {
        let known = self.leaves[file as usize][id];
        if known != NONE {
            return Some(known);
        }
        let place = match value {
            Value::Symbol(symbol) => Place::Symbol(file, symbol),
            Value::Global(name) => Place::Global(self.local_name(file, name)),
            Value::Exports => Place::Exports(file),
            Value::Function(function) => Place::Function(file, function),
            Value::Class(class) => Place::Class(file, class),
            Value::Object(object) => Place::Object(file, object),
            Value::Param { function, index } => Place::Param(file, function, index),
            Value::Text(name) => Place::Text(self.local_name(file, name)),
            _ => return None,
        };
        let place = self.intern(place)?;
        self.leaves[file as usize][id] = place;
        Some(place)
    }

    /// A place and what it holds.
    fn add_place(&mut self, out: &mut Set, place: Place) {
        if let Some(id) = self.intern(place) {
            self.add(out, id);
        }
    }

    fn add(&self, out: &mut Set, id: PlaceId) {
        insert(out, id);
        for &held in &self.contents[id as usize] {
            insert(out, held);
        }
    }

    fn flow(&mut self, target: PlaceId, set: &[PlaceId]) {
        let contents = &mut self.contents[target as usize];
        for &place in set {
            if place != target && insert(contents, place) {
                self.changed = true;
            }
        }
    }

    fn pass(&mut self, file: FileId, facts: &FileFacts) {
        let mut set = Set::new();
        for (id, &value) in facts.values.iter().enumerate() {
            set.clear();
            match self.leaf(file, id, value) {
                Some(place) => self.add(&mut set, place),
                None => self.evaluate(file, facts, value, &mut set),
            }
            let known = &mut self.denotes[file as usize][id];
            if *known != set {
                // Sets only grow from pass to pass, up to their bound.
                for &place in &set {
                    if insert(known, place) {
                        self.changed = true;
                    }
                }
            }
        }
        for assign in &facts.assigns {
            if assign.value == NONE {
                continue;
            }
            let value = self.denotes(file, assign.value).to_vec();
            if value.is_empty() {
                continue;
            }
            for target in self.targets(file, facts, assign.target) {
                self.flow(target, &value);
            }
        }
    }

    /// The places that an assignment to the value writes.
    fn targets(&mut self, file: FileId, facts: &FileFacts, target: ValueId) -> Vec<PlaceId> {
        let place = match facts.value(target) {
            Some(Value::Symbol(symbol)) => Place::Symbol(file, symbol),
            Some(Value::Global(name)) => Place::Global(self.local_name(file, name)),
            Some(Value::Exports) => Place::Exports(file),
            Some(Value::Object(object)) => Place::Object(file, object),
            Some(Value::Member { object, key }) => {
                let key = self.key(file, key);
                let objects = self.denotes(file, object).to_vec();
                return objects.into_iter().filter_map(|it| self.member(it, key)).collect();
            }
            _ => return Vec::new(),
        };
        self.intern(place).into_iter().collect()
    }

    /// A property's name in the shared table; of a computed one, the name for all of them.
    fn key(&self, file: FileId, key: u32) -> u32 {
        if key == NONE { self.element } else { self.local_name(file, key) }
    }

    /// What is in the collections that the places stand for.
    pub fn elements(&self, places: &FxHashSet<PlaceId>) -> Vec<PlaceId> {
        let elements = places.iter().filter_map(|&it| self.find(Place::Member(it, self.element)));
        let mut out: Vec<PlaceId> = elements.collect();
        out.sort_unstable();
        out
    }

    fn local_name(&self, file: FileId, name: u32) -> u32 {
        self.local_names
            .get(file as usize)
            .and_then(|names| names.get(name as usize))
            .copied()
            .unwrap_or(NONE)
    }

    /// The place of `object.key`.
    fn member(&mut self, object: PlaceId, key: u32) -> Option<PlaceId> {
        if let Some(Place::Global(name)) = self.place(object)
            && matches!(self.name(name), "global" | "globalThis" | "window" | "self")
        {
            return self.intern(Place::Global(key));
        }
        if matches!(self.place(object)?, Place::Text(_)) {
            return None;
        }
        self.intern(Place::Member(object, key))
    }

    fn evaluate(&mut self, file: FileId, facts: &FileFacts, value: Value, out: &mut Set) {
        match value {
            Value::This(function) => self.this(file, facts, function, out),
            Value::Instance(class) => self.instance(file, facts, class, out),
            Value::Module(source) => {
                let place = match self.imports[file as usize].get(&source) {
                    Some(&target) => Place::Exports(target),
                    None => Place::Foreign(self.local_name(file, source)),
                };
                self.add_place(out, place);
            }
            Value::Either(left, right) => {
                for side in [left, right] {
                    for at in 0..self.denotes(file, side).len() {
                        let place = self.denotes(file, side)[at];
                        insert(out, place);
                    }
                }
            }
            Value::Member { object, key } => {
                let key = self.key(file, key);
                for at in 0..self.denotes(file, object).len() {
                    let object = self.denotes(file, object)[at];
                    if let Some(member) = self.member(object, key)
                        && let Some(place) = self.place(member)
                    {
                        self.add_place(out, place);
                    }
                }
            }
            Value::Call(call) => self.call(file, facts, call, out),
            Value::New(call) => self.construct(file, facts, call, out),
            // Places by themselves ([`Linked::leaf`]), and what denotes nothing.
            _ => {}
        }
    }

    fn this(&mut self, file: FileId, facts: &FileFacts, function: u32, out: &mut Set) {
        let kind = facts.functions.get(function as usize).map(|function| function.this);
        match kind {
            // `this` at the top of a CommonJS file.
            None => self.add_place(out, Place::Exports(file)),
            Some(This::Instance(class)) => self.instance(file, facts, class, out),
            Some(This::Static(class)) => self.add_place(out, Place::Class(file, class)),
            Some(This::Object(object)) => self.add_place(out, Place::Object(file, object)),
            Some(This::Prototype(symbol)) => {
                if let Some(&made_by) = self.named_functions[file as usize].get(&symbol) {
                    self.add_place(out, Place::Made(file, made_by));
                }
            }
            Some(This::Own | This::Outer) => self.add_place(out, Place::Made(file, function)),
        }
    }

    /// An instance of the class is one of its ancestors' as well: their methods see it.
    fn instance(&mut self, file: FileId, facts: &FileFacts, class: u32, out: &mut Set) {
        self.add_place(out, Place::Instance(file, class));
        let mut inherited = Set::new();
        let heritage = facts.classes.get(class as usize).map_or(NONE, |class| class.heritage);
        for at in 0..self.denotes(file, heritage).len() {
            let place = self.denotes(file, heritage)[at];
            if let Some(Place::Class(file, class)) = self.place(place) {
                self.add_place(out, Place::Instance(file, class));
                inherited.extend(self.find(Place::Instance(file, class)));
            }
        }
        // What an ancestor's instances hold carries on to the next generation by this flow.
        if let Some(own) = self.find(Place::Instance(file, class)) {
            self.flow(own, &inherited);
        }
    }

    fn call(&mut self, file: FileId, facts: &FileFacts, call: u32, out: &mut Set) {
        let Some(item) = facts.calls.get(call as usize) else { return };
        let args = facts.parts(item.args).to_vec();
        let mut known = false;
        for at in 0..self.denotes(file, item.callee).len() {
            let callee = self.denotes(file, item.callee)[at];
            if let Some(Place::Function(target, function)) = self.place(callee) {
                known = true;
                self.pass_arguments(file, &args, target, function);
                self.returned(target, function, out);
            }
        }
        if known {
            return;
        }
        if let Some(Value::Member { object, key }) = facts.value(item.callee)
            && key != NONE
            && matches!(facts.name(key), "bind" | "freeze" | "seal")
        {
            // `f.bind(x)` is still f; `Object.freeze(o)` is still o.
            let same = if facts.name(key) == "bind" { object } else { first(&args) };
            for &place in &self.denotes(file, same).to_vec() {
                insert(out, place);
            }
            return;
        }
        if let Some(Value::Member { object, key }) = facts.value(item.callee)
            && key != NONE
        {
            self.element_call(file, object, facts.name(key), &args, out);
        }
        // A function that goes through a wrapper we cannot see (`once(f)`, `debounce(f)`,
        // `AsyncResource.bind(f)`) is taken to come out of it.
        for &arg in &args {
            for at in 0..self.denotes(file, arg).len() {
                let place = self.denotes(file, arg)[at];
                if matches!(self.place(place), Some(Place::Function(..))) {
                    insert(out, place);
                }
            }
        }
    }

    /// Methods of collections: what goes in is an element, and what comes out is.
    fn element_call(
        &mut self,
        file: FileId,
        object: ValueId,
        name: &str,
        args: &[ValueId],
        out: &mut Set,
    ) {
        let added = match name {
            "set" => args.get(1),
            "add" | "push" | "unshift" => args.first(),
            "get" | "at" | "find" | "pop" | "shift" => None,
            _ => return,
        };
        let held = added.map_or_else(Set::new, |&it| self.denotes(file, it).to_vec());
        if added.is_some() && held.is_empty() {
            return;
        }
        for at in 0..self.denotes(file, object).len() {
            let object = self.denotes(file, object)[at];
            let Some(element) = self.member(object, self.element) else { continue };
            if added.is_some() {
                self.flow(element, &held);
            } else {
                self.add(out, element);
            }
        }
    }

    /// What a call gives: what the function returns, less the variables that each call makes anew.
    fn returned(&mut self, file: FileId, function: u32, out: &mut Set) {
        let loaded = Arc::clone(&self.files[file as usize]);
        let facts = loaded.facts();
        let Some(item) = facts.functions.get(function as usize) else { return };
        for &value in &item.returns {
            for at in 0..self.denotes(file, value).len() {
                let place = self.denotes(file, value)[at];
                let local = match self.place(place) {
                    Some(Place::Symbol(owner, symbol)) => {
                        owner == file
                            && facts.symbols.get(symbol as usize).is_some_and(|symbol| {
                                symbol.scope.start >= item.range.start
                                    && symbol.scope.end <= item.range.end
                            })
                    }
                    _ => false,
                };
                if !local {
                    insert(out, place);
                }
            }
        }
    }

    fn pass_arguments(&mut self, file: FileId, args: &[ValueId], target: FileId, function: u32) {
        for (index, &arg) in args.iter().enumerate() {
            let set = self.denotes(file, arg).to_vec();
            if !set.is_empty()
                && let Some(param) = self.intern(Place::Param(target, function, index as u32))
            {
                self.flow(param, &set);
            }
        }
    }

    fn construct(&mut self, file: FileId, facts: &FileFacts, call: u32, out: &mut Set) {
        let Some(item) = facts.calls.get(call as usize) else { return };
        let args = facts.parts(item.args).to_vec();
        for callee in self.denotes(file, item.callee).to_vec() {
            match self.place(callee) {
                Some(Place::Class(target, class)) => {
                    let loaded = Arc::clone(&self.files[target as usize]);
                    self.instance(target, loaded.facts(), class, out);
                    if let Some(class) = loaded.facts().classes.get(class as usize)
                        && class.constructor != NONE
                    {
                        self.pass_arguments(file, &args, target, class.constructor);
                    }
                }
                Some(Place::Function(target, function)) => {
                    self.add_place(out, Place::Made(target, function));
                    self.pass_arguments(file, &args, target, function);
                }
                _ => {}
            }
        }
    }

    /// A set of places closed under "holds", for comparing with [`Linked::denotes`].
    pub fn closure(&self, seeds: impl IntoIterator<Item = PlaceId>) -> FxHashSet<PlaceId> {
        let mut out: FxHashSet<PlaceId> = FxHashSet::default();
        let mut todo: Vec<PlaceId> = seeds.into_iter().collect();
        while let Some(place) = todo.pop() {
            if out.insert(place) {
                todo.extend(self.contents(place));
            }
        }
        out
    }
}

fn first(args: &[ValueId]) -> ValueId {
    args.first().copied().unwrap_or(NONE)
}

/// Adds to a small set; false if it was there or the set is full.
fn insert(set: &mut Set, place: PlaceId) -> bool {
    if set.len() >= MAX_SET || set.contains(&place) {
        return false;
    }
    set.push(place);
    true
}
