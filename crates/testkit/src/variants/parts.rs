//! The healthy parts that every drawn app has: a server, a bounded cache, listeners registered once.

use super::{Dialect, Names, fill, padding, specifier};
use crate::random::Rng;

/// What the leaky step of an app is, as seen by its entry file.
pub(super) struct Step {
    /// Its file, with extension.
    pub file: String,
    /// The function it exports by default, called as `name(req, res, requestId)` for every request.
    pub function: String,
}

/// A module with a cache of at most so many entries; exports a function that reads through it.
pub(super) struct Decoy {
    pub file: String,
    pub function: String,
    pub text: String,
}

/// A `Map` with eviction, filled per request: must never be called a leak. Its size is reached in the warm-up.
pub(super) fn bounded_cache(rng: &mut Rng, names: &mut Names, dialect: Dialect) -> Decoy {
    let file = format!("{}.{}", names.file(rng), dialect.extension());
    let (function, map) = (names.function(rng), names.value(rng));
    let limit = rng.between(20, 120).to_string();
    let body = match rng.below(3) {
        0 => {
            "const @map@ = new Map();\n\nfunction @function@(key) {\n  const known = @map@.get(key);\n  if (known) return \
             known;\n  if (@map@.size >= @limit@) @map@.delete(@map@.keys().next().value);\n  const fresh = { key, at: \
             Date.now(), weight: key.length };\n  @map@.set(key, fresh);\n  return fresh;\n}\n"
        }
        1 => {
            "const @map@ = new Map();\n\nfunction @function@(key) {\n  if (!@map@.has(key)) {\n    @map@.set(key, [key, \
             Date.now()]);\n  }\n  while (@map@.size > @limit@) {\n    const [oldest] = @map@.keys();\n    \
             @map@.delete(oldest);\n  }\n  return @map@.get(key);\n}\n"
        }
        _ => {
            "class Recent {\n  #entries = new Map();\n\n  put(key, value) {\n    this.#entries.set(key, value);\n    if \
             (this.#entries.size > @limit@) {\n      this.#entries.delete(this.#entries.keys().next().value);\n    \
             }\n    return value;\n  }\n}\n\nconst @map@ = new Recent();\n\nfunction @function@(key) {\n  return \
             @map@.put(key, { key, seen: Date.now() });\n}\n"
        }
    };
    let body = fill(body, &[("map", &map), ("function", &function), ("limit", &limit)]);
    let text =
        [dialect.head(), &padding(rng, names), &body, "\n", &dialect.export(&function)].concat();
    Decoy { file, function, text }
}

/// A `Map` filled once at start-up and only read afterwards.
pub(super) fn start_up_table(rng: &mut Rng, names: &mut Names, dialect: Dialect) -> Decoy {
    let file = format!("{}.{}", names.file(rng), dialect.extension());
    let (function, map) = (names.function(rng), names.value(rng));
    let entries = rng.between(50, 400).to_string();
    let body = fill(
        "const @map@ = new Map();\nfor (let i = 0; i < @entries@; i++) {\n  @map@.set(i, { id: i, label: `entry ${i}` \
         });\n}\n\nfunction @function@(number) {\n  return @map@.get(number % @entries@);\n}\n",
        &[("map", &map), ("function", &function), ("entries", &entries)],
    );
    let text =
        [dialect.head(), &padding(rng, names), &body, "\n", &dialect.export(&function)].concat();
    Decoy { file, function, text }
}

/// Statements that register listeners on `process` once, at start-up.
pub(super) fn healthy_process_listeners(rng: &mut Rng, same_event: Option<&str>) -> String {
    let mut text = String::new();
    for event in ["uncaughtException", "SIGTERM", "warning", "beforeExit"] {
        if rng.percent(60) {
            text += &fill(
                "process.on('@event@', (what) => {\n  console.error('@event@', what);\n});\n",
                &[("event", event)],
            );
        }
    }
    if let Some(event) = same_event {
        for _ in 0..rng.between(1, 3) {
            text += &fill(
                "process.on('@event@', () => {\n  counters.seen += 1;\n});\n",
                &[("event", event)],
            );
        }
    }
    text
}

/// The entry file as far as the family decides about it.
pub(super) struct Entry {
    /// Its path, with extension.
    pub file: String,
    /// Import statements of its own.
    pub imports: String,
    /// Statements that run once, before the server listens.
    pub start_up: String,
}

/// The entry file: the server, the step under test, the decoys, and whatever is to run at start-up.
pub(super) fn entry_text(
    rng: &mut Rng,
    names: &mut Names,
    dialect: Dialect,
    entry: &Entry,
    step: &Step,
    decoys: [&Decoy; 2],
) -> String {
    let mut text = dialect.head().to_owned();
    text += &dialect.import("http", "node:http");
    text += &dialect.import_named("randomUUID", "randomUUID", "node:crypto");
    text += &entry.imports;
    text += &dialect.import(&step.function, &specifier(&entry.file, &step.file));
    for decoy in decoys {
        text += &dialect.import(&decoy.function, &specifier(&entry.file, &decoy.file));
    }
    text += "\nconst counters = { seen: 0, done: 0 };\n\n";
    text += &padding(rng, names);
    let (cached, table) = (decoys[0].function.as_str(), decoys[1].function.as_str());
    let call = match rng.below(3) {
        0 => fill("  @step@(req, res, requestId);\n", &[("step", &step.function)]),
        1 => fill("  for (const step of steps) step(req, res, requestId);\n", &[]),
        _ => fill(
            "  const extra = @step@(req, res, requestId);\n  counters.last = typeof extra;\n",
            &[("step", &step.function)],
        ),
    };
    if call.contains("of steps") {
        text += &fill("const steps = [@step@];\n\n", &[("step", &step.function)]);
    }
    text += &fill(
        "const server = http.createServer((req, res) => {\n  const requestId = req.headers['x-request-id'] || \
         randomUUID();\n  const number = Number(req.url.split('=').pop()) || 0;\n@call@  res.on('finish', () => {\n    \
         counters.done += 1;\n  });\n  const near = @cached@(`k${number}`);\n  res.writeHead(200, { 'content-type': \
         'application/json' });\n  res.end(JSON.stringify({ requestId, near, row: @table@(number) }));\n});\n\n",
        &[("call", &call), ("cached", cached), ("table", table)],
    );
    text += &entry.start_up;
    text += "\nserver.listen(Number(process.env.PORT || 0), '127.0.0.1', () => {\n  console.log(`listening on \
             http://127.0.0.1:${server.address().port}`);\n});\n";
    text
}
