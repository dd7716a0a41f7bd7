//! One session with a live target: sample, predict, capture, leave.
//!
//! The same WebSocket is held from attaching to leaving, because V8 forgets its object ids when
//! a session that took a snapshot closes, and two snapshots could then not be compared. For the
//! same reason `HeapProfiler.disable` is never sent, and `HeapProfiler.enable` is not needed.
//! Nothing else is enabled either: no debugger, no console, no network domain.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Value, json};

use crate::capture::{Capture, Writer};
use crate::cgroup;
use crate::error::Error;
use crate::inspect::ProcessInfo;
use crate::preflight::{self, HeapFigures, MeasuredCost, Permit, Preflight, Room};
use crate::probe::{self, HeapSpace, MemorySample};
use crate::process::ProcDir;
use crate::protocol::{Incoming, Protocol};
use crate::safety::Check;
use crate::sockets;
use crate::wire::Wire;

/// How often the target's resident set is looked at during a capture.
const RSS_INTERVAL: Duration = Duration::from_millis(20);
/// A capture that sends nothing, not even progress, for this long is given up. The two
/// collections at its start are the longest silence; 119 s in all was seen for a 1 GiB heap.
const CAPTURE_SILENCE: Duration = Duration::from_mins(5);
/// How long the inspector may take to close after we asked.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);
/// How long a lost connection may take to show as the end of the process.
const DEATH_WITHIN: Duration = Duration::from_millis(500);

/// Something done to the target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Action {
    /// Wall clock, seconds since 1970.
    pub unix_seconds: f64,
    /// Since attaching began.
    pub elapsed_seconds: f64,
    /// What was done.
    pub what: String,
}

/// An attached target. Call [`Session::detach`] at the end; should that not happen, the probe
/// notices our absence, undoes itself and closes the inspector if we had opened it.
#[derive(Debug)]
pub struct Session {
    pub(crate) process: ProcDir,
    pub(crate) info: ProcessInfo,
    pub(crate) checks: Vec<Check>,
    pub(crate) address: SocketAddr,
    pub(crate) listener: u64,
    pub(crate) opened: bool,
    pub(crate) version: String,
    pub(crate) start_ticks: u64,
    pub(crate) began: Instant,
    pub(crate) answer_within: Duration,
    pub(crate) wire: Option<Wire>,
    pub(crate) protocol: Protocol,
    pub(crate) probe: String,
    pub(crate) actions: Vec<Action>,
    pub(crate) measured: Option<MeasuredCost>,
}

impl Session {
    /// What was known about the process before attaching.
    pub fn info(&self) -> &ProcessInfo {
        &self.info
    }

    /// `process.version`, like `v20.20.2`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether we opened the inspector (and close it again).
    pub fn opened_inspector(&self) -> bool {
        self.opened
    }

    /// Where the inspector listens.
    pub fn inspector_address(&self) -> SocketAddr {
        self.address
    }

    /// The safety checks made before signalling; empty when no signal was needed.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Everything done to the target so far, in order.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Cost of the last capture of this session.
    pub fn measured_cost(&self) -> Option<&MeasuredCost> {
        self.measured.as_ref()
    }

    /// All cheap figures of this moment. Also a sign of life for the probe.
    pub async fn sample(&mut self) -> Result<MemorySample, Error> {
        let value = self.call_probe("sample", &[], "sampling its memory").await?;
        let peak = self.process.status().map_or(0, |s| s.peak_rss_bytes);
        let elapsed = self.began.elapsed().as_secs_f64();
        probe::read_sample(value, unix_seconds(SystemTime::now()), elapsed, peak)
            .map_err(|e| Error::Protocol(format!("memory sample: {e}")))
    }

    /// V8's heap spaces.
    pub async fn heap_spaces(&mut self) -> Result<Vec<HeapSpace>, Error> {
        let value = self.call_probe("spaces", &[], "reading its heap spaces").await?;
        serde_json::from_value(value).map_err(|e| Error::Protocol(format!("heap spaces: {e}")))
    }

    /// How many listeners `process` has, by event; cheap.
    pub async fn listeners(&mut self) -> Result<Vec<(String, u64)>, Error> {
        let value = self.call_probe("listeners", &[], "counting its listeners").await?;
        serde_json::from_value(value).map_err(|e| Error::Protocol(format!("listeners: {e}")))
    }

    /// A sign of life, for long breaks between samples.
    pub async fn beat(&mut self) -> Result<(), Error> {
        self.call_probe("beat", &[], "keeping the session alive").await.map(drop)
    }

    /// Predicts what a snapshot written into `folder` would cost now, and decides.
    pub async fn preflight(&mut self, folder: &Path) -> Result<Preflight, Error> {
        let sample = self.sample().await?;
        let large = large_object_bytes(&self.heap_spaces().await?);
        let figures = HeapFigures {
            heap_used_bytes: sample.heap_used_bytes,
            large_object_bytes: large,
            rss_bytes: self.process.status()?.rss_bytes,
        };
        let room = self.room(folder)?;
        Ok(preflight::decide(preflight::predict(figures, self.measured.as_ref()), &room))
    }

    fn room(&self, folder: &Path) -> Result<Room, Error> {
        let disk = rustix::fs::statvfs(folder)
            .map_err(|e| Error::Output { path: folder.to_owned(), source: e.into() })?;
        let headroom = cgroup::headroom(&self.process, Path::new("/"))?;
        Ok(Room {
            headroom_bytes: headroom.as_ref().map(|h| h.bytes),
            limit_bytes: headroom.as_ref().and_then(|h| h.limit_bytes),
            headroom_source: headroom.map_or_else(String::new, |h| h.source),
            disk_free_bytes: Some(disk.f_bavail.saturating_mul(disk.f_frsize)),
        })
    }

    /// Takes a heap snapshot into `path` (mode 0600; must not exist). `progress` hears the bytes
    /// received so far. The permit proves that [`Session::preflight`] was asked.
    ///
    /// # Errors
    /// On any error no file is left. After a failure of the disk the session is still good.
    pub async fn take_snapshot(
        &mut self,
        path: &Path,
        _permit: Permit,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Capture, Error> {
        const DURING: &str = "taking a heap snapshot";
        let writer = Writer::create(path)?;
        let before = self.process.status()?;
        let taken = SystemTime::now();
        self.note(format!("asked for a heap snapshot into {}", path.display()));
        let began = Instant::now();
        let id = self
            .send("HeapProfiler.takeHeapSnapshot", &json!({ "reportProgress": true }), DURING)
            .await?;
        let received = self.receive_snapshot(id, &writer, before.rss_bytes, progress).await;
        let pause_seconds = began.elapsed().as_secs_f64();
        let rss_peak_bytes = match received {
            Ok(peak) => peak,
            Err(error) => {
                self.protocol.give_up(id);
                self.note(format!("the heap snapshot failed: {error}"));
                return Err(error);
            }
        };
        let written = match writer.finish().await {
            Ok(written) => written,
            Err(failure) => {
                let error = failure.explain(self.process.pid(), path);
                self.note(format!("the heap snapshot failed: {error}"));
                return Err(error);
            }
        };
        self.note(format!("heap snapshot done: {} bytes in {pause_seconds:.1} s", written.bytes));

        let sample = self.sample().await?;
        let spaces = self.heap_spaces().await?;
        let after = self.process.status()?;
        // The high-water mark catches peaks between two looks, if it was moved by this capture.
        let mark = Some(after.peak_rss_bytes).filter(|mark| *mark > before.peak_rss_bytes);
        let rss_peak_bytes = rss_peak_bytes.max(mark.unwrap_or(0));
        self.measured = Some(MeasuredCost {
            heap_used_bytes: sample.heap_used_bytes,
            large_object_bytes: large_object_bytes(&spaces),
            rss_before_bytes: before.rss_bytes,
            rss_peak_bytes,
            pause_seconds,
            file_bytes: written.bytes,
        });
        Ok(Capture {
            path: path.to_owned(),
            taken_unix_seconds: unix_seconds(taken),
            bytes: written.bytes,
            pause_seconds,
            rss_before_bytes: before.rss_bytes,
            rss_peak_bytes,
            rss_after_bytes: after.rss_bytes,
            heap_used_after_bytes: sample.heap_used_bytes,
            node_count: written.node_count,
            edge_count: written.edge_count,
        })
    }

    /// Takes chunks until the reply; returns the highest resident set seen.
    async fn receive_snapshot(
        &mut self,
        id: u64,
        writer: &Writer,
        rss_before: u64,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<u64, Error> {
        const DURING: &str = "taking a heap snapshot";
        let mut peak = rss_before;
        let mut bytes = 0;
        let mut disk_good = true;
        let mut last_frame = Instant::now();
        let mut ticks = tokio::time::interval(RSS_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let Some(wire) = self.wire.as_mut() else { return Err(self.lost(DURING).await) };
            let frame = tokio::select! {
                frame = wire.receive() => frame,
                _ = ticks.tick() => {
                    peak = peak.max(self.process.status().map_or(0, |s| s.rss_bytes));
                    if last_frame.elapsed() > CAPTURE_SILENCE {
                        let pid = self.process.pid();
                        return Err(Error::NoAnswer { pid, during: DURING, waited: CAPTURE_SILENCE });
                    }
                    continue;
                }
            };
            let Some(text) = frame else { return Err(self.lost(DURING).await) };
            last_frame = Instant::now();
            match self.protocol.receive(&text).map_err(|e| Error::Protocol(e.to_string()))? {
                Incoming::SnapshotChunk(chunk) => {
                    bytes += chunk.len() as u64;
                    // After a failure the rest is still taken off the target, and dropped.
                    disk_good = disk_good && writer.chunk(chunk).await;
                    progress(bytes);
                }
                Incoming::Reply { id: replied, result } if replied == id => {
                    return match result {
                        Ok(_) => Ok(peak),
                        Err(message) => Err(Error::Remote {
                            pid: self.process.pid(),
                            method: "HeapProfiler.takeHeapSnapshot",
                            message,
                        }),
                    };
                }
                Incoming::Reply { .. } | Incoming::SnapshotProgress { .. } | Incoming::Other => {}
            }
        }
    }

    /// Undoes the probe, closes the session, and closes the inspector if we opened it.
    ///
    /// # Errors
    /// [`Error::LeftOpen`] when the inspector still listens afterwards: somebody else is connected
    /// to it (closing would stall the target if that client hangs). It closes when they leave.
    /// [`Error::TargetGone`] when there is nothing left to detach from.
    pub async fn detach(&mut self) -> Result<(), Error> {
        if self.wire.is_none() {
            return Ok(());
        }
        let others = self.other_clients();
        let left = self.call_probe("leave", &[json!(others == 0)], "detaching").await;
        if let Some(wire) = self.wire.take() {
            wire.close(Duration::from_secs(1)).await;
        }
        left?;
        self.note("removed the probe and closed the session".to_owned());
        if !self.opened {
            return Ok(());
        }
        let deadline = Instant::now() + CLOSE_WITHIN;
        while self.still_listens() {
            if Instant::now() > deadline {
                let reason = if others > 0 {
                    "another client is connected to it"
                } else {
                    "the process did not get to closing it"
                };
                self.note(format!("the inspector is still open: {reason}"));
                return Err(Error::LeftOpen {
                    pid: self.process.pid(),
                    address: self.address.to_string(),
                    reason: reason.to_owned(),
                });
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        self.note(format!("closed the inspector; nothing listens at {} any more", self.address));
        Ok(())
    }

    /// Connections to the inspector's port that are not ours.
    fn other_clients(&self) -> usize {
        let own = self.wire.as_ref().map(|wire| wire.local.port());
        let all = sockets::sockets(&self.process).unwrap_or_default();
        all.iter()
            .filter(|s| s.established())
            .filter(|s| s.local.port() == self.address.port() && Some(s.remote.port()) != own)
            .count()
    }

    fn still_listens(&self) -> bool {
        sockets::sockets(&self.process)
            .is_ok_and(|all| all.iter().any(|s| s.listens() && s.inode == self.listener))
    }

    /// Calls a method of the probe and returns its value.
    pub(crate) async fn call_probe(
        &mut self,
        method: &str,
        arguments: &[Value],
        during: &'static str,
    ) -> Result<Value, Error> {
        let arguments: Vec<Value> =
            arguments.iter().map(|value| json!({ "value": value })).collect();
        let params = json!({
            "objectId": self.probe,
            "functionDeclaration": format!("function (...a) {{ return this.{method}(...a) }}"),
            "arguments": arguments,
            "returnByValue": true,
            "silent": true,
        });
        let mut result = self.request("Runtime.callFunctionOn", &params, during).await?;
        self.thrown("Runtime.callFunctionOn", &result)?;
        Ok(result["result"]["value"].take())
    }

    /// Evaluates an expression in the target's main context; returns the `RemoteObject`.
    pub(crate) async fn evaluate(
        &mut self,
        expression: &str,
        by_value: bool,
        during: &'static str,
    ) -> Result<Value, Error> {
        let params = json!({
            "expression": expression,
            "includeCommandLineAPI": true,
            "returnByValue": by_value,
            "silent": true,
        });
        let mut result = self.request("Runtime.evaluate", &params, during).await?;
        self.thrown("Runtime.evaluate", &result)?;
        Ok(result["result"].take())
    }

    fn thrown(&self, method: &'static str, result: &Value) -> Result<(), Error> {
        let Some(details) = result.get("exceptionDetails") else { return Ok(()) };
        let text = details["exception"]["description"].as_str().or(details["text"].as_str());
        let message = text.unwrap_or("an exception without text").to_owned();
        Err(Error::Remote { pid: self.process.pid(), method, message })
    }

    pub(crate) async fn request(
        &mut self,
        method: &'static str,
        params: &Value,
        during: &'static str,
    ) -> Result<Value, Error> {
        let id = self.send(method, params, during).await?;
        let waited = self.answer_within;
        match tokio::time::timeout(waited, self.reply(id, method, during)).await {
            Ok(result) => result,
            Err(_) => {
                self.protocol.give_up(id);
                Err(Error::NoAnswer { pid: self.process.pid(), during, waited })
            }
        }
    }

    async fn send(
        &mut self,
        method: &str,
        params: &Value,
        during: &'static str,
    ) -> Result<u64, Error> {
        let (id, text) = self.protocol.request(method, params);
        let sent = match self.wire.as_mut() {
            Some(wire) => wire.send(text).await,
            None => false,
        };
        if sent { Ok(id) } else { Err(self.lost(during).await) }
    }

    async fn reply(
        &mut self,
        id: u64,
        method: &'static str,
        during: &'static str,
    ) -> Result<Value, Error> {
        loop {
            let frame = match self.wire.as_mut() {
                Some(wire) => wire.receive().await,
                None => None,
            };
            let Some(text) = frame else { return Err(self.lost(during).await) };
            let incoming =
                self.protocol.receive(&text).map_err(|e| Error::Protocol(e.to_string()))?;
            // Chunks of a snapshot that was given up are dropped here.
            if let Incoming::Reply { id: replied, result } = incoming
                && replied == id
            {
                let pid = self.process.pid();
                return result.map_err(|message| Error::Remote { pid, method, message });
            }
        }
    }

    /// The connection is gone: did the process end, or only its inspector?
    async fn lost(&mut self, during: &'static str) -> Error {
        self.wire = None;
        let pid = self.process.pid();
        let deadline = Instant::now() + DEATH_WITHIN;
        loop {
            let alive = self.process.status().is_ok_and(|s| !matches!(s.state, 'Z' | 'X' | 'x'))
                && self.process.start_ticks().is_ok_and(|ticks| ticks == self.start_ticks);
            if !alive {
                return Error::TargetGone { pid, during };
            }
            if Instant::now() > deadline {
                return Error::InspectorClosed { pid, during };
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn note(&mut self, what: String) {
        self.actions.push(Action {
            unix_seconds: unix_seconds(SystemTime::now()),
            elapsed_seconds: self.began.elapsed().as_secs_f64(),
            what,
        });
    }
}

/// The folder a file will lie in.
pub fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Arrays too long for a page live in these spaces; `code_large_object_space` holds none.
fn large_object_bytes(spaces: &[HeapSpace]) -> u64 {
    spaces
        .iter()
        .filter(|space| {
            space.name.ends_with("large_object_space") && !space.name.starts_with("code")
        })
        .map(|space| space.used_bytes)
        .sum()
}

fn unix_seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}
