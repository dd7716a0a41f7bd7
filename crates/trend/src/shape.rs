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

/// The best shape of a set so far.
struct Best {
    criterion: f64,
    parameters: f64,
    flat: Flat,
    onset: usize,
    growth: f64,
    /// Its columns, prepared.
    columns: Vec<Vec<f64>>,
}

/// What a shape is called if it turns out the best.
#[derive(Clone, Copy)]
struct Label {
    parameters: f64,
    flat: Flat,
    onset: usize,
    /// Where the first column ends, as its coefficient's factor: growth is the product.
    reach: f64,
    /// The first coefficient must be positive.
    rising: bool,
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
        fit.offer(&mut flat, &[], flat_label(1.0, Flat::Constant, false));
        if let Some([sine, cosine]) = &wave {
            let (sine, cosine) = (fit.prepared(sine), fit.prepared(cosine));
            fit.offer(&mut flat, &[&sine, &cosine], flat_label(4.0, Flat::Daily, false));
        }
        let steps: Vec<Vec<f64>> = (1..n - 1)
            .map(|k| (0..n).map(|i| f64::from(u8::from(i >= k))).collect::<Vec<f64>>())
            .map(|step| fit.prepared(&step))
            .collect();
        stepped(&fit, &steps, points, &mut flat);
        for clock in &clocks {
            let clock = Clock::new(&fit, clock);
            flat_shapes(&fit, &clock, &steps, points, &mut flat);
            growing_shapes(&fit, &clock, &steps, &mut growing);
        }
        let (g, f) = (growing?, flat?);
        let better = if g.criterion < f.criterion { &g } else { &f };
        rho = memory(&fit.residuals(better), 2, limits::MAX_AUTOCORRELATION_SHAPE);
        answer = Some(Shape {
            evidence: (f.criterion - g.criterion) / 2.0,
            flat: f.flat,
            onset: g.onset,
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
    squares: f64,
}

impl Fit {
    fn new(values: &[f64], columns: &[Vec<f64>], rho: f64) -> Self {
        let mut base = Basis::default();
        base.push(&whiten(&vec![1.0; values.len()], rho));
        for column in columns {
            base.push(&whiten(column, rho));
        }
        let value = base.rest(&whiten(values, rho));
        let squares = dot(&value, &value);
        Self { rho, base, value, squares }
    }

    fn prepared(&self, column: &[f64]) -> Vec<f64> {
        self.base.rest(&whiten(column, self.rho))
    }

    fn criterion(&self, squares: f64, parameters: f64) -> f64 {
        let n = self.value.len() as f64;
        // Noise below a thousandth of the range is none: perfect fits are not infinitely likely.
        n * (squares / n + 1e-6 * (1.0 - self.rho * self.rho)).ln() + parameters * n.ln()
    }

    /// What a shape leaves over. Asked only after the first pass, where nothing is whitened.
    fn residuals(&self, best: &Best) -> Vec<f64> {
        let mut basis = Basis::default();
        for column in &best.columns {
            basis.push(column);
        }
        basis.rest(&self.value)
    }

    /// Squares that prepared columns leave, and the first one's coefficient; `None` where they depend
    /// on each other.
    fn solve(&self, columns: &[&[f64]]) -> Option<(f64, f64)> {
        let whole = self.squares;
        match columns {
            [] => Some((whole, 0.0)),
            [a] => {
                let (aa, av) = (dot(a, a), dot(a, &self.value));
                (aa > 1e-9).then(|| (whole - av * av / aa, av / aa))
            }
            [a, b] => {
                let (aa, bb, ab) = (dot(a, a), dot(b, b), dot(a, b));
                let (av, bv) = (dot(a, &self.value), dot(b, &self.value));
                let determinant = aa * bb - ab * ab;
                (determinant > 1e-9 * aa * bb && aa * bb > 0.0).then(|| {
                    let first = (av * bb - bv * ab) / determinant;
                    let second = (bv * aa - av * ab) / determinant;
                    (whole - first * av - second * bv, first)
                })
            }
            [first, others @ ..] => {
                let mut basis = Basis::default();
                if !others.iter().all(|column| basis.push(column)) {
                    return None;
                }
                let column = basis.rest(first);
                let squares = dot(&column, &column);
                let along = dot(&column, &self.value);
                let left = basis.rest(&self.value);
                (squares > 1e-9 * dot(first, first))
                    .then(|| (dot(&left, &left) - along * along / squares, along / squares))
            }
        }
    }

    /// Fits a shape and keeps it if it is the best of its set and rises where it has to.
    fn offer(&self, best: &mut Option<Best>, columns: &[&[f64]], label: Label) {
        let Some((squares, first)) = self.solve(columns) else { return };
        let criterion = self.criterion(squares.max(0.0), label.parameters);
        if (label.rising && first <= 0.0) || best.as_ref().is_some_and(|b| b.criterion <= criterion)
        {
            return;
        }
        *best = Some(Best {
            criterion,
            parameters: label.parameters,
            flat: label.flat,
            onset: label.onset,
            growth: first * label.reach,
            columns: columns.iter().map(|c| c.to_vec()).collect(),
        });
    }

    /// The step that takes most off what the columns leave.
    fn best_step<'a>(
        &self,
        columns: &[&[f64]],
        steps: &'a [Vec<f64>],
    ) -> Option<(usize, &'a [f64])> {
        let mut basis = Basis::default();
        for column in columns {
            basis.push(column);
        }
        let left = basis.rest(&self.value);
        let gain = |step: &Vec<f64>| {
            let column = basis.rest(step);
            let squares = dot(&column, &column);
            if squares > 1e-9 { dot(&column, &left).powi(2) / squares } else { 0.0 }
        };
        let gains: Vec<f64> = steps.iter().map(gain).collect();
        let best = (0..steps.len()).max_by(|&a, &b| gains[a].total_cmp(&gains[b]))?;
        Some((best, &steps[best]))
    }
}

/// A clock, from 0 to 1, and its prepared columns.
struct Clock<'a> {
    at: &'a [f64],
    /// The clock itself.
    whole: Vec<f64>,
    /// The clock stopped at each point.
    until: Vec<Vec<f64>>,
    /// The clock started at each point: the whole without the stopped one.
    after: Vec<Vec<f64>>,
}

impl<'a> Clock<'a> {
    fn new(fit: &Fit, at: &'a [f64]) -> Self {
        let whole = fit.prepared(at);
        let until: Vec<Vec<f64>> = at
            .iter()
            .map(|stop| fit.prepared(&at.iter().map(|t| t.min(*stop)).collect::<Vec<f64>>()))
            .collect();
        let after = until.iter().map(|u| less(&whole, u)).collect();
        Self { at, whole, until, after }
    }

    fn map(&self, fit: &Fit, of: impl Fn(f64) -> f64) -> Vec<f64> {
        fit.prepared(&self.at.iter().map(|t| of(*t)).collect::<Vec<f64>>())
    }
}

fn less(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| x - y).collect()
}

fn flat_label(parameters: f64, flat: Flat, rising: bool) -> Label {
    Label { parameters, flat, onset: 0, reach: 1.0, rising }
}

/// One to three steps and nothing else.
fn stepped(fit: &Fit, steps: &[Vec<f64>], points: &[Point], best: &mut Option<Best>) {
    let mut columns: Vec<&[f64]> = Vec::new();
    for count in 1..=limits::MAX_STEPS {
        let Some((at, step)) = fit.best_step(&columns, steps) else { break };
        columns.push(step);
        let flat = Flat::Stepped(points[at + 1].t);
        fit.offer(best, &columns, flat_label(1.0 + 2.0 * count as f64, flat, false));
    }
}

fn flat_shapes(
    fit: &Fit,
    clock: &Clock<'_>,
    steps: &[Vec<f64>],
    points: &[Point],
    best: &mut Option<Best>,
) {
    let n = points.len();
    let margin = (n / 5).max(3);
    let mut rise = None;
    for (k, point) in points.iter().enumerate().take(n - margin).skip(1) {
        let label = flat_label(3.0, Flat::Levelled(point.t), true);
        fit.offer(&mut rise, &[&clock.until[k]], label);
    }
    for time in [0.03, 0.06, 0.1, 0.15, 0.2, 0.27, 0.35] {
        let column = clock.map(fit, |t| 1.0 - (-t / time).exp());
        fit.offer(&mut rise, &[&column], flat_label(3.0, Flat::Saturating, true));
    }
    for time in [0.01, 0.03] {
        let column = clock.map(fit, |t| (1.0 + t / time).ln());
        fit.offer(&mut rise, &[&column], flat_label(3.0, Flat::Saturating, true));
    }
    let every = (n / 12).max(1);
    for from in (every..n - margin).step_by(every) {
        for to in (from + 1..n - margin).step_by(every) {
            let column = less(&clock.until[to], &clock.until[from]);
            let label = flat_label(4.0, Flat::Levelled(points[to].t), true);
            fit.offer(&mut rise, &[&column], label);
        }
    }
    let Some(rise) = rise else { return };
    // A rise that ends, and a step in it.
    let mut columns: Vec<&[f64]> = rise.columns.iter().map(Vec::as_slice).collect();
    if let Some((_, step)) = fit.best_step(&columns, steps) {
        columns.push(step);
        fit.offer(best, &columns, flat_label(rise.parameters + 2.0, rise.flat, true));
    }
    if best.as_ref().is_none_or(|b| rise.criterion < b.criterion) {
        *best = Some(rise);
    }
}

fn growing_shapes(fit: &Fit, clock: &Clock<'_>, steps: &[Vec<f64>], best: &mut Option<Best>) {
    let n = clock.at.len();
    let label = |parameters: f64, onset: usize| Label {
        parameters,
        flat: Flat::Constant,
        onset,
        reach: 1.0 - clock.at[onset],
        rising: true,
    };
    let latest = clock.at.partition_point(|t| *t <= 1.0 - limits::MIN_TAIL_SHARE).min(n - 5);
    fit.offer(best, &[&clock.whole], label(2.0, 0));
    for k in 1..latest {
        let (after, until) = (&clock.after[k], &clock.until[k]);
        // From a moment on.
        fit.offer(best, &[after], label(3.0, k));
        // Behind a faster rise, which must be over early, or after a slower one.
        let late = fit.solve(&[after, until]);
        let early = fit.solve(&[until, after]);
        let slower = late.zip(early).is_some_and(|(late, early)| late.1 < 0.5 * early.1);
        if !slower || clock.at[k] <= 0.4 {
            fit.offer(best, &[after, until], label(4.0, k));
        }
    }
    for time in [0.03, 0.06, 0.1, 0.15] {
        let warm = clock.map(fit, |t| 1.0 - (-t / time).exp());
        fit.offer(best, &[&clock.whole, &warm], label(4.0, 0));
    }
    let mut columns: Vec<&[f64]> = vec![&clock.whole];
    for count in 1..=2 {
        let Some((_, step)) = fit.best_step(&columns, steps) else { break };
        columns.push(step);
        fit.offer(best, &columns, label(2.0 + 2.0 * f64::from(count), 0));
    }
}
