//! The main job: `leakline investigate PID` on the example apps, live and under load, and on their fixed twins.
//!
//! Two lanes run at the same time. In one every app is opened by SIGUSR1, which always means port 9229, so its runs
//! come one after another; in the other the apps have their inspector open already, each on a port of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]
#![allow(clippy::print_stdout, reason = "what a failing test shows beside its assertion")]

mod common;

use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use leakline_testkit::apps::{Example, express_uncaught, module_cache};
use leakline_testkit::load::Load;
use leakline_testkit::node::{NodeApp, NodeProcess, node_binary};
use serde_json::Value;

use common::{LIMIT, Running, files_below, free_port, leakline, scratch};

const DEFAULT_INSPECTOR_PORT: u16 = 9229;
const DURATION: &str = "20s";

#[test]
fn opened_by_signal() {
    investigate(20, &express_uncaught(false).unwrap(), Inspector::Closed);
    investigate(20, &express_uncaught(true).unwrap(), Inspector::Closed);
    investigate(24, &module_cache(false).unwrap(), Inspector::Closed);
    investigate(24, &module_cache(true).unwrap(), Inspector::Closed);
}

#[test]
fn with_the_inspector_open() {
    investigate(24, &express_uncaught(false).unwrap(), Inspector::Open);
    investigate(24, &express_uncaught(true).unwrap(), Inspector::Open);
    investigate(20, &module_cache(false).unwrap(), Inspector::Open);
    investigate(20, &module_cache(true).unwrap(), Inspector::Open);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inspector {
    /// Leakline must open it, and close it again.
    Closed,
    /// It was open before, and stays so.
    Open,
}

fn investigate(version: u32, example: &Example, inspector: Inspector) {
    let label = format!("{} on Node {version}", example.script.display());
    let dir = scratch();
    let out = dir.path().join("findings");
    let mut app = NodeApp::new(node_binary(version).unwrap(), &example.script);
    let port = match inspector {
        Inspector::Closed => DEFAULT_INSPECTOR_PORT,
        Inspector::Open => free_port(),
    };
    if inspector == Inspector::Open {
        app = app.node_arg(format!("--inspect=127.0.0.1:{port}"));
    }
    let mut process = app.start().unwrap();
    // At most 200 requests a second, for as long as the investigation takes.
    let load = Load::new(example.path, 200 * 120).connections(4).pause(Duration::from_millis(20));
    load_warm_up(example, &process);
    let sending = load.start(process.port());

    let mut command = leakline();
    command.args(["investigate", &process.pid().to_string(), "--json", "--duration", DURATION]);
    command.args(["--interval", "500ms", "-o"]).arg(&out).current_dir(dir.path());
    let run = Running::start(command).finish(LIMIT).expect_code(0);
    println!("{label}: {:.1} s", run.elapsed.as_secs_f64());

    assert!(process.is_running(), "{label}: the app ended: {}", process.output());
    let sent = sending.stop().unwrap();
    assert_eq!(sent.good, sent.requests, "{label}: requests failed during the investigation");
    let after = Load::new("/health", 20).run(process.port()).unwrap();
    assert_eq!(after.good, 20, "{label}: it serves no more");
    let open = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    assert_eq!(
        open,
        inspector == Inspector::Open,
        "{label}: inspector port {port} open afterwards"
    );

    let found = run.json();
    check_document(&label, version, &found, &process);
    check_folder(&label, &out, &found);
    match &example.truth {
        Some(_) => check_leak(&label, example, &found, &out),
        None => check_healthy(&label, &found),
    }
}

fn load_warm_up(example: &Example, process: &NodeProcess) {
    // Compilation and caches of the first requests are growth, too, and nobody's leak.
    let sent = Load::new(example.path, 500).run(process.port()).unwrap();
    assert_eq!(sent.good, 500, "{}", process.output());
}

fn check_document(label: &str, version: u32, found: &Value, process: &NodeProcess) {
    assert_eq!(found["schema"], "leakline/investigation/1", "{label}");
    let target = &found["target"];
    assert_eq!(target["pid"], process.pid(), "{label}");
    assert!(text(&target["runtime"]).to_lowercase().contains("node"), "{label}: {target}");
    let major =
        text(&target["version"]).trim_start_matches('v').split('.').next().unwrap().to_owned();
    assert_eq!(major, version.to_string(), "{label}: {target}");
    assert!(!target["command"].is_null(), "{label}: {target}");

    let trend = &found["trend"];
    let verdicts = ["leak", "plateau", "warm-up", "follows-load", "stable", "insufficient-data"];
    assert!(verdicts.contains(&text(&trend["verdict"])), "{label}: {trend}");
    let places = ["js-heap", "array-buffers", "external", "native", "unknown"];
    assert!(places.contains(&text(&trend["where"])), "{label}: {trend}");
    assert!(trend["rate_bytes_per_hour"].is_object(), "{label}: {trend}");
    assert!(!list(&trend["reasons"]).is_empty(), "{label}: {trend}");

    let preflight = &found["preflight"];
    assert_eq!(preflight["decision"], "allowed", "{label}: {preflight}");
    assert!(number(&preflight["predicted"]["extra_bytes"]) > 1e6, "{label}: {preflight}");
    assert!(number(&preflight["headroom_bytes"]) > 1e6, "{label}: {preflight}");

    let snapshots = list(&found["snapshots"]);
    assert_eq!(snapshots.len(), 3, "{label}");
    for snapshot in snapshots {
        let size = std::fs::metadata(text(&snapshot["path"])).unwrap().len();
        assert_eq!(snapshot["bytes"], size, "{label}");
        assert!((0.01..60.0).contains(&number(&snapshot["pause_seconds"])), "{label}: {snapshot}");
    }
    assert_eq!(found["diff"]["comparable"]["by"], "id", "{label}: one session was to be held");
    assert!(!list(&found["diff"]["rows"]).is_empty(), "{label}");
    assert_eq!(list(&found["diff"]["steps"]).len(), 2, "{label}");
    assert!(list(&found["actions"]).len() >= 4, "{label}: {}", found["actions"]);
    assert!(found["limits"].is_array(), "{label}: {}", found["limits"]);
}

fn check_folder(label: &str, out: &Path, found: &Value) {
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(out), 0o700, "{label}");
    assert_eq!(mode(&out.join("snapshots")), 0o700, "{label}");
    let files = files_below(out);
    for file in &files {
        assert_eq!(mode(file), 0o600, "{label}: {}", file.display());
    }
    let in_snapshots = files.iter().filter(|f| f.parent() == Some(&out.join("snapshots"))).count();
    assert_eq!(in_snapshots, 3, "{label}: {files:?}");
    let saved = std::fs::read_to_string(out.join("investigation.json")).unwrap();
    assert_eq!(
        &serde_json::from_str::<Value>(&saved).unwrap(),
        found,
        "{label}: file and stdout differ"
    );
    let samples = std::fs::read_to_string(out.join("samples.jsonl")).unwrap();
    let heaps: Vec<f64> = samples
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|s| s["heapUsed"].as_f64().or(s["heap_used"].as_f64()))
        .collect();
    assert!(heaps.len() >= 15, "{label}: {samples}");
    assert!(heaps.iter().all(|h| *h > 1e6), "{label}: {samples}");
    // They are a series like any other.
    let series = out.join("samples.jsonl");
    let trend =
        common::run([Path::new("trend"), &series, Path::new("--json")]).expect_code(0).json();
    assert_eq!(trend["schema"], "leakline/trend/1", "{label}");
}

fn check_leak(label: &str, example: &Example, found: &Value, out: &Path) {
    let truth = example.truth.as_ref().unwrap();
    let suspect = &found["suspects"][0];
    assert_eq!(suspect["rank"], 1, "{label}: {}", found["suspects"]);
    assert_eq!(suspect["rule"], truth.rule, "{label}: {suspect}");
    let culprit = &suspect["culprit"];
    assert_eq!(culprit["file"], *truth.file.to_string_lossy(), "{label}: {culprit}");
    assert_eq!(culprit["line"], truth.line, "{label}: {culprit}");
    let source = std::fs::read_to_string(&truth.file).unwrap();
    let line = source.lines().nth(truth.line as usize - 1).unwrap();
    // A snippet is the statement's text, with or without the semicolon after it.
    let statement = line.trim().trim_end_matches(';');
    assert!(text(&culprit["snippet"]).contains(statement), "{label}: {culprit}");
    if truth.rule == "event-listener" {
        let holder = text(&suspect["holder"]["path"]);
        let told = format!("{holder} {}", text(&suspect["title"]));
        assert!(
            told.contains("process") && told.contains("uncaughtException"),
            "{label}: {suspect}"
        );
    }
    assert!(text(&suspect["holder"]["id"]).starts_with('@'), "{label}: {suspect}");

    let leaked = &suspect["leaked"];
    let (before, after) = (number(&leaked["count_before"]), number(&leaked["count_after"]));
    assert!(before >= 500.0, "{label}: the warm-up alone leaked 500: {leaked}");
    assert!(after > before + 100.0, "{label}: {leaked}");
    assert!((number(&leaked["count_delta"]) - (after - before)).abs() < 0.5, "{label}: {leaked}");
    assert!(number(&leaked["bytes_each"]) > 0.0, "{label}: {leaked}");
    assert!(number(&leaked["retained_delta_bytes"]) > 0.0, "{label}: {leaked}");
    assert!((0.3..=1.0).contains(&number(&leaked["share_of_growth"])), "{label}: {leaked}");
    assert!(list(&suspect["path"]).len() >= 2, "{label}: {suspect}");
    assert!(text(&suspect["explanation"]).len() > 40, "{label}: {suspect}");
    assert!(text(&suspect["fix"]).len() > 20, "{label}: {suspect}");
    assert!(["high", "medium"].contains(&text(&suspect["confidence"])), "{label}: {suspect}");
    assert!(says_leak(found), "{label}: {} and no leak", found["trend"]["verdict"]);

    let report = std::fs::read_to_string(out.join("report.md")).unwrap();
    let name = truth.file.file_name().unwrap().to_string_lossy();
    assert!(report.contains(&format!("{name}:{}", truth.line)), "{label}: {report}");
    assert!(report.contains(statement), "{label}: {report}");
}

fn check_healthy(label: &str, found: &Value) {
    assert!(!says_leak(found), "{label}: {}", found["trend"]);
    let certain = list(&found["suspects"]).iter().find(|s| s["confidence"] != "low");
    assert!(certain.is_none(), "{label}: {}", certain.unwrap());
}

/// The Investigation's answer; where it gives none of its own, the trend's.
fn says_leak(found: &Value) -> bool {
    found["leak"].as_bool().unwrap_or(found["trend"]["verdict"] == "leak")
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text but {value}"))
}

#[track_caller]
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number but {value}"))
}

#[track_caller]
fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("no list but {value}"))
}

/// The same from files: what `investigate` saved, given back to it, leads to the same line.
#[test]
fn from_files() {
    let example = module_cache(false).unwrap();
    let truth = example.truth.clone().unwrap();
    let dir = scratch();
    let app = NodeApp::new(node_binary(24).unwrap(), &example.script);
    let files: [PathBuf; 3] =
        leakline_testkit::apps::snapshots_of(&app, &Load::new(example.path, 400), dir.path())
            .unwrap();
    let out = dir.path().join("findings");
    let mut command = leakline();
    command.arg("investigate").args(&files).arg("-o").arg(&out).arg("--json");
    let found = Running::start(command).finish(LIMIT).expect_code(0).json();
    assert_eq!(found["schema"], "leakline/investigation/1");
    let culprit = &found["suspects"][0]["culprit"];
    assert_eq!(culprit["file"], *truth.file.to_string_lossy());
    assert_eq!(culprit["line"], truth.line);
    assert!(out.join("report.md").is_file() && out.join("investigation.json").is_file());
    assert!(files.iter().all(|f| f.is_file()), "the given files stay where they are");
}
