//! May SIGUSR1 be sent to this process? Every check in words, so that it can be told.
//!
//! The signal opens Node.js's inspector, but its default action kills, and a handler the app
//! installed does whatever the app wants. So each thing that can be known from outside is proven
//! first, and what cannot be known is said. The signal itself goes through a pidfd opened *before*
//! the checks: should the process end meanwhile, a new one under its number is never hit.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};
use serde::Serialize;

use crate::error::Error;
use crate::flags::NodeFlags;
use crate::process::ProcDir;
use crate::sockets;

/// Number of SIGUSR1 on every platform Node.js has Linux builds for.
const SIGUSR1: u32 = 10;

/// How one check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Proven.
    Passed,
    /// Could not be proven; passed over because the user said so.
    Overruled,
    /// Failed: no signal is sent.
    Failed,
    /// Cannot be known from outside; said so that the user can object.
    Unknown,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was asked, as a statement.
    pub what: &'static str,
    /// How it came out.
    pub outcome: Outcome,
    /// The evidence.
    pub detail: String,
}

/// All checks, and the refusal if one failed.
#[derive(Debug)]
pub struct SignalVerdict {
    /// The checks in the order they were made.
    pub checks: Vec<Check>,
    /// The first failure; `None` means the signal may be sent.
    pub refusal: Option<Error>,
}

impl SignalVerdict {
    /// Whether the signal may be sent.
    pub fn allowed(&self) -> bool {
        self.refusal.is_none()
    }

    fn pass(&mut self, what: &'static str, detail: impl Into<String>) {
        self.checks.push(Check { what, outcome: Outcome::Passed, detail: detail.into() });
    }

    fn fail(&mut self, what: &'static str, error: Error) {
        self.checks.push(Check { what, outcome: Outcome::Failed, detail: error.to_string() });
        self.refusal.get_or_insert(error);
    }

    /// Fails, unless the user takes the risk.
    fn doubt(&mut self, what: &'static str, anyway: bool, error: Error) {
        if anyway {
            let detail = format!("{error}; overruled by --signal-anyway");
            self.checks.push(Check { what, outcome: Outcome::Overruled, detail });
        } else {
            self.fail(what, error);
        }
    }
}

/// Makes all checks on a process that was already proven to be Node.js (`evidence` says how).
/// Sends nothing. `anyway` passes over what cannot be *known*, never over a known danger.
pub fn may_signal(process: &ProcDir, evidence: &str, anyway: bool) -> Result<SignalVerdict, Error> {
    let pid = process.pid();
    let mut verdict = SignalVerdict { checks: Vec::new(), refusal: None };
    verdict.pass("the executable is Node.js", evidence);
    let status = process.status()?;
    let refuse =
        |reason: String, hint: &str| Error::SignalRefused { pid, reason, hint: hint.to_owned() };

    if status.catches(SIGUSR1) {
        verdict.pass("SIGUSR1 has a handler", format!("SigCgt {:016x}", status.caught));
    } else {
        let hint = "start the service with --inspect, or without --disable-sigusr1; if it has only just \
                    started, try again in a second";
        let reason =
            "it has no handler for SIGUSR1 (SigCgt), so the signal would kill it".to_owned();
        verdict.fail("SIGUSR1 has a handler", refuse(reason, hint));
    }

    let anyway_hint = "if you know that the app leaves SIGUSR1 to Node.js, pass --signal-anyway; or start it \
                       with --inspect";
    let line = process.command_line()?;
    let environment = process.environment_variable("NODE_OPTIONS");
    let options = environment.as_ref().ok().cloned().flatten();
    let flags = NodeFlags::parse(&line, options.as_deref());
    let what = "the command line leaves SIGUSR1 to the inspector";
    if let Some(flag) = flags.forbids_signal.first() {
        let reason = format!("it was started with {flag}, so SIGUSR1 is not the inspector's");
        verdict.fail(what, refuse(reason, "start it with --inspect instead"));
    } else if flags.rewritten {
        let reason =
            "process.title has overwritten its command line, so its flags cannot be checked"
                .to_owned();
        verdict.doubt(what, anyway, refuse(reason, anyway_hint));
    } else {
        verdict.pass(what, line.join(" "));
    }
    let what = "NODE_OPTIONS leaves SIGUSR1 to the inspector";
    match environment {
        Ok(value) => verdict.pass(what, value.unwrap_or_else(|| "not set".to_owned())),
        Err(Error::NoSuchProcess { pid }) => return Err(Error::NoSuchProcess { pid }),
        Err(error) => {
            let reason = format!(
                "its environment cannot be read, so NODE_OPTIONS cannot be checked ({error})"
            );
            verdict.doubt(what, anyway, refuse(reason, anyway_hint));
        }
    }

    check_cluster(process, anyway, &mut verdict);
    check_port(process, &flags, &mut verdict)?;
    verdict.checks.push(Check {
        what: "a SIGUSR1 handler of the app's own",
        outcome: Outcome::Unknown,
        detail: "cannot be seen from outside. If the app calls process.on('SIGUSR1'), that handler runs \
                 instead and the inspector stays closed"
            .to_owned(),
    });
    Ok(verdict)
}

/// The primary of a cluster passes the signal on to every worker, also to one that has only just
/// been started and would die of it.
fn check_cluster(process: &ProcDir, anyway: bool, verdict: &mut SignalVerdict) {
    let what = "it is no cluster primary";
    let workers: Vec<String> = process
        .children()
        .into_iter()
        .filter(|child| {
            let child = ProcDir::with_root(process.root(), *child);
            matches!(child.environment_variable("NODE_UNIQUE_ID"), Ok(Some(_)))
        })
        .map(|pid| pid.to_string())
        .collect();
    if workers.is_empty() {
        verdict.pass(what, "no child is a cluster worker");
    } else {
        let error = Error::SignalRefused {
            pid: process.pid(),
            reason:
                "it is the primary of a cluster and would pass the signal on to all its workers"
                    .to_owned(),
            hint: format!("give the pid of one worker: {}", workers.join(", ")),
        };
        verdict.doubt(what, anyway, error);
    }
}

fn check_port(
    process: &ProcDir,
    flags: &NodeFlags,
    verdict: &mut SignalVerdict,
) -> Result<(), Error> {
    let what = "the inspector's port is free";
    if flags.port == 0 {
        verdict.pass(what, "the kernel chooses one");
        return Ok(());
    }
    match sockets::sockets(process)?.iter().find(|s| s.blocks(flags.host, flags.port)) {
        None => verdict.pass(what, format!("nobody listens on port {}", flags.port)),
        Some(socket) => {
            let owner = sockets::owner_of(process, socket.inode)
                .map_or_else(|| "a process we may not see".to_owned(), |owner| owner.describe());
            verdict.fail(what, Error::PortTaken { pid: process.pid(), port: flags.port, owner });
        }
    }
    Ok(())
}

/// A handle on one process that stays with it even if the pid is given to another one.
#[derive(Debug)]
pub(crate) struct Handle {
    pid: Pid,
    number: u32,
    start_ticks: u64,
    descriptor: Option<OwnedFd>,
}

impl Handle {
    /// Opens the handle; call before the checks.
    pub(crate) fn open(process: &ProcDir) -> Result<Self, Error> {
        let number = process.pid();
        let pid = i32::try_from(number)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or(Error::NoSuchProcess { pid: number })?;
        let descriptor = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(descriptor) => Some(descriptor),
            Err(Errno::SRCH) => return Err(Error::NoSuchProcess { pid: number }),
            // Kernels before 5.3, or a seccomp filter: the start time has to do.
            Err(_) => None,
        };
        Ok(Self { pid, number, start_ticks: process.start_ticks()?, descriptor })
    }

    /// Sends SIGUSR1, after a last look that it is still the same process and still handles it.
    pub(crate) fn send(&self, process: &ProcDir) -> Result<(), Error> {
        let same = process.start_ticks()? == self.start_ticks;
        if !same || !process.status()?.catches(SIGUSR1) {
            return Err(Error::SignalRefused {
                pid: self.number,
                reason: "it changed while it was being checked".to_owned(),
                hint: "try again".to_owned(),
            });
        }
        let sent = match &self.descriptor {
            Some(descriptor) => pidfd_send_signal(descriptor, Signal::USR1),
            None => kill_process(self.pid, Signal::USR1),
        };
        sent.map_err(|error| Error::Signal { pid: self.number, source: error.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new() -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            tree.process(50, 1, "0000000100004602", b"node\0app.js\0", b"HOME=/\0");
            tree
        }

        fn path(&self) -> &Path {
            self.0.path()
        }

        fn process(&self, pid: u32, parent: u32, caught: &str, line: &[u8], environment: &[u8]) {
            let dir = self.path().join(pid.to_string());
            fs::create_dir_all(dir.join("fd")).unwrap();
            fs::create_dir_all(dir.join("net")).unwrap();
            let status = format!("State:\tS\nTgid:\t{pid}\nPPid:\t{parent}\nSigCgt:\t{caught}\n");
            fs::write(dir.join("status"), status).unwrap();
            fs::write(dir.join("cmdline"), line).unwrap();
            fs::write(dir.join("environ"), environment).unwrap();
            fs::write(dir.join("net/tcp"), "header\n").unwrap();
        }

        fn verdict(&self, anyway: bool) -> SignalVerdict {
            may_signal(&ProcDir::with_root(self.path(), 50), "test", anyway).unwrap()
        }
    }

    fn reason(verdict: &SignalVerdict) -> String {
        verdict.refusal.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    #[test]
    fn a_plain_node_process_passes_and_the_doubt_is_said() {
        let verdict = Tree::new().verdict(false);
        assert!(verdict.allowed(), "{}", reason(&verdict));
        assert_eq!(verdict.checks.len(), 7);
        assert_eq!(verdict.checks.last().unwrap().outcome, Outcome::Unknown);
    }

    #[test]
    fn no_handler_is_refused_even_anyway() {
        let tree = Tree::new();
        tree.process(50, 1, "0000000100004402", b"node\0app.js\0", b"");
        for anyway in [false, true] {
            let verdict = tree.verdict(anyway);
            assert!(reason(&verdict).contains("would kill it"), "{}", reason(&verdict));
        }
    }

    #[test]
    fn a_dangerous_flag_is_refused_even_anyway() {
        let tree = Tree::new();
        tree.process(50, 1, "0000000100004602", b"node\0--heapsnapshot-signal=SIGUSR1\0a\0", b"");
        assert!(reason(&tree.verdict(true)).contains("--heapsnapshot-signal=SIGUSR1"));
        let environment = b"NODE_OPTIONS=--disable-sigusr1\0";
        tree.process(50, 1, "0000000100004602", b"node\0a\0", environment);
        assert!(reason(&tree.verdict(true)).contains("--disable-sigusr1"));
    }

    #[test]
    fn what_cannot_be_read_is_refused_unless_told() {
        let tree = Tree::new();
        tree.process(50, 1, "0000000100004602", b"next-server (v15)\0\0\0\0", b"");
        assert!(reason(&tree.verdict(false)).contains("process.title"));
        let anyway = tree.verdict(true);
        assert!(anyway.allowed());
        assert!(anyway.checks.iter().any(|c| c.outcome == Outcome::Overruled));

        let tree = Tree::new();
        let environ = tree.path().join("50/environ");
        fs::remove_file(&environ).unwrap();
        // A folder in its place: reading fails for root, too.
        fs::create_dir(&environ).unwrap();
        assert!(reason(&tree.verdict(false)).contains("NODE_OPTIONS"));
        assert!(tree.verdict(true).allowed());
    }

    #[test]
    fn a_cluster_primary_is_refused_and_its_workers_named() {
        let tree = Tree::new();
        tree.process(51, 50, "0000000100004602", b"node\0app.js\0", b"NODE_UNIQUE_ID=1\0");
        tree.process(52, 50, "0", b"sh\0", b"");
        let verdict = tree.verdict(false);
        assert!(reason(&verdict).contains("primary"));
        assert!(verdict.refusal.unwrap().hint().unwrap().ends_with(": 51"));
    }

    #[test]
    fn a_taken_port_is_refused_and_its_owner_named() {
        let tree = Tree::new();
        tree.process(60, 1, "0", b"other\0--x\0", b"");
        symlink("socket:[777]", tree.path().join("60/fd/5")).unwrap();
        let line = "sl\n 0: 0100007F:240D 00000000:0000 0A 0:0 0:0 0 0 0 777 1\n";
        fs::write(tree.path().join("50/net/tcp"), line).unwrap();
        let verdict = tree.verdict(true);
        let text = reason(&verdict);
        assert!(text.contains("port 9229 is taken by process 60 (other --x)"), "{text}");
    }
}
