//! The document of `leakline scan`.

use leakline_source::scan::{Finding, Scan, Suppressed};
use serde::Serialize;

/// `leakline scan`.
#[derive(Clone, Debug, Serialize)]
pub struct ScanDocument {
    /// `leakline/scan/1`
    pub schema: &'static str,
    /// What was scanned, absolute.
    pub path: String,
    /// Files that were looked at.
    pub files_scanned: usize,
    /// Their size.
    pub scanned_bytes: u64,
    /// By file, line and column.
    pub findings: Vec<Finding>,
    /// Findings that a comment takes back.
    pub suppressed: Vec<Suppressed>,
    /// What had to be done without.
    pub notes: Vec<String>,
}

impl ScanDocument {
    /// Puts a scan under its schema.
    pub fn new(scan: Scan) -> Self {
        Self {
            schema: "leakline/scan/1",
            path: scan.root.display().to_string(),
            files_scanned: scan.files,
            scanned_bytes: scan.bytes,
            findings: scan.findings,
            suppressed: scan.suppressed,
            notes: scan.notes,
        }
    }
}
