//! A watch as lines: one when the verdict changes, else one each ten seconds.

use std::time::{Duration, Instant};

use leakline_heap::Bytes;
use leakline_investigate::Moment;
use leakline_report::{Paint, text, wrap};
use leakline_trend::Verdict;

use crate::args::Level;
use crate::output::Output;

const EVERY: Duration = Duration::from_secs(10);

/// Writes lines.
pub struct Lines<'a> {
    output: &'a Output,
    last: Option<(Instant, Verdict)>,
}

impl<'a> Lines<'a> {
    pub fn new(output: &'a Output) -> Self {
        Self { output, last: None }
    }

    pub fn note(&self, note: &str) {
        let text = wrap(note, 80, "      ");
        self.output.tell(Level::Warn, &format!("{} {}", Paint::Warn.on("note:"), text.trim()));
    }

    pub fn moment(&mut self, moment: &Moment<'_>) {
        let verdict = moment.trend.verdict;
        let due = self.last.is_none_or(|(at, before)| before != verdict || at.elapsed() >= EVERY);
        if due {
            self.last = Some((Instant::now(), verdict));
            // A reader that went away ends the watch with the result; a line is not worth it.
            let _ = self.output.text(&format!("{}\n", line(moment)));
        }
    }
}

/// `   130 s  heap 60.1 MiB  rss 110 MiB  stable  +0 B/h`
fn line(moment: &Moment<'_>) -> String {
    let mut out = format!("{:>7}", text::duration(moment.state.elapsed_seconds));
    if let Some(sample) = moment.series.samples.last() {
        for (name, value) in [("heap", sample.heap_used), ("rss", sample.rss)] {
            if let Some(value) = value {
                out.push_str(&format!("  {name} {}", Bytes(value)));
            }
        }
    }
    out.push_str(&format!("  {}", text::verdict_word(moment.trend.verdict)));
    let rate = moment.trend.rate_bytes_per_hour;
    if rate.low.is_some() || rate.high.is_some() {
        out.push_str(&format!("  {}", text::rate(rate.estimate)));
    }
    if let Some(time) = moment.trend.time_to_limit_seconds {
        out.push_str(&format!("  limit in {}", text::duration(time.estimate)));
    }
    out
}
