//! `leakline watch` on real Node processes and on memory endpoints.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::http::{Answer, Server};
use common::{LIMIT, Run, Running, free_port, leakline, run, scratch};
use leakline_testkit::node::{NodeApp, NodeProcess, node_binary};

/// A server that leaks, by the clock: objects, and listeners of `process`.
const LEAKS: &str = "
const kept = [];
let n = 0;
setInterval(() => {
  for (let i = 0; i < 4000; i += 1) kept.push({ n: n += 1, text: 'order ' + n });
  if (n % 100000 === 0) process.on('SIGUSR2', () => kept.length);
}, 20);
process.setMaxListeners(0);
const server = require('http').createServer((q, r) => r.end('ok'));
server.listen(0, '127.0.0.1', () => console.log('listening on http://127.0.0.1:' + server.address().port));
";

/// One that does not.
const CALM: &str = "
const server = require('http').createServer((q, r) => r.end('ok'));
server.listen(0, '127.0.0.1', () => console.log('listening on http://127.0.0.1:' + server.address().port));
";

fn app(dir: &Path, script: &str, node_args: &[&str]) -> NodeProcess {
    let file = dir.join("app.js");
    std::fs::write(&file, script).unwrap();
    let mut app = NodeApp::new(node_binary(24).unwrap(), file);
    for arg in node_args {
        app = app.node_arg(arg);
    }
    app.start().unwrap()
}

fn watch(target: &str, out: &Path, more: &[&str]) -> Run {
    let out = out.to_str().unwrap();
    let mut args = vec!["watch", target, "-o", out, "--json", "--interval", "200ms"];
    args.extend(more);
    run(args)
}

fn serves(app: &mut NodeProcess) {
    assert!(app.is_running(), "the app ended: {}", app.output());
    assert!(TcpStream::connect(("127.0.0.1", app.port())).is_ok());
}

#[test]
fn a_process_is_watched_through_its_inspector_and_left_as_it_was() {
    let dir = scratch();
    let port = free_port();
    let mut app = app(dir.path(), LEAKS, &[&format!("--inspect-port={port}")]);
    let out = dir.path().join("a.jsonl");
    let found = watch(
        &app.pid().to_string(),
        &out,
        &["--until-verdict", "--duration", "2m", "--fail-on-leak"],
    )
    .expect_code(3);
    let json = found.json();
    assert_eq!(
        (&json["schema"], &json["verdict"]),
        (&"leakline/watch/1".into(), &"leak".into()),
        "{found}"
    );
    assert_eq!(
        (&json["source"], &json["where"]),
        (&"inspector".into(), &"js-heap".into()),
        "{found}"
    );
    assert!(json["event_loop_delay_seconds"].is_number(), "{found}");
    assert!(found.elapsed < Duration::from_secs(115), "{found}");
    let listeners = json["listeners"].as_array().unwrap();
    let grown = listeners.iter().find(|l| l["event"] == "SIGUSR2").unwrap();
    assert!(grown["last"].as_u64() > grown["first"].as_u64(), "{found}");
    assert_eq!(json["next"][0]["code"], "next-snapshots");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the inspector is still open");
    serves(&mut app);

    // The series is one that `trend` and `verify` read.
    let lines = std::fs::read_to_string(&out).unwrap();
    assert_eq!(lines.lines().count() as u64, json["samples"].as_u64().unwrap());
    assert_eq!(
        run(["trend".as_ref(), out.as_os_str(), "--json".as_ref()]).json()["verdict"],
        "leak"
    );
    let again = watch(&app.pid().to_string(), &out, &["--duration", "1s"]).expect_code(1);
    assert!(again.stderr.contains("a.jsonl"), "nothing is overwritten: {again}");
}

#[test]
fn without_the_inspector_rss_is_watched_from_outside() {
    let dir = scratch();
    let mut calm = app(dir.path(), CALM, &[]);
    let pid = calm.pid().to_string();
    let found =
        watch(&pid, &dir.path().join("a"), &["--no-inspector", "--duration", "1s"]).expect_code(0);
    let json = found.json();
    assert_eq!(
        (&json["source"], &json["actions"]),
        (&"proc".into(), &serde_json::json!([])),
        "{found}"
    );
    assert!(json["samples"].as_u64().unwrap() >= 3, "{found}");
    serves(&mut calm);

    // A signal that may not be the inspector's is not sent: what can be seen from outside is.
    let mut guarded = app(dir.path(), CALM, &["--heapsnapshot-signal=SIGUSR1"]);
    let found = watch(&guarded.pid().to_string(), &dir.path().join("b"), &["--duration", "1s"])
        .expect_code(0);
    assert_eq!(found.json()["source"], "proc", "{found}");
    assert!(found.stderr.contains("--heapsnapshot-signal"), "{found}");
    serves(&mut guarded);
    assert!(
        !std::fs::read_dir(dir.path()).unwrap().any(|f| f
            .unwrap()
            .path()
            .extension()
            .is_some_and(|e| e == "heapsnapshot")),
        "it was signalled"
    );
}

#[test]
fn a_restart_is_survived_and_counted() {
    let dir = scratch();
    let first = app(dir.path(), CALM, &[]);
    let out = dir.path().join("a.jsonl");
    let mut command = leakline();
    command.args([
        "watch",
        &first.pid().to_string(),
        "--json",
        "--interval",
        "200ms",
        "--duration",
        "12s",
        "-o",
    ]);
    let watching = Running::start({
        command.arg(&out);
        command
    });
    let samples = || std::fs::read_to_string(&out).unwrap_or_default().lines().count();
    wait_for(|| samples() > 3);
    drop(first);
    let before = samples();
    std::thread::sleep(Duration::from_secs(1));
    let mut second = app(dir.path(), CALM, &[]);
    wait_for(|| samples() > before + 3);
    let found = watching.finish(LIMIT).expect_code(0);
    assert_eq!(found.json()["restarts"], 1, "{found}");
    assert!(found.stderr.contains("it is back"), "{found}");
    serves(&mut second);
}

fn wait_for(done: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_mins(1), "waited in vain");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn ctrl_c_ends_it_with_what_was_learnt() {
    let dir = scratch();
    let port = free_port();
    let mut app = app(dir.path(), CALM, &[&format!("--inspect-port={port}")]);
    let out = dir.path().join("a.jsonl");
    let mut command = leakline();
    command
        .args(["watch", &app.pid().to_string(), "--json", "--interval", "200ms", "-o"])
        .arg(&out);
    let watching = Running::start(command);
    wait_for(|| std::fs::read_to_string(&out).is_ok_and(|t| t.lines().count() > 3));
    let sent = Command::new("kill").args(["-INT", &watching.pid().to_string()]).status().unwrap();
    assert!(sent.success());
    let found = watching.finish(LIMIT).expect_code(130);
    assert_eq!(found.json()["interrupted"], true, "{found}");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the inspector is still open");
    serves(&mut app);
}

#[test]
fn an_inspector_is_found_by_its_address() {
    let dir = scratch();
    let port = free_port();
    let mut app = app(dir.path(), CALM, &[&format!("--inspect=127.0.0.1:{port}")]);
    for target in [format!("http://127.0.0.1:{port}"), format!("ws://127.0.0.1:{port}/whatever")] {
        let out = dir.path().join(format!("{}.jsonl", &target[..2]));
        let found = watch(&target, &out, &["--duration", "1s"]).expect_code(0);
        assert_eq!(found.json()["source"], "inspector", "{found}");
    }
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok(), "it was open before, and stays open");
    serves(&mut app);
    let nobody = watch(&format!("http://127.0.0.1:{}", free_port()), &dir.path().join("n"), &[])
        .expect_code(5);
    assert_eq!(nobody.json()["code"], "connect-failed", "{nobody}");
    assert!(!dir.path().join("n").exists(), "a run that never began leaves nothing");
}

#[test]
fn an_endpoint_in_megabytes_behind_a_token() {
    let dir = scratch();
    let calls = AtomicU64::new(0);
    let server = Server::start(move |head| {
        if !head.to_ascii_lowercase().contains("authorization: bearer t0ken") {
            return Answer::Body(401, "who are you".into());
        }
        let n = calls.fetch_add(1, Ordering::Relaxed);
        // Every fifth fails: gaps.
        if n % 5 == 4 {
            return Answer::Body(500, "{\"error\":\"busy\"}".into());
        }
        let heap = 60.0 + n as f64 * 3.0;
        Answer::Body(
            200,
            format!(
                r#"{{"status":"ok","uptime":{},"memory":{{"heapUsed":"{heap:.1} MB","rss":"{:.0} MB","external":"2 MB"}}}}"#,
                1000.0 + n as f64 * 0.1,
                heap + 50.0
            ),
        )
    });
    let url = server.url("/health/debug");
    let out = dir.path().join("e.jsonl");
    let found = watch(&url, &out, &["--bearer", "t0ken", "--duration", "4s", "--limit", "512MiB"]);
    let json = found.expect_code(0).json();
    assert_eq!((&json["source"], &json["restarts"]), (&"endpoint".into(), &0.into()), "{json}");
    assert!(json["missed_samples"].as_u64().unwrap() >= 2, "{json}");
    let first = std::fs::read_to_string(&out).unwrap();
    let first: serde_json::Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["heapUsed"], &first["limit"]),
        (&62_914_560.into(), &536_870_912.into()),
        "{first}"
    );

    let stranger = watch(&url, &dir.path().join("s"), &[]).expect_code(5);
    assert!(
        stranger.stderr.contains("401") && stranger.stderr.contains("--bearer-file"),
        "{stranger}"
    );
    let other = Server::start(|_| Answer::Body(200, "{\"status\":\"ok\"}".into()));
    let nothing = watch(&other.url("/health"), &dir.path().join("o"), &[]).expect_code(4);
    assert!(nothing.stderr.contains("heapUsed"), "{nothing}");
    let gone =
        watch(&format!("http://127.0.0.1:{}/health", free_port()), &dir.path().join("g"), &[]);
    assert_eq!(gone.expect_code(5).json()["code"], "http-unreachable");
}

#[test]
fn lines_where_there_is_no_terminal_and_targets_that_are_none() {
    let dir = scratch();
    let server = Server::start(|_| Answer::Body(200, "{\"rss\":100000000}".into()));
    let out: PathBuf = dir.path().join("l.jsonl");
    let args = [
        "watch",
        &server.url("/m"),
        "--duration",
        "1s",
        "--interval",
        "100ms",
        "-o",
        out.to_str().unwrap(),
    ];
    let found = run(args).expect_code(0);
    assert!(found.stdout.lines().next().unwrap().contains("rss 95.4 MiB"), "{found}");
    assert!(found.stdout.contains("l.jsonl"), "{found}");

    for (target, code) in [
        ("nonsense", 2),
        ("ftp://host/x", 2),
        ("http://192.0.2.1:9229", 2),
        ("ws://127.0.0.1", 2),
        ("999999999", 5),
    ] {
        let found = watch(target, &dir.path().join("x"), &["--duration", "1s"]).expect_code(code);
        assert!(found.stderr.contains("hint:"), "{target}: {found}");
    }
    let fast = run(["watch", "1", "--interval", "1ms"]).expect_code(2);
    assert!(fast.stderr.contains("50 ms"), "{fast}");
}
