//! From a place in the deployed file to the place before compilation.
//!
//! The map is the one that the script names in a comment, else the file beside it. Its JSON is
//! read by serde, its mappings by ourselves: the libraries at hand decode a map as a whole or not
//! at all, and a map that is broken further on may still answer for the place asked for. Nothing
//! is fetched from the network.

mod locate;
mod mappings;
mod read;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use read::unescaped;
pub use read::{MapError, Original, SourceMap, map_reference};

use crate::facts::{Call, FileFacts, NONE};
use crate::files::{Loaded, SourceFiles};
use crate::location::Location;
use crate::statement::{
    CONTEXT_LINES, Found, Statement, anchor, function_name, snippet, text_snippet,
};

/// Largest source map that is read, in bytes. Those of bundles with their sources inside reach
/// some tens of MB.
const MAX_MAP_BYTES: u64 = 128 << 20;
/// How many of the lesser answers are looked up as well.
const MAX_OTHERS: usize = 8;

/// The map of a loaded file.
#[derive(Debug, Default)]
pub(crate) struct Mapped {
    map: Option<SourceMap>,
    /// The file or the place that carries the map, for what is relative to it.
    at: PathBuf,
    /// Why there is none, where one should be.
    note: Option<String>,
}

impl Mapped {
    fn missing(note: String) -> Mapped {
        Mapped { note: Some(note), ..Mapped::default() }
    }
}

/// Reads the map of a file, if it has one.
pub(crate) fn map_of(loaded: &Loaded, files: &SourceFiles) -> Mapped {
    let shown = loaded.path.display();
    let Some(url) = map_reference(&loaded.text) else {
        let beside = beside(&loaded.path);
        return if beside.is_file() { read_file(&beside, loaded) } else { Mapped::default() };
    };
    if url.starts_with("data:") {
        let parsed =
            read::data_url(url).ok_or(MapError::DataUrl).and_then(|bytes| SourceMap::parse(&bytes));
        return match parsed {
            Ok(map) => Mapped { map: Some(map), at: loaded.path.clone(), note: None },
            Err(error) => Mapped::missing(format!(
                "the source map inside {shown} cannot be used: {error}; the place is that of the \
                 compiled file"
            )),
        };
    }
    match locate::map_file(loaded, url, files) {
        Some(path) => read_file(&path, loaded),
        None => Mapped::missing(format!(
            "the source map {} that {shown} names is not there; the place is that of the compiled \
             file",
            snippet(url)
        )),
    }
}

/// `app.js.map` of `app.js`.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".map");
    PathBuf::from(name)
}

fn read_file(path: &Path, loaded: &Loaded) -> Mapped {
    let refused = |why: &dyn std::fmt::Display| {
        Mapped::missing(format!(
            "the source map {} of {} cannot be used: {why}; the place is that of the compiled file",
            path.display(),
            loaded.path.display()
        ))
    };
    match std::fs::metadata(path) {
        Ok(meta) if meta.len() > MAX_MAP_BYTES => {
            return refused(&format!(
                "it has {} bytes, more than the {MAX_MAP_BYTES} that are read",
                meta.len()
            ));
        }
        Ok(_) => {}
        Err(error) => return refused(&error),
    }
    match std::fs::read(path) {
        Ok(bytes) => match SourceMap::parse(&bytes) {
            Ok(map) => Mapped { map: Some(map), at: path.to_owned(), note: None },
            Err(error) => refused(&error),
        },
        Err(error) => refused(&error),
    }
}

/// Completes an answer: the places of its statements before compilation.
pub(crate) fn complete(files: &SourceFiles, found: &mut Found) {
    let Found { best, caller, others, notes, .. } = found;
    let statements = best.iter_mut().chain(caller.iter_mut());
    let main: Vec<&mut Statement> = statements.collect();
    for statement in main {
        for note in map_statement(files, statement) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    for statement in others.iter_mut().take(MAX_OTHERS) {
        // What is wrong there is wrong for the best as well, or of no interest.
        map_statement(files, statement);
    }
}

/// Looks up one statement; gives what was in the way.
fn map_statement(files: &SourceFiles, statement: &mut Statement) -> Vec<String> {
    let Ok(loaded) = files.load(&statement.location.file) else { return Vec::new() };
    let mapped = loaded.mapped(files);
    let Some(map) = &mapped.map else { return mapped.note.iter().cloned().collect() };
    let Location { line, column, .. } = statement.location;
    let original = match map.lookup(line, column) {
        Ok(Some(original)) => original,
        Ok(None) => {
            return vec![format!(
                "the source map of {} knows no place for line {line}, column {column}: the compiler \
                 wrote that code",
                loaded.path.display()
            )];
        }
        Err(error) => {
            return vec![format!(
                "the source map {} cannot be used for line {line}: {error}; the place is that of the \
                 compiled file",
                mapped.at.display()
            )];
        }
    };
    let Some(source) = original.source else {
        return vec![format!(
            "the source map {} has no name for the source of line {line}",
            mapped.at.display()
        )];
    };
    let path = locate::source_path(&mapped.at, original.root, source, files);
    let mut place = Location { file: path, line: original.line, column: original.column };
    let mut notes = Vec::new();
    let text = match original.content {
        Some(content) => Some(Arc::new(Loaded::from_text(place.file.clone(), content.to_owned()))),
        None => files.load(&place.file).ok(),
    };
    match text {
        // Compilers map the end of a file to the line after its last.
        Some(text) if place.line <= text.lines.count() => {
            place.file.clone_from(&text.path);
            rewrite(statement, &loaded, &text, &place);
        }
        Some(text) => notes.push(format!(
            "{} has {} lines, the source map names line {}: it is not the text that was compiled",
            place.file.display(),
            text.lines.count(),
            place.line
        )),
        None => {
            notes.push(format!(
                "the text before compilation, {}, is not at hand; the compiled text is shown",
                place.file.display()
            ));
            if let Some(name) = mapped_function(map, &loaded, statement) {
                statement.function = Some(name);
            }
        }
    }
    statement.original = Some(place);
    notes
}

/// Shows the statement as it was written.
fn rewrite(statement: &mut Statement, generated: &Loaded, text: &Loaded, place: &Location) {
    let (line, column) = (place.line, place.column);
    statement.frame =
        crate::frame::frame_with(&text.lines, &text.text, line, column, CONTEXT_LINES);
    let Some(offset) = text.lines.offset(&text.text, line, column) else { return };
    let facts = text.facts();
    let wanted = call_of(generated, statement).and_then(|call| generated.facts().callee_name(call));
    let range = call_at(text, facts, offset, wanted).or_else(|| {
        let assign = facts.assigns.iter().find(|it| it.expression && it.range.start == offset);
        assign.map(|it| it.range).or_else(|| facts.statement_at(offset))
    });
    statement.snippet = match range {
        Some(range) => text_snippet(&text.text, range.start, range.end),
        None => snippet(text.lines.line(&text.text, line).map_or("", |it| it.1)),
    };
    if !text.parsed().failed {
        let around = facts.function_at(offset);
        statement.function = around.map(|function| function_name(facts, &text.text, function));
    }
}

/// The call that a statement of the generated file is.
fn call_of<'l>(loaded: &'l Loaded, statement: &Statement) -> Option<&'l Call> {
    let (start, end) = statement.span;
    let calls = loaded.facts().calls.iter();
    calls.filter(|it| it.range.end == end).find(|call| anchor(loaded, call) == start)
}

/// The call that begins at the offset, by the name if several links of a chain do.
fn call_at(
    text: &Loaded,
    facts: &FileFacts,
    offset: u32,
    name: Option<&str>,
) -> Option<crate::facts::Range> {
    let here = |call: &&Call| {
        call.range.start == offset
            || (call.property_start != 0 && call.property_start == offset)
            || anchor(text, call) == offset
    };
    let calls: Vec<&Call> = facts.calls.iter().filter(here).collect();
    let named = calls.iter().filter(|call| name.is_some() && facts.callee_name(call) == name);
    let best = named.min_by_key(|call| call.range.len());
    let best = best.or_else(|| calls.iter().min_by_key(|call| call.range.len()))?;
    Some(crate::facts::Range { start: offset, end: best.range.end })
}

/// The name before compilation of the function around a statement, by the map's `names`.
fn mapped_function(map: &SourceMap, loaded: &Loaded, statement: &Statement) -> Option<String> {
    let facts = loaded.facts();
    let function = facts.functions.get(facts.function_at(statement.span.0)? as usize)?;
    if function.name == NONE {
        return None;
    }
    let name = facts.name(function.name);
    // Its name stands within it, or before it: `const t = () => …`, `m(e) {…}`.
    let from = (function.range.start as usize).saturating_sub(name.len() + 12);
    let to = function.v8_start.max(function.range.start) as usize;
    let from = (from..=to).find(|&at| loaded.text.is_char_boundary(at))?;
    let at = loaded.text.get(from..to)?.rfind(name).map(|at| (from + at) as u32)?;
    let (line, column) = loaded.lines.position(&loaded.text, at);
    let names = map.names(line, column..column + 1);
    names.first().map(|&(_, name)| name.to_owned())
}
