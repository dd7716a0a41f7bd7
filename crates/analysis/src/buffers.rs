//! Working memory that is used again.
//!
//! The analyses of one graph need a dozen columns for a while. Fresh memory is dear: each page is a fault
//! and is cleared by the kernel, which for a heap of ten million nodes costs more than some of the analyses
//! themselves. So a column that is no longer needed is given back here, and the next analysis takes it.

use std::sync::{Mutex, PoisonError};

use leakline_heap::memory;

/// Columns of one length, to be taken and given back. Shared by the threads that analyse one graph.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    spare: Mutex<Vec<Vec<u32>>>,
}

impl Buffers {
    /// A column of `len` values, whatever they are.
    pub(crate) fn take(&self, len: usize) -> Vec<u32> {
        let spare = {
            let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
            let fit = spare.iter().position(|s| s.len() >= len);
            fit.map(|i| spare.swap_remove(i))
        };
        match spare {
            Some(mut column) => {
                column.truncate(len);
                column
            }
            None => memory::zeroed(len),
        }
    }

    /// A column of `len` values, all `value`.
    pub(crate) fn take_filled(&self, len: usize, value: u32) -> Vec<u32> {
        let mut column = self.take(len);
        column.fill(value);
        column
    }

    /// Gives a column back.
    pub(crate) fn give(&self, column: Vec<u32>) {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(column);
    }
}

#[cfg(test)]
mod tests {
    use super::Buffers;

    #[test]
    fn what_is_given_back_is_taken_again() {
        let buffers = Buffers::default();
        let mut first = buffers.take(100);
        first.fill(7);
        let place = first.as_ptr();
        buffers.give(first);
        assert_eq!(buffers.take(1000).len(), 1000);
        let again = buffers.take_filled(50, 3);
        assert_eq!((again.as_ptr(), again.as_slice()), (place, &[3; 50][..]));
    }
}
