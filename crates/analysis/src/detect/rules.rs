//! The families of leaks, by the ids that users and scripts see.

use serde::Serialize;

/// A family of leaks. More join as their detectors are written; ids never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Listeners added again and again to one `EventEmitter`.
    EventListener,
    /// A Map, Set, array or object that is only added to.
    Collection,
    /// Growth under a holder of no known family.
    UnknownHolder,
}

/// All families there is a detector for.
pub fn all_rules() -> &'static [Rule] {
    &[Rule::EventListener, Rule::Collection, Rule::UnknownHolder]
}

impl Rule {
    /// The id in JSON and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::EventListener => "event-listener",
            Self::Collection => "collection",
            Self::UnknownHolder => "unknown-holder",
        }
    }

    /// The family of an id.
    pub fn from_id(id: &str) -> Option<Self> {
        all_rules().iter().copied().find(|r| r.id() == id)
    }

    /// One line for a list.
    pub fn summary(self) -> &'static str {
        match self {
            Self::EventListener => "a listener is added again and again to a lasting EventEmitter",
            Self::Collection => "a Map, Set, array or object is added to and never emptied",
            Self::UnknownHolder => "objects pile up under a holder that no rule knows yet",
        }
    }

    /// The page of `leakline explain`.
    pub fn page(self) -> &'static str {
        match self {
            Self::EventListener => include_str!("pages/event-listener.md"),
            Self::Collection => include_str!("pages/collection.md"),
            Self::UnknownHolder => include_str!("pages/unknown-holder.md"),
        }
    }
}
