//! The reader of `.heapsnapshot` files.
//!
//! One pass, front to back, O(file). `snapshot` must come before `nodes`, `edges` and `locations`, as V8
//! writes it; the other sections may stand anywhere. Counts in the header are believed only as far as the
//! file is long enough to hold them, so a small file cannot make us reserve much.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use leakline_heap::{Columns, GraphError, HeapGraph, Location, StringTableBuilder};

use crate::error::{Error, ErrorKind};
use crate::meta::Layout;
use crate::window::{Progress, Window};

mod columns;
mod digits;
mod records;
#[cfg(target_arch = "x86_64")]
mod wide;

use columns::{AllEdges, AllNodes};

/// The `snapshot` section is under 3 KiB in every version; this bounds a hostile one.
const MAX_HEADER: usize = 1 << 20;

/// How to read.
#[derive(Default)]
pub struct ReadOptions<'a> {
    /// Told the bytes read so far, every quarter of a mebibyte; returning `false` stops the reading.
    pub progress: Option<Progress<'a>>,
}

/// Reads the snapshot at `path`.
///
/// # Errors
/// [`Error`] with file, place and hint, for whatever is wrong with the file.
pub fn read_snapshot<'a>(path: &'a Path, options: ReadOptions<'a>) -> Result<HeapGraph, Error> {
    let file = File::open(path).map_err(|e| Error::io(path, e, None))?;
    let meta = file.metadata().map_err(|e| Error::io(path, e, None))?;
    if meta.is_dir() {
        return Err(Error::io(path, std::io::ErrorKind::IsADirectory.into(), None));
    }
    // A pipe has no length: nothing is reserved up front then.
    let length = if meta.is_file() { meta.len() } else { 0 };
    read_snapshot_from(file, length, path, options)
}

/// Reads a snapshot from any bytes. `length` is how many there are (0 when unknown), `path` names them in errors.
///
/// # Errors
/// [`Error`] with place and hint, for whatever is wrong with the bytes.
pub fn read_snapshot_from<'a>(
    input: impl Read + Send,
    length: u64,
    path: &'a Path,
    options: ReadOptions<'a>,
) -> Result<HeapGraph, Error> {
    Reader {
        window: Window::new(input, path, options.progress),
        path,
        length,
        layout: None,
        columns: Columns::default(),
        strings: StringTableBuilder::default(),
        seen: Vec::new(),
    }
    .read()
}

struct Reader<'a, R> {
    window: Window<'a, R>,
    path: &'a Path,
    length: u64,
    layout: Option<Layout>,
    columns: Columns,
    strings: StringTableBuilder,
    seen: Vec<&'static str>,
}

impl<R: Read + Send> Reader<'_, R> {
    fn read(mut self) -> Result<HeapGraph, Error> {
        self.begin()?;
        loop {
            let key = self.window.string()?;
            self.window.expect(b':')?;
            self.section(&key)?;
            match self.window.peek_token()? {
                Some(b',') => self.window.advance(1),
                Some(b'}') => break self.window.advance(1),
                Some(_) => {
                    return Err(self.window.malformed("expected `,` or `}` after a section"));
                }
                None => return Err(self.window.truncated()),
            }
            if self.window.peek_token()? != Some(b'"') {
                return Err(match self.window.peek()? {
                    None => self.window.truncated(),
                    Some(_) => self.window.malformed("expected the name of a section"),
                });
            }
        }
        if self.window.peek_token()?.is_some() {
            return Err(self.window.malformed("more text after the end of the snapshot"));
        }
        self.finish()
    }

    fn begin(&mut self) -> Result<(), Error> {
        match self.window.peek_token()? {
            None if self.window.offset() == 0 => {
                return Err(Error::new(self.path, ErrorKind::Empty, None));
            }
            None => return Err(self.window.error(ErrorKind::NotJson("only white space".into()))),
            Some(b'{') => self.window.advance(1),
            Some(b'[' | b'"' | b'0'..=b'9' | b't' | b'f' | b'n' | b'-') => {
                return Err(self.not_a_snapshot("a snapshot is a JSON object"));
            }
            Some(first) => {
                let what = match (first, self.window.rest().get(1)) {
                    (0x1f, Some(0x8b)) => "compressed with gzip".to_string(),
                    (0x28, Some(0xb5)) => "compressed with zstd".to_string(),
                    _ => format!("it begins with `{}`", (first as char).escape_default()),
                };
                return Err(self.window.error(ErrorKind::NotJson(what)));
            }
        }
        match self.window.peek_token()? {
            Some(b'"') => Ok(()),
            Some(b'}') => Err(self.not_a_snapshot("an empty JSON object")),
            Some(_) => Err(self.window.error(ErrorKind::NotJson("`{` without a key".into()))),
            None => Err(self.window.truncated()),
        }
    }

    fn section(&mut self, key: &str) -> Result<(), Error> {
        const KNOWN: [&str; 5] = ["snapshot", "nodes", "edges", "locations", "strings"];
        let Some(name) = KNOWN.into_iter().find(|k| *k == key) else {
            self.window.section = match key {
                "trace_function_infos" => "trace_function_infos",
                "trace_tree" => "trace_tree",
                "samples" => "samples",
                _ => "an unknown section",
            };
            return self.window.skip_value();
        };
        self.window.section = name;
        if self.seen.contains(&name) {
            return Err(self.window.malformed("stands twice in the file"));
        }
        self.seen.push(name);
        if name == "snapshot" {
            return self.header();
        }
        if name == "strings" {
            return self.strings();
        }
        let Some(layout) = self.layout.take() else {
            return Err(self.not_a_snapshot(&format!("`{key}` comes without `snapshot` before it")));
        };
        match name {
            "nodes" => self.nodes(&layout)?,
            "edges" => self.edges(&layout)?,
            _ => self.locations(&layout)?,
        }
        self.layout = Some(layout);
        Ok(())
    }

    fn header(&mut self) -> Result<(), Error> {
        if self.window.peek_token()? != Some(b'{') {
            return Err(self.not_a_snapshot("`snapshot` is no object"));
        }
        let json = self.window.capture_value(MAX_HEADER)?;
        let layout = Layout::parse(&json).map_err(|what| self.not_a_snapshot(&what))?;
        for (what, count) in [("nodes", layout.node_count), ("edges", layout.edge_count)] {
            // HeapGraph indexes with 32 bits, and a value takes two bytes at least: a digit and a comma.
            if count >= u64::from(u32::MAX) {
                let text =
                    format!("{count} {what} are more than this program can index (4,294,967,294)");
                return Err(self.window.error(ErrorKind::TooLarge(text)));
            }
            let fields = if what == "nodes" { layout.node.count } else { layout.edge.count };
            if self.length > 0 && count.saturating_mul(fields as u64 * 2) > self.length + 1 {
                let text = format!(
                    "the header promises {count} {what}, more than {} bytes can hold",
                    self.length
                );
                return Err(self.window.error(ErrorKind::TooLarge(text)));
            }
        }
        self.layout = Some(layout);
        Ok(())
    }

    fn reserve(&self, count: u64) -> usize {
        // The counts were checked against the length; without one, grow as the data comes.
        if self.length > 0 { count as usize } else { 0 }
    }

    fn nodes(&mut self, layout: &Layout) -> Result<(), Error> {
        let assembler = columns::Nodes {
            fields: &layout.node,
            traced: layout.trace_function_count > 0,
            expected_bytes: self.length,
        };
        let mut all = AllNodes::with_capacity(self.reserve(layout.node_count));
        if self.window.begin_array()? {
            let (nodes, edges) = (layout.node_count, layout.edge_count);
            let mut append = |piece: &_| all.append(piece, nodes, edges);
            records::read(&mut self.window, layout.node.count, &assembler, &mut append)?;
        }
        self.check_count("nodes", layout.node_count, all.count() as u64)?;
        self.check_count("edges in the nodes' own counts", layout.edge_count, all.edges())?;
        all.finish(&mut self.columns);
        Ok(())
    }

    fn edges(&mut self, layout: &Layout) -> Result<(), Error> {
        let assembler = columns::Edges {
            fields: &layout.edge,
            stride: layout.node.count as u32,
            node_count: layout.node_count,
            expected_bytes: self.length,
        };
        let mut all = AllEdges::with_capacity(self.reserve(layout.edge_count));
        if self.window.begin_array()? {
            let mut append = |piece: &_| all.append(piece, layout.edge_count);
            records::read(&mut self.window, layout.edge.count, &assembler, &mut append)?;
        }
        self.check_count("edges", layout.edge_count, all.count() as u64)?;
        self.columns.edges = all.finish();
        Ok(())
    }

    fn locations(&mut self, layout: &Layout) -> Result<(), Error> {
        let Some(fields) = &layout.location else { return self.window.skip_value() };
        let stride = layout.node.count as u32;
        let assembler = columns::Locations { fields, stride, node_count: layout.node_count };
        let mut all = Vec::new();
        if self.window.begin_array()? {
            let mut append = |piece: &Vec<Location>| {
                all.extend_from_slice(piece);
                Ok(())
            };
            records::read(&mut self.window, fields.count, &assembler, &mut append)?;
        }
        self.columns.locations = all.into();
        Ok(())
    }

    fn strings(&mut self) -> Result<(), Error> {
        let mut more = self.window.begin_array()?;
        while more {
            self.window.string_into(&mut self.strings)?;
            more = self.window.array_separator()?;
        }
        Ok(())
    }

    fn check_count(&self, section: &'static str, promised: u64, found: u64) -> Result<(), Error> {
        if promised == found {
            return Ok(());
        }
        Err(self.window.error(ErrorKind::CountMismatch { section, promised, found }))
    }

    fn finish(mut self) -> Result<HeapGraph, Error> {
        let Some(layout) = self.layout else {
            return Err(Error::new(
                self.path,
                ErrorKind::NotASnapshot("it has no `snapshot` section".into()),
                None,
            ));
        };
        for section in ["nodes", "edges", "strings"] {
            if !self.seen.contains(&section) {
                let what = format!("it has no `{section}` section");
                return Err(Error::new(self.path, ErrorKind::NotASnapshot(what), None));
            }
        }
        self.columns.strings = self.strings.build();
        self.columns.extra_native_bytes = layout.extra_native_bytes;
        HeapGraph::new(self.columns).map_err(|e| {
            let kind = match &e {
                GraphError::NoNodes => ErrorKind::NotASnapshot("it has no nodes".into()),
                _ => ErrorKind::OutOfRange(e.to_string()),
            };
            Error::new(self.path, kind, None)
        })
    }

    fn not_a_snapshot(&self, what: &str) -> Error {
        self.window.error(ErrorKind::NotASnapshot(what.into()))
    }
}
