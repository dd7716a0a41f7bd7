//! What has to be asked of the source files to find the statement behind a finding.
//!
//! A snapshot knows functions by the place where they begin, and holders by their names. Which statement
//! adds is in the files alone; `investigate` carries the question there.

use super::bindings::Binding;
use super::collection::CollectionKind;
use crate::scripts::Place;

/// A question to the source files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Which statement registers this function as a listener?
    Registration {
        /// Where the listening function stands.
        function: Place,
        /// The event, where it is one for all.
        event: Option<String>,
        /// The emitter in the program's words.
        emitter: String,
    },
    /// Which statement adds to the collection that is known by these names?
    Adders {
        /// The names, nearest to the user first.
        holders: Vec<Binding>,
        /// What kind of collection.
        kind: CollectionKind,
        /// Property names of the values, for telling several statements apart.
        value_keys: Vec<String>,
        /// The values' constructor, when it is not `Object`.
        value_class: Option<String>,
    },
    /// Which call, of one of these functions or methods, is given this function?
    CallAround {
        /// Where the function stands.
        function: Place,
        /// Last names of what may be called: `setInterval`, `addEventListener`, `then`.
        callees: Vec<&'static str>,
    },
    /// Which call or `new` in the program creates it?
    Creations {
        /// Names of what is called: `Worker`, `createContext`, `child`.
        callees: Vec<String>,
        /// Where the class or function that is called stands, when that is known.
        definition: Option<Place>,
        /// A function near the call: what the created objects were given by their creator. With line 0 only the file
        /// is known.
        near: Option<Place>,
        /// Names of what it is called on, a variable's or a class's; empty where it can be anything.
        on: Vec<String>,
    },
    /// Where does this async function wait?
    Awaits {
        /// Where the function stands.
        function: Place,
        /// Names of what it waits for: a promise's variable, a call.
        words: Vec<String>,
    },
    /// Which statement stands around this place?
    Enclosing(Place),
}

impl Question {
    /// Which calls of one of these, wherever they stand and whatever they are made on?
    pub(crate) fn creations(callees: &[&str]) -> Self {
        let callees = callees.iter().map(ToString::to_string).collect();
        Self::Creations { callees, definition: None, near: None, on: Vec::new() }
    }
}

/// Does a function use a variable that its scope holds? A heap does not tell, only the function's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeQuestion {
    /// Where the function stands.
    pub function: Place,
    /// The variable.
    pub variable: String,
}

/// What the source says of a variable and a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeAnswer {
    /// The function mentions the variable.
    pub mentioned: bool,
    /// Other functions that do, as `name() file.js:7`.
    pub users: Vec<String>,
}
