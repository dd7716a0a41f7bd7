//! Snapshots of any size, drawn from a few numbers, for the tests of the reader.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fmt::Write;
use std::path::Path;

use leakline_formats::{Error, ReadOptions, read_snapshot_from};
use leakline_heap::HeapGraph;

/// How the numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// As V8 does, a record a line: what the reader takes fast.
    AsV8,
    /// With white space in odd places: what it reads with care.
    Spaced,
}

/// A root that holds `count` objects in a row, each of which holds the next; each has a place in a script.
pub fn snapshot(count: usize, written: Written) -> String {
    let (comma, end) = match written {
        Written::AsV8 => (",", "\n"),
        Written::Spaced => (" ,\t", " \n\n"),
    };
    let mut text = format!(
        r#"{{"snapshot":{{"meta":{{"node_fields":["type","name","id","self_size","edge_count","trace_node_id","detachedness"],"node_types":[["hidden","array","string","object","code","closure","regexp","number","native","synthetic"],"string","number","number","number","number","number"],"edge_fields":["type","name_or_index","to_node"],"edge_types":[["context","element","property","internal","hidden","shortcut","weak"],"string_or_number","node"],"location_fields":["object_index","script_id","line","column"]}},"node_count":{},"edge_count":{},"trace_function_count":0}},
"#,
        count + 1,
        count * 2
    );
    let mut section = |name: &str, rows: &mut dyn Iterator<Item = Vec<usize>>| {
        let _ = write!(text, "\"{name}\":[");
        for (i, row) in rows.enumerate() {
            let numbers: Vec<String> = row.iter().map(ToString::to_string).collect();
            let between = if i > 0 { "," } else { "" };
            let _ = write!(text, "{between}{}{end}", numbers.join(comma));
        }
        text.push_str("],\n");
    };
    let object = |i: usize| vec![3, 1, 2 * i + 1, 24, 1, 0, 0];
    let root = vec![9, 0, 1, 0, count, 0, 0];
    section("nodes", &mut std::iter::once(root).chain((1..=count).map(object)));
    let held = (1..=count).map(|i| vec![1, i, 7 * i]);
    let next = (1..=count).map(|i| vec![2, 2, 7 * (i % count + 1)]);
    section("edges", &mut held.chain(next));
    section("locations", &mut (1..=count).map(|i| vec![7 * i, 5, i, 3]));
    text.push_str("\"strings\":[\"<root>\",\"Thing\",\"next\"]}\n");
    text
}

/// Reads bytes whose number is known.
pub fn read(bytes: &[u8]) -> Result<HeapGraph, Error> {
    let path = Path::new("drawn.heapsnapshot");
    read_snapshot_from(bytes, bytes.len() as u64, path, ReadOptions::default())
}

/// Where the record with this index begins in a section.
pub fn place_of(text: &str, section: &str, record: usize, fields: usize) -> usize {
    let start = text.find(&format!("\"{section}\":[")).expect("the section") + section.len() + 4;
    let comma = |n: usize| text[start..].match_indices(',').nth(n).expect("a comma").0 + 1;
    if record == 0 { start } else { start + comma(record * fields - 1) }
}
