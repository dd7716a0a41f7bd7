//! Does it still grow at the end? Shapes that do are weighed against shapes that do not.
//!
//! A rising trend is no leak: warm-up, a cache that fills, a deploy with a new level all rise, and any
//! trend test finds them (Machida et al. 2013). What sets a leak apart is that nothing ends its
//! growth. So two sets of shapes are fitted to the floor:
//!
//! - *growing at the end*: a line; a line from some moment on (a deploy); a line behind a faster rise
//!   (a warm-up) or behind a saturating one; a line with one or two steps in it;
//! - *flat at the end*: a constant; a rise that stops; a rise between two levels; an exponential or
//!   logarithmic saturation; one to three steps; a rise or saturation with a step; half a daily wave.
//!
//! Each is a linear model once its place or time constant is fixed; those are searched on grids. The
//! best of each set is compared by the Bayesian information criterion (Schwarz 1978) with the noise's
//! memory whitened out (`gls`): half the difference is the logarithm of the approximate Bayes factor
//! (Kass and Raftery 1995), here called the evidence. A cache with a time constant of half the window
//! and more looks the same as a leak in any data; its shape is not in the second set, and every
//! `leak` says so in its caveat.
//!
//! Load and daily rhythm, where known, are columns of both sets: they explain what they can before
//! any shape is asked. Where requests are known, all shapes are also tried on the clock of requests
//! served: a leak or a cache that fills per request is straight on that clock, whatever the traffic.
//!
//! Cost: some 300 fits of O(n), n ≤ 60, twice.

use crate::gls::{Basis, dot, memory, whiten};
use crate::robust::{Point, median};
use crate::thresholds as limits;

/// How the best flat shape explains the floor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Flat {
    Constant,
    /// Rose until the time given, in seconds.
    Levelled(f64),
    /// Levels off as a cache does.
    Saturating,
    /// Stepped at the time given, in seconds.
    Stepped(f64),
    /// Part of a daily wave.
    Daily,
}

/// What weighing said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Natural logarithm of the Bayes factor for growth at the end; negative speaks against it.
    pub(crate) evidence: f64,
    /// The best explanation without growth.
    pub(crate) flat: Flat,
    /// Where the growth of the best growing shape begins, an index of the floor.
    pub(crate) onset: usize,
    /// Growth from there to the end by that shape, in the floor's unit.
    pub(crate) growth: f64,
}

/// What is known beside the floor, one value per point.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// Columns that may explain the floor: load, daily rhythm.
    pub(crate) columns: Vec<Vec<f64>>,
    /// Requests served until each point.
    pub(crate) served: Option<Vec<f64>>,
    /// Try half a daily wave as an explanation.
    pub(crate) daily: bool,
}

struct Candidate {
    columns: Vec<Vec<f64>>,
    parameters: f64,
    flat: Flat,
    onset: usize,
}

struct Best {
    criterion: f64,
    candidate: Candidate,
    growth: f64,
}

/// Weighs the shapes; `None` for fewer points than carry them.
pub(crate) fn weigh(points: &[Point], known: &Known) -> Option<Shape> {
    let n = points.len();
    if n < limits::MIN_FLOORS_FOR_SHAPE {
        return None;
    }
    let (first, span) = (points[0].t, points[n - 1].t - points[0].t);
    let low = points.iter().map(|p| p.v).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|p| p.v).fold(f64::NEG_INFINITY, f64::max);
    if span <= 0.0 || high <= low {
        return None;
    }
    let values = calm(&points.iter().map(|p| (p.v - low) / (high - low)).collect::<Vec<_>>());
    let time: Vec<f64> = points.iter().map(|p| (p.t - first) / span).collect();
    let mut clocks = vec![time.clone()];
    if let Some(served) = &known.served
        && let (Some(a), Some(b)) = (served.first(), served.last())
        && b > a
    {
        clocks.push(served.iter().map(|s| (s - a) / (b - a)).collect());
    }
    let wave = known.daily.then(|| {
        let angle = |p: &Point| std::f64::consts::TAU * (p.t - first) / 86_400.0;
        let column = |f: fn(f64) -> f64| points.iter().map(|p| f(angle(p))).collect::<Vec<_>>();
        [column(f64::sin), column(f64::cos)]
    });

    // First as if the noise had no memory, to learn how much it has from what the best shape leaves.
    let mut rho = 0.0;
    let mut answer = None;
    for _ in 0..2 {
        let fit = Fit::new(&values, &known.columns, rho);
        let (mut growing, mut flat) = (None, None);
        fit.offer(&mut flat, constant(), false);
        if let Some([sine, cosine]) = &wave {
            let columns = vec![sine.clone(), cosine.clone()];
            fit.offer(&mut flat, simple(columns, 4.0, Flat::Daily), false);
        }
        for clock in &clocks {
            flat_shapes(&fit, clock, points, &mut flat);
            growing_shapes(&fit, clock, &mut growing);
        }
        let (g, f) = (growing?, flat?);
        let better = if g.criterion < f.criterion { &g } else { &f };
        rho = memory(&fit.residuals(&better.candidate), 2, limits::MAX_AUTOCORRELATION_SHAPE);
        answer = Some(Shape {
            evidence: (f.criterion - g.criterion) / 2.0,
            flat: f.candidate.flat,
            onset: g.candidate.onset,
            growth: g.growth * (high - low),
        });
        if rho < 0.02 {
            break;
        }
    }
    answer
}

/// Values with single freaks drawn in to what their neighbours allow: a running median of five and
/// 3.5 of the usual deviations from it (Hampel 1974).
pub(crate) fn calm(values: &[f64]) -> Vec<f64> {
    let middle: Vec<f64> = (0..values.len())
        .map(|i| {
            let from = i.saturating_sub(2);
            let to = (i + 3).min(values.len());
            median(&mut values[from..to].to_vec()).unwrap_or(values[i])
        })
        .collect();
    let mut apart: Vec<f64> = values.iter().zip(&middle).map(|(v, m)| (v - m).abs()).collect();
    let usual = 1.4826 * median(&mut apart).unwrap_or(0.0);
    if usual <= 0.0 {
        return values.to_vec();
    }
    let reach = 3.5 * usual;
    values.iter().zip(&middle).map(|(v, m)| v.clamp(m - reach, m + reach)).collect()
}

/// The floor against its base, at one memory of the noise.
struct Fit {
    rho: f64,
    base: Basis,
    value: Vec<f64>,
}

impl Fit {
    fn new(values: &[f64], columns: &[Vec<f64>], rho: f64) -> Self {
        let mut base = Basis::default();
        base.push(&whiten(&vec![1.0; values.len()], rho));
        for column in columns {
            base.push(&whiten(column, rho));
        }
        let value = base.rest(&whiten(values, rho));
        Self { rho, base, value }
    }

    fn prepared(&self, column: &[f64]) -> Vec<f64> {
        self.base.rest(&whiten(column, self.rho))
    }

    fn criterion(&self, squares: f64, parameters: f64) -> f64 {
        let n = self.value.len() as f64;
        // Noise below a thousandth of the range is none: perfect fits are not infinitely likely.
        n * (squares / n + 1e-6 * (1.0 - self.rho * self.rho)).ln() + parameters * n.ln()
    }

    /// What a candidate leaves over, unwhitened noise's increments included.
    fn residuals(&self, candidate: &Candidate) -> Vec<f64> {
        // Asked only after the first pass, where nothing is whitened.
        let mut basis = Basis::default();
        for column in &candidate.columns {
            basis.push(&self.prepared(column));
        }
        basis.rest(&self.value)
    }

    /// Fits a candidate and keeps it if it is the best of its set. A growing one must rise at the end;
    /// a flat one of one column must have risen to its level, where it has a sign.
    fn offer(&self, best: &mut Option<Best>, candidate: Candidate, growing: bool) {
        let mut basis = Basis::default();
        for column in &candidate.columns {
            if !basis.push(&self.prepared(column)) {
                return;
            }
        }
        let left = basis.rest(&self.value);
        let squares = dot(&left, &left);
        let criterion = self.criterion(squares, candidate.parameters);
        if best.as_ref().is_some_and(|b| b.criterion <= criterion) {
            return;
        }
        let mut growth = 0.0;
        if growing || matches!(candidate.flat, Flat::Levelled(_) | Flat::Saturating) {
            let Some(rate) = self.first_coefficient(&candidate) else { return };
            if rate <= 0.0 {
                return;
            }
            // The first column ends at what the rate runs over.
            growth = rate * candidate.columns[0].last().copied().unwrap_or(0.0);
        }
        *best = Some(Best { criterion, candidate, growth });
    }

    /// The coefficient of the first column beside all others.
    fn first_coefficient(&self, candidate: &Candidate) -> Option<f64> {
        let (first, others) = candidate.columns.split_first()?;
        let mut basis = Basis::default();
        for column in others {
            basis.push(&self.prepared(column));
        }
        let column = basis.rest(&self.prepared(first));
        let squares = dot(&column, &column);
        (squares > 0.0).then(|| dot(&column, &self.value) / squares)
    }

    /// The step that takes most off what the columns leave.
    fn best_step(&self, columns: &[Vec<f64>], steps: &[Vec<f64>]) -> Option<usize> {
        let mut basis = Basis::default();
        for column in columns {
            basis.push(&self.prepared(column));
        }
        let left = basis.rest(&self.value);
        let gain = |step: &Vec<f64>| {
            let column = basis.rest(&self.prepared(step));
            let squares = dot(&column, &column);
            if squares > 1e-9 { dot(&column, &left).powi(2) / squares } else { 0.0 }
        };
        let gains: Vec<f64> = steps.iter().map(gain).collect();
        (0..steps.len()).max_by(|&a, &b| gains[a].total_cmp(&gains[b]))
    }
}

fn constant() -> Candidate {
    simple(Vec::new(), 1.0, Flat::Constant)
}

fn simple(columns: Vec<Vec<f64>>, parameters: f64, flat: Flat) -> Candidate {
    Candidate { columns, parameters, flat, onset: 0 }
}

fn line(columns: Vec<Vec<f64>>, parameters: f64, onset: usize) -> Candidate {
    Candidate { columns, parameters, flat: Flat::Constant, onset }
}

fn step_columns(n: usize) -> Vec<Vec<f64>> {
    (1..n - 1).map(|k| (0..n).map(|i| f64::from(u8::from(i >= k))).collect()).collect()
}

fn flat_shapes(fit: &Fit, clock: &[f64], points: &[Point], best: &mut Option<Best>) {
    let n = clock.len();
    let margin = (n / 5).max(3);
    let until = |k: usize| clock.iter().map(|t| t.min(clock[k])).collect::<Vec<f64>>();
    let mut rise = None;
    for k in 1..n - margin {
        fit.offer(&mut rise, simple(vec![until(k)], 3.0, Flat::Levelled(points[k].t)), false);
    }
    for time in [0.03, 0.06, 0.1, 0.15, 0.2, 0.27, 0.35] {
        let column = clock.iter().map(|t| 1.0 - (-t / time).exp()).collect();
        fit.offer(&mut rise, simple(vec![column], 3.0, Flat::Saturating), false);
    }
    for time in [0.01, 0.03] {
        let column = clock.iter().map(|t| (1.0 + t / time).ln()).collect();
        fit.offer(&mut rise, simple(vec![column], 3.0, Flat::Saturating), false);
    }
    let every = (n / 12).max(1);
    for from in (every..n - margin).step_by(every) {
        for to in (from + 1..n - margin).step_by(every) {
            let column = clock.iter().map(|t| (t.clamp(clock[from], clock[to])) - clock[from]);
            let shape = simple(vec![column.collect()], 4.0, Flat::Levelled(points[to].t));
            fit.offer(&mut rise, shape, false);
        }
    }
    let steps = step_columns(n);
    if let Some(rise) = rise {
        // A rise that ends, and a step in it.
        let mut columns = rise.candidate.columns.clone();
        if let Some(at) = fit.best_step(&columns, &steps) {
            columns.push(steps[at].clone());
            let parameters = rise.candidate.parameters + 2.0;
            fit.offer(best, simple(columns, parameters, rise.candidate.flat), false);
        }
        if best.as_ref().is_none_or(|b| rise.criterion < b.criterion) {
            *best = Some(rise);
        }
    }
    let mut columns: Vec<Vec<f64>> = Vec::new();
    for count in 1..=limits::MAX_STEPS {
        let Some(at) = fit.best_step(&columns, &steps) else { break };
        columns.push(steps[at].clone());
        let parameters = 1.0 + 2.0 * count as f64;
        let flat = Flat::Stepped(points[at + 1].t);
        fit.offer(best, simple(columns.clone(), parameters, flat), false);
    }
}

fn growing_shapes(fit: &Fit, clock: &[f64], best: &mut Option<Best>) {
    let n = clock.len();
    let after = |k: usize| clock.iter().map(|t| (t - clock[k]).max(0.0)).collect::<Vec<f64>>();
    let until = |k: usize| clock.iter().map(|t| t.min(clock[k])).collect::<Vec<f64>>();
    let latest = clock.partition_point(|t| *t <= 1.0 - limits::MIN_TAIL_SHARE).min(n - 5);
    fit.offer(best, line(vec![after(0)], 2.0, 0), true);
    for k in 1..latest {
        // From a moment on.
        fit.offer(best, line(vec![after(k)], 3.0, k), true);
        // Behind a faster rise, which must be over early, or after a slower one.
        let bent = line(vec![after(k), until(k)], 4.0, k);
        let slower = fit
            .first_coefficient(&bent)
            .zip(fit.first_coefficient(&line(vec![until(k), after(k)], 4.0, k)))
            .is_some_and(|(late, early)| late < 0.5 * early);
        if !slower || clock[k] <= 0.4 {
            fit.offer(best, bent, true);
        }
    }
    for time in [0.03, 0.06, 0.1, 0.15] {
        let warm = clock.iter().map(|t| 1.0 - (-t / time).exp()).collect();
        fit.offer(best, line(vec![after(0), warm], 4.0, 0), true);
    }
    let steps = step_columns(n);
    let mut columns = vec![after(0)];
    for count in 1..=2 {
        let Some(at) = fit.best_step(&columns, &steps) else { break };
        columns.push(steps[at].clone());
        fit.offer(best, line(columns.clone(), 2.0 + 2.0 * f64::from(count), 0), true);
    }
}
