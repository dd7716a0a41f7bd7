//! Several leaks in one service: all are named, none hides another; also when the last snapshot is another
//! process's, whose ids mean nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use leakline_testkit::apps::snapshots_of;
use leakline_testkit::load::Load;
use leakline_testkit::node::{NodeApp, node_binary};
use serde_json::Value;

use common::{run, scratch};

/// Five leaks, each marked with its rule; a bounded Map beside one of them.
const APP: &str = "\
const http = require('http');
const { EventEmitter } = require('events');
const store = require('./store');
const bus = new EventEmitter().setMaxListeners(0);
const audit = [];
let last = null;
const server = http.createServer((req, res) => {
  const id = Math.random().toString(36).slice(2);
  bus.on('flush', () => { req.id = id; }); // LEAK event-listener
  store.remember(id, { id, at: Date.now(), payload: 'x'.repeat(50) + id });
  audit.push({ url: req.url, id, headers: Object.keys(req.headers).map((k) => k + id) }); // LEAK collection
  last = { id, previous: last, body: [1, 2, 3, id] }; // LEAK chain
  setInterval(() => res.statusCode, 60_000); // LEAK timer
  res.end(id);
});
server.listen(process.env.PORT, () => console.log('listening on http://127.0.0.1:' + server.address().port));
";
const STORE: &str = "\
const sessions = new Map();
const recent = new Map();
exports.remember = (id, value) => {
  sessions.set(id, value); // LEAK collection
  recent.set(id, value);
  if (recent.size > 50) recent.delete(recent.keys().next().value);
};
";

/// The marked places, as `file:line`, with their rules.
fn truth() -> BTreeMap<String, String> {
    let mut truth = BTreeMap::new();
    for (file, text) in [("app.js", APP), ("store.js", STORE)] {
        for (line, text) in (1..).zip(text.lines()) {
            if let Some((_, rule)) = text.split_once("// LEAK ") {
                truth.insert(format!("{file}:{line}"), rule.to_owned());
            }
        }
    }
    truth
}

fn named(document: &Value) -> BTreeMap<String, String> {
    let suspects = document["suspects"].as_array().unwrap();
    suspects
        .iter()
        .map(|suspect| {
            let culprit = &suspect["culprit"];
            let file = PathBuf::from(culprit["file"].as_str().unwrap());
            let place = format!("{}:{}", file.file_name().unwrap().display(), culprit["line"]);
            (place, suspect["rule"].as_str().unwrap().to_owned())
        })
        .collect()
}

#[test]
fn all_leaks_are_named() {
    for version in [20, 24] {
        let dir = scratch();
        std::fs::write(dir.path().join("app.js"), APP).unwrap();
        std::fs::write(dir.path().join("store.js"), STORE).unwrap();
        let app = NodeApp::new(node_binary(version).unwrap(), dir.path().join("app.js"));
        let [first, second] = ["first", "second"].map(|life| {
            let folder = dir.path().join(life);
            std::fs::create_dir(&folder).unwrap();
            snapshots_of(&app, &Load::new("/{n}", 300), &folder).unwrap()
        });
        let suspects = |files: &[&PathBuf]| {
            let files = files.iter().map(|f| f.as_os_str());
            let args = [OsStr::new("suspects"), OsStr::new("--json")].into_iter().chain(files);
            run(args).expect_code(0).json()
        };
        let of_one = suspects(&[&first[0], &first[1], &first[2]]);
        assert_eq!(of_one["comparable"]["by"], "id");
        assert_eq!(of_one["verdict"], "leak");
        assert_eq!(named(&of_one), truth(), "node {version}: {of_one:#}");
        let shares: Vec<f64> = of_one["suspects"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["leaked"]["share_of_growth"].as_f64().unwrap())
            .collect();
        assert!(shares.is_sorted_by(|a, b| a >= b), "ranked by growth: {shares:?}");
        // A process that was started anew: places are compared, and that is said.
        let of_two = suspects(&[&first[0], &second[2]]);
        assert_eq!(of_two["comparable"]["by"], "shape");
        assert_eq!(named(&of_two), truth(), "node {version}: {of_two:#}");
        let limits = of_two["limits"].to_string();
        assert!(limits.contains("ids"), "{limits}");
    }
}
