//! Closures to the statements that register them.

mod common;

use common::{Service, source};
use leakline_source::{ListenerQuery, Location, SourceFiles, registration};

struct Case {
    name: &'static str,
    event: &'static str,
    how: &'static str,
    files: &'static [(&'static str, &'static str)],
}

const WRITTEN: &str = "written in the registering call";
const NAMED: &str = "by its name";
const IMPORTED: &str = "another file";
const FACTORY: &str = "out of a call";
const EVENT: &str = "likeliest";
const ONLY: &str = "the only call";

const CASES: &[Case] = &[
    Case {
        name: "express middleware, healthy decoy at top level",
        event: "uncaughtException",
        how: WRITTEN,
        files: &[(
            "app.js",
            "const express = require('express');\nconst app = express();\n\
             process.on('uncaughtException', (err) => { console.error(err); process.exit(1); });\n\
             // process.on('uncaughtException', (err) => { log.error(err); });\n\
             app.use(function logging(req, res, next) {\n  const id = req.id;\n\
             \x20 process.on('uncaughtException', §(err) => { //=>\n    log.error({ id }, err);\n  });\n\
             \x20 next();\n});\n",
        )],
    },
    Case {
        name: "ES module, function expression",
        event: "SIGTERM",
        how: WRITTEN,
        files: &[(
            "app.mjs",
            "import process from 'node:process';\nexport function route(req) {\n  process.once('SIGTERM', function stop§(signal) { req.end(signal); }); //=>\n}\n",
        )],
    },
    Case {
        name: "chained calls over several lines",
        event: "data",
        how: WRITTEN,
        files: &[(
            "a.js",
            "module.exports = (bus, req) => {\n  bus\n    .on('error', () => req.fail())\n    .on('data', §(chunk) => { //=>\n      req.push(chunk);\n    })\n    .on('end', () => req.end());\n};\n",
        )],
    },
    Case {
        name: "arguments on lines of their own",
        event: "x",
        how: WRITTEN,
        files: &[(
            "a.js",
            "function f(bus) {\n  bus.on( //=>\n    'x',\n    §async (a) => a,\n  );\n}\n",
        )],
    },
    Case {
        name: "tabs, CRLF, characters outside the BMP before the position",
        event: "x",
        how: WRITTEN,
        files: &[(
            "a.js",
            "'use strict';\r\nfunction f(bus) {\r\n\t/* 😀é */ const s = '😀😀'; bus.on('x', §() => s); bus.on('y', () => s); //=>\r\n}\r\n",
        )],
    },
    Case {
        name: "template-literal event name",
        event: "user:7:done",
        how: WRITTEN,
        files: &[(
            "a.js",
            "function f(id) {\n  bus.on(`user:${id}:done`, §() => id); //=>\n  bus.on(`user:${id}:error`, () => id);\n}\n",
        )],
    },
    Case {
        name: "bound",
        event: "x",
        how: "wrapped",
        files: &[(
            "a.js",
            "class A {\n  start(bus) {\n    bus.on('x', function §() { this.y(); }.bind(this)); //=>\n  }\n}\n",
        )],
    },
    Case {
        name: "wrapped by once and by AsyncResource.bind",
        event: "x",
        how: "wrapped",
        files: &[(
            "a.js",
            "function f(bus, req) {\n  bus.on('x', AsyncResource.bind(once(§() => req.end()))); //=>\n}\n",
        )],
    },
    Case {
        name: "conditional and parenthesised",
        event: "x",
        how: WRITTEN,
        files: &[(
            "a.js",
            "function f(bus, req) {\n  bus.on('x', req.a ? (() => 1) : (§() => 2)); //=>\n}\n",
        )],
    },
    Case {
        name: "optional chaining and assertions in TypeScript",
        event: "x",
        how: WRITTEN,
        files: &[(
            "a.ts",
            "export function f(req: Req, bus?: Bus): void {\n  bus?.on('x', (§(e: Error): void => { req.fail(e) }) as Handler); //=>\n}\n",
        )],
    },
    Case {
        name: "named function, shadowed elsewhere",
        event: "x",
        how: NAMED,
        files: &[(
            "a.js",
            "function handler§(e) { return e; }\nfunction other(bus) {\n  const handler = () => 0;\n  bus.on('x', handler);\n}\nfunction f(bus) {\n  bus.on('x', handler); //=>\n}\n",
        )],
    },
    Case {
        name: "alias of a variable",
        event: "x",
        how: NAMED,
        files: &[(
            "a.js",
            "module.exports = (req) => {\n  const onX = §() => req.id;\n  const h = onX;\n  process.on('x', h); //=>\n  process.on('y', h);\n};\n",
        )],
    },
    Case {
        name: "method bound in the constructor",
        event: "tick",
        how: NAMED,
        files: &[(
            "a.js",
            "class View {\n  constructor(bus) {\n    this.onTick = this.onTick.bind(this);\n    bus.on('tick', this.onTick); //=>\n  }\n  onTick§() { return this; }\n}\nmodule.exports = View;\n",
        )],
    },
    Case {
        name: "class field",
        event: "tick",
        how: NAMED,
        files: &[(
            "a.ts",
            "export class View {\n  private onTick = §(): void => { this.n++; };\n  n = 0;\n  mount(bus: Bus): void {\n    bus.addListener('tick', this.onTick); //=>\n  }\n}\n",
        )],
    },
    Case {
        name: "constant event name",
        event: "order.created",
        how: NAMED,
        files: &[
            ("events.js", "exports.CREATED = 'order.created';\nexports.GONE = 'order.gone';\n"),
            (
                "a.js",
                "const { CREATED, GONE } = require('./events');\nmodule.exports = function (bus, req) {\n  function h§() { return req; }\n  bus.on(GONE, h);\n  bus.on(CREATED, h); //=>\n};\n",
            ),
        ],
    },
    Case {
        name: "handler exported and registered in a nested route",
        event: "x",
        how: IMPORTED,
        files: &[
            ("lib/handlers.js", "module.exports = { onX§(e) { return e; }, onY() {} };\n"),
            (
                "routes/v1/users.js",
                "const { onY, onX: handle } = require('../../lib/handlers');\nbus.on('x', onY);\nexports.get = (req) => {\n  bus.on('x', onY);\n  bus.on('x', handle); //=>\n};\n",
            ),
        ],
    },
    Case {
        name: "re-exported through an index",
        event: "x",
        how: IMPORTED,
        files: &[
            ("lib/impl.mjs", "export const onX = §(e) => e;\n"),
            ("lib/index.mjs", "export * from './impl.mjs';\n"),
            (
                "app.mjs",
                "import * as lib from './lib/index.mjs';\nexport default (bus) => {\n  bus.on('x', lib.onX); //=>\n};\n",
            ),
        ],
    },
    Case {
        name: "factory in the same file",
        event: "x",
        how: FACTORY,
        files: &[(
            "a.js",
            "function makeHandler(id) {\n  return §() => id;\n}\nfunction makeOther(id) { return () => id; }\nfunction f(req) {\n  process.on('x', makeOther(req.id));\n  process.on('x', makeHandler(req.id)); //=>\n}\n",
        )],
    },
    Case {
        name: "factory in another file, default export",
        event: "x",
        how: FACTORY,
        files: &[
            (
                "make.mjs",
                "export default function make(id) {\n  const handler = §() => id;\n  return handler;\n}\n",
            ),
            (
                "app.mjs",
                "import make from './make.mjs';\nexport const f = (req) => {\n  process.on('x', make(req.id)); //=>\n};\n",
            ),
        ],
    },
    Case {
        name: "through a registering helper",
        event: "x",
        how: NAMED,
        files: &[(
            "a.js",
            "function subscribe(bus, event, fn) {\n  bus.on(event, fn); //=>\n}\nexports.f = (req) => subscribe(process, 'x', §() => req);\n",
        )],
    },
    Case {
        name: "event target",
        event: "abort",
        how: WRITTEN,
        files: &[(
            "a.js",
            "async function f(signal, req) {\n  signal.addEventListener('abort', §() => req.end(), { once: true }); //=>\n}\n",
        )],
    },
    Case {
        name: "handler property",
        event: "message",
        how: WRITTEN,
        files: &[(
            "a.js",
            "function f(port, req) {\n  port.onmessage = §(e) => req.push(e); //=>\n}\n",
        )],
    },
    Case {
        name: "nothing passes the closure on: the event, inside a function",
        event: "x",
        how: EVENT,
        files: &[
            ("a.js", "exports.run = (§(a) => a);\n"),
            (
                "b.js",
                "process.on('x', unknown());\nfunction f(h) {\n  process.on('x', h[0]); //=>\n}\n",
            ),
        ],
    },
    Case {
        name: "nothing passes the closure on: the only one",
        event: "x",
        how: ONLY,
        files: &[
            ("a.js", "exports.run = (§(a) => a);\n"),
            ("b.js", "process.on('x', unknown[0]); //=>\n"),
        ],
    },
    Case {
        name: "hashbang",
        event: "x",
        how: WRITTEN,
        files: &[(
            "a.js",
            "#!/usr/bin/env node\nfunction f(r) { process.on('x', §() => r); } //=>\n",
        )],
    },
    Case {
        name: "several closures on one line",
        event: "x",
        how: WRITTEN,
        files: &[(
            "a.min.js",
            "function a(r){p.on('x',()=>r)}\nfunction b(r){p.on('x',()=>r);p.on('x',§()=>r+1)} //=>\n",
        )],
    },
    Case {
        name: "top-level return",
        event: "x",
        how: WRITTEN,
        files: &[(
            "a.js",
            "if (!ready) return;\nfunction f(r) {\n  process.on('x', §() => r); //=>\n}\n",
        )],
    },
];

#[test]
fn table() {
    for case in CASES {
        let service = Service::write(case.files);
        let query = ListenerQuery::event(case.event);
        let closure = service.closure.clone().unwrap();
        let found = registration(&source(), &closure, &query, &service.files).expect(case.name);
        service.check(case.name, &found);
        assert!(found.how.contains(case.how), "{}: {}", case.name, found.how);
        assert_eq!(found.notes, Vec::<String>::new(), "{}", case.name);
    }
}

#[test]
fn the_same_without_an_event() {
    for case in CASES.iter().filter(|case| [WRITTEN, NAMED].contains(&case.how)) {
        // A handler registered for two events cannot be told apart without the event.
        if case.name.contains("alias")
            || case.name.contains("constant")
            || case.name.contains("property")
        {
            continue;
        }
        let service = Service::write(case.files);
        let closure = service.closure.clone().unwrap();
        let query = ListenerQuery::default();
        let found = registration(&source(), &closure, &query, &service.files).expect(case.name);
        service.check(case.name, &found);
    }
}

#[test]
fn functions_are_named() {
    for (text, name) in [
        ("app.use(function logging(q) { p.on('x', §() => q); }); //=>\n", Some("logging")),
        ("app.use((q) => { p.on('x', §() => q); }); //=>\n", Some("<anonymous> in app.use")),
        ("const f = (q) => { p.on('x', §() => q); }; //=>\n", Some("f")),
        ("exports.f = (q) => { p.on('x', §() => q); }; //=>\n", Some("f")),
        ("class A { m(q) { p.on('x', §() => q); } } //=>\n", Some("A.m")),
        (
            "function A() {} A.prototype.m = function (q) { p.on('x', §() => q); }; //=>\n",
            Some("A.m"),
        ),
        ("p.on('x', §() => 1); //=>\n", None),
    ] {
        let service = Service::write(&[("a.js", text)]);
        let closure = service.closure.clone().unwrap();
        let found = registration(&source(), &closure, &ListenerQuery::event("x"), &[]).unwrap();
        service.check(text, &found);
        let best = found.best.unwrap();
        assert_eq!(best.function.as_deref(), name, "{text}");
        assert_eq!(best.inside_function, name.is_some(), "{text}");
    }
}

#[test]
fn emitter_decides_between_equal_events() {
    let service = Service::write(&[
        ("a.js", "exports.run = (§(a) => a);\n"),
        (
            "b.js",
            "const bus = new (require('events'))();\nfunction f(h) {\n  bus.on('x', h[0]);\n  process.on('x', h[1]); //=>\n}\n",
        ),
    ]);
    let closure = service.closure.clone().unwrap();
    let query = ListenerQuery::event("x").emitter("process");
    let found = registration(&source(), &closure, &query, &service.files).unwrap();
    service.check("emitter", &found);
    assert_eq!(found.others.len(), 1);
}

#[test]
fn snippets_and_frames() {
    let text = "function f(q) {\n  process.on(\n    'x',\n    () => q,\n  );\n}\n";
    let service = Service::write(&[("a.js", text)]);
    let closure = Location { file: service.path("a.js"), line: 4, column: 5 };
    let found = registration(&source(), &closure, &ListenerQuery::event("x"), &[]).unwrap();
    let best = found.best.unwrap();
    assert_eq!(best.snippet, "process.on( 'x', () => q, )");
    assert_eq!((best.location.line, best.location.column), (2, 3));
    assert_eq!(
        best.frame.render(),
        "  1 | function f(q) {\n> 2 |   process.on(\n    |   ^\n  3 |     'x',\n  4 |     () => q,\n"
    );
    assert_eq!(best.original, None);
}

#[test]
fn degradations_say_so() {
    // Not UTF-8.
    let service = Service::write(&[("a.js", "")]);
    let path = service.path("a.js");
    let at = |line, column| Location { file: path.clone(), line, column };
    let ask = |closure: &Location| {
        registration(&source(), closure, &ListenerQuery::event("x"), &[]).unwrap()
    };
    std::fs::write(&path, b"// caf\xE9\nfunction f(q) { p.on('x', () => q); }\n").unwrap();
    let found = ask(&at(2, 27));
    assert_eq!(found.best.unwrap().location.line, 2);
    assert!(found.notes[0].contains("not valid UTF-8 at byte 6"), "{:?}", found.notes);

    // A byte order mark does not count.
    std::fs::write(&path, b"\xEF\xBB\xBFp.on('x', () => 1);\n").unwrap();
    assert_eq!(ask(&at(1, 11)).best.unwrap().location.column, 1);

    // Broken beyond parsing: by text.
    std::fs::write(&path, "function f(q) {\n  p.on('x', () => q);\n  ]]] ((\n").unwrap();
    let found = ask(&at(2, 13));
    assert_eq!(found.best.unwrap().location.line, 2);
    assert!(found.how.contains("by text"), "{}", found.how);
    assert!(found.notes[0].contains("cannot be parsed (line 3"), "{:?}", found.notes);

    // Changed since: outside the file; inside it at another place.
    std::fs::write(&path, "function f(q) { p.on('x', () => q); }\n").unwrap();
    let found = ask(&at(90, 1));
    assert!(found.notes[0].contains("lies outside the file"), "{:?}", found.notes);
    assert_eq!(found.best.unwrap().location.line, 1);
    let found = ask(&at(1, 29));
    assert!(found.notes[0].contains("no function starts at"), "{:?}", found.notes);
    assert_eq!(found.best.unwrap().location.column, 17);

    // Not there; not a file.
    let gone = Location { file: service.path("gone.js"), line: 1, column: 1 };
    let error = registration(&source(), &gone, &ListenerQuery::event("x"), &[]);
    let error = error.unwrap_err();
    assert!(error.to_string().starts_with("cannot find the source file"), "{error}");
    assert!(error.hint().unwrap().contains("--source"));
    let internal = Location { file: "node:internal/process".into(), line: 1, column: 1 };
    let error = registration(&source(), &internal, &ListenerQuery::event("x"), &[]);
    assert_eq!(error.unwrap_err().to_string(), "`node:internal/process` is not a file on disk");
}

#[test]
fn files_are_found_by_their_longest_suffix() {
    let service = Service::write(&[
        ("copy/src/app.js", "function f(q) { p.on('x', §() => q); } //=>\n"),
        ("copy/app.js", "// another\n"),
    ]);
    let closure = service.closure.clone().unwrap();
    for name in ["/no/such/dir/src/app.js", "file:///no/such/dir/src/app.js"] {
        let source = SourceFiles::new(vec![service.path("copy")]);
        let closure = Location { file: name.into(), ..closure.clone() };
        let found = registration(&source, &closure, &ListenerQuery::event("x"), &[]).unwrap();
        service.check(name, &found);
    }
}

#[test]
fn a_minified_file_of_five_megabytes() {
    let mut text = String::from("!function(){");
    for at in 0..100_000 {
        text.push_str(&format!("function f{at}(a,b){{return a.b(c,{at})+b}};"));
    }
    let before = "function leak(r){";
    text.push_str(before);
    let start = text.len();
    text.push_str("process.on(\"x\",(()=>r))}");
    text.push_str("}();");
    assert!(text.len() > 4_000_000);
    let service = Service::write(&[("a.js", &text)]);
    let column = start as u32 + "process.on(\"x\",(".len() as u32 + 1;
    let closure = Location { file: service.path("a.js"), line: 1, column };
    let found = registration(&source(), &closure, &ListenerQuery::event("x"), &[]).unwrap();
    let best = found.best.unwrap();
    assert_eq!(best.location.column, start as u32 + 1);
    assert_eq!(best.function.as_deref(), Some("leak"));
    assert_eq!(found.notes, Vec::<String>::new());
    let frame = best.frame.render();
    assert!(frame.contains("process.on(\"x\",(()=>r))"), "{frame}");
    assert!(frame.lines().all(|line| line.chars().count() <= 80), "{frame}");
}

#[test]
fn middleware_in_a_file_of_its_own() {
    // The shape of the classic bug, with a healthy listener for the same event in the app.
    let service = Service::write(&[
        (
            "src/middleware/logging.js",
            "const { v4: uuid } = require('uuid');\nconst logger = require('../logger');\n\nmodule.exports = function logging() {\n  return (req, res, next) => {\n    const id = uuid();\n    const log = logger.child({ id });\n    process.on('uncaughtException', §(err) => { //=>\n      log.error({ err, id });\n    });\n    next();\n  };\n};\n",
        ),
        (
            "src/app.js",
            "const app = require('express')();\napp.use(require('./middleware/logging')());\nprocess.on('uncaughtException', (err) => {\n  throw err;\n});\n",
        ),
    ]);
    let closure = service.closure.clone().unwrap();
    let query = ListenerQuery::event("uncaughtException").emitter("process");
    let found = registration(&source(), &closure, &query, &service.files).unwrap();
    service.check("middleware", &found);
    let best = found.best.unwrap();
    assert!(best.inside_function);
    assert_eq!(best.function.as_deref(), Some("<anonymous> in logging"));
    assert!(best.snippet.starts_with("process.on('uncaughtException', (err) => {"));
    assert_eq!(found.others, []);
}
