//! The statistics view: the heap by kind of memory, as `DevTools` draws its chart.

use leakline_heap::{EdgeType, HeapGraph, NodeType};
use serde::Serialize;

use super::row::{Heap, Texts};

/// The heap by kind, in the shape of `leakline stats --json`. All values are bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Everything in the snapshot.
    pub total_bytes: u64,
    /// What lies outside V8's heap.
    pub native: NativeStatistics,
    /// What lies in V8's heap.
    pub v8_heap: V8HeapStatistics,
}

/// Memory outside V8's heap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NativeStatistics {
    /// All of it.
    pub total_bytes: u64,
    /// The contents of array buffers, `Buffer`s among them.
    pub typed_arrays_bytes: u64,
}

/// Memory in V8's heap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct V8HeapStatistics {
    /// All of it.
    pub total_bytes: u64,
    /// Compiled code and what belongs to it.
    pub code_bytes: u64,
    /// Strings of all kinds.
    pub strings_bytes: u64,
    /// Arrays with the elements that are theirs alone.
    pub js_arrays_bytes: u64,
    /// V8's own objects that no object of the user's owns.
    pub system_bytes: u64,
    /// The rest: objects, closures, numbers and so on.
    pub other_bytes: u64,
}

/// Sums by kind. O(nodes + edges), a byte a node while it runs.
///
/// The sizes are those of the summary: an array's elements are counted with the array already where
/// nothing else shares them. `DevTools` adds elements that still have a size of their own when one edge
/// only leads to them.
pub fn statistics(heap: &Heap<'_>) -> Statistics {
    let graph = heap.graph;
    let array = Texts::of(graph, |t| t == "Array");
    let elements = Texts::of(graph, |t| t == "elements");
    let buffer_data = Texts::of(graph, |t| t == "system / JSArrayBufferData");
    let edges_to = edges_to(graph);
    let mut native =
        NativeStatistics { total_bytes: graph.extra_native_bytes(), ..Default::default() };
    let mut v8_heap = V8HeapStatistics::default();
    for node in graph.nodes() {
        let size = heap.analysis.shallow_size(node);
        match graph.node_type(node) {
            NodeType::Hidden => add(&mut v8_heap.system_bytes, size),
            NodeType::Native => {
                add(&mut native.total_bytes, size);
                // A detached one has another name in `DevTools`.
                if buffer_data.has(graph.node_name_index(node))
                    && !heap.analysis.classes.is_detached(node)
                {
                    add(&mut native.typed_arrays_bytes, size);
                }
            }
            NodeType::Code => add(&mut v8_heap.code_bytes, size),
            kind if kind.is_string() => add(&mut v8_heap.strings_bytes, size),
            _ if array.has(graph.node_name_index(node)) => {
                let own = graph
                    .edges(node)
                    .find(|e| e.kind == EdgeType::Internal && elements.has(e.name_or_index))
                    .filter(|e| edges_to[e.to.index()] == 1)
                    .map_or(0, |e| heap.analysis.shallow_size(e.to));
                add(&mut v8_heap.js_arrays_bytes, size.saturating_add(own));
            }
            _ => {}
        }
    }
    let total =
        heap.analysis.retained_size(graph.root()).saturating_add(graph.extra_native_bytes());
    v8_heap.total_bytes = total.saturating_sub(native.total_bytes);
    let known =
        [v8_heap.code_bytes, v8_heap.strings_bytes, v8_heap.js_arrays_bytes, v8_heap.system_bytes];
    v8_heap.other_bytes = known.into_iter().fold(v8_heap.total_bytes, u64::saturating_sub);
    Statistics { total_bytes: total, native, v8_heap }
}

/// A hostile file can claim any size.
fn add(sum: &mut u64, size: u64) {
    *sum = sum.saturating_add(size);
}

/// How many edges lead to each node; 2 stands for more.
fn edges_to(graph: &HeapGraph) -> Vec<u8> {
    let mut count = vec![0u8; graph.node_count()];
    for from in graph.nodes() {
        for edge in graph.edges(from) {
            let count = &mut count[edge.to.index()];
            *count = (*count + 1).min(2);
        }
    }
    count
}
