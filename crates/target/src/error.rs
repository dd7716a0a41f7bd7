//! What can go wrong between us and a live process, in words an engineer can act on.
//!
//! One enum for the crate: the command line turns [`Error::class`] into an exit code and
//! [`Error::hint`] into the `hint:` line. Messages are lowercase fragments.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Coarse class of an error; the command line maps it to an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// What the user gave us cannot be used (exit code 4).
    BadInput,
    /// The target cannot be reached, or was lost (exit code 5).
    CannotAttach,
    /// We could, but it might harm the target, so we did not (exit code 6).
    Refused,
    /// A defect or an answer that makes no sense (exit code 1).
    Internal,
}

/// Everything this crate can fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `/proc/PID` does not exist.
    #[error("no process has pid {pid}")]
    NoSuchProcess {
        /// The pid asked for.
        pid: u32,
    },
    /// The number names a thread of another process.
    #[error("{pid} is a thread of process {process}, not a process")]
    IsThread {
        /// The number asked for.
        pid: u32,
        /// The process that the thread belongs to.
        process: u32,
    },
    /// No evidence of the Node.js runtime in the executable or the libraries it maps.
    #[error("process {pid} ({exe}) is not Node.js: {reason}")]
    NotNode {
        /// The process.
        pid: u32,
        /// Its executable.
        exe: String,
        /// What was looked for and not found.
        reason: String,
    },
    /// The kernel denies what we must read before we may do anything.
    #[error("no permission to read {what} of process {pid} (it belongs to uid {uid})")]
    Permission {
        /// The process.
        pid: u32,
        /// The owner of the process.
        uid: u32,
        /// What could not be read.
        what: String,
    },
    /// Stopped, traced, dead or a zombie: it cannot answer.
    #[error("process {pid} cannot answer: it is {state}")]
    NotRunning {
        /// The process.
        pid: u32,
        /// Its state in words.
        state: &'static str,
    },
    /// A file under `/proc` is missing or has an unknown form.
    #[error("cannot read {}", path.display())]
    Proc {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A safety check failed, so no signal was sent.
    #[error("did not signal process {pid}: {reason}")]
    SignalRefused {
        /// The process.
        pid: u32,
        /// The check that failed.
        reason: String,
        /// What to do instead.
        hint: String,
    },
    /// The system call that sends the signal failed.
    #[error("cannot send SIGUSR1 to process {pid}")]
    Signal {
        /// The process.
        pid: u32,
        /// Why.
        source: io::Error,
    },
    /// Somebody else listens where the inspector would.
    #[error(
        "port {port} is taken by {owner}, so the inspector of process {pid} cannot open there; \
            no signal was sent"
    )]
    PortTaken {
        /// The target.
        pid: u32,
        /// The port.
        port: u16,
        /// The owner: pid and command where visible.
        owner: String,
    },
    /// The process has its own network namespace (a container).
    #[error(
        "process {pid} lives in another network namespace, where its inspector cannot be \
            reached from here"
    )]
    OtherNetwork {
        /// The target.
        pid: u32,
    },
    /// The flags let the inspector choose its port, and several listeners could be it.
    #[error("cannot tell which port the inspector of process {pid} uses")]
    PortUnknown {
        /// The target.
        pid: u32,
    },
    /// The signal was sent and no inspector opened.
    #[error("sent SIGUSR1 to process {pid}, but no inspector opened on port {port} within {} s", waited.as_secs_f32())]
    InspectorDidNotOpen {
        /// The target.
        pid: u32,
        /// Where it was expected; 0 for any port.
        port: u16,
        /// How long we waited.
        waited: Duration,
    },
    /// The listening socket is not one of the target's.
    #[error("the inspector at {address} does not belong to process {pid}")]
    ForeignSocket {
        /// The target.
        pid: u32,
        /// The address connected to.
        address: String,
    },
    /// The process behind the inspector has another pid.
    #[error(
        "the inspector at {address} answers for pid {answered}, not for process {pid} (pid \
            {expected} in its own namespace)"
    )]
    WrongProcess {
        /// The target.
        pid: u32,
        /// The target's pid in its innermost namespace.
        expected: u32,
        /// What it said.
        answered: String,
        /// The address connected to.
        address: String,
    },
    /// The TCP connection or the HTTP or WebSocket handshake failed.
    #[error("cannot connect to the inspector at {address}: {reason}")]
    Connect {
        /// The address.
        address: String,
        /// What happened.
        reason: String,
    },
    /// The inspector's side ended the session; the process still runs.
    #[error("the inspector of process {pid} closed the session while {during}")]
    InspectorClosed {
        /// The target.
        pid: u32,
        /// What was being done.
        during: &'static str,
    },
    /// The process ended.
    #[error("process {pid} ended while {during}")]
    TargetGone {
        /// The target.
        pid: u32,
        /// What was being done.
        during: &'static str,
    },
    /// No answer in time.
    #[error("process {pid} did not answer within {} s while {during}", waited.as_secs_f32())]
    NoAnswer {
        /// The target.
        pid: u32,
        /// What was being done.
        during: &'static str,
        /// How long we waited.
        waited: Duration,
    },
    /// A reply that is not what the inspector protocol promises.
    #[error("the inspector sent something unexpected: {0}")]
    Protocol(String),
    /// The target answered a request with an error or an exception.
    #[error("{method} failed in process {pid}: {message}")]
    Remote {
        /// The target.
        pid: u32,
        /// The protocol method.
        method: &'static str,
        /// The target's words.
        message: String,
    },
    /// Preflight says no: the capture might kill the service.
    #[error("snapshot of process {pid} refused: {reason}")]
    PreflightRefused {
        /// The target.
        pid: u32,
        /// The reason with its numbers.
        reason: String,
    },
    /// The output file cannot be created or written.
    #[error("cannot write {}", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The disk filled up during the capture.
    #[error("no space left for {} after {written} bytes; the partial file was removed", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// Bytes written before.
        written: u64,
    },
    /// The output file already exists.
    #[error("{} already exists", path.display())]
    OutputExists {
        /// The file.
        path: PathBuf,
    },
    /// All chunks and the reply arrived, but together they are no whole JSON object.
    #[error("the snapshot that process {pid} sent is incomplete ({bytes} bytes): {reason}")]
    SnapshotIncomplete {
        /// The target.
        pid: u32,
        /// Bytes received.
        bytes: u64,
        /// What is missing.
        reason: &'static str,
    },
    /// No HTTP answer.
    #[error("cannot reach {url}: {reason}")]
    HttpUnreachable {
        /// The address, without password and query.
        url: String,
        /// What happened.
        reason: String,
    },
    /// No HTTP answer in time.
    #[error("{url} did not answer within {} s", waited.as_secs_f32())]
    HttpTimeout {
        /// The address, without password and query.
        url: String,
        /// How long we waited.
        waited: Duration,
    },
    /// An HTTP answer that is a refusal or a failure.
    #[error("{url} answered {status}: {said}")]
    HttpStatus {
        /// The address, without password and query.
        url: String,
        /// The status.
        status: u16,
        /// Its first words.
        said: String,
    },
    /// A metrics server that does not accept the query.
    #[error("{url} does not accept the query: {message}")]
    Query {
        /// The address, without password and query.
        url: String,
        /// Its words.
        message: String,
    },
    /// An answer that is not what was asked for.
    #[error("{url}: {reason}")]
    BadAnswer {
        /// The address, without password and query.
        url: String,
        /// What it is instead.
        reason: String,
    },
    /// A query without a single value.
    #[error("no series for {what} between {from} and {to}")]
    NoSeries {
        /// The query or queries.
        what: String,
        /// RFC 3339.
        from: String,
        /// RFC 3339.
        to: String,
    },
    /// We asked for the inspector to be closed, and it still listens.
    #[error("the inspector of process {pid} is still open at {address}: {reason}")]
    LeftOpen {
        /// The target.
        pid: u32,
        /// Where.
        address: String,
        /// Why.
        reason: String,
    },
}

impl Error {
    /// The class that decides the exit code.
    pub fn class(&self) -> ErrorClass {
        match self {
            Error::IsThread { .. }
            | Error::Query { .. }
            | Error::BadAnswer { .. }
            | Error::NoSeries { .. } => ErrorClass::BadInput,
            // A folder or disk on our side.
            Error::Output { .. } | Error::DiskFull { .. } | Error::OutputExists { .. } => {
                ErrorClass::Internal
            }
            Error::SignalRefused { .. } | Error::PreflightRefused { .. } => ErrorClass::Refused,
            Error::Protocol(_) => ErrorClass::Internal,
            _ => ErrorClass::CannotAttach,
        }
    }

    /// A stable name for scripts, in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Error::NoSuchProcess { .. } => "no-such-process",
            Error::IsThread { .. } => "is-thread",
            Error::NotNode { .. } => "not-node",
            Error::Permission { .. } => "permission-denied",
            Error::NotRunning { .. } => "not-running",
            Error::Proc { .. } => "proc-unreadable",
            Error::SignalRefused { .. } => "signal-refused",
            Error::Signal { .. } => "signal-failed",
            Error::PortTaken { .. } => "port-taken",
            Error::OtherNetwork { .. } => "other-network",
            Error::PortUnknown { .. } => "port-unknown",
            Error::InspectorDidNotOpen { .. } => "inspector-did-not-open",
            Error::ForeignSocket { .. } => "foreign-socket",
            Error::WrongProcess { .. } => "wrong-process",
            Error::Connect { .. } => "connect-failed",
            Error::InspectorClosed { .. } => "inspector-closed",
            Error::TargetGone { .. } => "target-gone",
            Error::NoAnswer { .. } => "no-answer",
            Error::Protocol(_) => "protocol",
            Error::Remote { .. } => "remote-error",
            Error::PreflightRefused { .. } => "preflight-refused",
            Error::Output { .. } => "output",
            Error::DiskFull { .. } => "disk-full",
            Error::OutputExists { .. } => "output-exists",
            Error::SnapshotIncomplete { .. } => "snapshot-incomplete",
            Error::LeftOpen { .. } => "inspector-left-open",
            Error::HttpUnreachable { .. } => "http-unreachable",
            Error::HttpTimeout { .. } => "http-timeout",
            Error::HttpStatus { .. } => "http-status",
            Error::Query { .. } => "bad-query",
            Error::BadAnswer { .. } => "bad-answer",
            Error::NoSeries { .. } => "no-series",
        }
    }

    /// What the user can do next, where we know.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::NoSuchProcess { .. } => {
                "list the Node.js processes with `pgrep -a node`; it may have restarted under a \
                    new pid".to_owned()
            }
            Error::IsThread { process, .. } => format!("use pid {process}"),
            Error::NotNode { .. } => {
                "give the pid of the node process itself, not of a shell, npm or a process \
                    manager above it"
                    .to_owned()
            }
            Error::Permission { uid, .. } => {
                format!("run as uid {uid} or as root (sudo)")
            }
            Error::NotRunning { pid, .. } => {
                format!("if it was stopped on purpose, continue it with `kill -CONT {pid}` first")
            }
            Error::SignalRefused { hint, .. } => hint.clone(),
            Error::Signal { .. } => "run as the owner of the process or as root".to_owned(),
            Error::PortTaken { port, .. } => format!(
                "end whatever listens on port {port}, or start the service with \
                    --inspect-port=0 or another port"
            ),
            Error::OtherNetwork { pid } => format!(
                "run Leakline inside that network namespace: `nsenter --net --target {pid} \
                    leakline …`"
            ),
            Error::PortUnknown { .. } => {
                "give the inspector's port (the service printed it on stderr when it \
                    opened)".to_owned()
            }
            Error::InspectorDidNotOpen { pid, .. } => format!(
                "the app probably handles SIGUSR1 itself (process.on('SIGUSR1')), or its event loop is blocked; \
                 start it with --inspect to avoid the signal. If it was only busy, the inspector may open late: \
                 look for a listener of process {pid} on that port"
            ),
            Error::ForeignSocket { .. } | Error::WrongProcess { .. } => {
                "another process owns that inspector; nothing was done to it. Close it, or give \
                    its pid".to_owned()
            }
            Error::Connect { .. } => {
                "the service may have been started with --inspect on another host or \
                    port".to_owned()
            }
            Error::InspectorClosed { .. } => {
                "somebody or the app itself closed it (inspector.close()); run again".to_owned()
            }
            Error::TargetGone { .. } => {
                "look for an out-of-memory kill (`dmesg`, memory.events, exit code 137) or a \
                    deployment".to_owned()
            }
            Error::NoAnswer { .. } => {
                "its event loop is blocked or the machine is overloaded; nothing further was \
                    asked of it".to_owned()
            }
            Error::PreflightRefused { .. } => {
                "raise the container's limit, capture a replica without traffic or a freshly started one, or force \
                 it and accept that the service may be killed"
                    .to_owned()
            }
            Error::DiskFull { .. } => "free some space or write to another disk with -o".to_owned(),
            Error::OutputExists { .. } => "choose another file name; nothing is \
                overwritten".to_owned(),
            Error::Output { .. } => "check that the folder exists and that you may write \
                there".to_owned(),
            Error::SnapshotIncomplete { .. } => {
                "take it again; if it repeats, the runtime may be out of memory".to_owned()
            }
            Error::LeftOpen { .. } => {
                "it closes by itself as soon as the last client disconnects; it listens on loopback only unless \
                 the service was configured otherwise"
                    .to_owned()
            }
            Error::HttpUnreachable { .. } => {
                "check host, port and scheme; is it reachable from this machine (VPN, proxy, port-forward)?"
                    .to_owned()
            }
            Error::HttpTimeout { .. } => {
                "ask for less (a shorter --since, a larger --step), or allow more with --timeout".to_owned()
            }
            Error::HttpStatus { status: 401 | 403, .. } => {
                "it wants to know who asks: --bearer-file FILE, --header 'NAME: VALUE', or user:password@ in the \
                 address"
                    .to_owned()
            }
            Error::HttpStatus { status: 404, .. } => {
                "give the address before /api/v1; behind a proxy or with Mimir it has a prefix such as /prometheus"
                    .to_owned()
            }
            Error::HttpStatus { .. } => {
                "the server has a trouble of its own; its log says more. Ask again, or for less".to_owned()
            }
            Error::Query { .. } => "try the query in the server's own web page first".to_owned(),
            Error::BadAnswer { .. } => {
                "check the address: what answers there must be the API itself, not a login page".to_owned()
            }
            Error::NoSeries { .. } => {
                "check the selector and the range; the names that a server knows are listed at \
                 /api/v1/label/__name__/values"
                    .to_owned()
            }
            Error::Proc { .. } | Error::Protocol(_) | Error::Remote { .. } => return None,
        };
        Some(hint)
    }
}
