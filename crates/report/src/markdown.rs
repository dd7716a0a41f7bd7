//! The Investigation as `report.md`: the answer first, then everything it stands on.

use std::fmt::Write;

use leakline_heap::Bytes;

use crate::model::{Investigation, InvestigationVerdict, Suspect};
use crate::text;

/// The report. Writing to a `String` cannot fail, so results of `write!` are dropped.
pub fn markdown(i: &Investigation) -> String {
    let mut out = String::new();
    heading(&mut out, i);
    for suspect in &i.suspects {
        one_suspect(&mut out, suspect);
    }
    memory(&mut out, i);
    comparison(&mut out, i);
    snapshots(&mut out, i);
    if i.leak {
        let _ = writeln!(out, "## Verify the fix\n\n{}\n", text::verify_hint(i));
    }
    list(&mut out, "What this cannot tell", &i.limits);
    let actions: Vec<String> =
        i.actions.iter().map(|a| format!("{}: {}", a.time, a.what)).collect();
    list(&mut out, "Everything done to the process", &actions);
    out
}

fn heading(out: &mut String, i: &Investigation) {
    let title = i.suspects.first().map_or("", |s| s.title.as_str());
    let verdict = match i.verdict {
        InvestigationVerdict::Leak if title.is_empty() => "Leak".to_string(),
        InvestigationVerdict::Leak => format!("Leak: {title}"),
        InvestigationVerdict::NoLeak => "No leak".to_string(),
        InvestigationVerdict::Inconclusive => "Inconclusive".to_string(),
    };
    let _ = writeln!(out, "# {verdict}\n");
    if let Some(c) = i.suspects.first().and_then(|s| s.culprit.as_ref()) {
        let shown = c.shown();
        let _ = writeln!(out, "**{}:{}** `{}`\n", shown.file, shown.line, c.snippet);
    }
    if let Some(t) = &i.target {
        let limit = t.limit_bytes.map_or_else(|| "none".to_string(), |b| Bytes(b).to_string());
        let _ = writeln!(
            out,
            "Process {} (`{}`), Node.js {}, memory limit {limit}. Investigated {} to {}.\n",
            t.pid,
            t.command,
            t.version.as_deref().unwrap_or("of unknown version"),
            i.started,
            i.ended
        );
    }
}

fn one_suspect(out: &mut String, s: &Suspect) {
    let _ = writeln!(out, "## {}. {}\n", s.rank, s.title);
    if let Some(c) = &s.culprit {
        let inside = c.function.as_ref().map_or_else(String::new, |f| format!(" in `{f}`"));
        let shown = c.shown();
        let _ = writeln!(out, "`{}:{}:{}`{inside}\n\n```js", shown.file, shown.line, shown.column);
        for line in &c.frame.lines {
            let mark = if line.marked { '>' } else { ' ' };
            let _ = writeln!(out, "{mark} {:>5} | {}", line.line, line.text);
        }
        let _ = writeln!(out, "```\n");
        if let Some(elsewhere) = c.elsewhere() {
            let _ = writeln!(out, "({elsewhere})\n");
        }
        if let Some(caller) = &c.caller {
            let shown = caller.shown();
            let place = format!("{}:{}:{}", shown.file, shown.line, shown.column);
            let _ = writeln!(out, "Called from `{place}`:\n\n```js\n{}\n```\n", caller.snippet);
        }
    }
    let _ = writeln!(out, "**Why it leaks.** {}\n\n**Fix.** {}\n", s.explanation, s.fix);
    let _ = writeln!(out, "| | |\n|---|---|");
    for (label, value) in text::evidence(s) {
        let _ = writeln!(out, "| {label} | {} |", value.replace('|', "\\|"));
    }
    let _ = writeln!(out, "\nRetaining path:\n\n```");
    for step in &s.path {
        let o = &step.object;
        let link = if step.edge_type.is_empty() {
            "root".to_string()
        } else {
            format!("{} {}", step.edge_type, step.edge)
        };
        let name = if o.name.is_empty() { "(no name)" } else { &o.name };
        let _ = writeln!(out, "{link} -> {} {name} {}", o.kind, o.id);
    }
    let _ = writeln!(out, "```\n");
}

fn memory(out: &mut String, i: &Investigation) {
    let Some(trend) = &i.trend else { return };
    let _ = writeln!(out, "## Memory\n");
    let _ = writeln!(out, "{}\n", text::trend_line(trend));
    for reason in &trend.reasons {
        let _ = writeln!(out, "- {}", reason.text);
    }
    let _ = writeln!(out, "\n| s | rss | heap used | heap total | external | requests |");
    let _ = writeln!(out, "|--:|--:|--:|--:|--:|--:|");
    // Twenty rows show the course; all samples are in samples.jsonl.
    let every = i.samples.len().div_ceil(20).max(1);
    for s in i.samples.iter().step_by(every) {
        let _ = writeln!(
            out,
            "| {:.0} | {} | {} | {} | {} | {} |",
            s.elapsed_seconds,
            Bytes(s.rss_bytes),
            Bytes(s.heap_used_bytes),
            Bytes(s.heap_total_bytes),
            Bytes(s.external_bytes),
            s.requests.map_or_else(String::new, |r| r.to_string())
        );
    }
    out.push('\n');
}

fn comparison(out: &mut String, i: &Investigation) {
    let Some(diff) = &i.diff else { return };
    let _ = writeln!(out, "## First snapshot against last\n");
    let _ = writeln!(out, "| constructor | new | deleted | delta | size delta |");
    let _ = writeln!(out, "|---|--:|--:|--:|--:|");
    for row in diff.rows.iter().take(15) {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            row.constructor.replace('|', "\\|"),
            row.new_count,
            row.deleted_count,
            text::signed(row.delta_count),
            text::signed_bytes(row.delta_bytes)
        );
    }
    out.push('\n');
}

fn snapshots(out: &mut String, i: &Investigation) {
    if i.preflight.is_some() || !i.snapshots.is_empty() {
        let _ = writeln!(out, "## Snapshots\n");
    }
    if let Some(p) = &i.preflight {
        let _ = writeln!(out, "{}\n", p.reason);
    }
    for s in &i.snapshots {
        let pause = s.pause_seconds.map_or_else(String::new, |p| format!(", pause {p:.1} s"));
        let taken = s.taken.as_ref().map_or_else(String::new, |t| format!(", taken {t}"));
        let _ = writeln!(out, "- `{}` ({}{taken}{pause})", s.path, Bytes(s.bytes));
    }
    if !i.snapshots.is_empty() {
        out.push('\n');
    }
}

fn list(out: &mut String, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "## {title}\n");
    for item in items {
        let _ = writeln!(out, "- {item}");
    }
    out.push('\n');
}
