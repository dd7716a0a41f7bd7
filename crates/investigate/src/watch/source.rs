//! Where a watch's figures come from: the inspector of a process, `/proc` alone, or a JSON endpoint.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use leakline_target::remote::{Address, Http, read_memory};
use leakline_target::{
    AttachOptions, Error, MemorySample, ProcDir, Session, cgroup, own_listeners, owner_of, sockets,
};
use leakline_trend::Sample;

use super::WatchTarget;
use crate::clock;

/// A sign of life to the probe is due within this.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// Listeners of one event of one emitter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerCount {
    /// `process`
    pub emitter: String,
    /// The event's name.
    pub event: String,
    /// How many.
    pub count: u64,
}

/// One look at the target. `sample.requests` and `sample.elapsed_seconds` are the watch's to fill.
pub(super) struct Reading {
    pub(super) unix_seconds: f64,
    pub(super) sample: Sample,
    pub(super) requests_total: Option<u64>,
    pub(super) loop_late_seconds: Option<f64>,
    pub(super) listeners: Vec<ListenerCount>,
}

/// Why a look failed.
pub(super) enum Failure {
    /// This once.
    Missed(Error),
    /// The process is not there any more.
    Gone(Error),
}

/// What makes a process the same program in its next life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    executable: PathBuf,
    command_line: Vec<String>,
    folder: Option<PathBuf>,
}

/// How a process may be looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Not at all: from outside.
    Outside,
    /// Through its inspector, which may be opened; from outside where that must not be.
    Inspector,
    /// Through the inspector that is open there, or not at all.
    OpenAt(SocketAddr),
}

pub(super) enum Means {
    Inspector(Box<Session>),
    Proc,
}

pub(super) enum Source {
    Process {
        process: ProcDir,
        start_ticks: u64,
        /// Unix seconds.
        started: Option<f64>,
        program: Option<Program>,
        limit: Option<u64>,
        means: Means,
        way: Way,
    },
    Endpoint {
        address: Address,
        http: Http,
    },
}

impl Source {
    pub(super) async fn open(
        target: &WatchTarget,
        attach: &AttachOptions,
        notes: &mut Vec<String>,
    ) -> Result<Self, Error> {
        match target {
            WatchTarget::Endpoint { address, http } => {
                Ok(Self::Endpoint { address: address.clone(), http: http.clone() })
            }
            WatchTarget::Process { pid, inspector } => {
                let way = if *inspector { Way::Inspector } else { Way::Outside };
                Self::process(*pid, way, attach, notes).await
            }
            WatchTarget::Inspector(address) => {
                let pid = listener_at(*address)?;
                Self::process(pid, Way::OpenAt(*address), attach, notes).await
            }
        }
    }

    async fn process(
        pid: u32,
        way: Way,
        attach: &AttachOptions,
        notes: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let process = ProcDir::new(pid);
        let status = process.status()?;
        if status.thread_group != pid {
            return Err(Error::IsThread { pid, process: status.thread_group });
        }
        let start_ticks = process.start_ticks()?;
        let address = match way {
            Way::OpenAt(address) => Some(address),
            Way::Outside | Way::Inspector => None,
        };
        let means = match way {
            Way::Outside => Means::Proc,
            Way::Inspector | Way::OpenAt(_) => {
                let options = AttachOptions { inspector: address, ..attach.clone() };
                match Session::attach(pid, &options).await {
                    Ok(session) => Means::Inspector(Box::new(session)),
                    Err(e @ (Error::NoSuchProcess { .. } | Error::NotRunning { .. })) => {
                        return Err(e);
                    }
                    // Asked for by its address, it is the inspector or nothing.
                    Err(e) if address.is_some() => return Err(e),
                    Err(e) => {
                        let hint = e.hint().map_or_else(String::new, |h| format!(" ({h})"));
                        notes.push(format!(
                            "its inspector is not used: {e}{hint}; only its RSS is watched, from outside"
                        ));
                        Means::Proc
                    }
                }
            }
        };
        let limit = cgroup::headroom(&process, Path::new("/")).ok().flatten();
        Ok(Self::Process {
            program: program(&process),
            limit: limit.and_then(|room| room.limit_bytes),
            started: process.start_unix_seconds(start_ticks),
            process,
            start_ticks,
            means,
            way,
        })
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Process { means: Means::Inspector(_), .. } => "inspector",
            Self::Process { means: Means::Proc, .. } => "proc",
            Self::Endpoint { .. } => "endpoint",
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Process { process, .. } => process.describe(),
            Self::Endpoint { address, .. } => address.to_string(),
        }
    }

    pub(super) async fn sample(&mut self) -> Result<Reading, Failure> {
        match self {
            Self::Endpoint { address, http } => {
                endpoint(address, http).await.map_err(Failure::Missed)
            }
            Self::Process { process, start_ticks, started, limit, means, .. } => {
                if !process.start_ticks().is_ok_and(|ticks| ticks == *start_ticks) {
                    let error = Error::TargetGone { pid: process.pid(), during: "watching it" };
                    return Err(Failure::Gone(error));
                }
                let read = match means {
                    Means::Inspector(session) => inspected(session).await,
                    Means::Proc => from_proc(process),
                };
                match read {
                    Ok(mut reading) => {
                        reading.sample.limit = *limit;
                        reading.sample.start_time = *started;
                        Ok(reading)
                    }
                    Err(e @ (Error::NoSuchProcess { .. } | Error::TargetGone { .. })) => {
                        Err(Failure::Gone(e))
                    }
                    Err(e) => {
                        // The process lives and its inspector does not answer for it: what /proc says is
                        // better than nothing.
                        if matches!(e, Error::InspectorClosed { .. }) {
                            *means = Means::Proc;
                        }
                        Err(Failure::Missed(e))
                    }
                }
            }
        }
    }

    /// Waits for the next sample, with a sign of life to the probe now and then.
    pub(super) async fn wait_until(&mut self, due: Instant) {
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left <= SIGN_OF_LIFE {
                tokio::time::sleep(left).await;
                return;
            }
            tokio::time::sleep(SIGN_OF_LIFE).await;
            if let Self::Process { means: Means::Inspector(session), .. } = self {
                // A failure shows in the next sample.
                let _ = session.beat().await;
            }
        }
    }

    /// The same program under a new pid, opened the same way; `None` while there is none, or several.
    pub(super) async fn next_life(
        &self,
        attach: &AttachOptions,
        notes: &mut Vec<String>,
    ) -> Option<Self> {
        let Self::Process { process, start_ticks, program: Some(old), way, .. } = self else {
            return None;
        };
        let pid = match way {
            Way::OpenAt(address) => listener_at(*address).ok()?,
            _ => successor(process, *start_ticks, old)?,
        };
        Self::process(pid, *way, attach, notes).await.ok()
    }

    /// Leaves the target as it was found.
    pub(super) async fn close(&mut self, notes: &mut Vec<String>) {
        if let Self::Process { means: Means::Inspector(session), .. } = self
            && let Err(e) = session.detach().await
            && !matches!(e, Error::TargetGone { .. })
        {
            notes.push(e.to_string());
        }
    }

    /// What was done to the target, with times.
    pub(super) fn take_actions(&mut self) -> Vec<(String, String)> {
        let Self::Process { means: Means::Inspector(session), .. } = self else {
            return Vec::new();
        };
        session.actions().iter().map(|a| (clock::at(a.unix_seconds), a.what.clone())).collect()
    }
}

/// A word for a file's name.
pub(super) fn short_name(target: &WatchTarget) -> String {
    match target {
        WatchTarget::Process { pid, .. } => pid.to_string(),
        WatchTarget::Inspector(address) => format!("inspector{}", address.port()),
        WatchTarget::Endpoint { .. } => "endpoint".into(),
    }
}

/// The process of this machine that listens there.
fn listener_at(address: SocketAddr) -> Result<u32, Error> {
    let failed =
        |reason: &str| Error::Connect { address: address.to_string(), reason: reason.to_owned() };
    let own = ProcDir::new(std::process::id());
    let all = sockets(&own)?;
    let listener = all
        .iter()
        .find(|s| s.listens() && s.local.port() == address.port())
        .ok_or_else(|| failed("nobody on this machine listens there"))?;
    let owner = owner_of(&own, listener.inode)
        .ok_or_else(|| failed("it belongs to a process that may not be looked at"))?;
    own_listeners(&owner)?;
    Ok(owner.pid())
}

fn program(process: &ProcDir) -> Option<Program> {
    Some(Program {
        executable: process.executable().ok()?,
        command_line: process.command_line().ok().filter(|l| !l.is_empty())?,
        folder: std::fs::read_link(process.path("cwd")).ok(),
    })
}

/// The only process that runs that program and began after the old one.
fn successor(old: &ProcDir, after: u64, of: &Program) -> Option<u32> {
    let entries = std::fs::read_dir(old.root()).ok()?;
    let pids = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    let mut fitting = pids
        .map(|pid| ProcDir::with_root(old.root(), pid))
        .filter(|p| p.start_ticks().is_ok_and(|ticks| ticks > after))
        .filter(|p| program(p).is_some_and(|found| found == *of));
    let first = fitting.next()?;
    // Two of them: whose memory it would be cannot be told.
    fitting.next().is_none().then(|| first.pid())
}

async fn inspected(session: &mut Session) -> Result<Reading, Error> {
    let m: MemorySample = session.sample().await?;
    let listeners = session.listeners().await.unwrap_or_default();
    let sample = Sample {
        rss: Some(m.rss_bytes),
        heap_used: Some(m.heap_used_bytes),
        heap_total: Some(m.heap_total_bytes),
        external: Some(m.external_bytes),
        array_buffers: Some(m.array_buffers_bytes),
        gc_major_count: Some(m.gc_major_count),
        ..Sample::default()
    };
    Ok(Reading {
        unix_seconds: m.unix_seconds,
        sample,
        requests_total: Some(m.requests),
        loop_late_seconds: Some(m.loop_late_seconds.max(0.0)),
        listeners: listeners
            .into_iter()
            .map(|(event, count)| ListenerCount { emitter: "process".into(), event, count })
            .collect(),
    })
}

fn from_proc(process: &ProcDir) -> Result<Reading, Error> {
    let status = process.status()?;
    if matches!(status.state, 'Z' | 'X' | 'x') {
        return Err(Error::TargetGone { pid: process.pid(), during: "watching it" });
    }
    let sample = Sample { rss: Some(status.rss_bytes), ..Sample::default() };
    Ok(plain(sample))
}

async fn endpoint(address: &Address, http: &Http) -> Result<Reading, Error> {
    let (at, client) = (address.clone(), http.clone());
    let read = tokio::task::spawn_blocking(move || read_memory(&client, &at)).await;
    let m = read.map_err(|e| Error::Protocol(e.to_string()))??;
    let mut reading = plain(Sample {
        rss: m.rss,
        heap_used: m.heap_used,
        heap_total: m.heap_total,
        external: m.external,
        array_buffers: m.array_buffers,
        limit: m.limit,
        connections: m.connections,
        ..Sample::default()
    });
    reading.sample.start_time = m.uptime_seconds.map(|age| reading.unix_seconds - age);
    reading.requests_total = m.requests_total;
    Ok(reading)
}

fn plain(sample: Sample) -> Reading {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
    Reading {
        unix_seconds: now,
        sample,
        requests_total: None,
        loop_late_seconds: None,
        listeners: Vec::new(),
    }
}
