//! Which snapshot an index belongs to.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use super::checksum;

/// What tells a snapshot from another one, and from itself after a change.
///
/// Size, time and inode tell nearly all changes; a file that was replaced by one of the same size with its
/// times kept (`cp -p`, `rsync`) differs in its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Identity {
    size: u64,
    modified_seconds: i64,
    modified_nanoseconds: i64,
    inode: u64,
    /// Of samples of the content.
    samples: u64,
}

/// How many samples are taken, from the first byte to the last.
const SAMPLES: u64 = 24;

/// Bytes of a sample.
const SAMPLE: u64 = 4096;

impl Identity {
    /// Looks at the file of that name. What is no regular file is not opened: a pipe that is opened and
    /// closed again has lost its writer.
    ///
    /// # Errors
    /// When it cannot be read, or is no regular file.
    pub fn at(path: &Path) -> io::Result<Self> {
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        Self::of(&File::open(path)?)
    }

    /// Looks at a file: its metadata and some of its pages.
    ///
    /// # Errors
    /// When it cannot be read, or is no regular file.
    pub fn of(file: &File) -> io::Result<Self> {
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let size = meta.len();
        let mut seen = Vec::with_capacity((SAMPLES * SAMPLE) as usize);
        let last = size.saturating_sub(SAMPLE);
        for i in 0..SAMPLES {
            let at = (u128::from(last) * u128::from(i) / u128::from(SAMPLES - 1)) as u64;
            let begin = seen.len();
            seen.resize(begin + SAMPLE.min(size) as usize, 0);
            file.read_exact_at(&mut seen[begin..], at)?;
        }
        Ok(Self {
            size,
            modified_seconds: meta.mtime(),
            modified_nanoseconds: meta.mtime_nsec(),
            inode: meta.ino(),
            samples: checksum(&seen),
        })
    }

    /// The snapshot's size in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.size
    }
}
