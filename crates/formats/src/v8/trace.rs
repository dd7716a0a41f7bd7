//! `trace_function_infos`, `trace_tree` and `samples`: what V8 knows of allocations when it tracked them.
//!
//! The tree is the one section that nests: each record ends in the list of its children. It is as deep as
//! the input likes, so where we are in it is kept in the columns that are being filled: closing a list goes
//! back to the entry that owns it, whose parent owns the list around it.
//!
//! The header's `trace_function_count` is believed nowhere: V8 writes it before it has met all functions.

use std::io::Read;

use leakline_heap::{ALLOCATION_ENTRY, AllocationsBuilder, Sample, TraceFunction};

use super::columns::narrow;
use super::records::{Assemble, Fault, Number};
use crate::error::{Error, ErrorKind};
use crate::meta::{SampleFields, TraceFields, TraceFunctionFields};
use crate::window::Window;

/// `trace_function_infos`.
pub(super) struct Functions<'a>(pub(super) &'a TraceFunctionFields);

impl Assemble for Functions<'_> {
    type Out = Vec<TraceFunction>;

    fn assemble<V: Number>(&self, values: &[V], out: &mut Vec<TraceFunction>) -> Result<(), Fault> {
        let fields = self.0;
        out.clear();
        for (i, record) in values.chunks_exact(fields.count).enumerate() {
            let number = |field: usize, what| narrow(record[field], i * fields.count + field, what);
            out.push(TraceFunction {
                name: number(fields.name, "a function's name")?,
                script_name: number(fields.script_name, "a script's name")?,
                script_id: number(fields.script_id, "a script's id")?,
                line: number(fields.line, "a line")?,
                column: number(fields.column, "a column")?,
            });
        }
        Ok(())
    }
}

/// `samples`.
pub(super) struct Samples<'a>(pub(super) &'a SampleFields);

impl Assemble for Samples<'_> {
    type Out = Vec<Sample>;

    fn assemble<V: Number>(&self, values: &[V], out: &mut Vec<Sample>) -> Result<(), Fault> {
        let fields = self.0;
        out.clear();
        for (i, record) in values.chunks_exact(fields.count).enumerate() {
            let id = i * fields.count + fields.last_assigned_id;
            out.push(Sample {
                timestamp_us: record[fields.timestamp].into(),
                last_assigned_id: narrow(record[fields.last_assigned_id], id, "an object's id")?,
                reserved: 0,
            });
        }
        Ok(())
    }
}

/// Reads the tree into `into`.
pub(super) fn tree<R: Read>(
    window: &mut Window<'_, R>,
    fields: &TraceFields,
    into: &mut AllocationsBuilder,
) -> Result<(), Error> {
    window.expect(b'[')?;
    // Who owns the list we are in, and the record of that list that is being read with its next field.
    let mut owner = None;
    let mut record: Option<(u32, usize)> = None;
    loop {
        let Some(byte) = window.peek_token()? else { return Err(window.truncated()) };
        match (byte, record) {
            // A list ends, empty or behind a whole record.
            (b']', None) => {
                window.advance(1);
                let Some(entry) = owner else { return Ok(()) };
                owner = into.parent(entry);
                record = behind(entry, fields.children, fields);
            }
            (b'[', open) if open.map_or(0, |(_, field)| field) == fields.children => {
                let entry = match open {
                    Some((entry, _)) => entry,
                    None => begin(window, into, owner)?,
                };
                window.advance(1);
                owner = Some(entry);
                record = None;
                continue;
            }
            (b'0'..=b'9', open) => {
                let (entry, field) = match open {
                    Some(open) => open,
                    None => (begin(window, into, owner)?, 0),
                };
                if field == fields.children {
                    return Err(window.malformed("expected `[`, found a number"));
                }
                let at = window.offset();
                let value = window.number()?;
                let functions = into.function_count() as u64;
                // Where the functions come later, the index is checked in the end.
                if field == fields.function && functions > 0 && value >= functions {
                    let what = format!(
                        "{ALLOCATION_ENTRY} {entry} points to {value}, but there are only {functions}"
                    );
                    let kind = ErrorKind::OutOfRange { section: "trace_tree", what };
                    return Err(window.error_at(kind, at));
                }
                let kept = into.entry(entry);
                let narrow = |value: u64, what: &str| {
                    u32::try_from(value).map_err(|_| {
                        let what = format!("{what} is {value}, which is beyond 32 bits");
                        window.error_at(ErrorKind::OutOfRange { section: "trace_tree", what }, at)
                    })
                };
                match field {
                    f if f == fields.id => kept.id = narrow(value, "an entry's id")?,
                    f if f == fields.function => kept.function = narrow(value, "a function")?,
                    f if f == fields.tally => kept.count = narrow(value, "a count")?,
                    f if f == fields.size => kept.size = value,
                    _ => {}
                }
                record = behind(entry, field, fields);
            }
            (b'-', _) => {
                let what = "a negative number where only counts and indexes stand";
                return Err(window.malformed(what));
            }
            (found, _) => {
                let found = (found as char).escape_default();
                return Err(window.malformed(format!("expected a number, found `{found}`")));
            }
        }
        // Behind a value: a comma and more, or the end of the list, which only a whole record may stand before.
        match window.peek_token()? {
            Some(b',') => {
                window.advance(1);
                if window.peek_token()? == Some(b']') {
                    return Err(window.malformed("expected a number, found `]`"));
                }
            }
            Some(b']') if record.is_none() => {}
            Some(found) => {
                let found = (found as char).escape_default();
                return Err(window.malformed(format!("expected `,` or `]`, found `{found}`")));
            }
            None => return Err(window.truncated()),
        }
    }
}

/// A new entry below its owner.
fn begin<R: Read>(
    window: &Window<'_, R>,
    into: &mut AllocationsBuilder,
    owner: Option<u32>,
) -> Result<u32, Error> {
    if into.len() as u64 >= u64::from(u32::MAX) {
        let what = "more allocation stacks than this program can index";
        return Err(window.error(ErrorKind::TooLarge(what.into())));
    }
    Ok(into.begin(owner))
}

/// What is to be read behind a field: the next one, or another record.
fn behind(entry: u32, field: usize, fields: &TraceFields) -> Option<(u32, usize)> {
    (field + 1 < fields.count).then_some((entry, field + 1))
}
