//! What is drawn before a process runs: everything about it but its noise.

use super::family::Family;
use super::observe::Seen;
use super::random::Random;

const MIB: f64 = 1_048_576.0;
/// Sampling steps in use: inspector and `watch` (1–10 s), scrapers (15–60 s), long-term stores (5 min).
const STEPS: [f64; 7] = [1.0, 5.0, 10.0, 15.0, 30.0, 60.0, 300.0];
/// More samples than this are not drawn: nobody keeps two weeks of seconds.
const MOST_SAMPLES: f64 = 20_000.0;

/// Seeds for choosing thresholds, and seeds for the figures that are quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Thresholds may be chosen on these.
    Tuning,
    /// Only measured.
    Test,
}

/// A group of series that a bar speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cell {
    /// Leaks of 5 to 20 % of the limit an hour, two hours of data.
    Hours2,
    /// Leaks of 1 to 5 % an hour, twelve hours of data.
    Hours12,
    /// Leaks of 0.25 to 1 % an hour, three days of data.
    Hours72,
    /// Leaks of 30 to 150 % an hour, 20 to 60 minutes of data.
    Fast,
    /// Leaks of 0.05 to 0.25 % an hour, 7 to 14 days of data.
    Slow,
    /// Healthy, 20 minutes to 14 days.
    Healthy,
    /// Exactly one rate over plain noise, for the coverage of intervals.
    Coverage,
    /// A given rate, for delays.
    Delay,
}

impl Cell {
    /// As the tables print it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hours2 => "≥ 5 %/h, 2 h",
            Self::Hours12 => "≥ 1 %/h, 12 h",
            Self::Hours72 => "≥ 0.25 %/h, 72 h",
            Self::Fast => "≥ 30 %/h, 20–60 min",
            Self::Slow => "≥ 0.05 %/h, 7–14 d",
            Self::Healthy => "healthy",
            Self::Coverage => "coverage",
            Self::Delay => "delay",
        }
    }
}

impl Purpose {
    pub(crate) fn seed(self, cell: Cell, index: u64) -> u64 {
        let purpose = match self {
            Self::Tuning => 0x7475_6E65,
            Self::Test => 0x7465_7374,
        };
        (purpose << 32)
            ^ ((cell as u64 + 1) << 24).wrapping_add(index).wrapping_mul(0xD6E8_FEB8_6659_FD93)
    }
}

/// A process, its traffic, its monitor.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The shape.
    pub family: Family,
    /// Length in seconds.
    pub seconds: f64,
    /// Seconds between samples.
    pub step: f64,
    /// The limit that kills it, bytes.
    pub limit: f64,
    /// Live memory at the start, bytes.
    pub base: f64,
    /// Leak rate, bytes an hour at mean traffic; 0 for the healthy.
    pub rate: f64,
    /// How much a healthy process gains, bytes.
    pub gain: f64,
    /// The time constant of what levels, or the period of waves and restarts, seconds.
    pub scale: f64,
    /// When something begins or ends, as a share of the length.
    pub when: f64,
    /// Steps of the level: when (share of the length) and how much (bytes).
    pub steps: Vec<(f64, f64)>,
    /// Standard deviation of the noise of live memory, bytes.
    pub noise: f64,
    /// How long that noise remembers, seconds.
    pub memory: f64,
    /// Garbage that a minor collection clears, bytes.
    pub young: f64,
    /// Garbage that only a full collection clears, bytes: the height of the sawtooth.
    pub old: f64,
    /// Seconds between full collections at mean traffic.
    pub cycle: f64,
    /// Requests a second, on average.
    pub requests: f64,
    /// Depth of the traffic's rhythm, 0 to 1.
    pub rhythm: f64,
    /// Period of that rhythm, seconds.
    pub period: f64,
    /// By which factor the traffic changes over the window.
    pub ramp: f64,
    /// Live bytes per request a second: how much memory follows the load.
    pub per_load: f64,
    /// Length of the warm-up, seconds; 0 for none.
    pub warm: f64,
    /// Stretches without samples: when, how long, in shares of the length.
    pub gaps: Vec<(f64, f64)>,
    /// What the monitor records.
    pub seen: Seen,
}

impl Plan {
    /// Draws a process of a cell.
    pub fn draw(cell: Cell, random: &mut Random) -> Self {
        let hours = match cell {
            Cell::Hours2 => 2.0,
            Cell::Hours12 => 12.0,
            Cell::Hours72 => 72.0,
            Cell::Fast => random.log_between(0.34, 1.0),
            Cell::Slow => random.between(168.0, 336.0),
            Cell::Coverage => random.log_between(1.0, 72.0),
            Cell::Healthy | Cell::Delay => random.pick(&[
                random.clone().log_between(0.34, 2.0),
                2.0,
                6.0,
                12.0,
                24.0,
                72.0,
                random.clone().between(72.0, 336.0),
            ]),
        };
        let seconds = hours * 3600.0;
        let steps: Vec<f64> = STEPS
            .into_iter()
            .filter(|s| seconds / s <= MOST_SAMPLES && seconds / s >= 24.0)
            .collect();
        let step = random.pick(&steps);
        let limit = random.pick(&[256.0, 512.0, 512.0, 1024.0, 2048.0, 4096.0]) * MIB;
        let share = match cell {
            Cell::Hours2 => random.log_between(0.05, 0.20),
            Cell::Hours12 => random.log_between(0.01, 0.05),
            Cell::Hours72 => random.log_between(0.0025, 0.01),
            Cell::Fast => random.log_between(0.3, 1.5),
            Cell::Slow => random.log_between(0.0005, 0.0025),
            _ => 0.0,
        };
        let base = limit * random.between(0.15, 0.45);
        let mut plan = Self::calm(limit, base, seconds, step, random);
        plan.rate = share * limit;
        match cell {
            Cell::Healthy => plan.healthy(random),
            Cell::Coverage => {
                // RSS shows the heap's garbage grow with it; only native memory has one true rate there.
                plan.family = match plan.seen {
                    Seen::Rss => Family::LeakNative,
                    _ => Family::LeakHeap,
                };
                plan.rate = limit * random.pick(&[0.0, 0.02, 0.1, 0.3]) / hours;
                plan.rhythm = 0.0;
                plan.gaps.clear();
            }
            _ => plan.leaking(random),
        }
        plan
    }

    /// A constant leak of exactly these figures.
    pub(crate) fn constant(
        limit: f64,
        rate: f64,
        hours: f64,
        step: f64,
        random: &mut Random,
    ) -> Self {
        let base = limit * random.between(0.15, 0.3);
        let mut plan = Self::calm(limit, base, hours * 3600.0, step, random);
        plan.rate = rate;
        plan.family = if rate > 0.0 { Family::LeakAfterWarmUp } else { Family::WarmUp };
        plan.rhythm = random.between(0.0, 0.3);
        plan.warm = random.between(300.0, 900.0);
        plan.gain = 0.15 * base;
        plan.gaps.clear();
        plan.seen = Seen::Everything;
        plan
    }

    /// A process to which nothing happens yet.
    fn calm(limit: f64, base: f64, seconds: f64, step: f64, random: &mut Random) -> Self {
        let requests = random.log_between(2.0, 500.0);
        let gaps = if random.chance(0.2) {
            (0..random.pick(&[1, 2, 3]))
                .map(|_| (random.between(0.05, 0.9), random.between(0.01, 0.06)))
                .collect()
        } else {
            Vec::new()
        };
        Self {
            family: Family::Flat,
            seconds,
            step,
            limit,
            base,
            rate: 0.0,
            gain: 0.0,
            scale: seconds,
            when: 0.0,
            steps: Vec::new(),
            noise: base * random.log_between(0.001, 0.02),
            memory: random.pick(&[0.0, 1.0, 3.0, 10.0]) * step.max(seconds / 2000.0),
            young: random.between(2.0, 16.0) * MIB,
            old: base * random.between(0.1, 0.5),
            cycle: random.log_between(20.0, 600.0).min(seconds / 20.0),
            requests,
            rhythm: if random.chance(0.5) { random.between(0.1, 0.6) } else { 0.0 },
            period: 86_400.0,
            ramp: 1.0,
            per_load: base * random.between(0.0, 0.05) / requests,
            warm: 0.0,
            gaps,
            seen: random.pick(&[Seen::Everything, Seen::NoCollections, Seen::Rss, Seen::HeapUsed]),
        }
    }

    fn leaking(&mut self, random: &mut Random) {
        self.family = random.pick(&Family::LEAKS);
        match self.family {
            // With the heap alone such a leak is not in the data.
            Family::LeakExternal | Family::LeakNative if self.seen == Seen::HeapUsed => {
                self.seen = Seen::Rss;
            }
            Family::LeakFromDeploy => {
                // The bar's length of data lies behind the deploy.
                self.when = random.between(0.1, 0.5);
                self.seconds /= 1.0 - self.when;
            }
            Family::LeakStaircase => {
                let count = random.between(8.0, 30.0).floor();
                self.scale = self.seconds / count;
            }
            Family::LeakPerRequest => {
                self.rhythm = random.between(0.2, 0.7);
                self.period = random.pick(&[3600.0, 14_400.0, 86_400.0]);
            }
            Family::LeakAfterWarmUp => {
                self.warm = (self.seconds * random.between(0.02, 0.12)).min(3600.0);
                self.gain = self.base * random.between(0.1, 0.5);
            }
            Family::LeakRestarts => {
                // From time to time, on top of those at the limit.
                self.scale = self.seconds * random.between(0.5, 0.8);
                self.when = random.between(0.0, 0.15);
            }
            _ => {}
        }
    }

    fn healthy(&mut self, random: &mut Random) {
        self.family = random.pick(&Family::HEALTHY);
        self.gain = self.limit * random.log_between(0.03, 0.4);
        match self.family {
            Family::Saturation => self.scale = self.seconds * random.log_between(0.03, 0.33),
            Family::LatePlateau => self.when = random.between(0.3, 0.75),
            Family::CacheFill => {
                self.when = random.between(0.15, 0.7);
                self.rhythm = random.between(0.0, 0.5);
            }
            Family::DeploySteps => {
                let count = random.pick(&[1, 1, 2, 2, 3]);
                let each = self.gain / f64::from(count);
                let up = random.chance(0.6);
                self.steps = (0..count)
                    .map(|_| {
                        let sign = if up || random.chance(0.5) { 1.0 } else { -1.0 };
                        (random.between(0.05, 0.95), sign * each * random.between(0.5, 1.5))
                    })
                    .collect();
            }
            Family::TrafficWaves => {
                self.period = self.seconds / random.between(1.5, 12.0);
                self.rhythm = random.between(0.3, 0.8);
                self.per_load = self.gain / self.requests;
                if random.chance(0.5) {
                    self.seen = Seen::Everything;
                }
            }
            Family::RisingTraffic => {
                self.ramp = random.between(1.3, 4.0);
                self.per_load = self.gain / (self.requests * self.ramp);
                self.seen = random.pick(&[Seen::Everything, Seen::RssAndRequests]);
                self.rhythm = if random.chance(0.5) { 0.0 } else { random.between(0.1, 0.5) };
                self.period = self.period.min(self.seconds / random.between(0.8, 6.0));
            }
            Family::RareCollections => {
                self.cycle = self.seconds / random.between(2.5, 10.0);
                self.old = self.gain.min(self.base * 1.2);
                // A window within one tooth, collections unknown, shows nothing but its rise.
                self.seen = random.pick(&[Seen::Everything, Seen::NoCollections, Seen::HeapUsed]);
            }
            Family::Spikes => {
                let count = random.pick(&[1, 2, 3, 5]);
                self.steps = (0..count)
                    .map(|_| (random.between(0.05, 0.99), self.gain * random.between(0.5, 1.5)))
                    .collect();
                self.scale = self.seconds * random.between(0.005, 0.03);
            }
            Family::Seasonal => {
                self.seconds = 86_400.0 * random.between(2.0, 14.0);
                self.step = random.pick::<f64>(&[60.0, 300.0]).max(self.seconds / MOST_SAMPLES);
                self.rhythm = random.between(0.3, 0.8);
                self.per_load = self.gain / self.requests;
            }
            Family::WarmUp => self.warm = (self.seconds * 0.2).min(random.between(300.0, 3600.0)),
            Family::HealthyRestarts => {
                self.scale = self.seconds / random.between(1.2, 5.0);
                self.warm = (self.scale * random.between(0.05, 0.2)).min(1800.0);
            }
            _ => {}
        }
    }
}
