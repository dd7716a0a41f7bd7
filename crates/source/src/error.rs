//! What can go wrong before there is any answer at all.

use std::path::PathBuf;

/// Why no source could be looked at. Lesser troubles become notes in [`crate::Found`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The script has no file: an internal module, `eval`, a WebAssembly module.
    #[error("`{name}` is not a file on disk")]
    NotAFile {
        /// The script's name as the snapshot holds it.
        name: String,
    },
    /// The file is neither at its path nor below a source folder.
    #[error("cannot find the source file {}", path.display())]
    Missing {
        /// The path as the snapshot holds it, decoded.
        path: PathBuf,
    },
    /// There is something at the path that is no file: a folder, a device.
    #[error("{} is no regular file", path.display())]
    NotRegular {
        /// The path.
        path: PathBuf,
    },
    /// The file exists and cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is larger than any script this crate will parse.
    #[error("{} has {bytes} bytes, more than the {limit} that are parsed", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
}

impl Error {
    /// What the user can do next, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::NotAFile { .. } => None,
            Error::Missing { .. } | Error::NotRegular { .. } => {
                Some("name the folder that holds the deployed files with --source DIR")
            }
            Error::Read { .. } => Some("run as a user who may read the deployed files"),
            Error::TooLarge { .. } => Some("point --source at the files before bundling"),
        }
    }
}
