//! What the heap of any Node process has, in miniature: roots, maps, prototypes, scripts, names.

use std::collections::HashMap;

use super::kinds::{EdgeKind, Kind, Layout};
use super::template::{Drawn, Label, Link, Name, Node, Place, Pool, Text, To};

/// The groups under `(GC roots)`, in V8's order.
const SUBROOTS: [&str; 24] = [
    "(Internalized strings)",
    "(External strings)",
    "(Read-only roots)",
    "(Strong roots)",
    "(Smi roots)",
    "(Bootstrapper)",
    "(Relocatable)",
    "(Debugger)",
    "(Compilation cache)",
    "(Micro tasks)",
    "(Handle scope)",
    "(Builtins)",
    "(Global handles)",
    "(Eternal handles)",
    "(Thread manager)",
    "(Extensions)",
    "(Code flusher)",
    "(Startup object cache)",
    "(Shared heap object cache)",
    "(Weak collections)",
    "(Write barrier)",
    "(Traced handles)",
    "(Unknown)",
    "(Weak roots)",
];

/// Classes that programs have many of; each has a map and a prototype.
pub const CLASSES: [&str; 24] = [
    "Object",
    "Array",
    "Function",
    "Map",
    "Set",
    "WeakMap",
    "Buffer",
    "ArrayBuffer",
    "EventEmitter",
    "IncomingMessage",
    "ServerResponse",
    "ReadableState",
    "WritableState",
    "Socket",
    "Url",
    "Timeout",
    "Promise",
    "Route",
    "Layer",
    "Session",
    "Entry",
    "Payload",
    "List",
    "Date",
];

/// Names that objects' properties and variables have.
const WORDS: [&str; 96] = [
    "_events",
    "_eventsCount",
    "_maxListeners",
    "_readableState",
    "_writableState",
    "socket",
    "httpVersion",
    "complete",
    "rawHeaders",
    "rawTrailers",
    "joinDuplicateHeaders",
    "aborted",
    "upgrade",
    "url",
    "method",
    "statusCode",
    "statusMessage",
    "client",
    "_consuming",
    "_dumped",
    "res",
    "req",
    "next",
    "baseUrl",
    "originalUrl",
    "_parsedUrl",
    "params",
    "route",
    "query",
    "headers",
    "locals",
    "outputData",
    "outputSize",
    "writable",
    "destroyed",
    "_last",
    "chunkedEncoding",
    "shouldKeepAlive",
    "sendDate",
    "_removedConnection",
    "_contentLength",
    "_hasBody",
    "_trailer",
    "finished",
    "_headerSent",
    "_closed",
    "_header",
    "_onPendingData",
    "protocol",
    "slashes",
    "auth",
    "host",
    "port",
    "hostname",
    "hash",
    "search",
    "pathname",
    "path",
    "href",
    "_raw",
    "buffer",
    "pipes",
    "awaitDrainWriters",
    "length",
    "methods",
    "protohost",
    "removed",
    "self",
    "slashAdded",
    "paramcalled",
    "stack",
    "parentParams",
    "parentUrl",
    "done",
    "trimPrefix",
    "env",
    "onerror",
    "startedAt",
    "log",
    "cache",
    "key",
    "value",
    "expires",
    "previous",
    "owner",
    "user",
    "id",
    "tags",
    "listener",
    "handler",
    "config",
    "options",
    "callback",
    "context_id",
    "parent",
    "items",
];

/// How many of each kind of shared things there are: enough that their in-degrees differ, few enough to be a base.
const VALUES: usize = 240;
const SCRIPTS: usize = 24;
const FUNCTIONS: usize = 240;

/// The base under construction, and when done.
#[derive(Clone, Debug)]
pub struct Base {
    pub nodes: Vec<Drawn>,
    pub strings: Vec<String>,
    index: HashMap<String, u32>,
    pub layout: Layout,
    /// The names of the properties, as strings of the table and as nodes.
    pub words: Pool,
    pub word_nodes: Pool,
    /// Names of string values, and such values that many objects share.
    pub values: Pool,
    pub value_nodes: Pool,
    pub undefined: Node,
    pub null: Node,
    /// `true`, `false` and friends.
    pub oddballs: Pool,
    pub empty: Node,
    pub meta_map: Node,
    pub string_map: Node,
    pub cons_map: Node,
    pub array_map: Node,
    pub number_map: Node,
    pub builtin: Node,
    pub module: Node,
    maps: Pool,
    prototypes: Pool,
    functions: Pool,
    cells: Pool,
    scope_infos: Pool,
    pub global: Node,
    pub process_events: Node,
}

impl Base {
    pub fn new(layout: Layout) -> Self {
        let none = Pool { first: 0, count: 0 };
        let mut base = Self {
            nodes: Vec::new(),
            strings: Vec::new(),
            index: HashMap::new(),
            layout,
            words: none,
            word_nodes: none,
            values: none,
            value_nodes: none,
            undefined: Node(0),
            null: Node(0),
            oddballs: none,
            empty: Node(0),
            meta_map: Node(0),
            string_map: Node(0),
            cons_map: Node(0),
            array_map: Node(0),
            number_map: Node(0),
            builtin: Node(0),
            module: Node(0),
            maps: none,
            prototypes: none,
            functions: none,
            cells: none,
            scope_infos: none,
            global: Node(0),
            process_events: Node(0),
        };
        base.text("<dummy>");
        let roots = base.roots();
        base.singletons(roots[3]);
        base.names(roots[0]);
        base.classes(roots[3]);
        base.scripts(roots[11]);
        base.program(roots[12]);
        base
    }

    /// The string's place in the table; it is added when it is new.
    pub fn text(&mut self, text: &str) -> Text {
        if let Some(&at) = self.index.get(text) {
            return Text(at);
        }
        let at = self.strings.len() as u32;
        self.strings.push(text.to_owned());
        self.index.insert(text.to_owned(), at);
        Text(at)
    }

    pub fn node(&mut self, kind: Kind, name: &str, size: u64) -> Node {
        let name = Name::Text(self.text(name));
        self.nodes.push(Drawn::new(kind, name, size));
        Node(self.nodes.len() as u32 - 1)
    }

    pub fn named(&mut self, from: Node, kind: EdgeKind, label: &str, to: Node) {
        let label = Label::Text(self.text(label));
        self.link(from, kind, label, to);
    }

    fn link(&mut self, from: Node, kind: EdgeKind, label: Label, to: Node) {
        self.nodes[from.0 as usize].links.push(Link { kind, label, to: To::Base(to) });
    }

    fn index(&mut self, from: Node, kind: EdgeKind, to: Node) {
        let next = self.nodes[from.0 as usize].links.len() as u32 + 1;
        self.link(from, kind, Label::Index(next), to);
    }

    /// The next node's ordinal, where a pool may begin.
    fn here(&self) -> u32 {
        self.nodes.len() as u32
    }

    fn pool_from(&self, first: u32) -> Pool {
        Pool { first, count: self.here() - first }
    }

    /// The map of a class's objects.
    pub fn map(&self, class: &str) -> Node {
        Node(self.maps.first + class_number(class))
    }

    /// What the class's objects inherit from.
    pub fn prototype(&self, class: &str) -> Node {
        Node(self.prototypes.first + class_number(class))
    }

    /// The description, the feedback cell and the scope of one function; `number` is taken round.
    pub fn function(&self, number: u32) -> (Node, Node, Node) {
        let n = number % self.functions.count;
        (
            Node(self.functions.first + n),
            Node(self.cells.first + n),
            Node(self.scope_infos.first + n),
        )
    }

    /// Where in which script a function stands.
    pub fn place(number: u32) -> Place {
        let n = number % FUNCTIONS as u32;
        Place { script: 1 + n % SCRIPTS as u32, line: 3 + 7 * (n / SCRIPTS as u32), column: n % 40 }
    }

    fn roots(&mut self) -> Vec<Node> {
        let root = self.node(Kind::Synthetic, "", 0);
        let gc_roots = self.node(Kind::Synthetic, "(GC roots)", 0);
        self.index(root, EdgeKind::Element, gc_roots);
        SUBROOTS
            .iter()
            .map(|name| {
                let subroot = self.node(Kind::Synthetic, name, 0);
                self.index(gc_roots, EdgeKind::Element, subroot);
                subroot
            })
            .collect()
    }

    fn singletons(&mut self, strong: Node) {
        self.meta_map = self.node(Kind::Hidden, "system / Map", 72);
        let oddball_map = self.node(Kind::Hidden, "system / Map (Oddball)", 72);
        self.string_map = self.node(Kind::Hidden, "system / Map (OneByteString)", 72);
        self.cons_map = self.node(Kind::Hidden, "system / Map (ConsOneByteString)", 72);
        self.array_map = self.node(Kind::Hidden, "system / Map (FixedArray)", 72);
        self.number_map = self.node(Kind::Hidden, "system / Map (HeapNumber)", 72);
        let first = self.here();
        self.undefined = self.node(Kind::Hidden, "system / Oddball", 48);
        self.null = self.node(Kind::Hidden, "system / Oddball", 48);
        for _ in 0..4 {
            self.node(Kind::Hidden, "system / Oddball", 48);
        }
        self.oddballs = self.pool_from(first);
        self.empty = self.node(Kind::String, "", 16);
        self.named(self.empty, EdgeKind::Internal, "map", self.string_map);
        self.builtin = self.node(Kind::Code, "(CompileLazy builtin handle)", 64);
        let maps = [oddball_map, self.string_map, self.cons_map, self.array_map, self.number_map];
        for map in maps {
            self.named(map, EdgeKind::Internal, "map", self.meta_map);
            self.index(strong, EdgeKind::Element, map);
        }
        for n in 0..self.oddballs.count {
            let oddball = Node(first + n);
            self.named(oddball, EdgeKind::Internal, "map", oddball_map);
            self.index(strong, EdgeKind::Element, oddball);
        }
        for node in [self.meta_map, self.empty, self.builtin] {
            self.index(strong, EdgeKind::Element, node);
        }
    }

    /// Strings that are nodes: property names, and values that many objects share.
    fn names(&mut self, internalized: Node) {
        let before = self.strings.len() as u32;
        let first = self.here();
        for word in WORDS {
            self.node(Kind::String, word, 24);
        }
        self.words = Pool { first: before, count: self.strings.len() as u32 - before };
        self.word_nodes = self.pool_from(first);
        let before = self.strings.len() as u32;
        let first = self.here();
        for i in 0..VALUES {
            self.node(Kind::String, &format!("{}/{i}; charset=utf-8", WORDS[i % WORDS.len()]), 40);
        }
        self.values = Pool { first: before, count: self.strings.len() as u32 - before };
        self.value_nodes = self.pool_from(first);
        for n in self.word_nodes.first..self.here() {
            self.named(Node(n), EdgeKind::Internal, "map", self.string_map);
            self.index(internalized, EdgeKind::Element, Node(n));
        }
    }

    fn classes(&mut self, strong: Node) {
        let first = self.here();
        for _ in CLASSES {
            self.node(Kind::Shape, "system / Map", 80);
        }
        self.maps = self.pool_from(first);
        let first = self.here();
        for class in CLASSES {
            self.node(Kind::Object, class, 56);
        }
        self.prototypes = self.pool_from(first);
        for (i, class) in CLASSES.into_iter().enumerate() {
            let (map, prototype) = (self.map(class), self.prototype(class));
            let descriptors = self.node(Kind::Shape, "system / DescriptorArray", 400);
            self.named(map, EdgeKind::Internal, "prototype", prototype);
            self.named(map, EdgeKind::Internal, "descriptors", descriptors);
            self.named(map, EdgeKind::Internal, "map", self.meta_map);
            self.named(prototype, EdgeKind::Internal, "map", map);
            for k in 0..12u32 {
                let word = (i as u32 * 5 + k) % self.word_nodes.count;
                let to = Node(self.word_nodes.first + word);
                self.named(descriptors, EdgeKind::Internal, &(3 * k).to_string(), to);
            }
            self.index(strong, EdgeKind::Element, map);
        }
    }

    fn scripts(&mut self, builtins: Node) {
        let scripts: Vec<Node> = (0..SCRIPTS)
            .map(|i| {
                let path = format!("/srv/app/lib/{}.js", WORDS[(i * 7) % WORDS.len()]);
                let script = self.node(Kind::Code, &path, 144);
                let name = self.node(Kind::String, &path, 64);
                self.named(script, EdgeKind::Internal, "name", name);
                self.index(builtins, EdgeKind::Element, script);
                script
            })
            .collect();
        let first = self.here();
        for i in 0..FUNCTIONS {
            let name = WORDS[(i * 11) % WORDS.len()];
            self.node(Kind::Code, name, 56);
        }
        self.functions = self.pool_from(first);
        let first = self.here();
        for _ in 0..FUNCTIONS {
            self.node(Kind::Code, "system / FeedbackCell", 24);
        }
        self.cells = self.pool_from(first);
        let first = self.here();
        for _ in 0..FUNCTIONS {
            self.node(Kind::Code, "system / ScopeInfo", 88);
        }
        self.scope_infos = self.pool_from(first);
        let link = self.layout.script_link();
        for n in 0..FUNCTIONS as u32 {
            let (shared, cell, scope) = self.function(n);
            self.named(shared, EdgeKind::Internal, link, scripts[n as usize % SCRIPTS]);
            self.named(shared, EdgeKind::Internal, "name_or_scope_info", scope);
            self.named(cell, EdgeKind::Internal, "map", self.meta_map);
            self.named(scope, EdgeKind::Internal, "map", self.meta_map);
            self.index(builtins, EdgeKind::Element, shared);
            self.index(builtins, EdgeKind::Element, cell);
        }
    }

    /// The global object, `process`, and one module with a closure for each function.
    fn program(&mut self, handles: Node) {
        self.global = self.node(Kind::Object, "global", 88);
        self.named(Node(0), EdgeKind::Shortcut, "2", self.global);
        let native = self.node(Kind::Hidden, "system / NativeContext", 2264);
        self.index(handles, EdgeKind::Element, native);
        self.named(native, EdgeKind::Internal, "extension", self.global);
        let process = self.node(Kind::Object, "process", 24);
        self.process_events = self.node(Kind::Object, "Object", 40);
        self.named(self.global, EdgeKind::Property, "process", process);
        self.named(process, EdgeKind::Property, "_events", self.process_events);
        for (node, class) in
            [(self.global, "Object"), (process, "EventEmitter"), (self.process_events, "Object")]
        {
            self.named(node, EdgeKind::Property, "__proto__", self.prototype(class));
            self.named(node, EdgeKind::Internal, "map", self.map(class));
        }
        self.module = self.node(Kind::Object, "system / Context", 160);
        self.named(self.module, EdgeKind::Internal, "previous", native);
        for n in 0..FUNCTIONS as u32 {
            let name = WORDS[(n as usize * 11) % WORDS.len()];
            let closure = self.node(Kind::Closure, name, 64);
            let (shared, cell, _) = self.function(n);
            self.named(closure, EdgeKind::Internal, "feedback_cell", cell);
            self.named(closure, EdgeKind::Internal, "shared", shared);
            self.named(closure, EdgeKind::Internal, "context", self.module);
            self.named(closure, EdgeKind::Internal, "code", self.builtin);
            self.named(closure, EdgeKind::Internal, "map", self.map("Function"));
            self.nodes[closure.0 as usize].place = Some(Self::place(n));
            if n < WORDS.len() as u32 {
                self.named(self.module, EdgeKind::Context, WORDS[n as usize], closure);
            } else {
                self.index(handles, EdgeKind::Element, closure);
            }
        }
    }
}

fn class_number(class: &str) -> u32 {
    let found = CLASSES.iter().position(|c| *c == class);
    found.expect("templates draw only classes of the list") as u32
}
