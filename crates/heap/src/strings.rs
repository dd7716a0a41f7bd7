//! The string table: every name of a snapshot in one buffer.

use crate::Column;

/// All strings of a snapshot, by index. One buffer and one offset each: no allocation per string.
#[derive(Clone, Debug, Default)]
pub struct StringTable {
    text: Text,
    ends: Column<u64>,
}

#[derive(Clone, Debug)]
enum Text {
    Owned(String),
    /// Bytes of somebody else, which are text only if they turn out to be.
    Lent(Column<u8>),
}

impl Default for Text {
    fn default() -> Self {
        Self::Owned(String::new())
    }
}

impl StringTable {
    /// A table that somebody lends: all text in one piece, and where each string ends in it.
    pub fn lent(text: Column<u8>, ends: Column<u64>) -> Self {
        Self { text: Text::Lent(text), ends }
    }

    /// The string at `index`, or the empty string when there is none (an index from hostile input).
    #[inline]
    pub fn get(&self, index: u32) -> &str {
        let index = index as usize;
        if index >= self.ends.len() {
            return "";
        }
        let end = self.ends.get(index) as usize;
        let start = if index == 0 { 0 } else { self.ends.get(index - 1) as usize };
        match &self.text {
            Text::Owned(text) => &text[start..end],
            Text::Lent(bytes) if start <= end && end <= bytes.len() => {
                std::str::from_utf8(bytes.range(start..end)).unwrap_or_default()
            }
            Text::Lent(_) => "",
        }
    }

    /// All text in one piece.
    pub fn text(&self) -> &[u8] {
        match &self.text {
            Text::Owned(text) => text.as_bytes(),
            Text::Lent(bytes) => bytes.as_slice(),
        }
    }

    /// Where each string ends in the text.
    pub fn ends(&self) -> &[u64] {
        self.ends.as_slice()
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The index of the first string equal to `text`. Costs a walk over the table: ask once, not per node.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.iter().position(|s| s == text).map(|i| i as u32)
    }

    /// All strings in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|i| self.get(i as u32))
    }
}

/// Builds a [`StringTable`], one string after the other, in pieces if need be.
#[derive(Debug, Default)]
pub struct StringTableBuilder {
    text: String,
    ends: Vec<u64>,
}

impl StringTableBuilder {
    /// Appends a piece to the string under construction.
    pub fn push_str(&mut self, piece: &str) {
        self.text.push_str(piece);
    }

    /// Appends a character to the string under construction.
    pub fn push_char(&mut self, c: char) {
        self.text.push(c);
    }

    /// Ends the string under construction and returns its index.
    pub fn finish_string(&mut self) -> u32 {
        self.ends.push(self.text.len() as u64);
        (self.ends.len() - 1) as u32
    }

    /// Appends a whole string and returns its index.
    pub fn add(&mut self, text: &str) -> u32 {
        self.push_str(text);
        self.finish_string()
    }

    /// How many strings are finished.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether no string is finished yet.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The finished table, without spare room.
    pub fn build(mut self) -> StringTable {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
        StringTable { text: Text::Owned(self.text), ends: self.ends.into() }
    }
}
