//! From what the snapshot calls the collection to the places it is kept in.

use std::path::Path;

use rustc_hash::FxHashSet;

use super::Holder;
use crate::facts::Symbol;
use crate::files::{ClosureAt, Loaded, SourceFiles};
use crate::link::{FileId, Linked, Place, PlaceId};
use crate::location::Location;

/// Collections in collections that are followed.
const MAX_INSIDE: usize = 4;

/// The holder that is no element, and how many collections deep the one meant is in it.
fn outermost(holder: &Holder) -> (&Holder, usize) {
    let (mut holder, mut depth) = (holder, 0);
    while let Holder::Element { of } = holder {
        (holder, depth) = (of, depth + 1);
    }
    (holder, depth)
}

/// The places of what is in the collections, with all names it came under.
pub(super) fn inside(linked: &Linked, places: &FxHashSet<PlaceId>) -> FxHashSet<PlaceId> {
    let closed = linked.closure(linked.elements(places));
    closed.into_iter().filter(|&id| linked.place(id).is_some_and(is_identity)).collect()
}

/// The same sentence for what is inside.
pub(super) fn inside_sentence(sentence: &str) -> String {
    sentence.replacen("add to the", "add to what is inside the", 1)
}

/// The file that a holder names.
pub(super) fn file(holder: &Holder) -> Option<&Path> {
    match outermost(holder).0 {
        Holder::Element { .. } => None,
        Holder::Variable { file, .. } | Holder::ModuleExport { file, .. } => Some(file),
        Holder::Property { file, .. } => file.as_deref(),
    }
}

/// The name that code which touches the holder is likely to write.
pub(super) fn word(holder: &Holder) -> Option<String> {
    match outermost(holder).0 {
        Holder::Element { .. } => None,
        Holder::Variable { name, .. } | Holder::Property { name, .. } => Some(name.clone()),
        Holder::ModuleExport { name, .. } => name.clone(),
    }
}

/// The same for holders that any file may touch without importing theirs.
pub(super) fn word_anywhere(holder: &Holder) -> Option<String> {
    match outermost(holder).0 {
        Holder::Property { name, .. } => Some(name.clone()),
        _ => None,
    }
}

/// How the holder was understood, as a sentence for [`crate::Found::how`].
pub(super) fn sentence(holders: &[Holder], linked: &Linked) -> String {
    let files = match linked.files.len() {
        1 => "in its file".to_owned(),
        count => format!("in {count} files"),
    };
    let (first, depth) = match holders.first() {
        Some(first) => outermost(first),
        None => return "no holder was given".to_owned(),
    };
    let sentence = outer_sentence(first, &files);
    if depth > 0 { inside_sentence(&sentence) } else { sentence }
}

fn outer_sentence(holder: &Holder, files: &str) -> String {
    match holder {
        Holder::Element { .. } => format!("statements that add to it, {files}"),
        Holder::Variable { name, .. } => {
            format!("statements that add to the variable `{name}` or an alias of it, {files}")
        }
        Holder::Property { name, owner_class: Some(owner), .. } => {
            format!("statements that add to the property `{name}` of `{owner}`, {files}")
        }
        Holder::Property { name, .. } => {
            format!("statements that add to the property `{name}`, {files}")
        }
        Holder::ModuleExport { name: Some(name), .. } => {
            format!("statements that add to the export `{name}` or an import of it, {files}")
        }
        Holder::ModuleExport { .. } => {
            format!("statements that add to the module's exports or an import of it, {files}")
        }
    }
}

/// The places that stand for the collection, with all names it came under.
pub(super) fn places(
    linked: &Linked,
    source: &SourceFiles,
    holders: &[Holder],
    notes: &mut Vec<String>,
) -> FxHashSet<PlaceId> {
    let mut found = FxHashSet::default();
    for holder in holders {
        let (outer, depth) = outermost(holder);
        let mut places = outer_places(linked, source, outer, notes);
        for _ in 0..depth.min(MAX_INSIDE) {
            places = inside(linked, &places);
        }
        found.extend(places);
    }
    found
}

fn outer_places(
    linked: &Linked,
    source: &SourceFiles,
    holder: &Holder,
    notes: &mut Vec<String>,
) -> FxHashSet<PlaceId> {
    let id = file(holder).and_then(|path| file_id(linked, source, path));
    let seeds = match holder {
        Holder::Variable { name, near, .. } => {
            let Some(id) = id else { return FxHashSet::default() };
            let near = near.as_ref().filter(|near| file_id(linked, source, &near.file) == Some(id));
            variable(linked, id, name, near, notes)
        }
        Holder::ModuleExport { name, .. } => {
            let exports = id.and_then(|id| linked.find(Place::Exports(id)));
            match (exports, name) {
                (None, _) => Vec::new(),
                (Some(exports), None) => vec![exports],
                (Some(exports), Some(name)) => members(linked, exports, name),
            }
        }
        Holder::Property { name, owner_class, .. } => {
            property(linked, name, owner_class.as_deref(), id)
        }
        Holder::Element { .. } => Vec::new(),
    };
    // Aliases count, but not what all objects of one making share.
    let closed = linked.closure(seeds);
    closed.into_iter().filter(|&id| linked.place(id).is_some_and(is_identity)).collect()
}

fn is_identity(place: Place) -> bool {
    matches!(
        place,
        Place::Symbol(..)
            | Place::Param(..)
            | Place::Exports(_)
            | Place::Global(_)
            | Place::Member(..)
    )
}

fn file_id(linked: &Linked, source: &SourceFiles, path: &Path) -> Option<FileId> {
    let key = source.load(path).ok()?.key.clone();
    linked.files.iter().position(|file| file.key == key).map(|at| at as FileId)
}

/// The variables of that name that are meant.
fn variable(
    linked: &Linked,
    file: FileId,
    name: &str,
    near: Option<&Location>,
    notes: &mut Vec<String>,
) -> Vec<PlaceId> {
    let Some(loaded) = linked.files.get(file as usize) else { return Vec::new() };
    let facts = loaded.facts();
    let named: Vec<(u32, &Symbol)> = facts
        .symbols
        .iter()
        .enumerate()
        .filter(|(_, symbol)| facts.name(symbol.name) == name)
        .map(|(at, symbol)| (at as u32, symbol))
        .collect();
    let place = |at: u32| linked.find(Place::Symbol(file, at));
    if let Some(visible) = near.and_then(|near| visible_at(loaded, near, &named)) {
        return place(visible).into_iter().collect();
    }
    if let Some(&(at, _)) = named.iter().find(|(_, symbol)| symbol.top_level) {
        return place(at).into_iter().collect();
    }
    match named.len() {
        // Without a declaration the name may be an implicit global.
        0 => {
            let global = linked.name_id(name).and_then(|id| linked.find(Place::Global(id)));
            if global.is_none() && !loaded.parsed().failed {
                notes.push(format!(
                    "{} declares no variable `{name}`: it may not be the file that ran",
                    loaded.path.display()
                ));
            }
            global.into_iter().collect()
        }
        1 => named.iter().filter_map(|&(at, _)| place(at)).collect(),
        count => {
            notes.push(format!(
                "{count} variables are called `{name}` in {}; all were searched",
                loaded.path.display()
            ));
            named.iter().filter_map(|&(at, _)| place(at)).collect()
        }
    }
}

/// The innermost of the variables that the function at `near` sees from outside itself.
fn visible_at(loaded: &Loaded, near: &Location, named: &[(u32, &Symbol)]) -> Option<u32> {
    let facts = loaded.facts();
    let (ClosureAt::Start(function) | ClosureAt::Inside(function)) =
        loaded.closure_at(near.line, near.column)
    else {
        return None;
    };
    let inner = facts.functions.get(function as usize)?.range;
    named
        .iter()
        .filter(|(_, symbol)| {
            let scope = symbol.scope;
            scope.start <= inner.start && inner.end <= scope.end && symbol.function != function
        })
        .min_by_key(|(_, symbol)| symbol.scope.len())
        .map(|&(at, _)| at)
}

/// `object.name` and the same of everything that the object's place holds.
fn members(linked: &Linked, object: PlaceId, name: &str) -> Vec<PlaceId> {
    let Some(key) = linked.name_id(name) else { return Vec::new() };
    linked
        .closure([object])
        .into_iter()
        .filter_map(|object| linked.find(Place::Member(object, key)))
        .collect()
}

/// Properties of that name, of objects that fit the owner's class and the file.
fn property(
    linked: &Linked,
    name: &str,
    owner: Option<&str>,
    file: Option<FileId>,
) -> Vec<PlaceId> {
    let Some(key) = linked.name_id(name) else { return Vec::new() };
    // V8 calls plain objects `Object`, and the global object `global` or by its host's name.
    let owner = owner.filter(|owner| !matches!(*owner, "Object" | ""));
    let global = owner.is_none_or(|owner| matches!(owner, "global" | "globalThis" | "Window"));
    let mut out: Vec<PlaceId> = Vec::new();
    let mut elsewhere: Vec<PlaceId> = Vec::new();
    for (id, place) in linked.places() {
        let fits = match place {
            Place::Global(name) => global && name == key,
            Place::Member(object, name) if name == key => {
                let Some(object) = linked.place(object) else { continue };
                match (owner, linked.instance_name(object)) {
                    (Some(owner), Some(class)) => owner == class,
                    (Some(owner), None) => {
                        matches!(object, Place::Class(..) | Place::Function(..))
                            && constructor_name(linked, object) == Some(owner)
                    }
                    (None, _) => true,
                }
            }
            _ => false,
        };
        if !fits {
            continue;
        }
        match (file, linked.place(id).and_then(|place| root_file(linked, place))) {
            (Some(wanted), Some(found)) if wanted != found => elsewhere.push(id),
            _ => out.push(id),
        }
    }
    if out.is_empty() { elsewhere } else { out }
}

fn constructor_name(linked: &Linked, place: Place) -> Option<&str> {
    match place {
        Place::Class(file, class) => linked.instance_name(Place::Instance(file, class)),
        Place::Function(file, function) => linked.instance_name(Place::Made(file, function)),
        _ => None,
    }
}

/// The file in which the object that has the property is made or exported.
fn root_file(linked: &Linked, place: Place) -> Option<FileId> {
    let mut place = place;
    loop {
        place = match place {
            Place::Member(object, _) => linked.place(object)?,
            Place::Symbol(file, _)
            | Place::Param(file, ..)
            | Place::Exports(file)
            | Place::Function(file, _)
            | Place::Class(file, _)
            | Place::Instance(file, _)
            | Place::Made(file, _)
            | Place::Object(file, _) => return Some(file),
            Place::Foreign(_) | Place::Global(_) | Place::Text(_) => return None,
        }
    }
}
