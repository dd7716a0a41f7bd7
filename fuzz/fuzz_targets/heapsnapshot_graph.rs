//! Snapshots with a sound header of any layout and any graph below it, with allocation stacks or without, plain or
//! compressed: the reader's checks past the header, and then every analysis on what was accepted. Self-loops, unreachable parts, cycles through `_events`, tables that hold
//! themselves, contexts without functions: whatever bytes can draw.

#![no_main]

use std::io::Write;
use std::path::Path;

use arbitrary::Arbitrary;
use flate2::write::GzEncoder;
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
    layout: Layout,
    /// Functions and the tree of allocation stacks, where allocations were tracked.
    tracked: Option<Tracked>,
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

/// What V8's versions have written differently.
#[derive(Arbitrary, Debug, Clone, Copy)]
struct Layout {
    trace_node_id: bool,
    detachedness: bool,
    script_object_index: bool,
    /// A line for each record, or all in one.
    lines: bool,
    /// Fields of `trace_node_fields` in the order of V8, or children first.
    children_last: bool,
    compressed: Option<bool>,
}

#[derive(Arbitrary, Debug)]
struct Tracked {
    functions: Vec<(u8, u8, u16, u16)>,
    /// How many lists are closed before an entry, and what it is.
    entries: Vec<(u8, u8, u8)>,
    samples: Vec<(u16, u16)>,
}

impl Tracked {
    fn functions(&self) -> String {
        let rows = self.functions.iter().enumerate().map(|(i, (name, script, line, column))| {
            let [name, script] = [name, script].map(|s| *s as usize % STRINGS.len());
            format!("{i},{name},{script},7,{line},{column}")
        });
        rows.collect::<Vec<_>>().join(",")
    }

    fn tree(&self, children_last: bool) -> String {
        let mut text = String::new();
        let mut open = 0;
        let functions = self.functions.len().max(1);
        // What follows the children of an entry, where they do not come last.
        let rest = |id: usize, function: u8| {
            let function = function as usize % functions;
            format!("{},{function},1,{id}", id + 1)
        };
        let mut waiting: Vec<String> = Vec::new();
        let mut first = true;
        for (id, &(close, function, odd)) in self.entries.iter().enumerate() {
            for _ in 0..(close as usize).min(open) {
                text.push(']');
                if let Some(rest) = waiting.pop().filter(|_| !children_last) {
                    text.push_str(&format!(",{rest}"));
                }
                open -= 1;
                first = false;
            }
            if !first {
                text.push(',');
            }
            if odd == 255 {
                text.push('7');
            }
            if children_last {
                text.push_str(&rest(id, function));
                text.push(',');
            }
            waiting.push(rest(id, function));
            text.push('[');
            open += 1;
            first = true;
        }
        while open > 0 {
            text.push(']');
            if let Some(rest) = waiting.pop().filter(|_| !children_last) {
                text.push_str(&format!(",{rest}"));
            }
            open -= 1;
        }
        text
    }

    fn samples(&self) -> String {
        let rows = self.samples.iter().map(|(time, id)| format!("{time},{id}"));
        rows.collect::<Vec<_>>().join(",")
    }
}

#[derive(Arbitrary, Debug, Clone, Copy)]
struct Node {
    trace: u8,
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
        let layout = self.layout;
        let width = 5 + usize::from(layout.trace_node_id) + usize::from(layout.detachedness);
        let root =
            Node { trace: 0, kind: 9, name: 0, size: 0, edges: 5, id: None, detachedness: 0 };
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
            let mut row = format!("{kind},{name},{id},{},{own}", node.size);
            if layout.trace_node_id {
                row.push_str(&format!(",{}", node.trace));
            }
            if layout.detachedness {
                row.push_str(&format!(",{}", node.detachedness));
            }
            node_rows.push(row);
        }
        let locations: Vec<String> = self
            .locations
            .iter()
            .map(|(n, s, l, c)| {
                let object = if layout.script_object_index { ",0" } else { "" };
                format!("{},{s}{object},{l},{c}", *n as usize % total * width)
            })
            .collect();
        let (more_nodes, more_edges) = self.lie.unwrap_or_default();
        let mut fields = String::new();
        let mut types = String::new();
        for (has, name) in
            [(layout.trace_node_id, "trace_node_id"), (layout.detachedness, "detachedness")]
        {
            if has {
                fields.push_str(&format!(",\"{name}\""));
                types.push_str(",\"number\"");
            }
        }
        let place = if layout.script_object_index { "\"script_object_index\"," } else { "" };
        let between = if layout.lines { "\n," } else { "," };
        let trace_fields = if layout.children_last {
            r#""id","function_info_index","count","size","children""#
        } else {
            r#""children","id","function_info_index","count","size""#
        };
        let [functions, tree, samples] = match &self.tracked {
            None => [const { String::new() }; 3],
            Some(t) => [t.functions(), t.tree(layout.children_last), t.samples()],
        };
        let text = format!(
            r#"{{"snapshot":{{"meta":{{"node_fields":["type","name","id","self_size","edge_count"{fields}],"node_types":[["hidden","array","string","object","code","closure","regexp","number","native","synthetic","concatenated string","sliced string","symbol","bigint","object shape"],"string","number","number","number"{types}],"edge_fields":["type","name_or_index","to_node"],"edge_types":[["context","element","property","internal","hidden","shortcut","weak"],"string_or_number","node"],"trace_function_info_fields":["function_id","name","script_name","script_id","line","column"],"trace_node_fields":[{trace_fields}],"sample_fields":["timestamp_us","last_assigned_id"],"location_fields":["object_index","script_id",{place}"line","column"]}},"node_count":{},"edge_count":{},"trace_function_count":{}}},"nodes":[{}],"edges":[{}],"trace_function_infos":[{functions}],"trace_tree":[{tree}],"samples":[{samples}],"locations":[{}],"strings":{}}}"#,
            total as i64 + i64::from(more_nodes),
            edge_rows.len() as i64 + i64::from(more_edges),
            u8::from(self.tracked.is_some()),
            node_rows.join(between),
            edge_rows.join(between),
            locations.join(between),
            serde_json::json!(STRINGS),
        );
        let mut bytes = text.into_bytes();
        if let Some((at, byte)) = self.broken {
            let at = at as usize % bytes.len();
            bytes[at] = byte;
        }
        match layout.compressed {
            // Compressing costs more than the rest; what it changes, few inputs show.
            Some(gzip) if bytes.len() % 16 == 0 => compress(&bytes, gzip),
            _ => bytes,
        }
    }
}

fn compress(bytes: &[u8], gzip: bool) -> Vec<u8> {
    let compressed = if gzip {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).and_then(|()| encoder.finish())
    } else {
        zstd::bulk::compress(bytes, 1)
    };
    compressed.expect("to memory")
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
        for node in graph.nodes() {
            if let (Some(trace), Some(allocations)) = (graph.trace_node(node), graph.allocations())
            {
                assert!(allocations.stack_of(trace).count() < allocations.entries().len());
            }
        }
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
