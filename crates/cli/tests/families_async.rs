//! Leaks and healthy twins of what runs later, on real Node: timers, event targets, promises, async contexts, streams
//! and handles. Every case runs on one version; neighbours run on others, and the shapes of one family on all.

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

/// Requests before the first snapshot, and between two.
const BEFORE: u64 = 60;
const REQUESTS: u64 = 150;
/// Apps at a time.
const WORKERS: usize = 2;

struct Case {
    name: &'static str,
    version: u32,
    /// What stands before the server.
    top: &'static str,
    /// What every request does; `// LEAK` marks the culprit.
    each: &'static str,
    /// `None` for a healthy one: the rule and the holder.
    truth: Option<(&'static str, &'static str)>,
}

const fn leak(
    name: &'static str,
    version: u32,
    top: &'static str,
    each: &'static str,
    truth: (&'static str, &'static str),
) -> Case {
    Case { name, version, top, each, truth: Some(truth) }
}

const fn healthy(name: &'static str, version: u32, top: &'static str, each: &'static str) -> Case {
    Case { name, version, top, each, truth: None }
}

const BUS: &str = "const { EventEmitter, once, on } = require('events');\nconst bus = new EventEmitter();\n\
                   bus.setMaxListeners(0);\nbus.on('error', () => {});";
const STOPPED: &str = "let stop;\nconst stopped = new Promise((resolve) => { stop = resolve; });\n\
                       const work = async (u) => ({ u });";

const CASES: &[Case] = &[
    leak(
        "listeners of a lasting signal",
        18,
        "const shutdown = new AbortController();",
        "const job = { u: req.url };\nshutdown.signal.addEventListener('abort', () => job); // LEAK",
        ("event-target-listener", "shutdown.signal"),
    ),
    leak(
        "listeners of an event target",
        26,
        "const hub = new EventTarget();",
        "const job = { u: req.url };\nhub.addEventListener('tick', () => job); // LEAK",
        ("event-target-listener", "hub"),
    ),
    leak(
        "combined signals that somebody listens to",
        22,
        "const shutdown = new AbortController();",
        "const job = { u: req.url };\nconst both = AbortSignal.any([shutdown.signal, new AbortController().signal]);\n\
         both.addEventListener('abort', () => job); // LEAK",
        ("event-target-listener", "AbortSignal.any"),
    ),
    leak(
        "a lasting signal handed to a function of Node's",
        24,
        "const shutdown = new AbortController();\nconst { once, EventEmitter } = require('events');",
        "once(new EventEmitter(), 'row', { signal: shutdown.signal }).catch(() => {}); // LEAK",
        ("event-target-listener", "shutdown.signal"),
    ),
    leak(
        "intervals",
        26,
        "",
        "const job = { u: req.url };\nsetInterval(() => job, 1000); // LEAK",
        ("timer", "timers"),
    ),
    leak(
        "intervals of many durations, by a bound method",
        22,
        "class Poller {\n  constructor(u) {\n    this.u = u;\n    this.every = 1000 + Math.floor(Math.random() * 1e5);\n\
         \x20   setInterval(this.tick.bind(this), this.every); // LEAK\n  }\n  tick() { return this.u; }\n}",
        "new Poller(req.url);",
        ("timer", "timers"),
    ),
    leak(
        "timeouts of a day",
        24,
        "",
        "const job = { u: req.url };\nsetTimeout(() => { job.done = true; }, 86400000).unref(); // LEAK",
        ("timer", "timers"),
    ),
    leak(
        "a chain that starts itself anew",
        18,
        "",
        "const job = { u: req.url, n: 0 };\nfunction poll() {\n  job.n += 1;\n  setTimeout(poll, 40); // LEAK\n}\npoll();",
        ("timer", "timers"),
    ),
    leak(
        "a wait of a day",
        20,
        "const { setTimeout: sleep } = require('timers/promises');",
        "async function hold(job) {\n  await null;\n  await sleep(86400000); // LEAK\n  return job;\n}\nhold({ u: req.url });",
        ("timer", "timers"),
    ),
    leak(
        "resolvers by request",
        22,
        "const waiting = new Map();\nlet n = 0;",
        "const id = ++n;\nconst answer = new Promise((resolve) => {\n  waiting.set(id, resolve); // LEAK\n});\n\
         (async () => { await answer; return req; })();",
        ("pending-promise", "waiting"),
    ),
    leak(
        "races against a promise that lasts",
        26,
        STOPPED,
        "await Promise.race([stopped, work(req.url)]); // LEAK",
        ("pending-promise", "stopped"),
    ),
    leak(
        "functions that follow a promise that lasts",
        20,
        STOPPED,
        "const job = { u: req.url };\nstopped.then(() => job); // LEAK",
        ("pending-promise", "stopped"),
    ),
    leak(
        "async functions that wait for a promise that lasts",
        24,
        STOPPED,
        "async function hold(job) {\n  await work(job);\n  await stopped; // LEAK\n  return job;\n}\nhold({ u: req.url });",
        ("pending-promise", "stopped"),
    ),
    leak(
        "a hook's table without destroy",
        22,
        "const hooks = require('async_hooks');\nconst byId = new Map();\nhooks.createHook({\n  init(id, type, trigger) {\n\
         \x20   byId.set(id, { type, trigger, at: Date.now() }); // LEAK\n  },\n}).enable();",
        "",
        ("async-context", "byId"),
    ),
    leak(
        "a storage for each request",
        18,
        "const { AsyncLocalStorage } = require('async_hooks');",
        "const storage = new AsyncLocalStorage(); // LEAK\nstorage.run({ u: req.url }, () => {});",
        ("async-context", "AsyncLocalStorage"),
    ),
    leak(
        "once, for an event that never comes",
        26,
        BUS,
        "const job = { u: req.url };\nbus.prependOnceListener('never', () => job); // LEAK",
        ("event-listener", "bus"),
    ),
    leak(
        "async functions that wait for an event",
        22,
        BUS,
        "async function hold(job) {\n  await once(bus, 'ready'); // LEAK\n  return job;\n}\n\
         hold({ u: req.url }).catch(() => {});",
        ("event-listener", "bus"),
    ),
    leak(
        "async functions that read events for ever",
        24,
        BUS,
        "async function watch(u) {\n  for await (const row of on(bus, 'row')) if (row === u) return; // LEAK\n}\n\
         watch(req.url);",
        ("event-listener", "bus"),
    ),
    leak(
        "clients of a feed",
        20,
        "const clients = new Set();",
        "res.setHeader('content-type', 'text/event-stream');\nclients.add(res); // LEAK",
        ("stream", "clients"),
    ),
    leak(
        "targets of a pipe",
        26,
        "const { PassThrough } = require('stream');\nconst feed = new PassThrough();\nfeed.setMaxListeners(0);",
        "const out = new PassThrough();\nfeed.pipe(out); // LEAK",
        ("stream", "feed"),
    ),
    leak(
        "file watchers",
        26,
        "const fs = require('fs');",
        "const job = { u: req.url };\nfs.watch(__filename, () => job); // LEAK",
        ("native-handle", "FSWatcher"),
    ),
    leak(
        "UDP sockets",
        22,
        "const dgram = require('dgram');",
        "const socket = dgram.createSocket('udp4'); // LEAK\nsocket.bind(0);\nsocket.on('message', () => req.url);",
        ("native-handle", "Socket"),
    ),
    healthy(
        "listeners that are removed from a signal",
        24,
        "const shutdown = new AbortController();",
        "const job = { u: req.url };\nconst stop = () => job;\nshutdown.signal.addEventListener('abort', stop);\n\
         res.on('close', () => shutdown.signal.removeEventListener('abort', stop));",
    ),
    healthy(
        "a controller for each request",
        20,
        "",
        "const own = new AbortController();\nown.signal.addEventListener('abort', () => req);\n\
         res.on('close', () => own.abort());",
    ),
    healthy(
        "intervals that are cleared",
        18,
        "",
        "const job = { u: req.url };\nconst timer = setInterval(() => job, 1000);\n\
         res.on('close', () => clearInterval(timer));",
    ),
    healthy(
        "deadlines that are cleared and waits that end",
        22,
        "",
        "const late = setTimeout(() => req, 30000);\nawait new Promise((ok) => setTimeout(ok, 3));\nclearTimeout(late);",
    ),
    healthy(
        "a cache whose entries expire",
        20,
        "const cache = new Map();",
        "const key = req.url;\ncache.set(key, { key, at: Date.now() });\nsetTimeout(() => cache.delete(key), 120000);",
    ),
    leak(
        "a method that starts itself anew",
        22,
        "class Poller {\n  constructor(u) { this.u = u; }\n  async run() {\n    await null;\n\
         \x20   setTimeout(() => this.run(), 40); // LEAK\n  }\n}",
        "new Poller(req.url).run();",
        ("timer", "timers"),
    ),
    leak(
        "an async function that never stops waiting anew",
        26,
        "const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));",
        "async function loop(job) {\n  for (;;) {\n    await sleep(40); // LEAK\n    job.n = 1;\n  }\n}\nloop({ u: req.url });",
        ("timer", "timers"),
    ),
    healthy(
        "resolvers that are called and deleted",
        26,
        "const waiting = new Map();\nlet n = 0;",
        "const id = ++n;\nsetTimeout(() => { waiting.get(id)(); waiting.delete(id); }, 2);\n\
         await new Promise((resolve) => waiting.set(id, resolve));",
    ),
    healthy(
        "one storage, a store for each request",
        18,
        "const { AsyncLocalStorage } = require('async_hooks');\nconst storage = new AsyncLocalStorage();",
        "await storage.run({ u: req.url }, async () => { await null; return storage.getStore(); });",
    ),
    healthy(
        "clients that are taken out",
        24,
        "const clients = new Set();",
        "clients.add(res);\nres.on('close', () => clients.delete(res));",
    ),
    healthy(
        "watchers that are closed",
        20,
        "const fs = require('fs');",
        "const watcher = fs.watch(__filename, () => req.url);\nsetTimeout(() => watcher.close(), 3);",
    ),
];

#[test]
fn families_of_what_runs_later() {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(case) = CASES.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(text) = judge(case) {
                        let mut wrong = wrong.lock().unwrap_or_else(PoisonError::into_inner);
                        wrong.push(format!("{} on node {}: {text}", case.name, case.version));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), CASES.len(), wrong.join("\n"));
}

fn judge(case: &Case) -> Result<(), String> {
    let dir = scratch();
    let script = dir.path().canonicalize().unwrap().join("app.js");
    let source = format!(
        "const http = require('http');\n{}\nconst server = http.createServer(async (req, res) => {{\n{}\n\
         res.end('ok');\n}});\nserver.listen(0, '127.0.0.1', () => \
         console.log('listening on http://127.0.0.1:' + server.address().port));\n",
        case.top, case.each
    );
    std::fs::write(&script, &source).unwrap();
    let found = suspects(case, &script, dir.path()).map_err(|e| e.to_string())?;
    let first = &found["suspects"][0];
    let Some((rule, holder)) = case.truth else {
        if found["leak"] == false && found["verdict"] == "no-leak" {
            return Ok(());
        }
        return Err(format!("verdict {}, first: {first}", found["verdict"]));
    };
    let line = (1..).zip(source.lines()).find(|(_, l)| l.contains("// LEAK")).map(|(n, _)| n);
    let right = found["leak"] == true
        && first["rule"] == rule
        && first["holder"]["path"] == holder
        && first["confidence"] != "low"
        && first["culprit"]["line"].as_u64() == line;
    if right {
        return Ok(());
    }
    Err(format!(
        "{} {} {} {} line {}, wanted {line:?}: {}",
        found["verdict"],
        first["rule"],
        first["holder"]["path"],
        first["confidence"],
        first["culprit"]["line"],
        first["notes"]
    ))
}

fn suspects(case: &Case, script: &Path, dir: &Path) -> std::io::Result<Value> {
    let mut app = NodeApp::new(node_binary(case.version)?, script).start()?;
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
