//! The reader of `.heapsnapshot` files.
//!
//! One pass, front to back, O(file). `snapshot` must come before the sections that it describes, as V8
//! writes it; `strings` may stand anywhere. Counts in the header are believed only as far as the
//! file is long enough to hold them, so a small file cannot make us reserve much.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use leakline_heap::{
    ALLOCATION_ENTRY, ALLOCATION_FUNCTION, ALLOCATION_SCRIPT, AllocationsBuilder, Columns,
    GraphError, HeapGraph, Location, StringTableBuilder,
};

use crate::error::{BETWEEN, END, Error, ErrorKind};
use crate::input::Input;
use crate::meta::Layout;
use crate::window::{Progress, Window};

mod columns;
mod digits;
mod locate;
mod records;
mod trace;
#[cfg(target_arch = "x86_64")]
mod wide;

use columns::{AllEdges, AllNodes, EdgeRoom, NodeRoom};
use records::NoRoom;

/// The `snapshot` section is under 3 KiB in every version; this bounds a hostile one.
const MAX_HEADER: usize = 1 << 20;

/// A second's work, before an error of the text is believed; a small file may hold terabytes of nonsense.
const MOST_DECODED_FOR_BLAME: u64 = 1 << 30;

/// How to read.
#[derive(Default)]
pub struct ReadOptions<'a> {
    /// Told the bytes read so far, about every quarter of a mebibyte of text; returning `false` stops the
    /// reading. Of a compressed file these are its own bytes, as they stand on the disk.
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
    let result = read_snapshot_from(file, length, path, options);
    // What comes from a pipe cannot be read again.
    if meta.is_file() { result.map_err(|e| locate::located(path, e)) } else { result }
}

/// Reads a snapshot from any bytes, plain or compressed. `length` is how many there are (0 when unknown), `path`
/// names them in errors.
///
/// # Errors
/// [`Error`] with place and hint, for whatever is wrong with the bytes.
pub fn read_snapshot_from<'a>(
    input: impl Read + Send,
    length: u64,
    path: &'a Path,
    options: ReadOptions<'a>,
) -> Result<HeapGraph, Error> {
    let input = Input::new(input).map_err(|e| Error::io(path, e, Some(0)))?;
    let compression = input.compression();
    let taken = input.taken();
    let mut told = options.progress;
    let mut progress = |_| told.as_mut().is_none_or(|told| told(taken.load(Ordering::Relaxed)));
    let mut reader = Reader {
        path,
        usual_bytes: input.usual_bytes(length),
        window: Window::new(input, path, Some(&mut progress)),
        layout: None,
        columns: Columns::default(),
        strings: StringTableBuilder::default(),
        allocations: AllocationsBuilder::default(),
        seen: Vec::new(),
        arrays: Vec::new(),
    };
    let result = match reader.sections() {
        Ok(()) => reader.finish(),
        Err(e) => Err(reader.blame(e, compression.is_some())),
    };
    result.map_err(|e| e.within(compression))
}

struct Reader<'a, R> {
    window: Window<'a, R>,
    path: &'a Path,
    /// Bytes of text that the file may hold; 0 where that is unknown.
    usual_bytes: u64,
    layout: Option<Layout>,
    columns: Columns,
    strings: StringTableBuilder,
    allocations: AllocationsBuilder,
    seen: Vec<&'static str>,
    /// Where the content of a section's array begins.
    arrays: Vec<(&'static str, u64)>,
}

impl<R: Read + Send> Reader<'_, R> {
    /// Reads to the end of the input.
    fn sections(&mut self) -> Result<(), Error> {
        self.begin()?;
        loop {
            let key = self.window.string()?;
            self.window.expect(b':')?;
            self.section(&key)?;
            self.window.section = BETWEEN;
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
        self.window.section = END;
        if self.window.peek_token()?.is_some() {
            return Err(self.window.malformed("more text after the end of the snapshot"));
        }
        // Whichever thread took the last piece.
        self.window.tell()
    }

    /// Damaged compressed data may decode to nonsense for a while, until a checksum tells. So where a
    /// compressed text makes no sense, the rest is decoded too, and what is wrong with the data comes first.
    fn blame(&mut self, error: Error, compressed: bool) -> Error {
        let decoded = !matches!(
            error.kind(),
            ErrorKind::Io
                | ErrorKind::Interrupted
                | ErrorKind::TooLarge(_)
                | ErrorKind::CompressedTruncated { .. }
                | ErrorKind::CompressedMalformed { .. }
        );
        if compressed && decoded {
            let mut rest = self.window.parts().input.take(MOST_DECODED_FOR_BLAME);
            if let Err(e) = std::io::copy(&mut rest, &mut std::io::sink()) {
                return Error::io(self.path, e, None);
            }
        }
        error
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
                let what = format!("it begins with `{}`", (first as char).escape_default());
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
        const KNOWN: [&str; 8] = [
            "snapshot",
            "nodes",
            "edges",
            "locations",
            "strings",
            "trace_function_infos",
            "trace_tree",
            "samples",
        ];
        let Some(name) = KNOWN.into_iter().find(|k| *k == key) else {
            self.window.section = "an unknown section";
            return self.window.skip_value();
        };
        self.window.section = name;
        if self.seen.contains(&name) {
            return Err(self.window.malformed("stands twice in the file"));
        }
        self.seen.push(name);
        match name {
            "snapshot" => return self.header(),
            "strings" => return self.strings(),
            _ => {}
        }
        let Some(layout) = self.layout.take() else {
            return Err(self.not_a_snapshot(&format!("`{key}` comes without `snapshot` before it")));
        };
        if self.window.peek_token()?.is_some() {
            self.arrays.push((name, self.window.offset() + 1));
        }
        match name {
            "nodes" => self.nodes(&layout)?,
            "edges" => self.edges(&layout)?,
            "locations" => self.locations(&layout)?,
            _ => self.allocations(name, &layout)?,
        }
        self.layout = Some(layout);
        Ok(())
    }

    /// One of the sections that V8 fills while it tracks allocations.
    fn allocations(&mut self, section: &str, layout: &Layout) -> Result<(), Error> {
        let window = &mut self.window;
        let into = &mut self.allocations;
        match (section, &layout.trace_function, &layout.trace, &layout.sample) {
            ("trace_function_infos", Some(fields), _, _) if window.begin_array()? => {
                let mut append = |piece: &Vec<_>, _| {
                    into.functions(piece);
                    Ok(())
                };
                records::read(window, fields.count, &trace::Functions(fields), NoRoom, &mut append)
            }
            ("samples", _, _, Some(fields)) if window.begin_array()? => {
                let mut append = |piece: &Vec<_>, _| {
                    into.samples(piece);
                    Ok(())
                };
                records::read(window, fields.count, &trace::Samples(fields), NoRoom, &mut append)
            }
            ("trace_tree", _, Some(fields), _) => trace::tree(window, fields, into),
            ("trace_function_infos", Some(_), _, _) | ("samples", _, _, Some(_)) => Ok(()),
            _ => window.skip_value(),
        }
    }

    fn header(&mut self) -> Result<(), Error> {
        match self.window.peek_token()? {
            Some(b'{') => {}
            Some(_) => return Err(self.not_a_snapshot("`snapshot` is no object")),
            None => return Err(self.window.truncated()),
        }
        let json = self.window.capture_value(MAX_HEADER)?;
        let layout = Layout::parse(&json).map_err(|what| self.not_a_snapshot(&what))?;
        for (what, count) in [("nodes", layout.node_count), ("edges", layout.edge_count)] {
            // HeapGraph indexes with 32 bits. Whether a smaller count is true, reading will tell: a file that
            // is too short for it was cut, or its header lies.
            if count >= u64::from(u32::MAX) {
                let text =
                    format!("{count} {what} are more than this program can index (4,294,967,294)");
                return Err(self.window.error(ErrorKind::TooLarge(text)));
            }
        }
        self.layout = Some(layout);
        Ok(())
    }

    /// How many of `count` records of so many fields may have their space before they come: as many as the
    /// file can hold, with a digit and a comma for each number. Beyond that, space grows as they do.
    fn reserve(&self, count: u64, fields: usize) -> usize {
        count.min(self.usual_bytes / (fields as u64 * 2)) as usize
    }

    fn nodes(&mut self, layout: &Layout) -> Result<(), Error> {
        let assembler =
            columns::Nodes { fields: &layout.node, traced: layout.trace_function_count > 0 };
        let fields = layout.node.count;
        let mut room = NodeRoom::of(self.reserve(layout.node_count, fields));
        let mut all = AllNodes::default();
        if self.window.begin_array()? {
            let (nodes, edges) = (layout.node_count, layout.edge_count);
            let mut append =
                |piece: &_, placed| all.append(piece, placed, &layout.node, nodes, edges);
            records::read(&mut self.window, fields, &assembler, room.spots(), &mut append)?;
        }
        self.check_count("nodes", layout.node_count, all.count() as u64)?;
        self.check_count("edges in the nodes' own counts", layout.edge_count, all.edges())?;
        all.finish(room, &mut self.columns);
        Ok(())
    }

    fn edges(&mut self, layout: &Layout) -> Result<(), Error> {
        let assembler = columns::Edges {
            fields: &layout.edge,
            stride: layout.node.count as u32,
            node_count: layout.node_count,
        };
        let fields = layout.edge.count;
        let mut room = EdgeRoom::of(self.reserve(layout.edge_count, fields));
        let mut all = AllEdges::default();
        if self.window.begin_array()? {
            let mut append =
                |piece: &_, placed| all.append(piece, placed, &layout.edge, layout.edge_count);
            records::read(&mut self.window, fields, &assembler, room.spots(), &mut append)?;
        }
        self.check_count("edges", layout.edge_count, all.count() as u64)?;
        self.columns.edges = all.finish(room);
        Ok(())
    }

    fn locations(&mut self, layout: &Layout) -> Result<(), Error> {
        let Some(fields) = &layout.location else { return self.window.skip_value() };
        let stride = layout.node.count as u32;
        let assembler = columns::Locations { fields, stride, node_count: layout.node_count };
        let mut all = Vec::new();
        if self.window.begin_array()? {
            let mut append = |piece: &Vec<Location>, _| {
                all.extend_from_slice(piece);
                Ok(())
            };
            records::read(&mut self.window, fields.count, &assembler, NoRoom, &mut append)?;
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
        Err(self.window.error(ErrorKind::CountMismatch { section, promised, found: Some(found) }))
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
        let strings = self.strings.build();
        let (path, arrays) = (self.path, self.arrays);
        let wrong = |e: GraphError| {
            let at = match e {
                GraphError::NoNodes => {
                    let what = "it has no nodes".into();
                    return Error::new(path, ErrorKind::NotASnapshot(what), None);
                }
                GraphError::OutOfRange { at, .. } => at,
                _ => 0,
            };
            let (node, edge) = (&layout.node, &layout.edge);
            let function = layout.trace_function.as_ref();
            let (section, field) = match &e {
                GraphError::OutOfRange { what: "name of node", .. } => {
                    ("nodes", Some((node.count, node.name)))
                }
                GraphError::OutOfRange { what: "name of edge", .. } => {
                    ("edges", Some((edge.count, edge.name)))
                }
                GraphError::OutOfRange { what: ALLOCATION_FUNCTION, .. } => {
                    ("trace_function_infos", function.map(|f| (f.count, f.name)))
                }
                GraphError::OutOfRange { what: ALLOCATION_SCRIPT, .. } => {
                    ("trace_function_infos", function.map(|f| (f.count, f.script_name)))
                }
                GraphError::OutOfRange { what: ALLOCATION_ENTRY, .. } => ("trace_tree", None),
                _ => ("edges", None),
            };
            let array = arrays.iter().find(|(name, _)| *name == section);
            let number = array
                .zip(field)
                .map(|(&(_, begin), (count, field))| (begin, at * count as u64 + field as u64));
            let kind = ErrorKind::OutOfRange { section, what: e.to_string() };
            Error::new(path, kind, None).with_number(number)
        };
        if !self.allocations.is_empty() {
            let allocations = self.allocations.build(&strings).map_err(wrong)?;
            self.columns.allocations = Some(Arc::new(allocations));
        }
        self.columns.strings = strings;
        self.columns.extra_native_bytes = layout.extra_native_bytes;
        HeapGraph::new(self.columns).map_err(wrong)
    }

    fn not_a_snapshot(&self, what: &str) -> Error {
        self.window.error(ErrorKind::NotASnapshot(what.into()))
    }
}
