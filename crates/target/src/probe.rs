//! The JavaScript that runs in the target while we are attached, and what it answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The probe as it is sent, comments included: `--show-probe` prints exactly this.
pub const PROBE: &str = include_str!("probe.js");

/// Name of the probe's script in the target: shows in its stack traces and heap snapshots, so
/// that an analysis can tell our few objects from the app's.
pub const PROBE_NAME: &str = "leakline-probe.js";

/// The expression that installs the probe and yields its object.
pub(crate) fn expression(opened: bool, silent_ticks: u32) -> String {
    // `require` comes from the command line API of the inspector and is there for ES modules,
    // too; newer versions offer the built-in modules without it.
    format!(
        "({probe}\n)(typeof require === 'function' ? require : process.getBuiltinModule, \
         {{ opened: {opened}, silentTicks: {silent_ticks} }})\n//# sourceURL={PROBE_NAME}",
        probe = PROBE.trim_end().trim_end_matches(';'),
    )
}

/// The cheap figures of one moment. Sizes in bytes; counters run from attaching.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MemorySample {
    /// Wall clock, seconds since 1970.
    pub unix_seconds: f64,
    /// Since attaching, monotonic.
    pub elapsed_seconds: f64,
    /// Resident set size, from `process.memoryUsage()`.
    pub rss_bytes: u64,
    /// V8 heap obtained from the system.
    pub heap_total_bytes: u64,
    /// V8 heap in use, garbage not yet collected included.
    pub heap_used_bytes: u64,
    /// Memory outside the heap that objects hold (buffers included).
    pub external_bytes: u64,
    /// Of that, `ArrayBuffer`s.
    pub array_buffers_bytes: u64,
    /// V8's own limit for its heap.
    pub heap_limit_bytes: u64,
    /// What V8 itself has allocated with malloc.
    pub malloced_bytes: u64,
    /// Detached contexts that are still alive; rises when `vm` contexts leak.
    pub detached_contexts: u64,
    /// Contexts alive.
    pub native_contexts: u64,
    /// Requests the HTTP servers of the process have begun, since attaching.
    pub requests: u64,
    /// Major collections since attaching.
    pub gc_major_count: u64,
    /// Other collections since attaching.
    pub gc_minor_count: u64,
    /// Time spent in collections since attaching.
    pub gc_pause_seconds: f64,
    /// Heap in use soon after the last major collection; `None` before the first.
    pub heap_used_after_gc_bytes: Option<u64>,
    /// Event loop: idle time since the process began.
    pub loop_idle_seconds: f64,
    /// Event loop: busy time since the process began.
    pub loop_active_seconds: f64,
    /// The worst lateness of the probe's own one-second timer since the last sample.
    pub loop_late_seconds: f64,
    /// Age of the process.
    pub uptime_seconds: f64,
    /// Highest resident set size so far, from `/proc`.
    pub peak_rss_bytes: u64,
}

/// One of V8's heap spaces. Bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeapSpace {
    /// `old_space`, `large_object_space`, …
    pub name: String,
    /// Obtained from the system.
    #[serde(rename(deserialize = "size"))]
    pub size_bytes: u64,
    /// In use.
    #[serde(rename(deserialize = "used"))]
    pub used_bytes: u64,
    /// Free within the space.
    #[serde(rename(deserialize = "available"))]
    pub available_bytes: u64,
    /// Backed by memory.
    #[serde(rename(deserialize = "physical"))]
    pub physical_bytes: u64,
}

/// What the probe's `sample()` returns.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSample {
    rss: f64,
    heap_total: f64,
    heap_used: f64,
    external: f64,
    array_buffers: f64,
    heap_limit: f64,
    malloced: f64,
    detached_contexts: f64,
    native_contexts: f64,
    requests: f64,
    major_count: f64,
    minor_count: f64,
    pause_ms: f64,
    floor: Option<f64>,
    loop_idle_ms: f64,
    loop_active_ms: f64,
    loop_late_ms: f64,
    uptime: f64,
}

/// Reads a sample; JavaScript has only doubles, so integers come as such.
pub(crate) fn read_sample(
    value: Value,
    unix_seconds: f64,
    elapsed_seconds: f64,
    peak_rss_bytes: u64,
) -> Result<MemorySample, serde_json::Error> {
    let raw: RawSample = serde_json::from_value(value)?;
    Ok(MemorySample {
        unix_seconds,
        elapsed_seconds,
        rss_bytes: raw.rss as u64,
        heap_total_bytes: raw.heap_total as u64,
        heap_used_bytes: raw.heap_used as u64,
        external_bytes: raw.external as u64,
        array_buffers_bytes: raw.array_buffers as u64,
        heap_limit_bytes: raw.heap_limit as u64,
        malloced_bytes: raw.malloced as u64,
        detached_contexts: raw.detached_contexts as u64,
        native_contexts: raw.native_contexts as u64,
        requests: raw.requests as u64,
        gc_major_count: raw.major_count as u64,
        gc_minor_count: raw.minor_count as u64,
        gc_pause_seconds: raw.pause_ms / 1000.0,
        heap_used_after_gc_bytes: raw.floor.map(|bytes| bytes as u64),
        loop_idle_seconds: raw.loop_idle_ms / 1000.0,
        loop_active_seconds: raw.loop_active_ms / 1000.0,
        loop_late_seconds: raw.loop_late_ms / 1000.0,
        uptime_seconds: raw.uptime,
        peak_rss_bytes,
    })
}
