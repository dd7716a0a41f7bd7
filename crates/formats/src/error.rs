//! What can be wrong with a file, said with the file, the place and a hint.

use std::path::{Path, PathBuf};

/// Why a file could not be read. [`kind`](Self::kind) tells the cases apart, [`hint`](Self::hint) says what
/// to do next.
#[derive(Debug)]
pub struct Error {
    path: PathBuf,
    kind: ErrorKind,
    offset: Option<u64>,
    source: Option<std::io::Error>,
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
        /// What the file holds.
        found: u64,
    },
    /// An index that points outside its table.
    OutOfRange(String),
    /// More than the file could hold, or than this program can index.
    TooLarge(String),
    /// The reader was told to stop.
    Interrupted,
}

impl Error {
    pub(crate) fn new(path: &Path, kind: ErrorKind, offset: Option<u64>) -> Self {
        Self { path: path.to_path_buf(), kind, offset, source: None }
    }

    pub(crate) fn io(path: &Path, source: std::io::Error, offset: Option<u64>) -> Self {
        Self { path: path.to_path_buf(), kind: ErrorKind::Io, offset, source: Some(source) }
    }

    /// Which case this is.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where in the file, in bytes from its start, where a place can be named.
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
            ErrorKind::Truncated { .. } => "truncated",
            ErrorKind::Malformed { .. } => "malformed",
            ErrorKind::CountMismatch { .. } => "count-mismatch",
            ErrorKind::OutOfRange(_) => "index-out-of-range",
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
                "the process was probably killed while writing it: take the snapshot again while the heap is smaller"
            }
            ErrorKind::NotJson(what) if what.starts_with("compressed") => {
                "gunzip or unzstd it first"
            }
            ErrorKind::NotJson(_) | ErrorKind::NotASnapshot(_) => {
                "expected a V8 heap snapshot (.heapsnapshot) from Node.js, Chromium, Electron or Deno"
            }
            ErrorKind::NotAProfile(_) => {
                "expected a sampling heap profile (.heapprofile), as `node --heap-prof` or DevTools writes it"
            }
            ErrorKind::Truncated { .. } => {
                "the capture or the copy was cut short: compare the file's size with its source, or take it again"
            }
            ErrorKind::Malformed { .. }
            | ErrorKind::CountMismatch { .. }
            | ErrorKind::OutOfRange(_) => {
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
        match &self.kind {
            ErrorKind::Io => match self.source.as_ref().map(std::io::Error::kind) {
                Some(std::io::ErrorKind::NotFound) => f.write_str("no such file")?,
                Some(std::io::ErrorKind::PermissionDenied) => f.write_str("permission denied")?,
                Some(std::io::ErrorKind::IsADirectory) => f.write_str("is a folder, not a file")?,
                _ => f.write_str("cannot be read")?,
            },
            ErrorKind::Empty => f.write_str("0 bytes: nothing was written to it")?,
            ErrorKind::NotJson(what) => write!(f, "not JSON: {what}")?,
            ErrorKind::NotASnapshot(what) => write!(f, "not a heap snapshot: {what}")?,
            ErrorKind::NotAProfile(what) => write!(f, "not a heap profile: {what}")?,
            ErrorKind::Truncated { section } => {
                write!(f, "ends inside `{section}`: it was cut short")?;
            }
            ErrorKind::Malformed { section, what } => write!(f, "damaged in `{section}`: {what}")?,
            ErrorKind::CountMismatch { section, promised, found } => {
                write!(f, "the header promises {promised} {section}, the file holds {found}")?;
            }
            ErrorKind::OutOfRange(what) | ErrorKind::TooLarge(what) => f.write_str(what)?,
            ErrorKind::Interrupted => f.write_str("reading was interrupted")?,
        }
        match self.offset {
            Some(offset) => write!(f, " (at byte {offset})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|e| e as &(dyn std::error::Error + 'static))
    }
}
