//! `leakline suspects`: the answer first, then the evidence.

use leakline_analysis::detect::Confidence;
use leakline_analysis::growth::Growth;
use leakline_heap::Bytes;

use super::{WIDTH, grouped};
use crate::model::{Culprit, InvestigationVerdict, Leaked, Suspect, Suspects};
use crate::style::{Paint, wrap};

/// All suspects, the first in full.
pub fn suspects(document: &Suspects) -> String {
    let mut out = headline(document.verdict, &document.suspects);
    out.push_str(&answer(document.verdict, &document.suspects));
    if document.suspects.is_empty() {
        out.push_str(&nothing_grows(&document.growth));
    }
    for limit in &document.limits {
        out.push('\n');
        out.push_str(&wrap(&format!("Note: {limit}."), WIDTH, "  "));
    }
    out
}

/// One line: leak or not, and what.
pub(crate) fn headline(verdict: InvestigationVerdict, suspects: &[Suspect]) -> String {
    let what = suspects.first().map_or("", |s| s.title.as_str());
    match verdict {
        InvestigationVerdict::Leak => format!("{}  {what}\n", Paint::Bad.on("LEAK")),
        InvestigationVerdict::NoLeak => {
            format!("{}  nothing grows like a leak\n", Paint::Good.on("NO LEAK"))
        }
        InvestigationVerdict::Inconclusive if what.is_empty() => {
            format!("{}  the evidence does not decide\n", Paint::Warn.on("INCONCLUSIVE"))
        }
        InvestigationVerdict::Inconclusive => {
            format!("{}  {what}\n", Paint::Warn.on("INCONCLUSIVE"))
        }
    }
}

/// What is new, when no place holds more and more of it.
pub(crate) fn nothing_grows(growth: &Growth) -> String {
    let text = format!(
        "{} objects ({}) are new and still alive, but no place holds more of them in each snapshot.",
        grouped(growth.objects),
        Bytes(growth.retained_bytes)
    );
    wrap(&text, WIDTH, "  ")
}

/// The suspects: the first in full, others in short; without a leak, all in short.
pub fn answer(verdict: InvestigationVerdict, suspects: &[Suspect]) -> String {
    let mut out = String::new();
    let leak = verdict != InvestigationVerdict::NoLeak;
    if !leak && !suspects.is_empty() {
        out.push_str("\n  What also grows, but not like a leak:\n");
    }
    for suspect in suspects {
        if leak && suspect.rank == 1 {
            out.push_str(&full(suspect));
        } else {
            out.push_str(&short(suspect));
        }
    }
    out
}

fn full(suspect: &Suspect) -> String {
    let mut out = String::new();
    if let Some(culprit) = &suspect.culprit {
        out.push('\n');
        out.push_str(&place_and_frame(culprit));
    }
    let mut section = |name: &str, text: &str| {
        out.push('\n');
        out.push_str(&Paint::Strong.on(name));
        out.push('\n');
        out.push_str(&wrap(text, WIDTH, "  "));
    };
    section("Why it leaks", &suspect.explanation);
    section("Fix", &suspect.fix);
    out.push('\n');
    out.push_str(&Paint::Strong.on("Evidence"));
    out.push('\n');
    for (label, text) in evidence(suspect) {
        let indent = " ".repeat(14);
        let text = wrap(&text, WIDTH, &indent);
        out.push_str(&format!("  {label:<12}{}", text.get(14..).unwrap_or(&text)));
    }
    out
}

fn place_and_frame(culprit: &Culprit) -> String {
    let mut out = String::new();
    let inside = culprit.function.as_ref().map_or_else(String::new, |f| format!("  in {f}"));
    let shown = culprit.shown();
    let place = format!("{}:{}:{}", shown.file, shown.line, shown.column);
    out.push_str(&format!("  {}{inside}\n\n", Paint::Place.on(&place)));
    let widest = culprit.frame.lines.last().map_or(1, |l| l.line).to_string().len();
    for line in &culprit.frame.lines {
        let mark = if line.marked { '>' } else { ' ' };
        // A frame line leaves room for its number within the width.
        let text = cut(&line.text, WIDTH - widest - 7);
        let row = format!("{mark} {:>widest$} | {text}", line.line);
        let row = row.trim_end();
        if line.marked {
            out.push_str(&format!("  {}\n", Paint::Strong.on(row)));
        } else {
            out.push_str(&format!("  {row}\n"));
        }
    }
    if let Some(elsewhere) = culprit.elsewhere() {
        out.push_str(&format!("\n  {elsewhere}\n"));
    }
    if let Some(caller) = &culprit.caller {
        let inside = caller.function.as_ref().map_or_else(String::new, |f| format!("  in {f}"));
        let shown = caller.shown();
        let place = format!("{}:{}:{}", shown.file, shown.line, shown.column);
        out.push_str(&format!("\nCalled from\n  {}{inside}\n", Paint::Place.on(&place)));
        out.push_str(&format!("\n  > {}\n", cut(&caller.snippet, WIDTH - 4)));
        if let Some(elsewhere) = caller.elsewhere() {
            out.push_str(&format!("\n  {elsewhere}\n"));
        }
    }
    out
}

pub(crate) fn evidence(suspect: &Suspect) -> Vec<(&'static str, String)> {
    let leaked = &suspect.leaked;
    let mut rows = vec![("count", count(leaked)), ("bytes", bytes(leaked))];
    rows.push(("held by", suspect.path_text.clone()));
    if !suspect.other_retainers.is_empty() {
        rows.push(("also held by", suspect.other_retainers.join("; ")));
    }
    let confidence = match suspect.confidence {
        Confidence::High => "high: it grows between every two snapshots, and the holder is known",
        Confidence::Medium => "medium: one piece of evidence is missing, see the notes",
        Confidence::Low => "low: the holder is of no known family",
    };
    rows.push(("confidence", confidence.to_string()));
    rows.push(("rule", format!("{}  (leakline explain {})", suspect.rule.id(), suspect.rule.id())));
    for note in &suspect.notes {
        rows.push(("source", note.clone()));
    }
    rows
}

fn count(leaked: &Leaked) -> String {
    let counts: Vec<String> = leaked.counts.iter().map(|c| grouped(*c)).collect();
    let per =
        leaked.per.as_ref().map_or_else(String::new, |p| format!(", {:.2} per {}", p.rate, p.unit));
    format!("{} {} (+{}{per})", counts.join(" → "), leaked.constructor, grouped(leaked.count_delta))
}

fn bytes(leaked: &Leaked) -> String {
    format!(
        "{} retained, {:.0} % of all growth, {} each; {} are freed if this holder lets go",
        Bytes(leaked.retained_delta_bytes),
        leaked.share_of_growth * 100.0,
        Bytes(leaked.bytes_each),
        Bytes(leaked.freed_if_cut_bytes)
    )
}

/// At most `room` characters; what is left out is marked.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_string();
    }
    text.chars().take(room - 1).chain(['…']).collect()
}

fn short(suspect: &Suspect) -> String {
    let leaked = &suspect.leaked;
    let place = suspect.culprit.as_ref().map_or_else(String::new, |c| {
        let shown = c.shown();
        format!("\n     {}:{}\n     {}", shown.file, shown.line, cut(&c.snippet, WIDTH - 5))
    });
    format!(
        "\n  {}. {} ({:.0} % of growth, {}){place}\n",
        suspect.rank,
        suspect.title,
        leaked.share_of_growth * 100.0,
        suspect.rule.id()
    )
}
