//! What a detector found: a value that knows how to be put into words.

use std::fmt::Debug;

use super::{Advice, Finding, Question, Rule, ScopeAnswer, ScopeQuestion, Told};

/// A growth site that was recognised.
pub(super) struct Found {
    /// The family.
    pub rule: Rule,
    /// Who holds, as a JavaScript developer would write it.
    pub holder: String,
    /// What the family knows beyond that.
    pub case: Box<dyn Case>,
}

impl Found {
    pub(super) fn new(rule: Rule, holder: String, case: impl Case + 'static) -> Self {
        Self { rule, holder, case: Box::new(case) }
    }
}

/// What one family knows about a site.
pub trait Case: Debug + Send + Sync {
    /// What to ask of the source files, the best question first: the first that is answered counts.
    fn questions(&self) -> Vec<Question>;

    /// Why there is no question, where there is none.
    fn no_question(&self) -> String {
        "no rule knows this holder, so no statement was sought".into()
    }

    /// Words for the finding.
    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice;

    /// The emitter and its event, where the holder is one.
    fn emitter(&self) -> Option<(&str, Option<&str>)> {
        None
    }

    /// What must be asked of the source before the family is certain.
    fn scope_question(&self) -> Option<ScopeQuestion> {
        None
    }

    /// The family and the case when the source has answered, if that makes a difference.
    fn with_scope(&self, _answer: &ScopeAnswer) -> Option<(Rule, Box<dyn Case>)> {
        None
    }

    /// Fewer additional objects than this may be chance.
    fn least(&self) -> u64 {
        super::MIN_DELTA
    }

    /// Whether objects of the family live by native handles, so that it says nothing against the finding when
    /// they do.
    fn lives_by_handles(&self) -> bool {
        false
    }

    /// One leak may show in several places: a worker, its handle, its ports. Findings with the same echo are one,
    /// and the heaviest of them is told.
    fn echo(&self) -> Option<&'static str> {
        None
    }

    /// The path to what grows, in words, where the retaining path runs through the runtime's own lists only.
    fn path(&self) -> Option<String> {
        None
    }

    /// Whether the evidence leaves no doubt about the family and the holder. Where it does, the finding is a
    /// hint of low confidence.
    fn is_certain(&self) -> bool {
        true
    }
}
