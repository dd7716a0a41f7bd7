//! One bit per node, edge or string: small enough to stay in the processor's cache.

use leakline_heap::Column;

/// A fixed number of bits, all clear at first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// Room for `len` bits.
    pub(crate) fn new(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)] }
    }

    /// The bits, 64 a word.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// Whether the bit is set.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> bool {
        self.words[index / 64] >> (index % 64) & 1 != 0
    }

    /// Sets the bit.
    #[inline]
    pub(crate) fn set(&mut self, index: usize) {
        self.words[index / 64] |= 1 << (index % 64);
    }

    /// Clears the bit.
    #[inline]
    pub(crate) fn clear(&mut self, index: usize) {
        self.words[index / 64] &= !(1 << (index % 64));
    }

    /// Sets the bit and says whether it was clear before.
    #[inline]
    pub(crate) fn insert(&mut self, index: usize) -> bool {
        let word = &mut self.words[index / 64];
        let bit = 1 << (index % 64);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }
}

/// Bits that stay: owned, or lent by whoever keeps them.
#[derive(Clone, Debug, Default)]
pub(crate) struct BitColumn {
    words: Column<u64>,
}

impl BitColumn {
    /// Whether the bit is set.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> bool {
        self.words.get(index / 64) >> (index % 64) & 1 != 0
    }

    /// The bits, 64 in each word, the first lowest.
    pub(crate) fn words(&self) -> &[u64] {
        self.words.as_slice()
    }

    /// How many bits are set.
    pub(crate) fn count(&self) -> usize {
        self.words().iter().map(|w| w.count_ones() as usize).sum()
    }
}

impl From<Bits> for BitColumn {
    fn from(bits: Bits) -> Self {
        Self { words: bits.words.into() }
    }
}

impl From<Column<u64>> for BitColumn {
    fn from(words: Column<u64>) -> Self {
        Self { words }
    }
}

/// Writes bits one after the other, a word at a time.
#[derive(Debug)]
pub(crate) struct BitWriter {
    words: Vec<u64>,
    word: u64,
    len: u32,
}

impl BitWriter {
    /// A writer with room for `capacity` bits.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { words: Vec::with_capacity(capacity.div_ceil(64)), word: 0, len: 0 }
    }

    /// Appends a bit.
    #[inline]
    pub(crate) fn push(&mut self, bit: bool) {
        self.word |= u64::from(bit) << self.len;
        self.len += 1;
        if self.len == 64 {
            self.words.push(self.word);
            (self.word, self.len) = (0, 0);
        }
    }

    /// The bits written.
    pub(crate) fn finish(mut self) -> Bits {
        if self.len > 0 {
            self.words.push(self.word);
        }
        Bits { words: self.words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_writes_what_is_read() {
        for len in [0, 1, 63, 64, 65, 200] {
            let mut writer = BitWriter::with_capacity(len);
            let mut bits = Bits::new(len);
            for i in 0..len {
                writer.push(i % 3 == 0);
                if i % 3 == 0 {
                    assert!(bits.insert(i));
                    assert!(!bits.insert(i));
                }
            }
            assert_eq!(writer.finish(), bits);
            assert_eq!(BitColumn::from(bits.clone()).count(), len.div_ceil(3));
            if len > 0 {
                bits.clear(0);
                assert!(!bits.get(0));
            }
        }
    }
}
