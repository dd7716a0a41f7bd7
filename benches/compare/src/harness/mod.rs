//! Runs whole programs in turn and takes their wall time and peak memory.
//!
//! Programs are compared as their users meet them: a process from its start to its end, output thrown away. They run
//! interleaved (A B C A B C …), so that a slow minute of the machine hits all of them, and what is shown is the median.

mod contestants;
mod files;
mod ids;
mod measure;
mod report;
mod text;

pub use contestants::{Contestant, Task, install};
pub use files::{Files, Real};
pub use ids::{node_count, some_ids};
pub use measure::{Entry, Runs, Sample, Steps, race};
pub use report::{Bar, Group, Limit, Report, Row, Section, Spread};
pub use text::{render, section};

/// What a section needs to know.
#[derive(Debug)]
pub struct Setting {
    pub files: Files,
    /// Leakline first, then the peers as they were named.
    pub contestants: Vec<Contestant>,
    pub rounds: usize,
}

impl Setting {
    pub fn leakline(&self) -> &Contestant {
        &self.contestants[0]
    }
}
