//! Pure analyses of heap graphs: distance, dominators, retained size, summary, diff, growth sites, detectors.
//!
//! Every analysis is a function of a [`HeapGraph`](leakline_heap::HeapGraph) that returns a value; holding
//! the value is the proof that it was computed. [`analyze`] computes what the views need, together and on
//! two threads; [`summary`], [`diff`], [`retaining_paths`] and the [`views`] answer the user's questions
//! from it. Numbers agree with Chrome `DevTools`, whose rules the modules state.
//!
//! **Architecture invariant:** no I/O, no clock, no recursion over heap data; columns of 32-bit integers,
//! sums of sizes in 64 bits.

mod allocations;
mod analysis;
mod bits;
mod buffers;
mod class;
mod comparability;
pub mod detect;
mod diff;
mod distance;
mod dominators;
mod essential;
pub mod growth;
mod ids;
mod names;
mod paths;
mod retained;
mod scripts;
mod shallow;
mod stored;
mod summary;
pub mod views;

pub use allocations::{
    AllocationStack, Allocations, CallSite, ProfileTotals, StackFrame, allocations,
};
pub use analysis::{Analysis, ClassTotal, analyze};
pub use class::{Class, ClassId, ClassIndex, ClassLocation, Interfaces};
pub use comparability::{By, Comparability, comparability};
pub use diff::{Diff, DiffRow, DiffStep, diff};
pub use distance::{Distances, distances};
pub use dominators::{Dominators, dominators};
pub use essential::{EssentialEdges, essential_edges};
pub use paths::{
    ObjectRef, PathOptions, PathStep, PathView, RemainingPaths, RetainersView, RetainingPath,
    RetainingPaths, StepView, remaining_paths, retaining_paths,
};
pub use retained::{RetainedSizes, retained_sizes};
pub use scripts::{Place, Scripts};
pub use shallow::shallow_sizes;
pub use summary::{SnapshotTotals, SourceLocation, Summary, SummaryRow, summary};
