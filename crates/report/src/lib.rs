//! The Investigation, and how it reads.
//!
//! Everything Leakline learns goes into one [`Investigation`]. This crate says what is in it (the JSON of
//! the contract), and renders it and every other result as text and as Markdown. Nothing here computes: a
//! number that is shown was put into the document by `investigate`.
//!
//! **Architecture invariant:** the terminal, the report and (later) the page and the alerts render the same
//! documents; none asks the graph again.

pub mod chart;
mod documents;
mod markdown;
mod model;
mod sarif;
mod scan;
mod style;
mod table;
pub mod text;
mod views;

pub use documents::{
    AllocationsDocument, DiffDocument, DiffStepDocument, ErrorDocument, ListenerGrowth,
    ProfileHead, RetainersDocument, SnapshotHead, SummaryDocument, TrendDocument, VerifyDocument,
    WatchDocument, WorkloadTrendDocument,
};
pub use markdown::markdown;
pub use model::{
    Action, CapturedSnapshot, Culprit, Frame, FrameLine, Holder, Investigation,
    InvestigationVerdict, Leaked, Per, Place, Predicted, Preflight, PreflightDecision,
    SampleRecord, Suspect, Suspects, Target,
};
pub use sarif::sarif;
pub use scan::ScanDocument;
pub use style::{Paint, wrap};
pub use table::{Align, Table};
pub use views::{View, ViewDocument};
