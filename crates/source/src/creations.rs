//! From a class or function to the calls that make things with it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::around::{last_names, listed};
use crate::callee::{Named, named};
use crate::error::Error;
use crate::facts::{Call, FileFacts, NONE, NameId, This, Value};
use crate::files::{Loaded, SourceFiles};
use crate::gather::gather;
use crate::link::{FileId, Linked, Place, PlaceId};
use crate::location::Location;
use crate::statement::{Certainty, Found, anchor, statement};
use crate::textual;

/// How a call makes the thing; better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    /// It calls the very class or function.
    Same,
    /// By name: a global or a member of a module that is not at hand.
    Outside,
    /// By name only.
    Name,
}

/// What is sought.
pub(crate) struct Wanted<'q> {
    /// The class or function, as the snapshot calls it; may be empty.
    pub name: &'q str,
    /// Other names of what makes it.
    pub callees: &'q [String],
    /// What it is called on; empty where it can be anything.
    pub on: &'q [String],
}

/// What it is called on; better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum On {
    /// What was asked for: by its name in the user's code, or `this` in its class.
    Same,
    /// By a name in a package's code: names like `logger` are many packages'.
    Named,
    /// Anything else.
    Other,
}

struct Candidate {
    file: FileId,
    start: u32,
    end: u32,
    by: Match,
    on: On,
    repeated: bool,
    package: bool,
}

/// The calls that are wanted, the user's own before those of packages.
pub(crate) fn creations(
    files: &SourceFiles,
    wanted: &Wanted<'_>,
    near: Option<&Location>,
    candidates: &[PathBuf],
) -> Result<Found, Error> {
    let mut names = wanted.callees.to_vec();
    if !wanted.name.is_empty() && !names.iter().any(|it| it == wanted.name) {
        names.push(wanted.name.to_owned());
    }
    let mut notes = Vec::new();
    let mut error = None;
    let mut seeds = Vec::new();
    if let Some(near) = near {
        match files.load(&near.file) {
            Ok(loaded) => seeds.push(loaded),
            Err(cause) => {
                notes.push(cause.to_string());
                error = Some(cause);
            }
        }
    }
    let words = last_names(&names);
    let is_package =
        |path: &&PathBuf| path.components().any(|part| part.as_os_str() == "node_modules");
    let own: Vec<PathBuf> = candidates.iter().filter(|path| !is_package(path)).cloned().collect();
    // The user's files first: hundreds of packages make things under the same few names.
    for pool in [own.as_slice(), candidates] {
        let gathered = gather(files, &seeds, pool, &words);
        if gathered.files.is_empty() {
            continue;
        }
        let linked = Linked::new(gathered.files);
        let target = near.map_or_else(Vec::new, |near| definition(&linked, &seeds, near));
        let found = calls(&linked, &names, wanted.on, &target);
        let is_last = pool.len() == candidates.len();
        // A package may be what calls it on that very thing.
        if !is_last && !wanted.on.is_empty() && found.iter().all(|it| it.on == On::Other) {
            continue;
        }
        if !found.is_empty() {
            notes.extend(gathered.notes);
            return Ok(answer(&linked, found, &names, notes));
        }
        let by_text = textual::calls(&linked.files, &words);
        if !by_text.is_empty() {
            notes.extend(gathered.notes);
            let mut statements = by_text.into_iter();
            return Ok(Found {
                best: statements.next(),
                others: statements.collect(),
                how: "found by text, because the file cannot be parsed".to_owned(),
                certainty: Certainty::ByText,
                notes,
                caller: None,
            });
        }
        if is_last {
            notes.extend(gathered.notes);
            break;
        }
    }
    match error {
        Some(error) if candidates.is_empty() => Err(error),
        _ => Ok(Found {
            how: format!("no call of {} was found", listed(&names)),
            notes,
            ..Found::default()
        }),
    }
}

/// The places of the class or function that is defined there.
fn definition(linked: &Linked, seeds: &[Arc<Loaded>], near: &Location) -> Vec<PlaceId> {
    let Some(loaded) = seeds.first() else { return Vec::new() };
    let facts = loaded.facts();
    let Some(offset) = loaded.offset(near.line, near.column) else { return Vec::new() };
    let mut out = Vec::new();
    if let Some(class) = facts.class_at(offset) {
        out.extend(linked.find(Place::Class(0, class)));
    } else if let Some((function, true)) = facts.closure_at(offset) {
        out.extend(linked.find(Place::Function(0, function)));
    }
    out
}

fn calls(linked: &Linked, names: &[String], on: &[String], target: &[PlaceId]) -> Vec<Candidate> {
    let mut out = Vec::new();
    let imports = names.iter().any(|name| name == "import");
    for (id, loaded) in linked.files.iter().enumerate() {
        let file = id as FileId;
        let facts = loaded.facts();
        // An import is no call; one whose address is computed may load a module anew.
        for range in facts.imports.iter().filter(|_| imports) {
            let text =
                loaded.text.get(range.start as usize..range.end as usize).unwrap_or_default();
            let is_fixed = !text.contains(['+', '`', '$']) && text.contains(['\'', '"']);
            out.push(Candidate {
                file,
                start: range.start,
                end: range.end,
                by: if is_fixed { Match::Name } else { Match::Outside },
                on: On::Other,
                repeated: facts.repeated_function_at(range.start).is_some(),
                package: loaded.is_package(),
            });
        }
        for call in &facts.calls {
            let same = linked.denotes(file, call.callee).iter().any(|it| target.contains(it));
            let by = match (same, named(linked, file, loaded, call, names)) {
                (true, _) => Match::Same,
                (_, Some(Named::Outside | Named::Alias)) => Match::Outside,
                (_, Some(Named::Written)) if is_route(facts, call) => continue,
                (_, Some(Named::Written)) => Match::Name,
                (_, None) => continue,
            };
            let start = anchor(loaded, call);
            out.push(Candidate {
                file,
                start,
                end: call.range.end,
                by,
                on: called_on(loaded, call, on),
                repeated: facts.repeated_function_at(start).is_some(),
                package: loaded.is_package(),
            });
        }
    }
    out
}

/// `app.get('/path', (req, res) => …)` names what answers a request; it makes none.
fn is_route(facts: &FileFacts, call: &Call) -> bool {
    let args = facts.parts(call.args);
    let starts_path = args.first().is_some_and(|&first| {
        matches!(facts.value(first), Some(Value::Text(text)) if facts.name(text).starts_with('/'))
    });
    let handler =
        |&arg: &u32| matches!(facts.value(arg), Some(Value::Function(_) | Value::Symbol(_)));
    starts_path && args.iter().skip(1).any(handler)
}

/// What the call is made on, among these names.
fn called_on(loaded: &Loaded, call: &Call, names: &[String]) -> On {
    let facts = loaded.facts();
    let Some(object) = facts.callee_object(call).filter(|_| !names.is_empty()) else {
        return On::Other;
    };
    let (name, is_this) = match facts.value(object) {
        Some(Value::Symbol(symbol)) => {
            (facts.symbols.get(symbol as usize).map(|it| it.name), false)
        }
        Some(Value::Member { key, .. }) => (Some(key), false),
        Some(Value::This(function)) => (class_around(facts, function), true),
        _ => (None, false),
    };
    let fits = name
        .filter(|&name| name != NONE)
        .is_some_and(|name| names.iter().any(|it| it == facts.name(name)));
    match fits {
        true if is_this || !loaded.is_package() => On::Same,
        true => On::Named,
        false => On::Other,
    }
}

/// The name of the class that the function is a method of.
fn class_around(facts: &FileFacts, function: u32) -> Option<NameId> {
    match facts.functions.get(function as usize)?.this {
        This::Instance(class) => Some(facts.classes.get(class as usize)?.name),
        This::Prototype(symbol) => Some(facts.symbols.get(symbol as usize)?.name),
        _ => None,
    }
}

fn answer(
    linked: &Linked,
    mut candidates: Vec<Candidate>,
    names: &[String],
    notes: Vec<String>,
) -> Found {
    // Calls of the very thing in the user's code leave no room for calls of the same name.
    if candidates.iter().any(|it| it.by == Match::Same && !it.package) {
        candidates.retain(|it| it.by == Match::Same);
    }
    candidates.sort_by_key(|it| (it.on, it.package, !it.repeated, it.by, it.file, it.start));
    let Some(best) = candidates.first() else { return Found { notes, ..Found::default() } };
    // What runs once makes one thing, so it is no rival of what runs again and again.
    let rivals = candidates
        .iter()
        .filter(|it| it.package == best.package && it.repeated == best.repeated && it.on == best.on)
        .count();
    let names = listed(names);
    let (how, certainty) = match (best.by, rivals) {
        (Match::Same, 1) => {
            ("the only call of what is defined there".to_owned(), Certainty::Derived)
        }
        (Match::Outside, 1) => (format!("the one call of {names}"), Certainty::Derived),
        (Match::Name, 1) => (format!("the only call of {names}, by its name"), Certainty::ByName),
        (_, count) => (format!("the likeliest of {count} calls of {names}"), Certainty::Likeliest),
    };
    let statements = candidates.iter().map(|candidate| {
        let loaded = &linked.files[candidate.file as usize];
        statement(loaded, candidate.start, candidate.end)
    });
    Found::of(statements, how, certainty, notes)
}
