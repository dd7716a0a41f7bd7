//! `leakline scan`: how many findings in how many files, then each with its lines of code.

use std::collections::BTreeSet;
use std::path::Path;

use leakline_source::CodeFrame;
use leakline_source::scan::Finding;

use super::words::clean;
use super::{WIDTH, counted};
use crate::scan::ScanDocument;
use crate::style::{Paint, wrap};

/// Lines shown before and after the marked one.
const AROUND: u32 = 1;

/// All findings.
pub fn scan(document: &ScanDocument) -> String {
    let root = Path::new(&document.path);
    let files = counted(document.files_scanned as u64, "file");
    let mut out = match document.findings.len() {
        0 => format!("{}  nothing found in {files}\n", Paint::Good.on("CLEAN")),
        n => {
            let places: BTreeSet<&Path> =
                document.findings.iter().map(|it| it.file.as_path()).collect();
            format!(
                "{} in {} ({files} scanned)\n",
                Paint::Bad.on(&counted(n as u64, "finding")),
                counted(places.len() as u64, "file"),
            )
        }
    };
    for finding in &document.findings {
        out.push_str(&one(root, finding));
    }
    if document.files_scanned == 0 {
        out.push_str(&note("no JavaScript or TypeScript file was scanned"));
    }
    if !document.suppressed.is_empty() {
        let count = counted(document.suppressed.len() as u64, "finding");
        out.push_str(&note(&format!("{count} suppressed by `leakline-ignore` comments")));
    }
    for text in &document.notes {
        out.push_str(&note(text));
    }
    out
}

fn note(text: &str) -> String {
    format!("\n{}", wrap(&clean(&format!("Note: {text}."), usize::MAX), WIDTH, ""))
}

fn one(root: &Path, finding: &Finding) -> String {
    let inside = finding.function.as_ref().map_or_else(String::new, |it| format!("  in {it}"));
    let place = format!("{}:{}:{}", shown(root, &finding.file), finding.line, finding.column);
    let mut out = format!(
        "\n{}{}  {}\n\n",
        Paint::Place.on(&clean(&place, usize::MAX)),
        clean(&inside, 60),
        Paint::Faint.on(&format!("[{}]", finding.rule.id())),
    );
    for row in near(&finding.frame).render().lines() {
        let row = if row.starts_with('>') { Paint::Strong.on(row) } else { row.to_owned() };
        out.push_str(&row);
        out.push('\n');
    }
    out.push('\n');
    out.push_str(&wrap(&clean(&finding.explanation, usize::MAX), WIDTH, "  "));
    out.push_str(&wrap(&format!("Fix: {}", clean(&finding.fix, usize::MAX)), WIDTH, "  "));
    out
}

/// The path below the scanned folder; of a file that was named itself, its name.
fn shown(root: &Path, file: &Path) -> String {
    match file.strip_prefix(root) {
        Ok(rest) if rest.as_os_str().is_empty() => {
            file.file_name().unwrap_or_default().to_string_lossy().into_owned()
        }
        Ok(rest) => rest.display().to_string(),
        Err(_) => file.display().to_string(),
    }
}

/// The frame with fewer lines.
fn near(frame: &CodeFrame) -> CodeFrame {
    let mut out = frame.clone();
    let from = frame.marked_line.saturating_sub(AROUND).max(frame.first_line);
    let skip = (from - frame.first_line) as usize;
    let take = (frame.marked_line + AROUND + 1 - from) as usize;
    out.first_line = from;
    out.lines = frame.lines.iter().skip(skip).take(take).cloned().collect();
    out
}
