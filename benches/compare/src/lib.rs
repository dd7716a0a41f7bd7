//! Measures Leakline beside its peers on the same snapshots, and makes snapshots of any size to measure on.
//!
//! [`synth`] streams `.heapsnapshot` files that no memory holds as a whole. Nothing here ships with Leakline.

pub mod synth;
