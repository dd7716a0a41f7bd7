//! Every number of ours against `DevTools`' own worker, on snapshots that every runtime writes of the same program.
//!
//! `docs/devtools-parity.md` says what is compared and lists the differences that are meant, with the tests that pin
//! them. Here nothing may differ.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]
#![allow(clippy::print_stdout, reason = "what was compared, a line for each file")]

mod compare;

use std::path::{Path, PathBuf};

use leakline_testkit::runtimes::{Runtime, devtools};

use compare::{Outcome, compare_pair, compare_views};

/// Fewer numbers than this in one file would mean that nothing was compared.
const FEW: u64 = 60_000;

fn report(label: &str, outcome: &Outcome, failures: &mut Vec<String>) {
    println!(
        "{label:<34} {:>5} rows {:>7} nodes {:>8} numbers {:>6} differ",
        outcome.rows, outcome.nodes, outcome.numbers, outcome.differ
    );
    failures.extend(outcome.shown.iter().map(|text| format!("{label}: {text}")));
}

/// Compares files, and pairs joined by `+`.
fn compare(label: &str, orders: &[String]) -> (u64, Vec<String>) {
    let answers = devtools(orders).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(answers.len(), orders.len());
    let mut failures = Vec::new();
    let mut numbers = 0;
    for (order, answer) in orders.iter().zip(&answers) {
        let names: Vec<&Path> = order.split('+').map(Path::new).collect();
        let stems: Vec<_> =
            names.iter().map(|p| p.file_stem().unwrap_or_default().to_string_lossy()).collect();
        let label = format!("{label}{}", stems.join(" → "));
        let outcome = match names.as_slice() {
            [file] => compare_views(file, answer),
            [earlier, later] => compare_pair(earlier, later, answer),
            _ => panic!("{order} names more than two files"),
        };
        numbers += outcome.numbers;
        report(&label, &outcome, &mut failures);
    }
    (numbers, failures)
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
    let (numbers, failures) = compare(&format!("{runtime} "), &orders);
    assert!(failures.is_empty(), "{} differences\n{}", failures.len(), failures.join("\n"));
    assert!(numbers > FEW * files.len() as u64, "only {numbers} numbers were compared");
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

/// For `scripts/parity.sh`: files and pairs of the caller's own, one a line in `LEAKLINE_PARITY`.
#[test]
#[ignore = "compares what LEAKLINE_PARITY names; run by scripts/parity.sh"]
fn given_files() {
    let given = std::env::var("LEAKLINE_PARITY").expect("LEAKLINE_PARITY names no files");
    let orders: Vec<String> = given.lines().map(ToOwned::to_owned).collect();
    let (numbers, failures) = compare("", &orders);
    assert!(failures.is_empty(), "{} differences\n{}", failures.len(), failures.join("\n"));
    assert!(numbers > 0, "nothing was compared");
}
