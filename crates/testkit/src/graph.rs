//! Graphs for tests: drawn as text, or built node by node.
//!
//! ```
//! let drawn = leakline_testkit::graph::draw(
//!     "
//!     root -> cache
//!     cache -(element 0)-> a      # an edge with a type and a name
//!     cache -(weak)-> b
//!     root -> b
//!     node a: object Session 24 @17   # type, name, size, object id
//!     ",
//! );
//! assert_eq!(drawn.graph.node_name(drawn.node("a")), "Session");
//! ```
//!
//! The first node named is the root. A node that is not declared is an object of its own name and one
//! byte; the root is synthetic and has no size. A plain arrow is a property named like its target.

use leakline_heap::{
    Columns, EdgeColumn, EdgeType, HeapGraph, Location, NodeId, NodeLabels, NodeType, SizeColumn,
    StringTableBuilder,
};
use std::collections::HashMap;

/// Builds a graph node by node. Node 0 is the root.
#[derive(Debug, Default)]
pub struct GraphBuilder {
    nodes: Vec<Node>,
    edges: Vec<(u32, EdgeType, u32, u32)>,
    strings: StringTableBuilder,
    string_index: HashMap<String, u32>,
    locations: Vec<Location>,
    detachedness: Vec<(u32, u8)>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    kind: NodeType,
    name: u32,
    size: u64,
    id: u32,
}

impl GraphBuilder {
    /// A graph without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The index of a string, which is added when it is new.
    pub fn string(&mut self, text: &str) -> u32 {
        if let Some(&index) = self.string_index.get(text) {
            return index;
        }
        let index = self.strings.add(text);
        self.string_index.insert(text.to_owned(), index);
        index
    }

    /// Adds a node; its object id is odd and rising, as V8 counts.
    pub fn node(&mut self, kind: NodeType, name: &str, size: u64) -> NodeId {
        let at = self.nodes.len() as u32;
        let name = self.string(name);
        self.nodes.push(Node { kind, name, size, id: 2 * at + 1 });
        NodeId(at)
    }

    /// Replaces a node's object id.
    pub fn set_id(&mut self, node: NodeId, id: u32) {
        self.nodes[node.index()].id = id;
    }

    /// Marks a node as attached (1) or detached (2).
    pub fn set_detachedness(&mut self, node: NodeId, state: u8) {
        self.detachedness.push((node.0, state));
    }

    /// Adds an edge with a text as name.
    pub fn edge(&mut self, from: NodeId, kind: EdgeType, name: &str, to: NodeId) {
        let name = self.string(name);
        self.edges.push((from.0, kind, name, to.0));
    }

    /// Adds an edge with a number as name.
    pub fn indexed_edge(&mut self, from: NodeId, kind: EdgeType, index: u32, to: NodeId) {
        self.edges.push((from.0, kind, index, to.0));
    }

    /// Gives a node a place in a script; line and column from 0.
    pub fn location(&mut self, node: NodeId, script_id: i32, line: u32, column: u32) {
        self.locations.push(Location { node: node.0, script_id, line, column });
    }

    /// The graph.
    ///
    /// # Panics
    /// If the columns make no graph: a test's own fault.
    pub fn build(mut self) -> HeapGraph {
        // Stable, so that the edges of a node keep their order.
        self.edges.sort_by_key(|edge| edge.0);
        let mut first_edge = vec![0u32; self.nodes.len() + 1];
        for edge in &self.edges {
            first_edge[edge.0 as usize + 1] += 1;
        }
        for i in 1..first_edge.len() {
            first_edge[i] += first_edge[i - 1];
        }
        let mut node_detachedness = Vec::new();
        if !self.detachedness.is_empty() {
            node_detachedness = vec![0; self.nodes.len()];
            for &(node, state) in &self.detachedness {
                node_detachedness[node as usize] = state;
            }
        }
        let mut node_label = NodeLabels::default();
        for node in &self.nodes {
            node_label.push(node.kind, node.name);
        }
        let mut edges = EdgeColumn::default();
        for &(_, kind, name, to) in &self.edges {
            edges.push(kind, name, to);
        }
        let columns = Columns {
            node_label,
            node_id: self.nodes.iter().map(|n| n.id).collect(),
            node_size: self.nodes.iter().map(|n| n.size).collect::<SizeColumn>(),
            node_detachedness: node_detachedness.into(),
            first_edge: first_edge.into(),
            edges,
            strings: self.strings.build(),
            locations: self.locations.into(),
            ..Columns::default()
        };
        HeapGraph::new(columns).expect("a test's graph is consistent")
    }
}

/// A graph of `sizes.len()` objects with these sizes and edges; node 0 is the root.
pub fn from_edges(sizes: &[u64], edges: &[(u32, u32)]) -> HeapGraph {
    let mut builder = GraphBuilder::new();
    for (i, &size) in sizes.iter().enumerate() {
        let kind = if i == 0 { NodeType::Synthetic } else { NodeType::Object };
        builder.node(kind, "Node", size);
    }
    for &(from, to) in edges {
        builder.edge(NodeId(from), EdgeType::Property, "next", NodeId(to));
    }
    builder.build()
}

/// A graph drawn as text, with the labels of its nodes.
#[derive(Debug)]
pub struct Drawn {
    /// The graph.
    pub graph: HeapGraph,
    labels: Vec<String>,
}

impl Drawn {
    /// The node with this label.
    ///
    /// # Panics
    /// If there is none: a test's own fault.
    pub fn node(&self, label: &str) -> NodeId {
        let at = self.labels.iter().position(|l| l == label);
        NodeId(at.unwrap_or_else(|| panic!("no node {label:?} was drawn")) as u32)
    }

    /// The label of a node.
    pub fn label(&self, node: NodeId) -> &str {
        &self.labels[node.index()]
    }

    /// All labels, in the order of the nodes.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(String::as_str)
    }
}

/// Draws a graph; see the module's introduction for the language.
///
/// # Panics
/// If the text is no drawing: a test's own fault.
pub fn draw(text: &str) -> Drawn {
    let mut drawing = Drawing::default();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(declaration) = line.strip_prefix("node ") {
            drawing.declare(declaration);
        } else if !line.is_empty() {
            drawing.edges(line);
        }
    }
    Drawn { graph: drawing.builder.build(), labels: drawing.labels }
}

#[derive(Default)]
struct Drawing {
    builder: GraphBuilder,
    labels: Vec<String>,
}

impl Drawing {
    fn node(&mut self, label: &str) -> NodeId {
        let label = label.trim();
        assert!(
            label.chars().all(char::is_alphanumeric) && !label.is_empty(),
            "no label: {label:?}"
        );
        if let Some(at) = self.labels.iter().position(|l| l == label) {
            return NodeId(at as u32);
        }
        self.labels.push(label.to_owned());
        if self.labels.len() == 1 {
            self.builder.node(NodeType::Synthetic, "", 0)
        } else {
            self.builder.node(NodeType::Object, label, 1)
        }
    }

    /// `LABEL: TYPE NAME SIZE [@ID] [detached|attached]`; type and name may hold no spaces, but `_` in them
    /// stands for one.
    fn declare(&mut self, declaration: &str) {
        let (label, rest) = declaration.split_once(':').expect("node LABEL: TYPE NAME SIZE");
        let node = self.node(label);
        let mut words = rest.split_whitespace();
        let mut word = || words.next().unwrap_or_default().replace('_', " ");
        let kind = NodeType::from_name(&word());
        let name = word();
        let size = word().parse().expect("a size in bytes");
        let name = self.builder.string(&name);
        let known = &mut self.builder.nodes[node.index()];
        (known.kind, known.name, known.size) = (kind, name, size);
        for word in words {
            match word {
                "attached" => self.builder.set_detachedness(node, 1),
                "detached" => self.builder.set_detachedness(node, 2),
                id => {
                    let id = id.strip_prefix('@').and_then(|id| id.parse().ok());
                    self.builder.set_id(node, id.expect("an object id like @17"));
                }
            }
        }
    }

    /// `FROM -> TO, TO` or `FROM -(TYPE NAME)-> TO, TO`.
    fn edges(&mut self, line: &str) {
        let (from, rest) = line.split_once('-').expect("FROM -> TO");
        let from = self.node(from);
        // The last one, since V8's own names hold arrows and parentheses.
        let (description, targets) = match rest.strip_prefix('(') {
            Some(described) => described.rsplit_once(")->").expect("FROM -(TYPE NAME)-> TO"),
            None => ("", rest.strip_prefix('>').expect("FROM -> TO")),
        };
        let (kind, name) = description.split_once(' ').unwrap_or((description, ""));
        let kind = if kind.is_empty() { EdgeType::Property } else { EdgeType::from_name(kind) };
        for target in targets.split(',') {
            let to = self.node(target);
            if kind.has_index_name() {
                let index = name.parse().unwrap_or_default();
                self.builder.indexed_edge(from, kind, index, to);
            } else {
                let name = if name.is_empty() { target.trim() } else { name };
                self.builder.edge(from, kind, name, to);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_becomes_a_graph() {
        let drawn = draw(
            "
            root -> a, b
            a -(element 7)-> b
            a -(internal some name)-> c
            b -> a   # back
            node c: concatenated_string two_words 40 @99 detached
            ",
        );
        let graph = &drawn.graph;
        assert_eq!((graph.node_count(), graph.edge_count()), (4, 5));
        assert_eq!(drawn.labels().collect::<Vec<_>>(), ["root", "a", "b", "c"]);
        let c = drawn.node("c");
        assert_eq!(graph.node_type(c), NodeType::ConcatenatedString);
        assert_eq!((graph.node_name(c), graph.self_size(c)), ("two words", 40));
        assert_eq!((graph.object_id(c), graph.detachedness(c)), (99, 2));
        let labels: Vec<String> =
            graph.edges(drawn.node("a")).map(|e| graph.edge_label(e)).collect();
        assert_eq!(labels, ["[7]", "some name"]);
    }
}
