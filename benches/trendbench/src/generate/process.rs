//! A process that carries out a plan: traffic, live memory, garbage and its collections, restarts.

use std::f64::consts::TAU;

use super::family::Family;
use super::plan::Plan;
use super::random::Random;

const HOUR: f64 = 3600.0;

/// The state at one sample, everything known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State {
    pub(crate) t: f64,
    pub(crate) heap_used: f64,
    pub(crate) heap_total: f64,
    pub(crate) external: f64,
    pub(crate) rss: f64,
    pub(crate) requests: f64,
    pub(crate) connections: f64,
    pub(crate) collections: u64,
    pub(crate) started: f64,
}

/// First-order autoregressive noise of unit variance.
struct Noise {
    value: f64,
    keep: f64,
}

impl Noise {
    fn new(step: f64, memory: f64, random: &mut Random) -> Self {
        let keep = if memory > 0.0 { (-step / memory).exp() } else { 0.0 };
        Self { value: random.normal(), keep }
    }

    fn next(&mut self, random: &mut Random) -> f64 {
        self.value =
            self.keep * self.value + (1.0 - self.keep * self.keep).sqrt() * random.normal();
        self.value
    }
}

/// Runs the plan; one state per sampling step.
pub(crate) fn run(plan: &Plan, random: &mut Random) -> Vec<State> {
    let mut live_noise = Noise::new(plan.step, plan.memory, random);
    let mut load_noise = Noise::new(plan.step, plan.step * 5.0, random);
    let mut rss_noise = Noise::new(plan.step, plan.memory, random);
    let phase = random.unit();
    let heap_share = random.between(0.45, 0.75);
    let native = plan.base * random.between(0.2, 0.5);
    // The process may be as old as you like when the recording begins.
    let mut garbage = random.unit() * plan.old;
    let mut limit_of_garbage = plan.old;
    let mut collections = random.between(0.0, 500.0) as u64;
    let mut started = -random.between(60.0, 86_400.0);
    if plan.warm > 0.0 {
        (started, collections, garbage) = (0.0, 0, 0.0);
    }
    let mut next_restart = match plan.family {
        Family::LeakRestarts => plan.when * plan.seconds,
        Family::HealthyRestarts => plan.scale * random.unit(),
        _ => f64::INFINITY,
    };
    // What a cache holds when full comes in by the time the plan says, whatever the traffic does.
    let full: f64 = (0..1000)
        .map(|i| plan.seconds * plan.when * f64::from(i) / 1000.0)
        .map(|t| traffic(plan, t, phase, 0.0) * plan.seconds * plan.when / 1000.0)
        .sum();
    let (mut leaked, mut served, mut smooth, mut committed) = (0.0, 0.0, plan.requests, 0.0);
    let mut states = Vec::with_capacity((plan.seconds / plan.step) as usize);
    for i in 0..(plan.seconds / plan.step) as usize {
        let t = i as f64 * plan.step;
        let load = traffic(plan, t, phase, load_noise.next(random));
        let requests =
            (load * plan.step + (load * plan.step).sqrt() * random.normal()).max(0.0).round();
        served += requests;
        smooth += (load - smooth) * (1.0 - (-plan.step / 60.0).exp());
        leaked += leak(plan, t, requests);
        let young =
            if plan.warm > 0.0 { 1.0 - (-(t - started) / (plan.warm / 3.0)).exp() } else { 1.0 };
        let warm = if plan.warm > 0.0 { plan.gain * young } else { 0.0 };
        let extra = warm + gained(plan, t, served / full) + plan.per_load * smooth;
        let live = (plan.base + extra + plan.noise * live_noise.next(random)).max(plan.base * 0.3);
        let (in_heap, in_external, in_native) = match plan.family {
            Family::LeakExternal => (0.0, leaked, 0.0),
            Family::LeakNative => (0.0, 0.0, leaked),
            _ => (leaked, 0.0, 0.0),
        };
        // Promoted garbage grows with the requests until a full collection clears it.
        let mut peak = 0.0;
        garbage += plan.old * plan.step / plan.cycle * load / plan.requests;
        if garbage > limit_of_garbage {
            let cycles = (garbage / limit_of_garbage).floor();
            collections += cycles as u64;
            peak = limit_of_garbage;
            garbage = if cycles > 1.0 { random.unit() * limit_of_garbage } else { 0.0 };
            limit_of_garbage =
                plan.old * random.between(0.8, 1.2) * (1.0 + in_heap / plan.base * 0.3);
        }
        let heap_live = (live - native) * heap_share + in_heap;
        let heap_used = heap_live + garbage + plan.young * random.unit();
        // V8 commits in steps and gives back slowly.
        let want = (heap_used + (peak - garbage).max(0.0)) * 1.08;
        committed = if want > committed {
            want
        } else {
            committed - (committed - want) * (1.0 - (-plan.step / 1800.0).exp())
        };
        let external = (live - native) * (1.0 - heap_share) * 0.5 + in_external;
        let rest = (live - native) * (1.0 - heap_share) * 0.5;
        let rss = native
            + in_native
            + rest
            + committed
            + external
            + 0.5 * plan.noise * rss_noise.next(random);
        // A healthy process has a limit that it fits in.
        if t >= next_restart || (plan.family.leaks() && rss > plan.limit) {
            next_restart = match plan.family {
                Family::LeakRestarts | Family::HealthyRestarts if t >= next_restart => {
                    t + plan.scale
                }
                _ => next_restart,
            };
            (started, leaked, garbage, collections, committed) = (t, 0.0, 0.0, 0, 0.0);
            continue;
        }
        states.push(State {
            t,
            heap_used,
            heap_total: committed,
            external,
            rss: rss.max(1e6),
            requests,
            connections: (smooth * 0.8 + 5.0 + smooth.sqrt() * random.normal()).max(0.0).round(),
            collections,
            started,
        });
    }
    states
}

fn traffic(plan: &Plan, t: f64, phase: f64, noise: f64) -> f64 {
    let wave = 1.0 + plan.rhythm * (TAU * (t / plan.period + phase)).sin();
    let ramp = 1.0 + (plan.ramp - 1.0) * t / plan.seconds;
    (plan.requests * wave * ramp * (1.0 + 0.1 * noise)).max(0.0)
}

/// Bytes lost in one sampling step.
fn leak(plan: &Plan, t: f64, requests: f64) -> f64 {
    if !plan.family.leaks() {
        return 0.0;
    }
    let per_step = plan.rate * plan.step / HOUR;
    match plan.family {
        Family::LeakFromDeploy if t < plan.when * plan.seconds => 0.0,
        Family::LeakStaircase => {
            let before = ((t - plan.step) / plan.scale).floor();
            let now = (t / plan.scale).floor();
            (now - before) * plan.rate * plan.scale / HOUR
        }
        Family::LeakPerRequest => plan.rate / HOUR * requests / plan.requests,
        _ => per_step,
    }
}

/// What a healthy process holds on top at a time.
fn gained(plan: &Plan, t: f64, filled: f64) -> f64 {
    let share = t / plan.seconds;
    match plan.family {
        Family::Saturation => plan.gain * (1.0 - (-t / plan.scale).exp()),
        Family::LatePlateau => plan.gain * (share / plan.when).min(1.0),
        Family::CacheFill => plan.gain * filled.min(1.0),
        Family::DeploySteps => {
            plan.steps.iter().filter(|(at, _)| share >= *at).map(|(_, size)| size).sum()
        }
        Family::Spikes => plan
            .steps
            .iter()
            .map(|(at, size)| {
                let since = t - at * plan.seconds;
                if since >= 0.0 { size * (-since / plan.scale).exp() } else { 0.0 }
            })
            .sum(),
        _ => 0.0,
    }
}
