//! Collections: from a variable, property or export to every statement that adds to it.
//!
//! The holder becomes a set of places ([`holder`]), the files give all statements that add to
//! anything ([`forms`]); those whose target denotes one of the places remain and are ranked.

mod forms;
mod holder;
mod rank;

use std::path::PathBuf;

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::facts::{FileFacts, NONE, Value};
use crate::files::SourceFiles;
use crate::gather::gather;
use crate::link::{FileId, Linked, Place, PlaceId};
use crate::location::Location;
use crate::statement::{Certainty, Found, Statement, statement};
use crate::textual;
use forms::Form;

/// What kind of collection leaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CollectionKind {
    /// `Map` (and `WeakMap`).
    Map,
    /// `Set` (and `WeakSet`).
    Set,
    /// An array.
    Array,
    /// An object used as a dictionary.
    Object,
    /// A string or buffer that is appended to: `text += line`, `all = Buffer.concat([all, chunk])`.
    Text,
    /// A chain, whose end is assigned a new link: `last = { prev: last }`, `tail.next = node`.
    Chain,
}

/// Where the collection is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holder {
    /// A variable in a context.
    Variable {
        /// The file that declares it.
        file: PathBuf,
        /// Its name.
        name: String,
        /// The start of a function that closes over it, if known: it tells apart variables of the
        /// same name.
        near: Option<Location>,
    },
    /// A property of an object.
    Property {
        /// Its name.
        name: String,
        /// The constructor's name of the object that has it, if it has one of its own.
        owner_class: Option<String>,
        /// The file of that constructor or of the object's module, if known.
        file: Option<PathBuf>,
    },
    /// What a module exports.
    ModuleExport {
        /// The module.
        file: PathBuf,
        /// The export's name; `None` for `module.exports` itself.
        name: Option<String>,
    },
    /// What is inside another collection: `byUser.get(id)`, `rooms[name]`.
    Element {
        /// The holder of the collection that it is in.
        of: Box<Holder>,
    },
}

/// What the snapshot tells about the things inside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdderHint {
    /// Property names of the leaked values.
    pub value_keys: Vec<String>,
    /// Their constructor, if it is no plain object.
    pub value_class: Option<String>,
    /// Some of the keys they are kept under.
    pub key_samples: Vec<String>,
}

/// All statements that add to the collection that `holders` name, best first.
///
/// `candidate_files` are all user scripts the snapshot knows. Fails only if no file can be read.
pub fn adders(
    files: &SourceFiles,
    holders: &[Holder],
    kind: CollectionKind,
    hint: &AdderHint,
    candidate_files: &[PathBuf],
) -> Result<Found, Error> {
    let mut seeds = Vec::new();
    let mut first_error = None;
    let mut notes = Vec::new();
    for file in holders.iter().filter_map(holder::file) {
        match files.load(file) {
            Ok(loaded) => seeds.push(loaded),
            Err(error) => {
                notes.push(error.to_string());
                first_error.get_or_insert(error);
            }
        }
    }
    let words: Vec<String> = holders.iter().filter_map(holder::word).collect();
    // A variable is reached through its file's imports; a property by its name anywhere.
    let anywhere: Vec<String> = holders.iter().filter_map(holder::word_anywhere).collect();
    let search = if seeds.is_empty() { &words } else { &anywhere };
    let gathered = gather(files, &seeds, candidate_files, search);
    if gathered.files.is_empty()
        && let Some(error) = first_error
    {
        return Err(error);
    }
    notes.extend(gathered.notes);

    let linked = Linked::new(gathered.files);
    let target = holder::places(&linked, files, holders, &mut notes);
    let mut how = holder::sentence(holders, &linked);
    let mut certainty = Certainty::Derived;
    let mut matched = matching(&linked, kind, |linked, file, form| {
        denotes_any(linked, file, form.target, &target)
    });
    if matched.is_empty() {
        // The holder may be the way to it: a map of arrays of which one grows.
        let inner = holder::inside(&linked, &target);
        matched = matching(&linked, kind, |linked, file, form| {
            denotes_any(linked, file, form.target, &inner)
        });
        if !matched.is_empty() {
            how = holder::inside_sentence(&how);
        }
    }
    if matched.is_empty() {
        matched = by_method(&linked, kind, &target);
    }
    if matched.is_empty() {
        let names: FxHashSet<&str> = words.iter().map(String::as_str).collect();
        let weaker = |linked: &Linked, file: FileId, form: &Form| named(linked, file, form, &names);
        matched = matching(&linked, kind, weaker);
        if !matched.is_empty() {
            "matched by the property's name only: what the object is could not be told"
                .clone_into(&mut how);
            certainty = Certainty::ByName;
        }
    }
    if kind == CollectionKind::Chain {
        matched = rank::without_links(&linked, matched, &hint.value_keys);
    }
    let ranked = rank::rank(&linked, matched, kind, &target, hint, &words);
    let in_text = |(file, form): &(FileId, Form)| {
        statement(&linked.files[*file as usize], form.start, form.end)
    };
    let mut statements: Vec<Statement> = ranked.iter().map(in_text).collect();
    if statements.is_empty() {
        statements = textual::method_calls(&linked.files, &words, forms::methods(kind));
        how = if statements.is_empty() {
            "no statement was found that adds to it".to_owned()
        } else {
            "found by text, because the file cannot be parsed".to_owned()
        };
        certainty = Certainty::ByText;
    }
    Ok(Found::of(statements, how, certainty, notes))
}

fn matching(
    linked: &Linked,
    kind: CollectionKind,
    accept: impl Fn(&Linked, FileId, &Form) -> bool,
) -> Vec<(FileId, Form)> {
    let mut out = Vec::new();
    for (file, loaded) in linked.files.iter().enumerate() {
        let file = file as FileId;
        for form in forms::forms(loaded, kind) {
            if accept(linked, file, &form)
                && form
                    .needs
                    .is_none_or(|needs| rebuilds(linked, file, loaded.facts(), &form, needs))
            {
                out.push((file, form));
            }
        }
    }
    out
}

/// Calls of an adding method that goes by a name of its own: `const put = cache.set.bind(cache)`.
fn by_method(
    linked: &Linked,
    kind: CollectionKind,
    target: &FxHashSet<PlaceId>,
) -> Vec<(FileId, Form)> {
    let mut out = Vec::new();
    for (file, loaded) in linked.files.iter().enumerate() {
        let file = file as FileId;
        let facts = loaded.facts();
        for call in &facts.calls {
            if matches!(facts.value(call.callee), Some(Value::Member { .. }) | None) {
                continue;
            }
            let adds = linked.denotes(file, call.callee).iter().any(|&place| {
                matches!(linked.place(place), Some(Place::Member(object, key))
                    if target.contains(&object) && forms::methods(kind).contains(&linked.name(key)))
            });
            if adds {
                out.push((file, forms::called(loaded, call)));
            }
        }
    }
    out
}

/// A reassignment adds only if its value is made from what was there before.
fn rebuilds(linked: &Linked, file: FileId, facts: &FileFacts, form: &Form, value: u32) -> bool {
    let before: FxHashSet<PlaceId> = linked.denotes(file, form.target).iter().copied().collect();
    forms::ingredients(facts, value)
        .into_iter()
        .any(|part| part == form.target || denotes_any(linked, file, part, &before))
}

pub(super) fn denotes_any(
    linked: &Linked,
    file: FileId,
    value: u32,
    places: &FxHashSet<PlaceId>,
) -> bool {
    linked.denotes(file, value).iter().any(|place| places.contains(place))
}

/// The weaker match: a property of the right name on an object that nothing is known about, directly or by a
/// variable that it was put into: `var data = this.items; data[key] = value`.
fn named(linked: &Linked, file: FileId, form: &Form, names: &FxHashSet<&str>) -> bool {
    let facts = linked.files[file as usize].facts();
    let bears = |value: u32| {
        matches!(facts.value(value), Some(Value::Member { key, .. })
            if key != NONE && names.contains(facts.name(key)))
    };
    match facts.value(form.target) {
        Some(Value::Symbol(symbol)) => facts.assigns.iter().any(|assign| {
            facts.value(assign.target) == Some(Value::Symbol(symbol)) && bears(assign.value)
        }),
        _ => bears(form.target),
    }
}
