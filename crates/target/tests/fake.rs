//! An inspector that misbehaves in every way we could think of.

// Helpers outside `#[test]` functions may fail like tests do.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{Running, eventually, node};
use leakline_target::{AttachOptions, Capture, Error, Session};

fn fake(mode: &str) -> (Running, AttachOptions) {
    let app = Running::node(&node(), &[], "fake-inspector.mjs", &[mode]);
    let options = AttachOptions {
        inspector: Some(app.address()),
        connect_timeout: Duration::from_secs(1),
        answer_timeout: Duration::from_secs(1),
        ..AttachOptions::default()
    };
    (app, options)
}

async fn attach(mode: &str) -> Error {
    let (app, options) = fake(mode);
    Session::attach(app.pid(), &options).await.expect_err("must not attach")
}

async fn capture(mode: &str) -> Result<Capture, Error> {
    let (app, options) = fake(mode);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.heapsnapshot");
    let mut session = Session::attach(app.pid(), &options).await.unwrap();
    assert_eq!(session.version(), "v99.0.0");
    let permit = session.preflight(folder.path()).await.unwrap().permit().unwrap();
    let result = session.take_snapshot(&path, permit, &mut |_| {}).await;
    let expected = usize::from(result.is_ok());
    assert!(
        eventually(Duration::from_secs(2), || {
            std::fs::read_dir(folder.path()).unwrap().count() == expected
        }),
        "{mode}: no half file is left"
    );
    if mode != "die-mid" {
        drop(session.detach().await);
    }
    result
}

#[tokio::test]
async fn attaching_to_what_is_no_inspector() {
    for (mode, expected) in [
        ("no-list", "no target list"),
        ("busy", "offers no session"),
        ("silent", "no answer within 1 s"),
    ] {
        let error = attach(mode).await;
        assert!(matches!(error, Error::Connect { .. }), "{mode}: {error}");
        assert!(error.to_string().contains(expected), "{mode}: {error}");
    }
    let error = attach("garbage").await;
    assert!(matches!(error, Error::Protocol(_)), "{error}");
    let error = attach("mute").await;
    assert!(matches!(error, Error::NoAnswer { .. }), "{error}");
    let error = attach("throws").await;
    assert!(error.to_string().contains("no require"), "{error}");
}

#[tokio::test]
async fn a_lying_pid_is_found_out() {
    let error = attach("lying-pid").await;
    assert!(matches!(&error, Error::WrongProcess { answered, .. } if answered == "1"), "{error}");
}

#[tokio::test]
async fn somebody_elses_inspector_is_left_alone() {
    let (_other, options) = fake("ok");
    let app = Running::server();
    let error = Session::attach(app.pid(), &options).await.unwrap_err();
    assert!(matches!(error, Error::ForeignSocket { .. }), "{error}");
}

#[tokio::test]
async fn captures_that_break_off_are_errors_and_leave_no_file() {
    for mode in ["close-mid", "drop-mid"] {
        let error = capture(mode).await.unwrap_err();
        assert!(matches!(error, Error::InspectorClosed { .. }), "{mode}: {error}");
    }
    let error = capture("die-mid").await.unwrap_err();
    assert!(matches!(error, Error::TargetGone { .. }), "{error}");
    let error = capture("error-mid").await.unwrap_err();
    assert!(error.to_string().contains("out of paper"), "{error}");
    let error = capture("truncated").await.unwrap_err();
    assert!(matches!(error, Error::SnapshotIncomplete { bytes: 44, .. }), "{error:?}");
}

#[tokio::test]
async fn a_slow_inspector_is_waited_for() {
    let capture = capture("slow").await.unwrap();
    assert!(capture.pause_seconds > 1.4, "{}", capture.pause_seconds);
    assert_eq!((capture.node_count, capture.edge_count), (Some(1), Some(2)));
}
