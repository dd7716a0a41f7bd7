//! An array of millions of numbers, read on several threads.
//!
//! `nodes`, `edges` and `locations` are flat arrays: so many numbers make a record. One thread at a time
//! takes the next piece of the file, cut behind a whole record, which costs counting commas; all threads
//! turn pieces into records; the results are put in order again as they come in. Only pieces are in
//! memory, never the text: a quarter of a mebibyte for each thread.
//!
//! An error is that of the earliest piece with one, whichever thread met it, so it does not depend on
//! timing.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::digits;
use crate::error::{Error, ErrorKind};
use crate::window::Window;

/// Text taken at a time; stays in the cache of the core that reads it.
const PIECE: usize = 1 << 18;

/// Arrays shorter than this are not worth a second thread's start.
const THREADED_FROM: u64 = 1 << 20;

/// More threads than this wait for one another: taking pieces is one at a time.
const MAX_THREADS: usize = 4;

/// What is wrong with a record, found by whoever knows what its numbers mean.
pub(super) struct Fault {
    /// Which number of the piece.
    pub(super) value: usize,
    pub(super) kind: ErrorKind,
}

/// The numbers of a piece: 32 bits wide where it was read fast, else 64.
pub(super) trait Number: Copy + Into<u64> {
    /// The numbers as they are, if they are 32 bits wide.
    fn narrow(values: &[Self]) -> Option<&[u32]>;
}

impl Number for u32 {
    fn narrow(values: &[Self]) -> Option<&[u32]> {
        Some(values)
    }
}

impl Number for u64 {
    fn narrow(_: &[Self]) -> Option<&[u32]> {
        None
    }
}

/// Turns records into columns.
pub(super) trait Assemble: Sync {
    /// What a piece becomes. Reused, so it comes in with old content.
    type Out: Default + Send;

    /// Replaces `out` by the records of a piece. Called on any thread.
    fn assemble<V: Number>(&self, values: &[V], out: &mut Self::Out) -> Result<(), Fault>;

    /// How many bytes of text are left at most, where that is known.
    fn expected_bytes(&self) -> u64;
}

/// Reads an array whose `[` is consumed and which is not empty. `append` gets what was assembled, in order.
pub(super) fn read<R: Read + Send, A: Assemble>(
    window: &mut Window<'_, R>,
    fields: usize,
    assembler: &A,
    append: &mut (dyn FnMut(&A::Out) -> Result<(), ErrorKind> + Send),
) -> Result<(), Error> {
    let parts = window.parts();
    let (path, section) = (parts.path, parts.section);
    let source = Source {
        input: parts.input,
        path,
        section,
        fields,
        carry: parts.visible.to_vec(),
        offset: parts.offset,
        next: 0,
        state: State::More,
    };
    let sink = Sink { append, next: 0, early: BTreeMap::new(), spare: Vec::new(), failed: None };
    let shared = Shared {
        source: Mutex::new(source),
        sink: Mutex::new(sink),
        assembler,
        path,
        section,
        fields,
    };
    let progress = parts.progress;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let helpers = match assembler.expected_bytes() {
        bytes if bytes < THREADED_FROM => 0,
        _ => cores.clamp(1, MAX_THREADS) - 1,
    };
    std::thread::scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(|| shared.work(&mut |_| true));
        }
        shared.work(&mut |offset| progress.as_mut().is_none_or(|told| told(offset)));
    });
    let source = shared.source.into_inner().unwrap_or_else(PoisonError::into_inner);
    let sink = shared.sink.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, error)) = sink.failed {
        return Err(error);
    }
    let Source { carry, offset, state, .. } = source;
    let ended = matches!(state, State::EndOfInput);
    window.put_back(&carry, offset, ended);
    Ok(())
}

struct Shared<'a, 's, R, A: Assemble> {
    source: Mutex<Source<'s, R>>,
    sink: Mutex<Sink<'a, A::Out>>,
    assembler: &'a A,
    path: &'a Path,
    section: &'static str,
    fields: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked makes the whole scope panic; until then its data is as good as any.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R: Read + Send, A: Assemble> Shared<'_, '_, R, A> {
    /// Takes pieces until there are none.
    fn work(&self, told: &mut dyn FnMut(u64) -> bool) {
        let mut piece = Piece::default();
        let mut narrow = Vec::new();
        let mut wide = Vec::new();
        loop {
            let taken = {
                let mut source = lock(&self.source);
                let taken = source.take(&mut piece);
                if taken.is_err() {
                    source.state = State::Failed;
                }
                taken
            };
            match taken {
                Ok(true) => {}
                Ok(false) => return,
                Err(e) => return self.fail(piece.number, e),
            }
            let mut out = lock(&self.sink).spare.pop().unwrap_or_default();
            let made = self.assemble(&piece, &mut narrow, &mut wide, &mut out);
            if let Err(e) = made.and_then(|()| self.deliver(&piece, out)) {
                return self.fail(piece.number, e);
            }
            if !told(piece.offset + piece.text().len() as u64) {
                return self.fail(piece.number, self.error(ErrorKind::Interrupted, piece.offset));
            }
        }
    }

    fn assemble(
        &self,
        piece: &Piece,
        narrow: &mut Vec<u32>,
        wide: &mut Vec<u64>,
        out: &mut A::Out,
    ) -> Result<(), Error> {
        let section = self.section;
        let place = |at: usize| piece.offset + at as u64;
        let most = digits::most_numbers(piece.text().len());
        if narrow.len() < most {
            narrow.resize(most, 0);
        }
        let fast = digits::fast(&piece.padded, narrow).filter(|count| count % self.fields == 0);
        let result = if let Some(count) = fast {
            self.assembler.assemble(&narrow[..count], out)
        } else {
            let text = piece.text();
            // The comma after the last number is ours.
            let text = if piece.last { &text[..text.len() - 1] } else { text };
            if let Err(wrong) = digits::careful(text, piece.last, wide) {
                let kind = ErrorKind::Malformed { section, what: wrong.what };
                return Err(self.error(kind, place(wrong.at)));
            }
            let left = wide.len() % self.fields;
            if left > 0 {
                let what = format!("ends after {left} of a record's {} numbers", self.fields);
                let kind = ErrorKind::Malformed { section, what };
                return Err(self.error(kind, place(text.len())));
            }
            self.assembler.assemble(wide.as_slice(), out)
        };
        result.map_err(|fault| {
            self.error(fault.kind, place(digits::place_of(piece.text(), fault.value)))
        })
    }

    fn error(&self, kind: ErrorKind, offset: u64) -> Error {
        Error::new(self.path, kind, Some(offset))
    }

    /// Hands over what was assembled; whoever closes a gap appends what waited behind it.
    fn deliver(&self, piece: &Piece, out: A::Out) -> Result<(), Error> {
        let mut sink = lock(&self.sink);
        sink.early.insert(piece.number, (piece.offset, out));
        while sink.failed.is_none() {
            let next = sink.next;
            let Some((offset, out)) = sink.early.remove(&next) else { break };
            if let Err(kind) = (sink.append)(&out) {
                return Err(self.error(kind, offset));
            }
            sink.spare.push(out);
            sink.next += 1;
        }
        Ok(())
    }

    fn fail(&self, number: u64, error: Error) {
        lock(&self.source).state = State::Failed;
        let mut sink = lock(&self.sink);
        if sink.failed.as_ref().is_none_or(|(earlier, _)| number < *earlier) {
            sink.failed = Some((number, error));
        }
    }
}

/// Puts what was assembled in order.
struct Sink<'a, Out> {
    append: &'a mut (dyn FnMut(&Out) -> Result<(), ErrorKind> + Send),
    /// The piece that comes next.
    next: u64,
    /// What came before its turn, with the place of its piece.
    early: BTreeMap<u64, (u64, Out)>,
    spare: Vec<Out>,
    failed: Option<(u64, Error)>,
}

/// A piece of the array: whole records.
#[derive(Default)]
struct Piece {
    /// Which piece it is.
    number: u64,
    /// [`digits::LEAD`] bytes of nothing, and the text. It ends with a comma; after the last number of the
    /// array that comma is ours.
    padded: Vec<u8>,
    /// Where the text begins in the file.
    offset: u64,
    last: bool,
}

impl Piece {
    fn text(&self) -> &[u8] {
        &self.padded[digits::LEAD..]
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// There may be more pieces.
    More,
    /// The last piece was taken; the rest in `carry` is not the array's.
    Ended,
    /// As `Ended`, and there is no more input behind the rest.
    EndOfInput,
    /// No more pieces, since something is wrong.
    Failed,
}

/// Cuts the input into pieces.
struct Source<'s, R> {
    input: &'s mut R,
    path: &'s Path,
    section: &'static str,
    fields: usize,
    /// What was read and not handed out.
    carry: Vec<u8>,
    /// Where `carry` begins in the file.
    offset: u64,
    next: u64,
    state: State,
}

impl<R: Read> Source<'_, R> {
    /// Replaces `piece` by the next one; `false` after the last.
    fn take(&mut self, piece: &mut Piece) -> Result<bool, Error> {
        piece.number = self.next;
        if self.state != State::More {
            return Ok(false);
        }
        self.next += 1;
        piece.offset = self.offset;
        let padded = &mut piece.padded;
        padded.clear();
        padded.resize(digits::LEAD, b'0');
        padded.append(&mut self.carry);
        let ended = self.fill(padded)?;
        let text = &padded[digits::LEAD..];
        if let Some(end) = memchr::memchr(b']', text) {
            self.carry.extend_from_slice(&text[end + 1..]);
            self.offset += end as u64 + 1;
            padded.truncate(digits::LEAD + end);
            padded.push(b',');
            piece.last = true;
            self.state = if ended { State::EndOfInput } else { State::Ended };
            return Ok(true);
        }
        if ended {
            let section = self.section;
            let end = self.offset + text.len() as u64;
            return Err(Error::new(self.path, ErrorKind::Truncated { section }, Some(end)));
        }
        let Some(end) = behind_records(text, self.fields) else {
            let section = self.section;
            let what = "a record longer than any real one".into();
            let kind = ErrorKind::Malformed { section, what };
            return Err(Error::new(self.path, kind, Some(self.offset)));
        };
        self.carry.extend_from_slice(&text[end..]);
        self.offset += end as u64;
        padded.truncate(digits::LEAD + end);
        piece.last = false;
        Ok(true)
    }

    /// Reads until the piece is full; whether the input ended.
    fn fill(&mut self, padded: &mut Vec<u8>) -> Result<bool, Error> {
        let mut at = padded.len();
        padded.resize((digits::LEAD + PIECE).max(at), 0);
        while at < padded.len() {
            match self.input.read(&mut padded[at..]) {
                Ok(0) => {
                    padded.truncate(at);
                    return Ok(true);
                }
                Ok(n) => at += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => {
                    let offset = self.offset + (at - digits::LEAD) as u64;
                    return Err(Error::io(self.path, e, Some(offset)));
                }
            }
        }
        Ok(false)
    }
}

/// The end of the last whole record, behind its comma. `None` where there is none.
fn behind_records(text: &[u8], fields: usize) -> Option<usize> {
    let commas = bytecount::count(text, b',');
    let over = commas % fields;
    if commas == over {
        return None;
    }
    memchr::memrchr_iter(b',', text).nth(over).map(|comma| comma + 1)
}

#[cfg(test)]
mod tests {
    use super::behind_records;

    #[test]
    fn pieces_end_behind_whole_records() {
        assert_eq!(behind_records(b"1,2,3\n,4,5,6\n,7,", 3), Some(14));
        assert_eq!(behind_records(b"1,2,3\n,4,5,6", 3), Some(7));
        assert_eq!(behind_records(b"1,2,3,", 3), Some(6));
        assert_eq!(behind_records(b"1,2,3", 3), None);
    }
}
