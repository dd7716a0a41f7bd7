//! The end of `leakline investigate`: the answer, what memory does, what was done, how to verify.

use leakline_heap::Bytes;

use super::suspects::{answer, headline, nothing_grows};
use super::{WIDTH, bullets, duration};
use crate::model::{Investigation, InvestigationVerdict, PreflightDecision};
use crate::style::{Paint, wrap};

/// The whole answer.
pub fn investigation(i: &Investigation) -> String {
    let mut out = match why_undecided(i) {
        Some(why) => format!("{}  {why}\n", Paint::Warn.on("INCONCLUSIVE")),
        None => headline(i.verdict, &i.suspects),
    };
    if i.suspects.is_empty() && i.verdict == InvestigationVerdict::Leak {
        out.push_str("  memory leaks, but no snapshot shows where\n");
    }
    out.push_str(&answer(i.verdict, &i.suspects));
    if let Some(growth) = i.growth.as_ref().filter(|_| i.suspects.is_empty()) {
        out.push_str(&nothing_grows(growth));
    }
    if let Some(trend) = &i.trend {
        out.push('\n');
        out.push_str(&Paint::Strong.on("Memory"));
        out.push('\n');
        out.push_str(&wrap(&super::trend_line(trend), WIDTH, "  "));
        if let Some(time) = &trend.time_to_limit_seconds {
            out.push_str(&format!("  the limit is reached in about {}\n", duration(time.estimate)));
        }
        for reason in trend.reasons.iter().take(3) {
            out.push_str(&wrap(&reason.text, WIDTH, "  "));
        }
    }
    if let Some(p) = i.preflight.as_ref().filter(|p| p.decision != PreflightDecision::Allowed) {
        out.push('\n');
        out.push_str(&Paint::Strong.on("Snapshots"));
        out.push('\n');
        out.push_str(&wrap(&p.reason, WIDTH, "  "));
    }
    if i.leak {
        out.push('\n');
        out.push_str(&Paint::Strong.on("Verify the fix"));
        out.push('\n');
        out.push_str(&wrap(&verify_hint(i), WIDTH, "  "));
    }
    if !i.limits.is_empty() {
        out.push('\n');
        out.push_str(&Paint::Strong.on("What this cannot tell"));
        out.push('\n');
        out.push_str(&bullets(i.limits.iter().map(String::as_str)));
    }
    if let Some(folder) = &i.folder {
        let size: u64 = i.snapshots.iter().map(|s| s.bytes).sum();
        out.push_str(&format!("\nReport: {folder}/report.md\n"));
        let samples = if i.samples.is_empty() { "" } else { ", samples.jsonl" };
        let snapshots = match i.snapshots.len() {
            0 => String::new(),
            n => format!(", {n} snapshots ({})", Bytes(size)),
        };
        let inside = format!(
            "With it: investigation.json{samples}{snapshots}. They hold the service's data: keep \
             them private."
        );
        out.push_str(&Paint::Faint.on(wrap(&inside, WIDTH, "").trim_end()));
        out.push('\n');
    }
    out
}

/// Why there is no answer, where a missing snapshot is the reason.
fn why_undecided(i: &Investigation) -> Option<&'static str> {
    if i.verdict != InvestigationVerdict::Inconclusive || i.snapshots.len() >= 2 {
        return None;
    }
    let refused = i.preflight.as_ref().is_some_and(|p| p.decision == PreflightDecision::Refused);
    Some(if refused && i.snapshots.is_empty() {
        "a snapshot could kill the service, so none was taken"
    } else if refused {
        "a second snapshot could kill the service, so only one was taken"
    } else {
        "fewer than two snapshots were taken"
    })
}

/// What to do after the fix, with the numbers of this case.
pub(crate) fn verify_hint(i: &Investigation) -> String {
    let again = i.target.as_ref().map_or_else(
        || {
            "take three snapshots under the same load again and run `leakline suspects` on them"
                .to_string()
        },
        |_| "run `leakline investigate PID` on the new process under the same load".to_string(),
    );
    match i.suspects.first() {
        Some(s) => format!(
            "Deploy the fix, {again}. The count that went {} → {} must stay level, and the verdict must \
             read NO LEAK.",
            super::grouped(s.leaked.count_before),
            super::grouped(s.leaked.count_after)
        ),
        None => format!("Deploy the fix, {again}. The verdict must read NO LEAK."),
    }
}
