//! The reader of `.heapsnapshot` files.
//!
//! One pass, front to back, O(file). `snapshot` must come before `nodes`, `edges` and `locations`, as V8
//! writes it; the other sections may stand anywhere. Counts in the header are believed only as far as the
//! file is long enough to hold them, so a small file cannot make us reserve much.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use leakline_heap::{Columns, GraphError, HeapGraph, Location, SizeColumn, StringTableBuilder};

use crate::error::{Error, ErrorKind};
use crate::meta::{Layout, MAX_FIELDS};
use crate::window::{Progress, Window};

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
    input: impl Read,
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

impl<R: Read> Reader<'_, R> {
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
        let fields = &layout.node;
        let n = self.reserve(layout.node_count);
        let c = &mut self.columns;
        c.node_type.reserve_exact(n);
        c.node_name.reserve_exact(n);
        c.node_id.reserve_exact(n);
        c.node_size = SizeColumn::with_capacity(n);
        c.first_edge.reserve_exact(n + 1);
        c.first_edge.push(0);
        let mut record = [0u64; MAX_FIELDS];
        let mut edges = 0u64;
        let mut more = self.window.begin_array()?;
        while more {
            more = read_record(&mut self.window, &mut record[..fields.count])?;
            let c = &mut self.columns;
            let kind = self.window.listed_type("node", &fields.types, record[fields.kind])?;
            c.node_type.push(kind);
            c.node_name.push(self.window.to_u32(record[fields.name], "a node's name")?);
            c.node_id.push(self.window.to_u32(record[fields.id], "a node's id")?);
            c.node_size.push(record[fields.size]);
            edges += record[fields.edge_count];
            if edges > layout.edge_count {
                let what = format!(
                    "nodes claim more than the {} edges the header promises",
                    layout.edge_count
                );
                return Err(self.window.error(ErrorKind::OutOfRange(what)));
            }
            c.first_edge.push(edges as u32);
            if let Some(at) = fields.detachedness {
                // Nearly every node is 0 here; the column is made when the first is not.
                let value = record[at].min(u64::from(u8::MAX)) as u8;
                if value != 0 || !c.node_detachedness.is_empty() {
                    c.node_detachedness.resize(c.node_type.len() - 1, 0);
                    c.node_detachedness.push(value);
                }
            }
            if c.node_type.len() as u64 > layout.node_count {
                break;
            }
        }
        self.check_count("nodes", layout.node_count, self.columns.node_type.len() as u64)?;
        self.check_count("edges in the nodes' own counts", layout.edge_count, edges)
    }

    fn edges(&mut self, layout: &Layout) -> Result<(), Error> {
        let fields = &layout.edge;
        let stride = layout.node.count as u32;
        let n = self.reserve(layout.edge_count);
        self.columns.edge_type.reserve_exact(n);
        self.columns.edge_name.reserve_exact(n);
        self.columns.edge_to.reserve_exact(n);
        let mut record = [0u64; MAX_FIELDS];
        let mut more = self.window.begin_array()?;
        while more {
            more = read_record(&mut self.window, &mut record[..fields.count])?;
            let kind = self.window.listed_type("edge", &fields.types, record[fields.kind])?;
            let name = self.window.to_u32(record[fields.name], "an edge's name")?;
            let offset = record[fields.to];
            // `to_node` is an offset into the nodes array, not an ordinal.
            let to = match u32::try_from(offset) {
                Ok(small) => u64::from(small / stride),
                Err(_) => offset / u64::from(stride),
            };
            if to >= layout.node_count || to * u64::from(stride) != offset {
                let what = format!("an edge points to {offset}, which is no node");
                return Err(self.window.error(ErrorKind::OutOfRange(what)));
            }
            let c = &mut self.columns;
            c.edge_type.push(kind);
            c.edge_name.push(name);
            c.edge_to.push(to as u32);
            if c.edge_type.len() as u64 > layout.edge_count {
                break;
            }
        }
        self.check_count("edges", layout.edge_count, self.columns.edge_type.len() as u64)
    }

    fn locations(&mut self, layout: &Layout) -> Result<(), Error> {
        let Some(fields) = &layout.location else { return self.window.skip_value() };
        let stride = layout.node.count as u64;
        let mut record = [0u64; MAX_FIELDS];
        let mut more = self.window.begin_array()?;
        while more {
            more = read_record(&mut self.window, &mut record[..fields.count])?;
            let offset = record[fields.object];
            if offset % stride != 0 || offset / stride >= layout.node_count {
                let what = format!("a location points to {offset}, which is no node");
                return Err(self.window.error(ErrorKind::OutOfRange(what)));
            }
            self.columns.locations.push(Location {
                node: (offset / stride) as u32,
                script_id: self.window.to_u32(record[fields.script], "a script's id")? as i32,
                line: self.window.to_u32(record[fields.line], "a line")?,
                column: self.window.to_u32(record[fields.column], "a column")?,
            });
        }
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
        if !self.columns.node_detachedness.is_empty() {
            self.columns.node_detachedness.resize(self.columns.node_type.len(), 0);
        }
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

/// Reads one record; returns whether another follows.
#[inline]
fn read_record<R: Read>(window: &mut Window<'_, R>, record: &mut [u64]) -> Result<bool, Error> {
    let last = record.len() - 1;
    for (i, slot) in record.iter_mut().enumerate() {
        let (value, more) = window.array_number()?;
        *slot = value;
        if i == last {
            return Ok(more);
        }
        if !more {
            return Err(window.malformed(format!(
                "ends after {} of a record's {} numbers",
                i + 1,
                last + 1
            )));
        }
    }
    Ok(false)
}

impl<R: Read> Window<'_, R> {
    /// The type of a number, by the list in `meta`.
    #[inline]
    fn listed_type<T: Copy>(&self, what: &str, types: &[T], number: u64) -> Result<T, Error> {
        let listed = usize::try_from(number).ok().and_then(|n| types.get(n)).copied();
        listed.ok_or_else(|| self.unknown_type(what, number, types.len()))
    }

    /// A type number that `meta` does not list.
    #[cold]
    fn unknown_type(&self, what: &str, number: u64, listed: usize) -> Error {
        let text = format!("{what} type {number}, but `meta` lists only {listed}");
        self.error(ErrorKind::OutOfRange(text))
    }

    #[inline]
    fn to_u32(&self, value: u64, what: &str) -> Result<u32, Error> {
        match u32::try_from(value) {
            Ok(v) => Ok(v),
            Err(_) => Err(self.error(ErrorKind::OutOfRange(format!(
                "{what} is {value}, which is beyond 32 bits"
            )))),
        }
    }
}
