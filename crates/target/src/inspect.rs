//! What can be said about a process without touching it.

use std::path::Path;

use serde::Serialize;

use crate::error::Error;
use crate::process::ProcDir;
use crate::{cgroup, evidence};

/// A live Node.js process of this machine. Sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProcessInfo {
    /// Its pid as seen from here.
    pub pid: u32,
    /// Its pid as it sees it itself (`process.pid`).
    pub inner_pid: u32,
    /// Path of the executable, in its own mount namespace.
    pub executable: String,
    /// Arguments.
    pub command_line: Vec<String>,
    /// User id.
    pub uid: u32,
    /// Resident set size.
    pub rss_bytes: u64,
    /// Highest resident set size so far.
    pub peak_rss_bytes: u64,
    /// The tightest memory limit of its control groups.
    pub limit_bytes: Option<u64>,
    /// Container id, where its control group path shows one.
    pub container: Option<String>,
    /// What proves that it is Node.js.
    pub evidence: String,
}

/// Looks at `pid` and proves that it is a running Node.js process.
///
/// # Errors
/// [`Error::NoSuchProcess`], [`Error::IsThread`], [`Error::NotRunning`], [`Error::NotNode`], or
/// [`Error::Permission`] where another user's process hides its executable.
pub fn inspect(pid: u32) -> Result<ProcessInfo, Error> {
    inspect_in(&ProcDir::new(pid), Path::new("/"))
}

/// [`inspect`] with injected roots for `/proc` and the control groups.
pub fn inspect_in(process: &ProcDir, file_system: &Path) -> Result<ProcessInfo, Error> {
    let pid = process.pid();
    let status = process.status()?;
    if status.thread_group != pid {
        return Err(Error::IsThread { pid, process: status.thread_group });
    }
    let state = match status.state {
        'T' => Some("stopped"),
        't' => Some("stopped by a debugger or tracer"),
        'Z' => Some("a zombie (it has ended, its parent has not noticed)"),
        'X' | 'x' => Some("dead"),
        _ => None,
    };
    if let Some(state) = state {
        return Err(Error::NotRunning { pid, state });
    }
    let executable = match process.executable() {
        Ok(path) => path.display().to_string(),
        Err(Error::Proc { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::NotNode {
                pid,
                exe: "no executable".to_owned(),
                reason: "it is a thread of the kernel".to_owned(),
            });
        }
        Err(error) => return Err(error),
    };
    let found = evidence::node_evidence(process).map_err(|source| match source.kind() {
        std::io::ErrorKind::PermissionDenied => {
            Error::Permission { pid, uid: status.uid, what: "exe".to_owned() }
        }
        _ if !process.exists() => Error::NoSuchProcess { pid },
        _ => Error::Proc { path: process.path("exe"), source },
    })?;
    let Some(evidence) = found else {
        return Err(Error::NotNode {
            pid,
            exe: executable,
            reason: "neither its executable nor a libnode.so it maps exports node::Start and \
                     node_module_register"
                .to_owned(),
        });
    };
    Ok(ProcessInfo {
        pid,
        inner_pid: status.innermost_pid(),
        executable,
        command_line: process.command_line()?,
        uid: status.uid,
        rss_bytes: status.rss_bytes,
        peak_rss_bytes: status.peak_rss_bytes,
        limit_bytes: cgroup::headroom(process, file_system)?.and_then(|room| room.limit_bytes),
        container: cgroup::container_id(process),
        evidence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn state(letter: &str, group: u32) -> Error {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("8")).unwrap();
        let text = format!("State:\t{letter}\nTgid:\t{group}\nSigCgt:\t0\n");
        fs::write(root.path().join("8/status"), text).unwrap();
        inspect_in(&ProcDir::with_root(root.path(), 8), root.path()).unwrap_err()
    }

    #[test]
    fn what_cannot_answer_is_not_asked() {
        for letter in ["T", "t", "Z", "X"] {
            assert!(matches!(state(letter, 8), Error::NotRunning { .. }), "{letter}");
        }
        assert!(matches!(state("S", 7), Error::IsThread { pid: 8, process: 7 }));
        assert!(matches!(state("S", 8), Error::NotNode { .. }), "a kernel thread has no exe");
    }
}
