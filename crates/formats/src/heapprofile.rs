//! The reader of `.heapprofile` files: sampling heap profiles of V8.
//!
//! A tree of calls written as nested objects, as deep as the program's stacks, and a list of samples. One pass,
//! front to back, O(file), with a stack of our own; keys may come in any order.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::Ordering;

use leakline_heap::{AllocationProfile, CallFrame, GraphError, ProfileColumns};
use rustc_hash::FxHashMap;

use crate::error::{Error, ErrorKind};
use crate::input::Input;
use crate::v8::ReadOptions;
use crate::window::Window;

/// No number that V8 writes is longer; this bounds a hostile one.
const MAX_NUMBER: usize = 40;

/// Reads the profile at `path`.
///
/// # Errors
/// [`Error`] with file, place and hint, for whatever is wrong with the file.
pub fn read_profile<'a>(
    path: &'a Path,
    options: ReadOptions<'a>,
) -> Result<AllocationProfile, Error> {
    let file = File::open(path).map_err(|e| Error::io(path, e, None))?;
    if file.metadata().map_err(|e| Error::io(path, e, None))?.is_dir() {
        return Err(Error::io(path, std::io::ErrorKind::IsADirectory.into(), None));
    }
    read_profile_from(file, path, options)
}

/// Reads a profile from any bytes. `path` names them in errors.
///
/// # Errors
/// [`Error`] with place and hint, for whatever is wrong with the bytes.
pub fn read_profile_from<'a>(
    input: impl Read,
    path: &'a Path,
    options: ReadOptions<'a>,
) -> Result<AllocationProfile, Error> {
    let input = Input::new(input).map_err(|e| Error::io(path, e, Some(0)))?;
    let compression = input.compression();
    let taken = input.taken();
    let mut told = options.progress;
    let mut progress = |_| told.as_mut().is_none_or(|told| told(taken.load(Ordering::Relaxed)));
    let reader = Reader {
        window: Window::new(input, path, Some(&mut progress)),
        path,
        columns: ProfileColumns::default(),
        complete: Vec::new(),
        frame_numbers: FxHashMap::default(),
        call_by_id: FxHashMap::default(),
        samples: FxHashMap::default(),
    };
    reader.read().map_err(|e| e.within(compression))
}

/// Which of the values that every call must have were seen.
#[derive(Clone, Copy, Default)]
struct Seen {
    frame: bool,
    size: bool,
}

struct Reader<'a, R> {
    window: Window<'a, R>,
    path: &'a Path,
    columns: ProfileColumns,
    complete: Vec<Seen>,
    frame_numbers: FxHashMap<CallFrame, u32>,
    call_by_id: FxHashMap<u64, u32>,
    /// By the id of a call, which may not have been read yet: how many, and where the first stands.
    samples: FxHashMap<u64, (u32, u64)>,
}

impl<R: Read> Reader<'_, R> {
    fn read(mut self) -> Result<AllocationProfile, Error> {
        self.begin()?;
        let mut has_tree = false;
        let mut more = self.window.peek_token()? != Some(b'}');
        if !more {
            self.window.advance(1);
        }
        while more {
            self.window.section = "profile";
            let key = self.key()?;
            match key.as_str() {
                "head" if has_tree => return Err(self.window.malformed("`head` stands twice")),
                "head" => {
                    self.window.section = "head";
                    if !matches!(self.window.peek_token()?, Some(b'{') | None) {
                        return Err(self.none("`head` is no object"));
                    }
                    has_tree = true;
                    self.tree()?;
                }
                "samples" => {
                    self.window.section = "samples";
                    self.samples()?;
                }
                "snapshot" => return Err(self.none("it is a heap snapshot")),
                _ => self.window.skip_value()?,
            }
            more = self.object_goes_on()?;
        }
        if self.window.peek_token()?.is_some() {
            return Err(self.window.malformed("more text after the end of the profile"));
        }
        if !has_tree {
            return Err(self.none("it has no `head`"));
        }
        self.finish()
    }

    fn begin(&mut self) -> Result<(), Error> {
        match self.window.peek_token()? {
            None if self.window.offset() == 0 => Err(Error::new(self.path, ErrorKind::Empty, None)),
            None => Err(self.none("only white space")),
            Some(b'{') => {
                self.window.advance(1);
                Ok(())
            }
            Some(first) => {
                let first = (first as char).escape_default();
                Err(self.none(&format!("it begins with `{first}`")))
            }
        }
    }

    fn none(&self, what: &str) -> Error {
        self.window.error(ErrorKind::NotAProfile(what.into()))
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<String, Error> {
        let key = self.window.string()?;
        self.window.expect(b':')?;
        Ok(key)
    }

    /// Consumes what follows a value in an object: whether another key comes.
    fn object_goes_on(&mut self) -> Result<bool, Error> {
        match self.window.peek_token()? {
            Some(b',') => {
                self.window.advance(1);
                Ok(true)
            }
            Some(b'}') => {
                self.window.advance(1);
                Ok(false)
            }
            Some(b) => {
                let found = (b as char).escape_default();
                Err(self.window.malformed(format!("expected `,` or `}}`, found `{found}`")))
            }
            None => Err(self.window.truncated()),
        }
    }

    /// Consumes the brace that opens an object: whether a key comes.
    fn object_begins(&mut self) -> Result<bool, Error> {
        self.window.expect(b'{')?;
        if self.window.peek_token()? != Some(b'}') {
            return Ok(true);
        }
        self.window.advance(1);
        Ok(false)
    }

    /// The tree under `head`. `open` are the calls whose objects are not closed; all but the last are in the
    /// middle of their list of callees.
    fn tree(&mut self) -> Result<(), Error> {
        let mut open: Vec<u32> = Vec::new();
        'call: loop {
            let call = self.new_call(open.last().copied())?;
            open.push(call);
            let mut more = self.object_begins()?;
            loop {
                while more {
                    let key = self.key()?;
                    if key == "children" {
                        if self.window.begin_array()? {
                            continue 'call;
                        }
                    } else {
                        let call = *open.last().unwrap_or(&call) as usize;
                        self.value_of_call(&key, call)?;
                    }
                    more = self.object_goes_on()?;
                }
                if let Some(closed) = open.pop() {
                    self.check_complete(closed)?;
                }
                if open.is_empty() {
                    return Ok(());
                }
                if self.window.array_separator()? {
                    continue 'call;
                }
                // The caller's list is over; its object goes on.
                more = self.object_goes_on()?;
            }
        }
    }

    fn new_call(&mut self, caller: Option<u32>) -> Result<u32, Error> {
        let call = self.columns.parent.len();
        if call as u64 >= u64::from(u32::MAX) {
            let text = "more calls than this program can index (4,294,967,294)";
            return Err(self.window.error(ErrorKind::TooLarge(text.into())));
        }
        self.columns.parent.push(caller.unwrap_or(0));
        self.columns.frame.push(0);
        self.columns.self_bytes.push(0);
        self.complete.push(Seen::default());
        Ok(call as u32)
    }

    fn value_of_call(&mut self, key: &str, call: usize) -> Result<(), Error> {
        match key {
            "callFrame" => {
                let frame = self.frame()?;
                let next = self.columns.frames.len() as u32;
                let number = *self.frame_numbers.entry(frame.clone()).or_insert(next);
                if number == next {
                    self.columns.frames.push(frame);
                }
                self.columns.frame[call] = number;
                self.complete[call].frame = true;
            }
            "selfSize" => {
                self.columns.self_bytes[call] = self.count("a size")?;
                self.complete[call].size = true;
            }
            "id" => {
                let id = self.count("an id")?;
                self.call_by_id.insert(id, call as u32);
            }
            _ => self.window.skip_value()?,
        }
        Ok(())
    }

    fn check_complete(&self, call: u32) -> Result<(), Error> {
        let Seen { frame, size } = self.complete[call as usize];
        match (frame, size) {
            (true, true) => Ok(()),
            (false, _) => Err(self.window.malformed("a call without `callFrame`")),
            (_, false) => Err(self.window.malformed("a call without `selfSize`")),
        }
    }

    fn frame(&mut self) -> Result<CallFrame, Error> {
        let mut frame = CallFrame::default();
        let mut more = self.object_begins()?;
        while more {
            match self.key()?.as_str() {
                "functionName" => frame.function = self.window.string()?,
                "url" => frame.script = self.window.string()?,
                "scriptId" => frame.script_id = self.window.string()?,
                "lineNumber" => frame.line = self.position()?,
                "columnNumber" => frame.column = self.position()?,
                _ => self.window.skip_value()?,
            }
            more = self.object_goes_on()?;
        }
        Ok(frame)
    }

    fn samples(&mut self) -> Result<(), Error> {
        let mut more = self.window.begin_array()?;
        while more {
            let at = self.window.offset();
            let mut call = None;
            let mut goes_on = self.object_begins()?;
            while goes_on {
                match self.key()?.as_str() {
                    "nodeId" => call = Some(self.count("an id")?),
                    _ => self.window.skip_value()?,
                }
                goes_on = self.object_goes_on()?;
            }
            let Some(call) = call else {
                return Err(self.window.malformed("a sample without `nodeId`"));
            };
            let (times, _) = self.samples.entry(call).or_insert((0, at));
            *times = times.saturating_add(1);
            more = self.window.array_separator()?;
        }
        Ok(())
    }

    /// A line or column: -1 where there is none.
    fn position(&mut self) -> Result<Option<u32>, Error> {
        let value = self.number()?;
        if value < 0.0 {
            return Ok(None);
        }
        if value > f64::from(u32::MAX) {
            return Err(self.window.malformed("a line or column beyond 32 bits"));
        }
        Ok(Some(value as u32))
    }

    fn count(&mut self, what: &str) -> Result<u64, Error> {
        let value = self.number()?;
        // Up to here JavaScript's numbers are whole.
        if !(0.0..=9_007_199_254_740_992.0).contains(&value) {
            return Err(self.window.malformed(format!("{what} is {value}")));
        }
        Ok(value as u64)
    }

    /// Any number of JSON. Those of a profile are JavaScript's own, so they may have fractions.
    fn number(&mut self) -> Result<f64, Error> {
        let Some(first) = self.window.peek_token()? else { return Err(self.window.truncated()) };
        if first != b'-' && !first.is_ascii_digit() {
            let found = (first as char).escape_default();
            return Err(self.window.malformed(format!("expected a number, found `{found}`")));
        }
        let mut text = String::new();
        loop {
            // A number is never the last thing in a profile.
            let Some(byte) = self.window.peek()? else { return Err(self.window.truncated()) };
            if !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') {
                break;
            }
            if text.len() == MAX_NUMBER {
                return Err(self.window.malformed("a number that does not end"));
            }
            text.push(byte as char);
            self.window.advance(1);
        }
        text.parse().map_err(|_| self.window.malformed(format!("`{text}` is no number")))
    }

    fn finish(mut self) -> Result<AllocationProfile, Error> {
        self.columns.samples = vec![0; self.columns.parent.len()];
        for (id, (times, at)) in self.samples {
            let Some(&call) = self.call_by_id.get(&id) else {
                let what = format!("a sample belongs to call {id}, which is not in the tree");
                let kind = ErrorKind::OutOfRange { section: "samples", what };
                return Err(Error::new(self.path, kind, Some(at)));
            };
            self.columns.samples[call as usize] = times;
        }
        AllocationProfile::new(self.columns).map_err(|e| {
            let kind = match &e {
                GraphError::NoNodes => ErrorKind::NotAProfile("it has no calls".into()),
                _ => ErrorKind::OutOfRange { section: "head", what: e.to_string() },
            };
            Error::new(self.path, kind, None)
        })
    }
}
