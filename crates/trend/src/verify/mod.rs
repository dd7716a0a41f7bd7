//! Is it fixed? One series before a change against one after it, or several runs of each.
//!
//! Two numbers are compared: how fast memory grew before, and how fast it grows after. Both are slopes
//! with 95 % intervals ([`crate::judge`]'s, of one and the same part of memory on both sides), divided by the
//! load where requests are known on both sides, because a quieter service leaks more slowly and is not
//! fixed by that. The reduction is 1 − after / before; its interval comes from both (`ratio`).
//!
//! A slope alone convicts or acquits nobody: the verdicts on both sides count too. "Fixed" takes a leak
//! before, none after, and an interval that excludes half of the old growth. Whatever is short of that is
//! `inconclusive`, with what it would take. With several runs ([`verify_runs`]) the scatter between runs
//! takes the place of the scatter within one.

mod ratio;
mod runs;
mod side;

use serde::Serialize;

use crate::judge::judge;
use crate::sample::{Sample, Series};
use crate::text::{self, bytes, duration};
use crate::verdict::{Confidence, Interval, Reason, Trend, Verdict, Where};

pub use runs::verify_runs;

/// The reduction must be at least this at the lower end of its interval before "fixed" is said: what is
/// proven gone outweighs what may be left.
const PROVEN_REDUCTION: f64 = 0.5;

/// Growth that is left may count as none below this share of the old one, where the series alone carries
/// no verdict: a tenth of a leak that took a night takes more than a week.
const REST_SHARE: f64 = 0.1;

/// What grows more slowly after the change may be warm-up until it was watched for this share of the time
/// before.
const COMPARABLE_SPAN: f64 = 0.5;

/// Loads that differ by more than this factor are worth a word, where rates are not per request.
const LOAD_FACTOR: f64 = 1.5;

/// The answer in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fix {
    /// It leaked, and does not any more.
    Fixed,
    /// It leaks still.
    NotFixed,
    /// It leaks faster than before, or only now.
    Worse,
    /// The data cannot carry an answer; the reasons say what it would take.
    Inconclusive,
}

/// The share of the growth that is gone: 1 is all of it, 0 none, negative: it grows faster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Reduction {
    /// The best single value; `null` where the old growth is not known well enough to divide by it.
    pub estimate: Option<f64>,
    /// Lower 95 % bound.
    pub low: Option<f64>,
    /// Upper 95 % bound.
    pub high: Option<f64>,
}

/// One side of the comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    /// The series' name; `null` for several runs.
    pub name: Option<String>,
    /// The verdict on the compared part of memory; `null` for several runs.
    pub verdict: Option<Verdict>,
    /// How far to trust it.
    pub confidence: Option<Confidence>,
    /// Which part of memory grows, all parts considered.
    #[serde(rename = "where")]
    pub place: Where,
    /// Growth of the compared part.
    pub rate_bytes_per_hour: Interval,
    /// The same per request, where requests are known.
    pub rate_bytes_per_request: Option<Interval>,
    /// The load in the stretch that was judged.
    pub requests_per_hour: Option<f64>,
    /// Samples of the judged run of the process (of all runs, for several).
    pub samples: usize,
    /// From the first to the last of them.
    pub span_seconds: f64,
    /// The floor at its beginning; `null` for several runs.
    pub start_bytes: Option<u64>,
    /// The floor at its end.
    pub end_bytes: Option<u64>,
    /// The runs, where there are several; else empty.
    pub runs: Vec<Run>,
}

/// One of several runs of a side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// The series' name.
    pub name: Option<String>,
    /// Growth in its later half.
    pub rate_bytes_per_hour: f64,
    /// The same per request, where requests are known.
    pub rate_bytes_per_request: Option<f64>,
}

/// Before against after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verification {
    /// The answer.
    pub result: Fix,
    /// Before the change.
    pub before: Side,
    /// After it.
    pub after: Side,
    /// The share of the growth that is gone.
    pub reduction: Reduction,
    /// The compared part of memory: `heap_used`, `external`, `array_buffers` or `rss`; `null` where the sides have
    /// none in common.
    pub signal: Option<&'static str>,
    /// What the rates are divided by in the reduction: `hour` or `request`.
    pub per: &'static str,
    /// Why, most important first.
    pub reasons: Vec<Reason>,
}

/// A part of memory that both sides may have measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    HeapUsed,
    External,
    ArrayBuffers,
    Rss,
}

impl Signal {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HeapUsed => "heap_used",
            Self::External => "external",
            Self::ArrayBuffers => "array_buffers",
            Self::Rss => "rss",
        }
    }

    /// The value in a sample; RSS behind a heap snapshot is the snapshot's.
    pub(crate) fn of(self, sample: &Sample) -> Option<u64> {
        match self {
            Self::HeapUsed => sample.heap_used,
            Self::External => sample.external,
            Self::ArrayBuffers => sample.array_buffers,
            Self::Rss => sample.rss.filter(|_| !sample.perturbed),
        }
    }

    fn measured(self, series: &[Series]) -> bool {
        series.iter().all(|s| s.samples.iter().filter(|p| self.of(p).is_some()).count() >= 2)
    }

    /// The series with this part of memory alone, so that the judgement is of it.
    fn only(self, series: &Series) -> Series {
        let samples = series.samples.iter().map(|s| {
            let value = self.of(s);
            Sample {
                rss: value.filter(|_| self == Self::Rss),
                heap_used: value.filter(|_| self == Self::HeapUsed),
                external: value.filter(|_| self == Self::External),
                array_buffers: value.filter(|_| self == Self::ArrayBuffers),
                heap_total: None,
                ..s.clone()
            }
        });
        Series { name: series.name.clone(), samples: samples.collect() }
    }
}

/// The parts that both sides have: the one that grew first, then those that say most.
fn candidates(grew: Where, before: &[Series], after: &[Series]) -> Vec<Signal> {
    use Signal as S;
    let first = match grew {
        Where::ArrayBuffers => S::ArrayBuffers,
        Where::External => S::External,
        Where::Native => S::Rss,
        Where::JsHeap | Where::Unknown => S::HeapUsed,
    };
    let mut order = vec![first];
    order.extend(
        [S::HeapUsed, S::Rss, S::External, S::ArrayBuffers].iter().filter(|s| **s != first),
    );
    order.retain(|s| s.measured(before) && s.measured(after));
    order
}

/// The first part that leaked before and carries a verdict after; else one that leaked; else any.
fn best(found: Vec<(Signal, [Trend; 2])>) -> Option<(Signal, [Trend; 2])> {
    let rank = |[before, after]: &[Trend; 2]| {
        let leaked = before.verdict == Verdict::Leak;
        let decided = !matches!(after.verdict, Verdict::InsufficientData);
        (leaked && decided, leaked)
    };
    // Of several equal ones `max_by_key` would take the last.
    found.into_iter().rev().max_by_key(|(_, trends)| rank(trends))
}

/// Compares one series before a change with one after it.
pub fn verify(before: &Series, after: &Series) -> Verification {
    let whole = [judge(before), judge(after)];
    let sides = [std::slice::from_ref(before), std::slice::from_ref(after)];
    let judged = candidates(whole[0].place, sides[0], sides[1])
        .into_iter()
        .map(|signal| (signal, [judge(&signal.only(before)), judge(&signal.only(after))]))
        .collect();
    let Some((signal, trends)) = best(judged) else {
        return nothing_in_common(sides);
    };
    let [b, a] = [
        side::side(before, &trends[0], whole[0].place, signal),
        side::side(after, &trends[1], whole[1].place, signal),
    ];
    let by_request = b.rate_bytes_per_request.zip(a.rate_bytes_per_request);
    let (per, rates) = match by_request {
        Some((b, a)) => ("request", [b, a]),
        None => ("hour", [b.rate_bytes_per_hour, a.rate_bytes_per_hour]),
    };
    let reduction = ratio::reduction(rates[0], rates[1]);
    let mut reasons = Vec::new();
    let result = Question { trends: &trends, whole: &whole, b: &b, a: &a, reduction, rates }
        .answer(&mut reasons);
    concluded(signal, per, [b, a], reduction, (result, reasons))
}

/// The answer, with what the load has to do with it.
pub(crate) fn concluded(
    signal: Signal,
    per: &'static str,
    [before, after]: [Side; 2],
    reduction: Reduction,
    (result, mut reasons): (Fix, Vec<Reason>),
) -> Verification {
    about_load(&before, &after, per, &mut reasons);
    let signal = Some(signal.name());
    Verification { result, before, after, reduction, signal, per, reasons }
}

pub(crate) fn nothing_in_common(sides: [&[Series]; 2]) -> Verification {
    let [before, after] = sides.map(side::unmeasured);
    Verification {
        result: Fix::Inconclusive,
        before,
        after,
        reduction: Reduction::default(),
        signal: None,
        per: "hour",
        reasons: vec![Reason::new(
            "no-common-signal",
            "the two sides have no part of memory in common: record heap_used or rss on both",
        )],
    }
}

/// What the load has to do with it.
fn about_load(b: &Side, a: &Side, per: &str, reasons: &mut Vec<Reason>) {
    match b.requests_per_hour.zip(a.requests_per_hour) {
        Some((before, after)) => {
            if per == "request" {
                reasons.push(Reason::new(
                    "per-request",
                    format!(
                        "compared per request: {before:.0} requests an hour before, {after:.0} after"
                    ),
                ));
            }
            if !(1.0 / LOAD_FACTOR..=LOAD_FACTOR).contains(&(after / before)) {
                reasons.push(Reason::new(
                    "load-differs",
                    "the load was another one: what leaks by the clock, not by the request, shows in the \
                     rates per hour",
                ));
            }
        }
        None => reasons.push(Reason::new(
            "load-unknown",
            "requests are not known on both sides: it must have been the same load, or a quieter service \
             passes for a fixed one",
        )),
    }
}

/// Everything the answer rests on.
struct Question<'a> {
    trends: &'a [Trend; 2],
    whole: &'a [Trend; 2],
    b: &'a Side,
    a: &'a Side,
    reduction: Reduction,
    /// Before and after, per hour or per request.
    rates: [Interval; 2],
}

impl Question<'_> {
    fn answer(&self, reasons: &mut Vec<Reason>) -> Fix {
        let [before, after] = [self.trends[0].verdict, self.trends[1].verdict];
        let elsewhere = self.whole[1].verdict == Verdict::Leak && after != Verdict::Leak;
        if before != Verdict::Leak {
            return self.without_a_leak_before(after, reasons);
        }
        match after {
            Verdict::Leak => self.still_leaks(reasons),
            _ if elsewhere => {
                let place = place_name(self.whole[1].place);
                let calm = !matches!(after, Verdict::InsufficientData | Verdict::WarmUp);
                reasons.push(Reason::new(
                    "leaks-elsewhere",
                    if calm {
                        format!("what leaked before has stopped, but {place} leaks now")
                    } else {
                        format!("it is not decided whether what leaked before has stopped, but {place} leaks")
                    },
                ));
                Fix::NotFixed
            }
            Verdict::Stable | Verdict::Plateau | Verdict::FollowsLoad => self.calm_after(reasons),
            Verdict::WarmUp => {
                reasons.push(Reason::new(
                    "still-levelling",
                    format!(
                        "after the change memory still levels off: measure until it has, about {} more",
                        duration(self.a.span_seconds)
                    ),
                ));
                Fix::Inconclusive
            }
            Verdict::InsufficientData => self.undecided_after(reasons),
        }
    }

    fn without_a_leak_before(&self, after: Verdict, reasons: &mut Vec<Reason>) -> Fix {
        let [b, a] = self.rates;
        let undecided =
            matches!(self.trends[0].verdict, Verdict::InsufficientData | Verdict::WarmUp);
        if after == Verdict::Leak
            && !undecided
            && b.high.zip(a.low).is_some_and(|(was, is)| is > was)
        {
            reasons.push(Reason::new(
                "leaks-only-after",
                "there was no leak before the change, and there is one after it",
            ));
            return Fix::Worse;
        }
        if undecided {
            reasons.push(Reason::new(
                "before-undecided",
                "the series before the change does not carry the verdict of a leak, so nothing can be \
                 held against it",
            ));
            reasons.extend(why(&self.trends[0]).map(|t| Reason::new("before", t)));
        } else {
            reasons.push(Reason::new(
                "no-leak-before",
                "the series before the change shows no leak: take one from the time when memory rose",
            ));
        }
        Fix::Inconclusive
    }

    fn still_leaks(&self, reasons: &mut Vec<Reason>) -> Fix {
        let share = |s: f64| format!("{:.0} %", 100.0 * s.abs());
        match self.reduction {
            Reduction { estimate: Some(at), high: Some(high), .. } if high < 0.0 => {
                reasons.push(Reason::new(
                    "grows-faster",
                    format!("it leaks still, and faster by {}", share(at)),
                ));
                Fix::Worse
            }
            Reduction { estimate: Some(at), low: Some(low), .. }
                if low > 0.0 && self.a.span_seconds < COMPARABLE_SPAN * self.b.span_seconds =>
            {
                reasons.push(Reason::new(
                    "after-young",
                    format!(
                        "it grows still, more slowly by {}, but in {} caches that fill look like that too: \
                         watch for about {}, as before",
                        share(at),
                        duration(self.a.span_seconds),
                        duration(self.b.span_seconds)
                    ),
                ));
                Fix::Inconclusive
            }
            Reduction { estimate: Some(at), low: Some(low), .. } if low > 0.0 => {
                reasons.push(Reason::new(
                    "slower",
                    format!(
                        "it leaks still, more slowly by {}: there is a second cause",
                        share(at)
                    ),
                ));
                Fix::NotFixed
            }
            _ => {
                reasons.push(Reason::new("same", "it leaks still, as fast as far as can be told"));
                Fix::NotFixed
            }
        }
    }

    /// No leak after; was it watched long enough that the old one would have shown?
    fn calm_after(&self, reasons: &mut Vec<Reason>) -> Fix {
        if !self.reduction.low.is_some_and(|low| low >= PROVEN_REDUCTION) {
            reasons.push(self.too_short());
            return Fix::Inconclusive;
        }
        let level =
            self.a.end_bytes.map_or_else(String::new, |b| format!(" at {}", bytes(b as f64)));
        let over = duration(self.a.span_seconds);
        reasons.push(match self.trends[1].verdict {
            Verdict::Plateau => Reason::new(
                "levelled",
                format!("it grew, then levelled{level}, watched for {over}"),
            ),
            Verdict::FollowsLoad => Reason::new(
                "follows-load",
                format!("memory now follows the load, and nothing is left over in {over}"),
            ),
            _ => Reason::new("stable", format!("memory stays{level}, watched for {over}")),
        });
        if let Some(was) = self.whole[0].time_to_limit_seconds.filter(|t| t.estimate >= 60.0) {
            reasons.push(Reason::new(
                "limit-before",
                format!("before, the limit was {} away", duration(was.estimate)),
            ));
        }
        Fix::Fixed
    }

    fn undecided_after(&self, reasons: &mut Vec<Reason>) -> Fix {
        let [b, a] = self.rates;
        let next_to_nothing =
            a.high.zip(b.low).is_some_and(|(is, was)| was > 0.0 && is <= REST_SHARE * was);
        if next_to_nothing && self.trends[1].rate_bytes_per_hour.low.is_some() {
            reasons.push(Reason::new(
                "next-to-nothing",
                format!(
                    "after the change too little grows for a verdict of its own: at most {:.0} % of the \
                     old rate",
                    100.0 * (1.0 - self.reduction.low.unwrap_or(0.0)).max(0.0)
                ),
            ));
            return Fix::Fixed;
        }
        reasons.push(self.too_short());
        reasons.extend(why(&self.trends[1]).map(|t| Reason::new("after", t)));
        Fix::Inconclusive
    }

    /// What it would take: the error of a slope falls with the span to the power of 1.5.
    fn too_short(&self) -> Reason {
        let [b, a] = self.rates;
        let allowed = (1.0 - PROVEN_REDUCTION) * b.estimate - a.estimate.max(0.0);
        let reach = a.high.map(|high| high - a.estimate);
        let needed = match reach {
            Some(reach) if allowed > 0.0 => {
                self.a.span_seconds * (reach / allowed).powf(2.0 / 3.0).clamp(1.2, 100.0)
            }
            // Nothing is known of the scatter: as long as the leak was watched.
            _ => self.b.span_seconds.max(1.5 * self.a.span_seconds),
        };
        Reason::new(
            "after-too-short",
            format!(
                "{} after the change are too few to exclude the old leak: watch for about {}",
                duration(self.a.span_seconds),
                duration(needed)
            ),
        )
    }
}

/// The reason of a verdict that says most: how the floor was made comes first and explains nothing.
fn why(trend: &Trend) -> Option<String> {
    let codes = ["floor", "restarts", "gaps", "times-sorted", "duplicate-times"];
    trend.reasons.iter().find(|r| !codes.contains(&r.code)).map(|r| r.text.clone())
}

fn place_name(place: Where) -> &'static str {
    if place == Where::Unknown { "another part of memory" } else { text::place(place) }
}

#[cfg(test)]
mod tests;
