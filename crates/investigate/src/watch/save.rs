//! The series of a watch on disk: JSON lines in the columns that `trend` reads, mode 0600.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use leakline_trend::Sample;
use serde_json::json;

use super::source::Reading;
use crate::clock;
use crate::error::Error;

pub(super) struct Save {
    path: PathBuf,
    file: File,
}

impl Save {
    /// Makes the file: `path`, or one named for the target and the time in the current folder. Nothing is
    /// overwritten.
    pub(super) fn create(path: Option<&Path>, name: &str) -> Result<Self, Error> {
        let path = path.map_or_else(
            || PathBuf::from(format!("leakline-watch-{name}-{}.jsonl", clock::folder_stamp())),
            Path::to_path_buf,
        );
        let path = std::path::absolute(&path).unwrap_or(path);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|e| Error::folder(&path, "cannot make the file for the series", e))?;
        Ok(Self { path, file })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A run that never began leaves nothing.
    pub(super) fn abandon(self) {
        let _ = std::fs::remove_file(&self.path);
    }

    pub(super) fn sample(&mut self, sample: &Sample, reading: &Reading) -> Result<(), Error> {
        let mut line = json!({
            "time": clock::at(reading.unix_seconds),
            "elapsed_s": sample.elapsed_seconds,
        });
        let fields = [
            ("rss", sample.rss),
            ("heapUsed", sample.heap_used),
            ("heapTotal", sample.heap_total),
            ("external", sample.external),
            ("arrayBuffers", sample.array_buffers),
            ("limit", sample.limit),
            ("requests", sample.requests),
            ("connections", sample.connections),
            ("gc_major_count", sample.gc_major_count),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                line[name] = json!(value);
            }
        }
        if let Some(start) = sample.start_time {
            line["start_time"] = json!((start * 1000.0).round() / 1000.0);
        }
        if let Some(late) = reading.loop_late_seconds {
            line["event_loop_delay_s"] = json!(late);
        }
        if !reading.listeners.is_empty() {
            line["listeners"] = reading
                .listeners
                .iter()
                .map(|l| (format!("{}:{}", l.emitter, l.event), json!(l.count)))
                .collect::<serde_json::Map<_, _>>()
                .into();
        }
        writeln!(self.file, "{line}")
            .map_err(|e| Error::folder(&self.path, "cannot write the series", e))
    }
}
