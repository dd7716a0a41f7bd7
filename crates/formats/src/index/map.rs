//! The one place that maps a file into memory.

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// A file in memory, read-only.
#[derive(Debug)]
pub(super) struct Mapped(Mmap);

impl Mapped {
    /// Maps the whole file.
    ///
    /// What is risked: whoever cuts the file short while it is mapped ends this process with SIGBUS. So
    /// only index files are mapped, never snapshots: an index is written complete under another name and
    /// never changed, and its folder is the user's own. Content that changes while it is looked at is no
    /// worse than content that was wrong before: every block is checked, and no value is trusted.
    pub(super) fn whole(file: &File) -> io::Result<Self> {
        #[expect(unsafe_code, reason = "mapping a file has no safe name; see above")]
        // SAFETY: the map is only read, as bytes, of which all values are valid; see above for the rest.
        let map = unsafe { Mmap::map(file)? };
        Ok(Self(map))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
