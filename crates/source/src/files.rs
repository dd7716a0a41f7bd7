//! Finding, reading and decoding the files a snapshot names, each once.
//!
//! Paths come as snapshots hold them: absolute paths, `file://` addresses of ES modules, names of
//! internal modules. A file is kept with its line index and, once asked for, its facts; both are
//! shared, so a second question over the same service costs no parsing.

use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustc_hash::FxHashMap;

use crate::error::Error;
use crate::facts::FileFacts;
use crate::location::{LineIndex, Location};
use crate::maps::{self, Mapped, unescaped};
use crate::parse;

/// Largest file that is read, in bytes. Bundles reach some tens of MB; offsets are 32 bits wide.
pub(crate) const MAX_FILE_BYTES: u64 = 64 << 20;

/// Loads source files and keeps them.
#[derive(Debug, Default)]
pub struct SourceFiles {
    search: Vec<PathBuf>,
    cache: Mutex<FxHashMap<PathBuf, Arc<Loaded>>>,
}

/// A file in memory.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The path to show: as first asked for.
    pub path: PathBuf,
    /// The path to compare by: symbolic links resolved.
    pub key: PathBuf,
    /// The text without a byte order mark, invalid bytes replaced.
    pub text: String,
    pub lines: LineIndex,
    /// What was lost while decoding.
    pub decode_note: Option<String>,
    facts: OnceLock<parse::Parsed>,
    map: OnceLock<Mapped>,
}

/// What a position of a snapshot hits in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClosureAt {
    /// The start of this function's closures.
    Start(u32),
    /// Some place in this function.
    Inside(u32),
    /// A place in no function.
    Nothing,
    /// No place of the file.
    Outside,
}

impl Loaded {
    /// What the file says, parsed on first use.
    pub fn facts(&self) -> &FileFacts {
        &self.parsed().facts
    }

    /// Facts and what was lost on the way to them.
    pub fn parsed(&self) -> &parse::Parsed {
        self.facts.get_or_init(|| parse::parse(&self.path, &self.text, &self.lines))
    }

    /// A text that is in memory already: one that a source map carries.
    pub fn from_text(path: PathBuf, text: String) -> Loaded {
        let lines = LineIndex::new(&text);
        let key = path.clone();
        let (facts, map) = (OnceLock::new(), OnceLock::new());
        Loaded { path, key, text, lines, decode_note: None, facts, map }
    }

    /// Its source map, read on first use.
    pub fn mapped(&self, files: &SourceFiles) -> &Mapped {
        self.map.get_or_init(|| maps::map_of(self, files))
    }

    /// What stands at a position of a snapshot.
    pub fn closure_at(&self, line: u32, column: u32) -> ClosureAt {
        let first = self.closure_by(&self.lines, line, column);
        if matches!(first, ClosureAt::Start(_)) {
            return first;
        }
        // The other way to count lines decides only where the first finds no function's start.
        let index = LineIndex::with_all_terminators(&self.text);
        if index.count() == self.lines.count() {
            return first;
        }
        match (first, self.closure_by(&index, line, column)) {
            (_, second @ ClosureAt::Start(_)) | (ClosureAt::Outside, second) => second,
            (first, _) => first,
        }
    }

    /// The function that starts at a position of a snapshot; or the one around it, with a note.
    pub fn closure_function(&self, closure: &Location, notes: &mut Vec<String>) -> ClosureAt {
        if self.parsed().failed {
            return ClosureAt::Nothing;
        }
        let place = format!("{}:{}:{}", self.path.display(), closure.line, closure.column);
        let found = self.closure_at(closure.line, closure.column);
        match found {
            ClosureAt::Start(_) => {}
            ClosureAt::Inside(_) => notes.push(format!(
                "no function starts at {place}; the one around it was taken: the file was edited after \
                 it had been loaded, or is not the one that ran"
            )),
            ClosureAt::Nothing => {
                notes.push(format!("no function at {place}: the file is not the one that ran"));
            }
            ClosureAt::Outside => {
                notes.push(format!("{place} lies outside the file: it is not the one that ran"));
            }
        }
        found
    }

    /// The byte at a position of a snapshot, by lines that end in `\n` or else by all terminators.
    pub fn offset(&self, line: u32, column: u32) -> Option<u32> {
        self.lines.offset(&self.text, line, column).or_else(|| {
            LineIndex::with_all_terminators(&self.text).offset(&self.text, line, column)
        })
    }

    fn closure_by(&self, index: &LineIndex, line: u32, column: u32) -> ClosureAt {
        let Some(offset) = index.offset(&self.text, line, column) else {
            return ClosureAt::Outside;
        };
        match self.facts().closure_at(offset) {
            Some((function, true)) => ClosureAt::Start(function),
            Some((function, false)) => ClosureAt::Inside(function),
            None => ClosureAt::Nothing,
        }
    }

    /// The file belongs to an installed package.
    pub fn is_package(&self) -> bool {
        self.path.components().any(|part| part.as_os_str() == "node_modules")
    }

    /// All degradations of this file, as sentences.
    pub fn notes(&self) -> impl Iterator<Item = &String> {
        self.decode_note.iter().chain(self.parsed().note.iter())
    }
}

impl SourceFiles {
    /// Files are read from their own paths and, where one is missing there, from below the
    /// folders `search`: by the longest suffix of the missing path that exists.
    #[must_use]
    pub fn new(search: Vec<PathBuf>) -> SourceFiles {
        let search =
            search.into_iter().map(|dir| std::path::absolute(&dir).unwrap_or(dir)).collect();
        SourceFiles { search, cache: Mutex::default() }
    }

    /// Where the script that a snapshot calls `name` is on this machine.
    pub fn locate(&self, name: &Path) -> Result<PathBuf, Error> {
        let path = script_path(&name.to_string_lossy())?;
        if path.is_file() {
            return Ok(path);
        }
        let found = self.locate_below(&path);
        if found.is_err() && path.exists() {
            return Err(Error::NotRegular { path });
        }
        found
    }

    /// The file below a source folder that shares the longest suffix with the path.
    pub(crate) fn locate_below(&self, path: &Path) -> Result<PathBuf, Error> {
        let parts: Vec<Component<'_>> =
            path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
        for skip in 0..parts.len() {
            let suffix: PathBuf = parts[skip..].iter().collect();
            for dir in &self.search {
                let found = dir.join(&suffix);
                if found.is_file() {
                    return Ok(found);
                }
            }
        }
        Err(Error::Missing { path: path.to_owned() })
    }

    /// The text of the script that a snapshot calls `name`, decoded as the parser sees it.
    pub fn text(&self, name: &Path) -> Result<String, Error> {
        Ok(self.load(name)?.text.clone())
    }

    pub(crate) fn load(&self, name: &Path) -> Result<Arc<Loaded>, Error> {
        let path = self.locate(name)?;
        let key = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        if let Some(loaded) = self.lock().get(&key) {
            return Ok(Arc::clone(loaded));
        }
        let loaded = Arc::new(read(path, key.clone())?);
        // Two threads may have read the same file; the first one's copy stays, so that every
        // holder of an `Arc` sees the same facts.
        Ok(Arc::clone(self.lock().entry(key).or_insert(loaded)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, FxHashMap<PathBuf, Arc<Loaded>>> {
        // The map is never left half-changed, so a panic elsewhere does not spoil it.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: PathBuf, key: PathBuf) -> Result<Loaded, Error> {
    let size = std::fs::metadata(&path).map(|meta| meta.len());
    match size {
        Ok(bytes) if bytes > MAX_FILE_BYTES => {
            return Err(Error::TooLarge { path, bytes, limit: MAX_FILE_BYTES });
        }
        Ok(_) => {}
        Err(source) => return Err(Error::Read { path, source }),
    }
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(source) => return Err(Error::Read { path, source }),
    };
    // The file may have grown between the two calls.
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let bytes = bytes.len() as u64;
        return Err(Error::TooLarge { path, bytes, limit: MAX_FILE_BYTES });
    }
    let (text, decode_note) = decode(&path, &bytes);
    Ok(Loaded { key, decode_note, ..Loaded::from_text(path, text) })
}

/// Decodes as Node does: a byte order mark is dropped before V8 sees the script, bytes that are no
/// UTF-8 become U+FFFD (one UTF-16 unit each, so columns still agree). Node cannot run UTF-16, but
/// the text that was compiled may be kept in it.
fn decode(path: &Path, bytes: &[u8]) -> (String, Option<String>) {
    let shown = path.display();
    if bytes.is_empty() {
        return (String::new(), Some(format!("{shown} is empty: it is not the file that ran")));
    }
    let wide: Option<fn([u8; 2]) -> u16> = match bytes {
        [0xFF, 0xFE, ..] => Some(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => Some(u16::from_be_bytes),
        _ => None,
    };
    if let Some(unit) = wide {
        let (pairs, _) = bytes[2..].as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|&pair| unit(pair)).collect();
        let note = format!("{shown} is UTF-16, which Node.js does not run; it was read as such");
        return (String::from_utf16_lossy(&units), Some(note));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), None),
        Err(bad) => (
            String::from_utf8_lossy(bytes).into_owned(),
            Some(format!(
                "{shown} is not valid UTF-8 at byte {}; such bytes are shown as U+FFFD",
                bad.valid_up_to()
            )),
        ),
    }
}

/// The path in a script's name: `file://` decoded, internal names refused.
fn script_path(name: &str) -> Result<PathBuf, Error> {
    let not_a_file = || Error::NotAFile { name: name.to_owned() };
    if let Some(address) = name.strip_prefix("file://") {
        // An address may carry a query (`?v=1`, a way to load a module twice) and a host.
        let path = address.split(['?', '#']).next().unwrap_or_default();
        let start = path.find('/').ok_or_else(not_a_file)?;
        return Ok(PathBuf::from(percent_decode(&path[start..])));
    }
    let scheme = name.split_once(':').map(|(scheme, _)| scheme);
    let is_scheme = scheme.is_some_and(|scheme| {
        scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    if name.is_empty() || name.contains('\0') || is_scheme || name.starts_with("evalmachine.") {
        return Err(not_a_file());
    }
    Ok(PathBuf::from(name))
}

fn percent_decode(text: &str) -> String {
    String::from_utf8_lossy(&unescaped(text)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_names() {
        let path = |name: &str| script_path(name).ok();
        assert_eq!(path("/srv/app.js"), Some("/srv/app.js".into()));
        assert_eq!(path("file:///srv/my%20app/%C3%A9.mjs"), Some("/srv/my app/é.mjs".into()));
        assert_eq!(path("file:///srv/a.mjs?v=2"), Some("/srv/a.mjs".into()));
        assert_eq!(path("file:///srv/100%.mjs"), Some("/srv/100%.mjs".into()));
        for name in ["node:internal/fs", "", "wasm://x", "evalmachine.<anonymous>", "file://"] {
            assert_eq!(path(name), None, "{name}");
        }
    }
}
