//! What the views of one snapshot say, letter by letter, on a heap that is drawn to have something for each.
//! After a change that was meant: `INSTA_UPDATE=always cargo test -p leakline --test views`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;

use std::fmt::Write as _;

use leakline_testkit::heapsnapshot::Layout;
use leakline_testkit::heapsnapshot::service::{Behaviour, Service};
use leakline_testkit::heapsnapshot::showcase::{HANDLERS, showcase};
use serde_json::Value;
use tempfile::TempDir;

use common::{LIMIT, Run, Running, leakline, scratch};

/// A folder with the heap of each layout in it.
struct Desk {
    dir: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: scratch() };
        // The script is nowhere: the views do not read it, and its path has one length everywhere.
        let script = std::path::Path::new("/srv/shop/app.js");
        for (name, layout) in [("20", Layout::Node20), ("24", Layout::Node24)] {
            let path = desk.dir.path().join(format!("{name}.heapsnapshot"));
            showcase(layout, script).write(&path).unwrap();
        }
        let service =
            Service { layout: Layout::Node20, behaviour: Behaviour::Leaks, script, id_offset: 0 };
        service.snapshot(2).write(&desk.dir.path().join("service.heapsnapshot")).unwrap();
        desk
    }

    fn run(&self, line: &str) -> Run {
        let mut command = leakline();
        command.current_dir(self.dir.path()).args(line.split_whitespace());
        Running::start(command).finish(LIMIT)
    }

    /// Compares all that the command leaves with the snapshot of this name.
    #[track_caller]
    fn shot(&self, name: &str, line: &str) -> Run {
        let run = self.run(line);
        assert!(!run.stderr.contains("panicked"), "{run}");
        let mut text = format!("$ leakline {line}\nexit {}\n", run.code.unwrap_or(-1));
        for (stream, said) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            if !said.is_empty() {
                let _ = write!(text, "--- {stream}\n{said}");
            }
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, text));
        run
    }

    /// A view as text and as JSON, and the same from both layouts.
    #[track_caller]
    fn view(&self, name: &str, command: &str, rest: &str) -> Value {
        self.shot(name, format!("{command} 20.heapsnapshot {rest}").trim()).expect_code(0);
        let line = format!("{command} 20.heapsnapshot {rest} --json");
        let old = self.shot(&format!("{name}_json"), &line).expect_code(0).json();
        let mut new =
            self.run(&format!("{command} 24.heapsnapshot {rest} --json")).expect_code(0).json();
        new["file"] = old["file"].clone();
        assert_eq!(old, new, "one heap in two layouts");
        assert_eq!(old["schema"], format!("leakline/{command}/1"));
        old
    }
}

/// The id of the first object that a search finds.
fn found(desk: &Desk, criteria: &str) -> String {
    let found = desk.run(&format!("search 20.heapsnapshot {criteria} --json")).json();
    found["matches"][0]["id"].as_str().expect("something is found").to_owned()
}

#[test]
fn object() {
    let desk = Desk::new();
    let id = found(&desk, "--name LruCache");
    desk.view("object", "object", &id);
    let context = found(&desk, "--name system");
    let closure = found(&desk, "--name count --type closure");
    let view = desk.view("object_closure", "object", &closure);
    assert_eq!(view["location"]["line"], 7);
    desk.shot("object_limit", &format!("object 20.heapsnapshot {context} --limit 2"))
        .expect_code(0);
    let text = found(&desk, "--name xxxxx");
    desk.shot("object_string", &format!("object 20.heapsnapshot {text}")).expect_code(0);
    desk.shot("object_root", "object 20.heapsnapshot 1").expect_code(0);
}

#[test]
fn containment() {
    let desk = Desk::new();
    desk.view("containment", "containment", "");
    let id = found(&desk, "--class Array --retained 20KB-60KB");
    desk.view("containment_object", "containment", &id);
    desk.shot("containment_limit", &format!("containment 20.heapsnapshot {id} --limit 2"))
        .expect_code(0);
}

#[test]
fn dominators() {
    let desk = Desk::new();
    let view = desk.view("dominators", "dominators", "");
    assert_eq!(view["object"]["id"], "@1");
    let id = found(&desk, "--name Tick");
    let view = desk.view("dominators_object", "dominators", &id);
    assert_eq!(view["depth"].as_u64().unwrap() as usize, view["chain"].as_array().unwrap().len());
    let id = found(&desk, "--class Array --retained 20KB-60KB");
    desk.shot("dominators_down", &format!("dominators 20.heapsnapshot {id} --limit 3"))
        .expect_code(0);
}

#[test]
fn stats() {
    let desk = Desk::new();
    let view = desk.view("stats", "stats", "");
    assert_eq!(view["native"]["typed_arrays_bytes"], 100_000);
}

#[test]
fn strings() {
    let desk = Desk::new();
    let view = desk.view("strings", "strings", "");
    let urls = view["strings"].as_array().unwrap().iter().find(|s| s["text"] == "/orders/7");
    assert_eq!(urls.unwrap()["count"], HANDLERS);
    desk.shot("strings_min_count", "strings 20.heapsnapshot --min-count 3").expect_code(0);
    desk.shot("strings_limit", "strings 20.heapsnapshot --limit 1").expect_code(0);
}

#[test]
fn closures() {
    let desk = Desk::new();
    desk.view("closures", "closures", "");
    desk.shot("closures_script", "closures 20.heapsnapshot --script shop/app").expect_code(0);
    desk.shot("closures_none", "closures 20.heapsnapshot --script elsewhere").expect_code(0);
}

#[test]
fn contexts() {
    let desk = Desk::new();
    let view = desk.view("contexts", "contexts", "");
    let handler =
        view["groups"].as_array().unwrap().iter().find(|g| g["function"] == "makeHandler");
    assert_eq!(handler.unwrap()["closure_count"], 2 * HANDLERS);
    assert_eq!(handler.unwrap()["variables"][0]["name"], "body");
    desk.shot("contexts_script", "contexts 20.heapsnapshot --script app.js").expect_code(0);
    // Drawn without descriptions of scopes.
    desk.shot("contexts_service", "contexts service.heapsnapshot").expect_code(0);
}

#[test]
fn collections() {
    let desk = Desk::new();
    desk.view("collections", "collections", "");
    desk.shot("collections_waste", "collections 20.heapsnapshot --sort waste --limit 3")
        .expect_code(0);
    // Drawn with stores of no size that V8 would give them.
    desk.shot("collections_service", "collections service.heapsnapshot").expect_code(0);
}

#[test]
fn detached() {
    let desk = Desk::new();
    let view = desk.view("detached", "detached", "");
    assert_eq!(view["count"], 4);
    desk.shot("detached_none", "detached service.heapsnapshot").expect_code(0);
}

#[test]
fn native_contexts() {
    let desk = Desk::new();
    let view = desk.view("native_contexts", "native-contexts", "");
    assert_eq!(view["contexts"].as_array().unwrap().len(), 3);
    desk.shot("native_contexts_none", "native-contexts service.heapsnapshot").expect_code(0);
}

#[test]
fn search() {
    let desk = Desk::new();
    desk.view("search", "search", "--name session --retained >=100");
    desk.shot("search_script", "search 20.heapsnapshot --script app.js --limit 4").expect_code(0);
    desk.shot("search_size", "search 20.heapsnapshot --size 1KB-3KiB --type string --limit 2")
        .expect_code(0);
    desk.shot("search_nothing", "search 20.heapsnapshot --class Nowhere").expect_code(0);
    desk.shot("search_id", "search 20.heapsnapshot --id @1").expect_code(0);
}

#[test]
fn retainers_of_all_and_without_some() {
    let desk = Desk::new();
    let config = found(&desk, "--name Config");
    desk.shot("retainers_all", &format!("retainers 20.heapsnapshot {config} --all")).expect_code(0);
    let session = found(&desk, "--name Session --type object");
    let map = found(&desk, "--class Map --type object");
    let line = format!("retainers 20.heapsnapshot {session} --ignore {map}");
    desk.shot("retainers_freed", &line).expect_code(0);
    let freed = desk.shot("retainers_freed_json", &format!("{line} --json")).json();
    assert_eq!(freed["would_be_freed"], true);
    let handler = found(&desk, "--name makeHandler --type closure");
    let all = desk.run(&format!("retainers 20.heapsnapshot {config} --ignore {handler} --json"));
    assert_eq!(all.json()["would_be_freed"], false);
    desk.shot(
        "retainers_ignored",
        &format!("retainers 20.heapsnapshot {config} --ignore {handler}"),
    )
    .expect_code(0);
}

#[test]
fn wrong_usage() {
    let desk = Desk::new();
    for (name, line) in [
        ("usage_view_object_id", "object 20.heapsnapshot @many"),
        ("usage_view_no_object_id", "object 20.heapsnapshot"),
        ("usage_containment_id", "containment 20.heapsnapshot @@7"),
        ("usage_dominators_id", "dominators 20.heapsnapshot -1"),
        ("usage_search_nothing", "search 20.heapsnapshot"),
        ("usage_search_range", "search 20.heapsnapshot --size 2MB-1MB"),
        ("usage_search_unit", "search 20.heapsnapshot --retained >=1TB"),
        ("usage_search_type", "search 20.heapsnapshot --type thing"),
        ("usage_strings_once", "strings 20.heapsnapshot --min-count 1"),
        ("usage_retainers_all_and_some", "retainers 20.heapsnapshot @7 --all --max-paths 3"),
        ("usage_retainers_ignore_itself", "retainers 20.heapsnapshot @7 --ignore @7"),
        ("usage_collections_sort", "collections 20.heapsnapshot --sort age"),
    ] {
        desk.shot(name, line).expect_code(2);
    }
    // Ids that are in no file, and a slip of the finger is told before a file is missed.
    for command in ["object", "containment", "dominators"] {
        let run = desk.run(&format!("{command} 20.heapsnapshot @999999 --json")).expect_code(4);
        assert_eq!(run.json()["code"], "no-such-object");
        desk.run(&format!("{command} nowhere.heapsnapshot @x")).expect_code(2);
    }
    let run = desk.run("retainers 20.heapsnapshot @1 --ignore @999999 --json").expect_code(4);
    assert_eq!(run.json()["code"], "no-such-object");
    desk.run("search 20.heapsnapshot --id x").expect_code(2);
    desk.run("search 20.heapsnapshot --id 999999").expect_code(0);
}
