//! An answer held against the truth.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::case::{Case, Place, Truth};

/// How many lines an answer may be off: a call may be written over several lines.
pub(crate) const LINE_SLACK: u32 = 2;
/// "Within three": as far as a tired engineer reads.
const NEAR: usize = 3;

/// The rank at which something was first right; 0 for never.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Ranks {
    /// The family.
    pub family: usize,
    /// The file.
    pub file: usize,
    /// The line.
    pub line: usize,
}

/// What is said of one run of one case.
#[derive(Debug, Clone, Serialize)]
pub struct Score {
    /// The case.
    pub case: String,
    /// The major version of Node.
    pub node: u32,
    /// Whether the case leaks.
    pub leaks: bool,
    /// Whether a leak was reported.
    pub reported: bool,
    /// Ranks at which the answer was right.
    pub ranks: Ranks,
    /// For a leak inside a package: whether the first right line gives the package's line and the user's call, both.
    pub both: Option<bool>,
    /// The first suspect in short.
    pub first: String,
    /// From the start of the analysis to its answer, where it was measured apart from the capture.
    pub seconds: Option<f64>,
    /// What stood in the way of an answer.
    pub error: Option<String>,
}

impl Score {
    /// Whether the right line stands first, or a healthy case was left alone.
    pub fn right(&self) -> bool {
        self.error.is_none() && if self.leaks { self.ranks.line == 1 } else { !self.reported }
    }

    /// Whether that rank counts as "within three".
    pub fn near(rank: usize) -> bool {
        (1..=NEAR).contains(&rank)
    }
}

/// Scores a `suspects` document or an investigation; both have the fields that count.
pub fn score(case: &Case, node: u32, answer: &Value, seconds: Option<f64>) -> Score {
    let mut score = failed(case, node, String::new());
    score.error = None;
    score.seconds = seconds;
    score.reported = answer["leak"] == true;
    let suspects = answer["suspects"].as_array().map_or(&[][..], Vec::as_slice);
    score.first = suspects.first().map_or_else(String::new, short);
    if let Some(truth) = &case.truth {
        for (rank, suspect) in (1..).zip(suspects) {
            judge(&mut score, truth, rank, suspect);
        }
    }
    score
}

/// A case that gave no answer.
pub fn failed(case: &Case, node: u32, error: String) -> Score {
    Score {
        case: case.name.clone(),
        node,
        leaks: case.truth.is_some(),
        reported: false,
        ranks: Ranks::default(),
        both: None,
        first: String::new(),
        seconds: None,
        error: Some(error),
    }
}

fn judge(score: &mut Score, truth: &Truth, rank: usize, suspect: &Value) {
    let first = |slot: &mut usize, right: bool| {
        if *slot == 0 && right {
            *slot = rank;
        }
    };
    first(&mut score.ranks.family, truth.families.iter().any(|f| suspect["rule"] == f.as_str()));
    let culprit = &suspect["culprit"];
    let caller = &culprit["caller"];
    let user = |test: Test| [culprit, caller].iter().any(|c| at_any(c, &truth.places, test));
    let package = |test: Test| at_any(culprit, &truth.package_places, test);
    first(&mut score.ranks.file, user(same_file) || package(same_file));
    let line = user(same_line) || package(same_line);
    if line && score.ranks.line == 0 && !truth.package_places.is_empty() {
        score.both = Some(package(same_line) && at_any(caller, &truth.places, same_line));
    }
    first(&mut score.ranks.line, line);
}

type Test = fn(&Value, &Place) -> bool;

/// Whether a culprit, or the place in the original source that it gives, is one of the places.
fn at_any(culprit: &Value, places: &[Place], test: Test) -> bool {
    places.iter().any(|p| test(culprit, p) || test(&culprit["original"], p))
}

fn same_file(culprit: &Value, place: &Place) -> bool {
    culprit["file"].as_str().is_some_and(|file| same_path(Path::new(file), &place.file))
}

fn same_line(culprit: &Value, place: &Place) -> bool {
    same_file(culprit, place)
        && culprit["line"]
            .as_u64()
            .is_some_and(|l| l.abs_diff(u64::from(place.line)) <= u64::from(LINE_SLACK))
}

/// Captures may come from another checkout: what counts is the path inside the benchmark.
fn same_path(a: &Path, b: &Path) -> bool {
    inside(a).is_some_and(|a| Some(a) == inside(b))
}

fn inside(path: &Path) -> Option<&Path> {
    let mut parts = path.components();
    loop {
        if parts.next()?.as_os_str() == "leakbench" {
            return Some(parts.as_path());
        }
    }
}

/// A suspect on one line.
fn short(suspect: &Value) -> String {
    let rule = suspect["rule"].as_str().unwrap_or("?");
    let holder = suspect["holder"]["path"].as_str().unwrap_or("?");
    let culprit = &suspect["culprit"];
    let place = match (culprit["file"].as_str(), culprit["line"].as_u64()) {
        (Some(file), Some(line)) => {
            let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
            format!("{name}:{line}")
        }
        _ => "no line".to_owned(),
    };
    let delta = &suspect["leaked"]["count_delta"];
    format!("{rule} {place} {holder} +{delta}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::CaseLoad;
    use serde_json::json;
    use std::path::PathBuf;

    fn case() -> Case {
        let load = CaseLoad { paths: vec![], per_second: 1, connections: 1 };
        let place = |file: &str, line| Place { file: PathBuf::from(file), line };
        Case {
            name: "x".into(),
            dir: "/a/leakbench/leaks/x".into(),
            script: "/a/leakbench/leaks/x/app.js".into(),
            package: None,
            nodes: vec![],
            load,
            truth: Some(Truth {
                families: vec!["timer".into()],
                places: vec![place("/a/leakbench/leaks/x/app.js", 10)],
                package_places: vec![place("/a/leakbench/node_modules/p/i.js", 5)],
                things: vec![],
            }),
        }
    }

    #[test]
    fn the_first_right_rank_counts_and_another_checkout_is_the_same_file() {
        let user = json!({"file": "/b/leakbench/leaks/x/app.js", "line": 12});
        let package =
            json!({"file": "/b/leakbench/node_modules/p/i.js", "line": 5, "caller": user});
        let answer = json!({"leak": true, "suspects": [
            {"rule": "collection", "culprit": null},
            {"rule": "timer", "culprit": {"file": "/b/leakbench/leaks/x/app.js", "line": 13}},
            {"rule": "timer", "culprit": package},
        ]});
        let found = score(&case(), 20, &answer, None);
        assert_eq!((found.ranks.family, found.ranks.file, found.ranks.line), (2, 2, 3));
        assert!(found.reported && !found.right());
        assert_eq!(found.both, Some(true));
    }

    #[test]
    fn a_compiled_line_is_right_by_its_original() {
        let culprit = json!({"file": "/b/dist/app.js", "line": 1,
            "original": {"file": "/b/leakbench/leaks/x/app.js", "line": 10}});
        let answer = json!({"leak": true, "suspects": [{"rule": "timer", "culprit": culprit}]});
        assert!(score(&case(), 20, &answer, None).right());
    }
}
