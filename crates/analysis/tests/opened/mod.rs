//! Drawn heaps, opened for the views.

#![allow(dead_code, reason = "every test file uses its own part of this")]

use leakline_analysis::views::Heap;
use leakline_analysis::{Analysis, Scripts, analyze};
use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};
use leakline_testkit::graph::{Drawn, GraphBuilder, draw};

pub struct Opened {
    pub graph: HeapGraph,
    pub analysis: Analysis,
    pub scripts: Scripts,
}

impl Opened {
    pub fn of(graph: HeapGraph) -> Self {
        let analysis = analyze(&graph);
        let scripts = Scripts::of(&graph);
        Self { graph, analysis, scripts }
    }

    pub fn heap(&self) -> Heap<'_> {
        Heap {
            graph: &self.graph,
            analysis: &self.analysis,
            scripts: &self.scripts,
            retainers: None,
        }
    }
}

pub fn drawn(text: &str) -> (Opened, impl Fn(&str) -> NodeId) {
    let drawn: Drawn = draw(text);
    let labels: Vec<String> = drawn.labels().map(ToOwned::to_owned).collect();
    let node = move |label: &str| {
        NodeId(labels.iter().position(|l| l == label).expect("a node of this label") as u32)
    };
    (Opened::of(drawn.graph), node)
}

/// Two functions of one script: `outer` makes contexts, `inner` is made in each; `depth` of them in a chain.
pub fn program(contexts: u32) -> (Opened, Vec<NodeId>) {
    let mut b = GraphBuilder::new();
    let root = b.node(NodeType::Synthetic, "", 0);
    let global = b.node(NodeType::Object, "global", 8);
    b.indexed_edge(root, EdgeType::Shortcut, 1, global);
    let script = b.node(NodeType::Code, "/srv/app.js", 1);
    let path = b.node(NodeType::String, "/srv/app.js", 1);
    b.edge(script, EdgeType::Internal, "name", path);
    let shared = |b: &mut GraphBuilder, name: &str| {
        let shared = b.node(NodeType::Code, name, 1);
        b.edge(shared, EdgeType::Internal, "script", script);
        shared
    };
    let info = b.node(NodeType::Code, "system / ScopeInfo", 1);
    let outer_shared = shared(&mut b, "outer");
    b.edge(outer_shared, EdgeType::Internal, "name_or_scope_info", info);
    let inner_shared = shared(&mut b, "inner");
    let outer = b.node(NodeType::Closure, "outer", 64);
    b.edge(global, EdgeType::Property, "outer", outer);
    b.edge(outer, EdgeType::Internal, "shared", outer_shared);
    b.location(outer, 7, 2, 4);
    let common = b.node(NodeType::Object, "Common", 500);
    b.edge(global, EdgeType::Property, "common", common);
    let mut made = Vec::new();
    for i in 0..contexts {
        let inner = b.node(NodeType::Closure, "inner", 64);
        b.indexed_edge(global, EdgeType::Element, i, inner);
        b.edge(inner, EdgeType::Internal, "shared", inner_shared);
        b.location(inner, 7, 3, 8);
        let name = match i % 2 {
            0 => "system / Context".to_owned(),
            _ => format!("system / Context / scope @{i}"),
        };
        let context = b.node(NodeType::Object, &name, 48);
        b.edge(inner, EdgeType::Internal, "context", context);
        b.edge(context, EdgeType::Internal, "scope_info", info);
        b.edge(context, EdgeType::Context, "common", common);
        let cell = b.node(NodeType::Native, "system / ContextCell", 24);
        let heavy = b.node(NodeType::Object, "Heavy", 1000);
        b.edge(context, EdgeType::Context, "heavy", cell);
        b.indexed_edge(cell, EdgeType::Hidden, 0, heavy);
        made.push(context);
    }
    (Opened::of(b.build()), made)
}
