//! Colour and line breaks.

use anstyle::{AnsiColor, Color, Style};

/// What a piece of text is; the terminal gives it a colour, a pipe does not (the caller's stream strips it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// The answer when it is bad.
    Bad,
    /// The answer when it is good.
    Good,
    /// Between the two.
    Warn,
    /// A heading.
    Strong,
    /// A place in a file.
    Place,
    /// What may be skipped.
    Faint,
}

impl Paint {
    fn style(self) -> Style {
        let colour = |c: AnsiColor| Style::new().fg_color(Some(Color::Ansi(c)));
        match self {
            Self::Bad => colour(AnsiColor::Red).bold(),
            Self::Good => colour(AnsiColor::Green).bold(),
            Self::Warn => colour(AnsiColor::Yellow).bold(),
            Self::Strong => Style::new().bold(),
            Self::Place => colour(AnsiColor::Cyan),
            Self::Faint => Style::new().dimmed(),
        }
    }

    /// The text in this colour.
    pub fn on(self, text: &str) -> String {
        let style = self.style();
        format!("{}{text}{}", style.render(), style.render_reset())
    }
}

/// Breaks text at spaces so that no line is wider than `width`, each behind `indent`. Words longer than a
/// line (paths) stay whole: a path that is cut cannot be copied.
pub fn wrap(text: &str, width: usize, indent: &str) -> String {
    let room = width.saturating_sub(indent.chars().count()).max(16);
    let mut out = String::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let used = line.chars().count();
            if used > 0 && used + 1 + word.chars().count() > room {
                out.push_str(indent);
                out.push_str(&line);
                out.push('\n');
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        out.push_str(indent);
        out.push_str(&line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_keeps_words_whole() {
        let text = "one two three /a/very/long/path/that/is/longer/than/the/line four";
        let wrapped = wrap(text, 24, "  ");
        assert_eq!(
            wrapped,
            "  one two three\n  /a/very/long/path/that/is/longer/than/the/line\n  four\n"
        );
    }
}
