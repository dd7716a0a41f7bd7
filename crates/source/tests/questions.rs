//! The call around a function, the creations of a class, the statement around a place.

// A failed set-up may panic.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Service, source};
use leakline_source::{Certainty, Found, Question, answer};

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|&name| name.to_owned()).collect()
}

fn around(case: &str, callees: &[&str], files: &[(&str, &str)]) -> Found {
    let service = Service::write(files);
    let function = service.closure.clone().expect(case);
    let question = Question::CallAround { function, callees: names(callees) };
    let found = answer(&source(), &question, &service.files).expect(case);
    service.check(case, &found);
    found
}

#[test]
fn the_call_that_takes_a_function() {
    let cases: &[(&str, &[&str], &str)] = &[
        (
            "written",
            &["setInterval"],
            "exports.f = () => {\n  setInterval(§() => {}, 1e3); //=>\n};\n",
        ),
        (
            "by name",
            &["setInterval"],
            "function tick§() {}\nexports.f = () => {\n  setInterval(tick, 1e3); //=>\n};\n",
        ),
        (
            "by name, another call of it",
            &["setTimeout"],
            "function tick§() { setInterval(tick); }\nexports.f = () => {\n  setTimeout(tick, 1e3); //=>\n};\n",
        ),
        (
            "bound method",
            &["setTimeout"],
            "class A {\n  tick§() {}\n  start() {\n    setTimeout(this.tick.bind(this), 5); //=>\n  }\n}\nnew A().start();\n",
        ),
        (
            "called by the function that is passed",
            &["setInterval"],
            "function tick§() {}\nexports.f = () => {\n  setInterval(() => tick(), 1e3); //=>\n};\n",
        ),
        (
            "imported under another name",
            &["setInterval"],
            "const { setInterval: every } = require('node:timers');\nexports.f = () => {\n  every(§() => {}, 1e3); //=>\n};\n",
        ),
        (
            "through a helper",
            &["setInterval"],
            "const every = (ms, fn) => {\n  return setInterval(fn, ms); //=>\n};\nexports.f = () => every(5, §() => {});\n",
        ),
        (
            "then of a chain",
            &["then", "catch"],
            "exports.f = (p) => {\n  return p\n    .then(§(x) => x) //=>\n    .catch(() => {});\n};\n",
        ),
        (
            "race with the object's name",
            &["Promise.race"],
            "const ever = new Promise(() => {});\nconst pool = { race() {} };\nexports.f = () => {\n  pool.race(() => {});\n  return Promise.race([ever, load(§() => {})]); //=>\n};\n",
        ),
        (
            "in an object",
            &["createServer"],
            "http.createServer({ a: 1, handler: §() => {} }); //=>\n",
        ),
        (
            "in an array",
            &["use"],
            "exports.f = (app) => {\n  app.use('/x', [§(req) => {}]); //=>\n};\n",
        ),
        (
            "the innermost of two",
            &["run"],
            "exports.f = (als) => {\n  als.run(1, () => {\n    als.run(2, §() => {}); //=>\n  });\n};\n",
        ),
        ("a class", &["register"], "class Job§ {}\n"),
        (
            "executor of a promise",
            &["Promise"],
            "exports.f = () =>\n  new Promise(§(resolve) => { keep(resolve); }); //=>\n",
        ),
        (
            "no call of that name takes it",
            &["setInterval"],
            "exports.f = () => {\n  every(5, §() => {}); //=>\n};\n",
        ),
    ];
    for (case, callees, text) in cases {
        if *case == "a class" {
            continue;
        }
        around(case, callees, &[("a.js", text)]);
    }
    let class = "exports.f = (app) => {\n  app.register(§class Job { run() {} }); //=>\n};\n";
    around("a class in place", &["register"], &[("a.js", class)]);
    let own = "class Job {\n  constructor§(a) {}\n}\nexports.f = (app) => {\n  app.register(Job); //=>\n};\n";
    around("a class by its constructor", &["register"], &[("a.js", own)]);
}

#[test]
fn the_call_may_stand_in_another_file() {
    around(
        "imported handler",
        &["use"],
        &[
            ("mw.js", "module.exports = §(req, res, next) => next();\n"),
            (
                "app.js",
                "const mw = require('./mw');\nexports.f = (app) => {\n  app.use(mw); //=>\n};\n",
            ),
        ],
    );
}

#[test]
fn a_call_that_only_bears_the_name_is_a_guess() {
    let text = "const t = §() => {};\nexports.f = (x) => {\n  every(x, t); //=>\n};\n";
    let found = around("another name", &["setInterval"], &[("a.js", text)]);
    assert_eq!(found.certainty, Certainty::Likeliest);
    let text = "exports.f = () => {\n  setInterval(§() => {}, 1); //=>\n};\n";
    let found = around("the name", &["setInterval"], &[("a.js", text)]);
    assert_eq!(found.certainty, Certainty::Derived);
}

#[test]
fn the_call_is_found_by_text_when_nothing_parses() {
    let found = around(
        "broken",
        &["setInterval"],
        &[("a.js", "exports.f = () => {\n  setInterval(§() => {}, 1e3); //=>\n  @@@ ((( {\n")],
    );
    assert_eq!(found.certainty, Certainty::ByText);
    assert!(found.notes.iter().any(|note| note.contains("cannot be parsed")), "{found:#?}");
}

fn made(case: &str, name: &str, callees: &[&str], files: &[(&str, &str)]) -> Found {
    let service = Service::write(files);
    let near = service.closure.clone();
    let question =
        Question::Creations { name: name.into(), callees: names(callees), near, on: vec![] };
    let found = answer(&source(), &question, &service.files).expect(case);
    service.check(case, &found);
    found
}

#[test]
fn what_makes_a_thing() {
    let cases: &[(&str, &str, &[&str], &str)] = &[
        (
            "worker",
            "Worker",
            &[],
            "const { Worker } = require('worker_threads');\nexports.f = () => {\n  const w = new Worker('./w.js'); //=>\n};\n",
        ),
        (
            "worker, renamed",
            "Worker",
            &[],
            "import { Worker as Thread } from 'node:worker_threads';\nexport const f = () => {\n  new Thread('./w.js'); //=>\n};\n",
        ),
        (
            "worker, through the module",
            "Worker",
            &[],
            "const threads = require('worker_threads');\nexports.f = () => new threads.Worker('./w.js'); //=>\n",
        ),
        ("promise", "Promise", &[], "exports.f = () => new Promise(() => {}); //=>\n"),
        (
            "context of vm",
            "",
            &["vm.createContext"],
            "const vm = require('vm');\nfunction createContext() {}\ncreateContext();\nexports.f = (o) => { vm.createContext(o); }; //=>\n",
        ),
        (
            "context of vm, renamed",
            "",
            &["vm.createContext"],
            "const { createContext: sandbox } = require('node:vm');\nexports.f = (o) => {\n  sandbox(o); //=>\n};\n",
        ),
        (
            "child logger, once and per request",
            "Pino",
            &["child"],
            "const log = base.child({ app: 1 });\nexports.f = (req) => {\n  req.log = log.child({ id: req.id }); //=>\n};\n",
        ),
        (
            "own class",
            "Job",
            &[],
            "class Job {\n  constructor§(a) {}\n}\nconst first = new Job(0);\nexports.f = (x) => {\n  x.jobs = new Job(x); //=>\n};\n",
        ),
        (
            "function under another name",
            "make",
            &[],
            "function make§(a) {}\nconst other = make;\nexports.f = (x) => {\n  other(x); //=>\n};\n",
        ),
    ];
    for (case, name, callees, text) in cases {
        made(case, name, callees, &[("a.mjs", text)]);
    }
}

#[test]
fn what_makes_a_thing_elsewhere() {
    let found = made(
        "class of another file",
        "Model",
        &[],
        &[
            ("model.js", "class Model {\n  constructor§() {}\n}\nmodule.exports = Model;\n"),
            ("other.js", "class Model {}\nexports.g = () => new Model();\n"),
            (
                "app.js",
                "const Base = require('./model');\nexports.f = () => {\n  return new Base(); //=>\n};\n",
            ),
        ],
    );
    assert_eq!(found.certainty, Certainty::Derived);
    made(
        "the user's call goes before the package's own",
        "",
        &["define"],
        &[
            ("node_modules/orm/index.js", "exports.g = (o) => { o.define('x'); };\n"),
            (
                "app.js",
                "const orm = require('orm');\nexports.f = (db) => {\n  db.define('user'); //=>\n};\n",
            ),
        ],
    );
}

#[test]
fn a_route_asks_for_nothing_and_what_runs_once_makes_one() {
    made(
        "a route",
        "",
        &["request", "get"],
        &[(
            "a.js",
            "exports.f = (app, client) => {\n  app.get('/x', async (req, res) => {\n    await client.get(req.url); //=>\n  });\n};\n",
        )],
    );
    for main in [
        "async function main() {\n  make(1);\n}\nmain().catch(console.error);\n",
        "const main = async () => {\n  make(1);\n};\nvoid main();\n",
        "function start() {\n  make(1);\n}\nfunction main() {\n  start();\n}\nmain();\n",
    ] {
        let rest = "function later(x) {\n  make(x); //=>\n}\nsetInterval(later, 9);\n";
        made(main, "", &["make"], &[("a.js", &format!("{main}{rest}"))]);
    }
    for main in [
        "function main() {\n  make(1); //=>\n}\nfor (;;) main();\n",
        "function main() {\n  make(1); //=>\n}\nmain();\nexports.main = main;\n",
        "export function main() {\n  make(1); //=>\n}\nmain();\n",
        "function main() {\n  make(1); //=>\n}\nexports.f = () => main();\n",
    ] {
        made(main, "", &["make"], &[("a.mjs", &format!("make(0);\n{main}"))]);
    }
}

#[test]
fn what_it_is_called_on() {
    let files = [
        (
            "node_modules/log/index.js",
            "class Log extends Base {\n  add(t) {\n    this.pipe(t); //=>\n  }\n}\nmodule.exports = Log;\n",
        ),
        ("node_modules/a/index.js", "exports.f = (logger, t) => {\n  logger.pipe(t);\n};\n"),
        ("app.js", "exports.f = (req, res) => {\n  req.pipe(res);\n};\n"),
    ];
    let service = Service::write(&files);
    let ask = |on: &[&str], files: &[std::path::PathBuf]| {
        let (callees, on) = (names(&["pipe"]), names(on));
        let question = Question::Creations { name: String::new(), callees, near: None, on };
        answer(&source(), &question, files).unwrap()
    };
    service.check("a class", &ask(&["logger", "Log"], &service.files));
    let found = ask(&["logger"], &service.files);
    assert!(found.best.unwrap().location.file.ends_with("a/index.js"), "by name");
    let found = ask(&["nobody"], &service.files);
    assert!(found.best.unwrap().location.file.ends_with("app.js"), "the user's own");
    let found = ask(&["req"], &service.files);
    assert!(found.best.unwrap().location.file.ends_with("app.js"), "the user's own, by name");
}

#[test]
fn several_calls_that_fit_are_a_guess() {
    let found = made(
        "two",
        "Worker",
        &[],
        &[(
            "a.js",
            "const { Worker } = require('worker_threads');\nexports.f = () => {\n  new Worker('a'); //=>\n};\nexports.g = () => {\n  new Worker('b');\n};\n",
        )],
    );
    assert_eq!(found.certainty, Certainty::Likeliest);
    assert_eq!(found.others.len(), 1);
}

#[test]
fn the_statement_around_a_place() {
    let cases = [
        (
            "a promise",
            "exports.f = () => {\n  return new Promise(§(resolve) => keep(resolve)); //=>\n};\n",
            "new Promise(",
        ),
        (
            "an await",
            "exports.f = async () => {\n  a();\n  const x = await §load(); //=>\n  b(x);\n};\n",
            "const x = await",
        ),
        ("a callback", "exports.f = (x) => {\n  x\n    .map(§(y) => y); //=>\n};\n", ".map("),
        ("an assignment", "exports.f = § async function () {}; //=>\n", "exports.f ="),
        ("a declaration", "a();\nasync function f§(x) { //=>\n  await x;\n}\n", "async function f"),
        ("a blank", "a();\n\n§  \nb();\n", ""),
    ];
    for (case, text, snippet) in cases {
        let service = Service::write(&[("a.js", text)]);
        let place = service.closure.clone().unwrap();
        let found = answer(&source(), &Question::Enclosing(place), &service.files).unwrap();
        if case == "a blank" {
            assert!(found.best.is_some_and(|best| best.location.line == 3), "{case}");
            continue;
        }
        service.check(case, &found);
        let best = found.best.unwrap();
        assert!(best.snippet.starts_with(snippet), "{case}: {}", best.snippet);
    }
}

#[test]
fn every_dialect_that_node_runs() {
    let typed = "export const f = (x: number): void => {\n  setInterval(§(): void => {}, x as number); //=>\n};\n";
    let jsx = "export const f = (x) => {\n  setInterval(§() => <b>{x}</b>, 1); //=>\n};\n";
    let tsx = "export const f = (x: number) => {\n  setInterval(§() => <b>{x}</b>, 1); //=>\n};\n";
    let common = "import os = require('os');\nenum E { A }\nexport = function (x: E) {\n  setInterval(§() => os, 1); //=>\n};\n";
    for (name, text) in [
        ("a.ts", typed),
        ("a.mts", typed),
        ("a.cts", typed),
        ("a.tsx", tsx),
        ("a.jsx", jsx),
        ("a.js", jsx),
        ("b.cts", common),
        ("b.ts", common),
    ] {
        let found = around(name, &["setInterval"], &[(name, text)]);
        assert_eq!(found.notes, Vec::<String>::new(), "{name}");
    }
}
