//! From a series of memory samples to a verdict: does the process leak, where, and how fast.
//!
//! Pure: bytes or samples in, a [`Trend`] out; no clock, no files, no network. The same code judges
//! a live run of a minute (samples every second or two, a sawtooth of garbage, perhaps three full
//! collections) and a file of a week (samples every few minutes, restarts, RSS only).
//!
//! How a verdict is reached, one file per step:
//!
//! 1. [`read`] turns CSV or JSON lines into [`Series`]; live callers build [`Sample`]s themselves.
//! 2. `lives` sorts the samples and splits them where the process restarted.
//! 3. `floor` reduces each signal to its post-GC floor: at most 60 points, so every later step is
//!    cheap however long the series is.
//! 4. `load` and `season` make columns of what explains a floor without a leak.
//! 5. `knee` drops the warm-up: it cuts the floor where growth slows down for good.
//! 6. `robust` fits the rest: Theil–Sen slope, with an interval from `gls` that pays for the noise's
//!    unknown memory.
//! 7. `shape` weighs shapes that still grow at the end against shapes that stopped.
//! 8. `signal` decides on one signal; `origin` asks which part of memory grew; `pool` hears the runs
//!    between restarts together; `judge` combines them.
//! 9. `verify` holds a series before a change against one after it, or several runs of each.
//!
//! `docs/trend.md` has the method in one piece and what was measured.
//!
//! What numbers alone cannot do: a cache that is still filling looks exactly like a leak until it
//! is full. Every `leak` verdict says so in its reasons.

mod advice;
mod error;
mod floor;
mod gls;
mod judge;
mod knee;
mod lives;
mod load;
mod origin;
mod picture;
mod pool;
mod read;
mod robust;
mod sample;
mod season;
mod segments;
mod shape;
mod signal;
mod text;
mod thresholds;
mod verdict;
mod verify;
mod workload;

pub use advice::advice;
pub use error::{ReadError, ReadErrorKind};
pub use judge::{judge, judge_scored};
pub use picture::{Dot, Forecast, Picture, Stretch, picture};
pub use read::{read, read_noted, unit_factor};
pub use sample::{Sample, Series};
pub use thresholds::START_TIME_SLACK_SECONDS;
pub use verdict::{
    Confidence, Interval, NamedTrend, Reason, Segment, Trend, Verdict, Where, WorkloadTrend,
    WorkloadVerdict,
};
pub use verify::{Fix, Reduction, Run, Side, Verification, verify, verify_runs};
pub use workload::judge_many;
