//! The reader of `.heapsnapshot` files on any bytes: a graph or an error, never a panic.

#![no_main]

use std::path::Path;

use leakline_formats::{ReadOptions, read_snapshot_from};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("fuzz.heapsnapshot");
    let known = read_snapshot_from(bytes, bytes.len() as u64, path, ReadOptions::default());
    // Through a pipe the length is not known; that must not change the answer.
    let piped = read_snapshot_from(bytes, 0, path, ReadOptions::default());
    assert_eq!(known.is_ok(), piped.is_ok());
    match known {
        Ok(graph) => assert!(graph.node_count() > 0),
        Err(e) => assert!(!e.to_string().is_empty() && !e.hint().is_empty()),
    }
});
