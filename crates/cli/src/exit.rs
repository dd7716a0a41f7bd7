//! Exit codes, as the contract has them. They are part of the stable surface.

/// Done, whatever was found.
pub const DONE: u8 = 0;
/// A defect of ours.
pub const INTERNAL: u8 = 1;
/// Wrong usage.
pub const USAGE: u8 = 2;
/// A leak was found, and the command was asked to fail on one.
pub const LEAK: u8 = 3;
/// Input that cannot be used.
pub const BAD_INPUT: u8 = 4;
/// The target cannot be reached or attached to.
pub const UNREACHABLE: u8 = 5;
/// Refused for the target's safety.
pub const REFUSED: u8 = 6;
/// Interrupted; what was learnt is kept.
pub const INTERRUPTED: u8 = 130;
