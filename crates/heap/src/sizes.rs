//! Byte sizes: one value, and a column of them that is lean because nearly all are small.

use rustc_hash::FxHashMap;

use crate::{Column, memory};

/// A number of bytes. Displays the way people read them: `512 B`, `9.4 KiB`, `1.5 MiB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
        if self.0 < 1024 {
            return f.pad(&format!("{} B", self.0));
        }
        let mut value = self.0 as f64;
        let mut unit = "B";
        for next in UNITS {
            if value < 1024.0 {
                break;
            }
            value /= 1024.0;
            unit = next;
        }
        // Three figures are enough to compare by eye, and keep columns narrow.
        if value < 100.0 {
            f.pad(&format!("{value:.1} {unit}"))
        } else {
            f.pad(&format!("{value:.0} {unit}"))
        }
    }
}

/// A column of sizes: four bytes a node, and a small table for the few of 4 GiB and more.
///
/// V8 writes sizes as `size_t`; a single external buffer may pass 32 bits, ten million objects do not.
#[derive(Clone, Debug, Default)]
pub struct SizeColumn {
    small: Column<u32>,
    large: FxHashMap<u32, u64>,
}

impl SizeColumn {
    /// Marks an entry whose value stands in `large`.
    pub const LARGE: u32 = u32::MAX;

    /// A column of four-byte sizes, with the values of the entries that are [`LARGE`](Self::LARGE).
    pub fn new(small: Column<u32>, large: impl IntoIterator<Item = (u32, u64)>) -> Self {
        Self { small, large: large.into_iter().collect() }
    }

    /// A size as it stands in the four-byte column; `true` says that it is too large for it.
    #[inline]
    pub fn pack(bytes: u64) -> (u32, bool) {
        match u32::try_from(bytes) {
            Ok(small) if small != Self::LARGE => (small, false),
            _ => (Self::LARGE, true),
        }
    }

    /// An empty column with room for `capacity` sizes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { small: memory::vec_with_capacity(capacity).into(), large: FxHashMap::default() }
    }

    /// Appends a size.
    pub fn push(&mut self, bytes: u64) {
        let at = self.small.len();
        self.small.to_mut().push(0);
        self.set(at, bytes);
    }

    /// The size at `index`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len) and the column is our own.
    #[inline]
    pub fn get(&self, index: usize) -> u64 {
        let small = self.small.get(index);
        if small == Self::LARGE { self.get_large(index) } else { u64::from(small) }
    }

    #[cold]
    fn get_large(&self, index: usize) -> u64 {
        self.large.get(&(index as u32)).copied().unwrap_or(u64::from(Self::LARGE))
    }

    /// Replaces the size at `index`.
    pub fn set(&mut self, index: usize, bytes: u64) {
        let small = self.small.to_mut();
        let (value, is_large) = Self::pack(bytes);
        small[index] = value;
        if is_large {
            self.large.insert(index as u32, bytes);
        }
    }

    /// How many sizes there are.
    pub fn len(&self) -> usize {
        self.small.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.small.is_empty()
    }

    /// The four-byte sizes as they are kept; [`LARGE`](Self::LARGE) stands for one of [`large`](Self::large).
    pub fn small(&self) -> &Column<u32> {
        &self.small
    }

    /// The sizes of 4 GiB and more, by position, in no order.
    pub fn large(&self) -> impl ExactSizeIterator<Item = (u32, u64)> + '_ {
        self.large.iter().map(|(&at, &bytes)| (at, bytes))
    }

    /// All sizes in order.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.small.len()).map(|i| self.get(i))
    }
}

impl FromIterator<u64> for SizeColumn {
    fn from_iter<I: IntoIterator<Item = u64>>(iter: I) -> Self {
        let mut column = Self::default();
        for bytes in iter {
            column.push(bytes);
        }
        column
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_beyond_32_bits_survive() {
        let sizes = [0, 1, u64::from(u32::MAX) - 1, u64::from(u32::MAX), 1 << 40, 7];
        let mut column: SizeColumn = sizes.into_iter().collect();
        assert_eq!(column.iter().collect::<Vec<_>>(), sizes);
        column.set(4, 3);
        assert_eq!(column.get(4), 3);
    }

    #[test]
    fn bytes_read_well() {
        let cases: [(u64, &str); 6] = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (9_650, "9.4 KiB"),
            (160 << 20, "160 MiB"),
            (3 << 40, "3.0 TiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
        assert_eq!(format!("{:>9}", Bytes(2048)), "  2.0 KiB");
    }
}
