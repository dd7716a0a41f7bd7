//! What a running investigation tells, as it happens. The command line prints it; tests collect it.

/// The steps of the walkthrough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Is it a leak?
    Confirm,
    /// Take snapshots.
    Capture,
    /// What is new?
    Compare,
    /// Who holds it?
    Trace,
    /// Which statement adds it, and what to change.
    Culprit,
    /// How to verify the fix.
    Verify,
}

impl Step {
    /// 1 to 6.
    pub fn number(self) -> usize {
        self as usize + 1
    }

    /// The step's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Capture => "capture",
            Self::Compare => "compare",
            Self::Trace => "trace",
            Self::Culprit => "culprit and fix",
            Self::Verify => "how to verify",
        }
    }
}

/// Something worth telling.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A step begins, or goes on with news.
    Step(Step, String),
    /// A detail of the step under way.
    Detail(String),
    /// Something the user should know before going on.
    Warning(String),
    /// How far a long piece of work is.
    Progress {
        /// What is done.
        what: &'a str,
        /// Bytes so far, or seconds where `total` says so.
        done: u64,
        /// Of how many, when known.
        total: Option<u64>,
    },
    /// Long work that cannot say how far it is.
    Working {
        /// What is done.
        what: &'a str,
    },
    /// Waiting, in seconds: how far, of how many, with what was last seen.
    Waiting {
        /// Seconds so far.
        done: f64,
        /// Of how many.
        total: f64,
        /// The latest numbers.
        text: String,
    },
    /// The piece of work is done; its progress can go.
    ProgressEnd,
}

/// Receives events.
pub type Observer<'a> = &'a mut (dyn FnMut(Event<'_>) + Send);
