//! The views on heaps whose content is known, as two versions of Node really write them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;

use std::path::{Path, PathBuf};

use leakline_testkit::apps::line_of;
use leakline_testkit::node::{NodeApp, node_binary};
use serde_json::Value;

use common::{run, scratch};

struct Heap {
    file: PathBuf,
    script: PathBuf,
    _dir: tempfile::TempDir,
}

impl Heap {
    fn of_node(version: u32) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/views.js");
        let script = script.canonicalize().unwrap();
        let dir = scratch();
        let file = dir.path().join("heap.heapsnapshot");
        let mut process = NodeApp::new(node_binary(version).unwrap(), &script).start().unwrap();
        process.write_snapshot(&file).unwrap();
        Self { file, script, _dir: dir }
    }

    fn view(&self, command: &str, rest: &[&str]) -> Value {
        let file = self.file.to_str().unwrap();
        let args = [command, file, "--json"].into_iter().chain(rest.iter().copied());
        run(args).expect_code(0).json()
    }

    /// The id of the only object that a search finds.
    #[track_caller]
    fn only(&self, criteria: &[&str]) -> String {
        let found = self.view("search", criteria);
        assert_eq!(found["match_count"], 1, "{criteria:?}: {}", found["matches"]);
        found["matches"][0]["id"].as_str().unwrap().to_owned()
    }

    fn line(&self, text: &str) -> u32 {
        line_of(&self.script, text).unwrap()
    }
}

fn rows<'a>(view: &'a Value, list: &str) -> &'a [Value] {
    view[list].as_array().unwrap()
}

fn check(version: u32) {
    let heap = Heap::of_node(version);
    collections(&heap);
    strings(&heap);
    functions(&heap);
    worlds(&heap);
    holders(&heap);
}

fn collections(heap: &Heap) {
    let view = heap.view("collections", &["--limit", "100000"]);
    assert_eq!(view["pointer_bytes"], 8);
    let found = |kind: &str, entries: u64| -> Vec<u64> {
        let all = rows(&view, "collections").iter();
        let fit = all.filter(|c| c["kind"] == kind && c["entries"] == entries);
        fit.filter(|c| c["entries_known"] == true)
            .map(|c| c["capacity"].as_u64().unwrap())
            .collect()
    };
    // V8's capacities are powers of two.
    for (entries, capacity) in [(4, 4), (5, 8), (17, 32), (1000, 1024), (5000, 8192)] {
        assert!(found("Map", entries).contains(&capacity), "no Map of {entries}");
        assert!(found("Set", entries).contains(&capacity), "no Set of {entries}");
    }
    assert!(found("WeakMap", 1000).contains(&2048));
    assert!(!found("Array", 5000).is_empty());
    let by_class = |class: &str| {
        rows(&view, "collections").iter().find(|c| c["name"] == class).unwrap_or(&Value::Null)
    };
    assert_eq!(by_class("Registry")["kind"], "Map", "a class that extends Map");
    let dictionary = rows(&view, "collections")
        .iter()
        .find(|c| c["held_by"]["edge"] == "dictionary" && c["kind"] == "Object")
        .expect("the dictionary");
    assert_eq!(dictionary["entries"], 20);
    let numbers = rows(&view, "collections")
        .iter()
        .find(|c| c["held_by"]["edge"] == "numbers")
        .expect("the map of numbers");
    assert_eq!((&numbers["entries_known"], &numbers["capacity"]), (&false.into(), &8192.into()));
    assert_eq!(numbers["wasted_bytes"], Value::Null);
}

fn strings(heap: &Heap) {
    let view = heap.view("strings", &["--min-count", "10"]);
    let find = |start: &str| {
        let all = rows(&view, "strings").iter();
        all.filter(|s| s["text"].as_str().unwrap().starts_with(start)).collect::<Vec<_>>()
    };
    let copies = find("a text that stands here many times");
    assert_eq!((copies.len(), &copies[0]["certain"]), (1, &true.into()));
    // One more may be the source's own.
    assert!((700..=702).contains(&copies[0]["count"].as_u64().unwrap()), "{}", copies[0]);
    let cut = find("yyyyyyyyyy");
    assert!(cut.iter().all(|s| s["certain"] == false && s["truncated"] == true), "{cut:?}");
}

fn functions(heap: &Heap) {
    let view = heap.view("closures", &["--script", "fixtures/views.js"]);
    let line = heap.line("return { add:");
    let inner: Vec<&Value> =
        rows(&view, "groups").iter().filter(|g| g["location"]["line"] == line).collect();
    assert_eq!(inner.len(), 2, "add and name: {inner:?}");
    assert!(inner.iter().all(|g| g["count"] == 300 && g["builtin"] == false));

    let view = heap.view("contexts", &["--script", "fixtures/views.js"]);
    let made = rows(&view, "groups").iter().find(|g| g["function"] == "makeCounter").unwrap();
    assert_eq!(made["location"]["line"], heap.line("const makeCounter"));
    assert_eq!((&made["count"], &made["closure_count"]), (&300.into(), &600.into()));
    assert_eq!((&made["max_closures"], &made["location_of"]), (&2.into(), &"function".into()));
    let variables: Vec<&str> =
        rows(made, "variables").iter().map(|v| v["name"].as_str().unwrap()).collect();
    assert_eq!(&variables[..2], ["weight", "label"]);
}

fn worlds(heap: &Heap) {
    let view = heap.view("native-contexts", &[]);
    let contexts = rows(&view, "contexts");
    assert_eq!(contexts.len(), 3);
    assert_eq!(contexts[0]["main"], true);
    for context in &contexts[1..] {
        assert_eq!(context["sandbox_names"], serde_json::json!(["tenant", "list"]));
        // The built-ins of a world.
        assert!(context["dominated_count"].as_u64().unwrap() > 500, "{context}");
    }
    assert_eq!(heap.view("stats", &[])["schema"], "leakline/stats/1");
    heap.view("detached", &[]);
}

fn holders(heap: &Heap) {
    let shared = heap.only(&["--class", "heldtwice"]);
    let view = heap.view("object", &[&shared]);
    assert_eq!(view["location"]["line"], heap.line("class HeldTwice"));
    assert_eq!(heap.view("retainers", &[&shared, "--all"])["truncated"], false);
    let owners: Vec<String> = rows(&view, "retainers")
        .iter()
        .filter(|r| r["essential"] == true)
        .map(|r| r["object"]["id"].as_str().unwrap().to_owned())
        .collect();
    // The module's own variable, the object and the map's table.
    assert!(owners.len() >= 2, "{owners:?}");
    let mut rest = vec![shared.as_str()];
    for (i, owner) in owners.iter().enumerate() {
        rest.extend(["--ignore", owner]);
        let left = heap.view("retainers", &rest);
        assert_eq!(left["would_be_freed"], i + 1 == owners.len(), "without {}", i + 1);
        let ids = left["paths"].to_string();
        assert!(owners[..=i].iter().all(|o| !ids.contains(&format!("\"{o}\""))), "{ids}");
    }
    // Going up the dominators from below ends where going down from the root began.
    let chain = heap.view("dominators", &[&shared]);
    let top = rows(&chain, "chain");
    assert_eq!(top.last().unwrap()["id"], "@1");
    let next = &top[top.len().saturating_sub(2)];
    let children = heap.view("dominators", &[]);
    assert!(rows(&children, "children").iter().any(|c| c["id"] == next["id"]));
    let root = heap.view("containment", &[]);
    assert!(rows(&root, "rows").iter().any(|r| r["object"]["name"] == "(GC roots)"));
}

#[test]
fn node_20() {
    check(20);
}

#[test]
fn node_24() {
    check(24);
}
