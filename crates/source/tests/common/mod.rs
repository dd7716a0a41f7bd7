//! Small services on disk, with marks in their text.
//!
//! `§` is where a closure starts (taken out before writing), `//=>` ends the line that the answer
//! must name.

// Each test binary uses a part of this; a failed set-up may panic.
#![allow(dead_code, clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use leakline_source::{Found, Location, SourceFiles};

pub struct Service {
    pub dir: tempfile::TempDir,
    pub files: Vec<PathBuf>,
    pub closure: Option<Location>,
    pub expected: Vec<(PathBuf, u32)>,
}

impl Service {
    pub fn write(files: &[(&str, &str)]) -> Service {
        let dir = tempfile::tempdir().unwrap();
        let mut service = Service { files: Vec::new(), closure: None, expected: Vec::new(), dir };
        for (name, text) in files {
            let path = service.dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if let Some(at) = text.find('§') {
                assert!(service.closure.is_none(), "two closures are marked");
                let before = &text[..at];
                let line_start = before.rfind('\n').map_or(0, |at| at + 1);
                service.closure = Some(Location {
                    file: path.clone(),
                    line: before.matches('\n').count() as u32 + 1,
                    column: before[line_start..].encode_utf16().count() as u32 + 1,
                });
            }
            for (index, line) in text.lines().enumerate() {
                if line.contains("//=>") {
                    service.expected.push((path.clone(), index as u32 + 1));
                }
            }
            fs::write(&path, text.replacen('§', "", 1)).unwrap();
            if path.extension().is_some_and(|it| it != "json") {
                service.files.push(path);
            }
        }
        service
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The best answer is the first marked line (or there is none if no line is marked).
    pub fn check(&self, case: &str, found: &Found) {
        let best = found.best.as_ref().map(|it| (it.location.file.clone(), it.location.line));
        assert_eq!(best.as_ref(), self.expected.first(), "{case}: {found:#?}");
        if let Some(best) = &found.best {
            let text = fs::read(&best.location.file).unwrap();
            let text = String::from_utf8_lossy(&text);
            assert!(best.snippet.chars().count() <= 162, "{case}: {}", best.snippet);
            assert_eq!(best.frame.marked_line, best.location.line, "{case}");
            let lines = text.lines().count() as u32;
            assert!(best.location.line <= lines.max(1), "{case}");
        }
    }
}

/// Files from their own places only.
pub fn source() -> SourceFiles {
    SourceFiles::new(Vec::new())
}
