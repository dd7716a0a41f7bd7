//! A case run: the app started, requests sent, and `leakline` sent after it, as a user would.
//!
//! One `investigate` holds one inspector session over all three snapshots; three calls of anything else would renumber
//! V8's object ids and make them incomparable.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use leakline_testkit::node::{NodeApp, node_binary};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::case::Case;
use crate::score::{Score, failed, score};

/// Load before Leakline comes: what every service does once at its first requests is over by then.
const WARM_UP: Duration = Duration::from_millis(1500);
/// How long Leakline watches: two gaps of some three seconds between its snapshots. Where the machine is so busy that
/// writing the snapshots takes up the time between them, nobody could see a leak: then the case is run again, longer.
const WATCH_SECONDS: [u32; 3] = [9, 24, 60];
/// Seconds of load that must have been answered between the first snapshot and the last.
const LEAST_LOAD: u64 = 3;
/// How often it samples.
const SAMPLE: &str = "500ms";
/// Fewer answered requests than this share mean that the app is broken, not that it leaks.
const LEAST_GOOD: f64 = 0.95;

/// How to run cases.
#[derive(Debug, Clone)]
pub struct Options {
    /// The `leakline` to judge.
    pub leakline: PathBuf,
    /// How many cases at a time.
    pub jobs: usize,
    /// Where captures stay; a folder that is removed otherwise.
    pub keep: Option<PathBuf>,
}

/// What a kept capture says of itself, beside its snapshots.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Capture {
    /// The case.
    pub case: String,
    /// The major version of Node.
    pub node: u32,
    /// Requests served between the first and the last snapshot.
    pub requests: u64,
}

impl Capture {
    /// The three snapshots of a capture in that folder.
    pub fn snapshots(dir: &Path) -> [PathBuf; 3] {
        ["1", "2", "3"].map(|n| dir.join("snapshots").join(format!("{n}.heapsnapshot")))
    }

    /// Reads what stands beside the snapshots.
    ///
    /// # Errors
    /// There is no capture.
    pub fn read(dir: &Path) -> io::Result<Self> {
        let path = dir.join("capture.json");
        let bytes = std::fs::read(&path)
            .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
        Ok(serde_json::from_slice(&bytes)?)
    }
}

/// Runs a case on that Node and scores the investigation.
pub fn live(case: &Case, node: u32, dir: &Path, options: &Options) -> Score {
    let least = LEAST_LOAD * u64::from(case.load.per_second);
    let mut busy = 0;
    for watch in WATCH_SECONDS {
        match capture(case, node, watch, dir, &options.leakline) {
            Ok((answer, seconds)) => {
                busy = requests_between(&answer);
                if busy >= least {
                    return score(case, node, &answer, Some(seconds));
                }
            }
            Err(e) => return failed(case, node, e.to_string()),
        }
    }
    let text = format!("only {busy} requests between the snapshots: the machine is too busy");
    failed(case, node, text)
}

/// Scores a kept capture: `leakline suspects` on its three snapshots.
pub fn offline(case: &Case, dir: &Path, options: &Options) -> Score {
    let capture = match Capture::read(dir) {
        Ok(capture) => capture,
        Err(e) => return failed(case, 0, e.to_string()),
    };
    let begun = Instant::now();
    let mut command = Command::new(&options.leakline);
    command
        .args(["suspects", "--json", "--quiet", "--requests", &capture.requests.to_string()])
        .args(Capture::snapshots(dir));
    match json_of(&mut command) {
        Ok(answer) => {
            // Kept for whoever asks why; a folder that cannot be written only lacks it.
            let _ = std::fs::write(dir.join("suspects.json"), answer.to_string());
            score(case, capture.node, &answer, Some(begun.elapsed().as_secs_f64()))
        }
        Err(e) => failed(case, capture.node, e.to_string()),
    }
}

/// Starts the app, sends its load and investigates it into `dir`, which is emptied first.
fn capture(
    case: &Case,
    node: u32,
    watch: u32,
    dir: &Path,
    leakline: &Path,
) -> io::Result<(Value, f64)> {
    clear(dir)?;
    let app = NodeApp::new(node_binary(node)?, &case.script)
        // A limit of its own, so that an app that leaks fast does not take the machine with it.
        .node_arg("--max-old-space-size=1024")
        // The signal would open every inspector on one and the same port, and several cases run at a time.
        .node_arg("--inspect-port=0");
    let mut process = app.start()?;
    let sending = case.load.endless().start(process.port());
    thread::sleep(WARM_UP);
    let begun = Instant::now();
    let mut command = Command::new(leakline);
    command
        .args(["investigate", &process.pid().to_string(), "--json", "--quiet"])
        .args(["--snapshots", "3", "--duration", &format!("{watch}s"), "--interval", SAMPLE, "-o"])
        .arg(dir);
    let answer = json_of(&mut command);
    let seconds = begun.elapsed().as_secs_f64();
    let told = |what: String, output: String| {
        io::Error::other(format!("{what}; the app printed:\n{output}"))
    };
    let sent = sending.stop().map_err(|e| told(e.to_string(), process.output()))?;
    if (sent.good as f64) < sent.requests as f64 * LEAST_GOOD {
        let what = format!("only {} of {} requests were answered well", sent.good, sent.requests);
        return Err(told(what, process.output()));
    }
    if !process.is_running() {
        return Err(told("the app ended".to_owned(), process.output()));
    }
    let answer = answer?;
    let about = Capture { case: case.name.clone(), node, requests: requests_between(&answer) };
    std::fs::write(dir.join("capture.json"), serde_json::to_vec_pretty(&about)?)?;
    if Capture::snapshots(dir).iter().any(|f| !f.is_file()) {
        return Err(io::Error::other("leakline took fewer than three snapshots"));
    }
    Ok((answer, seconds))
}

/// Requests counted by the samples after the first snapshot.
fn requests_between(answer: &Value) -> u64 {
    let samples = answer["samples"].as_array().map_or(&[][..], Vec::as_slice);
    samples.iter().filter(|s| s["perturbed"] == true).filter_map(|s| s["requests"].as_u64()).sum()
}

/// Removes an earlier capture, and nothing that is none.
fn clear(dir: &Path) -> io::Result<()> {
    if dir.join("capture.json").is_file() || dir.join("snapshots").is_dir() {
        std::fs::remove_dir_all(dir)?;
    }
    std::fs::create_dir_all(dir)
}

/// Runs a command that prints one JSON document.
///
/// # Errors
/// It cannot be started, or it failed; the text holds what it said.
pub fn json_of(command: &mut Command) -> io::Result<Value> {
    let program = PathBuf::from(command.get_program());
    let output = command.stdin(Stdio::null()).output().map_err(|e| {
        io::Error::new(e.kind(), format!("cannot start {}: {e}", program.display()))
    })?;
    if !output.status.success() {
        let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
        said.push_str(&String::from_utf8_lossy(&output.stdout));
        if let Some(at) = said.find("error: ") {
            said.drain(..at);
        }
        said.truncate(said.floor_char_boundary(2000));
        let name = program.file_name().unwrap_or_default().display().to_string();
        return Err(io::Error::other(format!("{name} ended with {}: {said}", output.status)));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The `leakline` of the same build: beside this program, or beside the folder of the tests.
///
/// # Errors
/// It is not built.
pub fn built_leakline() -> io::Result<PathBuf> {
    let this = std::env::current_exe()?;
    this.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("leakline"))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                "leakline is not built: cargo build -p leakline",
            )
        })
}
