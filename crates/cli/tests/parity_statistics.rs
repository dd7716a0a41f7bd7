//! `stats` against `DevTools`' own worker, byte by byte, on snapshots of two Node versions.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use leakline_testkit::apps::{Example, express_uncaught, module_cache, snapshots_of};
use leakline_testkit::load::Load;
use leakline_testkit::node::{NodeApp, node_binary, on_path, workspace_root};
use serde_json::Value;

use common::{run, scratch};

/// What `DevTools`' worker says of a snapshot.
fn devtools(file: &Path) -> Value {
    let tools = workspace_root().join("tests-node");
    assert!(
        tools.join("node_modules/heap-snapshot-toolkit").is_dir(),
        "the npm package heap-snapshot-toolkit is missing: run scripts/test.sh, or `npm ci` in tests-node"
    );
    let node = on_path("node").expect("node on PATH");
    let output = Command::new(node)
        .arg(tools.join("devtools-statistics.mjs"))
        .arg(file)
        .output()
        .expect("node can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("statistics as JSON")
}

fn check(version: u32, example: &Example) {
    let dir = scratch();
    let app = NodeApp::new(node_binary(version).unwrap(), &example.script);
    let files: [PathBuf; 3] =
        snapshots_of(&app, &Load::new(example.path, 300), dir.path()).unwrap();
    for file in [&files[0], &files[2]] {
        let ours = run([Path::new("stats"), file, Path::new("--json")]).expect_code(0).json();
        assert_eq!(ours["schema"], "leakline/stats/1");
        let theirs = devtools(file);
        let label = format!("{} on Node {version}", example.name);
        for key in ["code_bytes", "strings_bytes", "js_arrays_bytes", "system_bytes"] {
            assert!(theirs["v8_heap"][key].as_u64().unwrap() > 0, "{label}: {key} is nothing");
        }
        assert_eq!(ours["total_bytes"], theirs["total_bytes"], "{label}");
        for part in ["native", "v8_heap"] {
            for (key, bytes) in theirs[part].as_object().unwrap() {
                assert_eq!(&ours[part][key], bytes, "{label}: {part}.{key}");
            }
        }
    }
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
