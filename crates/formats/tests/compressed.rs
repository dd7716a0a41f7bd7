//! gzip and zstd files are read as they stand, and their damage is told apart from the snapshot's.

mod drawn;

use std::io::{Read, Write};
use std::path::Path;

use drawn::{Written, read, snapshot};
use flate2::write::GzEncoder;
use leakline_formats::{Error, ErrorKind, ReadOptions, read_snapshot_from};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).expect("to memory");
    encoder.finish().expect("to memory")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    // With a checksum, as the command-line tool writes it.
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.include_checksum(true).expect("an encoder");
    encoder.write_all(text).expect("to memory");
    encoder.finish().expect("to memory")
}

type Compress = fn(&[u8]) -> Vec<u8>;

const FORMATS: [(&str, Compress); 2] = [("gzip", gzip), ("zstd", zstd)];

/// Large enough for several pieces and threads.
fn text() -> String {
    snapshot(60_000, Written::AsV8)
}

#[test]
fn the_graph_is_that_of_the_plain_file() {
    let text = text();
    let plain = read(text.as_bytes()).expect("it is whole");
    for (format, compress) in FORMATS {
        // In one part, in several, and without a known length.
        let (a, b) = text.as_bytes().split_at(text.len() / 3);
        let parts = [compress(a), compress(b), compress(b"")].concat();
        let whole = compress(text.as_bytes());
        for (what, bytes) in [("whole", &whole), ("in parts", &parts)] {
            for length in [bytes.len() as u64, 0] {
                let path = Path::new("no-suffix");
                let graph = read_snapshot_from(&bytes[..], length, path, ReadOptions::default())
                    .unwrap_or_else(|e| panic!("{format} {what}: {e}"));
                assert_eq!(graph.node_count(), plain.node_count());
                assert_eq!(graph.packed_edges(), plain.packed_edges(), "{format} {what}");
                assert_eq!(graph.object_ids(), plain.object_ids(), "{format} {what}");
                assert_eq!(graph.locations(), plain.locations(), "{format} {what}");
            }
        }
    }
}

#[test]
fn a_frame_to_be_skipped_may_come_first() {
    let mut bytes = vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    bytes.extend(zstd(snapshot(10, Written::AsV8).as_bytes()));
    assert_eq!(read(&bytes).expect("it is whole").node_count(), 11);
}

#[test]
fn progress_counts_the_files_own_bytes() {
    let text = text();
    for (format, compress) in FORMATS {
        let bytes = compress(text.as_bytes());
        let mut told = Vec::new();
        let mut progress = |done| {
            told.push(done);
            true
        };
        let options = ReadOptions { progress: Some(&mut progress) };
        let length = bytes.len() as u64;
        read_snapshot_from(&bytes[..], length, Path::new("x"), options).expect("it is whole");
        assert!(told.is_sorted(), "{format}: {told:?}");
        assert!(told.len() > 4 && told[0] < length, "{format}: {told:?}");
        assert_eq!(told.last(), Some(&length), "{format}");
    }
}

#[test]
fn cut_anywhere_it_is_said_to_be_cut_at_the_files_own_byte() {
    let small = snapshot(10, Written::AsV8);
    for (format, compress) in FORMATS {
        let bytes = compress(small.as_bytes());
        for cut in 4..bytes.len() {
            let e = read(&bytes[..cut]).expect_err("it was cut");
            assert_eq!(e.code(), "truncated", "{format} cut at {cut}: {e}");
            assert_eq!(e.offset(), Some(cut as u64), "{format} cut at {cut}: {e}");
            let words = format!("its {format} data ends at byte {cut}: the file was cut short");
            assert!(e.to_string().contains(&words), "{e}");
        }
        // And a large one, in the middle of an array that several threads read.
        let bytes = compress(text().as_bytes());
        let cut = bytes.len() / 2;
        let e = read(&bytes[..cut]).expect_err("it was cut");
        assert_eq!((e.code(), e.offset()), ("truncated", Some(cut as u64)), "{format}: {e}");
    }
}

#[test]
fn damage_is_the_compressed_datas() {
    for (format, compress) in FORMATS {
        let bytes = compress(text().as_bytes());
        let at = bytes.len() / 2;
        let mut bad = bytes.clone();
        bad[at..at + 64].fill(0xff);
        let e = read(&bad).expect_err("it is damaged");
        assert!(matches!(e.kind(), ErrorKind::CompressedMalformed { .. }), "{format}: {e}");
        assert!(e.to_string().contains(&format!("its {format} data is damaged")), "{e}");
        assert!(!e.hint().contains("take the snapshot again"), "{}", e.hint());
        // Behind the end something else: not what was compressed.
        let e = read(&[&bytes[..], b"and more"].concat()).expect_err("more behind the end");
        assert!(e.to_string().contains(format), "{e}");
    }
    // The checksum at the end is looked at, although the text is complete without it.
    let small = snapshot(10, Written::AsV8);
    for (format, compress) in FORMATS {
        let mut bytes = compress(small.as_bytes());
        let last = if format == "gzip" { bytes.len() - 8 } else { bytes.len() - 1 };
        bytes[last] ^= 1;
        let e = read(&bytes).expect_err("a wrong checksum");
        assert!(matches!(e.kind(), ErrorKind::CompressedMalformed { .. }), "{format}: {e}");
    }
}

#[test]
fn what_is_wrong_with_the_text_has_its_place_in_the_text() {
    let text = text();
    let cut = text.find("\"edges\":[").expect("edges") + 300_000;
    for (format, compress) in FORMATS {
        let e = read(&compress(&text.as_bytes()[..cut])).expect_err("the text was cut");
        assert_eq!(e.kind(), &ErrorKind::Truncated { section: "edges" }, "{format}");
        let words = format!("at byte {cut} of the text that {format} holds");
        assert!(e.to_string().contains(&words), "{e}");
        let e = read(&compress(b"")).expect_err("nothing inside");
        assert_eq!(e.kind(), &ErrorKind::Empty);
        assert!(e.to_string().contains(&format!("0 bytes inside {format}")), "{e}");
    }
}

#[test]
fn a_header_that_lies_is_refused_when_the_text_ends() {
    let text = snapshot(3, Written::AsV8);
    let text = text.replace("\"node_count\":4", "\"node_count\":4000000000");
    for (format, compress) in FORMATS {
        // Space for what it promises would be sixty gigabytes.
        let e = read(&compress(text.as_bytes())).expect_err("four billion nodes");
        let words = "the header promises 4000000000 nodes, the file holds 4";
        assert!(e.to_string().contains(words), "{format}: {e}");
    }
}

/// A disk that fails after some bytes.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.0.is_empty() {
            return Err(std::io::Error::other("the disk is gone"));
        }
        self.0.read(into)
    }
}

#[test]
fn the_disks_own_errors_stay_its_own() {
    let text = text();
    for bytes in [text.as_bytes().to_vec(), gzip(text.as_bytes()), zstd(text.as_bytes())] {
        for part in [2, bytes.len() / 2] {
            let result: Result<_, Error> = read_snapshot_from(
                Failing(&bytes[..part]),
                bytes.len() as u64,
                Path::new("x"),
                ReadOptions::default(),
            );
            let e = result.expect_err("the disk fails");
            assert_eq!(e.kind(), &ErrorKind::Io, "{e}");
        }
    }
}
