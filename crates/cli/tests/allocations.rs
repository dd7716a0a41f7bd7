//! `leakline allocations` on heap profiles that real Node processes write of themselves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;

use std::path::Path;
use std::process::Command;

use leakline_testkit::apps::line_of;
use leakline_testkit::node::{node_binary, workspace_root};
use serde_json::Value;

use common::{run, scratch};

/// The sum of one field over a profile's tree, by the protocol's description of it.
fn sum(call: &Value) -> u64 {
    let below = call["children"].as_array().into_iter().flatten().map(sum).sum::<u64>();
    call["selfSize"].as_u64().unwrap() + below
}

fn check(major: u32) {
    let dir = scratch();
    let script = workspace_root().join("tests-node/heap-profile.js").canonicalize().unwrap();
    let file = dir.path().join("node.heapprofile");
    // Optimised code counts what an inlined function allocates with its caller.
    let status = Command::new(node_binary(major).unwrap())
        .args(["--no-opt", "--no-maglev"])
        .args([&script, &file])
        .status()
        .expect("node can be started");
    assert!(status.success(), "Node {major} ended with {status}");

    let document =
        run([Path::new("allocations"), &file, Path::new("--json")]).expect_code(0).json();
    let whole: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let total = sum(&whole["head"]);
    assert_eq!(document["profile"]["live_bytes"], total);
    let samples = whole["samples"].as_array().unwrap().len();
    assert_eq!(document["profile"]["sample_count"], samples);
    let sites = document["call_sites"].as_array().unwrap();
    let own: u64 = sites.iter().map(|s| s["live_bytes"].as_u64().unwrap()).sum();
    assert_eq!(own, total, "every byte is some function's");

    // What is dropped again is no longer there; nearly all that is left was kept by one function.
    let first = &sites[0];
    assert_eq!(first["function"], "remember", "{first:#}");
    assert!(first["share"].as_f64().unwrap() > 0.8, "{first:#}");
    assert_eq!(first["location"]["file"], script.to_str().unwrap());
    assert_eq!(first["location"]["line"], line_of(&script, "function remember(").unwrap());
    let stack: Vec<&str> = first["stacks"][0]["frames"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["function"].as_str().unwrap())
        .collect();
    assert_eq!(stack[..2], ["remember", "serve"], "{stack:?}");
}

#[test]
fn profiles_of_node_20_and_24() {
    check(20);
    check(24);
}
