//! Other tools on the same captures.
use serde::Serialize;

/// What another tool's first answer is worth.
#[derive(Debug, Clone, Serialize)]
pub struct PeerScore {
    /// The case.
    pub case: String,
    /// The tool and how it was called.
    pub tool: String,
    /// Whether the case leaks.
    pub leaks: bool,
    /// Its first answer in short; empty when it has none.
    pub first: String,
    /// Whether that names what leaks or its holder.
    pub names_thing: bool,
    /// Whether it names the file.
    pub names_file: bool,
    /// Whether it names the line.
    pub names_line: bool,
    /// From its start to its end.
    pub seconds: f64,
    /// What stood in its way.
    pub error: Option<String>,
}
