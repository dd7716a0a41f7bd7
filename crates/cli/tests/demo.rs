//! `leakline demo` from end to end: it names the right line, and leaves nothing running behind.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;

use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use common::{Running, files_below, leakline, marked_processes, scratch};

/// The demo promises an answer in less than two minutes.
const PROMISE: Duration = Duration::from_mins(2);
/// From Ctrl-C to the end of everything.
const GRACE: Duration = Duration::from_secs(15);

/// The demo's server may want the inspector's port; the tests of this file take turns.
static TURN: Mutex<()> = Mutex::new(());

/// `leakline demo` in a folder of its own, its processes known by a mark in their environment.
fn demo(dir: &Path, mark: &str) -> Command {
    let mut command = leakline();
    let tmp = dir.join("tmp");
    std::fs::create_dir_all(&tmp).unwrap();
    command.arg("demo").current_dir(dir).env("TMPDIR", tmp).env("LEAKLINE_TEST_MARK", mark);
    command
}

/// A mark that no other run bears.
fn mark(name: &str) -> String {
    format!("leakline-test-{name}-{}", std::process::id())
}

#[track_caller]
fn nothing_left(mark: &str) {
    let deadline = Instant::now() + Duration::from_secs(3);
    loop {
        let left = marked_processes(mark);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "left behind: {left:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn names_the_line_in_under_two_minutes() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let (dir, mark) = (scratch(), mark("whole"));
    let run = Running::start(demo(dir.path(), &mark)).finish(PROMISE + GRACE).expect_code(0);
    println!("{run}");
    assert!(run.elapsed < PROMISE, "it took {:?}", run.elapsed);
    nothing_left(&mark);
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, 9229)).is_err(), "the inspector stayed open");

    let investigation = files_below(dir.path())
        .into_iter()
        .find(|f| f.file_name().is_some_and(|n| n == "investigation.json"))
        .expect("the demo writes an Investigation where it runs or into the temporary folder");
    let found: Value = serde_json::from_slice(&std::fs::read(&investigation).unwrap()).unwrap();
    let suspect = &found["suspects"][0];
    assert_eq!(suspect["rule"], "event-listener", "{suspect}");
    let culprit = &suspect["culprit"];
    let snippet = culprit["snippet"].as_str().unwrap();
    assert!(snippet.contains("process.on('uncaughtException'"), "{culprit}");

    // The terminal says it, too: file and line, the statement, and where the report lies.
    let file = Path::new(culprit["file"].as_str().unwrap());
    let place = format!("{}:{}", file.file_name().unwrap().to_string_lossy(), culprit["line"]);
    assert!(run.stdout.contains(&place), "no {place} in {run}");
    assert!(run.stdout.contains("process.on('uncaughtException'"), "{run}");
    let report = investigation.with_file_name("report.md");
    assert!(report.is_file(), "no {}", report.display());
    let folder = investigation.parent().unwrap().file_name().unwrap().to_string_lossy();
    assert!(run.stdout.contains(&*folder), "nothing says that the report is in {folder}: {run}");
    if let Ok(source) = std::fs::read_to_string(file) {
        let line = culprit["line"].as_u64().unwrap() as usize;
        let statement = source.lines().nth(line - 1).unwrap();
        assert!(statement.contains("process.on('uncaughtException'"), "line {line} is {statement}");
    }
}

#[test]
fn ctrl_c_ends_everything() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // Once while it samples, and once about where it captures.
    for seconds in [4, 18] {
        let (dir, mark) = (scratch(), mark(&format!("interrupted-{seconds}")));
        let mut running = Running::start(demo(dir.path(), &mark));
        thread::sleep(Duration::from_secs(seconds));
        assert!(running.is_running(), "it ended before it was interrupted");
        let started = marked_processes(&mark);
        assert!(started.len() >= 2, "no server after {seconds} s: {started:?}");
        let pid = Pid::from_raw(running.pid() as i32).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        let run = running.finish(Duration::from_secs(seconds) + GRACE).expect_code(130);
        println!("interrupted after {seconds} s, ended after {:.1} s", run.elapsed.as_secs_f64());
        nothing_left(&mark);
        // What it kept must be whole: no snapshot that reads as one and is not.
        for file in files_below(dir.path()) {
            if file.extension().is_some_and(|e| e == "heapsnapshot") {
                common::run([Path::new("summary"), &file]).expect_code(0);
            }
        }
    }
}

#[test]
fn without_node_it_says_so() {
    let (dir, mark) = (scratch(), mark("no-node"));
    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let mut command = demo(dir.path(), &mark);
    command.env("PATH", &empty);
    let run = Running::start(command).finish(GRACE).expect_code(5);
    assert!(run.stderr.contains("error:") && run.stderr.contains("hint:"), "{run}");
    assert!(run.stderr.to_lowercase().contains("node"), "{run}");
    nothing_left(&mark);
}
