//! A heap snapshot on its way to the disk.
//!
//! V8 sends faster than some disks write, and whatever we do not take at once piles up in the
//! *target's* memory (the protocol has no back-pressure). So a thread of its own writes, a short
//! queue lies between, and when the disk fails the rest is still taken off the target and dropped.
//! The file carries the ending `.partial` and mode 0600 until the reply has come, everything is on
//! the disk and the text is one whole JSON object; otherwise it is removed, also when the capture
//! is cancelled.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use memchr::{memchr2, memchr3};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use crate::error::Error;

/// Chunks (of about 100 KiB) between the receiver and the writer: about 6 MB.
const QUEUE_CHUNKS: usize = 64;
/// The counts stand in the first two kilobytes.
const HEAD_BYTES: usize = 16 << 10;

/// A finished snapshot and what it cost. Sizes in bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Capture {
    /// The file.
    pub path: PathBuf,
    /// When it was begun, seconds since 1970.
    pub taken_unix_seconds: f64,
    /// Size of the file.
    pub bytes: u64,
    /// From request to reply: the target's event loop stood still for at most this long.
    pub pause_seconds: f64,
    /// Resident set size of the target before.
    pub rss_before_bytes: u64,
    /// Highest seen meanwhile.
    pub rss_peak_bytes: u64,
    /// Resident set size afterwards.
    pub rss_after_bytes: u64,
    /// V8 heap in use afterwards (the capture collects garbage first).
    pub heap_used_after_bytes: u64,
    /// Objects, as the file's header says.
    pub node_count: Option<u64>,
    /// References, as the file's header says.
    pub edge_count: Option<u64>,
}

/// What the writer says at the end.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) bytes: u64,
    pub(crate) node_count: Option<u64>,
    pub(crate) edge_count: Option<u64>,
}

/// How writing failed.
#[derive(Debug)]
pub(crate) enum WriteFailure {
    Io { source: io::Error, written: u64 },
    NotWhole { bytes: u64, reason: &'static str },
}

impl WriteFailure {
    pub(crate) fn explain(self, pid: u32, path: &Path) -> Error {
        match self {
            WriteFailure::Io { source, written } if is_full(&source) => {
                Error::DiskFull { path: path.to_owned(), written }
            }
            WriteFailure::Io { source, .. } => Error::Output { path: path.to_owned(), source },
            WriteFailure::NotWhole { bytes, reason } => {
                Error::SnapshotIncomplete { pid, bytes, reason }
            }
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

enum Job {
    Chunk(Vec<u8>),
    Finish,
}

/// The receiving end's view of the writing thread.
pub(crate) struct Writer {
    queue: mpsc::Sender<Job>,
    outcome: oneshot::Receiver<Result<Written, WriteFailure>>,
}

impl Writer {
    /// Creates the partial file and starts the thread.
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        if path.symlink_metadata().is_ok() {
            return Err(Error::OutputExists { path: path.to_owned() });
        }
        let partial = Partial::create(path)
            .map_err(|source| Error::Output { path: path.to_owned(), source })?;
        let file = partial
            .file
            .try_clone()
            .map_err(|source| Error::Output { path: path.to_owned(), source })?;
        Self::start(Box::new(file), Some(partial))
            .map_err(|source| Error::Output { path: path.to_owned(), source })
    }

    fn start(sink: Box<dyn Write + Send>, partial: Option<Partial>) -> io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE_CHUNKS);
        let (done, outcome) = oneshot::channel();
        std::thread::Builder::new().name("leakline-capture".to_owned()).spawn(move || {
            // Nobody listens any more when the capture was cancelled.
            let _ = done.send(write_all(jobs, sink, partial));
        })?;
        Ok(Self { queue, outcome })
    }

    /// Hands over a chunk; `false` once writing has failed.
    pub(crate) async fn chunk(&self, bytes: Vec<u8>) -> bool {
        self.queue.send(Job::Chunk(bytes)).await.is_ok()
    }

    /// The reply has come: make the file whole, or say why not.
    pub(crate) async fn finish(self) -> Result<Written, WriteFailure> {
        let _ = self.queue.send(Job::Finish).await;
        drop(self.queue);
        self.outcome.await.unwrap_or_else(|_| {
            Err(WriteFailure::Io {
                source: io::Error::other("the writing thread died"),
                written: 0,
            })
        })
    }
}

fn write_all(
    mut jobs: mpsc::Receiver<Job>,
    mut sink: Box<dyn Write + Send>,
    partial: Option<Partial>,
) -> Result<Written, WriteFailure> {
    let mut text = JsonText::default();
    let mut head = Vec::new();
    let failed = |source, written| WriteFailure::Io { source, written };
    while let Some(job) = jobs.blocking_recv() {
        match job {
            Job::Chunk(bytes) => {
                let room = HEAD_BYTES.saturating_sub(head.len()).min(bytes.len());
                head.extend_from_slice(&bytes[..room]);
                let before = text.bytes;
                text.feed(&bytes);
                sink.write_all(&bytes).map_err(|e| failed(e, before))?;
            }
            Job::Finish => {
                let bytes = text.bytes;
                text.whole().map_err(|reason| WriteFailure::NotWhole { bytes, reason })?;
                sink.flush().map_err(|e| failed(e, bytes))?;
                if let Some(partial) = partial {
                    partial.keep().map_err(|e| failed(e, bytes))?;
                }
                return Ok(Written {
                    bytes,
                    node_count: header_number(&head, b"\"node_count\":"),
                    edge_count: header_number(&head, b"\"edge_count\":"),
                });
            }
        }
    }
    Err(failed(io::Error::from(io::ErrorKind::Interrupted), text.bytes))
}

fn header_number(head: &[u8], key: &[u8]) -> Option<u64> {
    let start = memchr::memmem::find(head, key)? + key.len();
    let digits = head.get(start..)?.iter().take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(head.get(start..start + digits)?).ok()?.parse().ok()
}

/// The unfinished file; removed on drop.
struct Partial {
    file: File,
    path: PathBuf,
    target: PathBuf,
    kept: bool,
}

impl Partial {
    fn create(target: &Path) -> io::Result<Self> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let path = target.with_file_name(name);
        match fs::remove_file(&path) {
            // Left by an earlier run that was killed.
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { file, path, target: target.to_owned(), kept: false })
    }

    fn keep(mut self) -> io::Result<()> {
        // Some file systems report a full disk only now.
        self.file.sync_all()?;
        fs::rename(&self.path, &self.target)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Follows a JSON text just far enough to know that it is one whole object: strings and braces.
#[derive(Debug, Default)]
struct JsonText {
    bytes: u64,
    depth: u64,
    place: Place,
    bad: bool,
}

/// Where in the text we are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Between,
    InString,
    AfterBackslash,
    AfterEnd,
}

impl JsonText {
    fn feed(&mut self, chunk: &[u8]) {
        let first = self.bytes == 0;
        self.bytes += chunk.len() as u64;
        if first && chunk.first().is_some_and(|b| *b != b'{') {
            self.bad = true;
        }
        let mut rest = chunk;
        while let Some(next) = rest.first() {
            let found = match self.place {
                Place::AfterEnd => {
                    self.bad |= !next.is_ascii_whitespace();
                    Some(0)
                }
                Place::AfterBackslash => {
                    self.place = Place::InString;
                    Some(0)
                }
                Place::InString => memchr2(b'"', b'\\', rest).inspect(|at| {
                    self.place =
                        if rest[*at] == b'"' { Place::Between } else { Place::AfterBackslash };
                }),
                Place::Between => {
                    memchr3(b'"', b'{', b'}', rest).inspect(|at| self.between(rest[*at]))
                }
            };
            let Some(at) = found else { return };
            rest = &rest[at + 1..];
        }
    }

    /// A quote or a brace outside strings.
    fn between(&mut self, byte: u8) {
        match byte {
            b'"' => self.place = Place::InString,
            b'{' => self.depth += 1,
            _ => {
                self.bad |= self.depth == 0;
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.place = Place::AfterEnd;
                }
            }
        }
    }

    fn whole(&self) -> Result<(), &'static str> {
        match self {
            Self { bytes: 0, .. } => Err("nothing was sent"),
            Self { bad: true, .. } => Err("it is not one JSON object"),
            Self { place: Place::AfterEnd, .. } => Ok(()),
            _ => Err("it ends in the middle"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const TEXT: &str = r#"{"snapshot":{"meta":{"a":["}","\"","\\"]},"node_count":12,"edge_count":345},"nodes":[1,2],"strings":["{","x\\\""]}"#;

    fn whole(parts: &[&[u8]]) -> Result<(), &'static str> {
        let mut text = JsonText::default();
        for part in parts {
            text.feed(part);
        }
        text.whole()
    }

    #[test]
    fn only_a_whole_object_is_whole_however_it_is_cut() {
        let bytes = TEXT.as_bytes();
        for cut in 0..bytes.len() {
            assert_eq!(whole(&[&bytes[..cut], &bytes[cut..]]), Ok(()), "cut at {cut}");
            assert!(whole(&[&bytes[..cut]]).is_err(), "truncated at {cut}");
        }
        assert!(whole(&[bytes, b"\n "]).is_ok());
        assert!(whole(&[bytes, b"{"]).is_err());
        assert!(whole(&[b"[1]"]).is_err());
        assert!(whole(&[b"}"]).is_err());
    }

    async fn feed(writer: Writer) -> Result<Written, WriteFailure> {
        for part in TEXT.as_bytes().chunks(7) {
            if !writer.chunk(part.to_vec()).await {
                break;
            }
        }
        writer.finish().await
    }

    #[tokio::test]
    async fn a_finished_file_is_private_and_renamed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.heapsnapshot");
        let written = feed(Writer::create(&path).unwrap()).await.unwrap();
        assert_eq!((written.node_count, written.edge_count), (Some(12), Some(345)));
        assert_eq!(fs::read_to_string(&path).unwrap(), TEXT);
        assert_eq!(written.bytes, TEXT.len() as u64);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(matches!(Writer::create(&path), Err(Error::OutputExists { .. })));
    }

    #[tokio::test]
    async fn an_unfinished_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.heapsnapshot");
        let writer = Writer::create(&path).unwrap();
        assert!(folder.path().join("a.heapsnapshot.partial").exists());
        assert!(writer.chunk(b"{\"a\":".to_vec()).await);
        let failure = writer.finish().await.unwrap_err();
        assert!(matches!(failure, WriteFailure::NotWhole { bytes: 5, .. }));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

        let cancelled = Writer::create(&path).unwrap();
        assert!(cancelled.chunk(b"{".to_vec()).await);
        let Writer { queue, outcome } = cancelled;
        drop(queue);
        assert!(outcome.await.unwrap().is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 < bytes.len() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0 -= bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_full_disk_is_named() {
        let failure = feed(Writer::start(Box::new(Full(20)), None).unwrap()).await.unwrap_err();
        let error = failure.explain(1, Path::new("x"));
        assert!(matches!(error, Error::DiskFull { written: 14, .. }), "{error:?}");
    }

    #[test]
    fn a_folder_that_does_not_exist_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing/a");
        assert!(matches!(Writer::create(&path), Err(Error::Output { .. })));
    }
}
