//! The end of `leakline watch`: the verdict, and what was seen beside it.

use super::{WIDTH, counted, duration};
use crate::documents::WatchDocument;
use crate::style::{Paint, wrap};
use crate::text::words::clean;

/// Listeners shown.
const LISTENERS: usize = 5;

/// The whole answer.
pub fn watch(d: &WatchDocument) -> String {
    let mut out = super::trend(None, &d.trend);
    out.push_str(&format!(
        "\n  watched       {}: {}",
        duration(d.span_seconds),
        counted(d.samples as u64, "sample")
    ));
    if d.missed_samples > 0 {
        out.push_str(&format!(", {} missed", d.missed_samples));
    }
    if d.restarts > 0 {
        out.push_str(&format!(", {}", counted(d.restarts, "restart")));
    }
    out.push('\n');
    if let Some(worst) = d.event_loop_delay_seconds {
        out.push_str(&format!("  event loop    late by {:.0} ms at worst\n", worst * 1000.0));
    }
    let grown: Vec<_> = d.listeners.iter().filter(|l| l.last > l.first).take(LISTENERS).collect();
    for (i, l) in grown.iter().enumerate() {
        let label = if i == 0 { "listeners" } else { "" };
        out.push_str(&format!(
            "  {label:<14}{} {}: {} → {}\n",
            clean(&l.emitter, 20),
            clean(&l.event, 30),
            l.first,
            l.last
        ));
    }
    if let Some(lost) = &d.lost {
        out.push('\n');
        out.push_str(&wrap(&format!("{lost}, and did not come back"), WIDTH, "  "));
    }
    out.push_str(&super::next(&d.next));
    out.push_str(&format!("\nSeries: {}\n", d.series));
    out.push_str(&Paint::Faint.on("Judge it again with `leakline trend`, draw it with --svg."));
    out.push('\n');
    out
}
