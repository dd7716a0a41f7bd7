//! The results as a table of 80 columns.

use std::fmt::Write as _;

use crate::peers::PeerScore;
use crate::score::Score;

const WIDTH: usize = 80;

/// Every run on a line, then the sums.
pub fn results(scores: &[Score]) -> String {
    let mut text = String::new();
    line(
        &mut text,
        &format!(
            "{:<26} {:>4} {:>6} {:>4} {:>4}  {:>5}  {}",
            "case", "node", "family", "file", "line", "s", "first answer"
        ),
    );
    for s in scores {
        let answer = match &s.error {
            Some(error) => format!("error: {}", error.lines().next().unwrap_or_default()),
            None if !s.leaks && !s.reported => "no leak".to_owned(),
            None if s.leaks && !s.reported => format!("no leak; {}", s.first),
            None => s.first.clone(),
        };
        let seconds = s.seconds.map_or_else(String::new, |s| format!("{s:.1}"));
        let ranks = if s.leaks {
            let [family, file, line] = [s.ranks.family, s.ranks.file, s.ranks.line].map(rank);
            format!("{family:>6} {file:>4} {line:>4}")
        } else {
            let said = match (&s.error, s.reported) {
                (Some(_), _) => "",
                (None, true) => "false alarm",
                (None, false) => "quiet",
            };
            format!("{said:>16}")
        };
        line(&mut text, &format!("{:<26} {:>4} {ranks}  {seconds:>5}  {answer}", s.case, s.node));
    }
    text.push('\n');
    text.push_str(&sums(scores));
    text
}

fn rank(rank: usize) -> String {
    if rank == 0 { "-".to_owned() } else { rank.to_string() }
}

/// What the bar of the benchmark asks for, in total and for each version of Node.
fn sums(scores: &[Score]) -> String {
    let mut versions: Vec<u32> = scores.iter().map(|s| s.node).collect();
    versions.sort_unstable();
    versions.dedup();
    let mut text = String::new();
    line(
        &mut text,
        &format!(
            "{:<8} {:>5} {:>13} {:>13} {:>13} {:>8} {:>7}",
            "node", "leaks", "family 1 / 3", "file 1 / 3", "line 1 / 3", "healthy", "alarms"
        ),
    );
    let mut row = |name: &str, of: &[&Score]| {
        let leaks: Vec<_> = of.iter().filter(|s| s.leaks).collect();
        let pair = |rank: fn(&Score) -> usize| {
            let first = leaks.iter().filter(|s| rank(s) == 1).count();
            let near = leaks.iter().filter(|s| Score::near(rank(s))).count();
            format!("{first} / {near}")
        };
        let healthy: Vec<_> = of.iter().filter(|s| !s.leaks).collect();
        line(
            &mut text,
            &format!(
                "{name:<5} {:>5} {:>13} {:>13} {:>13} {:>8} {:>7} {:>7}",
                leaks.len(),
                pair(|s| s.ranks.family),
                pair(|s| s.ranks.file),
                pair(|s| s.ranks.line),
                healthy.len(),
                healthy.iter().filter(|s| s.reported).count(),
                of.iter().filter(|s| s.error.is_some()).count(),
            ),
        );
    };
    for version in &versions {
        let of: Vec<&Score> = scores.iter().filter(|s| s.node == *version).collect();
        row(&version.to_string(), &of);
    }
    if versions.len() != 1 {
        row("all", &scores.iter().collect::<Vec<_>>());
    }
    text
}

/// Whether each tool's first answer names the thing, the file, the line; for healthy cases, whether it was silent.
pub fn peers(scores: &[PeerScore]) -> String {
    let mut text = String::new();
    line(&mut text, &format!("{:<22} {:<26} {:<6} {}", "case", "tool", "right", "first answer"));
    for s in scores {
        let right = match (s.leaks, &s.error) {
            (_, Some(_)) => "error",
            (true, None) => match (s.names_line, s.names_file, s.names_thing) {
                (true, ..) => "line",
                (_, true, _) => "file",
                (.., true) => "thing",
                _ => "-",
            },
            (false, None) if !s.claims => "",
            (false, None) if s.first.is_empty() => "quiet",
            (false, None) => "alarm",
        };
        let answer = s.error.as_deref().unwrap_or(&s.first);
        line(&mut text, &format!("{:<22} {:<26} {right:<6} {answer}", s.case, s.tool));
    }
    text.push('\n');
    line(
        &mut text,
        &format!(
            "{:<27} {:>5} {:>5} {:>5} {:>5} {:>8} {:>7} {:>7}",
            "tool", "leaks", "thing", "file", "line", "healthy", "alarms", "errors"
        ),
    );
    let mut tools: Vec<&str> = Vec::new();
    for s in scores {
        if !tools.contains(&s.tool.as_str()) {
            tools.push(&s.tool);
        }
    }
    for tool in tools {
        let of: Vec<_> = scores.iter().filter(|s| s.tool == tool).collect();
        let count = |test: fn(&PeerScore) -> bool| of.iter().filter(|s| test(s)).count();
        line(
            &mut text,
            &format!(
                "{tool:<27} {:>5} {:>5} {:>5} {:>5} {:>8} {:>7} {:>7}",
                count(|s| s.leaks),
                count(|s| s.leaks && s.names_thing),
                count(|s| s.leaks && s.names_file),
                count(|s| s.leaks && s.names_line),
                count(|s| !s.leaks),
                count(|s| !s.leaks && s.claims && !s.first.is_empty()),
                count(|s| s.error.is_some()),
            ),
        );
    }
    text
}

/// A line, cut at the width of the table and without blanks at its end.
fn line(text: &mut String, whole: &str) {
    let cut: String = if whole.chars().count() > WIDTH {
        whole.chars().take(WIDTH - 1).chain(['…']).collect()
    } else {
        whole.to_owned()
    };
    // Writing to a string does not fail.
    let _ = writeln!(text, "{}", cut.trim_end());
}
