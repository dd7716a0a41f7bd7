//! How a watch is shown while it runs: a live view on a terminal, lines elsewhere.

mod plain;
mod screen;
mod view;

use leakline_investigate::WatchEvent;

pub use plain::Lines;
pub use screen::{Keys, Screen};

/// Whatever shows a watch.
pub enum Show<'a> {
    /// Lines on stdout.
    Lines(Lines<'a>),
    /// The terminal.
    Screen(Screen),
    /// Notes on stderr alone.
    Notes(Lines<'a>),
}

impl Show<'_> {
    /// Takes an event.
    pub fn event(&mut self, event: WatchEvent<'_>) {
        match (self, event) {
            (Self::Screen(screen), event) => screen.event(event),
            (Self::Lines(lines) | Self::Notes(lines), WatchEvent::Note(note)) => lines.note(&note),
            (Self::Lines(lines), WatchEvent::Sampled(moment)) => lines.moment(&moment),
            (Self::Notes(_), WatchEvent::Sampled(_)) => {}
        }
    }
}
