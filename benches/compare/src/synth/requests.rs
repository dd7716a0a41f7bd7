//! The block of a service: what one request to an Express app leaves behind when a listener keeps it alive.
//!
//! Drawn after snapshots of such an app under Node 20, 54 MB to 920 MB: there a node takes 109 bytes of the file
//! and has 5.6 edges, 60 % of the edges are internal, a quarter are properties, 7 % come from contexts; about 31 %
//! of the nodes are objects, 15 % arrays, 16 % strings, 13 % concatenated strings, 12 % closures, 5 % object shapes;
//! two thirds (at 54 MB) to three quarters (at 920 MB) have one predecessor, and an eighth has a location.

use super::base::Base;
use super::kinds::{EdgeKind, Kind};
use super::template::{Drawn, Label, Name, OwnString, SlotId, Template, Text, To};

/// Entries are linked to the next request's in runs of so many; real snapshots have retaining paths a hundred long.
const RUN: u64 = 100;

/// The slots by which the base holds the blocks.
pub(super) struct Handles {
    /// The closure that listens.
    pub listener: SlotId,
    /// The entry of the cache, linked to the next request's.
    pub entry: SlotId,
    pub run: u64,
    /// Key and value of a `WeakMap`.
    pub session: SlotId,
    pub payload: SlotId,
}

/// How many log lines a request of the shape `strings` keeps.
const LOG_LINES: u8 = 13;

/// Draws the block. Log lines are for the shape whose strings are many and long.
pub(super) fn draw(base: &mut Base, with_lines: bool) -> (Template, Handles) {
    let mut pen = Pen { base, template: Template::default() };
    let handles = pen.request();
    if with_lines {
        pen.log_lines(handles.entry);
    }
    (pen.template, handles)
}

struct Pen<'a> {
    base: &'a mut Base,
    template: Template,
}

impl Pen<'_> {
    fn text(&mut self, text: &str) -> Text {
        self.base.text(text)
    }

    fn slot(&mut self, kind: Kind, name: &str, size: u64, moved: bool) -> SlotId {
        let name = Name::Text(self.text(name));
        let drawn = Drawn { moved, ..Drawn::new(kind, name, size) };
        self.template.slot(drawn)
    }

    fn named(&mut self, from: SlotId, kind: EdgeKind, label: &str, to: To) {
        let label = Label::Text(self.text(label));
        self.template.link(from, kind, label, to);
    }

    fn property(&mut self, from: SlotId, label: &str, to: To) {
        self.named(from, EdgeKind::Property, label, to);
    }

    fn internal(&mut self, from: SlotId, label: &str, to: To) {
        self.named(from, EdgeKind::Internal, label, to);
    }

    fn variable(&mut self, from: SlotId, label: &str, to: SlotId) {
        self.named(from, EdgeKind::Context, label, To::Slot(to));
    }

    /// An object of a class, with prototype and map.
    fn object(&mut self, class: &str, size: u64, moved: bool) -> SlotId {
        let map = To::Base(self.base.map(class));
        self.object_with_map(class, size, moved, map)
    }

    fn object_with_map(&mut self, class: &str, size: u64, moved: bool, map: To) -> SlotId {
        let object = self.slot(Kind::Object, class, size, moved);
        // V8 gives objects the place of their constructor, where that is a function of some script.
        if !matches!(class, "Object" | "Array" | "Buffer") {
            self.template.at(object).place = Some(Base::place(class.len() as u32));
        }
        let prototype = self.base.prototype(class);
        self.property(object, "__proto__", To::Base(prototype));
        self.internal(object, "map", map);
        object
    }

    /// Properties whose values are `true`, `null` and the like: most properties of Node's objects.
    fn flags(&mut self, object: SlotId, from: u32, count: u32) {
        let (words, oddballs) = (self.base.words, self.base.oddballs);
        for n in from..from + count {
            let label = Label::Text(Text(words.first + n % words.count));
            self.template.link(object, EdgeKind::Property, label, To::Pool(oddballs));
        }
    }

    fn context(&mut self, function: u32, size: u64, previous: To) -> SlotId {
        let context = self.slot(Kind::Object, "system / Context", size, false);
        let (_, _, scope) = self.base.function(function);
        let map = self.base.meta_map;
        self.internal(context, "scope_info", To::Base(scope));
        self.internal(context, "previous", previous);
        self.internal(context, "map", To::Base(map));
        context
    }

    fn closure(&mut self, name: &str, function: u32, context: SlotId, moved: bool) -> SlotId {
        let closure = self.slot(Kind::Closure, name, 64, moved);
        let (shared, cell, _) = self.base.function(function);
        let (code, map) = (self.base.builtin, self.base.map("Function"));
        self.property(closure, "__proto__", To::Base(self.base.prototype("Function")));
        self.internal(closure, "context", To::Slot(context));
        self.internal(closure, "shared", To::Base(shared));
        self.internal(closure, "feedback_cell", To::Base(cell));
        self.internal(closure, "code", To::Base(code));
        self.internal(closure, "map", To::Base(map));
        self.template.at(closure).place = Some(Base::place(function));
        closure
    }

    /// `bind` of a closure to an object.
    fn bound(&mut self, function: SlotId, this: SlotId) -> SlotId {
        let bound = self.slot(Kind::Closure, "native_bind", 48, true);
        let arguments = self.slot(Kind::Array, "(bound arguments)", 32, true);
        let (map, arrays) = (self.base.map("Function"), self.base.array_map);
        self.internal(bound, "bindings", To::Slot(arguments));
        self.named(bound, EdgeKind::Shortcut, "bound_this", To::Slot(this));
        self.internal(bound, "bound_function", To::Slot(function));
        self.internal(bound, "map", To::Base(map));
        self.internal(arguments, "0", To::Slot(this));
        self.internal(arguments, "map", To::Base(arrays));
        bound
    }

    /// A fixed array: its slots' names are the texts of numbers.
    fn store(&mut self, name: &str, content: &[To], moved: bool) -> SlotId {
        let store = self.slot(Kind::Array, name, 16 + 8 * content.len() as u64, moved);
        self.template.at(store).spread = 6;
        for (n, &to) in content.iter().enumerate() {
            self.template.link(store, EdgeKind::Internal, Label::Number(n as u32), to);
        }
        let map = self.base.array_map;
        self.internal(store, "map", To::Base(map));
        store
    }

    fn array(&mut self, content: &[To], moved: bool) -> SlotId {
        let array = self.object("Array", 32, moved);
        let store = self.store("(object elements)", content, moved);
        for (n, &to) in content.iter().enumerate() {
            self.template.link(array, EdgeKind::Element, Label::Index(n as u32), to);
        }
        self.internal(array, "elements", To::Slot(store));
        array
    }

    fn string(&mut self, name: Name, moved: bool) -> SlotId {
        let drawn = Drawn { moved, spread: 6, ..Drawn::new(Kind::String, name, 24) };
        let string = self.template.slot(drawn);
        let map = self.base.string_map;
        self.internal(string, "map", To::Base(map));
        string
    }

    fn cons(&mut self, first: To, second: To) -> SlotId {
        let cons = self.slot(Kind::ConsString, "(concatenated string)", 32, true);
        let map = self.base.cons_map;
        self.internal(cons, "first", first);
        self.internal(cons, "second", second);
        self.internal(cons, "map", To::Base(map));
        cons
    }

    /// The map that an object used as a dictionary gets for itself, with its descriptors.
    fn shape(&mut self, class: &str) -> SlotId {
        let shape = self.slot(Kind::Shape, "system / Map", 80, false);
        let descriptors = self.slot(Kind::Shape, "system / DescriptorArray", 400, false);
        let (prototype, map) = (self.base.prototype(class), self.base.meta_map);
        let (parent, words) = (self.base.map(class), self.base.word_nodes);
        self.internal(shape, "prototype", To::Base(prototype));
        self.internal(shape, "back_pointer", To::Base(parent));
        self.internal(shape, "descriptors", To::Slot(descriptors));
        self.internal(shape, "map", To::Base(map));
        for n in 0..44 {
            // One of them is the field's owner, so that shapes have more than one predecessor, as real ones do.
            let to = if n == 1 { To::Slot(shape) } else { To::Pool(words) };
            self.template.link(descriptors, EdgeKind::Internal, Label::Number(3 * n), to);
        }
        self.internal(descriptors, "map", To::Base(map));
        shape
    }

    fn request(&mut self) -> Handles {
        let (values, value_names) = (To::Pool(self.base.value_nodes), self.base.values);
        let empty = To::Base(self.base.empty);
        let header = |pen: &mut Self| pen.string(Name::Pool(value_names), true);

        let module = To::Base(self.base.module);
        let scope = self.context(3, 64, module);
        let listener = self.closure("", 3, scope, false);
        let req = self.object("IncomingMessage", 272, false);
        let res = self.object("ServerResponse", 312, false);
        let router = self.context(17, 160, module);
        let next = self.closure("next", 17, router, false);
        let done = self.closure("", 19, router, true);
        let trim = self.closure("trimPrefix", 23, router, true);

        self.variable(scope, "req", req);
        self.variable(scope, "res", res);
        self.variable(scope, "next", next);
        let started = self.slot(Kind::Number, "heap number", 16, true);
        self.internal(started, "map", To::Base(self.base.number_map));
        self.variable(scope, "startedAt", started);

        // The request.
        self.template.own_strings.push(OwnString::Url);
        let url = self.string(Name::Own(0), false);
        let parsed = self.object("Url", 128, false);
        let path = self.slot(Kind::SlicedString, "/orders/7", 32, false);
        self.internal(path, "parent", To::Slot(url));
        self.internal(path, "map", To::Base(self.base.string_map));
        for label in ["href", "path", "_raw"] {
            self.property(parsed, label, To::Slot(url));
        }
        self.property(parsed, "pathname", To::Slot(path));
        self.flags(parsed, 48, 7);
        let raw: Vec<SlotId> = (0..6).map(|_| header(self)).collect();
        let content: Vec<To> =
            raw.iter().flat_map(|&v| [To::Pool(self.base.word_nodes), To::Slot(v)]).collect();
        let raw_headers = self.array(&content, true);
        let headers_map = To::Slot(self.shape("Object"));
        let headers = self.object_with_map("Object", 56, true, headers_map);
        let header_store =
            self.store("(object properties)", &[To::Slot(raw[0]), values, values], true);
        self.internal(headers, "properties", To::Slot(header_store));
        for (&value, label) in raw[1..].iter().zip(["host", "_raw", "upgrade", "method", "path"]) {
            self.property(headers, label, To::Slot(value));
        }
        let params = self.object("Object", 40, true);
        self.property(params, "id", values);
        let query = self.object("Object", 40, true);
        self.property(query, "key", values);
        let trailers = self.array(&[], true);
        let readable = self.object("ReadableState", 96, false);
        let buffer = self.array(&[], true);
        let pipes = self.array(&[], true);
        self.property(readable, "buffer", To::Slot(buffer));
        self.property(readable, "pipes", To::Slot(pipes));
        let events = self.object("Object", 40, false);
        let on_end = self.bound(trim, req);
        self.property(events, "done", To::Slot(on_end));
        for (label, to) in [
            ("_events", events),
            ("_readableState", readable),
            ("headers", headers),
            ("rawHeaders", raw_headers),
            ("rawTrailers", trailers),
            ("url", url),
            ("originalUrl", url),
            ("_parsedUrl", parsed),
            ("params", params),
            ("query", query),
            ("res", res),
            ("next", next),
        ] {
            self.property(req, label, To::Slot(to));
        }
        self.property(req, "method", values);
        self.property(req, "baseUrl", empty);
        self.flags(req, 4, 14);
        let overflow = self.slot(Kind::Hidden, "system / PropertyArray", 40, false);
        self.internal(overflow, "map", To::Base(self.base.array_map));
        self.template.link(overflow, EdgeKind::Hidden, Label::Index(0), To::Slot(next));
        for n in 1..6 {
            self.template.link(overflow, EdgeKind::Hidden, Label::Index(n), values);
        }
        self.internal(req, "properties", To::Slot(overflow));

        // The answer: its head was put together piece by piece, and V8 keeps the pieces.
        let mut head = self.cons(values, values);
        for _ in 0..7 {
            head = self.cons(To::Slot(head), values);
        }
        let out_map = To::Slot(self.shape("Object"));
        let out = self.object_with_map("Object", 56, true, out_map);
        let tag = header(self);
        let out_store = self.store("(object properties)", &[values, To::Slot(tag), values], true);
        self.internal(out, "properties", To::Slot(out_store));
        let locals = self.object("Object", 56, true);
        let output = self.array(&[values], true);
        let res_events = self.object("Object", 40, false);
        let finish = self.bound(done, res);
        self.property(res_events, "finished", To::Slot(finish));
        for (label, to) in [
            ("_events", res_events),
            ("_header", head),
            ("headers", out),
            ("locals", locals),
            ("outputData", output),
            ("req", req),
        ] {
            self.property(res, label, To::Slot(to));
        }
        self.flags(res, 30, 20);

        // The router's scope.
        for (label, to) in [("res", res), ("req", req), ("done", done), ("next", next)] {
            self.variable(router, label, to);
        }
        self.variable(router, "trimPrefix", trim);
        let called = self.object("Object", 56, true);
        self.variable(router, "paramcalled", called);
        for n in 64..72 {
            let label = Label::Text(Text(self.base.words.first + n));
            let to = To::Pool(self.base.oddballs);
            self.template.link(router, EdgeKind::Context, label, to);
        }

        // Two middlewares, each with a scope that its callback sees.
        for (function, label) in [(29, "onerror"), (31, "callback")] {
            let scope = self.context(function, 64, To::Slot(router));
            let callback = self.closure("", function, scope, true);
            let value = header(self);
            self.variable(scope, "value", value);
            self.variable(scope, "next", next);
            self.variable(router, label, callback);
        }

        // What the app itself keeps: an entry of a cache, linked to the next; a session; some bytes.
        let entry = self.object("Entry", 48, false);
        let session = self.object("Session", 40, true);
        let bytes = self.object("Buffer", 96, true);
        let backing = self.slot(Kind::Native, "system / JSArrayBufferData", 1024, true);
        self.template.at(backing).spread = 64;
        let payload = self.object("Payload", 32, true);
        self.internal(bytes, "backing_store", To::Slot(backing));
        self.property(payload, "buffer", To::Slot(bytes));
        let tags = self.array(&[values, values, To::Slot(tag)], true);
        self.property(payload, "tags", To::Slot(tags));
        self.property(session, "user", values);
        self.property(session, "owner", To::Far(session));
        self.property(entry, "value", To::Slot(session));
        self.property(entry, "key", To::Slot(url));
        self.property(entry, "items", To::Slot(payload));
        let otherwise = self.base.null;
        self.property(entry, "next", To::Next { slot: entry, run: RUN, otherwise });
        Handles { listener, entry, run: RUN, session, payload }
    }

    fn log_lines(&mut self, entry: SlotId) {
        let first = self.template.own_strings.len() as u8;
        let lines: Vec<To> = (first..first + LOG_LINES)
            .map(|n| {
                self.template.own_strings.push(OwnString::LogLine);
                let line = self.string(Name::Own(n), true);
                self.template.at(line).size = 320;
                To::Slot(line)
            })
            .collect();
        let log = self.array(&lines, true);
        self.property(entry, "log", To::Slot(log));
    }
}
