//! Tests only: drawn graphs, generators, real Node processes.
pub mod apps;
pub mod graph;
pub mod heapprofile;
pub mod heapsnapshot;
pub mod load;
pub mod node;
pub mod random;
pub mod runtimes;
pub mod turns;
pub mod variants;
