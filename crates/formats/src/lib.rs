//! Bytes to [`leakline_heap::HeapGraph`].
//!
//! [`read_snapshot`] reads a `.heapsnapshot` file as V8 writes it, of any version: every field is resolved
//! by its name in `meta`, never by position. The file is read through a bounded window, front to back,
//! without a JSON tree. [`read_profile`] reads a `.heapprofile` in the same manner. A file that is compressed
//! with gzip or zstd is decoded on the way.
//!
//! **Architecture invariant:** no input makes this crate panic, recurse or allocate more than what the
//! file holds. Whatever is wrong becomes an [`Error`] with the section and byte offset.

mod error;
mod heapprofile;
pub mod index;
mod input;
mod json;
mod meta;
mod v8;
mod window;

pub use error::{Error, ErrorKind};
pub use heapprofile::{read_profile, read_profile_from};
pub use v8::{ReadOptions, read_snapshot, read_snapshot_from};
