//! Which functions run again and again while the service runs, and why.
//!
//! Entry points (`entry`) are handlers of requests, connections, messages and ticks. What they
//! call, through the points-to relation, runs as often, unless a test lets it run only once. A
//! listener of an event that such a function emits belongs to them as well.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::facts::{Call, NONE, Value};
use crate::link::FileId;

use super::entry;
use super::world::{FunctionId, World};

/// How often a function runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Every {
    Request,
    Connection,
    Message,
    Event(String),
    Tick,
}

impl Every {
    /// `with every request`
    pub fn words(&self) -> String {
        match self {
            Every::Request => "with every request".to_owned(),
            Every::Connection => "with every connection".to_owned(),
            Every::Message => "with every message".to_owned(),
            Every::Event(name) => format!("with every '{name}' event"),
            Every::Tick => "with every tick of a timer".to_owned(),
        }
    }

    /// `request`
    pub fn unit(&self) -> &'static str {
        match self {
            Every::Request => "request",
            Every::Connection => "connection",
            Every::Message => "message",
            Every::Event(_) => "event",
            Every::Tick => "tick",
        }
    }
}

/// Why a function runs again and again.
#[derive(Debug, Clone)]
pub(super) struct Reason {
    pub every: Every,
    /// The call that makes it run, and the function around that; `None` for an entry point.
    pub caller: Option<(FileId, u32, u32)>,
}

/// The functions that run again and again.
pub(super) struct Hot {
    functions: FxHashMap<FunctionId, Reason>,
}

impl Hot {
    /// Finds the entry points and follows what they call.
    pub fn new(world: &World) -> Hot {
        let mut hot = Hot { functions: FxHashMap::default() };
        let mut todo: VecDeque<FunctionId> = VecDeque::new();
        for (function, every) in entry::points(world) {
            hot.add(function, Reason { every, caller: None }, &mut todo);
        }
        let listeners = Listeners::new(world);
        while let Some(function) = todo.pop_front() {
            hot.follow(world, &listeners, function, &mut todo);
        }
        hot
    }

    fn add(&mut self, function: FunctionId, reason: Reason, todo: &mut VecDeque<FunctionId>) {
        if let std::collections::hash_map::Entry::Vacant(slot) = self.functions.entry(function) {
            slot.insert(reason);
            todo.push_back(function);
        }
    }

    fn follow(
        &mut self,
        world: &World,
        listeners: &Listeners<'_>,
        id: FunctionId,
        todo: &mut VecDeque<FunctionId>,
    ) {
        let (file, function) = id;
        let facts = world.facts(file);
        let Some(every) = self.functions.get(&id).map(|it| it.every.clone()) else { return };
        let Some(range) = facts.functions.get(function as usize).map(|it| it.range) else { return };
        for (call, item) in world.calls_in(file, range) {
            let mut called = if world.is_new(file, call) {
                world.constructors(file, item.callee)
            } else {
                world.functions(file, item.callee)
            };
            let name = facts.callee_name(item);
            if matches!(
                name,
                Some("forEach" | "map" | "then" | "setTimeout" | "setImmediate" | "nextTick")
            ) {
                called.extend(world.functions(file, world.arg(file, item, 0)));
            }
            if name == Some("emit") {
                called.extend(listeners.of(world, file, item));
            }
            if called.is_empty() || world.runs_once(file, function, item.range.start, false) {
                continue;
            }
            for target in called {
                let caller = Some((file, call, function));
                self.add(target, Reason { every: every.clone(), caller }, todo);
            }
        }
    }

    /// Why the function, or one around it, runs again and again; with the function it is known of.
    pub fn reason(&self, world: &World, (file, function): FunctionId) -> Option<(u32, &Reason)> {
        let facts = world.facts(file);
        let mut at = function;
        while at != NONE {
            if let Some(reason) = self.functions.get(&(file, at)) {
                return Some((at, reason));
            }
            at = facts.functions.get(at as usize)?.parent;
        }
        None
    }

    /// The same for the code at an offset.
    pub fn at(&self, world: &World, file: FileId, offset: u32) -> Option<(u32, &Reason)> {
        let function = world.facts(file).function_at(offset)?;
        self.reason(world, (file, function))
    }

    /// The functions that servers, queues and timers call.
    pub fn entries(&self) -> impl Iterator<Item = FunctionId> + '_ {
        self.functions.iter().filter(|(_, it)| it.caller.is_none()).map(|(&id, _)| id)
    }

    /// The function is an entry point: what it is handed belongs to one request.
    pub fn is_entry(&self, function: FunctionId) -> bool {
        self.functions.get(&function).is_some_and(|it| it.caller.is_none())
    }
}

/// The calls that add a listener of an event whose name is known, by that name.
struct Listeners<'w> {
    by_event: FxHashMap<&'w str, Vec<(FileId, &'w Call)>>,
}

impl<'w> Listeners<'w> {
    fn new(world: &'w World) -> Listeners<'w> {
        let mut by_event: FxHashMap<&str, Vec<(FileId, &Call)>> = FxHashMap::default();
        for (file, _, call) in world.all_calls() {
            if matches!(world.facts(file).callee_name(call), Some("on" | "addListener"))
                && let Some(event) = world.string(file, world.arg(file, call, 0))
            {
                by_event.entry(event).or_default().push((file, call));
            }
        }
        Listeners { by_event }
    }

    /// The functions that an `emit` runs: listeners of that event of that emitter.
    fn of(&self, world: &World, file: FileId, emit: &Call) -> Vec<FunctionId> {
        let facts = world.facts(file);
        let Some(emitter) = facts.callee_object(emit) else { return Vec::new() };
        let Some(event) = world.string(file, world.arg(file, emit, 0)) else { return Vec::new() };
        // `this` inside an emitter's own class is too many things.
        if !matches!(facts.value(emitter), Some(Value::Symbol(_) | Value::Member { .. })) {
            return Vec::new();
        }
        let mut out = Vec::new();
        for &(other, call) in self.by_event.get(event).into_iter().flatten() {
            if let Some(object) = world.facts(other).callee_object(call)
                && world.same((file, emitter), (other, object))
            {
                out.extend(world.functions(other, world.arg(other, call, 1)));
            }
        }
        out
    }
}
