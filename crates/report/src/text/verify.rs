//! `leakline verify`: fixed or not, by how much, and the two sides next to each other.

use leakline_heap::Bytes;
use leakline_trend::{Fix, Interval, Reduction, Side, Verdict, Verification};

use super::words::clean;
use super::{WIDTH, bullets, duration, rate, signed_bytes};
use crate::style::{Paint, wrap};
use crate::table::{Align, Table};

/// The whole answer.
pub fn verify(v: &Verification) -> String {
    let mut out = headline(v);
    out.push('\n');
    let mut table =
        Table::new(&[("", Align::Left), ("before", Align::Right), ("after", Align::Right)]);
    let mut row = |label: &str, of: &dyn Fn(&Side) -> Option<String>| {
        let cells = [of(&v.before), of(&v.after)];
        if cells.iter().any(Option::is_some) {
            let [b, a] = cells.map(|c| c.unwrap_or_else(|| "not known".into()));
            table.row(vec![label.into(), b, a]);
        }
    };
    row("series", &|s| s.name.as_ref().map(|n| clean(n, 24)));
    row("runs", &|s| (!s.runs.is_empty()).then(|| s.runs.len().to_string()));
    row("verdict", &|s| s.verdict.map(super::verdict_word));
    row("from", &|s| s.start_bytes.map(|b| Bytes(b).to_string()));
    row("to", &|s| s.end_bytes.map(|b| Bytes(b).to_string()));
    row("in", &|s| Some(duration(s.span_seconds)));
    row("growth", &|s| {
        Some(if known(&s.rate_bytes_per_hour) {
            rate(s.rate_bytes_per_hour.estimate)
        } else {
            "not known".into()
        })
    });
    row("95 %, from", &|s| s.rate_bytes_per_hour.low.map(rate));
    row("95 %, to", &|s| s.rate_bytes_per_hour.high.map(rate));
    row("requests", &|s| s.requests_per_hour.map(|r| format!("{}/h", super::grouped(r as u64))));
    row("per request", &|s| s.rate_bytes_per_request.as_ref().map(|r| each(r.estimate)));
    row("95 %, from", &|s| s.rate_bytes_per_request.as_ref()?.low.map(each));
    row("95 %, to", &|s| s.rate_bytes_per_request.as_ref()?.high.map(each));
    out.push_str(&table.render(WIDTH));
    if let Some(signal) = v.signal {
        out.push_str(&format!("\n  compared: {signal}, growth per {}\n", v.per));
    }
    out.push('\n');
    out.push_str(&bullets(v.reasons.iter().map(|r| r.text.as_str())));
    out
}

fn headline(v: &Verification) -> String {
    let (paint, word) = match v.result {
        Fix::Fixed => (Paint::Good, "FIXED"),
        Fix::NotFixed => (Paint::Bad, "NOT FIXED"),
        Fix::Worse => (Paint::Bad, "WORSE"),
        Fix::Inconclusive => (Paint::Warn, "INCONCLUSIVE"),
    };
    let said = match v.result {
        // What is not concluded is not put into the headline by its number.
        Fix::Inconclusive => "too little to tell".to_owned(),
        _ => reduced(v),
    };
    let level = match v.after.end_bytes {
        Some(b) if v.result == Fix::Fixed => {
            let levelled = v.reasons.iter().any(|r| r.code == "levelled");
            format!(", {} at {}", if levelled { "levelled" } else { "stays" }, Bytes(b))
        }
        _ => String::new(),
    };
    let line = wrap(&format!("{said}{level}"), WIDTH - word.len(), "  ");
    let line = line.trim_start().replace('\n', "\n  ");
    format!("{}  {}\n", paint.on(word), line.trim_end())
}

/// `growth reduced by 98 % (95 %: 97 to 99 %)`
fn reduced(v: &Verification) -> String {
    let r: &Reduction = &v.reduction;
    if v.before.verdict.is_some_and(|b| b != Verdict::Leak) {
        return "it leaks now, and did not before".into();
    }
    let Some(estimate) = r.estimate else { return "growth before is not known".into() };
    let bounds = |low: Option<f64>, high: Option<f64>| match (low, high) {
        (Some(l), Some(h)) if share(l) == share(h) => String::new(),
        (Some(l), Some(h)) => format!(" (95 %: {} to {} %)", share(l), share(h)),
        (Some(l), None) => format!(" (95 %: at least {} %)", share(l)),
        _ => String::new(),
    };
    if r.low.is_none_or(|l| l <= 0.0) && r.high.is_none_or(|h| h >= 0.0) {
        return "growth is the same as far as can be told".into();
    }
    if estimate < 0.0 {
        let bounds = bounds(r.high.map(|h| -h), r.low.map(|l| -l));
        return format!("growth is {} % faster{bounds}", share(-estimate));
    }
    // More than all of it is memory that falls: for the reader, all of it.
    let at_most = |v: Option<f64>| v.map(|v| v.min(1.0));
    let bounds = bounds(at_most(r.low), at_most(r.high));
    format!("growth reduced by {} %{bounds}", share(estimate.min(1.0)))
}

/// `98`, and `99.7` where a whole number would claim too much.
fn share(v: f64) -> String {
    let percent = 100.0 * v;
    if percent > 99.0 && percent < 100.0 {
        format!("{:.1}", (percent * 10.0).floor() / 10.0)
    } else {
        format!("{percent:.0}")
    }
}

/// Bytes for each request: often less than one.
fn each(bytes: f64) -> String {
    let text =
        if bytes.abs() < 10.0 { format!("{bytes:+.1} B") } else { signed_bytes(bytes as i64) };
    format!("{text}/request")
}

fn known(interval: &Interval) -> bool {
    interval.low.is_some() || interval.high.is_some()
}
