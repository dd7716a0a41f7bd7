//! One process as `/proc` shows it.
//!
//! Everything is read fresh at each call, because a live process changes between two looks, and
//! everything hangs on an injectable root folder, so that fixture trees can stand in for `/proc`
//! in tests. Reading these files does not touch the process.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The kernel counts a process's start in hundredths of a second since boot, on every platform (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Longest file read from `/proc/PID`: a command line or environment may be a few megabytes.
const MAX_FILE_BYTES: u64 = 8 << 20;

/// The folder of one process under `/proc` (or under a fixture tree).
#[derive(Debug, Clone)]
pub struct ProcDir {
    root: PathBuf,
    pid: u32,
}

/// What `/proc/PID/status` says that matters here. Sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// State letter: `R`, `S`, `D`, `T`, `t`, `Z`, `X`, `I`.
    pub state: char,
    /// Thread group: differs from the pid asked for when that names a thread.
    pub thread_group: u32,
    /// Parent process.
    pub parent: u32,
    /// Real user id.
    pub uid: u32,
    /// Pids from the outermost visible namespace to the process's own; never empty.
    pub namespace_pids: Vec<u32>,
    /// Resident set size.
    pub rss_bytes: u64,
    /// Highest resident set size so far.
    pub peak_rss_bytes: u64,
    /// Bit mask of ignored signals.
    pub ignored: u64,
    /// Bit mask of caught signals.
    pub caught: u64,
}

impl Status {
    /// Whether a handler is installed for signal `number`.
    pub fn catches(&self, number: u32) -> bool {
        number > 0 && number <= 64 && self.caught >> (number - 1) & 1 == 1
    }

    /// The pid that the process itself sees (`process.pid`).
    pub fn innermost_pid(&self) -> u32 {
        self.namespace_pids.last().copied().unwrap_or(self.thread_group)
    }
}

impl ProcDir {
    /// The process `pid` of this machine.
    pub fn new(pid: u32) -> Self {
        Self::with_root("/proc", pid)
    }

    /// The process `pid` under another root than `/proc`.
    pub fn with_root(root: impl Into<PathBuf>, pid: u32) -> Self {
        Self { root: root.into(), pid }
    }

    /// The pid, as seen from where we run.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The root this process hangs on, normally `/proc`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The path of a file in the process's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(self.pid.to_string()).join(name)
    }

    /// Whether the process exists.
    pub fn exists(&self) -> bool {
        self.path("").is_dir()
    }

    /// Turns an I/O error at `path` into the most telling error.
    fn explain(&self, name: &str, source: io::Error) -> Error {
        match source.kind() {
            io::ErrorKind::NotFound if !self.exists() => Error::NoSuchProcess { pid: self.pid },
            io::ErrorKind::PermissionDenied => Error::Permission {
                pid: self.pid,
                uid: self.status().map_or(0, |s| s.uid),
                what: name.to_owned(),
            },
            // ESRCH: the process went away between open and read.
            _ if source.raw_os_error() == Some(3) => Error::NoSuchProcess { pid: self.pid },
            _ => Error::Proc { path: self.path(name), source },
        }
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        fs::File::open(self.path(name))?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// A text file of the process; bytes that are no UTF-8 are replaced.
    pub fn read_text(&self, name: &str) -> Result<String, Error> {
        let bytes = self.read(name).map_err(|e| self.explain(name, e))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads `/proc/PID/status`.
    pub fn status(&self) -> Result<Status, Error> {
        let bytes = match self.read("status") {
            Ok(bytes) => bytes,
            // Not through `explain`, which itself asks for the status.
            Err(e) if e.kind() == io::ErrorKind::NotFound || e.raw_os_error() == Some(3) => {
                return Err(Error::NoSuchProcess { pid: self.pid });
            }
            Err(source) => return Err(Error::Proc { path: self.path("status"), source }),
        };
        parse_status(&String::from_utf8_lossy(&bytes)).ok_or_else(|| Error::Proc {
            path: self.path("status"),
            source: io::Error::new(io::ErrorKind::InvalidData, "no State, Tgid or SigCgt line"),
        })
    }

    /// Start of the process in clock ticks since boot: with the pid it identifies the process.
    pub fn start_ticks(&self) -> Result<u64, Error> {
        let text = self.read_text("stat")?;
        // The name in parentheses may hold anything, so count fields after the last `)`.
        text.rfind(')')
            .and_then(|end| text.get(end + 1..)?.split_ascii_whitespace().nth(19)?.parse().ok())
            .ok_or_else(|| Error::Proc {
                path: self.path("stat"),
                source: io::Error::new(io::ErrorKind::InvalidData, "no start time"),
            })
    }

    /// When a process that started at those [ticks](Self::start_ticks) did so, in Unix seconds; `None` where the
    /// kernel does not say when it booted.
    pub fn start_unix_seconds(&self, ticks: u64) -> Option<f64> {
        let text = std::fs::read_to_string(self.root().join("stat")).ok()?;
        let boot: f64 = text.lines().find_map(|l| l.strip_prefix("btime ")?.trim().parse().ok())?;
        Some(boot + ticks as f64 / TICKS_PER_SECOND)
    }

    /// The command line, split at its NUL bytes; empty for a kernel thread.
    pub fn command_line(&self) -> Result<Vec<String>, Error> {
        let bytes = self.read("cmdline").map_err(|e| self.explain("cmdline", e))?;
        Ok(split_nul(&bytes))
    }

    /// One variable of the environment the process was started with.
    ///
    /// # Errors
    /// [`Error::Permission`] for another user's process.
    pub fn environment_variable(&self, name: &str) -> Result<Option<String>, Error> {
        let bytes = self.read("environ").map_err(|e| self.explain("environ", e))?;
        let prefix = format!("{name}=");
        Ok(split_nul(&bytes)
            .into_iter()
            .find_map(|entry| entry.strip_prefix(&prefix).map(ToOwned::to_owned)))
    }

    /// The path of the executable, as its own mount namespace names it.
    pub fn executable(&self) -> Result<PathBuf, Error> {
        fs::read_link(self.path("exe")).map_err(|e| self.explain("exe", e))
    }

    /// The inodes of all sockets the process holds.
    pub fn socket_inodes(&self) -> Result<BTreeSet<u64>, Error> {
        let entries = fs::read_dir(self.path("fd")).map_err(|e| self.explain("fd", e))?;
        Ok(entries
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .filter_map(|link| socket_inode(link.to_str()?))
            .collect())
    }

    /// The network namespace, as an opaque name that can be compared.
    pub fn network_namespace(&self) -> Result<PathBuf, Error> {
        fs::read_link(self.path("ns/net")).map_err(|e| self.explain("ns/net", e))
    }

    /// Direct children, by the parent field of every process we can see.
    pub fn children(&self) -> Vec<u32> {
        all_pids(&self.root)
            .into_iter()
            .filter(|pid| {
                Self::with_root(&self.root, *pid).status().is_ok_and(|s| s.parent == self.pid)
            })
            .collect()
    }

    /// Pid and command line in one line, for messages.
    pub fn describe(&self) -> String {
        let command = self.command_line().unwrap_or_default().join(" ");
        if command.is_empty() {
            format!("process {}", self.pid)
        } else {
            let short: String = command.chars().take(120).collect();
            format!("process {} ({short})", self.pid)
        }
    }
}

/// Every pid under `root`.
pub(crate) fn all_pids(root: &Path) -> Vec<u32> {
    fs::read_dir(root)
        .map(|entries| {
            entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect()
        })
        .unwrap_or_default()
}

/// The inode in a link like `socket:[12990]`.
pub(crate) fn socket_inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn split_nul(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes.split(|b| *b == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

fn parse_status(text: &str) -> Option<Status> {
    let mut status = Status::default();
    let (mut state, mut group, mut caught) = (None, None, None);
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        let first = value.split_ascii_whitespace().next().unwrap_or_default();
        match key {
            "State" => state = first.chars().next(),
            "Tgid" => group = first.parse().ok(),
            "PPid" => status.parent = first.parse().unwrap_or_default(),
            "Uid" => status.uid = first.parse().unwrap_or_default(),
            "NSpid" => {
                status.namespace_pids =
                    value.split_ascii_whitespace().filter_map(|p| p.parse().ok()).collect();
            }
            "VmRSS" => status.rss_bytes = kilobytes(first),
            "VmHWM" => status.peak_rss_bytes = kilobytes(first),
            "SigIgn" => status.ignored = u64::from_str_radix(first, 16).unwrap_or_default(),
            "SigCgt" => caught = u64::from_str_radix(first, 16).ok(),
            _ => {}
        }
    }
    status.state = state?;
    status.thread_group = group?;
    status.caught = caught?;
    if status.namespace_pids.is_empty() {
        // Kernels before 4.1 have no NSpid line.
        status.namespace_pids.push(status.thread_group);
    }
    Some(status)
}

fn kilobytes(text: &str) -> u64 {
    text.parse::<u64>().map_or(0, |k| k.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const STATUS: &str = "Name:\tnode\nState:\tS (sleeping)\nTgid:\t77\nPid:\t77\nPPid:\t3\n\
        Uid:\t1000\t1000\t1000\t1000\nNSpid:\t77\t5\t1\nVmHWM:\t  43700 kB\nVmRSS:\t  40000 kB\n\
        SigIgn:\t0000000000001000\nSigCgt:\t0000000100004602\n";

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("77");
        fs::create_dir_all(dir.join("fd")).unwrap();
        fs::write(dir.join("status"), STATUS).unwrap();
        fs::write(dir.join("stat"), format!("77 (no) de) S 3{}", " 1".repeat(17) + " 90210 5"))
            .unwrap();
        fs::write(dir.join("cmdline"), b"node\0--inspect\0app.js\0").unwrap();
        fs::write(dir.join("environ"), b"A=1\0NODE_OPTIONS=--x --y\0").unwrap();
        symlink("socket:[4711]", dir.join("fd/3")).unwrap();
        symlink("/dev/null", dir.join("fd/4")).unwrap();
        root
    }

    #[test]
    fn reads_a_fixture_tree() {
        let root = tree();
        let process = ProcDir::with_root(root.path(), 77);
        let status = process.status().unwrap();
        assert_eq!(status.state, 'S');
        assert_eq!(status.parent, 3);
        assert_eq!(status.uid, 1000);
        assert_eq!(status.innermost_pid(), 1);
        assert_eq!(status.rss_bytes, 40000 * 1024);
        assert_eq!(status.peak_rss_bytes, 43700 * 1024);
        assert!(status.catches(10), "SIGUSR1 is bit 9 of SigCgt");
        assert!(!status.catches(12) && !status.catches(0) && !status.catches(65));
        assert_eq!(process.start_ticks().unwrap(), 90210);
        assert_eq!(process.command_line().unwrap(), ["node", "--inspect", "app.js"]);
        assert_eq!(process.environment_variable("NODE_OPTIONS").unwrap().unwrap(), "--x --y");
        assert_eq!(process.environment_variable("NODE").unwrap(), None);
        assert_eq!(process.socket_inodes().unwrap(), BTreeSet::from([4711]));
        assert_eq!(ProcDir::with_root(root.path(), 3).children(), [77]);
    }

    #[test]
    fn a_missing_process_is_named() {
        let root = tree();
        let process = ProcDir::with_root(root.path(), 78);
        assert!(matches!(process.status(), Err(Error::NoSuchProcess { pid: 78 })));
        assert!(matches!(process.command_line(), Err(Error::NoSuchProcess { pid: 78 })));
    }

    #[test]
    fn a_status_without_its_lines_is_an_error() {
        assert_eq!(parse_status("State:\tS\nTgid:\t1\n"), None);
        assert_eq!(parse_status(""), None);
        assert_eq!(parse_status("State:\nTgid:\t1\nSigCgt:\t0\n"), None);
    }
}
