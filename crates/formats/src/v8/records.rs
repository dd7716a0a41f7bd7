//! An array of millions of numbers, read on several threads.
//!
//! `nodes`, `edges` and `locations` are flat arrays: so many numbers make a record. One thread at a time
//! takes the next piece of the file, cut behind a whole record, which costs counting commas; all threads
//! turn pieces into records. The commas also say how many records came before a piece, so each thread
//! puts its records where they belong without waiting for the others: most of that time is the kernel's,
//! which makes the fresh pages. Only pieces are in memory, never the text: a quarter of a mebibyte for each
//! thread. Whoever takes a piece of a compressed file decodes it.
//!
//! What little depends on the order (sums, lists of exceptions, errors) is put in order again as it comes in; so
//! the error that is told does not depend on timing.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::digits;
use crate::error::{Error, ErrorKind};
use crate::window::Window;

/// Text taken at a time; stays in the cache of the core that reads it.
const PIECE: usize = 1 << 18;

/// More threads than this wait for one another: taking pieces is one at a time.
const MAX_THREADS: usize = 4;

/// What is wrong with a record, found by whoever knows what its numbers mean.
pub(super) struct Fault {
    /// Which number of the piece.
    pub(super) value: usize,
    pub(super) what: Wrong,
}

/// The kinds of [`Fault`].
pub(super) enum Wrong {
    /// It points where nothing is, or does not fit.
    OutOfRange(String),
    /// Here begins the first record beyond what the header promises.
    Surplus { promised: u64 },
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

    /// Replaces `out` by the records of a piece, or by those before one that is wrong. Called on any thread.
    fn assemble<V: Number>(&self, values: &[V], out: &mut Self::Out) -> Result<(), Fault>;
}

/// Room for the records of a whole array, where so much could be had in advance.
pub(super) trait Room<Out>: Send {
    /// Room for the records of a piece.
    type Spot: Send;

    /// Room for the next `records`; `None` when there is too little left, and from then on.
    fn take(&mut self, records: usize) -> Option<Self::Spot>;

    /// Puts the records of a piece there; `false` if it has not as many. Called on any thread.
    fn put(out: &Out, spot: Self::Spot) -> bool;
}

/// No room in advance: everything is appended in order.
pub(super) struct NoRoom;

impl<Out> Room<Out> for NoRoom {
    type Spot = ();

    fn take(&mut self, _: usize) -> Option<()> {
        None
    }

    fn put(_: &Out, (): ()) -> bool {
        false
    }
}

/// Gets what was assembled, in order, and whether its records are in their room already.
pub(super) type Append<'a, Out> = &'a mut (dyn FnMut(&Out, bool) -> Result<(), Fault> + Send);

/// Reads an array whose `[` is consumed and which is not empty.
pub(super) fn read<R: Read + Send, A: Assemble, P: Room<A::Out>>(
    window: &mut Window<'_, R>,
    fields: usize,
    assembler: &A,
    room: P,
    append: Append<'_, A::Out>,
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
        room,
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
    let told = &mut |offset| progress.as_mut().is_none_or(|told| told(offset));
    let mut hand = Hand::default();
    // A second thread's start is only worth it where there is a second piece.
    if shared.step(&mut hand, told) && lock(&shared.source).state == State::More {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 1..cores.min(MAX_THREADS) {
                scope.spawn(|| {
                    let mut hand = Hand::default();
                    while shared.step(&mut hand, &mut |_| true) {}
                });
            }
            while shared.step(&mut hand, told) {}
        });
    }
    let source = shared.source.into_inner().unwrap_or_else(PoisonError::into_inner);
    let sink = shared.sink.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = sink.failed {
        return Err(error);
    }
    let Source { carry, offset, state, .. } = source;
    let ended = matches!(state, State::EndOfInput);
    window.put_back(&carry, offset, ended);
    Ok(())
}

struct Shared<'a, 's, R, A: Assemble, P> {
    source: Mutex<Source<'s, R, P>>,
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

impl<R: Read + Send, A: Assemble, P: Room<A::Out>> Shared<'_, '_, R, A, P> {
    /// Takes a piece and sees it through; whether there may be more.
    fn step(&self, hand: &mut Hand, told: &mut dyn FnMut(u64) -> bool) -> bool {
        let mut job = lock(&self.sink).spare.pop().unwrap_or_default();
        let taken = {
            let mut source = lock(&self.source);
            let taken = source.take(&mut job.piece);
            if taken.is_err() {
                source.state = State::Failed;
            }
            taken.map(|records| records.map(|n| source.room.take(n)))
        };
        job.placed = false;
        match taken {
            Ok(None) => return false,
            Ok(Some(spot)) => {
                job.wrong = self.assemble(&mut job, &mut hand.narrow, &mut hand.wide).err();
                if let (None, Some(spot)) = (&job.wrong, spot) {
                    job.placed = P::put(&job.out, spot);
                    if !job.placed {
                        let section = self.section;
                        let what = "not every comma stands behind a number".into();
                        let kind = ErrorKind::Malformed { section, what };
                        job.wrong = Some(self.error(kind, job.piece.offset));
                    }
                }
            }
            Err(e) => (job.out, job.wrong) = (A::Out::default(), Some(e)),
        }
        if job.wrong.is_some() {
            lock(&self.source).state = State::Failed;
        }
        let end = job.piece.end();
        let mut go_on = self.deliver(job);
        if go_on && !told(end) {
            lock(&self.sink).failed = Some(self.error(ErrorKind::Interrupted, end));
            go_on = false;
        }
        if !go_on {
            lock(&self.source).state = State::Failed;
        }
        go_on
    }

    /// Turns a piece into columns; where something is wrong, those before it.
    fn assemble(
        &self,
        job: &mut Job<A::Out>,
        narrow: &mut Vec<u32>,
        wide: &mut Vec<u64>,
    ) -> Result<(), Error> {
        let section = self.section;
        let Job { piece, out, .. } = job;
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
            let read = digits::careful(text, piece.last, wide);
            let left = wide.len() % self.fields;
            let wrong = match read {
                Err(wrong) => Some((wrong.what, wrong.at)),
                Ok(()) if left > 0 => {
                    let what = format!("ends after {left} of a record's {} numbers", self.fields);
                    Some((what, text.len()))
                }
                Ok(()) => None,
            };
            // What is wrong inside a whole record comes before what is wrong behind it.
            let result = self.assembler.assemble(&wide[..wide.len() - left], out);
            if let (Ok(()), Some((what, at))) = (&result, wrong) {
                let kind = ErrorKind::Malformed { section, what };
                return Err(self.error(kind, piece.offset + at as u64));
            }
            result
        };
        result.map_err(|fault| self.fault(fault, piece))
    }

    fn error(&self, kind: ErrorKind, offset: u64) -> Error {
        Error::new(self.path, kind, Some(offset))
    }

    fn fault(&self, fault: Fault, piece: &Piece) -> Error {
        let section = self.section;
        let kind = match fault.what {
            Wrong::OutOfRange(what) => ErrorKind::OutOfRange { section, what },
            Wrong::Surplus { promised } => {
                ErrorKind::CountMismatch { section, promised, found: None }
            }
        };
        self.error(kind, piece.offset + digits::place_of(piece.text(), fault.value) as u64)
    }

    /// Hands over what was assembled; whoever closes a gap appends what waited behind it. Whether to go on.
    fn deliver(&self, job: Job<A::Out>) -> bool {
        let mut sink = lock(&self.sink);
        sink.early.insert(job.piece.number, job);
        // Errors come in order like everything else, so the first one of the file is the one that is told.
        while sink.failed.is_none() {
            let next = sink.next;
            let Some(mut job) = sink.early.remove(&next) else { return true };
            let appended = (sink.append)(&job.out, job.placed);
            sink.failed = match appended {
                Err(fault) => Some(self.fault(fault, &job.piece)),
                Ok(()) => job.wrong.take(),
            };
            sink.spare.push(job);
            sink.next += 1;
        }
        false
    }
}

/// What a thread works with.
#[derive(Default)]
struct Hand {
    narrow: Vec<u32>,
    wide: Vec<u64>,
}

/// A piece and what becomes of it.
#[derive(Default)]
struct Job<Out> {
    piece: Piece,
    out: Out,
    /// Whether the records of `out` are in their room already.
    placed: bool,
    /// What is wrong behind `out`.
    wrong: Option<Error>,
}

/// Puts what was assembled in order.
struct Sink<'a, Out> {
    append: Append<'a, Out>,
    /// The piece that comes next.
    next: u64,
    /// What came before its turn.
    early: BTreeMap<u64, Job<Out>>,
    /// Used again.
    spare: Vec<Job<Out>>,
    failed: Option<Error>,
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

    /// Where it ends in the file.
    fn end(&self) -> u64 {
        self.offset + self.padded.len().saturating_sub(digits::LEAD) as u64
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
struct Source<'s, R, P> {
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
    room: P,
}

impl<R: Read, P> Source<'_, R, P> {
    /// Replaces `piece` by the next one, and says how many records it should have; `None` after the last.
    fn take(&mut self, piece: &mut Piece) -> Result<Option<usize>, Error> {
        piece.number = self.next;
        if self.state != State::More {
            return Ok(None);
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
            return Ok(Some(bytecount::count(piece.text(), b',') / self.fields));
        }
        if ended {
            let section = self.section;
            let end = self.offset + text.len() as u64;
            return Err(Error::new(self.path, ErrorKind::Truncated { section }, Some(end)));
        }
        let Some((end, records)) = whole_records(text, self.fields) else {
            let section = self.section;
            let what = "a record longer than any real one".into();
            let kind = ErrorKind::Malformed { section, what };
            return Err(Error::new(self.path, kind, Some(self.offset)));
        };
        self.carry.extend_from_slice(&text[end..]);
        self.offset += end as u64;
        padded.truncate(digits::LEAD + end);
        piece.last = false;
        Ok(Some(records))
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

/// The end of the last whole record, behind its comma, and how many there are. `None` where there is none.
fn whole_records(text: &[u8], fields: usize) -> Option<(usize, usize)> {
    let commas = bytecount::count(text, b',');
    let over = commas % fields;
    if commas == over {
        return None;
    }
    memchr::memrchr_iter(b',', text).nth(over).map(|comma| (comma + 1, commas / fields))
}

#[cfg(test)]
mod tests {
    use super::whole_records;

    #[test]
    fn pieces_end_behind_whole_records() {
        assert_eq!(whole_records(b"1,2,3\n,4,5,6\n,7,", 3), Some((14, 2)));
        assert_eq!(whole_records(b"1,2,3\n,4,5,6", 3), Some((7, 1)));
        assert_eq!(whole_records(b"1,2,3,", 3), Some((6, 1)));
        assert_eq!(whole_records(b"1,2,3", 3), None);
    }
}
