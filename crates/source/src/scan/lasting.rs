//! What lives as long as the program: the question for every emitter, router and collection.

use rustc_hash::FxHashSet;

use crate::facts::{Call, NONE, This, Value, ValueId};
use crate::link::{FileId, Place, PlaceId};

use super::entry::is_injectable;
use super::hot::Hot;
use super::world::{FunctionId, World};

/// Properties in a row that are looked at.
const MAX_DEPTH: usize = 8;

/// How long a place lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// As long as the program, or as what was set up at its start.
    Lasting,
    /// A request's, or nobody knows.
    Fleeting,
    /// Another name; what it stands for is among the places too.
    Alias,
}

/// Which things last.
pub(super) struct Lives {
    /// Places that code which runs again and again assigns anew.
    replaced: FxHashSet<PlaceId>,
    /// Classes of which one instance is made, at the start.
    singletons: FxHashSet<(FileId, u32)>,
    /// Functions that set something up: they are called at the start, or handlers are written in them.
    set_up: FxHashSet<FunctionId>,
}

impl Lives {
    pub fn new(world: &World, hot: &Hot) -> Lives {
        let mut replaced = FxHashSet::default();
        let mut often: FxHashSet<(FileId, u32)> = FxHashSet::default();
        let mut singletons: FxHashSet<(FileId, u32)> = FxHashSet::default();
        for file in world.files() {
            let facts = world.facts(file);
            for assign in facts.assigns.iter().filter(|it| it.expression) {
                let offset = assign.range.start;
                if let Some((function, _)) = hot.at(world, file, offset)
                    && !world.runs_once(file, function, offset, false)
                    && !world.grows_itself(file, assign)
                {
                    replaced.extend(world.targets(file, assign.target));
                }
            }
            for (class, _) in facts.classes.iter().enumerate() {
                if is_injectable(world, file, class as u32) {
                    singletons.insert((file, class as u32));
                }
            }
        }
        for (file, call, item) in world.all_calls() {
            if !world.is_new(file, call) {
                continue;
            }
            let start = item.range.start;
            let once = match hot.at(world, file, start) {
                Some((function, _)) => world.runs_once(file, function, start, false),
                None => starts_up(world, file, start),
            };
            for &place in world.linked.denotes(file, item.callee) {
                if let Some(Place::Class(owner, class)) = world.linked.place(place) {
                    if once {
                        singletons.insert((owner, class))
                    } else {
                        often.insert((owner, class))
                    };
                }
            }
        }
        singletons.retain(|it| !often.contains(it));
        let set_up = set_up(world, hot);
        Lives { replaced, singletons, set_up }
    }

    fn symbol_life(
        &self,
        world: &World,
        hot: &Hot,
        file: FileId,
        symbol: u32,
        depth: usize,
    ) -> Life {
        let facts = world.facts(file);
        let Some(item) = facts.symbols.get(symbol as usize) else { return Life::Fleeting };
        if item.top_level || item.function == NONE {
            return Life::Lasting;
        }
        if hot.reason(world, (file, item.function)).is_some() {
            return if depth > 0 { Life::Fleeting } else { Life::Alias };
        }
        if world.is_param(file, symbol) {
            return if is_service(facts.name(item.name)) { Life::Lasting } else { Life::Alias };
        }
        // Around the variable stands what sets up, or a call that comes and goes like others.
        let mut at = item.function;
        while let Some(function) = facts.functions.get(at as usize) {
            if self.set_up.contains(&(file, at)) {
                return Life::Lasting;
            }
            if !function.invoked_in_place {
                return Life::Fleeting;
            }
            at = function.parent;
        }
        Life::Lasting
    }

    /// Whether the class has one instance, which lasts.
    pub fn is_singleton(&self, file: FileId, class: u32) -> bool {
        self.singletons.contains(&(file, class))
    }

    /// Whether what a value denotes lasts beyond the function that runs again and again.
    pub fn lasts(&self, world: &World, hot: &Hot, file: FileId, value: ValueId) -> bool {
        let facts = world.facts(file);
        match facts.value(value) {
            // What a call or construction gives is new, unless it hands out something known.
            Some(Value::New(_) | Value::Member { key: NONE, .. }) | None => return false,
            _ => {}
        }
        if application_of_request(world, file, value) {
            return true;
        }
        let mut any = false;
        for &place in world.linked.denotes(file, value) {
            match self.life(world, hot, place) {
                Life::Lasting => any = true,
                Life::Fleeting => return false,
                Life::Alias => {}
            }
        }
        any
    }

    /// Whether a place lasts.
    pub fn place_lasts(&self, world: &World, hot: &Hot, place: PlaceId) -> bool {
        self.life(world, hot, place) == Life::Lasting
    }

    fn life(&self, world: &World, hot: &Hot, place: PlaceId) -> Life {
        let mut place = place;
        for depth in 0..MAX_DEPTH {
            if self.replaced.contains(&place) {
                return Life::Fleeting;
            }
            let Some(item) = world.linked.place(place) else { return Life::Fleeting };
            match item {
                Place::Member(object, _) => place = object,
                Place::Foreign(_) | Place::Exports(_) | Place::Class(..) => return Life::Lasting,
                Place::Global(name) => {
                    let known = matches!(
                        world.linked.name(name),
                        "process" | "global" | "globalThis" | "window" | "document"
                    );
                    return if known { Life::Lasting } else { Life::Fleeting };
                }
                Place::Symbol(file, symbol) => {
                    return self.symbol_life(world, hot, file, symbol, depth);
                }
                Place::Param(file, function, index) => {
                    if hot.reason(world, (file, function)).is_none() {
                        let name = world.param_name(file, function, index).unwrap_or_default();
                        return if is_service(name) { Life::Lasting } else { Life::Alias };
                    }
                    // What an entry point is handed is the request's; other functions' arguments
                    // are among the places themselves.
                    let own = hot.is_entry((file, function));
                    return if own || depth > 0 { Life::Fleeting } else { Life::Alias };
                }
                Place::Instance(file, class) => {
                    let one = self.is_singleton(file, class);
                    return if one { Life::Lasting } else { Life::Fleeting };
                }
                Place::Object(file, object) => {
                    let start = world.object_range(file, object).start;
                    let made_anew = hot.at(world, file, start).is_some();
                    return if made_anew { Life::Fleeting } else { Life::Lasting };
                }
                Place::Function(..) => {
                    return if depth > 0 { Life::Lasting } else { Life::Alias };
                }
                Place::Made(..) => return Life::Fleeting,
                Place::Text(_) => return Life::Alias,
            }
        }
        Life::Fleeting
    }
}

/// Functions that are called at the start, through any number of others, and those that handlers
/// are written in.
fn set_up(world: &World, hot: &Hot) -> FxHashSet<FunctionId> {
    let mut out: FxHashSet<FunctionId> = FxHashSet::default();
    for (file, function) in hot.entries() {
        let facts = world.facts(file);
        let mut at = facts.functions.get(function as usize).map_or(NONE, |it| it.parent);
        while let Some(item) = facts.functions.get(at as usize) {
            out.insert((file, at));
            at = item.parent;
        }
    }
    let mut todo: Vec<FunctionId> = Vec::new();
    let called = |file, call, item: &Call| {
        if world.is_new(file, call) {
            world.constructors(file, item.callee)
        } else {
            world.functions(file, item.callee)
        }
    };
    for (file, call, item) in world.all_calls() {
        if starts_up(world, file, item.range.start) {
            todo.extend(called(file, call, item));
        }
    }
    while let Some((file, function)) = todo.pop() {
        if hot.reason(world, (file, function)).is_some() || !out.insert((file, function)) {
            continue;
        }
        let facts = world.facts(file);
        let Some(range) = facts.functions.get(function as usize).map(|it| it.range) else {
            continue;
        };
        for (call, item) in world.calls_in(file, range) {
            if facts.repeated_function_at(item.range.start) == Some(function) {
                todo.extend(called(file, call, item));
            }
        }
    }
    out
}

/// Parameters of such names are services that somebody hands over at the start.
fn is_service(name: &str) -> bool {
    const NAMES: [&str; 22] = [
        "app",
        "server",
        "fastify",
        "router",
        "io",
        "wss",
        "bus",
        "emitter",
        "events",
        "eventbus",
        "eventemitter",
        "pubsub",
        "client",
        "redis",
        "db",
        "pool",
        "connection",
        "mongoose",
        "queue",
        "process",
        "logger",
        "cluster",
    ];
    let name = name.trim_start_matches('_').to_ascii_lowercase();
    NAMES.contains(&name.as_str())
}

/// `req.app`, `request.server`, `ctx.app`: the application that every request leads to.
fn application_of_request(world: &World, file: FileId, value: ValueId) -> bool {
    let facts = world.facts(file);
    let Some(Value::Member { object, key }) = facts.value(value) else { return false };
    if key == NONE || !matches!(facts.name(key), "app" | "server") {
        return false;
    }
    matches!(
        super::entry::last_name(world, file, object),
        "req" | "request" | "ctx" | "res" | "response" | "reply"
    )
}

/// The code runs when the program starts: at the top of a file, or in a function that is called
/// like one that starts it.
pub(super) fn starts_up(world: &World, file: FileId, offset: u32) -> bool {
    let facts = world.facts(file);
    let Some(function) = facts.repeated_function_at(offset) else { return true };
    let Some(item) = facts.functions.get(function as usize) else { return false };
    if item.name == NONE || matches!(item.this, This::Instance(_) | This::Prototype(_)) {
        return false;
    }
    let name = facts.name(item.name).to_ascii_lowercase();
    ["main", "bootstrap", "start", "init", "setup", "createapp", "createserver", "buildapp", "run"]
        .iter()
        .any(|word| name.starts_with(word))
}
