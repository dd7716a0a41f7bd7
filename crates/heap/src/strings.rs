//! The string table: every name of a snapshot in one buffer.

/// All strings of a snapshot, by index. One buffer and one offset each: no allocation per string.
#[derive(Clone, Debug, Default)]
pub struct StringTable {
    text: String,
    ends: Vec<u64>,
}

impl StringTable {
    /// The string at `index`, or the empty string when there is none (an index from hostile input).
    #[inline]
    pub fn get(&self, index: u32) -> &str {
        let index = index as usize;
        let Some(&end) = self.ends.get(index) else { return "" };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start as usize..end as usize]
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
    table: StringTable,
}

impl StringTableBuilder {
    /// Appends a piece to the string under construction.
    pub fn push_str(&mut self, piece: &str) {
        self.table.text.push_str(piece);
    }

    /// Appends a character to the string under construction.
    pub fn push_char(&mut self, c: char) {
        self.table.text.push(c);
    }

    /// Ends the string under construction and returns its index.
    pub fn finish_string(&mut self) -> u32 {
        self.table.ends.push(self.table.text.len() as u64);
        (self.table.ends.len() - 1) as u32
    }

    /// Appends a whole string and returns its index.
    pub fn add(&mut self, text: &str) -> u32 {
        self.push_str(text);
        self.finish_string()
    }

    /// How many strings are finished.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no string is finished yet.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The finished table, without spare room.
    pub fn build(mut self) -> StringTable {
        self.table.text.shrink_to_fit();
        self.table.ends.shrink_to_fit();
        self.table
    }
}
