//! The heap of a small Node service, as it grows under load.
//!
//! It serves HTTP with `node:http`, and has what services have: a listener that each request adds to
//! `process` (the leak that everybody writes once), a `Map` of sessions that nothing takes entries out of,
//! a cache that is bounded and therefore replaces its content, and texts. All of it is drawn as V8 draws
//! it; the runtime around it is left out, except for the roots that lead to the service.
//!
//! Each object keeps its id from one generation to the next, as within one inspector session, and ids of
//! other objects are never used again.

use std::path::Path;

use super::{Layout, Node, Script, Snapshot};

/// The program whose heap this is. The places of its functions in the snapshot are looked up in this text.
pub const APP: &str = "\
'use strict';

const http = require('node:http');
const { randomUUID } = require('node:crypto');
const { createLogger } = require('./logger');

const root = createLogger({ level: 'info' });
const sessions = new Map();
const rates = new Map();

const server = http.createServer((req, res) => {
  const requestId = randomUUID();
  const logger = root.child({ requestId });

  process.on('uncaughtException', (error) => {
    logger.error({ error: error.message }, 'uncaught');
  });

  const token = req.headers.authorization;
  sessions.set(token, { token, user: req.headers['x-user'], seen: Date.now() });

  if (rates.size >= 8) rates.delete(rates.keys().next().value);
  rates.set(requestId, { count: 1 });

  res.end(`ok ${requestId}`);
});

server.listen(Number(process.env.PORT ?? 3000));
";

/// How the service behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Listeners and sessions pile up.
    Leaks,
    /// Only the bounded cache works; nothing grows.
    Healthy,
    /// Objects pile up under a root of V8's own, which no rule knows.
    GrowsStrangely,
}

/// A service to draw.
#[derive(Clone, Copy, Debug)]
pub struct Service<'a> {
    /// The layout of its snapshots.
    pub layout: Layout,
    /// What it does.
    pub behaviour: Behaviour,
    /// Where its program stands.
    pub script: &'a Path,
    /// Added to every object id: another inspector session numbers the same objects anew. Even.
    pub id_offset: u32,
}

/// Entries of the bounded cache.
const RATES: usize = 8;

/// Ids: each family of objects has a range of its own. A member takes at most five ids.
const LISTENERS: u32 = 10_001;
const SESSIONS: u32 = 20_001;
const RATE_ENTRIES: u32 = 30_001;
const STRANGE: u32 = 40_001;
const BACKING_STORES: u32 = 50_001;

impl Service<'_> {
    /// Its heap after `generation` rounds of load, from 0.
    pub fn snapshot(&self, generation: usize) -> Snapshot {
        Drawing {
            snapshot: Snapshot::new(self.layout),
            service: *self,
            generation,
            next_id: 101 + self.id_offset,
        }
        .draw()
    }

    fn listeners(self, generation: usize) -> usize {
        match self.behaviour {
            Behaviour::Leaks if generation > 0 => 30 * generation,
            _ => 2,
        }
    }

    fn sessions(self, generation: usize) -> usize {
        if self.behaviour == Behaviour::Leaks { 4 + 24 * generation } else { 4 }
    }
}

struct Drawing<'a> {
    snapshot: Snapshot,
    service: Service<'a>,
    generation: usize,
    next_id: u32,
}

impl Drawing<'_> {
    /// A part of the service that is there once: its id is the next one.
    fn part(&mut self, kind: &str, name: &str, size: u64) -> Node {
        let id = self.next_id;
        self.next_id += 2;
        self.snapshot.node(kind, name, id, size)
    }

    /// The `n`th part of the `i`th member of a family.
    fn member(&mut self, family: u32, i: usize, n: u32, kind: &str, name: &str, size: u64) -> Node {
        let id = family + 10 * i as u32 + 2 * n + self.service.id_offset;
        self.snapshot.node(kind, name, id, size)
    }

    /// The backing store of something that grows is another object each time.
    fn store(&mut self, which: u32, entries: usize) -> Node {
        let id = BACKING_STORES + 100 * which + 2 * self.generation as u32 + self.service.id_offset;
        self.snapshot.node("array", "", id, 16 + 8 * entries as u64)
    }

    fn held(&mut self, from: Node, kind: &str, name: &str, to: Node) -> Node {
        self.snapshot.named(from, kind, name, to);
        to
    }

    fn draw(mut self) -> Snapshot {
        let script =
            self.snapshot.script(82, &self.service.script.display().to_string(), self.next_id);
        self.next_id += 4;
        let global = self.part("object", "global", 40);
        self.snapshot.named(Snapshot::ROOT, "shortcut", "2", global);
        let handles = self.part("synthetic", "(Global handles)", 0);
        self.snapshot.indexed(Snapshot::GC_ROOTS, "element", 14, handles);
        let shape = self.part("object shape", "system / Map", 72);

        let (handler, module) = self.server(handles, script, shape);
        self.snapshot.named(handler, "internal", "context", module);
        self.process(global, script, module, shape);
        self.sessions(module);
        self.rates(module);
        self.texts(global);
        if self.service.behaviour == Behaviour::GrowsStrangely {
            self.strange(handles);
        }
        self.snapshot
    }

    /// The socket that listens holds the server, that its handler, and that the module's variables.
    fn server(&mut self, handles: Node, script: Script, shape: Node) -> (Node, Node) {
        let wrap = self.part("object", "TCP", 48);
        self.snapshot.indexed(handles, "element", 3, wrap);
        let server = self.part("object", "Server", 248);
        self.held(wrap, "property", "<symbol owner_symbol>", server);
        let events = self.part("object", "Object", 56);
        self.held(server, "property", "_events", events);
        let shared = self.part_shared(script);
        let handler = self.function(script, shared, shape, "(req, res) =>");
        self.held(events, "property", "request", handler);
        let module = self.part("object", "system / Context", 64);
        self.held(module, "context", "server", server);
        let logger = self.part("object", "Logger", 56);
        self.held(module, "context", "root", logger);
        (handler, module)
    }

    fn part_shared(&mut self, script: Script) -> Node {
        let id = self.next_id;
        self.next_id += 2;
        self.snapshot.shared(script, "", id)
    }

    fn function(&mut self, script: Script, shared: Node, shape: Node, text: &str) -> Node {
        let closure = self.part("closure", "", 56);
        self.closure(closure, script, shared, shape, text);
        closure
    }

    fn closure(&mut self, closure: Node, script: Script, shared: Node, shape: Node, text: &str) {
        let (line, column) = place(text);
        self.held(closure, "internal", "shared", shared);
        self.held(closure, "internal", "map", shape);
        self.snapshot.location(closure, script, line, column);
    }

    fn process(&mut self, global: Node, script: Script, module: Node, shape: Node) {
        let process = self.part("object", "process", 160);
        self.held(global, "property", "process", process);
        let events = self.part("object", "Object", 56);
        self.held(process, "property", "_events", events);
        let exit = self.part("closure", "onExit", 56);
        self.held(events, "property", "exit", exit);
        let list = self.part("object", "Array", 32);
        self.held(events, "property", "uncaughtException", list);
        let count = self.service.listeners(self.generation);
        let store = self.store(0, count);
        self.held(list, "internal", "elements", store);
        let shared = self.part_shared(script);
        for i in 0..count {
            let closure = self.member(LISTENERS, i, 0, "closure", "", 56);
            self.closure(closure, script, shared, shape, "(error) =>");
            self.snapshot.indexed(list, "element", i, closure);
            self.held(store, "internal", &i.to_string(), closure);

            let context = self.member(LISTENERS, i, 1, "object", "system / Context", 48);
            self.held(closure, "internal", "context", context);
            self.held(context, "internal", "previous", module);
            let text = format!("5f0c{i:04}-7c1e-4a55-9a39-2f6d1b8e{i:04}");
            let id = self.member(LISTENERS, i, 2, "string", &text, 56);
            self.held(context, "context", "requestId", id);
            let logger = self.member(LISTENERS, i, 3, "object", "Logger", 56);
            self.held(context, "context", "logger", logger);
            let bindings =
                self.member(LISTENERS, i, 4, "string", &format!(",\"requestId\":\"{text}\""), 640);
            self.held(logger, "property", "bindings", bindings);
        }
    }

    fn sessions(&mut self, module: Node) {
        let map = self.part("object", "Map", 32);
        self.held(module, "context", "sessions", map);
        let count = self.service.sessions(self.generation);
        let table = self.store(1, 3 * count);
        self.held(map, "internal", "table", table);
        for i in 0..count {
            let token = self.member(SESSIONS, i, 0, "string", &format!("Bearer {i:08}"), 40);
            let user = self.member(SESSIONS, i, 1, "string", &format!("user {i}"), 24);
            let session = self.member(SESSIONS, i, 2, "object", "Object", 360);
            self.held(table, "internal", &(3 * i + 2).to_string(), token);
            self.held(table, "internal", &(3 * i + 3).to_string(), session);
            self.held(session, "property", "token", token);
            self.held(session, "property", "user", user);
        }
    }

    /// Full from the beginning: each round replaces all that is in it.
    fn rates(&mut self, module: Node) {
        let map = self.part("object", "Map", 32);
        self.held(module, "context", "rates", map);
        let table = self.store(2, 3 * RATES);
        self.held(map, "internal", "table", table);
        for slot in 0..RATES {
            let i = RATES * self.generation + slot;
            let key = self.member(RATE_ENTRIES, i, 0, "string", &format!("rate {i:04}"), 40);
            let rate = self.member(RATE_ENTRIES, i, 1, "object", "Object", 32);
            self.held(table, "internal", &(3 * slot + 2).to_string(), key);
            self.held(table, "internal", &(3 * slot + 3).to_string(), rate);
        }
    }

    fn texts(&mut self, global: Node) {
        let config = self.part("object", "Config", 64);
        self.held(global, "property", "config", config);
        for (name, text, size) in [
            ("dsn", "postgres://app:hunter2@db/orders", 48),
            ("motd", "line one\nline two\tand a \"quoted\" word, ünïcode, 日本語", 136),
            ("page", &"<p>".repeat(60), 200),
        ] {
            let text = self.part("string", text, size);
            self.held(config, "property", name, text);
        }
    }

    fn strange(&mut self, handles: Node) {
        for i in 0..20 + 120 * self.generation {
            let job = self.member(STRANGE, i, 0, "object", "PendingJob", 200);
            self.snapshot.indexed(handles, "element", 100 + i, job);
        }
    }
}

/// Line and column, from 0, at which this stands in the program.
fn place(text: &str) -> (usize, usize) {
    let at = APP.find(text).unwrap_or_else(|| panic!("the program has no {text:?}"));
    let line_start = APP[..at].rfind('\n').map_or(0, |n| n + 1);
    (APP[..at].matches('\n').count(), at - line_start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_every_time_and_more_objects_each_round() {
        for layout in [Layout::Node20, Layout::Node24] {
            let service = Service {
                layout,
                behaviour: Behaviour::Leaks,
                script: Path::new("/srv/app.js"),
                id_offset: 0,
            };
            let texts = [0, 1, 2].map(|g| service.snapshot(g).text());
            assert_eq!(texts[2], service.snapshot(2).text());
            assert!(texts[0].len() < texts[1].len() && texts[1].len() < texts[2].len());
        }
    }

    #[test]
    fn places_are_found_in_the_program() {
        let (line, column) = place("(error) =>");
        assert_eq!(APP.lines().nth(line).unwrap()[column..].split(' ').next(), Some("(error)"));
    }
}
