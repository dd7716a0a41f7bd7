//! Synthetic heap snapshots, streamed.
//!
//! A file over 4 GB cannot be built in memory and then written, and it need not be: the graph here is a
//! function of the ordinal. It has a [`base`], what any Node process has (roots, maps, prototypes, scripts,
//! the strings of property names), some fifteen hundred objects that are held in memory; and after it so many
//! *blocks*, all drawn from one [`template`], what one request leaves behind. Where a slot of a block stands,
//! what it is called and whom it points to is computed from the number of the block and the seed, each time
//! anew, for each of the file's sections. The counts in the header follow by multiplication.
//!
//! Equal blocks in a row would flatter a reader: caches and branch predictors would learn them. So a block's
//! slots stand in one of sixteen orders, half of them stand far away among those of other blocks (as objects
//! do that a garbage collection has moved), sizes and names vary, and each block points once to an arbitrary
//! other one.

pub mod base;
mod kinds;
mod plan;
mod requests;
mod shapes;
pub mod template;
mod write;

pub use kinds::{EdgeKind, Kind, Layout};
pub use plan::{Counts, Plan};
pub use shapes::Shape;
pub use write::write;

/// What to generate.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// About how long the file is to be. It comes out within a few per cent, and never smaller than the base.
    pub bytes: u64,
    pub shape: Shape,
    pub layout: Layout,
    /// The same seed gives the same bytes.
    pub seed: u64,
}

impl Wanted {
    /// Chooses how many blocks come nearest to the wanted length.
    pub fn plan(self) -> Plan {
        let mut plan = self.shape.plan(self.layout, self.seed);
        // What a block takes grows with the digits of the ordinals, so the first guess is improved.
        for _ in 0..6 {
            let (fixed, per_block) = plan.measure();
            let room = self.bytes.saturating_sub(fixed) as f64;
            plan.blocks = ((room / per_block).round() as u64).max(1);
        }
        plan
    }
}

/// A length as people write it: `50M`, `4.2G`, `1000`; decimal, as file managers count.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.trim_end_matches(['B', 'b']).to_ascii_uppercase() {
        t if t.ends_with('K') => (t.trim_end_matches('K').to_owned(), 1e3),
        t if t.ends_with('M') => (t.trim_end_matches('M').to_owned(), 1e6),
        t if t.ends_with('G') => (t.trim_end_matches('G').to_owned(), 1e9),
        t => (t, 1.0),
    };
    match number.parse::<f64>() {
        Ok(n) if n.is_finite() && n * unit >= 1.0 && n * unit < 1e12 => Ok((n * unit) as u64),
        _ => Err(format!("`{text}` is no size; write for instance 50M or 4.2G")),
    }
}

#[cfg(test)]
mod tests {
    use super::parse_bytes;

    #[test]
    fn sizes_are_decimal() {
        assert_eq!(parse_bytes("50M"), Ok(50_000_000));
        assert_eq!(parse_bytes("4.2G"), Ok(4_200_000_000));
        assert_eq!(parse_bytes("4200MB"), Ok(4_200_000_000));
        assert_eq!(parse_bytes("17"), Ok(17));
        for wrong in ["", "M", "-1M", "1T", "nan", "0"] {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
        }
    }
}
