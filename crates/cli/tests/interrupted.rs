//! Ctrl-C while a file is read: an answer at once, exit 130, and nothing left behind.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;

use std::io::Write;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use common::{LIMIT, Running, files_below, leakline, scratch};

/// A snapshot that never comes to its end: the reader waits for more.
const BEGINNING: &[u8] = br#"{"snapshot":{"meta":{"node_fields":["type","name""#;

#[test]
fn a_command_on_a_file_ends_at_once() {
    for (signal, args, json) in [
        (Signal::INT, vec!["summary"], true),
        (Signal::INT, vec!["diff"], false),
        (Signal::TERM, vec!["suspects"], false),
        (Signal::HUP, vec!["investigate"], true),
    ] {
        let dir = scratch();
        let pipe = dir.path().join("endless.heapsnapshot");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        let mut command = leakline();
        command.current_dir(dir.path()).args(&args).arg(&pipe);
        if args != ["summary"] {
            command.arg(&pipe);
        }
        if json {
            command.arg("--json");
        }
        let mut running = Running::start(command);
        // Opens when the reader has opened its end.
        let mut writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
        writer.write_all(BEGINNING).unwrap();
        thread::sleep(Duration::from_millis(300));
        assert!(running.is_running(), "{args:?} ended by itself");
        kill_process(Pid::from_raw(running.pid() as i32).unwrap(), signal).unwrap();
        let run = running.finish(LIMIT).expect_code(130);
        assert!(run.stderr.contains("error: interrupted"), "{run}");
        if json {
            assert_eq!(run.json()["code"], "interrupted", "{run}");
        } else {
            assert!(run.stdout.is_empty(), "{run}");
        }
        assert_eq!(files_below(dir.path()), [pipe], "{args:?}");
    }
}
