//! From an async function that does not go on to the place where it waits.
//!
//! A snapshot knows a paused function, not the `await` at which it paused. Of several, the one that names what is
//! waited for is meant: by its variable, by a call of the function, or by a call of a helper in the same file that
//! calls it (`const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))`).

use std::sync::Arc;

use crate::around::enclosing;
use crate::callee::named;
use crate::error::Error;
use crate::facts::{Call, FileFacts, Range};
use crate::files::{ClosureAt, Loaded, SourceFiles};
use crate::link::{Linked, Place};
use crate::location::Location;
use crate::statement::{Certainty, Found, Statement, statement};

/// How an `await` fits; better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It calls what is waited for.
    Calls,
    /// What it calls does.
    Helper,
    /// It names what is waited for.
    Names,
    /// It is an `await` of the function.
    Any,
}

/// Where the function at the place waits for something of these names.
pub(crate) fn awaits(
    files: &SourceFiles,
    function: &Location,
    words: &[String],
) -> Result<Found, Error> {
    let loaded = files.load(&function.file)?;
    let mut notes: Vec<String> = loaded.notes().cloned().collect();
    let target = match loaded.closure_function(function, &mut notes) {
        ClosureAt::Start(target) => Some((target, true)),
        ClosureAt::Inside(target) => Some((target, false)),
        ClosureAt::Nothing | ClosureAt::Outside => None,
    };
    let Some((target, exact)) = target else { return enclosing(files, function) };
    let linked = Linked::new(vec![Arc::clone(&loaded)]);
    let facts = loaded.facts();
    let own = facts.awaits.iter().filter(|(_, of)| *of == target);
    let mut found: Vec<(Fit, Range)> =
        own.map(|(range, _)| (fit(&linked, &loaded, *range, words), *range)).collect();
    found.sort_by_key(|(fit, range)| (*fit, range.start));
    let Some(&(best, _)) = found.first() else { return enclosing(files, function) };
    let rivals = found.iter().filter(|(fit, _)| *fit == best).count();
    let (how, certainty) = match (best, rivals) {
        (Fit::Any, 1) => ("the only place where the function waits".to_owned(), Certainty::Derived),
        (_, 1) => ("the function waits there for it".to_owned(), Certainty::Derived),
        (_, count) => (
            format!("the likeliest of {count} places where the function waits"),
            Certainty::Likeliest,
        ),
    };
    // In a file that was edited since, the function may be another one.
    let certainty = if exact { certainty } else { Certainty::Likeliest };
    let mut statements: Vec<Statement> = Vec::new();
    for (_, range) in found {
        let start = facts.statement_at(range.start).map_or(range.start, |around| {
            // A statement over many lines is known by the line that waits.
            if loaded.text[around.start as usize..range.start as usize].contains('\n') {
                range.start
            } else {
                around.start
            }
        });
        let statement = statement(&loaded, start, range.end);
        if !statements.iter().any(|it| it.location == statement.location) {
            statements.push(statement);
        }
    }
    let mut statements = statements.into_iter();
    let (best, others) = (statements.next(), statements.collect());
    Ok(Found { best, others, how, certainty, notes, caller: None })
}

fn fit(linked: &Linked, loaded: &Loaded, range: Range, words: &[String]) -> Fit {
    if words.is_empty() {
        return Fit::Any;
    }
    let facts = loaded.facts();
    if calls_in(facts, range).any(|call| named(linked, 0, loaded, call, words).is_some()) {
        return Fit::Calls;
    }
    let helps = |call: &Call| {
        linked.denotes(0, call.callee).iter().any(|&place| {
            let body = body_of(linked, facts, place);
            body.is_some_and(|body| {
                calls_in(facts, body).any(|inner| named(linked, 0, loaded, inner, words).is_some())
            })
        })
    };
    if calls_in(facts, range).any(helps) {
        return Fit::Helper;
    }
    let text = loaded.text.get(range.start as usize..range.end as usize).unwrap_or_default();
    if words.iter().any(|word| has_word(text, word)) { Fit::Names } else { Fit::Any }
}

fn calls_in(facts: &FileFacts, range: Range) -> impl Iterator<Item = &Call> {
    facts.calls.iter().filter(move |call| range.contains(call.range.start))
}

/// The text of the function that a place is.
fn body_of(linked: &Linked, facts: &FileFacts, place: u32) -> Option<Range> {
    let at = (0..facts.functions.len() as u32)
        .find(|&function| linked.find(Place::Function(0, function)) == Some(place))?;
    facts.functions.get(at as usize).map(|function| function.range)
}

/// Whether the word stands in the text by itself.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    !word.is_empty()
        && text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            !before.is_some_and(is_part) && !after.is_some_and(is_part)
        })
}
