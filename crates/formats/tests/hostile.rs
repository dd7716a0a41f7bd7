//! Whatever bytes come, the reader answers with a graph or with an error that names the place.

use std::path::Path;

use leakline_formats::{Error, ErrorKind, ReadOptions, read_snapshot, read_snapshot_from};
use leakline_heap::HeapGraph;
use proptest::prelude::*;

/// Two nodes, two edges, one location: small enough to damage at every byte.
const SMALL: &str = r#"{"snapshot":{"meta":{"node_fields":["type","name","id","self_size","edge_count","trace_node_id","detachedness"],"node_types":[["hidden","array","string","object","code","closure","regexp","number","native","synthetic"],"string","number","number","number","number","number"],"edge_fields":["type","name_or_index","to_node"],"edge_types":[["context","element","property","internal","hidden","shortcut","weak"],"string_or_number","node"],"location_fields":["object_index","script_id","line","column"]},"node_count":2,"edge_count":2,"trace_function_count":0},
"nodes":[9,0,1,0,1,0,0
,3,1,3,4294967296,1,0,2
],
"edges":[1,1,7
,2,2,0
],
"trace_function_infos":[],"trace_tree":[],"samples":[],
"locations":[7,5,11,3
],
"strings":["<root>","Obj\u00e9ct \ud83d\ude00 \ud83d","self \"quoted\" \\ \n"]}"#;

fn read(text: &[u8]) -> Result<HeapGraph, Error> {
    read_snapshot_from(
        text,
        text.len() as u64,
        Path::new("test.heapsnapshot"),
        ReadOptions::default(),
    )
}

#[test]
fn a_small_snapshot_reads_back() {
    let graph = read(SMALL.as_bytes()).expect("it is whole");
    let object = graph.nodes().nth(1).expect("two nodes");
    assert_eq!((graph.node_count(), graph.edge_count()), (2, 2));
    // The pair of surrogates is one character, the lone one is replaced.
    assert_eq!(graph.node_name(object), "Objéct 😀 \u{fffd}");
    assert_eq!(graph.self_size(object), 1 << 32, "sizes are 64 bits");
    assert_eq!(graph.detachedness(object), 2);
    let back = graph.edges(object).next().expect("an edge");
    assert_eq!(graph.edge_label(back), "self \"quoted\" \\ \n");
    assert_eq!(back.to, graph.root());
    let location = graph.location(object).expect("a location");
    assert_eq!((location.script_id, location.line, location.column), (5, 11, 3));
}

#[test]
fn fields_are_found_by_name_in_any_order() {
    // As Node 24 writes it: no trace_node_id, detachedness in its place, one more name in node_types.
    let text = SMALL
        .replace(
            r#""edge_count","trace_node_id","detachedness"]"#,
            r#""edge_count","detachedness"]"#,
        )
        .replace(
            "[9,0,1,0,1,0,0\n,3,1,3,4294967296,1,0,2\n]",
            "[9,0,1,0,1,0\n,3,1,3,4294967296,1,2\n]",
        )
        .replace("[1,1,7\n", "[1,1,6\n")
        .replace("[7,5,11,3\n]", "[6,5,77,11,3\n]")
        .replace(r#""script_id","line""#, r#""script_id","script_object_index","line""#);
    let graph = read(text.as_bytes()).expect("it is whole");
    let object = graph.nodes().nth(1).expect("two nodes");
    assert_eq!(graph.detachedness(object), 2);
    let location = graph.location(object).expect("a location");
    assert_eq!((location.script_id, location.line, location.column), (5, 11, 3));
}

#[test]
fn cut_at_every_byte_it_is_an_error_that_names_the_place() {
    for cut in 0..SMALL.len() {
        let e = read(&SMALL.as_bytes()[..cut]).expect_err("it was cut");
        match cut {
            0 => assert_eq!(e.kind(), &ErrorKind::Empty),
            _ => {
                let fits = matches!(e.kind(), ErrorKind::Truncated { .. });
                assert!(fits, "cut at {cut}: {e}");
                assert!(e.offset().is_some_and(|o| o <= cut as u64), "cut at {cut}: {e}");
            }
        }
        assert!(e.to_string().contains("test.heapsnapshot"), "{e}");
        assert!(!e.hint().is_empty());
    }
}

#[test]
fn each_damage_has_its_own_words() {
    let cases: [(&str, &str, &str); 15] = [
        ("[9,0,1,0,1,0,0\n", "[99,0,1,0,1,0,0\n", "node type 99, but `meta` lists only 10"),
        ("[1,1,7\n", "[7,1,7\n", "edge type 7, but `meta` lists only 7"),
        (r#""node_count":2"#, r#""node_count":3"#, "promises 3 nodes, the file holds 2"),
        (r#""node_count":2"#, r#""node_count":1"#, "promises 1 nodes"),
        (r#""edge_count":2"#, r#""edge_count":3"#, "promises 3 edges"),
        (
            r#""node_count":2"#,
            r#""node_count":4000000000"#,
            "promises 4000000000 nodes, the file holds 2",
        ),
        (r#""node_count":2"#, r#""node_count":4294967295"#, "more than this program can index"),
        ("[1,1,7\n", "[1,1,8\n", "points to 8, which is no node"),
        ("[1,1,7\n", "[1,1,700\n", "points to 700, which is no node"),
        (",2,2,0\n", ",2,99,0\n", "name of edge 1 points to 99"),
        (",3,1,3,", ",3,99,3,", "name of node"),
        ("[7,5,11,3\n]", "[7,5,11\n]", "ends after 3 of a record's 4 numbers"),
        ("[9,0,1,0,1,0,0\n", "[9,0,-1,0,1,0,0\n", "a negative number"),
        ("[9,0,1,0,1,0,0\n", "[9,0,99999999999999999999,0,1,0,0\n", "more than 19 digits"),
        (r#""type","name""#, r#""type","nom""#, "no `name`"),
    ];
    for (from, to, words) in cases {
        assert!(SMALL.contains(from), "{from} is in the fixture");
        let e = read(SMALL.replacen(from, to, 1).as_bytes()).expect_err(to);
        assert!(e.to_string().contains(words), "{to}: {e}");
    }
}

#[test]
fn what_is_no_snapshot_is_said_to_be_none() {
    let cases: [(&[u8], &str); 10] = [
        (b"", "0 bytes"),
        (b"   ", "only white space"),
        (b"hello", "not JSON"),
        (b"\x1f\x8b\x08\x00", "its gzip data ends at byte 4"),
        (b"[1,2,3]", "a snapshot is a JSON object"),
        (b"{}", "an empty JSON object"),
        (br#"{"name":"express","version":"4.0.0"}"#, "no `snapshot` section"),
        (br#"{"nodes":[{"id":1}],"startTime":1}"#, "without `snapshot` before it"),
        (br#"{"snapshot":5}"#, "`snapshot` is no object"),
        (br#"{"snapshot":{"meta":{}}}"#, "`meta.node_fields` is missing"),
    ];
    for (bytes, words) in cases {
        let e = read(bytes).expect_err(words);
        assert!(e.to_string().contains(words), "{words}: {e}");
    }
}

#[test]
fn a_missing_file_a_folder_and_an_unfinished_reading_are_named() {
    let read =
        |p: &str| read_snapshot(Path::new(p), ReadOptions::default()).expect_err("cannot be read");
    assert_eq!(read("/no/such/file.heapsnapshot").code(), "file-not-found");
    assert!(read("/").to_string().contains("is a folder"));
    let mut stop = |_| false;
    let options = ReadOptions { progress: Some(&mut stop) };
    let e =
        read_snapshot_from(SMALL.as_bytes(), 0, Path::new("x"), options).expect_err("told to stop");
    assert_eq!(e.kind(), &ErrorKind::Interrupted);
}

#[test]
fn strings_longer_than_the_window_survive() {
    let long = "é😀\\n".repeat(200_000);
    let plain = "é😀\n".repeat(200_000);
    let text = SMALL.replace(r"self \", &format!(r"{long}self \"));
    let graph = read(text.as_bytes()).expect("it is whole");
    let object = graph.nodes().nth(1).expect("two nodes");
    let back = graph.edges(object).next().expect("an edge");
    assert!(graph.edge_text(back).is_some_and(|t| t.starts_with(&plain)));
}

/// Gives out the bytes in uneven pieces, so that every construct straddles a boundary once.
struct Drip<'a>(&'a [u8], usize);

impl std::io::Read for Drip<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.1 = self.1 % 7 + 1;
        let n = self.1.min(self.0.len()).min(into.len());
        into[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

#[test]
fn the_size_of_the_pieces_does_not_matter() {
    let drip = Drip(SMALL.as_bytes(), 0);
    let graph = read_snapshot_from(drip, 0, Path::new("pipe"), ReadOptions::default());
    assert_eq!(graph.expect("it is whole").node_count(), 2);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_damage_makes_it_panic(at in 0..SMALL.len(), byte in any::<u8>(), drop in 0usize..8) {
        let mut bytes = SMALL.as_bytes().to_vec();
        bytes[at] = byte;
        let end = (at + drop).min(bytes.len());
        bytes.drain(at..end);
        let _ = read(&bytes);
    }
}
