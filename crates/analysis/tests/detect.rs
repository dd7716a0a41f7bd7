//! What growth sites are called, how sure the answer is, and what is none.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod drawn;

use drawn::Heap;
use leakline_analysis::Scripts;
use leakline_analysis::detect::{Confidence, Context, Finding, Rule, detect};
use leakline_analysis::growth::GrowthAnalysis;
use leakline_heap::{EdgeType, HeapGraph, NodeType, Retainers};

fn with_findings<R>(graphs: &[HeapGraph], look: impl FnOnce(&[Finding<'_>]) -> R) -> R {
    let growth = GrowthAnalysis::of(&graphs.iter().collect::<Vec<_>>());
    let retainers = Retainers::of(growth.last());
    let scripts = Scripts::of(growth.last());
    look(&detect(&Context { growth: &growth, retainers: &retainers, scripts: &scripts }))
}

fn cache_of(ranges: [std::ops::Range<u32>; 3]) -> Vec<HeapGraph> {
    let graphs = ranges.map(|range| {
        let mut heap = Heap::new();
        let cache = heap.collection("cache", "Map", 1);
        heap.values(cache, range);
        heap.build()
    });
    graphs.into()
}

#[test]
fn a_map_that_only_grows_is_named_by_its_variable() {
    with_findings(&cache_of([0..200, 0..600, 0..1000]), |found| {
        assert_eq!((found[0].rule, found[0].holder.as_str()), (Rule::Collection, "cache"));
        assert_eq!(found[0].confidence, Confidence::High);
    });
}

#[test]
fn a_bounded_cache_and_work_in_flight_are_no_findings() {
    with_findings(&cache_of([0..200, 0..600, 300..1000]), |found| assert!(found.is_empty()));
    with_findings(&cache_of([0..20, 100..200, 500..900]), |found| assert!(found.is_empty()));
}

#[test]
fn growth_that_slows_down_is_a_hint_only() {
    with_findings(&cache_of([0..200, 0..600, 0..700]), |found| {
        assert_eq!(found[0].confidence, Confidence::Low);
    });
}

#[test]
fn open_sockets_are_not_the_fault_of_who_lists_them() {
    let graphs = [20u32, 60, 100].map(|n| {
        let mut heap = Heap::new();
        let table = heap.collection("sockets", "Set", 1);
        for i in 0..n {
            let socket = heap.object("Socket", 200, 10_001 + 4 * i);
            heap.builder.edge(table, EdgeType::Internal, &(i * 2).to_string(), socket);
            let wrap = heap.object("TCP", 40, 10_003 + 4 * i);
            heap.builder.edge(wrap, EdgeType::Property, "<symbol owner_symbol>", socket);
            let native = heap.builder.node(NodeType::Native, "Node / TCPSocketWrap", 80);
            heap.builder.set_id(native, 1_000_001 + 2 * i);
            heap.builder.edge(socket, EdgeType::Property, "_handle", wrap);
            heap.builder.edge(wrap, EdgeType::Internal, "javascript_to_native", native);
            heap.builder.edge(native, EdgeType::Internal, "native_to_javascript", wrap);
            let root = leakline_heap::NodeId(0);
            heap.builder.indexed_edge(root, EdgeType::Element, 10 + i, native);
        }
        heap.build()
    });
    with_findings(&graphs, |found| {
        let set = found.iter().find(|f| f.holder == "sockets").unwrap();
        assert_eq!(set.confidence, Confidence::Low);
    });
}

#[test]
fn the_names_that_v8_collects_are_nobodys_leak() {
    let graphs = [500u32, 900, 1300].map(|n| {
        let mut heap = Heap::new();
        let table = heap.builder.node(NodeType::Synthetic, "(Internalized strings)", 0);
        heap.builder.set_id(table, 99);
        let root = leakline_heap::NodeId(0);
        heap.builder.indexed_edge(root, EdgeType::Element, 9, table);
        for i in 0..n {
            let name = heap.builder.node(NodeType::String, &format!("name{i}"), 32);
            heap.builder.set_id(name, 10_001 + 2 * i);
            heap.builder.indexed_edge(table, EdgeType::Element, i, name);
        }
        heap.build()
    });
    with_findings(&graphs, |found| assert!(found.is_empty(), "{}", found[0].holder));
}
