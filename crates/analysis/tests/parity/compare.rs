//! One snapshot, or one pair, against what `DevTools`' worker says of it: how many numbers were compared and which
//! differ.

use std::collections::BTreeMap;
use std::path::Path;

use leakline_analysis::{Analysis, By, analyze, diff, summary};
use leakline_formats::{ReadOptions, read_snapshot};
use leakline_heap::{HeapGraph, NodeId};
use serde_json::Value;

/// Differences shown of each kind; the number of all is counted.
const SHOWN: usize = 8;

const SUMMARY_FIELDS: [&str; 5] = ["name", "count", "distance", "shallow_bytes", "retained_bytes"];
const COMPARISON_FIELDS: [&str; 7] = [
    "constructor",
    "new_count",
    "deleted_count",
    "delta_count",
    "allocated_bytes",
    "freed_bytes",
    "delta_bytes",
];

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Numbers that `DevTools` has and that were compared.
    pub numbers: u64,
    /// Rows of the view.
    pub rows: u64,
    /// Single nodes.
    pub nodes: u64,
    /// Numbers and rows that differ.
    pub differ: u64,
    /// Some of them in words.
    pub shown: Vec<String>,
}

impl Outcome {
    /// Takes in what was found in another file, without the words.
    pub fn add(&mut self, other: &Self) {
        self.numbers += other.numbers;
        self.rows += other.rows;
        self.nodes += other.nodes;
        self.differ += other.differ;
    }

    fn differs(&mut self, kind: &str, text: impl FnOnce() -> String) {
        self.differ += 1;
        let prefix = format!("{kind}: ");
        if self.shown.iter().filter(|s| s.starts_with(&prefix)).count() < SHOWN {
            self.shown.push(prefix + &text());
        }
    }

    /// Rows as a multiset: names repeat, for classes of one name at different places.
    fn rows(&mut self, ours: &Value, theirs: &Value, fields: &[&str]) {
        let (ours, theirs) = (multiset(ours, fields), multiset(theirs, fields));
        let rows = theirs.values().sum::<u64>();
        self.rows += rows;
        self.numbers += rows * fields.len() as u64;
        for (row, &times) in &theirs {
            for _ in ours.get(row).copied().unwrap_or(0)..times {
                self.differs("row of DevTools", || row.join(" "));
            }
        }
        for (row, &times) in &ours {
            for _ in theirs.get(row).copied().unwrap_or(0)..times {
                self.differs("row of ours", || row.join(" "));
            }
        }
    }
}

fn multiset(list: &Value, fields: &[&str]) -> BTreeMap<Vec<String>, u64> {
    let mut rows = BTreeMap::new();
    for row in list.as_array().expect("a list of rows") {
        let key = fields.iter().map(|f| row[*f].to_string()).collect();
        *rows.entry(key).or_default() += 1;
    }
    rows
}

/// Reads and analyses a snapshot.
pub fn open(path: &Path) -> (HeapGraph, Analysis) {
    let graph = read_snapshot(path, ReadOptions::default()).unwrap_or_else(|e| panic!("{e}"));
    let analysis = analyze(&graph);
    (graph, analysis)
}

/// Summary rows and single nodes of one snapshot.
pub fn compare_views(path: &Path, theirs: &Value) -> Outcome {
    let (graph, analysis) = open(path);
    let mut outcome = Outcome::default();
    let ours = serde_json::to_value(summary(&graph, &analysis)).expect("a summary is JSON");
    outcome.numbers += 1;
    if ours["snapshot"]["node_count"] != theirs["node_count"] {
        outcome.differs("node count", || ours["snapshot"]["node_count"].to_string());
    }
    outcome.rows(&ours["constructors"], &theirs["summary"], &SUMMARY_FIELDS);
    compare_nodes(&graph, &analysis, &theirs["nodes"], &mut outcome);
    outcome
}

fn compare_nodes(graph: &HeapGraph, analysis: &Analysis, theirs: &Value, outcome: &mut Outcome) {
    let column = |name: &str| -> &[Value] {
        theirs[name].as_array().unwrap_or_else(|| panic!("DevTools' numbers have no {name}"))
    };
    let number = |name: &str, at: usize| -> i64 {
        let value = &column(name)[at];
        // Sums of sizes are floating point numbers in JavaScript, whole ones.
        value.as_i64().or_else(|| value.as_f64().map(|f| f as i64)).expect("a number")
    };
    let classes: Vec<&str> = column("classes").iter().filter_map(Value::as_str).collect();
    for (at, ordinal) in column("ordinal").iter().enumerate() {
        let node = NodeId(ordinal.as_u64().expect("an ordinal") as u32);
        outcome.nodes += 1;
        let ours: [(&str, i64); 5] = [
            ("id", graph.object_id(node).into()),
            ("shallow", analysis.shallow_size(node) as i64),
            ("retained", analysis.retained_size(node) as i64),
            ("distance", analysis.distances.raw(node).into()),
            ("dominator", analysis.dominators.immediate(node).0.into()),
        ];
        for (what, ours) in ours {
            outcome.numbers += 1;
            let theirs = number(what, at);
            if ours != theirs {
                outcome.differs(what, || {
                    let (id, kind) = (graph.object_id(node), graph.node_type(node).name());
                    let name = graph.node_name(node);
                    format!("@{id} {kind} {name:?}: ours {ours}, DevTools {theirs}")
                });
            }
        }
        outcome.numbers += 1;
        let ours = analysis.classes.get(analysis.classes.of_node(node)).key();
        let theirs = classes[number("class", at) as usize];
        if ours != theirs {
            outcome.differs("class", || {
                format!("@{}: ours {ours:?}, DevTools {theirs:?}", graph.object_id(node))
            });
        }
    }
}

/// The rows of the Comparison view.
pub fn compare_pair(earlier: &Path, later: &Path, theirs: &Value) -> Outcome {
    let ((graph_a, a), (graph_b, b)) = (open(earlier), open(later));
    let ours = diff(&[(&graph_a, &a), (&graph_b, &b)]);
    let mut outcome = Outcome::default();
    if ours.comparable.by != By::Id {
        outcome.differs("not comparable by id", || ours.comparable.reason.clone());
    }
    let ours = serde_json::to_value(&ours).expect("a comparison is JSON");
    outcome.rows(&ours["rows"], &theirs["comparison"], &COMPARISON_FIELDS);
    outcome
}
