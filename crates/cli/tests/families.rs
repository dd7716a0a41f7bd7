//! Leaks and healthy look-alikes of both families in forms that real programs have, on real Node.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;

use leakline_testkit::turns::in_turn;

use common::{scratch, suspects_of_app};

/// Requests between two snapshots.
const REQUESTS: u64 = 300;
/// Apps at a time.
const WORKERS: usize = 2;

struct Case {
    name: &'static str,
    /// What stands before the server.
    top: &'static str,
    /// What every request does; `// LEAK` marks the culprits.
    each: &'static str,
    /// Requests before the first snapshot.
    before: u64,
    /// `None` for a healthy one: rule, holder and count in the first snapshot.
    truth: Option<(&'static str, &'static str, u64)>,
}

const fn leak(
    name: &'static str,
    top: &'static str,
    each: &'static str,
    before: u64,
    truth: (&'static str, &'static str, u64),
) -> Case {
    Case { name, top, each, before, truth: Some(truth) }
}

const fn healthy(name: &'static str, top: &'static str, each: &'static str, before: u64) -> Case {
    Case { name, top, each, before, truth: None }
}

const CASES: &[Case] = &[
    leak(
        "the first listener stood alone",
        "const bus = new (require('events'))();\nbus.setMaxListeners(0);\nfunction reg(id) {\n  \
         bus.on('tick', () => id); // LEAK\n}\nreg('boot');",
        "reg(req.url);",
        0,
        ("event-listener", "bus", 1),
    ),
    leak(
        "no list before the first request, few requests",
        "",
        "const id = req.url;\nprocess.on('beforeExit', () => id); // LEAK",
        0,
        ("event-listener", "process", 0),
    ),
    leak(
        "the server itself, which hangs in timers and handles",
        "",
        "const id = req.url;\nserver.on('close', () => id); // LEAK",
        100,
        ("event-listener", "server", 100),
    ),
    leak(
        "one function for all",
        "const bus = new (require('events'))();\nbus.setMaxListeners(0);\nfunction onDrain() {}",
        "bus.on('drain', onDrain); // LEAK",
        200,
        ("event-listener", "bus", 200),
    ),
    leak(
        "one event from two lines",
        "const bus = new (require('events'))();\nbus.setMaxListeners(0);",
        "const id = req.url;\nbus.on('tick', () => id); // LEAK\n\
         const big = { id };\nbus.on('tick', () => big); // LEAK",
        100,
        ("event-listener", "bus", 100),
    ),
    leak(
        "an event's name of its own for each",
        "const bus = new (require('events'))();\nlet n = 0;",
        "const ctx = { u: req.url };\nbus.once('reply:' + ++n, () => ctx); // LEAK",
        100,
        ("event-listener", "bus", 100),
    ),
    leak(
        "numbers in a dictionary",
        "const hits = {};",
        "hits[req.url] = 1; // LEAK",
        100,
        ("collection", "hits", 100),
    ),
    leak(
        "numbers as keys",
        "const byId = {};\nlet n = 0;",
        "byId[++n] = { u: req.url }; // LEAK",
        100,
        ("collection", "byId", 100),
    ),
    leak(
        "a private field",
        "class Svc {\n  #cache = new Map();\n  get(k) {\n    this.#cache.set(k, { k }); // LEAK\n  }\n}\n\
         const svc = new Svc();",
        "svc.get(req.url);",
        100,
        ("collection", "svc.#cache", 100),
    ),
    leak(
        "a map per tenant",
        "const tenants = new Map();\nlet n = 0;",
        "const t = 't' + (++n % 5);\nif (!tenants.has(t)) tenants.set(t, new Map());\n\
         tenants.get(t).set(req.url, { at: new Date() }); // LEAK",
        100,
        ("collection", "tenants.get(…)", 100),
    ),
    healthy(
        "a cache that reaches its bound",
        "const lru = new Map();",
        "lru.set(req.url, { u: req.url });\nif (lru.size > 500) lru.delete(lru.keys().next().value);",
        150,
    ),
    healthy(
        "a pool that fills",
        "const pool = [];",
        "if (pool.length < 460) pool.push({ u: req.url, data: new Array(50).fill(0.5) });",
        150,
    ),
    healthy(
        "listeners that are removed",
        "const bus = new (require('events'))();\nbus.setMaxListeners(0);",
        "const id = req.url;\nconst l = () => id;\nbus.on('tick', l);\n\
         res.on('close', () => bus.removeListener('tick', l));",
        100,
    ),
    healthy(
        "modules loaded late",
        "let n = 0;",
        "if (++n === 150) for (const m of ['tls', 'http2', 'zlib', 'repl']) require(m);\n\
         if (n === 500) for (const m of ['dgram', 'inspector', 'readline']) require(m);",
        0,
    ),
];

#[test]
fn families() {
    let jobs: Vec<(&Case, u32)> =
        CASES.iter().enumerate().map(|(i, c)| (c, if i % 2 == 0 { 20 } else { 24 })).collect();
    let wrong = in_turn(&jobs, WORKERS, |(case, version)| {
        judge(case, *version).map_err(|text| format!("{} on node {version}: {text}", case.name))
    });
    let wrong: Vec<String> = wrong.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), jobs.len(), wrong.join("\n"));
}

fn judge(case: &Case, version: u32) -> Result<(), String> {
    let dir = scratch();
    let script = dir.path().canonicalize().unwrap().join("app.js");
    let source = format!(
        "const http = require('http');\n{}\nconst server = http.createServer((req, res) => {{\n{}\n\
         res.end('ok');\n}});\nserver.listen(0, '127.0.0.1', () => \
         console.log('listening on http://127.0.0.1:' + server.address().port));\n",
        case.top, case.each
    );
    std::fs::write(&script, &source).unwrap();
    let found = suspects_of_app(version, &script, dir.path(), case.before, requests(case))
        .map_err(|e| e.to_string())?;
    let first = &found["suspects"][0];
    let Some((rule, holder, before)) = case.truth else {
        if found["leak"] == false && found["verdict"] == "no-leak" {
            return Ok(());
        }
        return Err(format!("verdict {}, first: {first}", found["verdict"]));
    };
    let lines: Vec<u64> =
        (1..).zip(source.lines()).filter(|(_, l)| l.contains("// LEAK")).map(|(n, _)| n).collect();
    let suspects = found["suspects"].as_array().unwrap();
    let named: Vec<u64> = suspects
        .iter()
        .take(lines.len().max(1))
        .filter_map(|s| s["culprit"]["line"].as_u64())
        .collect();
    let leaked = &first["leaked"];
    let right = found["leak"] == true
        && first["rule"] == rule
        && first["holder"]["path"] == holder
        && leaked["count_before"] == before
        && leaked["count_after"] == before_after(case, before)
        && first["confidence"] == "high"
        && lines.iter().all(|line| named.contains(line))
        && named.len() == lines.len();
    if right {
        Ok(())
    } else {
        Err(format!(
            "{} {} {} {} {leaked} lines {named:?}, wanted {lines:?}",
            found["verdict"], first["rule"], first["holder"]["path"], first["confidence"]
        ))
    }
}

fn before_after(case: &Case, before: u64) -> u64 {
    before + 2 * requests(case)
}

fn requests(case: &Case) -> u64 {
    if case.name.contains("few requests") { 40 } else { REQUESTS }
}
