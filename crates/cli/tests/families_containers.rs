//! Collections, chains, caches and what packages keep, leaking and healthy, on real Node of every version.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use leakline_testkit::load::Load;
use leakline_testkit::node::{NodeApp, node_binary};
use serde_json::Value;

use common::{run, scratch};

/// Requests before the first snapshot, and between two snapshots.
const BEFORE: u64 = 100;
const REQUESTS: u64 = 300;
/// Numbers weigh little: so many per request.
const WORKERS: usize = 2;
/// One version after the other, so that each family meets several.
const VERSIONS: [u32; 5] = [20, 24, 18, 26, 22];

struct Case {
    name: &'static str,
    /// What stands before the server.
    top: &'static str,
    /// What every request does; `// LEAK` marks lines that are right.
    each: &'static str,
    /// A package: its name and its text, in which lines may be marked too.
    package: Option<(&'static str, &'static str)>,
    /// `None` for a healthy one: rule and holder.
    truth: Option<(&'static str, &'static str)>,
}

const fn leak(
    name: &'static str,
    truth: (&'static str, &'static str),
    top: &'static str,
    each: &'static str,
) -> Case {
    Case { name, top, each, package: None, truth: Some(truth) }
}

const fn healthy(name: &'static str, top: &'static str, each: &'static str) -> Case {
    Case { name, top, each, package: None, truth: None }
}

const fn with(package: (&'static str, &'static str), case: Case) -> Case {
    Case { package: Some(package), ..case }
}

const CASES: &[Case] = &[
    leak(
        "a static field",
        ("collection", "Reg.items"),
        "class Reg {\n static items = new Map();\n static add(k, v) {\n  this.items.set(k, v); // LEAK\n }\n}",
        "Reg.add(req.url, { at: new Date() });",
    ),
    leak(
        "an array for each of five users",
        ("collection", "byUser[…]"),
        "const byUser = {};\nlet n = 0;",
        "const u = 'u' + (++n % 5);\n(byUser[u] ||= []).push({ u: req.url }); // LEAK",
    ),
    leak(
        "an array for each of many users, each with a few",
        ("collection", "byUser[…]"),
        "const byUser = {};\nlet n = 0;",
        "const u = 'u' + (++n % 150);\nif (!byUser[u]) byUser[u] = [];\nbyUser[u].push({ u: req.url }); // LEAK",
    ),
    leak(
        "a map for each tenant",
        ("collection", "tenants.get(…)"),
        "const tenants = new Map();\nlet n = 0;",
        "const t = 't' + (++n % 5);\nif (!tenants.has(t)) tenants.set(t, new Map());\n\
         tenants.get(t).set(req.url, { at: new Date() }); // LEAK",
    ),
    leak(
        "a map of lists, through a variable",
        ("collection", "buckets.get(…)"),
        "const buckets = new Map();\nlet n = 0;",
        "const k = ++n % 7;\nconst list = buckets.get(k) || [];\nlist.push({ u: req.url }); // LEAK\n\
         buckets.set(k, list);",
    ),
    leak(
        "a weak map whose keys are kept elsewhere",
        ("collection", "live"),
        "const meta = new WeakMap();\nconst live = [];",
        "const o = { u: req.url };\nlive.push(o); // LEAK\nmeta.set(o, { big: new Array(60).fill(req.url) });",
    ),
    leak(
        "numbers in a map",
        ("collection", "m"),
        "const m = new Map();\nlet n = 0;",
        "for (let i = 0; i < 12; i++) {\n m.set(++n, n * 2); // LEAK\n}",
    ),
    leak(
        "numbers in an array",
        ("collection", "times"),
        "const times = [];\nlet n = 0;",
        "for (let i = 0; i < 12; i++) {\n times.push(++n); // LEAK\n}",
    ),
    leak(
        "a list that is made anew each time",
        ("collection", "list"),
        "let list = [];",
        "list = [...list, { u: req.url }]; // LEAK",
    ),
    leak(
        "a class that extends Set by another name",
        ("collection", "seen"),
        "class Visitors extends Set {}\nconst seen = new Visitors();",
        "seen.add(req.url + 'x'); // LEAK",
    ),
    with(
        (
            "hookreg",
            "const items = [];\nexports.register = function (f) {\n  items.push(f); // LEAK\n};\n\
             exports.run = () => items.forEach((f) => f());\n",
        ),
        leak(
            "closures in a package's list",
            ("collection", "items"),
            "const reg = require('hookreg');",
            "const id = req.url;\nreg.register(() => id);",
        ),
    ),
    leak(
        "each holds the one before",
        ("chain", "last"),
        "let last = null;",
        "last = { prev: last, u: req.url }; // LEAK",
    ),
    leak(
        "each hangs on the one before",
        ("chain", "head"),
        "const head = { u: '' };\nlet tail = head;\nconst first = () => head.u;",
        "first();\nconst node = { u: req.url };\ntail.next = node; // LEAK\ntail = node; // LEAK",
    ),
    leak(
        "a list with links both ways",
        ("chain", "list.tail"),
        "class Node {\n constructor(v) {\n  this.v = v;\n  this.next = null;\n  this.prev = null;\n }\n}\n\
         class List {\n constructor() {\n  this.head = null;\n  this.tail = null;\n }\n push(v) {\n  \
         const n = new Node(v);\n  if (!this.head) {\n   this.head = n;\n   this.tail = n;\n   return;\n  }\n  \
         n.prev = this.tail;\n  this.tail.next = n; // LEAK\n  this.tail = n; // LEAK\n }\n}\n\
         const list = new List();",
        "list.push({ u: req.url });",
    ),
    leak(
        "a function wrapped around itself",
        ("chain", "handler"),
        "let handler = (x) => x;\nfunction wrap(next, id) {\n return (x) => next(x + id.length);\n}",
        "handler = wrap(handler, req.url); // LEAK",
    ),
    leak(
        "errors that are each other's cause",
        ("chain", "lastError"),
        "let lastError;",
        "lastError = new Error('failed ' + req.url, { cause: lastError }); // LEAK",
    ),
    leak(
        "a memo of the user's own",
        ("memoize-cache", "results"),
        "function remember(fn) {\n const results = new Map();\n return (key) => {\n  \
         if (!results.has(key)) results.set(key, fn(key)); // LEAK\n  return results.get(key);\n };\n}\n\
         const parse = remember((url) => ({ url, at: Date.now() }));",
        "parse(req.url);",
    ),
    with(
        (
            "memo-fn",
            "module.exports = function memoize(fn) {\n  const memoized = (key) => {\n    \
             if (!memoized.cache.has(key)) memoized.cache.set(key, fn(key)); // LEAK\n    \
             return memoized.cache.get(key);\n  };\n  memoized.cache = new Map();\n  return memoized;\n};\n",
        ),
        leak(
            "a package's memo",
            ("memoize-cache", "lookup.cache"),
            "const memoize = require('memo-fn');\nfunction find(url) {\n return { url, at: Date.now() };\n}\n\
             const lookup = memoize(find); // LEAK",
            "lookup(req.url);",
        ),
    ),
    with(
        (
            "some-session",
            "class MemoryStore {\n  constructor() {\n    this.sessions = Object.create(null);\n  }\n  \
             set(id, s) {\n    this.sessions[id] = JSON.stringify(s); // LEAK\n  }\n}\n\
             module.exports = { MemoryStore };\n",
        ),
        leak(
            "sessions in memory",
            ("session-store", "store.sessions"),
            "const { MemoryStore } = require('some-session');\nconst store = new MemoryStore();",
            "store.set('s' + req.url, { cookie: { path: '/' }, seen: req.url });",
        ),
    ),
    with(
        (
            "some-metrics",
            "class Counter {\n  constructor(name, labelNames) {\n    this.name = name;\n    \
             this.labelNames = labelNames;\n    this.hashMap = {};\n  }\n  inc(labels) {\n    \
             const key = this.labelNames.map((n) => n + ':' + labels[n]).join();\n    \
             const entry = this.hashMap[key];\n    if (entry) entry.value++;\n    \
             else this.hashMap[key] = { value: 1, labels }; // LEAK\n  }\n}\nmodule.exports = { Counter };\n",
        ),
        leak(
            "a label value for each request",
            ("metric-labels", "hits.hashMap"),
            "const { Counter } = require('some-metrics');\nconst hits = new Counter('hits', ['path']);",
            "hits.inc({ path: req.url });",
        ),
    ),
    with(
        (
            "some-app",
            "class App {\n  constructor() {\n    this.middleware = [];\n  }\n  use(fn) {\n    \
             this.middleware.push(fn); // LEAK\n    return this;\n  }\n}\nmodule.exports = App;\n",
        ),
        leak(
            "middleware for each request",
            ("middleware", "app.middleware"),
            "const App = require('some-app');\nconst app = new App();",
            "const id = req.url;\napp.use((ctx, next) => next(id));",
        ),
    ),
    healthy(
        "a map of numbers with a bound",
        "const m = new Map();\nlet n = 0;",
        "for (let i = 0; i < 12; i++) {\n m.set(++n, n);\n if (m.size > 500) m.delete(m.keys().next().value);\n}",
    ),
    healthy(
        "a window of numbers",
        "const times = [];\nlet n = 0;",
        "for (let i = 0; i < 12; i++) times.push(++n);\nif (times.length > 1000) times.splice(0, 500);",
    ),
    healthy(
        "lists per user with a bound",
        "const byUser = {};\nlet n = 0;",
        "const u = 'u' + (++n % 20);\n(byUser[u] ||= []).push({ u: req.url });\n\
         if (byUser[u].length > 4) byUser[u].shift();",
    ),
    healthy(
        "a chain that is cut",
        "let last = null;\nlet length = 0;",
        "last = { prev: last, u: req.url };\nif (++length > 50) {\n let n = last;\n \
         for (let i = 0; i < 49; i++) n = n.prev;\n n.prev = null;\n length = 50;\n}",
    ),
    healthy(
        "a queue that is worked off",
        "let head = null;\nlet tail = null;\nlet size = 0;",
        "const n = { u: req.url, next: null };\nif (tail) tail.next = n;\nelse head = n;\ntail = n;\n\
         if (++size > 60) {\n head = head.next;\n size--;\n}",
    ),
    healthy(
        "a memo of few keys",
        "function remember(fn) {\n const results = new Map();\n return (key) => {\n  \
         if (!results.has(key)) results.set(key, fn(key));\n  return results.get(key);\n };\n}\n\
         const parse = remember((k) => ({ k, at: Date.now() }));\nlet n = 0;",
        "parse('k' + (++n % 90));",
    ),
    healthy("a weak map alone", "const meta = new WeakMap();", "meta.set(req, { u: req.url });"),
];

#[test]
fn containers() {
    let jobs: Vec<(&Case, u32)> = CASES.iter().zip(VERSIONS.into_iter().cycle()).collect();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((case, version)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(text) = judge(case, *version) {
                        let mut wrong = wrong.lock().unwrap_or_else(PoisonError::into_inner);
                        wrong.push(format!("{} on node {version}: {text}", case.name));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), jobs.len(), wrong.join("\n"));
}

fn judge(case: &Case, version: u32) -> Result<(), String> {
    let dir = scratch();
    let root = dir.path().canonicalize().unwrap();
    let script = root.join("app.js");
    let source = format!(
        "const http = require('http');\n{}\nconst server = http.createServer((req, res) => {{\n{}\n\
         res.end('ok');\n}});\nserver.listen(0, '127.0.0.1', () => \
         console.log('listening on http://127.0.0.1:' + server.address().port));\n",
        case.top, case.each
    );
    std::fs::write(&script, &source).unwrap();
    let mut right = marked(&script, &source);
    if let Some((name, text)) = case.package {
        let folder = root.join("node_modules").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("index.js");
        std::fs::write(&file, text).unwrap();
        right.extend(marked(&file, text));
    }
    let found = suspects(version, &script, &root).map_err(|e| e.to_string())?;
    let first = &found["suspects"][0];
    let Some((rule, holder)) = case.truth else {
        if found["leak"] == false && found["verdict"] == "no-leak" {
            return Ok(());
        }
        return Err(format!("verdict {}, first: {first}", found["verdict"]));
    };
    let culprit = &first["culprit"];
    let named = format!("{}:{}", culprit["file"].as_str().unwrap_or_default(), culprit["line"]);
    let user = &culprit["caller"];
    let calls = user["file"].as_str().is_none_or(|file| Path::new(file) == script);
    if found["leak"] == true
        && first["rule"] == rule
        && first["holder"]["path"] == holder
        && right.contains(&named)
        && calls
    {
        return Ok(());
    }
    Err(format!(
        "{} {} {} {} {} at {named} called from {user}, wanted {rule} {holder} {right:?}",
        found["verdict"],
        first["rule"],
        first["holder"]["path"],
        first["confidence"],
        first["leaked"]["counts"]
    ))
}

/// The marked lines of a file, each as `file:line`.
fn marked(file: &Path, text: &str) -> Vec<String> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| line.contains("// LEAK"));
    lines.map(|(number, _)| format!("{}:{number}", file.display())).collect()
}

fn suspects(version: u32, script: &Path, dir: &Path) -> std::io::Result<Value> {
    let mut app = NodeApp::new(node_binary(version)?, script).start()?;
    let files = ["a", "b", "c"].map(|name| dir.join(format!("{name}.heapsnapshot")));
    for (i, file) in files.iter().enumerate() {
        let count = if i == 0 { BEFORE } else { REQUESTS };
        Load::new(&format!("/{i}/{{n}}"), count).run(app.port())?;
        thread::sleep(Duration::from_millis(100));
        app.write_snapshot(file)?;
    }
    let [a, b, c] = files.each_ref().map(|p| p.as_os_str());
    Ok(run(["suspects".as_ref(), a, b, c, "--json".as_ref()]).expect_code(0).json())
}
