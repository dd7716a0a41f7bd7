//! From a place to what stands around it: the call that takes a function, the statement.

use std::path::PathBuf;
use std::sync::Arc;

use crate::callee::named;
use crate::error::Error;
use crate::facts::{Range, Value};
use crate::files::{ClosureAt, Loaded, SourceFiles};
use crate::gather::gather;
use crate::link::{FileId, Linked, Place};
use crate::location::Location;
use crate::registration::{Route, route};
use crate::statement::{Certainty, Found, anchor, statement};
use crate::textual;

/// How the function gets to the call; better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// As an argument.
    Argument(Route),
    /// The function argument of the call calls it: `setInterval(() => tick())`.
    Called,
    /// It stands inside the call: in an object, an array, another function.
    Inside,
    /// The call is of the right name, nothing leads to it.
    Name,
}

struct Candidate {
    file: FileId,
    start: u32,
    end: u32,
    way: Way,
    repeated: bool,
    /// Bytes of the call: of those around a function the innermost is meant.
    length: u32,
}

/// A function or class of a file.
#[derive(Debug, Clone, Copy)]
struct Target {
    written: Value,
    range: Range,
    /// It starts at the place asked for.
    exact: bool,
}

/// The call whose callee has one of the names and that takes the function at `function`.
pub(crate) fn call_around(
    files: &SourceFiles,
    function: &Location,
    callees: &[String],
    candidates: &[PathBuf],
) -> Result<Found, Error> {
    let own = files.load(&function.file);
    let mut notes = Vec::new();
    let (loaded, error) = match own {
        Ok(loaded) => (Some(loaded), None),
        Err(error) => (None, Some(error)),
    };
    let target = loaded.as_ref().and_then(|loaded| target(loaded, function, &mut notes));
    // Most functions are passed on in their own file; no other is read then.
    if let (Some(loaded), Some(target)) = (&loaded, target) {
        let linked = Linked::new(vec![Arc::clone(loaded)]);
        let found = calls(&linked, Some(callees), Some(target));
        if target.exact && found.iter().any(|it| it.way <= Way::Argument(Route::Named)) {
            notes.splice(0..0, loaded.notes().cloned());
            return Ok(answer(&linked, found, callees, notes));
        }
    }
    let seeds: Vec<Arc<Loaded>> = loaded.iter().cloned().collect();
    let words = if target.is_none() { last_names(callees) } else { Vec::new() };
    let gathered = gather(files, &seeds, candidates, &words);
    notes.splice(0..0, gathered.notes);
    if let Some(error) = error {
        if gathered.files.is_empty() {
            return Err(error);
        }
        notes.insert(0, error.to_string());
    }
    let linked = Linked::new(gathered.files);
    let found = calls(&linked, Some(callees), target);
    if found.is_empty()
        && let Some(loaded) = loaded.as_ref().filter(|loaded| loaded.parsed().failed)
        && let Some(statement) = textual::call_before(loaded, function, &last_names(callees))
    {
        return Ok(Found {
            best: Some(statement),
            how: "found by text near the function, because the file cannot be parsed".into(),
            certainty: Certainty::ByText,
            notes,
            ..Found::default()
        });
    }
    // Whatever takes the function is closer to the truth than nothing.
    if found.is_empty() && target.is_some() {
        let mut any = calls(&linked, None, target);
        any.retain(|it| matches!(it.way, Way::Argument(_)));
        if !any.is_empty() {
            let how = format!("no call of {} takes the function; this one does", listed(callees));
            let found = answer(&linked, any, callees, notes);
            return Ok(Found { how, certainty: Certainty::Likeliest, ..found });
        }
    }
    let found = answer(&linked, found, callees, notes);
    let edited = target.is_some_and(|target| !target.exact);
    let certainty =
        if edited { found.certainty.max(Certainty::Likeliest) } else { found.certainty };
    Ok(Found { certainty, ..found })
}

/// The names without what stands before a dot.
pub(crate) fn last_names(callees: &[String]) -> Vec<String> {
    let last = |name: &String| name.rsplit('.').next().unwrap_or_default().to_owned();
    callees.iter().map(last).filter(|name| !name.is_empty()).collect()
}

/// The names for a sentence.
pub(crate) fn listed(callees: &[String]) -> String {
    match callees {
        [] => "the right name".to_owned(),
        [one] => format!("`{one}`"),
        [first, .., last] if callees.len() > 4 => format!("`{first}` … `{last}`"),
        [init @ .., last] => {
            let init: Vec<String> = init.iter().map(|name| format!("`{name}`")).collect();
            format!("{} or `{last}`", init.join(", "))
        }
    }
}

/// The function or class of the file that is meant.
fn target(loaded: &Loaded, place: &Location, notes: &mut Vec<String>) -> Option<Target> {
    if loaded.parsed().failed {
        return None;
    }
    let facts = loaded.facts();
    let class = loaded
        .lines
        .offset(&loaded.text, place.line, place.column)
        .and_then(|offset| facts.class_at(offset));
    if let Some(class) = class {
        let range = facts.classes[class as usize].range;
        return Some(Target { written: Value::Class(class), range, exact: true });
    }
    let (function, exact) = match loaded.closure_function(place, notes) {
        ClosureAt::Start(function) => (function, true),
        ClosureAt::Inside(function) => (function, false),
        _ => return None,
    };
    let range = facts.functions[function as usize].range;
    Some(Target { written: Value::Function(function), range, exact })
}

/// The calls of one of the names to which the target, which stands in the first file, gets.
/// Without names: of any name; without a target: all calls of these names.
fn calls(linked: &Linked, callees: Option<&[String]>, target: Option<Target>) -> Vec<Candidate> {
    let place = target.and_then(|target| match target.written {
        Value::Function(function) => linked.find(Place::Function(0, function)),
        Value::Class(class) => linked.find(Place::Class(0, class)),
        _ => None,
    });
    let mut out = Vec::new();
    for (id, loaded) in linked.files.iter().enumerate() {
        let file = id as FileId;
        let facts = loaded.facts();
        for call in &facts.calls {
            let bears = |names: &[String]| named(linked, file, loaded, call, names).is_some();
            if !callees.is_none_or(bears) {
                continue;
            }
            let way = match target {
                None => Some(Way::Name),
                Some(target) => way(linked, file, loaded, call, target, place),
            };
            let Some(way) = way else { continue };
            let start = anchor(loaded, call);
            out.push(Candidate {
                file,
                start,
                end: call.range.end,
                way,
                repeated: facts.repeated_function_at(start).is_some(),
                length: call.range.len(),
            });
        }
    }
    out
}

fn way(
    linked: &Linked,
    file: FileId,
    loaded: &Loaded,
    call: &crate::facts::Call,
    target: Target,
    place: Option<u32>,
) -> Option<Way> {
    let facts = loaded.facts();
    let args = facts.parts(call.args);
    let routes =
        args.iter().filter_map(|&arg| route(linked, file, facts, arg, target.written, place));
    if let Some(route) = routes.min() {
        return Some(Way::Argument(route));
    }
    let inside = |outer: Range, inner: Range| outer.start <= inner.start && inner.end <= outer.end;
    // The callee of `f(function () {…})()` is no argument.
    if file == 0 && inside(call.range, target.range) && !inside(call.callee_range, target.range) {
        return Some(Way::Inside);
    }
    let place = place?;
    let calls_it = |range: Range| {
        // Calls are in no order that could be searched; functions handed over are short.
        facts.calls.iter().any(|inner| {
            range.contains(inner.range.start) && linked.denotes(file, inner.callee).contains(&place)
        })
    };
    let wraps = args.iter().any(|&arg| match facts.value(arg) {
        Some(Value::Function(function)) => {
            facts.functions.get(function as usize).is_some_and(|it| calls_it(it.range))
        }
        _ => false,
    });
    wraps.then_some(Way::Called)
}

fn answer(
    linked: &Linked,
    mut candidates: Vec<Candidate>,
    callees: &[String],
    notes: Vec<String>,
) -> Found {
    candidates.sort_by_key(|it| {
        let inner = if it.way == Way::Inside { it.length } else { 0 };
        let package = linked.files[it.file as usize].is_package();
        let package = it.way == Way::Name && package;
        (it.way, package, inner, !it.repeated, it.file, it.start)
    });
    let names = listed(callees);
    let mut certainty = Certainty::Derived;
    let how = match candidates.first().map(|best| best.way) {
        None => format!("no call of {names} was found that takes the function"),
        Some(Way::Argument(Route::Written)) => "the function is written in the call".to_owned(),
        Some(Way::Argument(Route::Wrapped)) => {
            "the function is written in the call, wrapped".to_owned()
        }
        Some(Way::Argument(Route::Named)) => {
            "the function is passed by its name in the same file".to_owned()
        }
        Some(Way::Argument(Route::Imported)) => {
            "the function reaches the call from another file".to_owned()
        }
        Some(Way::Argument(Route::Factory | Route::EventOnly)) => {
            "the function comes out of a call in the argument".to_owned()
        }
        Some(Way::Called) => "the function that is passed calls it".to_owned(),
        Some(Way::Inside) => "the function stands inside the call".to_owned(),
        Some(Way::Name) => {
            certainty = Certainty::Likeliest;
            match candidates.len() {
                1 => format!("the only call of {names}"),
                count => format!("the likeliest of {count} calls of {names}"),
            }
        }
    };
    let statements = candidates.iter().map(|candidate| {
        let loaded = &linked.files[candidate.file as usize];
        statement(loaded, candidate.start, candidate.end)
    });
    Found::of(statements, how, certainty, notes)
}

/// The statement around a place, or the call that takes the function which starts there.
pub(crate) fn enclosing(files: &SourceFiles, place: &Location) -> Result<Found, Error> {
    let loaded = files.load(&place.file)?;
    let mut found = Found { notes: loaded.notes().cloned().collect(), ..Found::default() };
    let shown = format!("{}:{}:{}", loaded.path.display(), place.line, place.column);
    let Some(offset) = loaded.offset(place.line, place.column) else {
        "no statement was found at the place".clone_into(&mut found.how);
        found.notes.push(format!("{shown} lies outside the file: it is not the one that ran"));
        return Ok(found);
    };
    let facts = loaded.facts();
    if loaded.parsed().failed {
        found.best = Some(textual::line_at(&loaded, offset));
        "the line at the place, because the file cannot be parsed".clone_into(&mut found.how);
        found.certainty = Certainty::ByText;
        return Ok(found);
    }
    let start = match loaded.closure_at(place.line, place.column) {
        ClosureAt::Start(function) => Some(function),
        _ => None,
    };
    let function = start.and_then(|at| facts.functions.get(at as usize));
    let call = function.and_then(|it| facts.calls.get(it.argument_of as usize));
    let (start, end, how) = if let Some(call) = call {
        (anchor(&loaded, call), call.range.end, "the call that takes the function")
    } else {
        let from = function.map_or(offset, |function| function.range.start);
        match (facts.statement_at(from), function) {
            (Some(range), _) => (range.start, range.end, "the statement around the place"),
            (None, Some(function)) => {
                (function.range.start, function.range.end, "the function at the place")
            }
            (None, None) => (offset, line_end(&loaded, offset), "the line at the place"),
        }
    };
    found.best = Some(statement(&loaded, start, end));
    how.clone_into(&mut found.how);
    Ok(found)
}

fn line_end(loaded: &Loaded, offset: u32) -> u32 {
    let rest = loaded.text.as_bytes().get(offset as usize..).unwrap_or_default();
    offset + memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len()) as u32
}
