//! Finds a live Node.js process and talks to it without harming it.
//!
//! The way in is [`Session::attach`]: it proves from `/proc` that the process is Node.js and that
//! SIGUSR1 is its inspector's ([`may_signal`]), opens the inspector or uses the open one, proves
//! whose it is, and installs a small probe ([`PROBE`]). Then [`Session::sample`],
//! [`Session::preflight`] and [`Session::take_snapshot`], and at the end [`Session::detach`].
//!
//! Architecture invariant: nothing here sends a signal, evaluates code or takes a snapshot before
//! a check that may refuse and say why. What is pure (`protocol`, `preflight`, `flags`) or reads
//! only files under an injectable root (`process`, `sockets`, `cgroup`) is tested without a target.

mod attach;
mod capture;
pub mod cgroup;
mod error;
mod evidence;
mod flags;
mod inspect;
pub mod preflight;
mod probe;
mod process;
pub mod protocol;
pub mod remote;
mod safety;
mod session;
mod sockets;
mod wire;

pub use attach::{AttachOptions, AttachPlan, may_signal, plan};
pub use capture::Capture;
pub use error::{Error, ErrorClass};
pub use flags::NodeFlags;
pub use inspect::{ProcessInfo, inspect, inspect_in};
pub use preflight::{Decision, Permit, Preflight};
pub use probe::{HeapSpace, MemorySample, PROBE, PROBE_NAME};
pub use process::{ProcDir, Status};
pub use safety::{Check, Outcome, SignalVerdict};
pub use session::{Action, Session, folder_of};
pub use sockets::{Socket, own_listeners, owner_of, sockets};
