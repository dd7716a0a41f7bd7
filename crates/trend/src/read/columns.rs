//! Which column means what, and how a field's text becomes a value.

use crate::error::ReadErrorKind;

/// Larger than any memory a process has (2⁶⁰ bytes = 1 EiB); also where cgroup v1's "no limit" lies.
const MAX_COUNT: f64 = (1u64 << 60) as f64;

/// No clock of a memory series is beyond the year 5138; what is, is in milliseconds.
const MILLISECONDS_FROM: f64 = 1e11;

/// 10¹⁴ ms is the year 5138 again; above it the field is no time at all.
const MAX_TIME: f64 = 1e14;

/// Meanings a column can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Time,
    Elapsed,
    Rss,
    HeapUsed,
    HeapTotal,
    External,
    ArrayBuffers,
    Limit,
    Requests,
    Connections,
    GcMajorCount,
    StartTime,
    Series,
    Perturbed,
    FullGc,
}

impl Column {
    /// The meaning of a header. Case, `_`, `-` and spaces do not matter, nor does a trailing unit
    /// (`heap_used_bytes`), so `heapUsed`, `heap_used` and `Heap Used` are one column.
    pub(crate) fn named(header: &str) -> Option<Self> {
        let folded = folded(header);
        if let Some(found) = Self::plain(folded.strip_suffix("bytes").unwrap_or(&folded)) {
            return Some(found);
        }
        let (name, _) = unit_at_end(&folded)?;
        Self::plain(name).filter(|c| c.is_size())
    }

    /// The meaning of a folded name without its unit.
    fn plain(name: &str) -> Option<Self> {
        Some(match name {
            "time" | "timestamp" | "datetime" | "ts" => Self::Time,
            "elapseds" | "elapsed" | "elapsedseconds" => Self::Elapsed,
            "rss" => Self::Rss,
            "heapused" => Self::HeapUsed,
            "heaptotal" => Self::HeapTotal,
            "external" => Self::External,
            "arraybuffers" => Self::ArrayBuffers,
            "limit" => Self::Limit,
            "requests" => Self::Requests,
            "connections" => Self::Connections,
            "gcmajorcount" => Self::GcMajorCount,
            "starttime" | "starttimeseconds" => Self::StartTime,
            "series" => Self::Series,
            "perturbed" => Self::Perturbed,
            "fullgc" => Self::FullGc,
            _ => return None,
        })
    }

    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Elapsed => "elapsed_s",
            Self::Rss => "rss",
            Self::HeapUsed => "heap_used",
            Self::HeapTotal => "heap_total",
            Self::External => "external",
            Self::ArrayBuffers => "array_buffers",
            Self::Limit => "limit",
            Self::Requests => "requests",
            Self::Connections => "connections",
            Self::GcMajorCount => "gc_major_count",
            Self::StartTime => "start_time",
            Self::Series => "series",
            Self::Perturbed => "perturbed",
            Self::FullGc => "full_gc",
        }
    }

    /// Whether its values are sizes, and may have a unit.
    fn is_size(self) -> bool {
        self.is_memory() || matches!(self, Self::HeapTotal | Self::Limit)
    }

    pub(crate) fn is_memory(self) -> bool {
        matches!(self, Self::Rss | Self::HeapUsed | Self::External | Self::ArrayBuffers)
    }

    pub(crate) fn is_time(self) -> bool {
        matches!(self, Self::Time | Self::Elapsed)
    }
}

/// A header's columns by position, checked: a time and a memory column, no meaning twice.
pub(crate) fn checked(found: &[(Column, &str)], all: &[&str]) -> Result<(), ReadErrorKind> {
    for (i, (column, spelled)) in found.iter().enumerate() {
        if let Some((_, first)) = found[..i].iter().find(|(c, _)| c == column) {
            return Err(ReadErrorKind::TwoColumns {
                meaning: column.meaning(),
                first: clip(first),
                second: clip(spelled),
            });
        }
    }
    let list = || clip(&all.join(", "));
    if !found.iter().any(|(c, _)| c.is_time()) {
        return Err(ReadErrorKind::NoTime { found: list() });
    }
    if !found.iter().any(|(c, _)| c.is_memory()) {
        return Err(ReadErrorKind::NoMemory { found: list() });
    }
    Ok(())
}

/// What a unit of size multiplies with, in any case: KB, MB, GB are powers of 1000, KiB, MiB, GiB of 1024.
pub fn unit_factor(unit: &str) -> Option<f64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    })
}

/// A header without what does not matter in it.
fn folded(header: &str) -> String {
    header.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A folded header's name and its unit: `rssmb`.
fn unit_at_end(folded: &str) -> Option<(&str, f64)> {
    ["kib", "mib", "gib", "kb", "mb", "gb"]
        .iter()
        .find_map(|unit| Some((folded.strip_suffix(unit)?, unit_factor(unit)?)))
}

/// What a plain number in the column of that header is multiplied with.
fn factor_of_header(header: &str) -> f64 {
    unit_at_end(&folded(header)).map_or(1.0, |(_, factor)| factor)
}

/// One field: the text of a CSV field, or the scalar of a JSON key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Field<'a> {
    Text(&'a str),
    Number(f64),
    Flag(bool),
}

impl<'a> Field<'a> {
    pub(crate) fn text(self) -> &'a str {
        if let Self::Text(text) = self { text.trim() } else { "" }
    }

    /// A name; JSON may write it as a number.
    pub(crate) fn label(self) -> String {
        match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }

    /// A finite, non-negative number; `None` for an empty field.
    fn number(self, column: &str) -> Result<Option<f64>, ReadErrorKind> {
        let (column, value) = (column.to_owned(), self.shown());
        let number = match self {
            Self::Number(number) => number,
            Self::Flag(_) => return Err(ReadErrorKind::NotANumber { column, value }),
            Self::Text(text) => {
                let text = text.trim();
                if text.is_empty() || text.eq_ignore_ascii_case("null") {
                    return Ok(None);
                }
                match text.parse::<f64>() {
                    Ok(number) => number,
                    Err(_) => return Err(ReadErrorKind::NotANumber { column, value }),
                }
            }
        };
        if !number.is_finite() {
            return Err(ReadErrorKind::NotFinite { column, value });
        }
        if number < 0.0 {
            return Err(ReadErrorKind::Negative { column, value });
        }
        Ok(Some(number))
    }

    /// A size in bytes: a plain number in the unit of its header, or a number with a unit of its own.
    pub(crate) fn size(self, column: &str) -> Result<Option<u64>, ReadErrorKind> {
        let number = match self.with_unit() {
            Some(bytes) => Some(bytes),
            None => self.number(column)?.map(|n| n * factor_of_header(column)),
        };
        match number {
            Some(n) if n >= MAX_COUNT => {
                Err(ReadErrorKind::OutOfRange { column: column.to_owned(), value: self.shown() })
            }
            other => Ok(other.map(|n| n.round() as u64)),
        }
    }

    /// Bytes of `123 MB` and the like; `None` for anything else.
    fn with_unit(self) -> Option<f64> {
        let text = self.text();
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, unit) = text.split_at(end);
        let unit = unit.trim();
        let factor = if unit.eq_ignore_ascii_case("bytes") { Some(1.0) } else { unit_factor(unit) };
        Some(number.parse::<f64>().ok()? * factor?)
    }

    /// A counter. A fraction is rounded: exporters average.
    pub(crate) fn count(self, column: &str) -> Result<Option<u64>, ReadErrorKind> {
        match self.number(column)? {
            Some(n) if n >= MAX_COUNT => {
                Err(ReadErrorKind::OutOfRange { column: column.to_owned(), value: self.shown() })
            }
            other => Ok(other.map(|n| n.round() as u64)),
        }
    }

    /// A limit: as [`Self::count`], but `max` and absurdly large values are no limit, and neither
    /// is 0 (Docker's way to say so).
    pub(crate) fn limit(self, column: &str) -> Result<Option<u64>, ReadErrorKind> {
        if self.text().eq_ignore_ascii_case("max") {
            return Ok(None);
        }
        let number = match self.with_unit() {
            Some(bytes) => Some(bytes),
            None => self.number(column)?.map(|n| n * factor_of_header(column)),
        };
        Ok(number.filter(|n| (1.0..MAX_COUNT).contains(n)).map(|n| n as u64))
    }

    /// Seconds since some origin.
    pub(crate) fn seconds(self, column: &str) -> Result<Option<f64>, ReadErrorKind> {
        match self.number(column)? {
            Some(n) if n >= MILLISECONDS_FROM => {
                Err(ReadErrorKind::OutOfRange { column: column.to_owned(), value: self.shown() })
            }
            other => Ok(other),
        }
    }

    /// Unix seconds from RFC 3339, Unix seconds or Unix milliseconds.
    pub(crate) fn time(self, column: &str) -> Result<Option<f64>, ReadErrorKind> {
        let (owned, value) = (column.to_owned(), self.shown());
        match self.number(column) {
            Ok(Some(n)) if n >= MAX_TIME => Err(ReadErrorKind::OutOfRange { column: owned, value }),
            Ok(Some(n)) if n >= MILLISECONDS_FROM => Ok(Some(n / 1e3)),
            Err(ReadErrorKind::NotANumber { .. }) => match self.text().parse::<jiff::Timestamp>() {
                Ok(at) => Ok(Some(at.as_millisecond() as f64 / 1e3)),
                Err(_) => Err(ReadErrorKind::NotATime { column: owned, value }),
            },
            other => other,
        }
    }

    /// `true`, `1`; `false`, `0`, nothing.
    pub(crate) fn flag(self, column: &str) -> Result<bool, ReadErrorKind> {
        if let Self::Flag(flag) = self {
            return Ok(flag);
        }
        match self.text() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Ok(self.number(column)?.is_some_and(|n| n > 0.0)),
        }
    }

    fn shown(self) -> String {
        match self {
            Self::Text(text) => clip(text.trim()),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }
}

/// User text as it may stand in an error: short, on one line, no control characters.
pub(crate) fn clip(text: &str) -> String {
    const MOST: usize = 80;
    let mut out: String =
        text.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MOST).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_fold_case_separators_and_unit() {
        let table = [
            ("heapUsed", Some(Column::HeapUsed)),
            ("heap_used", Some(Column::HeapUsed)),
            ("heap_used_bytes", Some(Column::HeapUsed)),
            (" Array Buffers ", Some(Column::ArrayBuffers)),
            ("elapsed_s", Some(Column::Elapsed)),
            ("elapsed_seconds", Some(Column::Elapsed)),
            ("gc_major_count", Some(Column::GcMajorCount)),
            ("rss_mb", Some(Column::Rss)),
            ("heapTotalMiB", Some(Column::HeapTotal)),
            ("timestamp", Some(Column::Time)),
            ("requests_mb", None),
            ("mb", None),
            ("", None),
            ("bytes", None),
        ];
        for (header, expected) in table {
            assert_eq!(Column::named(header), expected, "{header}");
        }
    }

    #[test]
    fn times() {
        for (text, expected) in [
            ("1790000000", 1_790_000_000.0),
            ("1790000000.25", 1_790_000_000.25),
            ("1790000000250", 1_790_000_000.25),
            ("1970-01-01T00:01:00Z", 60.0),
            ("1970-01-01T01:00:00.500+01:00", 0.5),
        ] {
            assert_eq!(Field::Text(text).time("time").unwrap(), Some(expected), "{text}");
        }
        assert!(matches!(
            Field::Text("yesterday").time("time"),
            Err(ReadErrorKind::NotATime { .. })
        ));
        assert!(matches!(
            Field::Text("2026-01-31T03:00:00").time("time"),
            Err(ReadErrorKind::NotATime { .. })
        ));
    }

    #[test]
    fn sizes_with_units() {
        for (column, text, expected) in [
            ("rss", "123 MB", 123_000_000),
            ("rss", "1.5MiB", 1_572_864),
            ("rss_mb", "1.5", 1_500_000),
            ("heap_used_kib", "2", 2048),
            ("rss_mb", "2 KiB", 2048),
            ("heap_used_bytes", "77", 77),
        ] {
            assert_eq!(Field::Text(text).size(column).unwrap(), Some(expected), "{column} {text}");
        }
        assert_eq!(Field::Text("512MiB").limit("limit").unwrap(), Some(512 << 20));
        for text in ["1,5 MB", "12 parsecs", "-5 MB", "MB"] {
            assert!(Field::Text(text).size("rss").is_err(), "{text}");
        }
    }

    #[test]
    fn limits_without_a_limit() {
        for text in ["max", "", "0", "9223372036854771712"] {
            assert_eq!(Field::Text(text).limit("limit").unwrap(), None, "{text}");
        }
        assert_eq!(Field::Text("536870912").limit("limit").unwrap(), Some(536_870_912));
    }
}
