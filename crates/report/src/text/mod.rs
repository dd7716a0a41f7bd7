//! Every result as text for a terminal: the first lines are the answer, tables fit 80 columns.
//!
//! Colours are always written; the caller's stream strips them where they do not belong.

mod allocations;
mod closures;
mod collections;
mod containment;
mod contexts;
mod detached;
mod diff;
mod dominators;
mod investigation;
mod native_contexts;
mod object;
mod retainers;
mod scan;
mod search;
mod stats;
mod strings;
mod summary;
mod suspects;
mod trend;
mod verify;
mod watch;
mod words;

pub use allocations::allocations;
pub use closures::closures;
pub use collections::collections;
pub use containment::containment;
pub use contexts::contexts;
pub use detached::detached;
pub use diff::diff;
pub use dominators::dominators;
pub use investigation::investigation;
pub use native_contexts::native_contexts;
pub use object::object;
pub use retainers::retainers;
pub use scan::scan;
pub use search::search;
pub use stats::stats;
pub use strings::strings;
pub use summary::summary;
pub use suspects::{answer, suspects};
pub use trend::{next, trend, workload};
pub use verify::verify;
pub use watch::watch;

pub(crate) use investigation::verify_hint;
pub(crate) use suspects::evidence;

use crate::style::wrap;

/// Verdict, rate and place of a trend in one line.
pub fn trend_line(t: &leakline_trend::Trend) -> String {
    format!(
        "{}; {}; {}",
        trend::verdict_name(t.verdict).to_lowercase(),
        trend::interval(&t.rate_bytes_per_hour),
        trend::place(t.place)
    )
}

/// A verdict in a word or two: `leak`, `not enough data`.
pub fn verdict_word(verdict: leakline_trend::Verdict) -> String {
    trend::verdict_name(verdict).split(':').next().unwrap_or_default().to_lowercase()
}

/// Columns a table or paragraph may use.
pub const WIDTH: usize = 80;

/// `12,345`
pub(crate) fn grouped(n: u64) -> String {
    leakline_analysis::detect::grouped(n)
}

/// `1 object`, `12,345 objects`
fn counted(n: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// Sentences, each behind a dash.
fn bullets<'a>(sentences: impl IntoIterator<Item = &'a str>) -> String {
    let line = |sentence| {
        let text = wrap(sentence, WIDTH, "    ");
        format!("  - {}", text.get(4..).unwrap_or(&text))
    };
    sentences.into_iter().map(line).collect()
}

/// What a table leaves out.
pub(crate) fn more_rows(n: usize) -> String {
    let rows = if n == 1 { "row" } else { "rows" };
    format!("\n{} more {rows}: --limit N, or --json for all\n", grouped(n as u64))
}

/// `+12,345` or `-12,345`
pub(crate) fn signed(n: i64) -> String {
    let digits = grouped(n.unsigned_abs());
    match n {
        0 => digits,
        1.. => format!("+{digits}"),
        _ => format!("-{digits}"),
    }
}

/// `+1.5 MiB` or `-1.5 MiB`
pub(crate) fn signed_bytes(n: i64) -> String {
    let size = leakline_heap::Bytes(n.unsigned_abs());
    match n {
        0 => size.to_string(),
        1.. => format!("+{size}"),
        _ => format!("-{size}"),
    }
}

/// `1.4 MiB/h`, for rates that may be negative.
pub fn rate(bytes_per_hour: f64) -> String {
    format!("{}/h", signed_bytes(bytes_per_hour as i64))
}

/// `2 h 05 min`, `48 s`
pub fn duration(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as u64;
    match s {
        0..=119 => format!("{s} s"),
        120..=7199 => format!("{} min", (s + 30) / 60),
        7200..=172_799 => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
        _ => format!("{} days", (s + 43_200) / 86_400),
    }
}
