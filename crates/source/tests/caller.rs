//! A statement in a package, and the user's call that leads there.

// A failed set-up may panic.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Service, source};
use leakline_source::{AdderHint, CollectionKind, Found, Holder, ListenerQuery, Question, answer};

/// The user's files mark the caller with `//<=`, the package the statement with `//=>`.
fn check(case: &str, holder: (&str, &str), kind: CollectionKind, files: &[(&str, &str)]) -> Found {
    let mut service = Service::write(files);
    // What only runs at start leaves no function in the heap: the snapshot does not know the file.
    service.files.retain(|path| !path.ends_with("logging/index.js"));
    let holders = vec![Holder::Property {
        name: holder.1.to_owned(),
        owner_class: None,
        file: Some(service.path(holder.0)),
    }];
    let question = Question::Adders { holders, kind, hint: AdderHint::default() };
    let found = answer(&source(), &question, &service.files).expect(case);
    service.check(case, &found);
    check_caller(case, &service, files, &found);
    found
}

fn check_caller(case: &str, service: &Service, files: &[(&str, &str)], found: &Found) {
    let mut wanted = None;
    for (name, text) in files {
        let line = text.lines().position(|line| line.contains("//<="));
        wanted = wanted.or(line.map(|line| (service.path(name), line as u32 + 1)));
    }
    let caller = found.caller.as_ref().map(|it| (it.location.file.clone(), it.location.line));
    assert_eq!(caller, wanted, "{case}: {found:#?}");
}

const MEMO: &str = "(function () {\n  function memoize(fn) {\n    const memoized = function (key) {\n      const cache = memoized.cache;\n      const result = fn(key);\n      memoized.cache = cache.set(key, result) || cache; //=>\n      return result;\n    };\n    memoized.cache = new Map();\n    return memoized;\n  }\n  const box = {};\n  box.memoize = memoize;\n  module.exports = box;\n}).call(this);\n";
const METRICS_UTIL: &str = "exports.store = function store(map, value, labels) {\n  map[JSON.stringify(labels)] = { value, labels }; //=>\n};\n";
const METRICS: &str = "const { store } = require('./util');\nclass Counter {\n  constructor(o) { this.hashMap = {}; this.o = o; }\n  inc(labels, v) { store(this.hashMap, v, labels); }\n  labels(...a) { return { inc: (v) => store(this.hashMap, v, a) }; }\n}\nmodule.exports = { Counter };\n";

#[test]
fn calls_of_packages() {
    use CollectionKind::{Array, Map, Object};
    check(
        "memoized function",
        ("node_modules/memobox/memobox.js", "cache"),
        Map,
        &[
            ("node_modules/memobox/memobox.js", MEMO),
            ("node_modules/memobox/package.json", "{\"main\": \"memobox.js\"}"),
            (
                "app.js",
                "const _ = require('memobox');\nconst load = _.memoize((key) => read(key));\nfunction read(key) { return { key }; }\nexports.handle = (req) => {\n  return load(req.url); //<=\n};\n",
            ),
        ],
    );
    check(
        "a metric, two files into the package",
        ("node_modules/metrics/index.js", "hashMap"),
        Object,
        &[
            ("node_modules/metrics/index.js", METRICS),
            ("node_modules/metrics/util.js", METRICS_UTIL),
            (
                "metrics.js",
                "const { Counter } = require('metrics');\nexports.hits = new Counter({ name: 'hits' });\n",
            ),
            (
                "app.js",
                "const metrics = require('./metrics');\nconst other = { inc() {} };\nexports.handle = (req) => {\n  other.inc(1);\n  metrics.hits.inc({ path: req.url }); //<=\n};\n",
            ),
        ],
    );
    check(
        "interceptors",
        ("node_modules/client/lib/manager.js", "handlers"),
        Array,
        &[
            (
                "node_modules/client/lib/manager.js",
                "class Manager {\n  constructor() { this.handlers = []; }\n  use(ok, bad) {\n    this.handlers.push({ ok, bad }); //=>\n    return this.handlers.length;\n  }\n}\nmodule.exports = Manager;\n",
            ),
            (
                "node_modules/client/index.js",
                "const Manager = require('./lib/manager');\nmodule.exports = { interceptors: { request: new Manager() }, get() {} };\n",
            ),
            ("node_modules/client/package.json", "{}"),
            (
                "app.mjs",
                "import client from 'client';\nimport web from 'web';\nconst app = web();\napp.use(() => {});\nexport async function handle(req) {\n  client.interceptors.request.use((c) => ({ ...c, req })); //<=\n  return client.get('/');\n}\n",
            ),
        ],
    );
    check(
        "a package that another one uses",
        ("node_modules/inner/index.js", "seen"),
        Map,
        &[
            (
                "node_modules/inner/index.js",
                "class Inner {\n  constructor() { this.seen = new Map(); }\n  compileIt(s) {\n    this.seen.set(s, {}); //=>\n  }\n}\nmodule.exports = Inner;\n",
            ),
            ("node_modules/inner/package.json", "{}"),
            (
                "node_modules/outer/index.js",
                "const Inner = require('inner');\nclass Outer {\n  constructor() { this.inner = new Inner(); }\n  validate(schema, data) { return this.inner.compileIt(schema); }\n  other() {}\n}\nmodule.exports = Outer;\n",
            ),
            ("node_modules/outer/package.json", "{\"dependencies\": {\"inner\": \"*\"}}"),
            (
                "src/app.ts",
                "import Outer from 'outer';\nconst checker: any = new Outer();\nchecker.other();\nexport function handle(req: any) {\n  checker.other();\n  return checker.validate({ id: req.id }, req.body); //<=\n}\n",
            ),
        ],
    );
    check(
        "on an object that the user's folder hands on",
        ("node_modules/log/index.js", "targets"),
        Array,
        &[
            (
                "node_modules/log/index.js",
                "class Log {\n  constructor() { this.targets = []; }\n  add(t) {\n    this.targets.push(t); //=>\n  }\n}\nclass File {}\nmodule.exports = { Log, kinds: { File }, create: () => new Log() };\n",
            ),
            (
                "logging/index.js",
                "const log = require('log');\nconst logger = log.create();\nmodule.exports = { logger };\n",
            ),
            (
                "logging/collect.js",
                "const { kinds } = require('log');\nconst { logger } = require('.');\nmodule.exports = (req, res, next) => {\n  const target = new kinds.File();\n  req.on('x', () => 0);\n  req.ok = true;\n  logger.add(target); //<=\n  next();\n};\n",
            ),
        ],
    );
    check(
        "not the construction that runs once",
        ("node_modules/rules/index.js", "made"),
        Array,
        &[
            (
                "node_modules/rules/index.js",
                "class Rules {\n  constructor() {\n    this.made = [];\n    this.put({});\n  }\n  put(s) {\n    this.made.push(s); //=>\n  }\n  compile(s) { return this.put(s); }\n}\nmodule.exports = { Rules };\n",
            ),
            (
                "app.js",
                "const { Rules } = require('rules');\nasync function main() {\n  const rules = new Rules();\n  serve((req) => {\n    rules.compile(req.body); //<=\n  });\n}\nmain();\nfunction serve(f) { require('http').createServer(f); }\n",
            ),
        ],
    );
    check(
        "on an object that the package hands over",
        ("node_modules/log/index.js", "children"),
        Array,
        &[
            (
                "node_modules/log/index.js",
                "class Log {\n  constructor() { this.children = []; }\n  child(b) {\n    const c = new Log();\n    this.children.push(c); //=>\n    return c;\n  }\n}\nmodule.exports = () => new Log();\n",
            ),
            (
                "app.js",
                "const log = require('log')();\nconst http = require('http');\nhttp.createServer((req, res) => {\n  req.log = log.child({ id: req.id }); //<=\n  res.end();\n});\n",
            ),
        ],
    );
}

#[test]
fn a_listener_that_a_package_registers() {
    let files = [
        (
            "node_modules/guard/index.js",
            "module.exports = function guard(res) {\n  process.on('exit', §() => res.end()); //=>\n};\n",
        ),
        (
            "app.js",
            "const guard = require('guard');\nexports.handle = (req, res) => {\n  guard(res); //<=\n};\n",
        ),
    ];
    let service = Service::write(&files);
    let closure = service.closure.clone().unwrap();
    let question = Question::Registration(ListenerQuery::event("exit"), closure);
    let found = answer(&source(), &question, &service.files).unwrap();
    service.check("guard", &found);
    check_caller("guard", &service, &files, &found);
}

#[test]
fn without_a_call_it_says_so_and_in_own_code_there_is_no_caller() {
    let package = "class Log {\n  constructor() { this.children = []; }\n  child(b) {\n    this.children.push(b); //=>\n  }\n}\nmodule.exports = () => new Log();\n";
    let files =
        [("node_modules/log/index.js", package), ("app.js", "exports.handle = () => {};\n")];
    let found =
        check("none", ("node_modules/log/index.js", "children"), CollectionKind::Array, &files);
    assert!(found.notes.iter().any(|note| note.contains("no call of your own")), "{found:#?}");
    let found = check("own", ("log.js", "children"), CollectionKind::Array, &[("log.js", package)]);
    assert_eq!(found.notes, Vec::<String>::new());
}

#[test]
fn a_package_that_is_only_used_somehow_is_a_guess() {
    let found = check(
        "somehow",
        ("node_modules/box/index.js", "all"),
        CollectionKind::Array,
        &[
            (
                "node_modules/box/index.js",
                "const all = [];\nexports.all = all;\nfunction keep(x) {\n  exports.all.push(x); //=>\n}\nexports['do' + 'It'] = (x) => [x].forEach(keep);\n",
            ),
            (
                "app.js",
                "const box = require('box');\nexports.handle = (req) => {\n  box.doIt(req); //<=\n};\n",
            ),
        ],
    );
    assert!(found.notes.iter().any(|note| note.contains("could not be told")), "{found:#?}");
}
