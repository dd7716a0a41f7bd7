//! Events of an investigation, drawn on stderr as they happen.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use leakline_heap::Bytes;
use leakline_investigate::{Event, Step};
use leakline_report::{Paint, wrap};

use crate::args::Level;
use crate::output::Output;

/// Draws events. Steps and warnings stay; progress vanishes when it is done.
pub struct Progress<'a> {
    output: &'a Output,
    bar: ProgressBar,
    step: Option<Step>,
    /// The piece of work that is drawn, and since when.
    work: Option<(String, Instant)>,
}

/// How often a spinner turns where nothing else moves.
const SPIN: Duration = Duration::from_millis(100);
/// Characters of a bar.
const BAR: u64 = 20;
/// Work has to have gone on for so long before its speed says something of what is left.
const SOME_TIME: Duration = Duration::from_secs(1);

impl<'a> Progress<'a> {
    pub fn new(output: &'a Output) -> Self {
        let bar = ProgressBar::no_length();
        bar.set_draw_target(if output.draws() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        });
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {wide_msg}") {
            bar.set_style(style);
        }
        Self { output, bar, step: None, work: None }
    }

    /// Takes an event.
    pub fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Step(step, text) => {
                self.clear();
                if self.step != Some(step) {
                    let heading = format!("[{}/6] {}", step.number(), step.name());
                    self.output.tell(Level::Info, &Paint::Strong.on(&heading));
                    self.step = Some(step);
                }
                self.lines(Level::Info, &text);
            }
            Event::Detail(text) => {
                self.clear();
                self.lines(Level::Debug, &text);
            }
            Event::Warning(text) => {
                self.clear();
                let text = wrap(&text, 80, "            ");
                let text = text.trim();
                self.output.tell(Level::Warn, &format!("      {} {text}", Paint::Warn.on("note:")));
            }
            Event::Progress { what, done, total } => {
                let since = self.since(what);
                self.draw(far(what, done, total, since.elapsed()));
            }
            Event::Working { what } => {
                self.since(what);
                self.draw(what.to_string());
                // Nothing will be told until it is done; what moves is not dead.
                if self.output.draws() {
                    self.bar.enable_steady_tick(SPIN);
                }
            }
            Event::Waiting { done, total, text } => {
                let left = Duration::from_secs_f64((total - done).max(0.0));
                self.draw(format!("{} s left  {text}", left.as_secs()));
            }
            Event::ProgressEnd => self.clear(),
        }
    }

    /// When the piece of work began.
    fn since(&mut self, what: &str) -> Instant {
        match &self.work {
            Some((known, since)) if known == what => *since,
            _ => {
                self.bar.disable_steady_tick();
                self.work.insert((what.to_owned(), Instant::now())).1
            }
        }
    }

    fn lines(&self, level: Level, text: &str) {
        for line in wrap(text, 80, "      ").lines() {
            self.output.tell(level, line);
        }
    }

    fn draw(&self, message: String) {
        self.bar.set_message(message);
        self.bar.tick();
    }

    fn clear(&mut self) {
        self.work = None;
        self.bar.disable_steady_tick();
        self.bar.set_message("");
        self.bar.suspend(|| {});
        if self.output.draws() {
            // The line is ours until something is printed on it.
            let _ = clear_line();
        }
    }
}

/// How far a piece of work is: ` 45 % [#########           ] 408 MiB of 906 MiB, 3 s left  reading a.heapsnapshot`.
fn far(what: &str, done: u64, total: Option<u64>, so_far: Duration) -> String {
    let Some(total) = total.filter(|&total| total > 0) else {
        return format!("{what}: {}", Bytes(done));
    };
    // A file that grows meanwhile is not more than done.
    let done = done.min(total);
    let filled = (u128::from(done) * u128::from(BAR) / u128::from(total)) as usize;
    let bar: String = (0..BAR as usize).map(|i| if i < filled { '#' } else { ' ' }).collect();
    let percent = u128::from(done) * 100 / u128::from(total);
    let left = if so_far >= SOME_TIME && done > 0 {
        let left = so_far.as_secs_f64() * (total - done) as f64 / done as f64;
        format!(", {left:.0} s left")
    } else {
        String::new()
    };
    format!("{percent:>3} % [{bar}] {} of {}{left}  {what}", Bytes(done), Bytes(total))
}

/// Wipes the line that progress is drawn on.
pub fn clear_line() -> std::io::Result<()> {
    use std::io::Write;
    let mut err = std::io::stderr().lock();
    err.write_all(b"\r\x1b[2K")?;
    err.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is() {
        let far =
            |done, total, seconds| far("reading a", done, total, Duration::from_secs(seconds));
        assert_eq!(
            far(0, Some(1 << 20), 0),
            "  0 % [                    ] 0 B of 1.0 MiB  reading a"
        );
        assert_eq!(
            far(1 << 19, Some(1 << 20), 4),
            " 50 % [##########          ] 512 KiB of 1.0 MiB, 4 s left  reading a"
        );
        assert_eq!(
            far(3 << 20, Some(2 << 20), 4),
            "100 % [####################] 2.0 MiB of 2.0 MiB, 0 s left  reading a"
        );
        assert_eq!(far(1 << 20, None, 9), "reading a: 1.0 MiB");
        assert_eq!(far(1, Some(0), 9), "reading a: 1 B");
    }
}
