//! Snapshots with a sound header and any graph below it: the reader's checks past the header, and then every
//! analysis on what was accepted. Self-loops, unreachable parts, cycles through `_events`, tables that hold
//! themselves, contexts without functions: whatever bytes can draw.

#![no_main]

use std::path::Path;

use arbitrary::Arbitrary;
use leakline_analysis::detect::{Context, Told, advise, detect, path_steps, path_words};
use leakline_analysis::growth::GrowthAnalysis;
use leakline_analysis::{PathOptions, Scripts, analyze, diff, retaining_paths, summary};
use leakline_formats::{ReadOptions, read_snapshot_from};
use leakline_heap::{HeapGraph, NodeId, Retainers};
use libfuzzer_sys::fuzz_target;

/// Names that the analyses look for, and some that they do not.
const STRINGS: &[&str] = &[
    "",
    "(GC roots)",
    "(Global handles)",
    "(Document DOM trees)",
    "process",
    "global",
    "Object",
    "Array",
    "Map",
    "Set",
    "Module",
    "system / Context",
    "system / Map",
    "system / Cell",
    "system / SourceTextModule",
    "_events",
    "uncaughtException",
    "listener",
    "bound_this",
    "bound_function",
    "elements",
    "properties",
    "table",
    "context",
    "previous",
    "shared",
    "script",
    "script_or_debug_info",
    "name",
    "value",
    "exports",
    "filename",
    "__proto__",
    "constructor",
    "map",
    "descriptors",
    "/srv/app.js",
    "node:events",
    "0",
    "1",
    "2",
    "3",
    "99999999999",
    "1 / part of key (A @3) -> value (B @5) pair in WeakMap (table @7)",
    "2 / part of key (A @9) -> value (B @11) pair in WeakMap (table @13)",
    "<symbol owner>",
    "{a, b}",
    "ünï 日本 \u{1f600}",
];

#[derive(Arbitrary, Debug)]
struct Input {
    /// Node 20's layout, or Node 24's.
    old: bool,
    /// Objects after the root.
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    locations: Vec<(u8, u8, u16, u16)>,
    /// Copies of the last objects, so that there is enough of something to be growth.
    copies: u8,
    /// What the counts in the header say more than there is. Mostly nothing.
    lie: Option<(i8, i8)>,
    /// A byte somewhere in the text that is another one.
    broken: Option<(u16, u8)>,
}

#[derive(Arbitrary, Debug, Clone, Copy)]
struct Node {
    kind: u8,
    name: u8,
    size: u16,
    edges: u8,
    id: Option<u16>,
    detachedness: u8,
}

#[derive(Arbitrary, Debug, Clone, Copy)]
struct Edge {
    kind: u8,
    name: u8,
    to: u16,
}

impl Input {
    fn text(&self, copies: usize) -> Vec<u8> {
        let width = if self.old { 7 } else { 6 };
        let root = Node { kind: 9, name: 0, size: 0, edges: 5, id: None, detachedness: 0 };
        let mut nodes = vec![root];
        nodes.extend(self.nodes.iter().take(200));
        for i in 0..copies {
            let Some(&node) = self.nodes.get(i % self.nodes.len().max(1)) else { break };
            nodes.push(node);
        }
        let total = nodes.len();
        let mut node_rows = Vec::new();
        let mut edge_rows = Vec::new();
        let mut drawn = self.edges.iter().cycle();
        for (i, node) in nodes.iter().enumerate() {
            // Copies hang on the objects before them, as listeners do on their list.
            let mut own = 0;
            for _ in 0..if self.edges.is_empty() { 0 } else { node.edges % 24 } {
                let Some(edge) = drawn.next() else { break };
                let kind = edge.kind % 7;
                let name = edge.name as usize % STRINGS.len();
                let to = edge.to as usize % total;
                edge_rows.push(format!("{kind},{name},{}", to * width));
                own += 1;
            }
            if i == 0 || i + 1 == self.nodes.len() {
                for to in (i + 1)..total {
                    edge_rows.push(format!("1,{to},{}", to * width));
                    own += 1;
                }
            }
            let id = node.id.map_or(2 * i + 1, usize::from);
            let name = node.name as usize % STRINGS.len();
            let kind = node.kind % 15;
            let trace = if self.old { ",0" } else { "" };
            node_rows.push(format!(
                "{kind},{name},{id},{},{own}{trace},{}",
                node.size, node.detachedness
            ));
        }
        let locations: Vec<String> = self
            .locations
            .iter()
            .map(|(n, s, l, c)| format!("{},{s},{l},{c}", *n as usize % total * width))
            .collect();
        let (more_nodes, more_edges) = self.lie.unwrap_or_default();
        let trace = if self.old { "\"trace_node_id\"," } else { "" };
        let type_of_trace = if self.old { "\"number\"," } else { "" };
        let text = format!(
            r#"{{"snapshot":{{"meta":{{"node_fields":["type","name","id","self_size","edge_count",{trace}"detachedness"],"node_types":[["hidden","array","string","object","code","closure","regexp","number","native","synthetic","concatenated string","sliced string","symbol","bigint","object shape"],"string","number","number","number",{type_of_trace}"number"],"edge_fields":["type","name_or_index","to_node"],"edge_types":[["context","element","property","internal","hidden","shortcut","weak"],"string_or_number","node"],"trace_function_info_fields":[],"trace_node_fields":[],"sample_fields":[],"location_fields":["object_index","script_id","line","column"]}},"node_count":{},"edge_count":{},"trace_function_count":0}},"nodes":[{}],"edges":[{}],"trace_function_infos":[],"trace_tree":[],"samples":[],"locations":[{}],"strings":{}}}"#,
            total as i64 + i64::from(more_nodes),
            edge_rows.len() as i64 + i64::from(more_edges),
            node_rows.join(","),
            edge_rows.join(","),
            locations.join(","),
            serde_json::json!(STRINGS),
        );
        let mut bytes = text.into_bytes();
        if let Some((at, byte)) = self.broken {
            let at = at as usize % bytes.len();
            bytes[at] = byte;
        }
        bytes
    }
}

fn read(bytes: &[u8]) -> Option<HeapGraph> {
    let path = Path::new("fuzz.heapsnapshot");
    read_snapshot_from(bytes, bytes.len() as u64, path, ReadOptions::default()).ok()
}

fn analyses(graphs: &[HeapGraph]) {
    let all: Vec<_> = graphs.iter().map(analyze).collect();
    let pairs: Vec<_> = graphs.iter().zip(&all).collect();
    let _ = diff(&pairs);
    for (graph, analysis) in &pairs {
        let rows = summary(graph, analysis);
        assert_eq!(rows.snapshot.node_count, graph.node_count() as u64);
        let held = Retainers::of(graph);
        for node in [0, graph.node_count() / 2, graph.node_count() - 1] {
            let node = NodeId(node as u32);
            let options = PathOptions::default();
            let _ = retaining_paths(graph, &held, analysis, node, options).view(graph, node);
        }
    }
    let graphs: Vec<&HeapGraph> = graphs.iter().collect();
    let growth = GrowthAnalysis::of(&graphs);
    let last = growth.last();
    let retainers = Retainers::of(last);
    let scripts = Scripts::of(last);
    let context = Context { growth: &growth, retainers: &retainers, scripts: &scripts };
    for finding in detect(&context) {
        assert!(!advise(&finding, Told::default()).title.is_empty());
        let _ = path_steps(&context, finding.site.group.owner);
        let _ = path_words(&context, finding.site.group.owner);
    }
}

fuzz_target!(|input: Input| {
    let graphs: Vec<HeapGraph> = [0, 1, 2]
        .into_iter()
        .map_while(|round| read(&input.text(round * usize::from(input.copies))))
        .collect();
    if graphs.len() == 3 {
        analyses(&graphs);
    }
});
