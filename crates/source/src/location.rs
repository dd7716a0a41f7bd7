//! Positions: lines and UTF-16 columns as people and V8 count them, byte offsets as the parser does.
//!
//! People, editors and `grep -n` end a line at `\n`, and answers are given so. V8 also ends lines at
//! a lone `\r`, U+2028 and U+2029, but not always: Node 20 writes a script's positions in a snapshot
//! by `\n` alone as long as nothing else (a stack trace, say) made it index the lines before; Node
//! 24 always counts all four. A question's position is therefore read both ways where they differ.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// The file, absolute wherever the input was.
    pub file: PathBuf,
    /// Line, 1-based.
    pub line: u32,
    /// Column, 1-based, in UTF-16 units.
    pub column: u32,
}

impl Location {
    /// A location from V8's 0-based line and column, as `locations` in a snapshot holds them.
    #[must_use]
    pub fn from_zero_based(file: PathBuf, line: u32, column: u32) -> Location {
        Location { file, line: line.saturating_add(1), column: column.saturating_add(1) }
    }
}

/// Where each line of a text starts, in bytes. One pass to build, a binary search per lookup plus
/// a walk along the line for the column.
#[derive(Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
    all_terminators: bool,
}

impl LineIndex {
    /// Indexes the lines that end in `\n` or `\r\n`. `text` must be shorter than 4 GiB (files are
    /// capped far below).
    #[must_use]
    pub fn new(text: &str) -> LineIndex {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes());
        let starts = std::iter::once(0).chain(ends.map(|at| at as u32 + 1)).collect();
        LineIndex { starts, all_terminators: false }
    }

    /// Indexes the lines by all of ECMAScript's line terminators.
    #[must_use]
    pub fn with_all_terminators(text: &str) -> LineIndex {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, &byte) in bytes.iter().enumerate() {
            let length = match byte {
                b'\n' => 1,
                b'\r' if bytes.get(at + 1) != Some(&b'\n') => 1,
                // U+2028 and U+2029 are E2 80 A8 and E2 80 A9.
                0xE2 if matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xA8 | 0xA9])) => 3,
                _ => continue,
            };
            starts.push((at + length) as u32);
        }
        LineIndex { starts, all_terminators: true }
    }

    /// Number of lines; a text that ends in a line break has an empty last line.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.starts.len() as u32
    }

    /// The text of line `line` (1-based) without its line break, and its first byte's offset.
    #[must_use]
    pub fn line<'t>(&self, text: &'t str, line: u32) -> Option<(u32, &'t str)> {
        let index = line.checked_sub(1)? as usize;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).map_or(text.len(), |&next| next as usize);
        let slice = text.get(start as usize..end)?;
        let others: &[char] = &['\r', '\u{2028}', '\u{2029}'];
        let content = match slice.strip_suffix('\n') {
            Some(content) => content.strip_suffix('\r').unwrap_or(content),
            None if self.all_terminators => slice.strip_suffix(others).unwrap_or(slice),
            None => slice,
        };
        Some((start, content))
    }

    /// The byte offset of a 1-based line and UTF-16 column; `None` outside the text. A column
    /// inside a surrogate pair gives the character's start.
    #[must_use]
    pub fn offset(&self, text: &str, line: u32, column: u32) -> Option<u32> {
        let (start, slice) = self.line(text, line)?;
        let wanted = column.checked_sub(1)?;
        let mut units = 0;
        for (at, ch) in slice.char_indices() {
            if units + ch.len_utf16() as u32 > wanted {
                return Some(start + at as u32);
            }
            units += ch.len_utf16() as u32;
        }
        (units == wanted).then(|| start + slice.len() as u32)
    }

    /// The 1-based line of a byte offset. Does not walk along the line, which may be megabytes long.
    #[must_use]
    pub fn line_of(&self, offset: u32) -> u32 {
        self.starts.partition_point(|&start| start <= offset) as u32
    }

    /// The 1-based line and UTF-16 column of a byte offset; offsets past the end give the end.
    #[must_use]
    pub fn position(&self, text: &str, offset: u32) -> (u32, u32) {
        let offset = (offset as usize).min(text.len());
        let line = self.starts.partition_point(|&start| start as usize <= offset);
        let start = self.starts.get(line.wrapping_sub(1)).copied().unwrap_or(0) as usize;
        let bytes = text.as_bytes().get(start..offset).unwrap_or_default();
        // In UTF-8 every byte that is no continuation starts a character, and only those of four
        // bytes need two UTF-16 units.
        let units: u32 = bytes
            .iter()
            .map(|&byte| match byte {
                0x80..=0xBF => 0,
                0xF0..=0xFF => 2,
                _ => 1,
            })
            .sum();
        (line as u32, units + 1)
    }
}
