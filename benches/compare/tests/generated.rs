//! What is generated must be what it says it is: read by Leakline's own reader, which checks every count and index.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

use std::path::Path;

use leakline_compare::synth::{Layout, Plan, Shape, Wanted, write};
use leakline_formats::{ReadOptions, read_snapshot, read_snapshot_from};
use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};

const SHAPES: [Shape; 4] = [Shape::Service, Shape::Chain, Shape::Wide, Shape::Strings];
const LAYOUTS: [Layout; 2] = [Layout::Node20, Layout::Node24];
const MEGABYTE: u64 = 1_000_000;

fn wanted(shape: Shape, layout: Layout) -> Wanted {
    Wanted { bytes: MEGABYTE, shape, layout, seed: 7 }
}

fn text(plan: &Plan) -> Vec<u8> {
    let mut text = Vec::new();
    write(plan, &mut text).unwrap();
    text
}

fn read(text: &[u8]) -> HeapGraph {
    let path = Path::new("generated.heapsnapshot");
    read_snapshot_from(text, text.len() as u64, path, ReadOptions::default()).unwrap()
}

#[test]
fn every_shape_reads_with_the_counts_it_promised() {
    for shape in SHAPES {
        for layout in LAYOUTS {
            let plan = wanted(shape, layout).plan();
            let text = text(&plan);
            let off = text.len() as f64 / MEGABYTE as f64;
            assert!((0.97..1.03).contains(&off), "{shape:?} {layout:?}: {} bytes", text.len());
            let (heap, counts) = (read(&text), plan.counts());
            assert_eq!(heap.node_count() as u64, counts.nodes, "{shape:?} {layout:?}");
            assert_eq!(heap.edge_count() as u64, counts.edges, "{shape:?} {layout:?}");
            assert_eq!(heap.locations().len() as u64, counts.locations, "{shape:?} {layout:?}");
            assert_eq!(heap.strings().len() as u64, counts.strings, "{shape:?} {layout:?}");
        }
    }
}

#[test]
fn a_file_reads_as_the_bytes_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.heapsnapshot");
    let plan = wanted(Shape::Service, Layout::Node20).plan();
    write(&plan, std::fs::File::create(&path).unwrap()).unwrap();
    let heap = read_snapshot(&path, ReadOptions::default()).unwrap();
    assert_eq!(heap.node_count() as u64, plan.counts().nodes);
}

#[test]
fn the_seed_decides_every_byte() {
    for shape in SHAPES {
        let first = wanted(shape, Layout::Node20);
        assert_eq!(text(&first.plan()), text(&first.plan()), "{shape:?}");
        let other = Wanted { seed: 8, ..first };
        assert_ne!(text(&first.plan()), text(&other.plan()), "{shape:?}");
    }
}

#[test]
fn node_20_has_a_line_for_each_record() {
    let plan = wanted(Shape::Service, Layout::Node20).plan();
    let (text, counts) = (String::from_utf8(text(&plan)).unwrap(), plan.counts());
    let records = |section: &str| {
        let from = text.find(&format!("\"{section}\":[")).unwrap();
        text[from..from + text[from..].find(']').unwrap()].lines().count() as u64
    };
    assert_eq!(records("nodes"), counts.nodes);
    assert_eq!(records("edges"), counts.edges);
    assert_eq!(records("locations"), counts.locations);
}

#[test]
fn everything_is_reached_and_ids_are_odd_and_differ() {
    for shape in SHAPES {
        let heap = read(&text(&wanted(shape, Layout::Node24).plan()));
        let mut seen = vec![false; heap.node_count()];
        let mut open = vec![heap.root()];
        seen[0] = true;
        while let Some(node) = open.pop() {
            for edge in heap.edges(node) {
                if !std::mem::replace(&mut seen[edge.to.index()], true) {
                    open.push(edge.to);
                }
            }
        }
        let lost = heap.nodes().find(|n| !seen[n.index()]);
        assert_eq!(lost.map(|n| heap.node_name(n).to_owned()), None, "{shape:?}");
        let ids: Vec<u32> = heap.nodes().map(|n| heap.object_id(n)).collect();
        assert!(ids.iter().all(|id| id % 2 == 1) && ids.is_sorted_by(|a, b| a < b), "{shape:?}");
    }
}

/// Follows the names by hand: each pair of the `WeakMap` is told on both its key and its table.
#[test]
fn the_pairs_of_a_weak_map_lead_from_key_and_table_to_the_value() {
    let heap = read(&text(&wanted(Shape::Service, Layout::Node20).plan()));
    let with_id = |text: &str| heap.node_with_id(text.parse().unwrap()).unwrap();
    let mut found = Vec::new();
    for node in heap.nodes() {
        for edge in heap.edges(node).filter(|e| e.kind == EdgeType::Internal) {
            let label = heap.edge_text(edge).unwrap();
            let Some((_, pair)) = label.split_once(" / part of key (Session @") else { continue };
            let (key, rest) = pair.split_once(") -> value (Payload @").unwrap();
            let (value, table) = rest.split_once(") pair in WeakMap (table @").unwrap();
            assert_eq!(with_id(value), edge.to);
            let ends = [with_id(key), with_id(table.trim_end_matches(')'))];
            assert!(ends.contains(&node), "{label}");
            found.push((ends[0], node));
        }
    }
    assert!(found.len() >= 2 && found.len() % 2 == 0, "{} ends", found.len());
    assert_eq!(found.iter().filter(|(key, at)| key == at).count() * 2, found.len());
}

#[test]
fn the_hard_shapes_are_what_they_are_for() {
    let named = |heap: &HeapGraph, name: &str| -> Vec<NodeId> {
        let is = |n: &NodeId| heap.node_name(*n) == name && heap.node_type(*n) == NodeType::Object;
        heap.nodes().filter(is).collect()
    };
    let chain = read(&text(&wanted(Shape::Chain, Layout::Node20).plan()));
    let list = named(&chain, "List").into_iter().find(|&n| chain.edges(n).len() == 3).unwrap();
    let first = chain.edges(list).find(|e| e.kind == EdgeType::Element).unwrap().to;
    let (mut at, mut length) = (first, 1);
    while let Some(next) = chain.find_edge(at, EdgeType::Property, "next") {
        if chain.node_name(next.to) != "Entry" {
            break;
        }
        (at, length) = (next.to, length + 1);
    }
    assert!(length > 5000, "{length} links");
    let all = named(&chain, "Array").into_iter().map(|n| chain.edges(n).len()).max().unwrap();
    assert_eq!(all, length + 2);

    let wide = read(&text(&wanted(Shape::Wide, Layout::Node20).plan()));
    let most = wide.nodes().map(|n| wide.edges(n).len()).max().unwrap();
    assert!(most * 5 > wide.edge_count() * 2, "{most} of {}", wide.edge_count());

    // About 30 % of the file is text.
    let plan = wanted(Shape::Strings, Layout::Node20).plan();
    let bytes = text(&plan);
    let strings = bytes.windows(11).position(|w| w == b"\"strings\":[").unwrap();
    let share = (bytes.len() - strings) as f64 / bytes.len() as f64;
    assert!((0.25..0.35).contains(&share), "{share}");
}
