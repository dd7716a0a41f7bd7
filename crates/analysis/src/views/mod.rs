//! The views of one snapshot, beside [`summary`](crate::summary()), [`diff`](crate::diff()) and
//! [`retaining_paths`](crate::retaining_paths()).
//!
//! Each view is a function of a [`Heap`] that returns a value in the shape of its command's JSON. Names,
//! sizes and distances are `DevTools`' own: shallow sizes with V8's internals counted with their owner,
//! retained sizes over essential edges, distances from the user's globals. Where several objects share a
//! row, its retained size counts each byte once: what hangs below another object of the row in the dominator
//! tree is in that one's retained size already.
//!
//! No view recurses, and none keeps a table keyed by node but columns.

mod allocation;
mod closures;
mod collections;
mod containment;
mod contexts;
mod detached;
mod dominator_tree;
mod groups;
mod holders;
mod native_contexts;
mod object;
mod row;
mod search;
mod statistics;
mod strings;

pub use allocation::{AllocationFrame, allocation_stack};
pub use closures::{ClosureGroup, ClosuresView, closures};
pub(crate) use collections::layout;
pub use collections::{
    CollectionKind, CollectionRow, CollectionSort, CollectionTotals, CollectionsView, collections,
};
pub use containment::{ContainmentView, containment};
pub use contexts::{ContextGroup, ContextVariable, ContextsView, contexts};
pub use detached::{DetachedGroup, DetachedView, detached};
pub use dominator_tree::{Accumulation, DominatorsView, dominator_tree};
pub use holders::Holder;
pub use native_contexts::{NativeContextRow, NativeContextsView, native_contexts};
pub use object::{ObjectView, RetainerRow, object};
pub use row::{EdgeRow, Heap, ObjectRow};
pub use search::{Range, Search, SearchRow, SearchView, search};
pub use statistics::{NativeStatistics, Statistics, V8HeapStatistics, statistics};
pub use strings::{DuplicatedString, StringsView, duplicated_strings};
