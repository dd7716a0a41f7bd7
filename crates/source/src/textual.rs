//! The last resort: a file that cannot be parsed still has lines.
//!
//! Plain text knows nothing of scopes or comments, so its answers come with a sentence that says
//! so, and only when nothing else answers.

use std::sync::Arc;

use memchr::memmem;

use crate::files::Loaded;
use crate::location::Location;
use crate::registration::ListenerQuery;
use crate::statement::{Statement, statement};

/// How far before the closure its registering call may start, in bytes.
const REACH: usize = 2_000;

/// The nearest `.method(` at or before the closure, for the event if that is known.
pub(crate) fn registration(
    loaded: &Loaded,
    closure: &Location,
    query: &ListenerQuery,
) -> Option<Statement> {
    let text = &loaded.text;
    let offset = loaded.lines.offset(text, closure.line, closure.column)? as usize;
    let from = offset.saturating_sub(REACH);
    let before = text.as_bytes().get(from..offset)?;
    let mut best = None;
    for method in &query.methods {
        let needle = format!(".{method}(");
        for at in memmem::find_iter(before, needle.as_bytes()) {
            let rest = &before[at + needle.len()..];
            let rest = rest.trim_ascii_start();
            let named = query.event.as_ref().is_none_or(|event| {
                matches!(rest.first(), Some(b'\'' | b'"' | b'`'))
                    && rest[1..].starts_with(event.as_bytes())
            });
            if named {
                best = best.max(Some(from + at));
            }
        }
    }
    Some(word_statement(loaded, best?))
}

/// All `word.method(` in files without facts.
pub(crate) fn method_calls(
    files: &[Arc<Loaded>],
    words: &[String],
    methods: &[&str],
) -> Vec<Statement> {
    let mut out = Vec::new();
    for loaded in files.iter().filter(|loaded| loaded.parsed().failed) {
        let mut found = Vec::new();
        for word in words.iter().filter(|word| !word.is_empty()) {
            for method in methods {
                let needle = format!("{word}.{method}(");
                found.extend(memmem::find_iter(loaded.text.as_bytes(), needle.as_bytes()));
            }
        }
        found.sort_unstable();
        found.dedup();
        out.extend(found.into_iter().map(|at| word_statement(loaded, at)));
    }
    out
}

/// The statement at a hit: from the start of the dotted name to the end of the line.
fn word_statement(loaded: &Loaded, hit: usize) -> Statement {
    let bytes = loaded.text.as_bytes();
    let is_name = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.') || byte >= 0x80
    };
    let mut start = hit;
    while start > 0 && is_name(bytes[start - 1]) {
        start -= 1;
    }
    let rest = &bytes[start..];
    let end = start + memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
    statement(loaded, start as u32, end as u32)
}
