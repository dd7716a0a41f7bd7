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

/// The nearest call of one of the names at or before the place.
pub(crate) fn call_before(
    loaded: &Loaded,
    place: &Location,
    names: &[String],
) -> Option<Statement> {
    let offset = loaded.offset(place.line, place.column)? as usize;
    let from = offset.saturating_sub(REACH);
    let hits = word_calls(loaded, names, from..offset);
    hits.last().map(|&at| word_statement(loaded, at))
}

/// All calls of one of the names in files without facts.
pub(crate) fn calls(files: &[Arc<Loaded>], names: &[String]) -> Vec<Statement> {
    let failed = files.iter().filter(|loaded| loaded.parsed().failed);
    failed
        .flat_map(|loaded| {
            let hits = word_calls(loaded, names, 0..loaded.text.len());
            hits.into_iter().map(|at| word_statement(loaded, at)).collect::<Vec<_>>()
        })
        .collect()
}

/// Where `name(` stands in a part of the text, in order.
fn word_calls(loaded: &Loaded, names: &[String], part: std::ops::Range<usize>) -> Vec<usize> {
    let bytes = loaded.text.as_bytes();
    let Some(text) = bytes.get(part.clone()) else { return Vec::new() };
    let mut hits = Vec::new();
    for name in names.iter().filter(|name| !name.is_empty()) {
        let needle = format!("{name}(");
        for at in memmem::find_iter(text, needle.as_bytes()) {
            let before = (part.start + at).checked_sub(1).and_then(|at| bytes.get(at));
            if !before
                .is_some_and(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'))
            {
                hits.push(part.start + at);
            }
        }
    }
    hits.sort_unstable();
    hits.dedup();
    hits
}

/// The line at a byte, from its first character that is no blank.
pub(crate) fn line_at(loaded: &Loaded, offset: u32) -> Statement {
    let bytes = loaded.text.as_bytes();
    let offset = (offset as usize).min(bytes.len());
    let start = memchr::memrchr2(b'\n', b'\r', &bytes[..offset]).map_or(0, |at| at + 1);
    let end = memchr::memchr2(b'\n', b'\r', &bytes[offset..]).map_or(bytes.len(), |at| offset + at);
    let blank = bytes[start..end].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let start = if start + blank < end { start + blank } else { start };
    // A line of megabytes is shown from the place on.
    let start = if offset - start.min(offset) > REACH { offset } else { start };
    statement(loaded, start as u32, end as u32)
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
