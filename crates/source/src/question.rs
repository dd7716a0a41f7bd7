//! One door for all questions about the source: what the snapshot knows goes in, a statement of
//! the user's code comes out.
//!
//! Each family of leaks asks one of a few questions; which, its detector knows. The answer is then
//! completed in the same way for all of them: who of the user's code leads to a package, and where
//! the statement was before compilation.

use std::path::PathBuf;

use crate::adders::{AdderHint, CollectionKind, Holder, adders};
use crate::around;
use crate::awaits;
use crate::caller;
use crate::creations;
use crate::error::Error;
use crate::files::SourceFiles;
use crate::location::Location;
use crate::maps;
use crate::registration::{ListenerQuery, registration};
use crate::statement::Found;

/// What is asked.
#[derive(Debug, Clone)]
pub enum Question {
    /// The statement that registers the closure at the location as a listener.
    Registration(ListenerQuery, Location),
    /// The statements that add to a collection.
    Adders {
        /// All names by which the program knows the collection.
        holders: Vec<Holder>,
        /// What it is.
        kind: CollectionKind,
        /// What is in it.
        hint: AdderHint,
    },
    /// The call that takes a function or class: `setInterval(…)`, `p.then(…)`, `app.use(…)`.
    CallAround {
        /// Where the closure begins, as the snapshot has it (of a class: its constructor).
        function: Location,
        /// Last names of the callees that are meant: `setInterval`, `then`, `Worker`. With a dot
        /// the object is compared as well: `Promise.race`.
        callees: Vec<String>,
    },
    /// The calls and constructions in the user's files that make something.
    Creations {
        /// The class or function, as the snapshot calls it; may be empty.
        name: String,
        /// Other names of what makes it: `createContext`, `child`, `vm.createContext`.
        callees: Vec<String>,
        /// Where the class or function is defined, if it is in a file.
        near: Option<Location>,
        /// Names of what it is called on, a variable's or a class's; empty where it can be anything.
        on: Vec<String>,
    },
    /// Where the async function at the place waits.
    Awaits {
        /// Where the function begins, as the snapshot has it.
        function: Location,
        /// Names of what it waits for, where they are known: a promise's variable, a call.
        words: Vec<String>,
    },
    /// The statement around a place; for the start of a function that is handed to a call, that
    /// call (`new Promise((resolve) => …)`).
    Enclosing(Location),
}

/// Answers a question. `candidates` are all scripts that the snapshot knows.
///
/// Fails only if no file can be read at all; everything less costs a step of precision and leaves
/// a note.
pub fn answer(
    files: &SourceFiles,
    question: &Question,
    candidates: &[PathBuf],
) -> Result<Found, Error> {
    let mut found = match question {
        Question::Registration(query, closure) => registration(files, closure, query, candidates),
        Question::Adders { holders, kind, hint } => adders(files, holders, *kind, hint, candidates),
        Question::CallAround { function, callees } => {
            around::call_around(files, function, callees, candidates)
        }
        Question::Creations { name, callees, near, on } => {
            let wanted = creations::Wanted { name, callees, on };
            creations::creations(files, &wanted, near.as_ref(), candidates)
        }
        Question::Awaits { function, words } => awaits::awaits(files, function, words),
        Question::Enclosing(place) => around::enclosing(files, place),
    }?;
    caller::complete(files, &mut found, candidates);
    maps::complete(files, &mut found);
    Ok(found)
}
