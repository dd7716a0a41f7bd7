//! A bounded window over the input.
//!
//! Why not map the file: a mapped file counts in our peak memory and can be truncated under us, which
//! kills with SIGBUS. Reading costs a copy of each byte into a buffer that stays in the cache.

use std::io::Read;
use std::path::Path;

use crate::error::{Error, ErrorKind, START};

/// Bytes read at a time: large enough to make the calls vanish, small enough to stay in the L2 cache.
const WINDOW: usize = 1 << 18;

/// Every byte that can be looked at without asking whether the window must move. No escape is longer.
const LOOKAHEAD: usize = 64;

/// Told after each refill: bytes done; returns whether to go on.
pub(crate) type Progress<'a> = &'a mut (dyn FnMut(u64) -> bool + 'a);

/// The input, seen through a window, with the place for error messages.
pub(crate) struct Window<'a, R> {
    input: R,
    path: &'a Path,
    progress: Option<Progress<'a>>,
    /// `WINDOW` bytes, or a little more where somebody put more back.
    buffer: Vec<u8>,
    at: usize,
    len: usize,
    /// Offset of `buffer[0]` in the input.
    base: u64,
    ended: bool,
    /// The top-level key that is being read.
    pub section: &'static str,
}

/// A [`Window`] taken apart.
pub(crate) struct Parts<'w, 'a, R> {
    /// What was read and not consumed.
    pub visible: &'w [u8],
    /// Where that begins in the input.
    pub offset: u64,
    /// What follows it.
    pub input: &'w mut R,
    pub progress: &'w mut Option<Progress<'a>>,
    pub path: &'a Path,
    pub section: &'static str,
}

impl<'a, R: Read> Window<'a, R> {
    pub(crate) fn new(input: R, path: &'a Path, progress: Option<Progress<'a>>) -> Self {
        Self {
            input,
            path,
            progress,
            buffer: vec![0; WINDOW],
            at: 0,
            len: 0,
            base: 0,
            ended: false,
            section: START,
        }
    }

    /// Where we are, in bytes from the start.
    pub(crate) fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    pub(crate) fn error(&self, kind: ErrorKind) -> Error {
        Error::new(self.path, kind, Some(self.offset()))
    }

    pub(crate) fn error_at(&self, kind: ErrorKind, offset: u64) -> Error {
        Error::new(self.path, kind, Some(offset))
    }

    pub(crate) fn malformed(&self, what: impl Into<String>) -> Error {
        self.error(ErrorKind::Malformed { section: self.section, what: what.into() })
    }

    pub(crate) fn truncated(&self) -> Error {
        self.error(ErrorKind::Truncated { section: self.section })
    }

    /// Moves the rest to the front and reads on. After it, [`rest`](Self::rest) is longer or the input ended.
    #[cold]
    fn refill(&mut self) -> Result<(), Error> {
        self.buffer.copy_within(self.at..self.len, 0);
        self.base += self.at as u64;
        self.len -= self.at;
        self.at = 0;
        while !self.ended && self.len < LOOKAHEAD {
            match self.input.read(&mut self.buffer[self.len..WINDOW]) {
                Ok(0) => self.ended = true,
                Ok(n) => self.len += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::io(self.path, e, Some(self.base + self.len as u64))),
            }
        }
        self.tell()
    }

    /// Tells how far it is.
    pub(crate) fn tell(&mut self) -> Result<(), Error> {
        let done = self.base + self.len as u64;
        if self.progress.as_mut().is_none_or(|progress| progress(done)) {
            return Ok(());
        }
        Err(self.error(ErrorKind::Interrupted))
    }

    /// Makes at least [`LOOKAHEAD`] bytes visible, or all that are left.
    #[inline]
    pub(crate) fn look_ahead(&mut self) -> Result<(), Error> {
        if self.len - self.at < LOOKAHEAD && !self.ended { self.refill() } else { Ok(()) }
    }

    /// What is visible.
    #[inline]
    pub(crate) fn rest(&self) -> &[u8] {
        &self.buffer[self.at..self.len]
    }

    /// Takes everything apart, for a reader of its own kind; [`put_back`](Self::put_back) goes on behind it.
    pub(crate) fn parts(&mut self) -> Parts<'_, 'a, R> {
        Parts {
            offset: self.base + self.at as u64,
            visible: &self.buffer[self.at..self.len],
            input: &mut self.input,
            progress: &mut self.progress,
            path: self.path,
            section: self.section,
        }
    }

    /// Goes on with what somebody else read and did not use; it begins at `offset` in the input.
    pub(crate) fn put_back(&mut self, rest: &[u8], offset: u64, ended: bool) {
        if self.buffer.len() < rest.len() {
            self.buffer.resize(rest.len(), 0);
        }
        self.buffer[..rest.len()].copy_from_slice(rest);
        self.at = 0;
        self.len = rest.len();
        self.base = offset;
        self.ended |= ended;
    }

    /// Consumes `n` visible bytes.
    #[inline]
    pub(crate) fn advance(&mut self, n: usize) {
        debug_assert!(n <= self.len - self.at, "only visible bytes are consumed");
        self.at = (self.at + n).min(self.len);
    }

    /// The next byte, not consumed; `None` at the end.
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, Error> {
        if self.at == self.len {
            self.look_ahead()?;
        }
        Ok(self.rest().first().copied())
    }

    /// Skips white space and returns the next byte, not consumed; `None` at the end.
    pub(crate) fn peek_token(&mut self) -> Result<Option<u8>, Error> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.advance(1),
                other => return Ok(other),
            }
        }
    }

    /// Skips white space and consumes `expected`.
    pub(crate) fn expect(&mut self, expected: u8) -> Result<(), Error> {
        match self.peek_token()? {
            Some(b) if b == expected => {
                self.advance(1);
                Ok(())
            }
            Some(b) => Err(self.malformed(format!(
                "expected `{}`, found `{}`",
                expected as char,
                (b as char).escape_default()
            ))),
            None => Err(self.truncated()),
        }
    }
}
