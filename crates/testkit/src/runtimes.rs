//! Every runtime whose heap snapshots we read, and snapshots of the same program in each of them.
//!
//! The program is `tests-node/zoo`: one of everything that a heap can hold. The runtimes come from npm by lockfile
//! (`tests-node/runtimes`), Chromium from the system.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::node::{node_binary, npm_arch, on_path, runtimes_folder, workspace_root};

/// The Node version that runs our own scripts: the one whose features they are written for.
const SCRIPTS_NODE: u32 = 24;

/// What can run JavaScript and write a heap snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// Node.js of that major version.
    Node(u32),
    /// Deno.
    Deno,
    /// A headless Chromium.
    Chromium,
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(major) => write!(f, "node-{major}"),
            Self::Deno => f.write_str("deno"),
            Self::Chromium => f.write_str("chromium"),
        }
    }
}

impl Runtime {
    /// Finds the program.
    ///
    /// # Errors
    /// It is not installed: the text says what to do.
    pub fn binary(self) -> io::Result<PathBuf> {
        match self {
            Self::Node(major) => node_binary(major),
            Self::Deno => deno(),
            Self::Chromium => chromium(),
        }
    }

    /// Runs the zoo in this runtime and has it write its heap snapshots into `folder`, sorted by name: `a` and `b` of
    /// one session with work in between, and others taken in other ways.
    ///
    /// # Errors
    /// The runtime is missing, or the program failed; its own complaint is on stderr.
    pub fn snapshots(self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let kind = match self {
            Self::Node(_) => "node",
            Self::Deno => "deno",
            Self::Chromium => "chromium",
        };
        let output = script("zoo/take.mjs")?
            .arg(kind)
            .arg(self.binary()?)
            .arg(folder)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(io::Error::other(format!("take.mjs {self} ended with {}", output.status)));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().filter(|l| l.ends_with(".heapsnapshot")).map(PathBuf::from).collect())
    }
}

/// What `DevTools`' worker makes of snapshots: one JSON document for each order. An order is a file, or two joined by
/// `+`, which are compared.
///
/// # Errors
/// The worker is not installed or failed.
pub fn devtools(orders: &[String]) -> io::Result<Vec<serde_json::Value>> {
    let tools = workspace_root().join("tests-node");
    if !tools.join("node_modules/heap-snapshot-toolkit").is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the npm package heap-snapshot-toolkit is missing: run scripts/test.sh, or `npm ci` in tests-node",
        ));
    }
    let output = script("devtools-nodes.mjs")?
        .args(orders)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("devtools-nodes.mjs ended with {}", output.status)));
    }
    let text = String::from_utf8(output.stdout).map_err(io::Error::other)?;
    text.lines().map(|line| serde_json::from_str(line).map_err(io::Error::other)).collect()
}

/// One of the scripts in `tests-node`, to be run by Node.
fn script(name: &str) -> io::Result<Command> {
    let mut command = Command::new(node_binary(SCRIPTS_NODE)?);
    command.arg("--max-old-space-size=8192").arg(workspace_root().join("tests-node").join(name));
    Ok(command)
}

fn named_or_installed(
    variable: &str,
    installed: Option<PathBuf>,
    what: &str,
) -> io::Result<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    named.or(installed).filter(|path| path.is_file()).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            format!("this test needs {what}, or a binary named in {variable}"),
        )
    })
}

fn deno() -> io::Result<PathBuf> {
    let package = format!("node_modules/@deno/linux-{}-glibc/deno", npm_arch());
    let installed = runtimes_folder().join(package);
    let what = "Deno: run scripts/test.sh, which installs it (`npm ci` in tests-node/runtimes)";
    named_or_installed("LEAKLINE_DENO", Some(installed), what)
}

fn chromium() -> io::Result<PathBuf> {
    const NAMES: [&str; 4] =
        ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let what = "Chromium: run scripts/test.sh as root, which installs Debian's package `chromium`";
    named_or_installed("LEAKLINE_CHROMIUM", NAMES.into_iter().find_map(on_path), what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_told_with_what_installs_it() {
        let missing = named_or_installed("LEAKLINE_NO_SUCH", None, "Deno: run scripts/test.sh");
        let text = missing.unwrap_err().to_string();
        assert!(text.contains("scripts/test.sh") && text.contains("LEAKLINE_NO_SUCH"), "{text}");
    }
}
