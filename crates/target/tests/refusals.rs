//! Everything that must be refused or fail clearly, with real processes, and every one of them
//! still alive afterwards.

// Helpers outside `#[test]` functions may fail like tests do.
#![allow(clippy::unwrap_used)]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Running, eventually, fixture, free_port, node, node24};
use leakline_target::{
    AttachOptions, AttachPlan, Error, ErrorClass, Outcome, Session, may_signal, plan,
};

async fn attach(pid: u32) -> Error {
    let options =
        AttachOptions { open_timeout: Duration::from_millis(1500), ..AttachOptions::default() };
    let error = Session::attach(pid, &options).await.expect_err("must not attach");
    assert!(error.hint().is_some(), "{error}");
    error
}

/// A process that prints nothing, killed on drop.
fn spawn(command: &mut Command) -> Running {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Running { child: child.unwrap(), port: 0 }
}

fn state(pid: u32) -> Option<char> {
    leakline_target::ProcDir::new(pid).status().ok().map(|s| s.state)
}

#[tokio::test]
async fn no_such_process() {
    let pid = {
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        child.id()
    };
    let error = attach(pid).await;
    assert!(matches!(error, Error::NoSuchProcess { .. }), "{error}");
    assert_eq!(error.class(), ErrorClass::CannotAttach);
    for pid in [0, u32::MAX] {
        assert!(matches!(attach(pid).await, Error::NoSuchProcess { .. }));
    }
}

#[tokio::test]
async fn a_thread_is_not_a_process() {
    let app = Running::server();
    let threads = std::fs::read_dir(format!("/proc/{}/task", app.pid())).unwrap();
    let thread = threads
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok())
        .find(|id| *id != app.pid())
        .unwrap();
    // A pidfd of a thread cannot be opened, so the kernel may answer first.
    let error = attach(thread).await;
    assert!(matches!(error, Error::IsThread { .. }), "{error}");
}

#[tokio::test]
async fn another_program_called_node_is_not_node() {
    let folder = tempfile::tempdir().unwrap();
    let impostor = folder.path().join("node");
    std::fs::copy("/bin/bash", &impostor).unwrap();
    let mut command = Command::new(&impostor);
    command
        .args(["-c", "trap 'exit 3' USR1; while :; do read -t 0.2 < /dev/zero; sleep 0.2; done"]);
    let mut app = spawn(&mut command);
    let pid = app.pid();
    assert!(eventually(Duration::from_secs(5), || {
        leakline_target::ProcDir::new(pid).status().is_ok_and(|s| s.catches(10))
    }));
    let error = attach(pid).await;
    assert!(matches!(error, Error::NotNode { .. }), "{error}");
    assert_eq!(error.class(), ErrorClass::CannotAttach);
    assert!(app.alive(), "it got no signal");
}

#[tokio::test]
async fn stopped_and_dead_processes_cannot_answer() {
    let mut app = Running::server();
    app.signal("STOP");
    assert!(eventually(Duration::from_secs(5), || state(app.pid()) == Some('T')));
    let error = attach(app.pid()).await;
    assert!(matches!(error, Error::NotRunning { state: "stopped", .. }), "{error}");
    app.signal("CONT");
    app.get("/");
    assert!(app.alive());

    let zombie = spawn(&mut Command::new("true"));
    assert!(eventually(Duration::from_secs(5), || state(zombie.pid()) == Some('Z')));
    let error = attach(zombie.pid()).await;
    assert!(matches!(error, Error::NotRunning { .. }), "{error}");
}

#[tokio::test]
async fn flags_that_take_the_signal_away_are_refused() {
    let cases = [
        (node(), vec!["--heapsnapshot-signal=SIGUSR1"], "", "--heapsnapshot-signal=SIGUSR1"),
        (node(), vec![], "--heapsnapshot-signal=SIGUSR1", "--heapsnapshot-signal=SIGUSR1"),
        (node24(), vec!["--disable-sigusr1"], "", "would kill it"),
        (node24(), vec!["--permission", "--allow-fs-read=*"], "", "would kill it"),
    ];
    for (binary, flags, environment, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(binary);
        command.args(flags).arg(fixture("server.mjs")).env("NODE_OPTIONS", environment);
        let mut app = Running::start(command.current_dir(folder.path()));
        let error = attach(app.pid()).await;
        assert!(matches!(error, Error::SignalRefused { .. }), "{error}");
        assert_eq!(error.class(), ErrorClass::Refused);
        assert!(error.to_string().contains(expected), "{error}");
        assert!(app.alive());
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "no snapshot was triggered"
        );
    }
}

#[tokio::test]
async fn an_overwritten_command_line_is_refused_unless_told() {
    let mut app = Running::node(&node(), &[], "server.cjs", &["title"]);
    let error = attach(app.pid()).await;
    assert!(error.to_string().contains("process.title"), "{error}");
    assert!(may_signal(app.pid(), true).unwrap().allowed());
    assert!(app.alive());
}

#[tokio::test]
async fn an_app_that_steals_the_signal_is_told_of() {
    let mut app = Running::node(&node(), &[], "server.cjs", &["steal"]);
    let verdict = may_signal(app.pid(), false).unwrap();
    assert!(verdict.allowed());
    let doubt = verdict.checks.iter().find(|c| c.outcome == Outcome::Unknown).unwrap();
    assert!(doubt.detail.contains("process.on('SIGUSR1')"));
    let error = attach(app.pid()).await;
    assert!(matches!(error, Error::InspectorDidNotOpen { .. }), "{error}");
    assert!(error.hint().unwrap().contains("handles SIGUSR1 itself"));
    assert!(app.alive());
    app.get("/");
}

#[tokio::test]
async fn a_port_held_by_another_process_is_seen_before_any_signal() {
    let port = free_port();
    let holder = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let mut command = Command::new(node());
    command
        .arg(format!("--inspect-port={port}"))
        .arg(fixture("server.mjs"))
        .env_remove("NODE_OPTIONS");
    let mut app = Running::start(&mut command);
    let error = attach(app.pid()).await;
    let Error::PortTaken { owner, .. } = &error else { panic!("{error}") };
    assert!(owner.contains(&std::process::id().to_string()), "{owner}");
    drop(holder);
    // No signal was sent: with the port free again, nothing listens there.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
    assert!(app.alive());
}

#[tokio::test]
async fn a_dry_run_tells_the_checks_and_sends_nothing() {
    let mut app = Running::server();
    let (info, plan) = plan(app.pid(), &AttachOptions::default()).unwrap();
    assert_eq!(info.pid, app.pid());
    let AttachPlan::Signal(verdict) = plan else { panic!("the inspector is not open") };
    assert!(verdict.allowed());
    assert!(verdict.checks.iter().any(|c| c.what.contains("SIGUSR1 has a handler")));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let listeners =
        leakline_target::own_listeners(&leakline_target::ProcDir::new(app.pid())).unwrap();
    assert_eq!(listeners.len(), 1, "only the service itself");
    assert!(app.alive());
}

/// Needs the right to make a network namespace (root); says so where it is missing.
#[tokio::test]
async fn another_network_namespace_is_refused_before_any_signal() {
    let permitted = Command::new("unshare").args(["--net", "true"]).status();
    if !permitted.is_ok_and(|status| status.success()) {
        println!("not run: making a network namespace is not permitted here");
        return;
    }
    let mut command = Command::new("unshare");
    command.arg("--net").arg(node()).arg(fixture("server.mjs")).env_remove("NODE_OPTIONS");
    let mut app = Running::start(&mut command);
    let error = attach(app.pid()).await;
    assert!(matches!(error, Error::OtherNetwork { .. }), "{error}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let process = leakline_target::ProcDir::new(app.pid());
    assert_eq!(leakline_target::own_listeners(&process).unwrap().len(), 1, "no inspector opened");
    assert!(app.alive());
}

/// Another user's process. Run as root, the test runs itself again as nobody; otherwise process 1
/// is another user's.
#[tokio::test]
async fn another_users_process_is_refused() {
    if std::fs::metadata("/proc/self").unwrap().uid_is_root() {
        let app = Running::server();
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let copy = folder.path().join("test");
        std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
        let output = Command::new(&copy)
            .args(["--exact", "another_users_process_is_refused", "--nocapture"])
            .env("LEAKLINE_TEST_FOREIGN_PID", app.pid().to_string())
            .current_dir("/")
            .uid(65534)
            .gid(65534)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        app.get("/");
        return;
    }
    let pid = std::env::var("LEAKLINE_TEST_FOREIGN_PID").map_or(1, |pid| pid.parse().unwrap());
    let error = attach(pid).await;
    assert!(matches!(error, Error::Permission { uid: 0, .. }), "{error}");
    assert!(error.hint().unwrap().contains("root"));
}

trait Root {
    fn uid_is_root(&self) -> bool;
}

impl Root for std::fs::Metadata {
    fn uid_is_root(&self) -> bool {
        std::os::unix::fs::MetadataExt::uid(self) == 0
    }
}
