//! The object graph of a JavaScript heap, as columns of fixed-width integers.
//!
//! A [`HeapGraph`] holds the nodes and edges of one heap snapshot: node columns, edges in CSR form
//! (compressed sparse rows), the string table and the source locations. It knows nothing of files,
//! formats or analyses; `leakline-formats` fills it and `leakline-analysis` reads it.
//!
//! **Architecture invariant:** no I/O, no per-node allocation, no recursion. A `HeapGraph` that exists
//! is consistent: every edge target, name and location was checked when it was built.

mod allocation;
mod column;
mod graph;
mod kinds;
pub mod memory;
mod packed;
mod profile;
mod retainers;
mod sizes;
mod stored;
mod strings;

pub use allocation::{
    Allocations, AllocationsBuilder, ENTRY as ALLOCATION_ENTRY, FUNCTION as ALLOCATION_FUNCTION,
    SCRIPT as ALLOCATION_SCRIPT, Sample, TraceEntry, TraceFunction,
};
pub use column::{Column, Lender};
pub use graph::{Columns, Edge, EdgeId, GraphError, HeapGraph, Location, NodeId};
pub use kinds::{EdgeType, NodeType};
pub use packed::{EdgeColumn, LongNames, MAX_NODES, NodeLabels, PackedEdge};
pub use profile::{AllocationProfile, CallFrame, ProfileColumns};
pub use retainers::{Retainer, Retainers};
pub use sizes::{Bytes, SizeColumn};
pub use stored::{SectionSink, Sections};
pub use strings::{StringTable, StringTableBuilder};
