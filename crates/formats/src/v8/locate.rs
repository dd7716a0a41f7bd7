//! Finds the byte of a number that turned out wrong when the text around it was gone.
//!
//! Names are indexes into `strings`, which stands behind everything that names: whether a name is one is only
//! known at the end. So its place is sought by reading the file again, which costs nothing as long as nothing
//! is wrong.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::error::Error;
use crate::input::Input;

/// Text looked at a time.
const CHUNK: usize = 1 << 18;

/// The error with its place, where that can be found.
pub(super) fn located(path: &Path, error: Error) -> Error {
    match error.number().map(|(array, index)| place_of(path, array, index)) {
        Some(Ok(Some(offset))) => error.at(offset),
        _ => error,
    }
}

/// Where the number with this index begins, in the array whose content begins at `array`.
fn place_of(path: &Path, array: u64, index: u64) -> io::Result<Option<u64>> {
    let mut text = BufReader::with_capacity(CHUNK, Input::new(File::open(path)?)?);
    io::copy(&mut text.by_ref().take(array), &mut io::sink())?;
    let mut at = array;
    let mut commas = index;
    loop {
        let visible = text.fill_buf()?;
        if visible.is_empty() {
            return Ok(None);
        }
        let used = if commas > 0 {
            let found = bytecount::count(visible, b',') as u64;
            let end = commas.checked_sub(1).filter(|_| commas <= found);
            let last = end.and_then(|n| memchr::memchr_iter(b',', visible).nth(n as usize));
            commas -= commas.min(found);
            last.map_or(visible.len(), |comma| comma + 1)
        } else {
            match visible.iter().position(|b| !b.is_ascii_whitespace()) {
                Some(white) => return Ok(Some(at + white as u64)),
                None => visible.len(),
            }
        };
        at += used as u64;
        text.consume(used);
    }
}
