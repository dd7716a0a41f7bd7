//! Eight cases of the benchmark on two versions of Node: seven leaks of different families and a healthy service.
//!
//! The whole benchmark takes a quarter of an hour and is a command (`leakbench/README.md`). These eight are here so that
//! the common families keep their line on every change.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

use leakline_leakbench::case::{self, Case};
use leakline_leakbench::run::{self, Options};
use leakline_leakbench::score::Score;
use leakline_testkit::turns::in_turn;

const NODES: [u32; 2] = [20, 24];

/// Two at a time: more would stretch the gaps between snapshots on a small machine.
const JOBS: usize = 2;

const CASES: [&str; 8] = [
    "process-warning",
    "shutdown-signal",
    "interval-progress",
    "lodash-memoize",
    "promise-race",
    "debug-instances",
    "typescript-gauges",
    "listener-pairs",
];

#[test]
fn eight_cases_on_two_versions() {
    let all = case::all().unwrap();
    let cases: Vec<&Case> = CASES
        .iter()
        .map(|name| {
            all.iter().find(|c| c.name == *name).unwrap_or_else(|| panic!("no case {name}"))
        })
        .collect();
    let runs: Vec<(&Case, u32)> =
        cases.iter().flat_map(|case| NODES.map(|node| (*case, node))).collect();
    let options = Options { leakline: run::built_leakline().unwrap(), jobs: JOBS, keep: None };
    let scratch = tempfile::tempdir().unwrap();
    let scores = in_turn(&runs, JOBS, |(case, node)| {
        let dir = scratch.path().join(format!("{}-{node}", case.name));
        run::live(case, *node, &dir, &options)
    });
    let mut wrong = Vec::new();
    for name in CASES {
        let of: Vec<&Score> = scores.iter().filter(|s| s.case == name).collect();
        wrong.extend(of.iter().filter(|s| !s.right()).map(|s| told(s)));
    }
    // It is built by the tests of the whole workspace, not by this test alone.
    let judged = options.leakline.display();
    assert!(wrong.is_empty(), "{judged} (stale? cargo build -p leakline):\n{}", wrong.join("\n"));
}

fn told(score: &Score) -> String {
    let said = score.error.as_deref().unwrap_or(&score.first);
    format!(
        "{} on node {}: line at rank {}, leak {}: {said}",
        score.case, score.node, score.ranks.line, score.reported
    )
}
