//! Code frames: a few lines around a place, cut so that a minified line stays readable.

use std::fmt::Write as _;

use serde::Serialize;

use crate::location::LineIndex;

/// Characters kept of one line in a frame; rendering cuts further.
const KEPT_CHARS: usize = 240;
/// Columns of a rendered frame, number and bar included.
const RENDER_COLUMNS: usize = 80;
/// Spaces that stand for a tab when rendered.
const TAB: &str = "    ";

/// Lines around a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CodeFrame {
    /// Number of the first line, 1-based.
    pub first_line: u32,
    /// Number of the marked line, 1-based.
    pub marked_line: u32,
    /// Column of the marked place in the marked line of the file, 1-based, UTF-16 units.
    pub marked_column: u32,
    /// Index of the marked place's character in the marked [`FrameLine::text`].
    pub marked_char: u32,
    /// The lines.
    pub lines: Vec<FrameLine>,
}

/// One line of a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FrameLine {
    /// The text, or the part of it around the place.
    pub text: String,
    /// Something was cut off at the start.
    pub cut_start: bool,
    /// Something was cut off at the end.
    pub cut_end: bool,
}

/// The lines around `line` and `column` (1-based, UTF-16 units) of `text`, `context_lines` on each
/// side. Places outside the text give the nearest line.
#[must_use]
pub fn frame(text: &str, line: u32, column: u32, context_lines: u32) -> CodeFrame {
    frame_with(&LineIndex::new(text), text, line, column, context_lines)
}

/// As [`frame`], with an index built before.
#[must_use]
pub fn frame_with(
    index: &LineIndex,
    text: &str,
    line: u32,
    column: u32,
    context_lines: u32,
) -> CodeFrame {
    let line = line.clamp(1, index.count());
    let first_line = line.saturating_sub(context_lines).max(1);
    let mut last_line = line.saturating_add(context_lines).min(index.count());
    // The empty line after a final line break tells nothing.
    if last_line > line && index.line(text, last_line).is_some_and(|(_, slice)| slice.is_empty()) {
        last_line -= 1;
    }
    let mut marked_char = 0;
    let lines = (first_line..=last_line)
        .map(|number| {
            let (start, slice) = index.line(text, number).unwrap_or((0, ""));
            if number != line {
                return cut(slice, 0).0;
            }
            let mark = index.offset(text, line, column).unwrap_or(start + slice.len() as u32);
            let (cut_line, at) = cut(slice, (mark - start) as usize);
            marked_char = at as u32;
            cut_line
        })
        .collect();
    CodeFrame { first_line, marked_line: line, marked_column: column, marked_char, lines }
}

/// Keeps at most [`KEPT_CHARS`] characters of `slice`, a third of them before byte `mark`. Gives
/// the line and the index of the marked character in it. Looks at no more than it keeps.
fn cut(slice: &str, mark: usize) -> (FrameLine, usize) {
    let (before, after) = slice.split_at_checked(mark).unwrap_or((slice, ""));
    // A short line, or a place near the start, is kept from its start.
    let lead = if slice.len() <= KEPT_CHARS { usize::MAX } else { KEPT_CHARS / 3 };
    let start = before.char_indices().rev().take(lead).last().map_or(before.len(), |(at, _)| at);
    let lead_chars = before[start..].chars().count();
    let room = KEPT_CHARS.saturating_sub(lead_chars);
    let end = after.char_indices().nth(room).map_or(after.len(), |(at, _)| at);
    let text = format!("{}{}", &before[start..], &after[..end]);
    let line = FrameLine { text, cut_start: start > 0, cut_end: end < after.len() };
    (line, lead_chars)
}

impl CodeFrame {
    /// The frame as plain text, at most 80 columns wide: the marked line carries `>` and a caret
    /// below, control characters are shown as `·` (a source file may not steer the terminal).
    #[must_use]
    pub fn render(&self) -> String {
        let last = self.first_line + self.lines.len().saturating_sub(1) as u32;
        let digits = last.to_string().len();
        let room = RENDER_COLUMNS.saturating_sub(digits + 5).max(20);
        let mut out = String::new();
        for (at, line) in self.lines.iter().enumerate() {
            let number = self.first_line + at as u32;
            let marked = number == self.marked_line;
            let mark = if marked { self.marked_char as usize } else { 0 };
            let (text, caret) = fit(line, mark, room);
            let sign = if marked { '>' } else { ' ' };
            let row = format!("{sign} {number:>digits$} | {text}");
            let _ = writeln!(out, "{}", row.trim_end());
            if marked {
                let _ = writeln!(out, "  {:digits$} | {:caret$}^", "", "");
            }
        }
        out
    }
}

/// Fits a line into `room` columns around the marked character; gives the text and the caret's
/// column in it.
fn fit(line: &FrameLine, mark: usize, room: usize) -> (String, usize) {
    let cells: Vec<(String, usize)> = line.text.chars().map(shown).collect();
    let total: usize = cells.iter().map(|cell| cell.1).sum();
    let before: usize = cells.iter().take(mark).map(|cell| cell.1).sum();
    let whole = !line.cut_start && !line.cut_end;
    let mut from = 0;
    // Start further right only if the place would otherwise leave the row.
    if !(whole && total <= room) && before > room / 2 {
        let mut skipped = 0;
        while from < mark && before - skipped > room / 3 {
            skipped += cells[from].1;
            from += 1;
        }
    }
    let mut text = String::new();
    let mut used = 0;
    if from > 0 || line.cut_start {
        text.push('…');
        used += 1;
    }
    let mut caret = used;
    let mut to = from;
    let rest: usize = cells[from..].iter().map(|cell| cell.1).sum();
    // One column stays free for the mark of a cut, if there will be one.
    let limit = if line.cut_end || used + rest > room { room - 1 } else { room };
    while to < cells.len() && used + cells[to].1 <= limit {
        if to == mark {
            caret = used;
        }
        text.push_str(&cells[to].0);
        used += cells[to].1;
        to += 1;
    }
    if mark >= to {
        caret = used;
    }
    if to < cells.len() || line.cut_end {
        text.push('…');
    }
    (text, caret.min(room.saturating_sub(1)))
}

/// How a character is shown, and in how many columns.
fn shown(ch: char) -> (String, usize) {
    match ch {
        '\t' => (TAB.to_owned(), TAB.len()),
        // Line separators would break the frame, bidirectional controls make a line read as another.
        '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' => ("·".to_owned(), 1),
        ch if ch.is_control() => ("·".to_owned(), 1),
        ch if is_wide(ch) => (ch.to_string(), 2),
        ch => (ch.to_string(), 1),
    }
}

/// East Asian wide and emoji blocks, coarse: an error here costs a column, not an answer.
fn is_wide(ch: char) -> bool {
    matches!(ch as u32,
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1F64F
        | 0x1F680..=0x1F6FF | 0x1F900..=0x1F9FF | 0x20000..=0x3FFFD)
}
