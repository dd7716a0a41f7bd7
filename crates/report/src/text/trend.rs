//! `leakline trend`: the verdict, the rate, and why.

use leakline_trend::{
    Confidence, Interval, NamedTrend, Reason, Trend, Verdict, Where, WorkloadTrend,
};

use super::{WIDTH, bullets, duration, rate};
use crate::style::Paint;
use crate::table::{Align, Table};

/// One series.
pub fn trend(name: Option<&str>, trend: &Trend) -> String {
    let name = name.map_or_else(String::new, |n| format!("  series {n}"));
    let mut out = format!("{}{name}\n\n", verdict(trend.verdict));
    out.push_str(&numbers(trend));
    out.push('\n');
    out.push_str(&bullets(trend.reasons.iter().map(|r| r.text.as_str())));
    out
}

/// What to do next; nothing where there is nothing to do.
pub fn next(steps: &[Reason]) -> String {
    let mut out = String::new();
    if !steps.is_empty() {
        out.push_str(&format!("\n{}\n", Paint::Strong.on("Next")));
    }
    out.push_str(&bullets(steps.iter().map(|r| r.text.as_str())));
    out
}

/// The lines of numbers, for a report too.
pub(crate) fn numbers(trend: &Trend) -> String {
    let mut out = String::new();
    let mut row = |label: &str, text: String| out.push_str(&format!("  {label:<14}{text}\n"));
    row("rate", interval(&trend.rate_bytes_per_hour));
    row("where", place(trend.place).to_string());
    if let Some(time) = &trend.time_to_limit_seconds {
        row("to the limit", time_to_limit(time));
    }
    row("confidence", confidence(trend.confidence).to_string());
    out
}

/// Several series.
pub fn workload(trends: &WorkloadTrend) -> String {
    let mut out =
        format!("{}  {} series\n\n", verdict(trends.workload.verdict), trends.series.len());
    let mut table = Table::new(&[
        ("series", Align::Left),
        ("verdict", Align::Left),
        ("rate", Align::Right),
        ("to the limit", Align::Right),
    ]);
    for NamedTrend { name, trend } in &trends.series {
        table.row(vec![
            name.clone().unwrap_or_default(),
            verdict_name(trend.verdict).into(),
            if known(&trend.rate_bytes_per_hour) {
                rate(trend.rate_bytes_per_hour.estimate)
            } else {
                "not known".into()
            },
            trend.time_to_limit_seconds.as_ref().map_or_else(String::new, |t| duration(t.estimate)),
        ]);
    }
    out.push_str(&table.render(WIDTH));
    out.push_str(&bullets(trends.workload.reasons.iter().map(|r| r.text.as_str())));
    out
}

/// One line: `+38.2 MiB/h (95 %: +31.0 … +44.9 MiB/h)`.
pub(crate) fn interval(interval: &Interval) -> String {
    if !known(interval) {
        return "rate not known".into();
    }
    let bound = |b: Option<f64>| b.map_or_else(|| "unbounded".to_string(), rate);
    format!(
        "{} (95 %: {} to {})",
        rate(interval.estimate),
        bound(interval.low),
        bound(interval.high)
    )
}

/// An estimate without either bound is a placeholder.
fn known(interval: &Interval) -> bool {
    interval.low.is_some() || interval.high.is_some()
}

fn time_to_limit(time: &Interval) -> String {
    let bound = |b: Option<f64>| b.map_or_else(|| "never".to_string(), duration);
    format!("{} (95 %: {} to {})", duration(time.estimate), bound(time.low), bound(time.high))
}

fn verdict(verdict: Verdict) -> String {
    let paint = match verdict {
        Verdict::Leak => Paint::Bad,
        Verdict::Plateau | Verdict::Stable | Verdict::FollowsLoad => Paint::Good,
        Verdict::WarmUp | Verdict::InsufficientData => Paint::Warn,
    };
    paint.on(verdict_name(verdict))
}

/// The verdict in words.
pub(crate) fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Leak => "LEAK",
        Verdict::Plateau => "PLATEAU: it grew, then levelled off",
        Verdict::WarmUp => "WARM-UP: still levelling off",
        Verdict::FollowsLoad => "FOLLOWS LOAD",
        Verdict::Stable => "STABLE",
        Verdict::InsufficientData => "NOT ENOUGH DATA",
    }
}

/// Where it grows, in words.
pub(crate) fn place(place: Where) -> &'static str {
    match place {
        Where::JsHeap => "JavaScript heap",
        Where::ArrayBuffers => "Buffers and ArrayBuffers (outside the JavaScript heap)",
        Where::External => "external memory of add-ons (a heap snapshot will not show it)",
        Where::Native => "native memory (a heap snapshot will not show it)",
        Where::Unknown => "not known",
    }
}

fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}
