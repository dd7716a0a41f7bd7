//! Positions as V8 writes them: a real Node process, a real snapshot, the statement it leads to.
//!
//! On Node 20 and 24; `scripts/test.sh` installs what is missing.

// A failed set-up may panic.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use leakline_source::{AdderHint, CollectionKind};
use leakline_source::{
    Holder, LineIndex, ListenerQuery, Location, SourceFiles, adders, registration,
};
use serde_json::Value;

const SCRIPT: &str = r"'use strict';
const { EventEmitter } = require('node:events');
const bus = new EventEmitter().setMaxListeners(0);
const kept = new Map();
const é = '😀';
function arrow(q) { /* 😀é */ bus.on('arrow', (x) => q + x); }
function bare(q) { bus.on('bare', x => q + x); }
function asyncArrow(q) { bus.on('asyncArrow', async (x) => q + x); }
function expression(q) { const s = '😀'; bus.on('expression', function named (x) { return q + x + s; }); }
function generator(q) { bus.on('generator', async function * (x) { yield q; }); }
class Service {
  #n = 0;
  field = (x) => this.#n + x;
  method (x) { return this.#n + x; }
  constructor(q) {
    this.q = q;
    bus
      .on('other', () => q)
      .on('chained', () => this.q);
    bus.on('field', this.field);
    bus.on('method', this.method);
  }
}
function makeHandler(q) {
  return async function
    inner
    (x) { return q + x; };
}
function factory(q) { bus.on('factory', makeHandler(q)); }
function fill(k) { kept.set(k, { k }); }
for (let i = 0; i < 5; i++) {
  arrow(i); bare(i); asyncArrow(i); expression(i); generator(i); new Service(i); factory(i); fill(i);
}
globalThis.keep = [bus, fill];
require('node:v8').writeHeapSnapshot(process.argv[2]);
";

/// Event and what its line holds.
const EXPECTED: [(&str, &str); 9] = [
    ("arrow", "function arrow"),
    ("bare", "function bare"),
    ("asyncArrow", "function asyncArrow"),
    ("expression", "function expression"),
    ("generator", "function generator"),
    ("chained", ".on('chained'"),
    ("field", "bus.on('field'"),
    ("method", "bus.on('method'"),
    ("factory", "function factory"),
];

fn nodes() -> Vec<PathBuf> {
    let found =
        |major| leakline_testkit::node::node_binary(major).unwrap_or_else(|e| panic!("{e}"));
    [20, 24].into_iter().map(found).collect()
}

#[test]
fn commonjs() {
    for node in nodes() {
        check(&node, "app.js", SCRIPT);
    }
}

#[test]
fn es_module() {
    let script = SCRIPT
        .replace("'use strict';", "import process from 'node:process';")
        .replace(
            "const { EventEmitter } = require('node:events');",
            "import { EventEmitter } from 'node:events'; import v8 from 'node:v8';",
        )
        .replace("require('node:v8')", "v8");
    for node in nodes() {
        check(&node, "my app/é.mjs", &script);
    }
}

/// V8 ends a line at U+2028 as well.
#[test]
fn line_separators() {
    let script = SCRIPT
        .replace("'use strict';", "'use strict'; /* \u{2028} \u{2029} */ ''; ''; // \u{2028}");
    for node in nodes() {
        check(&node, "app.js", &script);
    }
}

fn check(node: &Path, name: &str, script: &str) {
    let shown = node.display();
    let dir = tempfile::tempdir().unwrap();
    let root = std::fs::canonicalize(dir.path()).unwrap();
    let file = root.join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, script).unwrap();
    let snapshot = root.join("s.heapsnapshot");
    let run = Command::new(node)
        .args([&file, &snapshot])
        .output()
        .expect("these tests need Node.js: install `node` on PATH");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));

    let closures = closures(&std::fs::read(&snapshot).unwrap());
    let mine: Vec<&Closure> = closures
        .iter()
        .filter(|it| it.script.contains("app/") || it.script.contains("/app.js"))
        .collect();
    let listeners: BTreeMap<&str, &Closure> = mine
        .iter()
        .flat_map(|it| it.events.iter().map(move |event| (event.as_str(), *it)))
        .collect();
    let files = SourceFiles::new(Vec::new());
    for (event, line) in EXPECTED {
        let closure = listeners
            .get(event)
            .unwrap_or_else(|| panic!("{shown}: no closure for `{event}` in {listeners:?}"));
        let position =
            Location::from_zero_based(closure.script.clone().into(), closure.line, closure.column);
        let found = registration(&files, &position, &ListenerQuery::event(event), &[]).unwrap();
        let best = found.best.unwrap_or_else(|| panic!("{shown} {event}: {}", found.how));
        let text = LineIndex::new(script).line(script, best.location.line).unwrap().1;
        assert!(text.contains(line), "{shown} {event}: {best:#?}");
        assert_eq!(best.location.file, file);
        assert_eq!(found.notes, Vec::<String>::new(), "{shown} {event}");
    }

    let fill = mine.iter().find(|it| it.name == "fill").expect("the closure `fill`");
    let near = Location::from_zero_based(fill.script.clone().into(), fill.line, fill.column);
    let holder = Holder::Variable {
        file: fill.script.clone().into(),
        name: "kept".into(),
        near: Some(near),
    };
    let hint = AdderHint { value_keys: vec!["k".into()], ..AdderHint::default() };
    let found = adders(&files, &[holder], CollectionKind::Map, &hint, &[]).unwrap();
    assert_eq!(found.best.unwrap().snippet, "kept.set(k, { k })");
}

#[derive(Debug)]
struct Closure {
    name: String,
    script: String,
    line: u32,
    column: u32,
    /// Names of the arrays' owners: the events it listens to.
    events: Vec<String>,
}

/// A reader of snapshots for this test only: all closures with a location, fields by name.
fn closures(bytes: &[u8]) -> Vec<Closure> {
    // Node 20 writes lone surrogates, raw in UTF-8 or as an escape; neither is JSON.
    let text = String::from_utf8_lossy(bytes).into_owned();
    let text = lenient(&text);
    let json: Value = serde_json::from_str(&text).unwrap();
    let meta = &json["snapshot"]["meta"];
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|it| it.as_str().unwrap_or("").to_owned()).collect()
    };
    let numbers = |list: &Value| -> Vec<usize> {
        list.as_array().unwrap().iter().map(|it| it.as_u64().unwrap() as usize).collect()
    };
    let field = |list: &str, name: &str| {
        names(&meta[list]).iter().position(|it| it == name).unwrap_or_else(|| panic!("{name}"))
    };
    let (node_width, edge_width) =
        (names(&meta["node_fields"]).len(), names(&meta["edge_fields"]).len());
    let node_types = names(&meta["node_types"][0]);
    let edge_types = names(&meta["edge_types"][0]);
    let strings = names(&json["strings"]);
    let (nodes, edges) = (numbers(&json["nodes"]), numbers(&json["edges"]));
    let (node_type, node_name) = (field("node_fields", "type"), field("node_fields", "name"));
    let node_edges = field("node_fields", "edge_count");
    let (edge_type, edge_name) =
        (field("edge_fields", "type"), field("edge_fields", "name_or_index"));
    let edge_to = field("edge_fields", "to_node");
    let mut out_edges: BTreeMap<usize, Vec<(String, usize)>> = BTreeMap::new();
    let mut at = 0;
    for node in (0..nodes.len()).step_by(node_width) {
        let list = out_edges.entry(node).or_default();
        for _ in 0..nodes[node + node_edges] {
            let kind = edge_types[edges[at + edge_type]].as_str();
            let name = edges[at + edge_name];
            let name = match kind {
                "element" | "hidden" => name.to_string(),
                _ => strings[name].clone(),
            };
            list.push((name, edges[at + edge_to]));
            at += edge_width;
        }
    }
    let follow = |node: usize, names: &[&str]| {
        out_edges[&node].iter().find(|(name, _)| names.contains(&name.as_str())).map(|it| it.1)
    };
    let name = |node: usize| strings[nodes[node + node_name]].clone();
    // `_events` holds a function per event, or an array of them.
    let mut events: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for list in out_edges.values() {
        for (_, table) in list.iter().filter(|(name, _)| name == "_events") {
            for (event, held) in &out_edges[table] {
                let own = out_edges[held].iter().map(|it| it.1).chain([*held]);
                for listener in own {
                    events.entry(listener).or_default().push(event.clone());
                }
                if let Some(elements) = follow(*held, &["elements"]) {
                    for (_, listener) in &out_edges[&elements] {
                        events.entry(*listener).or_default().push(event.clone());
                    }
                }
            }
        }
    }
    let location_fields = names(&meta["location_fields"]);
    let of = |name: &str| location_fields.iter().position(|it| it == name).unwrap();
    let locations = numbers(&json["locations"]);
    locations
        .chunks(location_fields.len())
        .filter(|row| node_types[nodes[row[of("object_index")] + node_type]] == "closure")
        .filter_map(|row| {
            let node = row[of("object_index")];
            let script = follow(node, &["shared"])
                .and_then(|shared| follow(shared, &["script", "script_or_debug_info"]))?;
            Some(Closure {
                name: name(node),
                script: name(script),
                line: row[of("line")] as u32,
                column: row[of("column")] as u32,
                events: events.get(&node).cloned().unwrap_or_default(),
            })
        })
        .collect()
}

/// Makes escapes of lone surrogates harmless.
fn lenient(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let surrogate = escape.get(1..4).is_some_and(|it| {
            let it = it.to_ascii_lowercase();
            it.starts_with("ud") && it.as_bytes()[2] >= b'8'
        });
        let length = if surrogate { 6 } else { 2 };
        let end = escape.char_indices().nth(length).map_or(escape.len(), |it| it.0);
        out.push_str(if surrogate { "?" } else { &escape[..end] });
        rest = &escape[end..];
    }
    out.push_str(rest);
    out
}
