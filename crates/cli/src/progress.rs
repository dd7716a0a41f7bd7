//! Events of an investigation, drawn on stderr as they happen.

use std::time::Duration;

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
}

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
        Self { output, bar, step: None }
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
                let of = total.map_or_else(String::new, |t| format!(" of {}", Bytes(t)));
                self.draw(format!("{what}: {}{of}", Bytes(done)));
            }
            Event::Working { what } => self.draw(what.to_string()),
            Event::Waiting { done, total, text } => {
                let left = Duration::from_secs_f64((total - done).max(0.0));
                self.draw(format!("{} s left  {text}", left.as_secs()));
            }
            Event::ProgressEnd => self.clear(),
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

    fn clear(&self) {
        self.bar.set_message("");
        self.bar.suspend(|| {});
        if self.output.draws() {
            // The line is ours until something is printed on it.
            let _ = console_clear();
        }
    }
}

fn console_clear() -> std::io::Result<()> {
    use std::io::Write;
    let mut err = std::io::stderr().lock();
    err.write_all(b"\r\x1b[2K")?;
    err.flush()
}
