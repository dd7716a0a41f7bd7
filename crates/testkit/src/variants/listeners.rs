//! Family A: a listener is registered per request on something that outlives the request.

use super::parts::{
    Entry, Step, bounded_cache, entry_text, healthy_process_listeners, start_up_table,
};
use super::{CULPRIT, Dialect, Health, Names, Variant, fill, finish, padding, specifier};
use crate::random::Rng;

/// Events of `process` that a request handler has no business to listen for.
const PROCESS_EVENTS: [&str; 11] = [
    "uncaughtException",
    "warning",
    "unhandledRejection",
    "SIGTERM",
    "SIGHUP",
    "SIGUSR2",
    "exit",
    "beforeExit",
    "rejectionHandled",
    "uncaughtExceptionMonitor",
    "message",
];
const BUS_EVENTS: [&str; 8] = [
    "config:changed",
    "reload",
    "tenant.updated",
    "flush",
    "rates",
    "shutdown",
    "feature-flags",
    "keys_rotated",
];

/// Draws the app of that number. Even numbers leak on `process`, odd ones on a module's own emitter.
pub fn listener_app(number: u64, health: Health) -> Variant {
    let leaks = health == Health::Leaks;
    let rng = &mut Rng::new(0x11_57e4 ^ (number << 8) ^ u64::from(!leaks));
    let names = &mut Names::new();
    let on_process = number.is_multiple_of(2);
    let dialect = if number % 7 == 3 { Dialect::Esm } else { Dialect::CommonJs };
    let ext = dialect.extension();
    let event = if on_process { rng.pick(&PROCESS_EVENTS) } else { rng.pick(&BUS_EVENTS) };
    // Walk through shapes and methods, so that twenty variants hold every one of them.
    let shape = (number / 2) as usize % SHAPES.len();
    let method = ["on", "addListener", "prependListener"][(number / 3) as usize % 3];

    let step_file = format!("{}.{ext}", names.file(rng));
    let mut step_imports = String::new();
    let mut entry_imports = String::new();
    let mut files = Vec::new();
    let entry_file = format!("{}.{ext}", rng.pick(&["main", "index", "app", "server", "start"]));
    let mut start_up = healthy_process_listeners(rng, on_process.then_some(event));

    let emitter = if on_process {
        if rng.percent(30) {
            step_imports += &dialect.import("process", "node:process");
        }
        "process".to_owned()
    } else {
        let bus = Bus::draw(rng, names, dialect);
        let (imports, emitter) = bus.reach(rng, dialect, &step_file);
        step_imports += &imports;
        let (imports, from_entry) = bus.reach(rng, dialect, &entry_file);
        entry_imports += &imports;
        for what in [event, "done", "error"] {
            start_up += &fill(
                "@bus@.on('@event@', () => {\n  counters.seen += 1;\n});\n",
                &[("bus", &from_entry), ("event", what)],
            );
        }
        files.push((bus.file.clone(), bus.text.clone()));
        emitter
    };

    let function = names.function(rng);
    let values = [
        ("emitter", emitter.as_str()),
        ("event", event),
        ("method", method),
        ("function", &function),
    ];
    let (helpers, register) = SHAPES[shape].draw(rng, names);
    let fix = if leaks { "" } else { rng.pick(&["once", "removed"]) };
    let (body, extra_start) = match fix {
        "" => (register, String::new()),
        // Registered and taken off again with the response.
        "removed" => (REMOVED.to_owned(), String::new()),
        // Registered when the module is loaded.
        _ => (String::new(), ONCE.to_owned()),
    };
    let mut text = [dialect.head(), &step_imports, "\n", &padding(rng, names)].concat();
    if leaks && rng.percent(50) {
        // Healthy code right beside the culprit that reads just like it.
        text += &fill(BESIDE, &values);
        text += "\n";
    }
    text += &fill(&helpers, &values);
    text += &fill(&extra_start, &values);
    text += &padding(rng, names);
    let scope = rng.pick(&[
        "  const scope = { requestId, url: req.url, startedAt: Date.now(), trail: new Array(12).fill(requestId) };\n",
        "  const scope = { requestId, headers: { ...req.headers }, startedAt: process.hrtime.bigint() };\n",
        "  const scope = { requestId, note: `${req.method} ${req.url} `.repeat(8), status: () => res.statusCode };\n",
    ]);
    text += &fill("function @function@(req, res, requestId) {\n", &values);
    text += scope;
    if leaks && text.contains("besideOnly(") {
        text += "  besideOnly(res, scope);\n";
    }
    text += &fill(&body, &values);
    text += "  res.on('close', () => {\n    scope.closed = true;\n  });\n  return scope.requestId;\n}\n\n";
    text += &dialect.export(&function);

    let cache = bounded_cache(rng, names, dialect);
    let table = start_up_table(rng, names, dialect);
    if rng.percent(30) {
        start_up = format!("process.setMaxListeners(0);\n{start_up}");
    }
    let step = Step { file: step_file.clone(), function };
    let outline = Entry { file: entry_file, imports: entry_imports, start_up };
    let main = entry_text(rng, names, dialect, &outline, &step, [&cache, &table]);
    files.insert(0, (outline.file, main));
    files.extend([(step_file, text), (cache.file, cache.text), (table.file, table.text)]);
    let traits = format!(
        "{} {event} {} {ext}",
        if on_process { "process" } else { "bus" },
        if leaks { format!("{method}/{}", SHAPES[shape].name) } else { fix.to_owned() },
    );
    let kind = if leaks { "listener" } else { "listener-fixed" };
    finish(format!("{kind}-{number:02}"), traits, "event-listener", files, "/work?n={n}".to_owned())
}

/// A long-lived emitter in a module of its own.
struct Bus {
    file: String,
    text: String,
    name: String,
    named: bool,
}

impl Bus {
    fn draw(rng: &mut Rng, names: &mut Names, dialect: Dialect) -> Self {
        let file = format!("{}.{}", names.file(rng), dialect.extension());
        let (name, class) = (names.value(rng), names.class(rng));
        let named = rng.percent(50);
        let mut text = dialect.head().to_owned();
        text += &dialect.import_named("EventEmitter", "EventEmitter", "node:events");
        text += "\n";
        text += &padding(rng, names);
        let make = if rng.percent(50) {
            "class @class@ extends EventEmitter {\n  announce(event, ...rest) {\n    return this.emit(event, \
             ...rest);\n  }\n}\n\nconst @name@ = new @class@();\n"
        } else {
            "const @name@ = new EventEmitter();\n"
        };
        text += &fill(make, &[("class", &class), ("name", &name)]);
        if rng.percent(60) {
            text += &fill("@name@.setMaxListeners(0);\n", &[("name", &name)]);
        }
        text += "\n";
        text += &if named { dialect.export_named(&[&name]) } else { dialect.export(&name) };
        Self { file, text, name, named }
    }

    /// The imports by which another file gets it, and the expression that then names it.
    fn reach(&self, rng: &mut Rng, dialect: Dialect, from: &str) -> (String, String) {
        let from = specifier(from, &self.file);
        if !self.named {
            let local = if rng.percent(50) { self.name.as_str() } else { "events" };
            return (dialect.import(local, &from), local.to_owned());
        }
        match (rng.below(3), dialect) {
            (0, _) => (dialect.import_named(&self.name, &self.name, &from), self.name.clone()),
            (1, Dialect::CommonJs) => {
                (dialect.import("shared", &from), format!("shared.{}", self.name))
            }
            _ => (dialect.import_named(&self.name, "bus", &from), "bus".to_owned()),
        }
    }
}

/// How the leaking listener is written.
struct Shape {
    name: &'static str,
    /// Code before the handler.
    helpers: &'static str,
    /// Code inside the handler; the mark stands in the registering statement's first line.
    register: &'static str,
}

impl Shape {
    fn draw(&self, rng: &mut Rng, names: &mut Names) -> (String, String) {
        let (class, listener) = (names.class(rng), names.function(rng));
        let values = [("class", class.as_str()), ("listener", &listener), ("mark", CULPRIT)];
        (fill(self.helpers, &values), fill(self.register, &values))
    }
}

const SHAPES: [Shape; 7] = [
    Shape {
        name: "arrow",
        helpers: "",
        register: "  @mark@@emitter@.@method@('@event@', (what) => {\n    console.error(scope.requestId, what);\n  });\n",
    },
    Shape {
        name: "function",
        helpers: "",
        register: "  @mark@@emitter@.@method@('@event@', function @listener@(what) {\n    console.error(scope.requestId, \
                   what, res.statusCode);\n  });\n",
    },
    Shape {
        name: "declared",
        helpers: "",
        register: "  function @listener@(what) {\n    console.error(scope.requestId, what);\n  }\n\n  \
                   scope.listening = true;\n  @mark@@emitter@.@method@('@event@', @listener@);\n",
    },
    Shape {
        name: "bound",
        helpers: "class @class@ {\n  constructor(requestId, scope) {\n    this.requestId = requestId;\n    this.scope = \
                  scope;\n  }\n\n  @listener@(what) {\n    console.error(this.requestId, this.scope, what);\n  \
                  }\n}\n\n",
        register: "  const handlerOf = new @class@(requestId, scope);\n  @mark@@emitter@.@method@('@event@', \
                   handlerOf.@listener@.bind(handlerOf));\n",
    },
    Shape {
        name: "spread-lines",
        helpers: "",
        register: "  @mark@@emitter@.@method@(\n    '@event@',\n    (what) => {\n      console.error(scope.requestId, \
                   what);\n    },\n  );\n",
    },
    Shape {
        name: "const",
        helpers: "",
        register: "  const @listener@ = (what) => console.error(scope.requestId, what);\n  \
                   @mark@@emitter@.@method@('@event@', @listener@);\n",
    },
    Shape {
        name: "constructor",
        helpers: "class @class@ {\n  constructor(scope) {\n    this.scope = scope;\n    \
                  @mark@@emitter@.@method@('@event@', () => {\n      this.scope.ended = true;\n    });\n  }\n}\n\n",
        register: "  scope.guard = new @class@(scope).constructor.name;\n",
    },
];

const REMOVED: &str = "  const whenGone = (what) => console.error(scope.requestId, what);\n  \
                       @emitter@.@method@('@event@', whenGone);\n  res.once('close', () => {\n    \
                       @emitter@.removeListener('@event@', whenGone);\n  });\n";

const ONCE: &str =
    "@emitter@.@method@('@event@', (what) => {\n  console.error('@event@', what);\n});\n\n";

/// Same emitter, same event, added and removed with every request.
const BESIDE: &str = "function besideOnly(res, scope) {\n  const onEnd = () => {\n    scope.ended = true;\n  };\n  \
                      @emitter@.on('@event@', onEnd);\n  res.once('close', () => @emitter@.off('@event@', \
                      onEnd));\n}\n";
