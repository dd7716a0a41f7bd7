//! Everything that can be wrong with a file or a process: a clear error by the contract, never a panic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use leakline_testkit::apps::{module_cache, snapshots_of};
use leakline_testkit::load::Load;
use leakline_testkit::node::{NodeApp, NodeProcess, node_binary};
use serde_json::Value;

use common::{LIMIT, Run, Running, files_below, free_port, is_alive, leakline, run, scratch};

const BAD_INPUT: i32 = 4;
const NO_TARGET: i32 = 5;
const REFUSED: i32 = 6;

/// Those tests that let the inspector's port 9229 matter take turns.
static INSPECTOR_PORT: Mutex<()> = Mutex::new(());

/// A whole snapshot of four objects, as V8 lays them out: root → Map → (string, number).
const TINY: &str = r#"{"snapshot":{"meta":{"node_fields":["type","name","id","self_size","edge_count","trace_node_id","detachedness"],"node_types":[["hidden","array","string","object","code","closure","regexp","number","native","synthetic","concatenated string","sliced string","symbol","bigint","object shape"],"string","number","number","number","number","number"],"edge_fields":["type","name_or_index","to_node"],"edge_types":[["context","element","property","internal","hidden","shortcut","weak"],"string_or_number","node"],"trace_function_info_fields":["function_id","name","script_name","script_id","line","column"],"trace_node_fields":["id","function_info_index","count","size","children"],"sample_fields":["timestamp_us","last_assigned_id"],"location_fields":["object_index","script_id","line","column"]},"node_count":4,"edge_count":3,"trace_function_count":0},
"nodes":[9,0,1,0,1,0,0
,3,1,3,40,2,0,0
,2,2,5,24,0,0,0
,7,3,7,16,0,0,0
],
"edges":[1,1,7
,2,4,14
,2,5,21
],
"trace_function_infos":[],
"trace_tree":[],
"samples":[],
"locations":[7,1,2,3
],
"strings":["","Map","a text","heap number","key","value"]}"#;

/// What of a command's end is not as the contract wants an error to be, in text and as JSON.
fn error_of(args: &[&OsStr], code: i32) -> Result<Run, String> {
    let check = |right: bool, what: &str, run: &Run| {
        if right { Ok(()) } else { Err(format!("{args:?}: {what}: {run}")) }
    };
    let as_text = run(args);
    check(as_text.code == Some(code), &format!("exit code is not {code}"), &as_text)?;
    check(as_text.stderr.contains("error: "), "no error line", &as_text)?;
    check(as_text.stderr.contains("hint: "), "no hint", &as_text)?;
    check(!as_text.stderr.contains("panicked"), "it panicked", &as_text)?;
    check(as_text.stdout.trim().is_empty(), "an error's text belongs on stderr", &as_text)?;

    let as_json = run(args.iter().chain(&[OsStr::new("--json")]));
    check(as_json.code == Some(code), &format!("exit code is not {code}"), &as_json)?;
    let document: Value = serde_json::from_str(&as_json.stdout).unwrap_or_default();
    check(document["schema"] == "leakline/error/1", "no error document", &as_json)?;
    for field in ["code", "message", "hint"] {
        let said = document[field].as_str().is_some_and(|text| !text.is_empty());
        check(said, &format!("no {field}"), &as_json)?;
    }
    Ok(as_text)
}

/// Fails unless the command ended as the contract says.
#[track_caller]
fn is_error(what: &str, args: &[&OsStr], code: i32) -> Run {
    error_of(args, code).unwrap_or_else(|wrong| panic!("{what}, {wrong}"))
}

/// Gives the file to each command that reads snapshots; where a command takes two, the other one is sound.
fn all_commands(what: &str, sound: &Path, bad: &Path) -> Vec<String> {
    let name = bad.file_name().unwrap().to_string_lossy().into_owned();
    let (sound, bad) = (sound.as_os_str(), bad.as_os_str());
    let o = OsStr::new;
    let commands = [
        &[o("summary"), bad][..],
        &[o("retainers"), bad, o("@3")],
        &[o("object"), bad, o("@3")],
        &[o("containment"), bad],
        &[o("dominators"), bad],
        &[o("stats"), bad],
        &[o("strings"), bad],
        &[o("closures"), bad],
        &[o("contexts"), bad],
        &[o("collections"), bad],
        &[o("detached"), bad],
        &[o("native-contexts"), bad],
        &[o("search"), bad, o("--name"), o("a")],
        &[o("diff"), sound, bad],
        &[o("diff"), bad, sound],
        &[o("suspects"), sound, bad],
    ];
    let problems = commands.into_iter().filter_map(|args| match error_of(args, BAD_INPUT) {
        Err(wrong) => Some(format!("{what}, {wrong}")),
        Ok(run) if !run.stderr.contains(&name) => {
            Some(format!("{what}, {args:?} names no file: {run}"))
        }
        Ok(_) => None,
    });
    problems.collect()
}

#[track_caller]
fn bad_for_all_commands(what: &str, sound: &Path, bad: &Path) {
    none(&all_commands(what, sound, bad));
}

/// Fails with all the problems at once.
#[track_caller]
fn none(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n\n"));
}

fn write(dir: &Path, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_sound_file_is_read() {
    let dir = scratch();
    let sound = write(dir.path(), "sound.heapsnapshot", TINY);
    let summary = run([Path::new("summary"), &sound, Path::new("--json")]).expect_code(0).json();
    assert_eq!(summary["snapshot"]["node_count"], 4);
    assert_eq!(summary["snapshot"]["edge_count"], 3);
}

#[test]
fn files_that_are_no_snapshots() {
    let dir = scratch();
    let sound = write(dir.path(), "sound.heapsnapshot", TINY);
    bad_for_all_commands("missing", &sound, &dir.path().join("nowhere.heapsnapshot"));
    bad_for_all_commands("a folder", &sound, dir.path());
    for (what, text) in [
        ("empty", ""),
        ("white space", " \n\t "),
        ("not JSON", "PK\u{3}\u{4} this is no JSON"),
        ("an array", "[1,2,3]"),
        ("a number", "17"),
        ("JSON, no snapshot", r#"{"name":"leakline","version":"1.0.0"}"#),
        ("only a header", r#"{"snapshot":{}}"#),
        (
            "a CPU profile",
            r#"{"nodes":[{"id":1,"callFrame":{}}],"startTime":1,"endTime":2,"samples":[1]}"#,
        ),
        (
            "a heap profile",
            r#"{"head":{"callFrame":{"functionName":"(root)"},"selfSize":0,"id":1,"children":[]}}"#,
        ),
    ] {
        let bad = write(dir.path(), "bad.heapsnapshot", text);
        bad_for_all_commands(what, &sound, &bad);
    }
    let bad = write(dir.path(), "bad.heapsnapshot", [0xff, 0xfe, 0, 0x80, 0x81]);
    bad_for_all_commands("bytes", &sound, &bad);
}

#[test]
fn files_whose_numbers_lie() {
    let dir = scratch();
    let sound = write(dir.path(), "sound.heapsnapshot", TINY);
    let mut problems = Vec::new();
    for (what, from, to) in [
        ("a node too few", "\"node_count\":4", "\"node_count\":5"),
        ("a node too many", "\"node_count\":4", "\"node_count\":3"),
        ("an edge too few", "\"edge_count\":3", "\"edge_count\":4"),
        ("an edge too many", "\"edge_count\":3", "\"edge_count\":2"),
        ("a count beyond all memory", "\"node_count\":4", "\"node_count\":4000000000000"),
        ("a negative count", "\"node_count\":4", "\"node_count\":-4"),
        ("half a node", ",7,3,7,16,0,0,0\n]", ",7,3,7,16,0\n]"),
        ("half an edge", ",2,5,21\n]", ",2,5\n]"),
        ("edges that no node owns", ",3,1,3,40,2,0,0", ",3,1,3,40,1,0,0"),
        ("nodes that own more than there is", ",3,1,3,40,2,0,0", ",3,1,3,40,9,0,0"),
        ("an edge to beyond the nodes", ",2,5,21", ",2,5,28"),
        ("an edge to the middle of a node", ",2,5,21", ",2,5,20"),
        ("an edge to far beyond", ",2,5,21", ",2,5,4294967295"),
        ("a name beyond the strings", ",3,1,3,40,2,0,0", ",3,6,3,40,2,0,0"),
        ("an edge's name beyond the strings", ",2,5,21", ",2,6,21"),
        ("a node type that is not listed", ",3,1,3,40,2,0,0", ",99,1,3,40,2,0,0"),
        ("an edge type that is not listed", ",2,5,21", ",77,5,21"),
        ("a negative size", ",3,1,3,40,2,0,0", ",3,1,3,-40,2,0,0"),
        ("a number beyond 64 bits", ",3,1,3,40,2,0,0", ",3,1,3,99999999999999999999999,2,0,0"),
        ("a text among the numbers", ",3,1,3,40,2,0,0", ",3,1,\"three\",40,2,0,0"),
        ("a location of no node", "\"locations\":[7,", "\"locations\":[700,"),
        ("no node type", "\"node_fields\":[\"type\",", "\"node_fields\":[\"kind\","),
        ("no target of edges", "\"name_or_index\",\"to_node\"]", "\"name_or_index\",\"target\"]"),
        ("no nodes", "\"nodes\":[9", "\"knots\":[9"),
        ("no strings", "\"strings\":[\"\"", "\"texts\":[\"\""),
        ("a number among the strings", "\"a text\"", "17"),
        ("a broken escape", "\"a text\"", "\"a \\u12 text\""),
    ] {
        let text = TINY.replacen(from, to, 1);
        assert_ne!(text, TINY, "{what}: nothing was changed");
        let bad = write(dir.path(), "bad.heapsnapshot", text);
        problems.extend(all_commands(what, &sound, &bad));
    }
    none(&problems);
}

#[test]
fn truncated_at_any_byte() {
    let dir = scratch();
    let bad = dir.path().join("cut.heapsnapshot");
    for length in (1..TINY.len()).step_by(3) {
        std::fs::write(&bad, &TINY[..length]).unwrap();
        let run = run([Path::new("summary"), &bad]);
        assert_eq!(run.code, Some(BAD_INPUT), "cut after {length} bytes: {run}");
        assert!(run.stderr.contains("hint: "), "cut after {length} bytes: {run}");
    }
}

#[test]
fn a_real_snapshot_truncated() {
    let dir = scratch();
    let example = module_cache(false).unwrap();
    let app = NodeApp::new(node_binary(24).unwrap(), &example.script);
    let [whole, ..] = snapshots_of(&app, &Load::new(example.path, 50), dir.path()).unwrap();
    let bytes = std::fs::read(&whole).unwrap();
    let cut = dir.path().join("cut.heapsnapshot");
    // Evenly over the file, and closely around its end and the borders of its sections.
    let sections = ["\"nodes\":", "\"edges\":", "\"locations\":", "\"strings\":"]
        .map(|name| find(&bytes, name.as_bytes()).expect("V8 writes this section"));
    let lengths = (1..24)
        .map(|i| bytes.len() * i / 24)
        .chain(sections.into_iter().flat_map(|at| [at, at + 5, at + 20]))
        .chain((1..6).map(|i| bytes.len() - i));
    for length in lengths {
        std::fs::write(&cut, &bytes[..length]).unwrap();
        let run = run([Path::new("summary"), &cut]);
        assert_eq!(run.code, Some(BAD_INPUT), "cut after {length} of {} bytes: {run}", bytes.len());
    }
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    bad_for_all_commands("half a snapshot", &whole, &cut);
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|w| w == what)
}

#[test]
fn series_that_are_none() {
    let dir = scratch();
    let trend = |path: &Path| {
        is_error(&path.to_string_lossy(), &["trend".as_ref(), path.as_ref()], BAD_INPUT)
    };
    trend(&dir.path().join("nowhere.csv"));
    trend(dir.path());
    for (name, text) in [
        ("empty.csv", ""),
        ("no-time.csv", "rss,heapUsed\n1,2\n3,4\n"),
        ("no-memory.csv", "time,temperature\n1,20\n2,21\n"),
        ("words.csv", "time,rss\nyesterday,much\n"),
        ("ragged.csv", "time,rss\n1,2,3,4\n"),
        ("broken.jsonl", "{\"elapsed_s\":1,\"rss\":1000}\n{\"elapsed_s\":2,\"rss\"\n"),
        ("list.jsonl", "[1,2]\n[3,4]\n"),
    ] {
        trend(&write(dir.path(), name, text));
    }
    trend(&write(dir.path(), "bytes.csv", [0xff, 0x00, 0xfe]));
}

#[test]
fn objects_and_arguments_that_are_wrong() {
    let dir = scratch();
    let sound = write(dir.path(), "sound.heapsnapshot", TINY);
    is_error(
        "an id of no object",
        &["retainers".as_ref(), sound.as_ref(), "@999".as_ref()],
        BAD_INPUT,
    );
    for args in [
        &["retainers".as_ref(), sound.as_os_str(), "@nonsense".as_ref()][..],
        &["diff".as_ref(), sound.as_os_str()],
        &["suspects".as_ref(), sound.as_os_str()],
        &["summary".as_ref()],
        &["no-such-command".as_ref()],
    ] {
        let run = run(args);
        assert_eq!(run.code, Some(2), "{args:?}: {run}");
        assert!(!run.stderr.is_empty(), "{args:?}: {run}");
    }
}

#[test]
fn processes_that_are_not_there_or_not_node() {
    let pid = {
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        child.id()
    };
    let gone =
        is_error("no such pid", &["investigate".as_ref(), pid.to_string().as_ref()], NO_TARGET);
    assert!(gone.stderr.contains(&pid.to_string()), "{gone}");

    let mut sleep = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
    let pid = sleep.id().to_string();
    let not_node = is_error("not Node", &["investigate".as_ref(), pid.as_ref()], NO_TARGET);
    assert!(not_node.stderr.to_lowercase().contains("node"), "{not_node}");
    assert!(is_alive(sleep.id()), "a process that is not Node was ended");
    sleep.kill().unwrap();
    sleep.wait().unwrap();

    is_error(
        "a kernel's or another user's process",
        &["investigate".as_ref(), "1".as_ref()],
        NO_TARGET,
    );
}

fn app(node_args: &[&str], env: &[(&str, &str)]) -> NodeProcess {
    let example = module_cache(false).unwrap();
    let mut app = NodeApp::new(node_binary(24).unwrap(), &example.script);
    for arg in node_args {
        app = app.node_arg(arg);
    }
    for (key, value) in env {
        app = app.env(key, value);
    }
    app.start().unwrap()
}

#[track_caller]
fn still_serves(app: &mut NodeProcess) {
    assert!(app.is_running(), "the app ended: {}", app.output());
    assert_eq!(Load::new("/health", 5).run(app.port()).unwrap().good, 5);
}

#[test]
fn a_signal_that_may_not_be_the_inspectors() {
    let _turn = INSPECTOR_PORT.lock().unwrap_or_else(PoisonError::into_inner);
    let snapshot_signal = "--heapsnapshot-signal=SIGUSR1";
    for (args, env) in [
        (&[snapshot_signal][..], &[][..]),
        (&["--heapsnapshot-signal", "SIGUSR1"], &[]),
        (&[], &[("NODE_OPTIONS", snapshot_signal)]),
        (&["--disable-sigusr1"], &[]),
    ] {
        let mut app = app(args, env);
        let run = run(["investigate", &app.pid().to_string(), "--duration", "5s"]);
        assert!([Some(NO_TARGET), Some(REFUSED)].contains(&run.code), "{args:?} {env:?}: {run}");
        assert!(run.stderr.contains("SIGUSR1") && run.stderr.contains("hint: "), "{run}");
        still_serves(&mut app);
    }
}

#[test]
fn a_port_that_is_someone_elses() {
    let _turn = INSPECTOR_PORT.lock().unwrap_or_else(PoisonError::into_inner);
    let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 9229))
        .expect("port 9229 must be free for this test");
    let mut app = app(&[], &[]);
    let pid = app.pid().to_string();
    let run = is_error("port taken", &["investigate".as_ref(), pid.as_ref()], NO_TARGET);
    assert!(run.stderr.contains("9229"), "{run}");
    still_serves(&mut app);
    drop(held);
}

#[test]
fn a_process_that_goes_away() {
    let _turn = INSPECTOR_PORT.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = scratch();
    let out = dir.path().join("findings");
    let app = app(&[], &[]);
    let mut command = leakline();
    command
        .args([
            "investigate",
            &app.pid().to_string(),
            "--duration",
            "30s",
            "--interval",
            "500ms",
            "-o",
        ])
        .arg(&out);
    let running = Running::start(command);
    thread::sleep(Duration::from_secs(6));
    // Dropping the handle kills the process.
    drop(app);
    let run = running.finish(Duration::from_mins(1)).expect_code(NO_TARGET);
    assert!(run.stderr.contains("error: ") && run.stderr.contains("hint: "), "{run}");
    if out.is_dir() {
        for file in files_below(&out) {
            if file.extension().is_some_and(|e| e == "heapsnapshot") {
                common::run([Path::new("summary"), &file]).expect_code(0);
            }
        }
    }
}

#[test]
fn a_folder_that_cannot_be_written() {
    let dir = scratch();
    let in_the_way = write(dir.path(), "in-the-way", "a file");
    let mut app = app(&[&format!("--inspect=127.0.0.1:{}", free_port())], &[]);
    let mut command = leakline();
    command
        .args(["investigate", &app.pid().to_string(), "--duration", "5s", "-o"])
        .arg(&in_the_way);
    let run = Running::start(command).finish(LIMIT);
    assert!(![Some(0), None].contains(&run.code), "{run}");
    assert!(run.stderr.contains("error: ") && run.stderr.contains("in-the-way"), "{run}");
    assert_eq!(std::fs::read_to_string(&in_the_way).unwrap(), "a file");
    still_serves(&mut app);
}
