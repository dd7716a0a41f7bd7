//! Real Node processes for tests: which binary, started how, ended for certain.
//!
//! A process started here is killed when its handle is dropped, also when the test panics. Its output is read all the
//! time, because an app that logs into a full pipe would stop and look like a hang of ours.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long an app may take from its start to its `listening on` line.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long one heap snapshot of a test app may take.
const SNAPSHOT_LIMIT: Duration = Duration::from_mins(2);
/// Lines of output kept for error messages.
const OUTPUT_KEPT: usize = 60;

/// The folder that holds the workspace's `Cargo.toml`.
pub fn workspace_root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root.pop();
    root
}

/// Finds a Node binary of that major version.
///
/// Looked at in this order: `LEAKLINE_NODE_<major>`, what the lockfile in `tests-node/runtimes` brought, and `node` on
/// `PATH`.
///
/// # Errors
/// None of them is that version: the text says what to install.
pub fn node_binary(major: u32) -> io::Result<PathBuf> {
    let variable = format!("LEAKLINE_NODE_{major}");
    if let Some(path) = std::env::var_os(&variable).map(PathBuf::from) {
        return match major_version(&path) {
            Some(found) if found == major => Ok(path),
            found => Err(io::Error::other(format!(
                "{variable} names {}, which is {} and not Node {major}",
                path.display(),
                found.map_or_else(|| "no runnable Node".to_owned(), |v| format!("Node {v}")),
            ))),
        };
    }
    let package = format!("node-{major}-linux-{}", npm_arch());
    let candidates = [
        runtimes_folder().join("node_modules").join(package).join("bin/node"),
        on_path("node").unwrap_or_default(),
    ];
    candidates.into_iter().find(|path| major_version(path) == Some(major)).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            format!(
                "this test needs Node {major}: run scripts/test.sh, which installs it (`npm ci` in \
                 tests-node/runtimes), put Node {major} on PATH, or name a binary in {variable}"
            ),
        )
    })
}

/// Where npm puts the runtimes of the tests.
pub(crate) fn runtimes_folder() -> PathBuf {
    workspace_root().join("tests-node/runtimes")
}

/// The processor as npm's packages call it.
pub(crate) fn npm_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The first file of that name in the folders of `PATH`.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

fn major_version(node: &Path) -> Option<u32> {
    if !node.is_file() {
        return None;
    }
    let output = Command::new(node).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// What to start: a script and what it needs around it.
#[derive(Debug, Clone)]
pub struct NodeApp {
    /// The Node binary.
    pub node: PathBuf,
    /// Arguments to Node itself, before the script.
    pub node_args: Vec<OsString>,
    /// The script; absolute, or relative to `cwd`.
    pub script: PathBuf,
    /// Where it runs.
    pub cwd: PathBuf,
    /// Environment added to the test's own; `PORT=0` and `LOG_LEVEL=silent` are there already.
    pub env: Vec<(String, String)>,
}

impl NodeApp {
    /// A script that runs in its own folder.
    pub fn new(node: impl Into<PathBuf>, script: impl Into<PathBuf>) -> Self {
        let script = script.into();
        let cwd = script.parent().map(Path::to_path_buf).unwrap_or_default();
        Self { node: node.into(), node_args: Vec::new(), script, cwd, env: Vec::new() }
    }

    /// Adds an argument to Node itself.
    #[must_use]
    pub fn node_arg(mut self, arg: impl Into<OsString>) -> Self {
        self.node_args.push(arg.into());
        self
    }

    /// Adds a variable to the environment.
    #[must_use]
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.env.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Starts the app and waits until it prints `listening on …:PORT`.
    ///
    /// # Errors
    /// It cannot be started, ends early, or does not say its port in time; the text holds what it printed.
    pub fn start(&self) -> io::Result<NodeProcess> {
        let mut process = self.spawn()?;
        process.await_port()?;
        Ok(process)
    }

    /// Starts the script and waits for nothing; for scripts that serve no port.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn(&self) -> io::Result<NodeProcess> {
        let mut child = Command::new(&self.node)
            .args(&self.node_args)
            .arg("-r")
            .arg(workspace_root().join("tests-node/control.js"))
            .arg(&self.script)
            .current_dir(&self.cwd)
            .env("PORT", "0")
            .env("LOG_LEVEL", "silent")
            .envs(self.env.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| {
                io::Error::new(e.kind(), format!("cannot start {}: {e}", self.node.display()))
            })?;
        let output = Arc::new(Mutex::new(VecDeque::new()));
        let (port_found, port) = channel();
        if let Some(stdout) = child.stdout.take() {
            follow(stdout, Arc::clone(&output), move |line| {
                if let Some(port) = port_in(line) {
                    // Nobody listens any more once the port is known.
                    let _ = port_found.send(port);
                }
            });
        }
        if let Some(stderr) = child.stderr.take() {
            follow(stderr, Arc::clone(&output), |_| {});
        }
        let stdin = child.stdin.take();
        Ok(NodeProcess { child, stdin, output, port_line: port, port: 0 })
    }
}

fn port_in(line: &str) -> Option<u16> {
    let (_, address) = line.split_once("listening on ")?;
    let digits = address.trim().rsplit(':').next()?;
    digits.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// Reads a stream to its end on a thread of its own, keeping the last lines.
fn follow(
    stream: impl Read + Send + 'static,
    kept: Arc<Mutex<VecDeque<String>>>,
    on_line: impl Fn(&str) + Send + 'static,
) {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            on_line(&line);
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() == OUTPUT_KEPT {
                kept.pop_front();
            }
            kept.push_back(line);
        }
    });
}

/// A running app. Dropping it kills the process and waits for its end.
#[derive(Debug)]
pub struct NodeProcess {
    child: Child,
    stdin: Option<ChildStdin>,
    output: Arc<Mutex<VecDeque<String>>>,
    port_line: Receiver<u16>,
    port: u16,
}

impl NodeProcess {
    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The port it listens on, 0 for a script that never said one.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The last lines it printed, standard output and error mixed.
    pub fn output(&self) -> String {
        let kept = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Has the process write a heap snapshot of itself and waits until the file is whole.
    ///
    /// All snapshots taken this way share V8's object ids, so they can be compared.
    ///
    /// # Errors
    /// The process ended, refused, or took too long.
    pub fn write_snapshot(&mut self, path: &Path) -> io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or_else(|| io::Error::other("stdin was closed"))?;
        writeln!(stdin, "snapshot {}", path.display())?;
        stdin.flush()?;
        let mut refused = path.as_os_str().to_owned();
        refused.push(".error");
        let deadline = Instant::now() + SNAPSHOT_LIMIT;
        while !path.exists() {
            if let Ok(text) = std::fs::read_to_string(&refused) {
                return Err(io::Error::other(format!(
                    "the app could not write a snapshot: {text}"
                )));
            }
            if !self.is_running() {
                return Err(self.told("the app ended while a snapshot was wanted"));
            }
            if Instant::now() > deadline {
                return Err(self.told("no snapshot in time"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn await_port(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            match self.port_line.recv_timeout(Duration::from_millis(100)) {
                Ok(port) => {
                    self.port = port;
                    return Ok(());
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.told("the app ended before it listened"));
                }
                Err(RecvTimeoutError::Timeout) if !self.is_running() => {
                    return Err(self.told("the app ended before it listened"));
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() > deadline => {
                    return Err(self.told("the app did not say its port in time"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn told(&self, what: &str) -> io::Error {
        // The reader threads may be a line behind the process's end.
        thread::sleep(Duration::from_millis(50));
        io::Error::other(format!("{what}; it printed:\n{}", self.output()))
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        // Both fail only when the process is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_lines() {
        assert_eq!(port_in("listening on http://127.0.0.1:41234"), Some(41234));
        assert_eq!(port_in(r#"{"msg":"listening on http://[::1]:80"}"#), Some(80));
        assert_eq!(port_in("listening on a pipe"), None);
        assert_eq!(port_in("port 80"), None);
    }

    #[test]
    fn an_unknown_version_names_what_to_install() {
        let text = node_binary(3).unwrap_err().to_string();
        assert!(text.contains("LEAKLINE_NODE_3") && text.contains("scripts/test.sh"), "{text}");
    }
}
