//! Which functions of a scope use one of its variables.
//!
//! A heap shows which variables a scope holds, not which function needs them. That is in the text: whether a
//! function's own lines mention the variable, and which other functions of the scope do.

use crate::error::Error;
use crate::facts::{FileFacts, NONE};
use crate::files::{ClosureAt, SourceFiles};
use crate::location::Location;

/// Who uses a variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeUse {
    /// The function at the place mentions it.
    pub mentioned: bool,
    /// Other functions in the variable's scope that do, with their lines.
    pub users: Vec<(String, u32)>,
}

/// Functions that are named.
const MAX_USERS: usize = 3;

/// Whether the function at `function` uses `variable`; `None` where its text cannot be told.
///
/// # Errors
/// The file cannot be read.
pub fn scope_use(
    files: &SourceFiles,
    function: &Location,
    variable: &str,
) -> Result<Option<ScopeUse>, Error> {
    let loaded = files.load(&function.file)?;
    if loaded.parsed().failed {
        return Ok(None);
    }
    let ClosureAt::Start(kept) = loaded.closure_at(function.line, function.column) else {
        return Ok(None);
    };
    let facts = loaded.facts();
    let Some(own) = facts.functions.get(kept as usize) else { return Ok(None) };
    let text = |start: u32, end: u32| loaded.text.get(start as usize..end as usize);
    let Some(own_text) = text(own.range.start, own.range.end) else { return Ok(None) };
    let mentioned = mentions(own_text, variable);
    let Some(scope) = scope_of(facts, own.range.start, variable) else { return Ok(None) };
    let mut users = Vec::new();
    for other in &facts.functions {
        let inside = scope.0 < other.range.start && other.range.end <= scope.1;
        let apart = other.range.end <= own.range.start || own.range.end <= other.range.start;
        // Of functions inside each other the outermost is named.
        let within_last = users.last().is_some_and(|&(_, end, _)| other.range.end <= end);
        if !inside || !apart || within_last {
            continue;
        }
        if text(other.range.start, other.range.end).is_some_and(|t| mentions(t, variable)) {
            let name = if other.name == NONE { "" } else { facts.name(other.name) };
            users.push((name.to_owned(), other.range.end, other.range.start));
            if users.len() >= MAX_USERS {
                break;
            }
        }
    }
    let users = users
        .into_iter()
        .map(|(name, _, start)| {
            let name = if name.is_empty() { "a function".into() } else { format!("{name}()") };
            (name, loaded.lines.position(&loaded.text, start).0)
        })
        .collect();
    Ok(Some(ScopeUse { mentioned, users }))
}

/// The smallest scope around the offset that declares the variable.
fn scope_of(facts: &FileFacts, offset: u32, variable: &str) -> Option<(u32, u32)> {
    facts
        .symbols
        .iter()
        .filter(|s| facts.name(s.name) == variable && s.scope.contains(offset))
        .map(|s| (s.scope.start, s.scope.end))
        .min_by_key(|(start, end)| end - start)
}

/// Whether a text holds the name as a word of its own that is no property: `rows`, not `.rows` or `browser`.
pub(crate) fn mentions(text: &str, name: &str) -> bool {
    if name.is_empty() {
        return false;
    }
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '#');
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        let spread = text[..at].ends_with("...");
        !before.is_some_and(|c| is_word(c) || (c == '.' && !spread)) && !after.is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_mentioned_as_a_word() {
        for text in ["rows", "f(rows)", "...rows", "{ rows }", "rows.length"] {
            assert!(mentions(text, "rows"), "{text}");
        }
        for text in ["", "x.rows", "browser rowset", "arrows"] {
            assert!(!mentions(text, "rows"), "{text}");
        }
    }

    #[test]
    fn who_uses_a_variable_is_told_from_who_only_shares_its_scope() {
        let name = format!("leakline-scope-{}.js", std::process::id());
        let file = std::env::temp_dir().join(name);
        let text = "function attach(url) {\n  const rows = load(url);\n  \
                    const total = () => rows.length;\n  hooks.push(() => 'done');\n  return total;\n}\n";
        std::fs::write(&file, text).expect("the folder takes a file");
        let at = |line, column| Location { file: file.clone(), line, column };
        let files = SourceFiles::new(Vec::new());
        let kept = scope_use(&files, &at(4, 14), "rows");
        let user = scope_use(&files, &at(3, 17), "rows");
        std::fs::remove_file(&file).expect("the file is there");
        let kept = kept.expect("the file is readable").expect("a function starts there");
        assert_eq!(kept, ScopeUse { mentioned: false, users: vec![("total()".into(), 3)] });
        assert!(user.expect("the file is readable").expect("a function starts there").mentioned);
    }
}
