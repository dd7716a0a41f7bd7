//! `summary` and `diff` against `DevTools`' own worker, row by row, on snapshots of two Node versions.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]
#![allow(clippy::print_stdout, reason = "what a failing test shows beside its assertion")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use leakline_testkit::apps::{Example, express_uncaught, module_cache, snapshots_of};
use leakline_testkit::load::Load;
use leakline_testkit::node::{NodeApp, node_binary, on_path, workspace_root};
use serde_json::Value;

use common::{run, scratch};

/// Rows with how often each stands there: names repeat, for classes of one name at different places.
type Rows = BTreeMap<Vec<String>, usize>;

fn rows(list: &Value, fields: &[&str]) -> Rows {
    let mut rows = Rows::new();
    for row in list.as_array().expect("a list of rows") {
        let key = fields.iter().map(|f| row[*f].to_string()).collect();
        *rows.entry(key).or_default() += 1;
    }
    rows
}

/// What `DevTools`' worker says of one snapshot, or of the step from one to another.
fn devtools(files: &[&Path]) -> Value {
    let tools = workspace_root().join("tests-node");
    assert!(
        tools.join("node_modules/heap-snapshot-toolkit").is_dir(),
        "the npm package heap-snapshot-toolkit is missing: run scripts/test.sh, or `npm ci` in tests-node"
    );
    let node = on_path("node").expect("node on PATH");
    let output = Command::new(node)
        .arg(tools.join("devtools-rows.mjs"))
        .args(files)
        .output()
        .expect("node can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("rows as JSON")
}

#[track_caller]
fn same(what: &str, ours: &Rows, theirs: &Rows) {
    let only = |a: &Rows, b: &Rows| -> Vec<String> {
        a.iter()
            .filter(|(k, n)| b.get(*k) != Some(n))
            .map(|(k, n)| format!("{n} × {}", k.join(" ")))
            .collect()
    };
    let (mine, others) = (only(ours, theirs), only(theirs, ours));
    let show = |list: &[String]| list.iter().take(10).cloned().collect::<Vec<_>>().join("\n  ");
    assert!(
        mine.is_empty() && others.is_empty(),
        "{what}: {} of {} rows differ\nours:\n  {}\nDevTools:\n  {}",
        mine.len().max(others.len()),
        theirs.len(),
        show(&mine),
        show(&others)
    );
    println!("{what}: {} rows equal", theirs.values().sum::<usize>());
}

fn check(version: u32, example: &Example) {
    let dir = scratch();
    let app = NodeApp::new(node_binary(version).unwrap(), &example.script);
    let files: [PathBuf; 3] =
        snapshots_of(&app, &Load::new(example.path, 500), dir.path()).unwrap();
    let label = format!("{} on Node {version}", example.name);

    let fields = ["name", "count", "distance", "shallow_bytes", "retained_bytes"];
    for file in [&files[0], &files[2]] {
        let ours = run([Path::new("summary"), file, Path::new("--json")]).expect_code(0).json();
        assert_eq!(ours["schema"], "leakline/summary/1");
        let theirs = devtools(&[file]);
        assert_eq!(ours["snapshot"]["node_count"], theirs["node_count"], "{label}");
        let theirs = rows(&theirs["rows"], &fields);
        assert!(theirs.len() > 100, "DevTools found only {} rows", theirs.len());
        same(&format!("summary, {label}"), &rows(&ours["constructors"], &fields), &theirs);
    }

    let fields = [
        "constructor",
        "new_count",
        "deleted_count",
        "delta_count",
        "allocated_bytes",
        "freed_bytes",
        "delta_bytes",
    ];
    let ours =
        run([Path::new("diff"), &files[0], &files[2], Path::new("--json")]).expect_code(0).json();
    assert_eq!(ours["comparable"]["by"], "id", "{label}: {}", ours["comparable"]);
    let theirs = devtools(&[&files[0], &files[2]]);
    same(&format!("diff, {label}"), &rows(&ours["rows"], &fields), &rows(&theirs["rows"], &fields));
}

#[test]
fn node_20_as_devtools_shows_it() {
    check(20, &express_uncaught(false).unwrap());
    check(20, &module_cache(false).unwrap());
}

#[test]
fn node_24_as_devtools_shows_it() {
    check(24, &express_uncaught(false).unwrap());
    check(24, &module_cache(false).unwrap());
}
