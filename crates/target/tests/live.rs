//! The whole life of a session with real Node.js processes of several versions.

// Helpers outside `#[test]` functions may fail like tests do.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use common::{Running, eventually, free_port, listens, node, node24, versions};
use leakline_target::{AttachOptions, Decision, Error, Session};

fn options() -> AttachOptions {
    AttachOptions::default()
}

/// id → (type, name) of every object of a snapshot.
fn objects(path: &Path) -> HashMap<u64, (u64, String)> {
    let text = std::fs::read(path).unwrap();
    let file: serde_json::Value =
        serde_json::from_str(&String::from_utf8_lossy(&text)).expect("the snapshot is JSON");
    let fields = file["snapshot"]["meta"]["node_fields"].as_array().unwrap();
    let at = |name: &str| fields.iter().position(|f| f == name).unwrap();
    let (kind, name, id) = (at("type"), at("name"), at("id"));
    let numbers: Vec<u64> =
        file["nodes"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    numbers
        .chunks_exact(fields.len())
        .map(|n| (n[id], (n[kind], file["strings"][n[name] as usize].as_str().unwrap().to_owned())))
        .collect()
}

/// How many ids two snapshots share, and how many of those mean another object.
fn compare(a: &Path, b: &Path) -> (usize, usize) {
    let (a, b) = (objects(a), objects(b));
    let kept = a.keys().filter(|id| b.contains_key(id)).count();
    let conflicts = a.iter().filter(|(id, object)| b.get(id).is_some_and(|o| o != *object)).count();
    (kept, conflicts)
}

async fn snapshot(session: &mut Session, path: &Path) -> leakline_target::Capture {
    let preflight = session.preflight(path.parent().unwrap()).await.unwrap();
    let permit = preflight.permit().unwrap_or_else(|| panic!("{}", preflight.reason));
    let mut heard = 0;
    let capture = session.take_snapshot(path, permit, &mut |bytes| heard = bytes).await.unwrap();
    assert_eq!(heard, capture.bytes, "progress heard every byte");
    assert_eq!(std::fs::metadata(path).unwrap().len(), capture.bytes);
    capture
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_is_sampled_captured_and_left_as_it_was() {
    for binary in versions() {
        for script in ["server.mjs", "server.cjs"] {
            let folder = tempfile::tempdir().unwrap();
            let mut app = Running::node(&binary, &[], script, &[]);
            let mut session = Session::attach(app.pid(), &options()).await.unwrap();
            assert!(session.opened_inspector());
            assert!(session.version().starts_with('v'), "{}", session.version());
            let address = session.inspector_address();

            let first = session.sample().await.unwrap();
            assert!(first.heap_used_bytes > 1 << 20 && first.rss_bytes > 20 << 20);
            assert!(first.heap_limit_bytes > first.heap_total_bytes);
            for _ in 0..20 {
                app.get("/grow?n=500");
            }
            let second = session.sample().await.unwrap();
            assert_eq!(second.requests - first.requests, 20, "{binary:?} {script}");
            assert!(second.elapsed_seconds > first.elapsed_seconds);
            let spaces = session.heap_spaces().await.unwrap();
            assert!(spaces.iter().any(|s| s.name == "old_space" && s.used_bytes > 0));

            let (a, b) = (folder.path().join("a"), folder.path().join("b"));
            let one = snapshot(&mut session, &a).await;
            app.get("/grow?n=1000");
            let two = snapshot(&mut session, &b).await;
            assert!(two.node_count > one.node_count.map(|n| n - n / 4));
            assert!(one.edge_count.unwrap() > one.node_count.unwrap());
            let (kept, conflicts) = compare(&a, &b);
            assert!(kept > 10_000, "{kept}");
            assert!(conflicts * 100 < kept, "{conflicts} of {kept} ids changed meaning");
            let third = session.sample().await.unwrap();
            assert!(third.gc_major_count > second.gc_major_count, "captures collect garbage");
            assert!(third.heap_used_after_gc_bytes.is_some());

            session.detach().await.unwrap();
            assert!(!listens(address), "the inspector is closed");
            assert!(app.alive());
            app.get("/");
            assert!(session.sample().await.is_err(), "a detached session answers nothing");
            assert!(session.actions().len() >= 6, "{:?}", session.actions());

            // Once more, as after lunch.
            let mut again = Session::attach(app.pid(), &options()).await.unwrap();
            assert_eq!(again.sample().await.unwrap().requests, 0);
            again.detach().await.unwrap();
            app.get("/");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sessions_lose_the_ids_which_is_why_one_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let app = Running::server();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    for path in [&a, &b] {
        let mut session = Session::attach(app.pid(), &options()).await.unwrap();
        snapshot(&mut session, path).await;
        session.detach().await.unwrap();
        app.get("/grow?n=1000");
    }
    let (kept, conflicts) = compare(&a, &b);
    assert!(
        conflicts * 10 > kept,
        "{conflicts} of {kept}: V8 keeps ids now? then say so in the docs"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_pause_is_not_taken_for_our_death() {
    let folder = tempfile::tempdir().unwrap();
    let app = Running::server();
    for _ in 0..4 {
        app.get("/grow?n=150000");
    }
    let options = AttachOptions { dead_man_seconds: 1, ..options() };
    let mut session = Session::attach(app.pid(), &options).await.unwrap();
    let capture = snapshot(&mut session, &folder.path().join("a")).await;
    assert!(capture.pause_seconds > 1.0, "too short to prove anything: {}", capture.pause_seconds);
    assert!(capture.rss_peak_bytes > capture.rss_before_bytes + (50 << 20));
    // And a client that is silent for longer, but connected, is not thrown out either.
    tokio::time::sleep(Duration::from_secs(3)).await;
    app.get("/");
    session.sample().await.unwrap();
    let cost = *session.measured_cost().unwrap();
    assert_eq!(cost.file_bytes, capture.bytes);
    let next = session.preflight(folder.path()).await.unwrap();
    assert!(next.predicted.measured);
    assert!(next.predicted.extra_bytes < cost.rss_peak_bytes - cost.rss_before_bytes);
    session.detach().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn our_death_closes_the_inspector() {
    for binary in versions() {
        let mut app = Running::node(&binary, &[], "server.mjs", &[]);
        let options = AttachOptions { dead_man_seconds: 1, ..options() };
        let session = Session::attach(app.pid(), &options).await.unwrap();
        let address = session.inspector_address();
        // Dropped without a word, as the kernel does with a killed process's sockets.
        drop(session);
        assert!(listens(address));
        assert!(eventually(Duration::from_secs(8), || !listens(address)), "{binary:?}");
        assert!(app.alive());
        app.get("/");
    }
}

/// A client that opened a WebSocket session and then neither reads nor answers.
fn hanging_client(address: std::net::SocketAddr) -> std::net::TcpStream {
    let list = {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(stream, "GET /json/list HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
            .unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        // The inspector keeps the connection open, so read up to the list's end.
        let mut text = Vec::new();
        while !text.ends_with(b"]") && !text.ends_with(b"]\n\n") {
            let mut part = [0; 1024];
            let length = stream.read(&mut part).unwrap();
            text.extend_from_slice(&part[..length]);
        }
        String::from_utf8(text).unwrap()
    };
    let id = list.split("\"id\": \"").nth(1).unwrap().split('"').next().unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET /{id} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    .unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 101");
    stream
}

/// Closing the inspector under a client that hangs would block the target's event loop for ever
/// (all of Node 18 to 26). Neither our leaving nor our death may do that.
#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_client_does_not_stall_the_target() {
    let app = Running::server();
    let options = AttachOptions { dead_man_seconds: 1, ..options() };
    let mut session = Session::attach(app.pid(), &options).await.unwrap();
    let address = session.inspector_address();
    let hanging = hanging_client(address);
    let left = session.detach().await.unwrap_err();
    assert!(matches!(left, Error::LeftOpen { .. }), "{left}");
    assert!(left.hint().is_some());
    app.get("/");
    let late: String = app.get("/late").lines().last().unwrap().to_owned();
    assert!(late.parse::<u64>().unwrap() < 1000, "the event loop stood still for {late} ms");
    drop(hanging);
    assert!(eventually(Duration::from_secs(8), || !listens(address)));
    app.get("/");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inspector_that_was_open_stays_open() {
    let port = free_port();
    let in_options = format!("--inspect=127.0.0.1:{port}");
    for (flag, environment) in
        [(in_options.as_str(), ""), ("--no-deprecation", in_options.as_str())]
    {
        let mut command = std::process::Command::new(node());
        command.arg(flag).arg(common::fixture("server.mjs")).env("NODE_OPTIONS", environment);
        let mut app = Running::start(&mut command);
        let mut session = Session::attach(app.pid(), &options()).await.unwrap();
        assert!(!session.opened_inspector() && session.checks().is_empty());
        assert_eq!(session.inspector_address().port(), port);
        session.sample().await.unwrap();
        session.detach().await.unwrap();
        assert!(listens(session.inspector_address()), "not ours, not closed");
        assert!(app.alive());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_port_given_by_node_options_is_used_and_closed() {
    let port = free_port();
    let mut command = std::process::Command::new(node24());
    command
        .arg(common::fixture("server.mjs"))
        .env("NODE_OPTIONS", format!("--inspect-port={port}"));
    let app = Running::start(&mut command);
    let mut session = Session::attach(app.pid(), &options()).await.unwrap();
    assert_eq!(session.inspector_address().port(), port);
    assert!(session.opened_inspector());
    session.detach().await.unwrap();
    assert!(!listens(session.inspector_address()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_during_the_capture_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = Running::server();
    for _ in 0..2 {
        app.get("/grow?n=150000");
    }
    let mut session = Session::attach(app.pid(), &options()).await.unwrap();
    let permit = session.preflight(folder.path()).await.unwrap().permit().unwrap();
    let pid = app.pid();
    let killer = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        drop(app.child.kill());
        app
    });
    let error =
        session.take_snapshot(&folder.path().join("a"), permit, &mut |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::TargetGone { pid: gone, .. } if gone == pid), "{error}");
    assert!(eventually(Duration::from_secs(2), || {
        std::fs::read_dir(folder.path()).unwrap().count() == 0
    }));
    drop(killer.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_capture_leaves_no_file_and_a_good_target() {
    let folder = tempfile::tempdir().unwrap();
    let app = Running::server();
    app.get("/grow?n=200000");
    let mut session = Session::attach(app.pid(), &options()).await.unwrap();
    let permit = session.preflight(folder.path()).await.unwrap().permit().unwrap();
    let path = folder.path().join("a");
    let mut ignore = |_| {};
    let capture = session.take_snapshot(&path, permit, &mut ignore);
    assert!(tokio::time::timeout(Duration::from_millis(300), capture).await.is_err());
    assert!(eventually(Duration::from_secs(2), || {
        std::fs::read_dir(folder.path()).unwrap().count() == 0
    }));
    session.detach().await.unwrap();
    app.get("/");
    assert!(!listens(session.inspector_address()));
}

struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0).status();
    }
}

/// Needs the right to mount a file system (root); says so where it is missing. The same failure is
/// injected in `capture`'s unit tests everywhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_named_and_the_session_survives() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "leakline-test"])
        .arg(folder.path())
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        println!("not run: mounting a small tmpfs is not permitted here");
        return;
    }
    let _guard = Unmount(folder.path());
    let app = Running::server();
    let mut session = Session::attach(app.pid(), &options()).await.unwrap();
    let refused = session.preflight(folder.path()).await.unwrap();
    assert_eq!(refused.decision, Decision::Refused, "{}", refused.reason);
    assert!(refused.reason.contains("disk"), "{}", refused.reason);
    let permit = refused.forced("to see it fail").permit().unwrap();
    let error =
        session.take_snapshot(&folder.path().join("a"), permit, &mut |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::DiskFull { .. }), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let elsewhere = tempfile::tempdir().unwrap();
    snapshot(&mut session, &elsewhere.path().join("b")).await;
    session.detach().await.unwrap();
}

/// A control group of version 1, removed on drop.
struct Group(std::path::PathBuf);

impl Group {
    /// `None`, and a line saying so, where this machine does not let us make one.
    fn new(name: &str) -> Option<Self> {
        let top = Path::new("/sys/fs/cgroup/memory");
        let path = top.join(format!("leakline-test-{name}-{}", std::process::id()));
        if top.join("memory.limit_in_bytes").exists() && std::fs::create_dir(&path).is_ok() {
            return Some(Self(path));
        }
        println!("not run: no control group of version 1 can be made here");
        None
    }

    fn write(&self, file: &str, value: u64) {
        std::fs::write(self.0.join(file), value.to_string()).unwrap();
    }

    fn usage(&self) -> u64 {
        let text = std::fs::read_to_string(self.0.join("memory.usage_in_bytes")).unwrap();
        text.trim().parse().unwrap()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Busy until its last process is reaped.
        eventually(Duration::from_secs(5), || std::fs::remove_dir(&self.0).is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_room_in_the_control_group_is_refused_with_the_numbers() {
    let Some(group) = Group::new("small") else { return };
    let limit = 160u64 << 20;
    group.write("memory.limit_in_bytes", limit);
    let mut app = Running::server();
    group.write("cgroup.procs", u64::from(app.pid()));
    app.get("/grow?n=200000");
    let mut session = Session::attach(app.pid(), &options()).await.unwrap();
    assert_eq!(session.info().limit_bytes, Some(limit));
    let folder = tempfile::tempdir().unwrap();
    let preflight = session.preflight(folder.path()).await.unwrap();
    assert_eq!(preflight.decision, Decision::Refused, "{}", preflight.reason);
    assert!(preflight.permit().is_none());
    assert!(preflight.headroom_bytes.unwrap() <= limit);
    assert!(preflight.reason.contains("leakline-test-small"), "{}", preflight.reason);
    session.detach().await.unwrap();
    assert!(app.alive());
}

/// The limit is set so that preflight only just agrees: then the capture must not kill. Twice,
/// the second time by the measured figures.
#[tokio::test(flavor = "multi_thread")]
async fn what_preflight_allows_survives_its_limit() {
    for (name, binary) in [("path", node()), ("24", node24())] {
        let Some(group) = Group::new(name) else { return };
        let mut app = Running::node(&binary, &[], "server.mjs", &[]);
        group.write("cgroup.procs", u64::from(app.pid()));
        for _ in 0..3 {
            app.get("/grow?n=100000");
        }
        let mut session = Session::attach(app.pid(), &options()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        for file in ["a", "b"] {
            let predicted = session.preflight(folder.path()).await.unwrap().predicted;
            // 5 % of the limit is kept free, at least 16 MiB; 8 MiB for what changes meanwhile.
            let need = group.usage() + predicted.extra_bytes + (8 << 20);
            let limit = (need + (16 << 20)).max(need * 100 / 95);
            group.write("memory.limit_in_bytes", limit);
            let preflight = session.preflight(folder.path()).await.unwrap();
            let permit = preflight.permit().unwrap_or_else(|| panic!("{}", preflight.reason));
            let path = folder.path().join(file);
            let capture = session.take_snapshot(&path, permit, &mut |_| {}).await.unwrap();
            let extra = capture.rss_peak_bytes - capture.rss_before_bytes;
            assert!(extra <= predicted.extra_bytes, "{extra} of {predicted:?}");
            app.get("/grow?n=20000");
        }
        session.detach().await.unwrap();
        assert!(app.alive());
        app.get("/");
    }
}
