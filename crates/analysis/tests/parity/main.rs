//! Every number of ours against `DevTools`' own worker, on snapshots that every runtime writes of the same program.
//!
//! `docs/devtools-parity.md` says what is compared and lists the differences that are meant, with the tests that pin
//! them. Here nothing may differ.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]
#![allow(clippy::print_stdout, reason = "what was compared, a line for each file")]

mod compare;
mod differences;
mod random;

use std::path::{Path, PathBuf};

use leakline_analysis::summary;
use leakline_analysis::views::allocation_stack;
use leakline_testkit::heapsnapshot::service::{Behaviour, Service};
use leakline_testkit::heapsnapshot::{Layout, Snapshot};
use leakline_testkit::runtimes::{Runtime, devtools};

use serde_json::Value;

use compare::{Outcome, compare_pair, compare_views, open};

/// Fewer numbers than this in one file would mean that nothing was compared.
const FEW: u64 = 60_000;
/// Random pairs of each layout.
const RANDOM: u64 = 80;

fn report(label: &str, outcome: &Outcome) {
    println!(
        "{label:<30} {:>6} rows {:>7} nodes {:>8} numbers {:>5} differ",
        outcome.rows, outcome.nodes, outcome.numbers, outcome.differ
    );
}

/// Compares files, and pairs joined by `+`: for each what was found, and what to call it.
fn compare(orders: &[String]) -> Vec<(String, Outcome)> {
    let answers = devtools(orders).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(answers.len(), orders.len());
    let one = |(order, answer): (&String, &Value)| {
        let names: Vec<&Path> = order.split('+').map(Path::new).collect();
        let stems: Vec<_> =
            names.iter().map(|p| p.file_stem().unwrap_or_default().to_string_lossy()).collect();
        let outcome = match names.as_slice() {
            [file] => compare_views(file, answer),
            [earlier, later] => compare_pair(earlier, later, answer),
            _ => panic!("{order} names more than two files"),
        };
        (stems.join(" → "), outcome)
    };
    orders.iter().zip(&answers).map(one).collect()
}

/// Fails if anything differs. Returns how many numbers were compared.
fn nothing_differs(found: &[(String, Outcome)]) -> u64 {
    let texts: Vec<String> = found
        .iter()
        .flat_map(|(label, outcome)| outcome.shown.iter().map(move |s| format!("{label}: {s}")))
        .collect();
    let differ: u64 = found.iter().map(|(_, outcome)| outcome.differ).sum();
    assert_eq!(differ, 0, "differences, among them\n{}", texts.join("\n"));
    found.iter().map(|(_, outcome)| outcome.numbers).sum()
}

fn check(runtime: Runtime) {
    let dir = tempfile::tempdir().unwrap();
    let files = runtime.snapshots(dir.path()).unwrap_or_else(|e| panic!("{e}"));
    let text = |path: &PathBuf| path.to_str().expect("a folder of ours").to_owned();
    let mut orders: Vec<String> = files.iter().map(text).collect();
    assert!(orders.len() >= 5, "{runtime} wrote only {orders:?}");
    let pair = |a: &str, b: &str| {
        let file = |name: &str| text(&dir.path().join(format!("{name}.heapsnapshot")));
        format!("{}+{}", file(a), file(b))
    };
    orders.extend([pair("a", "b"), pair("values", "tracked")]);
    let found = compare(&orders);
    for (label, outcome) in &found {
        report(&format!("{runtime} {label}"), outcome);
    }
    let numbers = nothing_differs(&found);
    assert!(numbers > FEW * files.len() as u64, "only {numbers} numbers were compared");
    classes_of_one_name_are_told_apart(&dir.path().join("a.heapsnapshot"));
    objects_know_who_allocated_them(runtime, &dir.path().join("tracked.heapsnapshot"));
}

/// What the zoo's `build` made while allocations were tracked.
///
/// Chromium is handed the program as text: its functions have lines, but the file names no script for them.
fn objects_know_who_allocated_them(runtime: Runtime, file: &Path) {
    let named = !matches!(runtime, Runtime::Chromium);
    let (graph, _) = open(file);
    let stacks: Vec<_> = graph.nodes().filter_map(|node| allocation_stack(&graph, node)).collect();
    let built = stacks.iter().filter(|stack| {
        stack.iter().any(|frame| {
            let script = frame.file.as_deref().map_or(!named, |f| f.ends_with("zoo.js"));
            frame.function == "build" && script && frame.line.is_some_and(|line| line > 1)
        })
    });
    let built = built.count();
    let sample: Vec<_> =
        stacks.iter().flatten().filter(|f| f.function == "build").take(2).collect();
    assert!(
        built > 100,
        "{built} of {} stacks lead through `build`, such as {sample:?}",
        stacks.len()
    );
    let samples = graph.allocations().expect("it was tracked").samples();
    assert!(samples.is_sorted_by_key(|s| s.timestamp_us), "{samples:?}");
    println!("{:<30} {:>6} of {} allocation stacks lead to the zoo", "", built, stacks.len());
}

/// Beyond `DevTools`, which shows no file without a live session: the zoo's two classes `Session`.
fn classes_of_one_name_are_told_apart(file: &Path) {
    let (graph, analysis) = open(file);
    let rows = summary(&graph, &analysis).constructors;
    let mut sessions: Vec<(u64, String)> = rows
        .iter()
        .filter(|row| row.name == "Session")
        .map(|row| (row.count, row.location.as_ref().map_or("nowhere", |at| &at.file).to_owned()))
        .collect();
    sessions.sort_unstable();
    let places: Vec<(u64, bool, bool)> = sessions
        .iter()
        .map(|(n, file)| {
            (*n, file.ends_with("zoo/sessions-b.js"), file.ends_with("zoo/sessions-a.js"))
        })
        .collect();
    assert_eq!(places, [(20, true, false), (40, false, true)], "{sessions:?}");
}

#[test]
fn node_12() {
    check(Runtime::Node(12));
}

#[test]
fn node_14() {
    check(Runtime::Node(14));
}

#[test]
fn node_16() {
    check(Runtime::Node(16));
}

#[test]
fn node_18() {
    check(Runtime::Node(18));
}

#[test]
fn node_20() {
    check(Runtime::Node(20));
}

#[test]
fn node_22() {
    check(Runtime::Node(22));
}

#[test]
fn node_24() {
    check(Runtime::Node(24));
}

#[test]
fn node_26() {
    check(Runtime::Node(26));
}

#[test]
fn deno() {
    check(Runtime::Deno);
}

#[test]
fn chromium() {
    check(Runtime::Chromium);
}

/// No package brings an Electron that runs here, so its layout is drawn: a service as it grows, with WebAssembly objects.
#[test]
fn electron() {
    let dir = tempfile::tempdir().unwrap();
    let service = Service {
        layout: Layout::Electron,
        behaviour: Behaviour::Leaks,
        script: Path::new("/srv/app.js"),
        id_offset: 0,
    };
    let mut orders: Vec<String> = (0..2)
        .map(|generation| {
            let mut snapshot = service.snapshot(generation);
            for i in 0..3 + generation as u32 {
                let object = snapshot.node("wasm object", "struct", 90_001 + 2 * i, 12);
                snapshot.indexed(Snapshot::GC_ROOTS, "element", 100 + i as usize, object);
            }
            let file = dir.path().join(format!("{generation}.heapsnapshot"));
            snapshot.write(&file).unwrap();
            file.to_str().expect("a folder of ours").to_owned()
        })
        .collect();
    orders.push(orders.join("+"));
    let found = compare(&orders);
    for (label, outcome) in &found {
        report(&format!("electron {label}"), outcome);
    }
    assert!(nothing_differs(&found) > 500);
    let (graph, analysis) = open(Path::new(&orders[1]));
    let rows = summary(&graph, &analysis).constructors;
    let row = rows.iter().find(|row| row.name == "(wasm object)").expect("a row of their own");
    assert_eq!((row.count, row.shallow_bytes), (4, 48));
}

/// Heaps as no V8 writes them, in every layout V8 has written.
#[test]
fn random() {
    let dir = tempfile::tempdir().unwrap();
    let mut orders = Vec::new();
    for layout in Layout::ALL {
        for seed in 0..RANDOM {
            let files = random::pair(layout, seed).map(|snapshot| {
                let name = format!("{layout:?}-{seed}-{}.heapsnapshot", orders.len());
                let file = dir.path().join(name);
                snapshot.write(&file).unwrap();
                orders.push(file.to_str().expect("a folder of ours").to_owned());
                orders[orders.len() - 1].clone()
            });
            orders.push(files.join("+"));
        }
    }
    let found = compare(&orders);
    let per_layout = found.len() / Layout::ALL.len();
    for (layout, found) in Layout::ALL.iter().zip(found.chunks(per_layout)) {
        let mut sum = Outcome::default();
        for (_, outcome) in found {
            sum.add(outcome);
        }
        report(&format!("random {layout:?}, {per_layout} files and pairs"), &sum);
    }
    let numbers = nothing_differs(&found);
    assert!(numbers > RANDOM * Layout::ALL.len() as u64 * 300, "only {numbers} were compared");
}

/// For `scripts/parity.sh`: files and pairs of the caller's own, one a line in `LEAKLINE_PARITY`.
#[test]
#[ignore = "compares what LEAKLINE_PARITY names; run by scripts/parity.sh"]
fn given_files() {
    let given = std::env::var("LEAKLINE_PARITY").expect("LEAKLINE_PARITY names no files");
    let orders: Vec<String> = given.lines().map(ToOwned::to_owned).collect();
    let found = compare(&orders);
    for (label, outcome) in &found {
        report(label, outcome);
    }
    assert!(nothing_differs(&found) > 0, "nothing was compared");
}
