//! Leakbench: real services with known leaks and healthy ones that grow and level off, investigated and scored.
//!
//! A case is a folder with an app and its truth. The driver starts it, keeps requests coming and lets `leakline
//! investigate` do what it would do for a user. Nothing of the truth is told to it: the score compares afterwards.
pub mod case;
pub mod peers;
pub mod run;
pub mod score;
pub mod table;
