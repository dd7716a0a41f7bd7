//! From a pid to a session: find the open inspector or open it, prove whose it is, install the
//! probe.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::error::Error;
use crate::flags::NodeFlags;
use crate::inspect::{ProcessInfo, inspect};
use crate::probe;
use crate::process::ProcDir;
use crate::protocol::Protocol;
use crate::safety::{self, Check, Handle, Outcome, SignalVerdict};
use crate::session::Session;
use crate::sockets::{self, Socket};
use crate::wire::{self, Wire};

/// How often we look whether the inspector has opened.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How to attach.
#[derive(Debug, Clone)]
pub struct AttachOptions {
    /// Pass over safety checks that cannot be made (never over those that failed).
    pub signal_anyway: bool,
    /// How long the inspector may take to open after the signal.
    pub open_timeout: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long one request may take; a busy event loop answers late.
    pub answer_timeout: Duration,
    /// Seconds of silence after which the probe takes us for dead.
    pub dead_man_seconds: u32,
    /// Use the inspector that already listens here and never signal.
    pub inspector: Option<SocketAddr>,
}

impl Default for AttachOptions {
    fn default() -> Self {
        Self {
            signal_anyway: false,
            open_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(30),
            dead_man_seconds: 15,
            inspector: None,
        }
    }
}

/// What attaching would do, for `--dry-run`. Nothing is sent to the process.
#[derive(Debug)]
pub enum AttachPlan {
    /// Connect to the inspector that is already open.
    UseOpen(SocketAddr),
    /// Send SIGUSR1, if the verdict allows it.
    Signal(SignalVerdict),
}

/// Finds out how [`Session::attach`] would proceed, without touching the process.
pub fn plan(pid: u32, options: &AttachOptions) -> Result<(ProcessInfo, AttachPlan), Error> {
    let info = inspect(pid)?;
    let plan = plan_for(&ProcDir::new(pid), &info.evidence, options)?;
    Ok((info, plan))
}

/// May SIGUSR1 be sent to `pid`? All checks in words; nothing is sent.
pub fn may_signal(pid: u32, signal_anyway: bool) -> Result<SignalVerdict, Error> {
    let info = inspect(pid)?;
    safety::may_signal(&ProcDir::new(pid), &info.evidence, signal_anyway)
}

fn plan_for(
    process: &ProcDir,
    evidence: &str,
    options: &AttachOptions,
) -> Result<AttachPlan, Error> {
    same_network(process)?;
    if let Some(address) = options.inspector {
        return Ok(AttachPlan::UseOpen(address));
    }
    if let Some(open) = open_inspector(process)? {
        return Ok(AttachPlan::UseOpen(open.local));
    }
    safety::may_signal(process, evidence, options.signal_anyway).map(AttachPlan::Signal)
}

fn same_network(process: &ProcDir) -> Result<(), Error> {
    let own = ProcDir::new(std::process::id()).network_namespace()?;
    if process.network_namespace()? == own {
        Ok(())
    } else {
        Err(Error::OtherNetwork { pid: process.pid() })
    }
}

fn flags_of(process: &ProcDir) -> Result<NodeFlags, Error> {
    let options = process.environment_variable("NODE_OPTIONS").ok().flatten();
    Ok(NodeFlags::parse(&process.command_line()?, options.as_deref()))
}

/// The inspector that the process already has open, as far as its flags tell where.
fn open_inspector(process: &ProcDir) -> Result<Option<Socket>, Error> {
    let flags = flags_of(process)?;
    let own = sockets::own_listeners(process)?;
    if flags.port != 0 {
        return Ok(own.into_iter().find(|s| s.local.port() == flags.port));
    }
    if !flags.inspector_at_start {
        return Ok(None);
    }
    // The kernel chose the port. The app's own servers are not asked whether they are it.
    let mut fitting = own.into_iter().filter(|s| s.local.ip() == flags.host);
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(Some(only)),
        (None, _) => Ok(None),
        _ => Err(Error::PortUnknown { pid: process.pid() }),
    }
}

impl Session {
    /// Attaches to the Node.js process `pid`.
    ///
    /// Uses the inspector it already has open, else opens it by SIGUSR1 after all checks of
    /// [`may_signal`]. Then proves that the listening socket and `process.pid` are the target's, and
    /// installs the probe.
    ///
    /// # Errors
    /// See [`Error`]; whatever goes wrong, the target is left running, and an inspector that we
    /// opened is closed again where we still can.
    pub async fn attach(pid: u32, options: &AttachOptions) -> Result<Session, Error> {
        let began = Instant::now();
        let process = ProcDir::new(pid);
        // Before everything else: from here on the handle means this very process.
        let handle = Handle::open(&process)?;
        let info = inspect(pid)?;
        let start_ticks = process.start_ticks()?;
        let (address, opened, checks) = match plan_for(&process, &info.evidence, options)? {
            AttachPlan::UseOpen(address) => (address, false, Vec::new()),
            AttachPlan::Signal(verdict) => {
                if let Some(refusal) = verdict.refusal {
                    return Err(refusal);
                }
                let known = sockets::own_listeners(&process)?;
                handle.send(&process)?;
                let socket = wait_until_open(&process, &known, options.open_timeout).await?;
                (socket.local, true, verdict.checks)
            }
        };
        let listener = own_listener(&process, address)?;
        let address = wire::reachable(address);
        let wire = Wire::connect(address, options.connect_timeout).await?;
        let mut session = Session {
            process,
            info,
            checks,
            address,
            listener,
            opened,
            version: String::new(),
            start_ticks,
            began,
            answer_within: options.answer_timeout,
            wire: Some(wire),
            protocol: Protocol::default(),
            probe: String::new(),
            actions: Vec::new(),
            measured: None,
        };
        session.note_opening();
        if let Err(error) = session.verify().await {
            // Somebody else's inspector is not ours to close.
            if !matches!(error, Error::WrongProcess { .. }) {
                session.close_without_probe().await;
            }
            return Err(error);
        }
        if let Err(error) = session.install(options.dead_man_seconds).await {
            session.close_without_probe().await;
            return Err(error);
        }
        Ok(session)
    }

    fn note_opening(&mut self) {
        let overruled: Vec<Check> =
            self.checks.iter().filter(|c| c.outcome == Outcome::Overruled).cloned().collect();
        for check in overruled {
            self.note(format!("passed over a check: {}", check.detail));
        }
        let address = self.address;
        self.note(if self.opened {
            format!("sent SIGUSR1; the inspector opened at {address}")
        } else {
            format!("connected to the inspector that was already open at {address}")
        });
    }

    /// The process behind the inspector must be the target.
    async fn verify(&mut self) -> Result<(), Error> {
        let answered = self.evaluate("process.pid", true, "proving who answers").await?;
        let expected = self.info.inner_pid;
        if answered["value"].as_u64() == Some(u64::from(expected)) {
            return Ok(());
        }
        let answered = &answered["value"];
        Err(Error::WrongProcess {
            pid: self.process.pid(),
            expected,
            answered: if answered.is_null() { "nothing".to_owned() } else { answered.to_string() },
            address: self.address.to_string(),
        })
    }

    async fn install(&mut self, silent_ticks: u32) -> Result<(), Error> {
        let expression = probe::expression(self.opened, silent_ticks);
        let object = self.evaluate(&expression, false, "installing the probe").await?;
        object["objectId"]
            .as_str()
            .ok_or_else(|| Error::Protocol("the probe is no object".to_owned()))?
            .clone_into(&mut self.probe);
        let params = json!({
            "objectId": self.probe,
            "functionDeclaration": "function () { return this.version }",
            "returnByValue": true,
        });
        let answer = self.request("Runtime.callFunctionOn", &params, "reading its version").await?;
        answer["result"]["value"].as_str().unwrap_or_default().clone_into(&mut self.version);
        self.note(
            "installed the probe (a garbage-collection observer, a request counter and a timer that \
             removes both when Leakline is gone)"
                .to_owned(),
        );
        Ok(())
    }

    /// The probe could not be installed: close what we opened without its help. Nobody else is
    /// connected as far as we know: we opened it a moment ago.
    async fn close_without_probe(&mut self) {
        if self.opened {
            let close = "((require) => { const { close } = require('inspector'); \
                 require('timers').setTimeout(() => { try { close() } catch {} }, 300).unref(); \
                 })(typeof require === 'function' ? require : process.getBuiltinModule)";
            let _ = self.evaluate(close, true, "closing the inspector").await;
        }
        if let Some(wire) = self.wire.take() {
            wire.close(Duration::from_millis(200)).await;
        }
    }
}

/// The inode of the target's own listening socket at `address`.
fn own_listener(process: &ProcDir, address: SocketAddr) -> Result<u64, Error> {
    sockets::own_listeners(process)?
        .into_iter()
        .find(|s| s.local.port() == address.port())
        .map(|s| s.inode)
        .ok_or_else(|| Error::ForeignSocket { pid: process.pid(), address: address.to_string() })
}

/// Waits for a listener of the process that was not there before.
async fn wait_until_open(
    process: &ProcDir,
    known: &[Socket],
    within: Duration,
) -> Result<Socket, Error> {
    let pid = process.pid();
    let flags = flags_of(process)?;
    let deadline = Instant::now() + within;
    loop {
        let listeners = match sockets::own_listeners(process) {
            Ok(listeners) => listeners,
            Err(Error::NoSuchProcess { .. }) => {
                return Err(Error::TargetGone { pid, during: "opening its inspector" });
            }
            Err(error) => return Err(error),
        };
        let new = listeners.into_iter().find(|s| {
            !known.iter().any(|k| k.inode == s.inode)
                && (flags.port == 0 || s.local.port() == flags.port)
        });
        if let Some(socket) = new {
            return Ok(socket);
        }
        if Instant::now() > deadline {
            return Err(Error::InspectorDidNotOpen { pid, port: flags.port, waited: within });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
