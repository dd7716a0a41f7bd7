//! What the scan tells.

use std::path::PathBuf;

use serde::Serialize;

use super::ScanRule;
use crate::frame::CodeFrame;
use crate::statement::Statement;

/// One leak that can be told from the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The family.
    pub rule: ScanRule,
    /// The file, absolute.
    pub file: PathBuf,
    /// Line of the statement, 1-based.
    pub line: u32,
    /// Column, 1-based, in UTF-16 units.
    pub column: u32,
    /// Where the statement ends, exclusive.
    pub end_line: u32,
    /// Column of that end.
    pub end_column: u32,
    /// The function around it, or `null` at top level.
    pub function: Option<String>,
    /// The statement on one line, at most about 160 characters.
    pub snippet: String,
    /// Why it leaks.
    pub explanation: String,
    /// What to do.
    pub fix: String,
    /// The lines around it.
    #[serde(skip)]
    pub frame: CodeFrame,
}

impl Finding {
    pub(super) fn new(
        rule: ScanRule,
        statement: Statement,
        (end_line, end_column): (u32, u32),
        explanation: String,
        fix: String,
    ) -> Finding {
        Finding {
            rule,
            file: statement.location.file,
            line: statement.location.line,
            column: statement.location.column,
            end_line,
            end_column,
            function: statement.function,
            snippet: statement.snippet,
            explanation,
            fix,
            frame: statement.frame,
        }
    }
}

/// A finding that a comment in the source takes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suppressed {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// What the comment gives as the reason, or nothing.
    pub reason: Option<String>,
}
