//! The terminal during a watch: taken over, drawn on, and given back, whatever happens.

use std::io;
use std::time::Duration;

use leakline_investigate::WatchEvent;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use tokio::sync::oneshot;

use super::view;

/// Draws a watch.
pub struct Screen {
    terminal: DefaultTerminal,
    notes: Vec<String>,
}

/// Completes when the user presses `q` or Ctrl-C: in the live view Ctrl-C is a key, not a signal.
pub struct Keys(pub oneshot::Receiver<()>);

/// How often keys are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// When it is none that can be drawn on.
    pub fn open() -> io::Result<(Self, Keys)> {
        // Restores the terminal in a panic, too.
        let terminal = ratatui::try_init()?;
        let (tell, told) = oneshot::channel();
        std::thread::spawn(move || {
            while !tell.is_closed() {
                match event::poll(LOOK_EVERY) {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(_) => break,
                }
                let Ok(Event::Key(key)) = event::read() else { continue };
                let interrupt =
                    key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
                let quit = matches!(key.code, KeyCode::Char('q') | KeyCode::Esc);
                if key.kind != KeyEventKind::Release && (interrupt || quit) {
                    let _ = tell.send(());
                    break;
                }
            }
        });
        Ok((Self { terminal, notes: Vec::new() }, Keys(told)))
    }

    /// Takes an event.
    pub fn event(&mut self, event: WatchEvent<'_>) {
        match event {
            WatchEvent::Note(note) => self.notes.push(note),
            WatchEvent::Sampled(moment) => {
                // What cannot be drawn now is drawn with the next sample.
                let notes = &self.notes;
                let _ = self.terminal.draw(|frame| view::draw(frame, &moment, notes));
            }
        }
    }

    /// Gives the terminal back; the notes are for the user to keep.
    pub fn close(self) -> Vec<String> {
        ratatui::restore();
        self.notes
    }
}
