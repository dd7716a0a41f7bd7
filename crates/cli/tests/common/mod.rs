//! How the end-to-end tests run the built binary: with a time limit, and with everything it said kept.

// Every test file is a program of its own and uses its own part of this.
#![allow(dead_code)]

pub mod http;

use std::ffi::OsStr;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use leakline_testkit::load::Load;
use leakline_testkit::node::{NodeApp, node_binary};
use serde_json::Value;

/// Longer than any command here may take; a hang fails instead of stopping the suite.
pub const LIMIT: Duration = Duration::from_mins(4);

/// The built binary, deaf to the colours and folders of whoever runs the tests.
/// In a scratch folder: what a command writes without `-o` does not land in the checkout.
pub fn leakline() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leakline"));
    command.env_remove("LEAKLINE_LOG").env("NO_COLOR", "1").stdin(Stdio::null());
    command.current_dir(env!("CARGO_TARGET_TMPDIR"));
    command
}

/// What a finished command left.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub elapsed: Duration,
}

impl Run {
    /// The JSON document on stdout, which must be all that stands there.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("no JSON on stdout ({e}): {self}"))
    }

    /// Fails unless the command ended with that code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cut = |text: &str| text.chars().take(4000).collect::<String>();
        write!(
            f,
            "exit {:?} after {:.1} s\n--- stdout\n{}\n--- stderr\n{}",
            self.code,
            self.elapsed.as_secs_f64(),
            cut(&self.stdout),
            cut(&self.stderr)
        )
    }
}

/// Runs `leakline` with those arguments.
pub fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    let mut command = leakline();
    command.args(args);
    Running::start(command).finish(LIMIT)
}

/// A command under way, its output being read. Dropping it kills it.
pub struct Running {
    child: Child,
    output: Option<[JoinHandle<String>; 2]>,
    begun: Instant,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let begun = Instant::now();
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {command:?}: {e}"));
        let stdout = read_all(child.stdout.take().expect("stdout is piped"));
        let stderr = read_all(child.stderr.take().expect("stderr is piped"));
        Self { child, output: Some([stdout, stderr]), begun }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("our own child can be waited for").is_none()
    }

    /// Waits for its end; past the limit it is killed and `code` is `None`.
    pub fn finish(mut self, limit: Duration) -> Run {
        let deadline = self.begun + limit;
        while self.is_running() {
            if Instant::now() > deadline {
                let _ = self.child.kill();
            }
            thread::sleep(Duration::from_millis(5));
        }
        let elapsed = self.begun.elapsed();
        let code = self.child.wait().expect("the child has ended").code();
        let [stdout, stderr] = self.output.take().expect("finish is called once");
        Run {
            code,
            stdout: stdout.join().expect("reading stdout"),
            stderr: stderr.join().expect("reading stderr"),
            elapsed,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_all(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before a broken read is still worth showing.
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A folder of the test's own, removed at its end.
pub fn scratch() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("leakline-test-").tempdir().expect("a temporary folder")
}

/// A port that nobody listens on at the moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on loopback");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// All files below a folder.
pub fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        {
            let path = entry.expect("a folder's entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Whether a process of that id is there and no zombie.
pub fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
}

/// Processes other than this one whose environment holds the text: all that a marked command started.
pub fn marked_processes(mark: &str) -> Vec<(u32, String)> {
    let processes = std::fs::read_dir("/proc").expect("/proc");
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|&pid| pid != std::process::id() && is_alive(pid))
        .filter_map(|pid| {
            let environ = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
            let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            String::from_utf8_lossy(&environ)
                .contains(mark)
                .then(|| (pid, String::from_utf8_lossy(&command).replace('\0', " ")))
        })
        .collect()
}

/// `leakline suspects` on three snapshots of an app under that Node: after `before` requests, and twice after
/// `between` more. The paths asked for are `/0/…`, `/1/…` and `/2/…`.
pub fn suspects_of_app(
    version: u32,
    script: &Path,
    dir: &Path,
    before: u64,
    between: u64,
) -> std::io::Result<Value> {
    let mut app = NodeApp::new(node_binary(version)?, script).start()?;
    let files = ["a", "b", "c"].map(|name| dir.join(format!("{name}.heapsnapshot")));
    for (i, file) in files.iter().enumerate() {
        let count = if i == 0 { before } else { between };
        if count > 0 {
            Load::new(&format!("/{i}/{{n}}"), count).run(app.port())?;
        }
        thread::sleep(Duration::from_millis(100));
        app.write_snapshot(file)?;
    }
    let [a, b, c] = files.each_ref().map(|p| p.as_os_str());
    Ok(run(["suspects".as_ref(), a, b, c, "--json".as_ref()]).expect_code(0).json())
}
