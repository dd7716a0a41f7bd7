//! Random snapshots: small heaps that break every habit of V8's, in every layout, so that each rule of `DevTools` meets
//! each other. Names and links are drawn from those that rules exist for.

use std::collections::BTreeMap;

use leakline_testkit::heapsnapshot::{Layout, Node, Script, Snapshot};
use leakline_testkit::random::Rng;

/// Types with names that mean something to `DevTools`; and each name with a type for which it does not.
const OBJECTS: [&str; 12] = [
    "Object",
    "Object",
    "Object",
    "Object",
    "Session",
    "Session",
    "Array",
    "Function",
    "(string)",
    "<div id=\"a\">",
    "Detached <p>",
    "{a, b}",
];
const NATIVES: [&str; 8] = [
    "<div id=\"a\">",
    "<div class=\"b\">",
    "<p>",
    "Detached <p title=\"x\">",
    "Window / x",
    "Node",
    "system / ExternalStringData",
    "Session",
];
const HIDDEN: [&str; 4] =
    ["system / NativeContext", "system / NativeContext", "system / Map", "sloppy_function_map"];
const ARRAYS: [&str; 3] = ["(map descriptors)", "(map descriptors)", "(object elements)"];
const SYNTHETIC: [&str; 4] =
    ["(Document DOM trees)", "(GC roots)", "(Global handles)", "Node / Env"];
const OTHERS: [&str; 5] = ["string", "code", "closure", "concatenated string", "symbol"];
const PROPERTIES: [&str; 10] =
    ["a", "b", "c", "d", "__proto__", "a,b", "it's", "{x}", "q\"\\\n", "ключ"];
const INTERNALS: [&str; 6] = ["sloppy_function_map", "map", "elements", "3", "7", "1"];

/// What is drawn once for both snapshots of a session.
struct Plan {
    layout: Layout,
    nodes: Vec<PlannedNode>,
    edges: Vec<PlannedEdge>,
}

struct PlannedNode {
    kind: &'static str,
    name: &'static str,
    id: u32,
    size: u64,
    detachedness: u8,
    place: Option<[usize; 3]>,
}

struct PlannedEdge {
    from: usize,
    kind: &'static str,
    name: String,
    to: usize,
}

impl Plan {
    fn new(layout: Layout, seed: u64) -> (Self, Rng) {
        let mut dice = Rng::new(seed);
        let count = 8 + dice.below(60);
        let mut id = 5;
        let nodes: Vec<PlannedNode> = (0..count)
            .map(|_| {
                // The embedder's objects have even ids.
                id += 1 + dice.below(4) as u32;
                planned_node(layout, id, &mut dice)
            })
            .collect();
        let mut plan = Self { layout, nodes, edges: Vec::new() };
        let sparse = dice.percent(30);
        for _ in 0..count * if sparse { 1 } else { 3 } {
            let edge = planned_edge(count, &mut dice);
            plan.edges.push(edge);
        }
        for i in 0..dice.below(8) {
            plan.weak_map_entry(i, &mut dice);
        }
        (plan, dice)
    }

    /// Both halves of an entry, or one of them, or one twice; from the table and key that the name tells, or others.
    fn weak_map_entry(&mut self, number: usize, dice: &mut Rng) {
        let count = self.nodes.len();
        let [table, key, value] = [(); 3].map(|()| dice.below(count));
        let id = |at: usize| self.nodes[at].id;
        let shared = format!(
            " / part of key (Key @{}) -> value (Value @{}) pair in WeakMap (table @{})",
            id(key),
            id(value),
            id(table)
        );
        for half in 0..=dice.below(4) {
            let from = if dice.percent(15) { dice.below(count) } else { [table, key][half % 2] };
            let to = if dice.percent(40) { dice.below(count) } else { value };
            let name = format!("{}{shared}", 10 * number + half);
            self.edges.push(PlannedEdge { from, kind: "internal", name, to });
        }
    }

    /// A snapshot with most of what was planned.
    fn snapshot(&self, dice: &mut Rng) -> Snapshot {
        let mut snapshot = Snapshot::new(self.layout);
        let scripts: Vec<Script> = (0..2)
            .map(|i| snapshot.script(i + 1, ["a.js", "b.js"][i as usize], 10_001 + 4 * i))
            .collect();
        let mut made: BTreeMap<usize, Node> = BTreeMap::new();
        for (at, planned) in self.nodes.iter().enumerate() {
            if dice.percent(15) {
                continue;
            }
            let node = snapshot.node(planned.kind, planned.name, planned.id, planned.size);
            snapshot.detachedness(node, planned.detachedness);
            if let Some([script, line, column]) = planned.place {
                snapshot.location(node, scripts[script], line, column);
            }
            made.insert(at, node);
        }
        for edge in &self.edges {
            let (Some(&from), Some(&to)) = (made.get(&edge.from), made.get(&edge.to)) else {
                continue;
            };
            if dice.percent(10) {
                continue;
            }
            link(&mut snapshot, from, edge.kind, &edge.name, to);
        }
        let roots = 1 + dice.below(5);
        let all: Vec<Node> = made.into_values().collect();
        for i in 0..roots {
            let to = all[dice.below(all.len())];
            let from = if dice.percent(70) { Snapshot::ROOT } else { Snapshot::GC_ROOTS };
            let kind = dice.pick(&["shortcut", "shortcut", "element", "weak"]);
            link(&mut snapshot, from, kind, &i.to_string(), to);
        }
        snapshot
    }
}

fn link(snapshot: &mut Snapshot, from: Node, kind: &str, name: &str, to: Node) {
    if matches!(kind, "element" | "hidden") {
        let digits: String = name.chars().filter(char::is_ascii_digit).take(3).collect();
        snapshot.indexed(from, kind, digits.parse().unwrap_or(0), to);
    } else {
        snapshot.named(from, kind, name, to);
    }
}

fn planned_node(layout: Layout, id: u32, dice: &mut Rng) -> PlannedNode {
    let (kind, name) = match dice.below(20) {
        0..8 => ("object", dice.pick(&OBJECTS)),
        8..11 => ("native", dice.pick(&NATIVES)),
        11..13 => ("hidden", dice.pick(&HIDDEN)),
        13..15 => ("array", dice.pick(&ARRAYS)),
        15 => ("synthetic", dice.pick(&SYNTHETIC)),
        16 if matches!(layout, Layout::Node20 | Layout::Electron) => ("wasm object", "struct"),
        16 => ("regexp", "/a/"),
        _ => (dice.pick(&OTHERS), dice.pick(&["Object", "text", "<b>", ""])),
    };
    let size = match dice.below(10) {
        0 | 1 => 0,
        2 => 1_000_000 + dice.below(1000) as u64,
        // Compressed pointers take four bytes.
        _ if layout == Layout::Electron => 4 * (1 + dice.below(40) as u64),
        _ => 8 * (1 + dice.below(20) as u64),
    };
    // Text outside the heap that is detached is counted otherwise (differences.rs): it needs a layout that cannot say so.
    let name = match name {
        "system / ExternalStringData" if layout != Layout::Node12 => "Node",
        _ => name,
    };
    let detachedness = if dice.percent(20) { 1 + dice.below(2) as u8 } else { 0 };
    let located = dice.percent(30);
    let place = [dice.below(2), dice.below(2), dice.below(2)];
    PlannedNode { kind, name, id, size, detachedness, place: located.then_some(place) }
}

fn planned_edge(count: usize, dice: &mut Rng) -> PlannedEdge {
    let kind = match dice.below(20) {
        0..9 => "property",
        9..11 => "element",
        11..14 => "internal",
        14..16 => "hidden",
        16 => "shortcut",
        17 => "weak",
        _ => "context",
    };
    let name = match kind {
        "property" | "context" => dice.pick(&PROPERTIES).to_owned(),
        "internal" => dice.pick(&INTERNALS).to_owned(),
        _ => dice.below(12).to_string(),
    };
    // Most links lead to what came before or after by a little: chains and rings; others anywhere.
    let from = dice.below(count);
    let to = if dice.percent(50) { (from + 1 + dice.below(3)) % count } else { dice.below(count) };
    PlannedEdge { from, kind, name, to }
}

/// Two snapshots of one session.
pub fn pair(layout: Layout, seed: u64) -> [Snapshot; 2] {
    let (plan, mut dice) = Plan::new(layout, seed);
    [plan.snapshot(&mut dice), plan.snapshot(&mut dice)]
}
