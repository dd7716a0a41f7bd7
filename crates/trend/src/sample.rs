//! One measurement of a process's memory, and the series of them.

/// One sample. A field that was not measured is `None`: a gap, never a zero.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// Seconds since an origin common to the whole series (often its first sample).
    pub elapsed_seconds: f64,
    /// Resident set size, in bytes.
    pub rss: Option<u64>,
    /// V8's used heap, in bytes: live objects and garbage not yet collected.
    pub heap_used: Option<u64>,
    /// V8's committed heap, in bytes.
    pub heap_total: Option<u64>,
    /// Memory outside the heap that JavaScript objects own, in bytes; includes `array_buffers`.
    pub external: Option<u64>,
    /// Backing stores of `ArrayBuffer`s and `Buffer`s, in bytes.
    pub array_buffers: Option<u64>,
    /// The limit that kills the process (container or machine), in bytes.
    pub limit: Option<u64>,
    /// Requests served since the previous sample.
    pub requests: Option<u64>,
    /// Open connections at this moment.
    pub connections: Option<u64>,
    /// Full (mark-compact) collections so far: a counter that only rises while the process lives.
    pub gc_major_count: Option<u64>,
    /// When the process started, in Unix seconds; a change of it is a restart.
    pub start_time: Option<f64>,
    /// Taken after a heap snapshot. A capture leaves RSS high, so RSS and native memory of this
    /// sample stay out of the trend; heap figures are used as ever.
    pub perturbed: bool,
    /// A full collection ran since the previous sample (a heap snapshot runs one before it starts).
    /// Tells the floor the same as a step of `gc_major_count` does, where that counter is unknown.
    pub full_gc: bool,
}

/// The samples of one process (or of one name over its restarts).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// The value of the `series` column, or what the caller calls it.
    pub name: Option<String>,
    /// In order of time; [`crate::judge`] sorts them (and says so) if they are not.
    pub samples: Vec<Sample>,
}
