//! The commands that the README gives do what it says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// `cargo run -- demo` in the checkout has one program to run: others of the workspace must be asked for by name.
#[test]
fn cargo_run_runs_leakline() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains("\n    cargo run --release -- demo\n"), "the README's first command");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root)
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let members = metadata["workspace_default_members"].as_array().unwrap();
    let is_default = |package: &&Value| members.contains(&package["id"]);
    let programs: Vec<&str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(is_default)
        .flat_map(|package| package["targets"].as_array().unwrap())
        .filter(|target| target["kind"].as_array().unwrap().contains(&"bin".into()))
        .map(|target| target["name"].as_str().unwrap())
        .collect();
    assert_eq!(programs, ["leakline"]);
}
