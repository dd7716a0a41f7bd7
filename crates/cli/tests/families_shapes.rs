//! Families that are known by the shape of what is kept (scopes, buffers, pieces of strings, modules, compiled
//! code, workers), and healthy services that grow and level off, on real Node of every version.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use leakline_testkit::load::Load;
use leakline_testkit::node::{NodeApp, node_binary};
use leakline_testkit::turns::in_turn;
use serde_json::Value;

use common::{run, scratch};

/// The versions that cases are spread over, each next one on the next.
const VERSIONS: [u32; 5] = [18, 20, 22, 24, 26];
/// Apps at a time.
const WORKERS: usize = 2;

struct Case {
    name: &'static str,
    /// What stands before the server.
    top: &'static str,
    /// What every request does; `// LEAK` marks the culprit.
    each: &'static str,
    /// Requests before each of the three snapshots.
    requests: [u64; 3],
    /// `None` for a healthy one: rule and holder.
    truth: Option<(&'static str, &'static str)>,
    /// The heap leaves a doubt, so the finding is a hint.
    hint: bool,
}

const fn leak(
    name: &'static str,
    truth: (&'static str, &'static str),
    top: &'static str,
    each: &'static str,
) -> Case {
    Case { name, top, each, requests: [100, 200, 200], truth: Some(truth), hint: false }
}

const fn few(mut case: Case, requests: [u64; 3]) -> Case {
    case.requests = requests;
    case
}

const fn hint(mut case: Case) -> Case {
    case.hint = true;
    case
}

const fn healthy(name: &'static str, top: &'static str, each: &'static str) -> Case {
    Case { name, top, each, requests: [150, 300, 300], truth: None, hint: false }
}

const LEAKS: &[Case] = &[
    leak(
        "each scope keeps the one before",
        ("shared-context", "theThing"),
        "let theThing = null;\nconst replaceThing = function () {\n  const originalThing = theThing;\n  \
         const unused = function () { if (originalThing) console.log('hi'); };\n  theThing = { // LEAK\n    \
         longStr: new Array(1000).join('*'),\n    someMethod: function () { return 1; },\n  };\n};",
        "replaceThing();",
    ),
    leak(
        "a small function keeps its sibling's rows",
        ("shared-context", "hooks"),
        "const hooks = [];\nfunction attach(url) {\n  const rows = new Array(500).fill(url + '!');\n  \
         const total = () => rows.length;\n  hooks.push(() => 'done'); // LEAK\n  return total();\n}",
        "attach(req.url);",
    ),
    leak(
        "a method keeps its sibling's payload",
        ("shared-context", "conns"),
        "const conns = new Map();\nfunction open(url) {\n  const payload = [];\n  \
         for (let i = 0; i < 100; i++) payload.push({ url, i });\n  const size = () => payload.length;\n  \
         conns.set(url, { url, n: size(), close() { return true; } }); // LEAK\n}",
        "open(req.url);",
    ),
    leak(
        "functions that need what they keep",
        ("collection", "jobs"),
        "const jobs = [];\nfunction later(url) {\n  const rows = new Array(500).fill(url + '!');\n  \
         jobs.push(() => rows.length); // LEAK\n}",
        "later(req.url);",
    ),
    leak(
        "buffers in a list",
        ("buffer", "bodies"),
        "const bodies = [];",
        "bodies.push(Buffer.alloc(20000)); // LEAK",
    ),
    leak(
        "buffers as a field",
        ("buffer", "uploads"),
        "const uploads = new Map();",
        "uploads.set(req.url, { at: Date.now(), body: Buffer.alloc(20000) }); // LEAK",
    ),
    leak(
        "views that pin their buffer",
        ("buffer", "heads"),
        "const heads = new Map();",
        "const body = Buffer.alloc(20000);\nheads.set(req.url, body.subarray(0, 16)); // LEAK",
    ),
    leak(
        "typed arrays in a class",
        ("buffer", "store.parts"),
        "class Store {\n  constructor() { this.parts = new Set(); }\n  add(b) {\n    this.parts.add(b); // LEAK\n  }\n}\n\
         const store = new Store();",
        "store.add(new Float64Array(2000));",
    ),
    hint(leak(
        "one buffer that is put together anew",
        ("buffer", "all"),
        "let all = Buffer.alloc(0);",
        "all = Buffer.concat([all, Buffer.from(req.url + 'x'.repeat(500))]); // LEAK",
    )),
    leak(
        "tokens cut out of bodies",
        ("string-parent", "tokens"),
        "const tokens = new Map();\nlet n = 0;",
        "const body = Buffer.alloc(20000, 97 + (++n % 20)).toString('latin1');\n\
         tokens.set(n, body.substring(40, 80)); // LEAK",
    ),
    leak(
        "a match kept in an object",
        ("string-parent", "seen"),
        "const seen = [];\nlet n = 0;",
        "const doc = Buffer.alloc(20000, 97 + (++n % 20)).toString('latin1');\nconst m = /^.{20}/.exec(doc);\n\
         seen.push({ at: n, id: m[0] }); // LEAK",
    ),
    leak(
        "a string that is appended to",
        ("string-parent", "logText"),
        "let logText = '';",
        "logText += req.url + ' ' + Date.now() + '\\n'; // LEAK",
    ),
    few(
        leak(
            "a module deleted from the cache and required again",
            ("module-growth", "app.js: module.children"),
            "const path = require('path');\nconst fs = require('fs');\nconst file = path.join(__dirname, 'plug.js');\n\
             fs.writeFileSync(file, 'module.exports = new Array(200).fill(0).map((_, i) => ({ i }));');",
            "delete require.cache[file];\nrequire(file); // LEAK",
        ),
        [50, 100, 100],
    ),
    few(
        leak(
            "an import with a query that changes",
            ("module-growth", "modules loaded by import()"),
            "const path = require('path');\nconst fs = require('fs');\nlet n = 0;\nconst { pathToFileURL } = require('url');\n\
             const file = path.join(__dirname, 'plug.mjs');\n\
             fs.writeFileSync(file, 'export const rows = new Array(200).fill(0).map((_, i) => ({ i }));');",
            "import(pathToFileURL(file) + '?v=' + ++n); // LEAK",
        ),
        [50, 100, 100],
    ),
    few(
        leak(
            "a context of vm for each request",
            ("code-growth", "boxes"),
            "const vm = require('vm');\nconst boxes = [];",
            "const box = vm.createContext({ url: req.url });\nboxes.push(box); // LEAK\nvm.runInContext('var a = 1', box);",
        ),
        [5, 10, 10],
    ),
    leak(
        "scripts by number",
        ("code-growth", "scripts"),
        "const vm = require('vm');\nconst scripts = new Map();\nlet n = 0;",
        "scripts.set(++n, new vm.Script('function f(a) { return a + ' + n + ' } f(1)')); // LEAK\n\
         scripts.get(n).runInThisContext();",
    ),
    leak(
        "functions made from text in a list",
        ("code-growth", "compiled"),
        "const compiled = [];\nlet n = 0;",
        "compiled.push(new Function('a', 'return a + ' + ++n)); // LEAK\ncompiled[compiled.length - 1](2);",
    ),
    leak(
        "functions made from text in a dictionary",
        ("code-growth", "compiled"),
        "const compiled = {};\nlet n = 0;",
        "const f = compiled['k' + ++n] = new Function('a', 'return a + ' + n); // LEAK\nf(2);",
    ),
    leak(
        "evaluated rules",
        ("code-growth", "rules"),
        "const rules = new Map();\nlet n = 0;",
        "const src = '(x) => x * ' + ++n;\nrules.set(n, eval(src)); // LEAK\nrules.get(n)(3);",
    ),
    leak(
        "WebAssembly instances",
        ("code-growth", "mods"),
        "const mods = [];\nconst bytes = new Uint8Array([0,97,115,109,1,0,0,0,1,5,1,96,0,1,127,3,2,1,0,7,5,1,1,102,\
         0,0,10,6,1,4,0,65,42,11]);",
        "mods.push(new WebAssembly.Instance(new WebAssembly.Module(bytes))); // LEAK\nmods[mods.length - 1].exports.f();",
    ),
    few(
        leak(
            "a worker for each request",
            ("worker", "worker threads"),
            "const { Worker } = require('worker_threads');",
            "const w = new Worker('setInterval(() => {}, 1e6)', { eval: true }); // LEAK\nw.on('message', () => {});",
        ),
        [2, 8, 8],
    ),
    leak(
        "a channel for each request",
        ("worker", "open message ports"),
        "const { MessageChannel } = require('worker_threads');",
        "const { port1, port2 } = new MessageChannel(); // LEAK\nport1.on('message', () => {});\nport2.postMessage(req.url);",
    ),
    leak(
        "a broadcast channel for each request",
        ("worker", "open broadcast channels"),
        "const { BroadcastChannel } = require('worker_threads');",
        "const bc = new BroadcastChannel('news'); // LEAK\nbc.onmessage = () => {};",
    ),
];

const HEALTHY: &[Case] = &[
    healthy(
        "a cache at its bound",
        "const lru = new Map();",
        "lru.set(req.url, { u: req.url, body: Buffer.alloc(2000) });\n\
         if (lru.size > 400) lru.delete(lru.keys().next().value);",
    ),
    healthy(
        "a pool of buffers that fills",
        "const pool = [];",
        "if (pool.length < 200) pool.push(Buffer.alloc(10000));",
    ),
    healthy(
        "a ring of strings",
        "const ring = new Array(256);\nlet n = 0;",
        "ring[n++ % 256] = ('' + n).padEnd(2000, 'abc').substring(10, 60);",
    ),
    healthy(
        "weak caches",
        "const weak = new WeakMap();\nconst refs = new Map();\nlet keep = [];\nlet n = 0;",
        "const key = { u: req.url };\nweak.set(key, new Array(200).fill(req.url));\nkeep.push(key);\n\
         if (keep.length > 100) keep.shift();\nconst big = { rows: new Array(200).fill(req.url) };\n\
         refs.set(n++ % 64, new WeakRef(big));",
    ),
    healthy(
        "entries with a lifetime",
        "const ttl = new Map();\nconst now = () => Date.now();",
        "ttl.set(req.url, { at: now(), u: req.url });\n\
         for (const [k, v] of ttl) { if (now() - v.at > 40) ttl.delete(k); else break; }",
    ),
    healthy(
        "modules loaded on first use",
        "let n = 0;",
        "if (++n === 140) for (const m of ['tls', 'http2', 'zlib', 'repl']) require(m);\n\
         if (n === 440) for (const m of ['dgram', 'inspector', 'readline', 'vm']) require(m);",
    ),
    healthy(
        "code that warms up",
        "const shapes = [];\nfor (let i = 0; i < 40; i++) shapes.push(new Function('o', `return o.a${i % 7} + ${i}`));\n\
         let n = 0;",
        "n++;\nlet sum = 0;\nfor (let i = 0; i < 40; i++) sum += shapes[i]({ ['a' + (i % 7)]: n, ['b' + (n % 50)]: 1 });\n\
         JSON.stringify({ sum, when: new Date(), list: [1, 2, 3].map((x) => x * n) });",
    ),
    healthy(
        "one context of vm for all",
        "const vm = require('vm');\nconst box = vm.createContext({});\nconst script = new vm.Script('n * 2');",
        "box.n = req.url.length;\nscript.runInContext(box);\nnew vm.Script('1 + ' + req.url.length).runInThisContext();",
    ),
    healthy(
        "workers that end",
        "const { MessageChannel } = require('worker_threads');",
        "const { port1, port2 } = new MessageChannel();\nport1.once('message', () => port1.close());\nport2.postMessage(req.url);",
    ),
    healthy(
        "a scope that is let go",
        "let last = null;",
        "const before = last;\nconst delta = () => (before ? before.n : 0);\nconst rows = new Array(500).fill(req.url);\n\
         last = { n: rows.length + delta() };",
    ),
    healthy(
        "bodies that are cut and dropped",
        "const recent = [];",
        "const body = Buffer.alloc(20000, 97).toString('latin1');\nrecent.push(body.slice(10, 60));\n\
         if (recent.length > 50) recent.shift();",
    ),
    healthy(
        "work in flight",
        "const open = new Set();\nlet n = 0;",
        "const job = { u: req.url, rows: new Array(50).fill(req.url) };\nopen.add(job);\n\
         setTimeout(() => open.delete(job), (n++ % 20));",
    ),
];

#[test]
fn families_by_shape() {
    each(LEAKS, judge_leak);
}

#[test]
fn healthy_services_have_no_leak() {
    each(HEALTHY, judge_healthy);
}

/// Judges all cases, spread over the versions; `LEAKLINE_TEST_NODES=18,26` runs each on those instead, and
/// `LEAKLINE_TEST_CASE` only those whose name holds the text.
fn each(cases: &[Case], judge: fn(&Case, &Capture) -> Result<(), String>) {
    let wanted = std::env::var("LEAKLINE_TEST_NODES").ok();
    let only = std::env::var("LEAKLINE_TEST_CASE").unwrap_or_default();
    let mut jobs: Vec<(&Case, u32)> = Vec::new();
    for (i, case) in cases.iter().enumerate().filter(|(_, c)| c.name.contains(&only)) {
        match &wanted {
            Some(list) => jobs.extend(list.split(',').map(|v| (case, v.parse().unwrap()))),
            None => jobs.push((case, VERSIONS[i % VERSIONS.len()])),
        }
    }
    let wrong = in_turn(&jobs, WORKERS, |(case, version)| {
        let dir = scratch();
        Capture::of(case, *version, dir.path())
            .map_err(|e| e.to_string())
            .and_then(|capture| judge(case, &capture))
            .map_err(|text| format!("{} on node {version}: {text}", case.name))
    });
    let wrong: Vec<String> = wrong.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), jobs.len(), wrong.join("\n"));
}

/// Three snapshots of one process, and for a healthy one the second of another process.
struct Capture {
    source: String,
    files: [PathBuf; 3],
    other: Option<PathBuf>,
}

impl Capture {
    fn of(case: &Case, version: u32, dir: &Path) -> std::io::Result<Self> {
        let script = dir.canonicalize()?.join("app.js");
        let source = format!(
            "const http = require('http');\n{}\nconst server = http.createServer((req, res) => {{\n{}\n\
             res.end('ok');\n}});\nserver.listen(0, '127.0.0.1', () => \
             console.log('listening on http://127.0.0.1:' + server.address().port));\n",
            case.top, case.each
        );
        std::fs::write(&script, &source)?;
        let files = ["a", "b", "c"].map(|name| dir.join(format!("{name}.heapsnapshot")));
        let serve = |files: &[PathBuf], requests: &[u64]| -> std::io::Result<()> {
            let mut app = NodeApp::new(node_binary(version)?, &script).start()?;
            for (i, (file, count)) in files.iter().zip(requests).enumerate() {
                Load::new(&format!("/{i}/{{n}}"), *count).run(app.port())?;
                // A thread needs a moment to start or to end.
                let threads = case.top.contains("worker_threads");
                thread::sleep(Duration::from_millis(if threads { 900 } else { 100 }));
                app.write_snapshot(file)?;
            }
            Ok(())
        };
        serve(&files, &case.requests)?;
        let other = dir.join("other.heapsnapshot");
        if case.truth.is_none() {
            // As much as before the second: two snapshots cannot tell a cache that fills from a leak.
            serve(std::slice::from_ref(&other), &[case.requests[0] + case.requests[1]])?;
        }
        let other = case.truth.is_none().then_some(other);
        Ok(Self { source, files, other })
    }
}

fn suspects(files: &[&PathBuf]) -> Value {
    let mut args = vec!["suspects".as_ref(), "--json".as_ref()];
    args.extend(files.iter().map(|f| f.as_os_str()));
    run(args).expect_code(0).json()
}

fn judge_leak(case: &Case, capture: &Capture) -> Result<(), String> {
    let Some((rule, holder)) = case.truth else { return Err("no truth".into()) };
    let line = (1u64..)
        .zip(capture.source.lines())
        .find(|(_, l)| l.contains("// LEAK"))
        .map(|(n, _)| n)
        .ok_or("no line is marked")?;
    let [a, b, c] = &capture.files;
    for files in [vec![a, b, c], vec![a, c]] {
        let found = suspects(&files);
        let first = &found["suspects"][0];
        let right = first["rule"] == rule
            && first["holder"]["path"] == holder
            && first["culprit"]["line"] == line
            // Once is not enough for every family.
            && (found["leak"] == true || case.hint || files.len() == 2);
        if !right {
            return Err(format!(
                "with {} snapshots: {}, {} `{}` line {} (wanted {line}) {}: {}",
                files.len(),
                found["verdict"],
                first["rule"],
                first["holder"]["path"],
                first["culprit"]["line"],
                first["leaked"],
                first["notes"]
            ));
        }
    }
    Ok(())
}

fn judge_healthy(_: &Case, capture: &Capture) -> Result<(), String> {
    let [a, b, c] = &capture.files;
    let mut series = vec![vec![a, b, c], vec![b, c]];
    // Snapshots of two processes: no id means the same in both.
    series.extend(capture.other.iter().map(|other| vec![other, c]));
    for files in series {
        let found = suspects(&files);
        if found["leak"] != false {
            let first = &found["suspects"][0];
            return Err(format!(
                "{} snapshots, by {}: {}, {} `{}` {}",
                files.len(),
                found["comparable"]["by"],
                found["verdict"],
                first["rule"],
                first["holder"]["path"],
                first["leaked"]
            ));
        }
    }
    Ok(())
}
