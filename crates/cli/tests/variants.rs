//! Forty leaking apps and twelve healthy twins, drawn at random and run on real Node: each culprit must come out first.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]
#![allow(clippy::print_stdout, reason = "what a failing test shows beside its assertion")]

mod common;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use leakline_testkit::apps::{Truth, snapshots_of};
use leakline_testkit::load::Load;
use leakline_testkit::node::{NodeApp, node_binary};
use leakline_testkit::turns::in_turn;
use leakline_testkit::variants::{Health, Variant, listener_app, map_app};
use serde_json::Value;

use common::{run, scratch};

/// Requests before each of the three snapshots.
const REQUESTS: u64 = 400;
/// Apps at a time.
const WORKERS: usize = 2;

/// How many apps of each family: 20, or what `LEAKLINE_VARIANTS` says.
fn count() -> u64 {
    std::env::var("LEAKLINE_VARIANTS").map_or(20, |n| n.parse().expect("a number of variants"))
}

/// The tests of this file take turns: each uses all the cores that there may be.
static TURN: Mutex<()> = Mutex::new(());

#[test]
fn listener_variants() {
    all_right((0..count()).map(|n| (n, listener_app(n, Health::Leaks))));
}

#[test]
fn map_variants() {
    all_right((0..count()).map(|n| (n, map_app(n, Health::Leaks))));
}

#[test]
fn healthy_twins() {
    all_right(
        (0..6).flat_map(|n| {
            [(n, listener_app(n, Health::Fixed)), (n + 1, map_app(n, Health::Fixed))]
        }),
    );
}

fn all_right(variants: impl Iterator<Item = (u64, Variant)>) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // In pairs, so that neither version sees only the even numbers.
    let jobs: Vec<(u32, Variant)> =
        variants.map(|(number, v)| (if (number / 2) % 2 == 0 { 20 } else { 24 }, v)).collect();
    let mut rows = in_turn(&jobs, WORKERS, |(version, variant)| {
        let outcome = judge(*version, variant);
        (variant.name.clone(), *version, variant.traits.clone(), outcome)
    });
    rows.sort();
    assert_eq!(rows.len(), jobs.len());
    let wrong = rows.iter().filter(|(.., outcome)| outcome.is_err()).count();
    let mut table = format!("{} of {} right\n", rows.len() - wrong, rows.len());
    for (name, version, traits, outcome) in &rows {
        let text = match outcome {
            Ok(text) => format!("ok     {text}"),
            Err(text) => format!("WRONG  {text}"),
        };
        let _ = writeln!(table, "{name:18} node {version}  {traits:40} {text}");
    }
    println!("{table}");
    assert_eq!(wrong, 0, "{table}");
}

/// Runs the variant and compares what Leakline says with the truth about it.
fn judge(version: u32, variant: &Variant) -> Result<String, String> {
    let dir = scratch();
    let node = node_binary(version).map_err(|e| e.to_string())?;
    let (script, truth) = variant.write(dir.path()).map_err(|e| e.to_string())?;
    let load = Load::new(&variant.path, REQUESTS);
    let snapshots =
        snapshots_of(&NodeApp::new(node, script), &load, dir.path()).map_err(|e| e.to_string())?;
    let [a, b, c] = snapshots.each_ref().map(|p| p.as_os_str());
    let run = run(["suspects".as_ref(), a, b, c, "--json".as_ref()]);
    if run.code != Some(0) {
        return Err(run.to_string());
    }
    let found: Value =
        serde_json::from_str(&run.stdout).map_err(|e| format!("no JSON ({e}): {run}"))?;
    match truth {
        Some(truth) => compare(&found, &truth, dir.path()),
        None if found["verdict"] == "no-leak" && found["leak"] == false => Ok("no leak".to_owned()),
        None => Err(format!("verdict {}, first: {}", found["verdict"], found["suspects"][0])),
    }
    .map(|text| format!("{text} in {:.1} s", run.elapsed.as_secs_f64()))
}

fn compare(found: &Value, truth: &Truth, dir: &Path) -> Result<String, String> {
    let first = &found["suspects"][0];
    let (culprit, leaked) = (&first["culprit"], &first["leaked"]);
    let short = |file: &str| file.replace(&*dir.to_string_lossy(), "…");
    let mut wrong = Vec::new();
    let mut check = |what: &str, right: bool, got: &Value| {
        if !right {
            wrong.push(format!("{what} is {}", short(&got.to_string())));
        }
    };
    check("verdict", found["verdict"] == "leak" && found["leak"] == true, &found["verdict"]);
    check("rank", first["rank"] == 1, &first["rank"]);
    check("rule", first["rule"] == truth.rule, &first["rule"]);
    check("file", culprit["file"] == *truth.file.to_string_lossy(), &culprit["file"]);
    check("line", culprit["line"] == truth.line, &culprit["line"]);
    // Twice the load lies between the first and the last snapshot, and each request leaks one.
    let expected = 2 * REQUESTS as i64;
    let delta = leaked["count_delta"].as_i64().unwrap_or(-1);
    check("count_delta", (expected - 10..=expected + 10).contains(&delta), &leaked["count_delta"]);
    let share = first["leaked"]["share_of_growth"].as_f64().unwrap_or(-1.0);
    check("share_of_growth", (0.2..=1.0).contains(&share), &leaked["share_of_growth"]);
    if wrong.is_empty() {
        Ok(format!(
            "{}:{}, +{delta}, {:.0} % of the growth",
            short(&truth.file.to_string_lossy()),
            truth.line,
            share * 100.0
        ))
    } else {
        Err(format!(
            "{}; expected {}:{}",
            wrong.join(", "),
            short(&truth.file.to_string_lossy()),
            truth.line
        ))
    }
}
