//! Growth sites on drawn heaps: who grew, by how many, and how much depends on it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod drawn;

use drawn::Heap;
use leakline_analysis::growth::{GrowthAnalysis, Pattern, Tenure};
use leakline_heap::{EdgeType, HeapGraph, NodeType};

fn analysis(graphs: &[HeapGraph]) -> GrowthAnalysis<'_> {
    GrowthAnalysis::of(&graphs.iter().collect::<Vec<_>>())
}

#[test]
fn a_single_listener_that_became_a_list_counts_as_one() {
    let graphs = [1, 41, 81].map(|n| {
        let mut heap = Heap::new();
        let bus = heap.emitter("bus");
        heap.listeners(bus, "tick", 0..n);
        heap.build()
    });
    let found = analysis(&graphs);
    assert_eq!(found.sites.len(), 1);
    assert_eq!(found.sites[0].counts, [1, 41, 81]);
    assert_eq!(found.sites[0].tenure, Tenure::Stays);
    assert_eq!(found.growth.objects, 80 + 1, "80 listeners and the list");
}

#[test]
fn one_function_registered_again_and_again_is_growth() {
    let graphs = [20, 60, 100].map(|n| {
        let mut heap = Heap::new();
        let bus = heap.emitter("bus");
        heap.same_listener(bus, "drain", n);
        heap.build()
    });
    let found = analysis(&graphs);
    assert_eq!(found.sites[0].counts, [20, 60, 100]);
    assert_eq!(found.sites[0].group.class.name, "onEvent");
    assert_eq!(found.sites[0].weight.retained_delta_bytes, 16 + 8 * 100, "the list's own slots");
}

#[test]
fn a_map_per_tenant_is_one_site_with_the_sum_of_all() {
    let graphs = [10u32, 30, 50].map(|n| {
        let mut heap = Heap::new();
        let tenants = heap.collection("tenants", "Map", 1);
        for tenant in 0..4 {
            let inner = heap.object("Map", 48, 5_001 + tenant * 10);
            heap.entry(tenants, tenant, inner);
            let table = heap.table_of(inner, 5_003 + tenant * 10);
            for i in 0..n {
                let id = 10_001 + tenant * 2_000 + i * 2;
                let value = heap.object("Session", 40, id);
                heap.builder.edge(table, EdgeType::Internal, &(i * 3 + 1).to_string(), value);
            }
        }
        heap.build()
    });
    let found = analysis(&graphs);
    assert_eq!(found.sites.len(), 1, "{:?}", found.sites);
    let site = &found.sites[0];
    assert_eq!(site.counts, [40, 120, 200]);
    assert_eq!(site.group.owners.len(), 4);
    assert_eq!(site.weight.retained_delta_bytes, 160 * 40);
    assert_eq!(site.weight.freed_if_cut_bytes, 160 * 40);
}

#[test]
fn names_without_values_are_a_dictionary() {
    let graphs = [20u32, 60, 100].map(|n| {
        let mut heap = Heap::new();
        let counts = heap.variable("counts", "Object", 91);
        let store = heap.builder.node(NodeType::Array, "(object properties)", 16);
        heap.builder.set_id(store, 93);
        heap.builder.edge(counts, EdgeType::Internal, "properties", store);
        for i in 0..n {
            let key = heap.builder.node(NodeType::String, &format!("key{i}"), 32);
            heap.builder.set_id(key, 10_001 + i * 2);
            heap.builder.edge(store, EdgeType::Internal, &(i * 3).to_string(), key);
        }
        heap.build()
    });
    let found = analysis(&graphs);
    assert_eq!(found.sites[0].group.pattern, Pattern::Names);
    assert_eq!(found.sites[0].counts, [20, 60, 100]);
    assert_eq!(found.sites[0].weight.retained_delta_bytes, 80 * 32);
}

#[test]
fn tenure_tells_a_leak_from_a_cache_that_drops_its_oldest() {
    let series = |ranges: [std::ops::Range<u32>; 3]| {
        let graphs = ranges.map(|range| {
            let mut heap = Heap::new();
            let cache = heap.collection("cache", "Map", 1);
            heap.values(cache, range);
            heap.build()
        });
        analysis(&graphs).sites[0].tenure
    };
    assert_eq!(series([0..200, 0..600, 0..1000]), Tenure::Stays);
    assert_eq!(series([0..200, 0..600, 300..1000]), Tenure::Churns, "bounded");
    assert_eq!(series([0..20, 100..200, 500..900]), Tenure::Churns, "in flight under rising load");
}
