//! A column of values: owned, or lent by whoever keeps it, such as an index file that is mapped.

use std::ops::Range;
use std::sync::Arc;

/// Who lends a column. What is lent may come from a file that anybody could have changed, so it is checked
/// when it is touched; a lender that finds it damaged hands out zeros and remembers the damage, and whoever
/// opened the file asks before an answer is given.
pub trait Lender<T>: Send + Sync {
    /// How many values there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All values, checked.
    fn whole(&self) -> &[T];

    /// Some values, checked: exactly as many as asked for, or none where there are not that many.
    fn range(&self, range: Range<usize>) -> &[T];
}

/// Values of one width, one after the other.
pub struct Column<T>(Data<T>);

enum Data<T> {
    Owned(Vec<T>),
    Lent(Arc<dyn Lender<T>>),
}

impl<T: Copy + Default> Column<T> {
    /// A column that somebody else keeps.
    pub fn lent(lender: Arc<dyn Lender<T>>) -> Self {
        Self(Data::Lent(lender))
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Data::Owned(values) => values.len(),
            Data::Lent(lender) => lender.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len) and the column is owned. A lent one has zeros there.
    #[inline]
    pub fn get(&self, index: usize) -> T {
        match &self.0 {
            Data::Owned(values) => values[index],
            Data::Lent(lender) => {
                lender.range(index..index.saturating_add(1)).first().copied().unwrap_or_default()
            }
        }
    }

    /// The values of a range.
    ///
    /// # Panics
    /// If the range is not inside the column and that is owned. A lent one has nothing there.
    #[inline]
    pub fn range(&self, range: Range<usize>) -> &[T] {
        match &self.0 {
            Data::Owned(values) => &values[range],
            Data::Lent(lender) => lender.range(range),
        }
    }

    /// All values. For a lent column this checks all of it: for walks over everything, not for a look-up.
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        match &self.0 {
            Data::Owned(values) => values,
            Data::Lent(lender) => lender.whole(),
        }
    }

    /// The values to be changed; what was lent is copied first.
    pub fn to_mut(&mut self) -> &mut Vec<T> {
        if let Data::Lent(lender) = &self.0 {
            self.0 = Data::Owned(lender.whole().to_vec());
        }
        match &mut self.0 {
            Data::Owned(values) => values,
            Data::Lent(_) => unreachable!("what was lent has just been copied"),
        }
    }
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        Self(Data::Owned(Vec::new()))
    }
}

impl<T: Copy> Clone for Column<T> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Data::Owned(values) => Data::Owned(values.clone()),
            Data::Lent(lender) => Data::Lent(Arc::clone(lender)),
        })
    }
}

impl<T> From<Vec<T>> for Column<T> {
    fn from(values: Vec<T>) -> Self {
        Self(Data::Owned(values))
    }
}

impl<T> FromIterator<T> for Column<T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        Vec::from_iter(iter).into()
    }
}

impl<T> std::fmt::Debug for Column<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Data::Owned(values) => write!(f, "{} values", values.len()),
            Data::Lent(lender) => write!(f, "{} lent values", lender.len()),
        }
    }
}
