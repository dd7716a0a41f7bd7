//! What can be wrong with a file, said with the file, the place and a hint.

use std::path::{Path, PathBuf};

use crate::input::{Broken, Compression};

/// Why a file could not be read. [`kind`](Self::kind) tells the cases apart, [`hint`](Self::hint) says what
/// to do next.
#[derive(Debug)]
pub struct Error {
    path: PathBuf,
    kind: ErrorKind,
    offset: Option<u64>,
    source: Option<std::io::Error>,
    /// The format the file is compressed with, where the offset counts the decompressed text.
    within: Option<&'static str>,
    /// The number that is wrong, where its place is not known: where its array begins, and its index there.
    number: Option<Box<(u64, u64)>>,
}

/// The cases of [`Error`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The file cannot be opened or read.
    Io,
    /// Nothing in it.
    Empty,
    /// Not JSON at all.
    NotJson(String),
    /// JSON, but no heap snapshot.
    NotASnapshot(String),
    /// JSON, but no heap profile.
    NotAProfile(String),
    /// Ends in the middle.
    Truncated {
        /// The section it ends in.
        section: &'static str,
    },
    /// Something that does not belong where it stands.
    Malformed {
        /// The section it stands in.
        section: &'static str,
        /// What is wrong.
        what: String,
    },
    /// Header and content disagree.
    CountMismatch {
        /// The section that is counted.
        section: &'static str,
        /// What the header promises.
        promised: u64,
        /// What the file holds; `None` where reading stopped at the first too many.
        found: Option<u64>,
    },
    /// An index that points outside its table.
    OutOfRange {
        /// The section it stands in.
        section: &'static str,
        /// Where it points.
        what: String,
    },
    /// Compressed data that ends in the middle.
    CompressedTruncated {
        /// `gzip` or `zstd`.
        format: &'static str,
    },
    /// Compressed data that does not decode.
    CompressedMalformed {
        /// `gzip` or `zstd`.
        format: &'static str,
        /// What the decoder says.
        what: String,
    },
    /// More than the file could hold, or than this program can index.
    TooLarge(String),
    /// The reader was told to stop.
    Interrupted,
}

impl Error {
    pub(crate) fn new(path: &Path, kind: ErrorKind, offset: Option<u64>) -> Self {
        Self { path: path.to_path_buf(), kind, offset, source: None, within: None, number: None }
    }

    /// Reading failed: the disk, or the compressed data.
    pub(crate) fn io(path: &Path, source: std::io::Error, offset: Option<u64>) -> Self {
        if let Some(broken) = source.get_ref().and_then(|s| s.downcast_ref::<Broken>()) {
            let format = broken.compression.name();
            let kind = match &broken.what {
                None => ErrorKind::CompressedTruncated { format },
                Some(what) => ErrorKind::CompressedMalformed { format, what: what.clone() },
            };
            return Self::new(path, kind, Some(broken.at));
        }
        Self { source: Some(source), ..Self::new(path, ErrorKind::Io, offset) }
    }

    /// The text this is about was decompressed, so its offset is not the file's.
    pub(crate) fn within(self, compression: Option<Compression>) -> Self {
        let of_the_file = matches!(
            self.kind,
            ErrorKind::CompressedTruncated { .. } | ErrorKind::CompressedMalformed { .. }
        );
        let within = compression.filter(|_| !of_the_file).map(Compression::name);
        Self { within, ..self }
    }

    /// Says which number it is, by where its array begins and its index there.
    pub(crate) fn with_number(self, number: Option<(u64, u64)>) -> Self {
        Self { number: number.map(Box::new), ..self }
    }

    pub(crate) fn number(&self) -> Option<(u64, u64)> {
        self.number.as_deref().copied()
    }

    /// The same with a place.
    pub(crate) fn at(self, offset: u64) -> Self {
        Self { offset: Some(offset), ..self }
    }

    /// Which case this is.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where in the file, in bytes from its start, where a place can be named. In a compressed file it is the
    /// place in the text that it holds, unless the compressed data is itself what is wrong.
    pub fn offset(&self) -> Option<u64> {
        self.offset
    }

    /// A short name for machines, stable.
    pub fn code(&self) -> &'static str {
        match &self.kind {
            ErrorKind::Io => match self.source.as_ref().map(std::io::Error::kind) {
                Some(std::io::ErrorKind::NotFound) => "file-not-found",
                Some(std::io::ErrorKind::PermissionDenied) => "permission-denied",
                _ => "io",
            },
            ErrorKind::Empty => "empty-file",
            ErrorKind::NotJson(_) => "not-json",
            ErrorKind::NotASnapshot(_) => "not-a-snapshot",
            ErrorKind::NotAProfile(_) => "not-a-profile",
            ErrorKind::Truncated { .. } | ErrorKind::CompressedTruncated { .. } => "truncated",
            ErrorKind::Malformed { .. } | ErrorKind::CompressedMalformed { .. } => "malformed",
            ErrorKind::CountMismatch { .. } => "count-mismatch",
            ErrorKind::OutOfRange { .. } => "index-out-of-range",
            ErrorKind::TooLarge(_) => "too-large",
            ErrorKind::Interrupted => "interrupted",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match &self.kind {
            ErrorKind::Io => match self.source.as_ref().map(std::io::Error::kind) {
                Some(std::io::ErrorKind::NotFound) => {
                    "check the path; a relative one starts at the current folder"
                }
                Some(std::io::ErrorKind::PermissionDenied) => {
                    "snapshots hold secrets and are mode 0600: read them as their owner"
                }
                Some(std::io::ErrorKind::IsADirectory) => "name a file in it",
                _ => "check the disk and the path, then try again",
            },
            ErrorKind::Empty => {
                "take the snapshot again while the heap is smaller, or with more memory to spare"
            }
            ErrorKind::NotJson(_) | ErrorKind::NotASnapshot(_) => {
                "expected a V8 heap snapshot (.heapsnapshot) from Node.js, Chromium, Electron or Deno"
            }
            ErrorKind::NotAProfile(_) => {
                "expected a sampling heap profile (.heapprofile), as `node --heap-prof` or DevTools writes it"
            }
            ErrorKind::Truncated { .. } => {
                "compare the file's size with its source: where they differ copy it again, else take the snapshot again"
            }
            ErrorKind::CompressedTruncated { .. } => {
                "compare the file's size with its source and copy it again, or compress it again"
            }
            ErrorKind::CompressedMalformed { what, .. } if what.contains("too much memory") => {
                "it was compressed with a window above 128 MiB: decompress it with `zstd -d --long=31` first"
            }
            ErrorKind::CompressedMalformed { .. } => {
                "the compressed file is damaged: copy it again from its source, or compress it again"
            }
            ErrorKind::Malformed { .. }
            | ErrorKind::CountMismatch { .. }
            | ErrorKind::OutOfRange { .. } => {
                "the file is damaged or was changed after the capture: take the snapshot again"
            }
            ErrorKind::TooLarge(_) => "the file is damaged: take the snapshot again",
            ErrorKind::Interrupted => "run the command again",
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        // Where a compressed file is read, an offset counts what came out of it.
        let out_of = self.within.map(|format| format!(" of the text that {format} holds"));
        let place = match self.offset {
            Some(offset) => format!("at byte {offset}{}", out_of.unwrap_or_default()),
            None => String::new(),
        };
        match &self.kind {
            ErrorKind::Io => match self.source.as_ref().map(std::io::Error::kind) {
                Some(std::io::ErrorKind::NotFound) => f.write_str("no such file")?,
                Some(std::io::ErrorKind::PermissionDenied) => f.write_str("permission denied")?,
                Some(std::io::ErrorKind::IsADirectory) => f.write_str("is a folder, not a file")?,
                _ => f.write_str("cannot be read")?,
            },
            ErrorKind::Empty => {
                let inside = self.within.map(|format| format!(" inside {format}"));
                let inside = inside.unwrap_or_default();
                write!(f, "0 bytes{inside}: the process was probably killed while writing it")?;
            }
            ErrorKind::NotJson(what) => write!(f, "not JSON: {what}")?,
            ErrorKind::NotASnapshot(what) => write!(f, "not a heap snapshot: {what}")?,
            ErrorKind::NotAProfile(what) => write!(f, "not a heap profile: {what}")?,
            ErrorKind::Truncated { section } => {
                return write!(f, "ends {} {place}: the capture was cut short", inside(section));
            }
            ErrorKind::Malformed { section, what } | ErrorKind::OutOfRange { section, what } => {
                write!(f, "damaged {}: {what}", inside(section))?;
            }
            ErrorKind::CompressedTruncated { format } => {
                return write!(f, "its {format} data ends {place}: the file was cut short");
            }
            ErrorKind::CompressedMalformed { format, what } => {
                return write!(f, "its {format} data is damaged {place}: {what}");
            }
            ErrorKind::CountMismatch { section, promised, found } => {
                let found = found.map_or_else(|| "more".into(), |found| found.to_string());
                write!(f, "the header promises {promised} {section}, the file holds {found}")?;
            }
            ErrorKind::TooLarge(what) => f.write_str(what)?,
            ErrorKind::Interrupted => f.write_str("reading was interrupted")?,
        }
        if place.is_empty() { Ok(()) } else { write!(f, " ({place})") }
    }
}

/// What stands for a section before the first one.
pub(crate) const START: &str = "start";

/// What stands for a section where one has ended and the next has not begun.
pub(crate) const BETWEEN: &str = "between";

/// What stands for a section behind the last one.
pub(crate) const END: &str = "end";

fn inside(section: &str) -> String {
    match section {
        START => "before the first section".into(),
        END => "behind the last section".into(),
        BETWEEN => "between two sections".into(),
        section => format!("inside `{section}`"),
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|e| e as &(dyn std::error::Error + 'static))
    }
}
