//! An answer as the user reads it: place, enclosing function, the text on one line, a frame.

use serde::Serialize;

use crate::facts::{Call, FileFacts, NONE, Range};
use crate::files::Loaded;
use crate::frame::{CodeFrame, frame_with};
use crate::location::Location;

/// Characters of a snippet.
const SNIPPET_CHARS: usize = 160;
/// Lines shown before and after the marked one.
pub(crate) const CONTEXT_LINES: u32 = 2;

/// A statement of the user's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Where it is in the deployed file.
    pub location: Location,
    /// The function around it: `middleware`, `Store.add`, `<anonymous> in app.use`; `None` at top
    /// level.
    pub function: Option<String>,
    /// The statement on one line, at most about 160 characters.
    pub snippet: String,
    /// The lines around it.
    pub frame: CodeFrame,
    /// Where it was before compilation, by a source map. Where that text is at hand, `function`,
    /// `snippet` and `frame` are of it.
    pub original: Option<Location>,
    /// It stands in a function that can run more than once (a function called where it is written
    /// does not count).
    pub inside_function: bool,
    /// Its bytes in the deployed file.
    #[serde(skip)]
    pub(crate) span: (u32, u32),
}

/// How an answer was come by; the surer first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Scopes, aliases and modules lead to the statement.
    #[default]
    Derived,
    /// It fits best of several, or is the only one of its kind at hand; nothing leads to it.
    Likeliest,
    /// The name fits; what it stands for could not be told.
    ByName,
    /// Found in plain text: the file cannot be parsed.
    ByText,
}

impl Certainty {
    /// Anything less than derived.
    #[must_use]
    pub fn is_guess(self) -> bool {
        self != Certainty::Derived
    }
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Found {
    /// The statement that most likely adds the leaked thing.
    pub best: Option<Statement>,
    /// Where `best` stands in a package: the user's own call that leads there.
    pub caller: Option<Statement>,
    /// Other statements that add to the same place, best first.
    pub others: Vec<Statement>,
    /// One sentence: how it was resolved.
    pub how: String,
    /// How sure `best` is.
    pub certainty: Certainty,
    /// What had to be done without, as sentences.
    pub notes: Vec<String>,
}

impl Found {
    /// The answer that these statements are, best first. Each place counts once.
    pub(crate) fn of(
        statements: impl IntoIterator<Item = Statement>,
        how: String,
        certainty: Certainty,
        notes: Vec<String>,
    ) -> Self {
        let mut once: Vec<Statement> = Vec::new();
        for statement in statements {
            if !once.iter().any(|it| it.location == statement.location) {
                once.push(statement);
            }
        }
        let mut statements = once.into_iter();
        let (best, others) = (statements.next(), statements.collect());
        Self { best, others, how, certainty, notes, caller: None }
    }
}

/// The place of a call's last link: `x` of `x.on(…)`, or the `.` where that is on another line
/// than the start of `x` (`process⏎  .on(…)` and chains); of a construction, its `new`.
pub(crate) fn anchor(loaded: &Loaded, call: &Call) -> u32 {
    let start = call.range.start;
    if call.property_start == 0 {
        return start;
    }
    if loaded.lines.line_of(start) == loaded.lines.line_of(call.property_start) {
        return start;
    }
    let between = loaded.text.get(call.object_end as usize..call.property_start as usize);
    // A comment may stand between and hold dots of its own; the last dot is the operator's.
    let dot = between.and_then(|text| text.rfind(['.', '['])).map(|at| at as u32);
    let dot = dot.map_or(call.property_start, |at| call.object_end + at);
    // `?.` starts one byte earlier.
    match loaded.text.as_bytes().get((dot as usize).wrapping_sub(1)) {
        Some(b'?') => dot - 1,
        _ => dot,
    }
}

/// The statement at `start`, whose text ends at `end`.
pub(crate) fn statement(loaded: &Loaded, start: u32, end: u32) -> Statement {
    let (line, column) = loaded.lines.position(&loaded.text, start);
    let facts = loaded.facts();
    let around = facts.function_at(start);
    Statement {
        location: Location { file: loaded.path.clone(), line, column },
        function: around.map(|function| function_name(facts, &loaded.text, function)),
        snippet: text_snippet(&loaded.text, start, end),
        frame: frame_with(&loaded.lines, &loaded.text, line, column, CONTEXT_LINES),
        original: None,
        inside_function: facts.repeated_function_at(start).is_some(),
        span: (start, end),
    }
}

/// The snippet of a part of a text.
pub(crate) fn text_snippet(text: &str, start: u32, end: u32) -> String {
    snippet(text.get(start as usize..end as usize).unwrap_or_default())
}

/// The name of a function, or of what it is handed to.
pub(crate) fn function_name(facts: &FileFacts, text: &str, function: u32) -> String {
    let Some(item) = facts.functions.get(function as usize) else { return String::new() };
    if item.name != NONE {
        let name = facts.name(item.name);
        return match item.owner_name {
            NONE => name.to_owned(),
            owner => format!("{}.{name}", facts.name(owner)),
        };
    }
    let callee = facts.calls.get(item.argument_of as usize).map(|call| call.callee_range);
    match callee.and_then(|Range { start, end }| text.get(start as usize..end as usize)) {
        Some(callee) => {
            // Of a chain only the last link tells something.
            let short = collapse(callee, 60);
            let short = match callee.rfind(')') {
                Some(at) if callee.len() > at + 1 => collapse(&callee[at + 1..], 60),
                _ => short,
            };
            format!("<anonymous> in {}", short.trim_start_matches(['?', '.']))
        }
        // Returned or stored: the nearest name around it says most.
        None => match named_around(facts, item.parent) {
            Some(name) => format!("<anonymous> in {name}"),
            None => "<anonymous>".to_owned(),
        },
    }
}

/// The name of the nearest named function from `function` outwards.
fn named_around(facts: &FileFacts, mut function: u32) -> Option<&str> {
    loop {
        let item = facts.functions.get(function as usize)?;
        if item.name != NONE {
            return Some(facts.name(item.name));
        }
        function = item.parent;
    }
}

/// The text on one line, blanks collapsed, cut at [`SNIPPET_CHARS`].
pub(crate) fn snippet(text: &str) -> String {
    collapse(text, SNIPPET_CHARS)
}

fn collapse(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut chars = 0;
    let mut blank = false;
    for ch in text.trim().chars() {
        if ch.is_whitespace() {
            blank = true;
            continue;
        }
        if chars + usize::from(blank) >= limit {
            out.push('…');
            return out;
        }
        if std::mem::take(&mut blank) {
            out.push(' ');
            chars += 1;
        }
        out.push(if ch.is_control() { '·' } else { ch });
        chars += 1;
    }
    out
}
