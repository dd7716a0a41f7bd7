//! The static scan on drawn files: every line that leaks says so, no other line is told.
//!
//! A line that ends in `// LEAK rule` must be found by that rule, and no line without may be: so
//! each file holds leaks and their healthy twins side by side.

// A failed set-up may panic.
#![allow(clippy::unwrap_used)]

mod collections;
mod dialects;
mod files;
mod listeners;
mod others;
mod suppression;

use std::fs;
use std::path::Path;

use leakline_source::scan::{Scan, ScanOptions, scan};

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("leakline-scan-").tempdir().unwrap();
    for (name, text) in files {
        write(dir.path(), name, text);
    }
    dir
}

fn write(dir: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn scanned(dir: &Path) -> Scan {
    scan(dir, ScanOptions::default(), &mut |_| {}).unwrap()
}

/// Scans the files and compares with the lines that are marked in them.
#[track_caller]
fn check(files: &[(&str, &str)]) -> Scan {
    let dir = folder(files);
    let found = scanned(dir.path());
    let mut expected: Vec<String> = Vec::new();
    for (name, text) in files {
        for (at, line) in text.lines().enumerate() {
            if let Some((_, rule)) = line.split_once("// LEAK ") {
                expected.push(format!("{name}:{} {}", at + 1, rule.trim()));
            }
        }
    }
    let mut got: Vec<String> = found
        .findings
        .iter()
        .map(|it| {
            let file = it.file.strip_prefix(dir.path()).unwrap_or(&it.file);
            format!("{}:{} {}", file.display(), it.line, it.rule.id())
        })
        .collect();
    expected.sort();
    got.sort();
    let told: Vec<&String> = found.findings.iter().map(|it| &it.explanation).collect();
    assert_eq!(got, expected, "\n{told:#?}\n{:#?}", found.notes);
    found
}
