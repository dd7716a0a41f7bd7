//! Runs the walkthrough over the crates below and fills the Investigation.
//!
//! [`suspects_of`] goes from snapshots to the statement that leaks; [`investigate_files`] does the whole
//! walkthrough on files, [`investigate_live`] on a live process: samples, preflight, three snapshots in one
//! inspector session, comparison, statement, report folder. Nothing is printed here: what happens is told
//! as [`Event`]s, what was found is an [`Investigation`](leakline_report::Investigation).

mod clock;
mod conclude;
mod culprit;
mod error;
mod events;
mod files;
mod folder;
mod indexed;
mod live;
mod metrics;
mod open;
mod suspects;
mod watch;

pub use error::{Error, ErrorClass};
pub use events::{Event, Observer, Step};
pub use files::{FilesOptions, investigate_files};
pub use folder::Folder;
pub use indexed::{IndexUse, OpenHeap, Reach, kept_summary};
pub use leakline_formats::index::discard_unfinished as discard_unfinished_index;
pub use live::{LiveOptions, Stop, investigate_live};
pub use metrics::{Column, Metrics, MetricsOptions, Preset, metrics};
pub use open::{open_profile, open_snapshot};
pub use suspects::{SuspectsOptions, suspects_of};
pub use watch::{
    ListenerCount, Moment, State, WatchEvent, WatchOptions, WatchTarget, Watched, watch,
};
