//! Bytes to series: CSV (comma, semicolon or tab) or JSON lines, told apart by the first character.
//!
//! Both formats are reduced to rows of (column, value) and checked in one place, so that a fault is
//! reported alike. Choices where the contract is silent:
//!
//! - An empty field, `null` or a missing key is a gap. `NaN` is an error: it is a value somebody
//!   computed, and dropping it would hide that.
//! - `time` may be out of order (exports of several shards are): rows are sorted, and the judgement
//!   says so. `elapsed_s` may not: if it falls, it restarted with the process, and sorting would
//!   shuffle two lives into one.
//! - Unix times above 10¹¹ can only be milliseconds (10¹¹ s is the year 5138) and are read as such.
//! - A clock that was set while the rows were written is mended, and that is said (`clock`).
//! - Sizes may have units, in the field or at the end of the header.
//! - A limit of `max`, or above 2⁶⁰, is no limit (cgroup v2 and v1 write these).
//!
//! Cost: one pass, O(rows log rows) for the sort.

mod clock;
mod columns;
mod delimited;
mod json_lines;

use std::collections::HashMap;

pub use self::columns::unit_factor;
use self::columns::{Column, Field};
use crate::error::{ReadError, ReadErrorKind};
use crate::sample::{Sample, Series};
use crate::thresholds::MAX_DUPLICATE_TIMES;
use crate::verdict::Reason;

/// A row's fields that have a known column, with the column's spelling in the file.
pub(crate) struct Row<'a> {
    pub(crate) line: u64,
    pub(crate) fields: Vec<(Column, &'a str, Field<'a>)>,
}

/// Reads every series of `bytes`. `file` stands in errors; `name_hint`, if not empty, names a
/// series that the file itself leaves unnamed.
///
/// # Errors
/// [`ReadError`] with file, line and a hint, for anything that is no such series.
pub fn read(bytes: &[u8], file: &str, name_hint: &str) -> Result<Vec<Series>, ReadError> {
    let noted = read_noted(bytes, file, name_hint)?;
    Ok(noted.into_iter().map(|(series, _)| series).collect())
}

/// [`read`], and what had to be mended in each series.
///
/// # Errors
/// As for [`read`].
pub fn read_noted(
    bytes: &[u8],
    file: &str,
    name_hint: &str,
) -> Result<Vec<(Series, Vec<Reason>)>, ReadError> {
    let fail = |line, kind| ReadError::new(file, line, kind);
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(body).map_err(|e| {
        let offset = bytes.len() - body.len() + e.valid_up_to();
        let line = bytes[..offset].split(|b| *b == b'\n').count() as u64;
        fail(Some(line), ReadErrorKind::NotUtf8 { offset })
    })?;
    let mut reader = Assembly::new(file);
    match text.trim_start().chars().next() {
        None => return Err(fail(None, ReadErrorKind::Empty)),
        Some('{' | '[') => json_lines::rows(text, file, |row| reader.push(&row))?,
        Some(_) => delimited::rows(text, file, |row| reader.push(&row))?,
    }
    reader.finish(name_hint)
}

/// One series while its rows arrive.
struct Building {
    name: Option<String>,
    first_line: u64,
    samples: Vec<Sample>,
    absolute: bool,
}

struct Assembly<'f> {
    file: &'f str,
    series: Vec<Building>,
    by_name: HashMap<String, usize>,
    any_memory: bool,
}

impl<'f> Assembly<'f> {
    fn new(file: &'f str) -> Self {
        Self { file, series: Vec::new(), by_name: HashMap::new(), any_memory: false }
    }

    fn push(&mut self, row: &Row<'_>) -> Result<(), ReadError> {
        let fail = |kind| ReadError::new(self.file, Some(row.line), kind);
        let mut sample = Sample::default();
        let mut name = String::new();
        let mut elapsed = None;
        let mut time = None;
        for &(column, spelled, field) in &row.fields {
            let bytes = |slot: &mut Option<u64>| -> Result<(), ReadError> {
                *slot = field.count(spelled).map_err(fail)?;
                Ok(())
            };
            let size = |slot: &mut Option<u64>| -> Result<(), ReadError> {
                *slot = field.size(spelled).map_err(fail)?;
                Ok(())
            };
            match column {
                Column::Time => time = field.time(spelled).map_err(fail)?,
                Column::Elapsed => elapsed = field.seconds(spelled).map_err(fail)?,
                Column::StartTime => sample.start_time = field.time(spelled).map_err(fail)?,
                Column::Series => name = field.label(),
                Column::Perturbed => sample.perturbed = field.flag(spelled).map_err(fail)?,
                Column::FullGc => sample.full_gc = field.flag(spelled).map_err(fail)?,
                Column::Limit => sample.limit = field.limit(spelled).map_err(fail)?,
                Column::Rss => size(&mut sample.rss)?,
                Column::HeapUsed => size(&mut sample.heap_used)?,
                Column::HeapTotal => size(&mut sample.heap_total)?,
                Column::External => size(&mut sample.external)?,
                Column::ArrayBuffers => size(&mut sample.array_buffers)?,
                Column::Requests => bytes(&mut sample.requests)?,
                Column::Connections => bytes(&mut sample.connections)?,
                Column::GcMajorCount => bytes(&mut sample.gc_major_count)?,
            }
        }
        // Absolute time wins: it survives restarts and clock origins.
        let absolute = time.is_some();
        let at = time.or(elapsed).ok_or_else(|| fail(ReadErrorKind::MissingTime))?;
        sample.elapsed_seconds = at;
        self.any_memory |= [sample.rss, sample.heap_used, sample.external, sample.array_buffers]
            .iter()
            .any(Option::is_some);

        let index = *self.by_name.entry(name.clone()).or_insert_with(|| {
            self.series.push(Building {
                name: (!name.is_empty()).then_some(name),
                first_line: row.line,
                samples: Vec::new(),
                absolute,
            });
            self.series.len() - 1
        });
        let series = &mut self.series[index];
        if series.absolute != absolute {
            // A row with only `elapsed_s` among rows with `time` has no place on their axis.
            return Err(fail(ReadErrorKind::MissingTime));
        }
        if let Some(last) = series.samples.last()
            && !absolute
            && at < last.elapsed_seconds
        {
            let kind = ReadErrorKind::Backwards { before: last.elapsed_seconds, after: at };
            return Err(fail(kind));
        }
        series.samples.push(sample);
        Ok(())
    }

    fn finish(mut self, name_hint: &str) -> Result<Vec<(Series, Vec<Reason>)>, ReadError> {
        let fail = |line, kind| ReadError::new(self.file, line, kind);
        if self.series.is_empty() {
            return Err(fail(None, ReadErrorKind::NoSamples));
        }
        if !self.any_memory {
            return Err(fail(None, ReadErrorKind::NoNumbers));
        }
        let mut notes: Vec<Vec<Reason>> = Vec::with_capacity(self.series.len());
        for series in &mut self.series {
            let absolute = series.absolute;
            notes.push(if absolute { clock::mend(&mut series.samples) } else { Vec::new() });
        }
        for series in &self.series {
            if let Some(kind) = tiny(&series.samples) {
                return Err(fail(Some(series.first_line), kind));
            }
        }
        // One origin for all series of the file, so that their segments can be compared.
        let origin = self
            .series
            .iter()
            .filter(|s| s.absolute)
            .flat_map(|s| s.samples.iter().map(|p| p.elapsed_seconds))
            .fold(f64::INFINITY, f64::min);
        let mut result = Vec::with_capacity(self.series.len());
        for (mut building, notes) in self.series.into_iter().zip(notes) {
            let rows = building.samples.len();
            let mut times: Vec<f64> = building.samples.iter().map(|s| s.elapsed_seconds).collect();
            times.sort_by(f64::total_cmp);
            times.dedup();
            let count = rows - times.len();
            // A couple of repeats are a coarse clock; many are several processes in one series.
            if count as f64 > MAX_DUPLICATE_TIMES * rows as f64 && rows > 2 {
                let kind = ReadErrorKind::DuplicateTimes { count, rows };
                return Err(fail(Some(building.first_line), kind));
            }
            if building.absolute {
                for sample in &mut building.samples {
                    sample.elapsed_seconds -= origin;
                }
            }
            let name =
                building.name.or_else(|| (!name_hint.is_empty()).then(|| name_hint.to_owned()));
            result.push((Series { name, samples: building.samples }, notes));
        }
        Ok(result)
    }
}

/// No process has so little memory: its figures are in another unit, or zeros for want of one.
const TINY_BYTES: u64 = 64 << 10;

/// So many samples before that is a fault.
const TINY_FROM_SAMPLES: usize = 8;

fn tiny(samples: &[Sample]) -> Option<ReadErrorKind> {
    let largest = |column: &'static str, of: fn(&Sample) -> Option<u64>| {
        samples.iter().filter_map(of).max().map(|largest| (column, largest))
    };
    let (column, largest) =
        largest("rss", |s| s.rss).or_else(|| largest("heap_used", |s| s.heap_used))?;
    (samples.len() >= TINY_FROM_SAMPLES && largest < TINY_BYTES)
        .then_some(ReadErrorKind::Tiny { column, largest })
}
