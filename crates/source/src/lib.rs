//! From a script position or a variable to the statement that adds the leaked thing.
//!
//! A heap snapshot says where a closure begins and what a variable or property is called. The
//! engineer wants the statement that keeps adding: the `process.on(…)`, the `cache.set(…)`. This
//! crate reads the deployed files, parses them and answers with file, line, column and a frame.
//!
//! The way, one step per module:
//!
//! 1. [`SourceFiles`] finds the file a snapshot names, reads and decodes it (`files`).
//! 2. `parse` guards the parser's stack and hands the tree to `facts`, which flattens it into
//!    small columns of values, calls and assignments that outlive the tree.
//! 3. `link` computes, over all files at hand, which place each value may denote (a variable, a
//!    property, a module's exports): a points-to analysis in the manner of Andersen (1994),
//!    bounded in rounds and in set size.
//! 4. [`answer`] asks that relation one of a few questions ([`Question`]) and ranks the answers.
//! 5. `maps` leads from the deployed file to the place before compilation.
//!
//! [`scan`] needs no snapshot: it goes through all files of a folder and says what leaks by its
//! looks.
//!
//! Nothing here recurses over user data, and no input makes it panic: a file that cannot be used
//! costs one step of precision and leaves a note.

mod adders;
mod around;
mod awaits;
mod callee;
mod caller;
mod creations;
mod error;
mod facts;
mod files;
mod frame;
mod gather;
mod link;
mod location;
mod maps;
mod modules;
mod nesting;
mod parse;
mod question;
mod registration;
pub mod scan;
mod scope;
mod statement;
mod textual;

pub use adders::{AdderHint, CollectionKind, Holder, adders};
pub use error::Error;
pub use files::SourceFiles;
pub use frame::{CodeFrame, FrameLine, frame};
pub use location::{LineIndex, Location};
pub use maps::{MapError, Original, SourceMap, map_reference};
pub use question::{Question, answer};
pub use registration::{LISTENER_METHODS, ListenerQuery, registration};
pub use scope::{ScopeUse, scope_use};
pub use statement::{Certainty, Found, Statement};
