//! A heap that has something for every view: functions made many times, scopes with a heavy variable, texts
//! that exist several times, collections of every kind and fill, sandboxes of `vm`, detached objects.
//!
//! Sizes and links are those that Node 20 and 24 write, so that capacities can be worked out from them.

use std::path::Path;

use super::{Layout, Node, Script, Snapshot};

/// Handlers that the program has made.
pub const HANDLERS: u32 = 12;

/// Draws the heap of a program that stands in this file.
pub fn showcase(layout: Layout, script: &Path) -> Snapshot {
    let mut drawing = Drawing { snapshot: Snapshot::new(layout), next_id: 101 };
    drawing.draw(&script.display().to_string());
    drawing.snapshot
}

struct Drawing {
    snapshot: Snapshot,
    next_id: u32,
}

impl Drawing {
    fn add(&mut self, kind: &str, name: &str, size: u32) -> Node {
        let id = self.next_id;
        self.next_id += 2;
        self.snapshot.node(kind, name, id, size.into())
    }

    /// Adds an object that another one holds.
    fn held(&mut self, from: Node, edge: (&str, &str), what: (&str, &str, u32)) -> Node {
        let node = self.add(what.0, what.1, what.2);
        self.snapshot.named(from, edge.0, edge.1, node);
        node
    }

    /// An object's own hidden class.
    fn shaped(&mut self, node: Node) -> Node {
        self.held(node, ("internal", "map"), ("hidden", "system / Map", 72))
    }

    fn draw(&mut self, path: &str) {
        let handles = self.add("synthetic", "(Global handles)", 0);
        self.snapshot.indexed(Snapshot::GC_ROOTS, "element", 14, handles);
        let global = self.add("object", "global", 40);
        self.snapshot.named(Snapshot::ROOT, "shortcut", "2", global);
        let script = self.snapshot.script(82, path, self.next_id);
        self.next_id += 4;
        let native = self.add("hidden", "system / NativeContext", 2264);
        self.snapshot.indexed(handles, "element", 1, native);
        self.snapshot.named(native, "internal", "extension", global);

        let module = self.held(global, ("property", "main"), ("closure", "main", 56));
        let scope = self.held(module, ("internal", "context"), ("object", "system / Context", 96));
        self.snapshot.named(scope, "internal", "previous", native);
        self.handlers(scope, script);
        self.counter(scope);
        self.texts(scope);
        self.collections(scope);
        self.sandboxes(scope, handles);
        self.natives(scope);
    }

    /// `makeHandler` at line 5; each call makes a scope with two functions in it.
    fn handlers(&mut self, scope: Node, script: Script) {
        let info = self.add("code", "system / ScopeInfo", 128);
        let shared = self.snapshot.shared(script, "makeHandler", self.next_id);
        self.next_id += 2;
        self.snapshot.named(shared, "internal", "name_or_scope_info", info);
        let maker = self.held(scope, ("context", "makeHandler"), ("closure", "makeHandler", 64));
        self.snapshot.named(maker, "internal", "shared", shared);
        self.snapshot.location(maker, script, 4, 20);
        let config = self.held(scope, ("context", "config"), ("object", "Config", 400));
        let list = self.held(scope, ("context", "handlers"), ("object", "Array", 32));
        let store =
            self.held(list, ("internal", "elements"), ("array", "(object elements)", 16 + 8 * 34));
        let inner = [("count", 6), ("report", 7)].map(|(name, line)| {
            let shared = self.snapshot.shared(script, name, self.next_id);
            self.next_id += 2;
            (name, line, shared)
        });
        for i in 0..HANDLERS {
            let handler = self.add("object", "Object", 40);
            self.snapshot.indexed(list, "element", i as usize, handler);
            self.snapshot.named(store, "internal", &i.to_string(), handler);
            let context = self.add("object", "system / Context", 56);
            self.snapshot.named(context, "internal", "scope_info", info);
            self.snapshot.named(context, "internal", "previous", scope);
            self.snapshot.named(context, "context", "config", config);
            let request = self.held(context, ("context", "request"), ("object", "Request", 120));
            self.held(request, ("property", "url"), ("string", "/orders/7", 32));
            let body = format!("body of request {i}");
            self.held(context, ("context", "body"), ("string", &body, 2000));
            for (name, line, shared) in inner {
                let closure = self.held(handler, ("property", name), ("closure", name, 56));
                self.snapshot.named(closure, "internal", "context", context);
                self.snapshot.named(closure, "internal", "shared", shared);
                self.snapshot.location(closure, script, line, 13);
            }
        }
    }

    /// A scope as newer V8 writes it: its description's id in its name, what is assigned to in a cell.
    fn counter(&mut self, scope: Node) {
        let tick = self.held(scope, ("context", "tick"), ("closure", "tick", 56));
        let name = format!("system / Context / scope @{}", self.next_id + 2);
        let context = self.held(tick, ("internal", "context"), ("object", &name, 40));
        self.held(context, ("internal", "scope_info"), ("code", "system / ScopeInfo", 48));
        let cell = self.held(context, ("context", "last"), ("native", "system / ContextCell", 24));
        let last = self.add("object", "Tick", 500);
        self.snapshot.indexed(cell, "hidden", 0, last);
    }

    fn texts(&mut self, scope: Node) {
        let texts = self.held(scope, ("context", "texts"), ("object", "Texts", 64));
        let long = "x".repeat(1024);
        let cut: [(&str, u32); 6] = [
            (&long, 4016),
            (&long, 4016),
            (&long, 5016),
            ("tab\tand\u{1b}[31m red", 64),
            ("tab\tand\u{1b}[31m red", 64),
            ("once", 24),
        ];
        for (i, (text, size)) in cut.into_iter().enumerate() {
            self.held(texts, ("property", &format!("t{i}")), ("string", text, size));
        }
        let thin = self.held(texts, ("property", "thin"), ("string", "once", 16));
        self.held(thin, ("internal", "actual"), ("string", "another", 24));
        self.held(
            texts,
            ("property", "joined"),
            ("concatenated string", "(concatenated string)", 32),
        );
    }

    fn collections(&mut self, scope: Node) {
        // Three of eight.
        let sessions = self.held(scope, ("context", "sessions"), ("object", "Map", 32));
        let table = self.held(sessions, ("internal", "table"), ("array", "", 264));
        self.shaped(table);
        for i in 0..3u32 {
            let slot = 7 + 3 * i;
            let key = format!("session {i}");
            self.held(table, ("internal", &slot.to_string()), ("string", &key, 24));
            let value =
                self.held(table, ("internal", &(slot + 1).to_string()), ("object", "Session", 300));
            self.held(value, ("property", "user"), ("string", &format!("user {i}"), 24));
        }
        // Numbers to numbers: nothing is drawn.
        let numbers = self.held(scope, ("context", "numbers"), ("object", "LruCache", 40));
        let table = self.held(numbers, ("internal", "table"), ("array", "", 3624));
        self.shaped(table);
        let seen = self.held(scope, ("context", "seen"), ("object", "Set", 32));
        let table = self.held(seen, ("internal", "table"), ("array", "", 120));
        self.shaped(table);
        let weak = self.held(scope, ("context", "weak"), ("object", "WeakMap", 32));
        let table = self.held(weak, ("internal", "table"), ("array", "", 104));
        self.shaped(table);
        self.snapshot.named(table, "weak", "3", sessions);
        self.snapshot.named(table, "weak", "4", seen);
        // Three of sixteen that have been there.
        let emptied = self.held(scope, ("context", "byName"), ("object", "Object", 24));
        let store = self.held(
            emptied,
            ("internal", "properties"),
            ("array", "(object properties)", 16 + 8 * (6 + 3 * 16)),
        );
        self.shaped(store);
        for i in 0..3u32 {
            let value = self.held(emptied, ("property", &format!("n{i}")), ("object", "Entry", 48));
            self.held(
                store,
                ("internal", &(6 + 9 * i).to_string()),
                ("string", &format!("n{i}"), 24),
            );
            self.snapshot.named(store, "internal", &(7 + 9 * i).to_string(), value);
        }
        let numbers = self.held(scope, ("context", "samples"), ("object", "Array", 32));
        let store =
            self.held(numbers, ("internal", "elements"), ("array", "(object elements)", 8016));
        self.shaped(store);
        self.held(scope, ("context", "nothing"), ("object", "Array", 32));
    }

    /// Two contexts of `vm`, the second with nothing in its sandbox.
    fn sandboxes(&mut self, scope: Node, handles: Node) {
        for (i, names) in [&["tenant", "orders"][..], &[]].into_iter().enumerate() {
            let variable = format!("sandbox{i}");
            let sandbox = self.held(scope, ("context", &variable), ("object", "Object", 40));
            for name in names {
                self.held(sandbox, ("property", name), ("object", "Value", 64));
            }
            let run = self.held(sandbox, ("property", "<symbol run>"), ("closure", "run", 56));
            let native =
                self.held(run, ("internal", "context"), ("hidden", "system / NativeContext", 2264));
            self.snapshot.named(handles, "weak", &(97 + i).to_string(), native);
            self.held(native, ("internal", "extension"), ("object", "Object", 40));
            self.held(native, ("internal", "global_proxy_object"), ("object", "global", 32));
            let data = self.held(
                native,
                ("internal", "embedder_data"),
                ("hidden", "system / EmbedderDataArray", 336),
            );
            self.snapshot.indexed(data, "hidden", 32, sandbox);
            for _ in 0..4 {
                let builtin = self.held(native, ("internal", "builtin"), ("closure", "next", 56));
                self.snapshot.named(builtin, "internal", "context", native);
            }
        }
    }

    fn natives(&mut self, scope: Node) {
        let buffer = self.held(scope, ("context", "upload"), ("object", "ArrayBuffer", 96));
        self.held(
            buffer,
            ("internal", "backing_store"),
            ("native", "system / JSArrayBufferData", 100_000),
        );
        for i in 0..2 {
            let variable = format!("pipe{i}");
            let wrap = self.held(scope, ("context", &variable), ("object", "Pipe", 48));
            let pipe = self.held(wrap, ("internal", "native"), ("native", "Node / PipeWrap", 424));
            self.snapshot.detachedness(pipe, 2);
            self.held(pipe, ("internal", "buffer"), ("native", "Node / Buffer", 1000));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_every_time() {
        for layout in [Layout::Node20, Layout::Node24] {
            let draw = || showcase(layout, Path::new("/srv/app.js")).text();
            assert_eq!(draw(), draw());
        }
    }
}
