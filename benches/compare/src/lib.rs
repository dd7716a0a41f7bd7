//! Measures Leakline beside its peers on the same snapshots, and makes snapshots of any size to measure on.
//!
//! [`synth`] streams `.heapsnapshot` files that no memory holds as a whole; [`harness`] runs whole programs and takes
//! their time and memory; [`sections`] say what is run on which file and which bar it must meet. Nothing here ships with
//! Leakline.

pub mod harness;
pub mod sections;
pub mod synth;
