//! Series of known label: a plan drawn from a seed, and a simulated process that carries it out.

mod family;
mod observe;
mod plan;
mod process;
mod random;

pub use family::Family;
pub use observe::Seen;
pub use plan::{Cell, Plan, Purpose};
pub use random::Random;

use leakline_trend::Series;

/// One series and what is true of it.
#[derive(Debug, Clone)]
pub struct Labelled {
    /// What it was drawn as.
    pub plan: Plan,
    /// What a monitor would have recorded.
    pub series: Series,
}

/// The series of one index of a set; the same for the same arguments, always.
pub fn generate(purpose: Purpose, cell: Cell, index: u64) -> Labelled {
    let mut random = Random::new(purpose.seed(cell, index));
    let plan = Plan::draw(cell, &mut random);
    let samples = process::run(&plan, &mut random);
    let series = observe::record(&plan, samples, &mut random);
    Labelled { plan, series }
}

/// A constant leak of exactly these figures, for delays: a service of `limit` bytes that leaks
/// `rate` bytes an hour into its heap from the start, seen every `step` seconds with its collections
/// known.
pub fn constant_leak(
    purpose: Purpose,
    index: u64,
    limit: f64,
    rate: f64,
    hours: f64,
    step: f64,
) -> Labelled {
    let mut random = Random::new(purpose.seed(Cell::Delay, index));
    let plan = Plan::constant(limit, rate, hours, step, &mut random);
    let samples = process::run(&plan, &mut random);
    let series = observe::record(&plan, samples, &mut random);
    Labelled { plan, series }
}
