//! What can stop an investigation, with its class for the exit code.

use std::path::{Path, PathBuf};

/// Classes of errors, one per exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// Asked for in a way that cannot be done.
    Usage,
    /// A file that cannot be used.
    BadInput,
    /// A target that cannot be reached.
    Unreachable,
    /// Refused for the target's safety.
    Refused,
    /// The user ended it.
    Interrupted,
    /// A defect, or a full disk on our side.
    Internal,
}

/// Why an investigation stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A snapshot file.
    #[error(transparent)]
    Snapshot(#[from] leakline_formats::Error),
    /// The process.
    #[error(transparent)]
    Target(#[from] leakline_target::Error),
    /// The investigation's folder.
    #[error("{}: {what}", path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// What could not be done.
        what: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The folder holds an investigation already.
    #[error("{}: holds an investigation already", path.display())]
    FolderTaken {
        /// The folder.
        path: PathBuf,
    },
    /// Ctrl-C.
    #[error("interrupted; what was learnt is in {}", folder.display())]
    Interrupted {
        /// Where.
        folder: PathBuf,
    },
}

impl Error {
    pub(crate) fn folder(path: &Path, what: &'static str, source: std::io::Error) -> Self {
        Self::Folder { path: path.to_path_buf(), what, source }
    }

    /// The class.
    pub fn class(&self) -> ErrorClass {
        use leakline_target::ErrorClass as Target;
        match self {
            Self::Snapshot(_) => ErrorClass::BadInput,
            Self::Target(e) => match e.class() {
                Target::BadInput => ErrorClass::BadInput,
                Target::CannotAttach => ErrorClass::Unreachable,
                Target::Refused => ErrorClass::Refused,
                Target::Internal => ErrorClass::Internal,
            },
            Self::Folder { .. } => ErrorClass::Internal,
            Self::FolderTaken { .. } => ErrorClass::Usage,
            Self::Interrupted { .. } => ErrorClass::Interrupted,
        }
    }

    /// A short name for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Snapshot(e) => e.code(),
            Self::Target(e) => e.code(),
            Self::Folder { .. } => "folder",
            Self::FolderTaken { .. } => "folder-taken",
            Self::Interrupted { .. } => "interrupted",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Snapshot(e) => Some(e.hint().to_string()),
            Self::Target(e) => e.hint(),
            Self::Folder { .. } | Self::FolderTaken { .. } => {
                Some("choose another folder with -o DIR".into())
            }
            Self::Interrupted { .. } => None,
        }
    }

    /// The cause beneath, for the `cause:` lines.
    pub fn into_source(self) -> Option<Box<dyn std::error::Error + Send + Sync>> {
        match self {
            Self::Folder { source, .. } => Some(Box::new(source)),
            // Their texts name the cause already; theirs is one step further down.
            Self::Snapshot(_)
            | Self::Target(_)
            | Self::FolderTaken { .. }
            | Self::Interrupted { .. } => None,
        }
    }
}
