//! The crates depend on each other downwards only, and only some may use an async runtime.
//!
//! Read from the manifests as text: the order is an architecture invariant, and it must hold for what the files say,
//! whatever feature or target a build happens to use.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

use std::collections::BTreeMap;
use std::path::Path;

/// From the top of the architecture to its bottom. A crate may depend on crates further down this list, never upwards.
const ORDER: [&str; 11] = [
    "leakline",
    "leakline-server",
    "leakline-guard",
    "leakline-investigate",
    "leakline-report",
    "leakline-source",
    "leakline-target",
    "leakline-trend",
    "leakline-analysis",
    "leakline-formats",
    "leakline-heap",
];

/// Crates of one layer: they know nothing of each other, whatever their place in the list.
const STRANGERS: [&[&str]; 2] = [
    &["leakline-source", "leakline-target", "leakline-trend"],
    // Both stand on `heap` only.
    &["leakline-analysis", "leakline-formats"],
];

/// Those that may run asynchronous code.
const ASYNC: [&str; 5] =
    ["leakline", "leakline-server", "leakline-guard", "leakline-investigate", "leakline-target"];

const RUNTIMES: [&str; 10] = [
    "tokio",
    "tokio-tungstenite",
    "tokio-util",
    "hyper",
    "hyper-util",
    "reqwest",
    "axum",
    "async-std",
    "smol",
    "futures-util",
];

const DEV_ONLY: &str = "leakline-testkit";

/// The package's name and what its non-dev dependency tables list.
fn manifest(text: &str) -> (String, Vec<String>) {
    let (mut table, mut name, mut dependencies) = (String::new(), String::new(), Vec::new());
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        if let Some(header) = line.strip_prefix('[') {
            header.trim_end_matches(']').clone_into(&mut table);
            // `[dependencies.tokio]` names its dependency in the header.
            if let Some((outer, inner)) = table.rsplit_once('.')
                && outer.ends_with("dependencies")
                && !outer.ends_with("dev-dependencies")
            {
                dependencies.push(inner.to_owned());
            }
        } else if let Some((key, value)) = line.split_once('=') {
            let key = key.trim().split('.').next().unwrap_or_default().to_owned();
            if table == "package" && key == "name" {
                value.trim().trim_matches('"').clone_into(&mut name);
            } else if table.ends_with("dependencies") && !table.ends_with("dev-dependencies") {
                dependencies.push(key);
            }
        }
    }
    (name, dependencies)
}

fn crates() -> BTreeMap<String, Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("Cargo.toml"))
        .filter(|path| path.is_file())
        .map(|path| manifest(&std::fs::read_to_string(path).unwrap()))
        .collect()
}

fn place(name: &str) -> usize {
    ORDER.iter().position(|n| *n == name).unwrap_or_else(|| {
        panic!("{name} has no place in the order: add it to ARCHITECTURE.md and here")
    })
}

#[test]
fn dependencies_run_downwards() {
    let crates = crates();
    assert!(crates.len() >= 10, "found only {:?}", crates.keys());
    for (name, dependencies) in crates.iter().filter(|(name, _)| *name != DEV_ONLY) {
        for dependency in dependencies.iter().filter(|d| d.starts_with("leakline")) {
            assert_ne!(dependency, DEV_ONLY, "{name} ships the testkit");
            assert!(
                place(dependency) > place(name),
                "{name} depends on {dependency}, which is above it"
            );
            let strangers = STRANGERS.iter().any(|layer| {
                layer.contains(&name.as_str()) && layer.contains(&dependency.as_str())
            });
            assert!(!strangers, "{name} depends on {dependency}, of which it should know nothing");
        }
    }
}

#[test]
fn only_the_outer_crates_run_asynchronously() {
    for (name, dependencies) in crates() {
        for dependency in dependencies.iter().filter(|d| RUNTIMES.contains(&d.as_str())) {
            assert!(ASYNC.contains(&name.as_str()), "{name} depends on {dependency}");
        }
    }
}

#[test]
fn manifests_are_read_as_cargo_reads_them() {
    let (name, dependencies) = manifest(
        "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb = { version = \"1\" }\n\
         [dev-dependencies]\nc = \"1\"\n[dependencies.d]\nversion = \"1\"\n[target.'cfg(unix)'.dependencies]\ne = \"1\"\n",
    );
    assert_eq!(name, "x");
    assert_eq!(dependencies, ["a", "b", "d", "e"]);
}
