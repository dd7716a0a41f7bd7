//! The Investigation on disk: a folder of mode 0700, files of mode 0600.
//!
//! Snapshots hold whatever the service held: passwords, tokens, customers. So nobody else may read them, and
//! what is written replaces a file only when it is whole.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use leakline_report::{Investigation, SampleRecord, markdown};

use crate::clock;
use crate::error::Error;

/// The folder of one investigation.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Made with the first sample: an investigation of files has none.
    samples: Option<File>,
}

impl Folder {
    /// Makes the folder: `path`, or one named for the target and the time in the current folder.
    ///
    /// # Errors
    /// When it cannot be made, or holds an investigation already.
    pub fn create(path: Option<&Path>, name: &str) -> Result<Self, Error> {
        let path = match path {
            Some(path) => path.to_path_buf(),
            None => PathBuf::from(format!("leakline-{name}-{}", clock::folder_stamp())),
        };
        let path = std::path::absolute(&path).unwrap_or(path);
        let fail = |what| move |e| (what, e);
        Self::check_free(&path)?;
        let make = || -> Result<(), (&'static str, std::io::Error)> {
            let mut builder = DirBuilder::new();
            builder.recursive(true).mode(0o700);
            builder.create(&path).map_err(fail("cannot make the folder"))?;
            builder.create(path.join("snapshots")).map_err(fail("cannot make the folder"))?;
            // What cannot be written is found out now, before anything is done to a target.
            let probe = path.join(format!(".leakline-{}", std::process::id()));
            private(&probe).map_err(fail("cannot write into the folder"))?;
            std::fs::remove_file(probe).map_err(fail("cannot write into the folder"))
        };
        match make() {
            Ok(()) => Ok(Self { path, samples: None }),
            Err((what, e)) => Err(Error::folder(&path, what, e)),
        }
    }

    /// Whether `path` holds no investigation yet: asked before long work, answered without making anything.
    ///
    /// # Errors
    /// [`Error::FolderTaken`] when it does.
    pub fn check_free(path: &Path) -> Result<(), Error> {
        let ours = ["investigation.json", "samples.jsonl", "report.md", "snapshots"];
        if ours.iter().any(|name| path.join(name).exists()) {
            return Err(Error::FolderTaken { path: path.to_path_buf() });
        }
        Ok(())
    }

    /// Takes back what was made, as far as it is empty: a run that never began leaves nothing.
    pub(crate) fn abandon(self) {
        // Whatever is not empty is not ours to remove, and stays.
        let _ = std::fs::remove_dir(self.path.join("snapshots"));
        let _ = std::fs::remove_dir(&self.path);
    }

    /// Where it is, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the `n`th snapshot goes, from 1.
    pub fn snapshot_path(&self, n: usize) -> PathBuf {
        self.path.join("snapshots").join(format!("{n}.heapsnapshot"))
    }

    /// Appends a sample, so that a run that dies leaves what it saw.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn sample(&mut self, sample: &SampleRecord) -> Result<(), Error> {
        let mut line = sample_line(sample);
        line.push('\n');
        let fail = |e| Error::folder(&self.path, "cannot write samples.jsonl", e);
        if self.samples.is_none() {
            self.samples = Some(private(&self.path.join("samples.jsonl")).map_err(fail)?);
        }
        self.samples.as_mut().map_or(Ok(()), |file| file.write_all(line.as_bytes())).map_err(fail)
    }

    /// Writes `investigation.json` and `report.md`.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn finish(&self, investigation: &Investigation) -> Result<(), Error> {
        let fail = |what: &'static str| move |e| Error::folder(&self.path, what, e);
        let json = serde_json::to_vec_pretty(investigation)
            .map_err(|e| fail("cannot write investigation.json")(e.into()))?;
        self.replace("investigation.json", &json)
            .map_err(fail("cannot write investigation.json"))?;
        self.replace("report.md", markdown(investigation).as_bytes())
            .map_err(fail("cannot write report.md"))
    }

    fn replace(&self, name: &str, content: &[u8]) -> std::io::Result<()> {
        let partial = self.path.join(format!("{name}.partial"));
        let mut file = private(&partial)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(partial, self.path.join(name))
    }
}

fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// A sample in the columns that `leakline trend` reads, so that the file can be judged again.
fn sample_line(sample: &SampleRecord) -> String {
    serde_json::json!({
        "time": sample.time,
        "elapsed_s": sample.elapsed_seconds,
        "rss": sample.rss_bytes,
        "heapTotal": sample.heap_total_bytes,
        "heapUsed": sample.heap_used_bytes,
        "external": sample.external_bytes,
        "arrayBuffers": sample.array_buffers_bytes,
        "requests": sample.requests,
        "gc_major_count": sample.gc_major_count,
        "perturbed": sample.perturbed,
        "full_gc": sample.full_gc,
    })
    .to_string()
}
