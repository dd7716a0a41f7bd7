//! Hand-drawn `.heapsnapshot` files, in every layout that V8 has written since Node 12.
//!
//! A real snapshot has fifty thousand objects and other sizes on every machine, so no text that is derived
//! from one can be compared letter by letter. These files have a few hundred objects, the same bytes
//! on every run, and V8's layout to the letter: fields, types, order of the sections, line breaks.
//! [`Snapshot`] draws any graph; [`service`] draws the heap of a small Node service as it grows, [`showcase`] one
//! that has something for every view.

pub mod service;
pub mod showcase;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde_json::json;

/// Whose layout a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Six node fields, the last of them `trace_node_id`; a line per object. Node 14 too.
    Node12,
    /// A seventh field, `detachedness`. Node 18 too.
    Node16,
    /// With the types `object shape` and `wasm object`.
    Node20,
    /// As Node 20, of a V8 with compressed pointers: sizes are multiples of four. Electron 22 wrote this.
    Electron,
    /// Six node fields again, the last of them `detachedness`; `extra_native_bytes`, one line for all numbers of a
    /// section, and one type more than there are fields.
    Node24,
    /// As Node 24, with `script_object_index` in the middle of a location and, after those, sections of scopes that
    /// hold negative numbers. Deno and Chromium of 2026.
    Newest,
}

const NODE_TYPES: [&str; 16] = [
    "hidden",
    "array",
    "string",
    "object",
    "code",
    "closure",
    "regexp",
    "number",
    "native",
    "synthetic",
    "concatenated string",
    "sliced string",
    "symbol",
    "bigint",
    "object shape",
    "wasm object",
];

const EDGE_TYPES: [&str; 7] =
    ["context", "element", "property", "internal", "hidden", "shortcut", "weak"];

const TRACE_FUNCTION_FIELDS: [&str; 6] =
    ["function_id", "name", "script_name", "script_id", "line", "column"];

const TRACE_NODE_FIELDS: [&str; 5] = ["id", "function_info_index", "count", "size", "children"];

impl Layout {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Node12, Self::Node16, Self::Node20, Self::Electron, Self::Node24, Self::Newest];

    fn node_fields(self) -> &'static [&'static str] {
        match self {
            Self::Node12 => &["type", "name", "id", "self_size", "edge_count", "trace_node_id"],
            Self::Node16 | Self::Node20 | Self::Electron => {
                &["type", "name", "id", "self_size", "edge_count", "trace_node_id", "detachedness"]
            }
            Self::Node24 | Self::Newest => {
                &["type", "name", "id", "self_size", "edge_count", "detachedness"]
            }
        }
    }

    /// Node 24 has dropped the last one.
    fn node_types(self) -> &'static [&'static str] {
        match self {
            Self::Node12 | Self::Node16 => &NODE_TYPES[..14],
            Self::Node20 | Self::Electron => &NODE_TYPES,
            Self::Node24 | Self::Newest => &NODE_TYPES[..15],
        }
    }

    fn location_fields(self) -> &'static [&'static str] {
        match self {
            Self::Newest => &["object_index", "script_id", "script_object_index", "line", "column"],
            _ => &["object_index", "script_id", "line", "column"],
        }
    }

    /// By which link a function's description holds its script.
    fn script_link(self) -> &'static str {
        match self {
            Self::Node24 | Self::Newest => "script",
            _ => "script_or_debug_info",
        }
    }

    /// Whether each record stands on a line of its own.
    fn has_lines(self) -> bool {
        !matches!(self, Self::Node24 | Self::Newest)
    }

    fn between_rows(self) -> &'static str {
        if self.has_lines() { "\n," } else { "," }
    }

    fn before_end(self) -> &'static str {
        if self.has_lines() { "\n" } else { "" }
    }

    /// The keys in V8's order, which a map of `serde_json` would not keep.
    fn header(self, nodes: usize, edges: usize) -> String {
        let list = |names: &[&str]| json!(names).to_string();
        let fields = self.node_fields();
        // Node 24 had dropped a field and not its type.
        let too_many = usize::from(matches!(self, Self::Node24 | Self::Node12));
        let numbers = vec!["number"; fields.len() - 2 + too_many];
        let extra = if self.has_lines() { "" } else { ",\"extra_native_bytes\":0" };
        let mut meta = vec![
            format!("\"node_fields\":{}", list(fields)),
            format!(
                "\"node_types\":[{},\"string\",{}]",
                list(self.node_types()),
                list(&numbers).trim_matches(['[', ']'])
            ),
            "\"edge_fields\":[\"type\",\"name_or_index\",\"to_node\"]".into(),
            format!("\"edge_types\":[{},\"string_or_number\",\"node\"]", list(&EDGE_TYPES)),
            format!("\"trace_function_info_fields\":{}", list(&TRACE_FUNCTION_FIELDS)),
            format!("\"trace_node_fields\":{}", list(&TRACE_NODE_FIELDS)),
            format!("\"sample_fields\":{}", list(&["timestamp_us", "last_assigned_id"])),
            format!("\"location_fields\":{}", list(self.location_fields())),
        ];
        if self == Self::Newest {
            meta.push(format!("\"scope_fields\":{}", list(&["script_node_index", "scope_id"])));
        }
        format!(
            "{{\"meta\":{{{}}},\"node_count\":{nodes},\"edge_count\":{edges},\
             \"trace_function_count\":0{extra}}}",
            meta.join(",")
        )
    }
}

/// A node of the drawing it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node(usize);

/// A script that functions come from.
#[derive(Clone, Copy, Debug)]
pub struct Script {
    /// V8's number of it.
    pub number: u32,
    node: Node,
}

#[derive(Debug)]
struct NodeRow {
    kind: usize,
    name: usize,
    id: u32,
    size: u64,
    detachedness: u8,
}

/// A snapshot being drawn. It begins with the root and `(GC roots)`.
#[derive(Debug)]
pub struct Snapshot {
    layout: Layout,
    nodes: Vec<NodeRow>,
    ids: HashSet<u32>,
    edges: Vec<(usize, usize, usize, usize)>,
    /// Object, script's number, script, line, column.
    locations: Vec<[usize; 5]>,
    strings: Vec<String>,
    string_index: HashMap<String, usize>,
}

impl Snapshot {
    /// The root, which every snapshot has as its first object.
    pub const ROOT: Node = Node(0);
    /// Where V8's own roots hang.
    pub const GC_ROOTS: Node = Node(1);

    /// A snapshot of nothing but the two.
    pub fn new(layout: Layout) -> Self {
        let mut new = Self {
            layout,
            nodes: Vec::new(),
            ids: HashSet::new(),
            edges: Vec::new(),
            locations: Vec::new(),
            strings: vec!["<dummy>".into()],
            string_index: HashMap::new(),
        };
        let root = new.node("synthetic", "", 1, 0);
        let roots = new.node("synthetic", "(GC roots)", 3, 0);
        new.indexed(root, "element", 1, roots);
        new
    }

    /// Adds an object: V8's name of its type, its name, its object id and its shallow size in bytes.
    ///
    /// # Panics
    /// If the layout has no such type, or the id is taken: a test's own fault.
    pub fn node(&mut self, kind: &str, name: &str, id: u32, size: u64) -> Node {
        let kind = position(self.layout.node_types(), kind);
        assert!(self.ids.insert(id), "two objects @{id}");
        let name = self.string(name);
        self.nodes.push(NodeRow { kind, name, id, size, detachedness: 0 });
        Node(self.nodes.len() - 1)
    }

    /// Marks an object as attached (1) or detached (2), where the layout can say so.
    pub fn detachedness(&mut self, node: Node, state: u8) {
        self.nodes[node.0].detachedness = state;
    }

    /// Adds an edge with a name: `property`, `context`, `internal`, `shortcut`, `weak`.
    ///
    /// # Panics
    /// If there is no such type of edges, or it has no names: a test's own fault.
    pub fn named(&mut self, from: Node, kind: &str, name: &str, to: Node) {
        assert!(!matches!(kind, "element" | "hidden"), "{kind} edges have a number");
        let name = self.string(name);
        self.edges.push((from.0, position(&EDGE_TYPES, kind), name, to.0));
    }

    /// Adds an edge with a number: `element` or `hidden`.
    ///
    /// # Panics
    /// If there is no such type of edges, or it has names: a test's own fault.
    pub fn indexed(&mut self, from: Node, kind: &str, index: usize, to: Node) {
        assert!(matches!(kind, "element" | "hidden"), "{kind} edges have a name");
        self.edges.push((from.0, position(&EDGE_TYPES, kind), index, to.0));
    }

    /// Gives an object a place in a script. Line and column count from 0, as in the file.
    pub fn location(&mut self, node: Node, script: Script, line: usize, column: usize) {
        self.locations.push([node.0, script.number as usize, script.node.0, line, column]);
    }

    /// Adds a script: its number, its path, and the first of the two object ids it takes.
    pub fn script(&mut self, number: u32, path: &str, id: u32) -> Script {
        let node = self.node("code", path, id, 144);
        let name = self.node("string", path, id + 2, 64);
        self.named(node, "internal", "name", name);
        Script { number, node }
    }

    /// Adds the description that all functions made by one piece of code share.
    pub fn shared(&mut self, script: Script, name: &str, id: u32) -> Node {
        let shown = if name.is_empty() { "(shared function info)" } else { name };
        let shared = self.node("code", shown, id, 56);
        let link = self.layout.script_link();
        self.named(shared, "internal", link, script.node);
        shared
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let mut owned: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (i, edge) in self.edges.iter().enumerate() {
            owned[edge.0].push(i);
        }
        let fields = self.layout.node_fields();
        let width = fields.len();
        let nodes = self.nodes.iter().zip(&owned).map(|(n, owned)| {
            let value = |field: &&str| match *field {
                "type" => n.kind,
                "name" => n.name,
                "id" => n.id as usize,
                "self_size" => n.size as usize,
                "edge_count" => owned.len(),
                "detachedness" => n.detachedness.into(),
                _ => 0,
            };
            fields.iter().map(value).collect()
        });
        let edges = owned.iter().flatten().map(|&i| {
            let (_, kind, name, to) = self.edges[i];
            vec![kind, name, to * width]
        });
        let locations = self.locations.iter().map(|&[node, number, script, line, column]| {
            let value = |field: &&str| match *field {
                "object_index" => node * width,
                "script_id" => number,
                "script_object_index" => script * width,
                "line" => line,
                _ => column,
            };
            self.layout.location_fields().iter().map(value).collect()
        });
        let strings: Vec<String> = self.strings.iter().map(|s| json!(s).to_string()).collect();
        let between = if self.layout.has_lines() { ",\n" } else { "," };
        let end = self.layout.before_end();
        let scopes = if self.layout == Layout::Newest { "\"scopes\":[0,-2],\n" } else { "" };
        format!(
            "{{\"snapshot\":{},\n\"nodes\":[{}{end}],\n\"edges\":[{}{end}],\n\"trace_function_infos\":[],\n\
             \"trace_tree\":[],\n\"samples\":[],\n\"locations\":[{}{end}],\n{scopes}\"strings\":[{}]}}",
            self.layout.header(self.nodes.len(), self.edges.len()),
            self.rows(nodes),
            self.rows(edges),
            self.rows(locations),
            strings.join(between),
        )
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        std::fs::write(path, self.text())
    }

    fn rows(&self, rows: impl Iterator<Item = Vec<usize>>) -> String {
        let rows: Vec<String> = rows
            .map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
            .collect();
        rows.join(self.layout.between_rows())
    }

    fn string(&mut self, text: &str) -> usize {
        if let Some(&at) = self.string_index.get(text) {
            return at;
        }
        self.strings.push(text.to_owned());
        self.string_index.insert(text.to_owned(), self.strings.len() - 1);
        self.strings.len() - 1
    }
}

fn position(of: &[&str], name: &str) -> usize {
    of.iter().position(|n| *n == name).unwrap_or_else(|| panic!("no type {name:?} in {of:?}"))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn drawn(layout: Layout) -> Value {
        let mut snapshot = Snapshot::new(layout);
        let a = snapshot.node("object", "A", 5, 24);
        let b = snapshot.node("closure", "b", 7, 56);
        // Not in the order of the owners, which the file needs.
        snapshot.named(a, "property", "b", b);
        snapshot.named(Snapshot::ROOT, "shortcut", "2", a);
        snapshot.indexed(Snapshot::GC_ROOTS, "element", 9, b);
        let script = snapshot.script(3, "/srv/app.js", 9);
        let shared = snapshot.shared(script, "", 13);
        snapshot.named(b, "internal", "shared", shared);
        snapshot.location(b, script, 4, 2);
        serde_json::from_str(&snapshot.text()).unwrap()
    }

    /// Follows the numbers by hand, as the format describes them.
    #[test]
    fn the_numbers_lead_where_they_were_drawn() {
        for layout in Layout::ALL {
            let file = drawn(layout);
            let fields = file["snapshot"]["meta"]["node_fields"].as_array().unwrap();
            let width = fields.len();
            let at = |name: &str| fields.iter().position(|f| f == name).unwrap();
            let numbers = |key: &str| -> Vec<usize> {
                let list = file[key].as_array().unwrap();
                list.iter().map(|n| n.as_u64().unwrap() as usize).collect()
            };
            let (nodes, edges) = (numbers("nodes"), numbers("edges"));
            let text = |i: usize| file["strings"][i].as_str().unwrap();
            assert_eq!(file["snapshot"]["node_count"], nodes.len() / width);
            assert_eq!(file["snapshot"]["edge_count"], edges.len() / 3);
            let mut next = 0;
            let mut drawn = Vec::new();
            for node in nodes.chunks(width) {
                for edge in edges[3 * next..3 * (next + node[at("edge_count")])].chunks(3) {
                    let label = match EDGE_TYPES[edge[0]] {
                        "element" | "hidden" => edge[1].to_string(),
                        _ => text(edge[1]).to_string(),
                    };
                    let to = text(nodes[edge[2] + at("name")]);
                    drawn.push(format!("{}.{label} = {to}", text(node[at("name")])));
                }
                next += node[at("edge_count")];
            }
            let link = layout.script_link();
            assert_eq!(
                drawn,
                [
                    ".1 = (GC roots)".to_string(),
                    ".2 = A".into(),
                    "(GC roots).9 = b".into(),
                    "A.b = b".into(),
                    "b.shared = (shared function info)".into(),
                    "/srv/app.js.name = /srv/app.js".into(),
                    format!("(shared function info).{link} = /srv/app.js"),
                ]
            );
            let mut place = vec![3 * width, 3, 4, 2];
            if layout == Layout::Newest {
                // The script's node: the fourth after the root, `(GC roots)`, `A` and `b`.
                place.insert(2, 4 * width);
            }
            assert_eq!(numbers("locations"), place);
        }
    }

    #[test]
    fn the_headers_are_v8s() {
        let meta = |layout| drawn(layout)["snapshot"]["meta"].clone();
        let counts = Layout::ALL.map(|layout| {
            let meta = meta(layout);
            let len = |list: &Value| list.as_array().map_or(0, Vec::len);
            let types = len(&meta["node_types"][0]);
            (
                len(&meta["node_fields"]),
                len(&meta["node_types"]),
                types,
                len(&meta["location_fields"]),
            )
        });
        // As real files have them, in the order of the layouts.
        let real = [
            (6, 7, 14, 4),
            (7, 7, 14, 4),
            (7, 7, 16, 4),
            (7, 7, 16, 4),
            (6, 7, 15, 4),
            (6, 6, 15, 5),
        ];
        assert_eq!(counts, real);
        assert_eq!(meta(Layout::Node12)["node_fields"][5], "trace_node_id");
        assert_eq!(meta(Layout::Node20)["node_fields"][5], "trace_node_id");
        assert_eq!(meta(Layout::Node24)["node_fields"][5], "detachedness");
        assert_eq!(meta(Layout::Newest)["location_fields"][2], "script_object_index");
    }
}
