//! The reader of `.heapsnapshot` files on any bytes, plain or compressed: a graph or an error, never a panic; and
//! the same answer whichever way the bytes come.

#![no_main]

use std::io::Write;
use std::path::Path;

use flate2::write::GzEncoder;
use leakline_formats::{Error, ReadOptions, read_snapshot_from};
use leakline_heap::HeapGraph;
use libfuzzer_sys::fuzz_target;

fn read(bytes: &[u8], length: usize) -> Result<HeapGraph, Error> {
    let path = Path::new("fuzz.heapsnapshot");
    read_snapshot_from(bytes, length as u64, path, ReadOptions::default())
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

/// The answer as far as it may not depend on the way.
fn said(result: &Result<HeapGraph, Error>) -> Result<(usize, usize), (&'static str, Option<u64>)> {
    match result {
        Ok(graph) => Ok((graph.node_count(), graph.edge_count())),
        Err(e) => Err((e.code(), e.offset())),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let known = read(bytes, bytes.len());
    match &known {
        Ok(graph) => assert!(graph.node_count() > 0),
        Err(e) => assert!(!e.to_string().is_empty() && !e.hint().is_empty()),
    }
    // Through a pipe the length is not known.
    assert_eq!(said(&known), said(&read(bytes, 0)));
    // Compressing costs more than reading: now and then will do. What is compressed itself is another file.
    let compressed = matches!(bytes, [0x1f, 0x8b, ..] | [0x28, 0xb5, ..] | [0x50..=0x5f, 0x2a, ..]);
    if bytes.len() % 8 == 3 && !compressed {
        let both = [gzip(bytes), zstd::bulk::compress(bytes, 1).ok()];
        for bytes in both.into_iter().flatten() {
            assert_eq!(said(&known), said(&read(&bytes, bytes.len())));
        }
    }
});
