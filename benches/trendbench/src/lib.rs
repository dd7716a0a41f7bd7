//! Labelled memory series by seed, and the trend verdict measured on them.
//!
//! [`generate`] makes a series whose label, rate and family are known; [`baselines`] are the rules in
//! use elsewhere, by their published descriptions; [`measure`] runs both and counts; [`tables`] prints.
//! Everything is decided by a seed, so a table can be had again. Thresholds of `leakline-trend` are
//! chosen on [`Purpose::Tuning`](generate::Purpose::Tuning) only; what the documentation quotes is
//! measured on [`Purpose::Test`](generate::Purpose::Test), whose seeds are disjoint.

pub mod baselines;
pub mod generate;
pub mod machines;
pub mod measure;
pub mod tables;
