//! Why a series could not be read: the file, the line, what is wrong, and what to do next.

use thiserror::Error;

/// A series file that cannot be used.
#[derive(Debug, Error)]
#[error("{file}{}: {kind}", line.map(|l| format!(":{l}")).unwrap_or_default())]
pub struct ReadError {
    /// The file as the caller named it.
    pub file: String,
    /// 1-based line, where the fault lies on one.
    pub line: Option<u64>,
    kind: ReadErrorKind,
}

/// The kinds of fault. Messages are fragments; [`ReadError`] adds file and line.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// Nothing, or only white space.
    #[error("empty file")]
    Empty,
    /// Bytes that are no UTF-8.
    #[error("not UTF-8 text (byte {offset})")]
    NotUtf8 {
        /// Where the first bad byte is.
        offset: usize,
    },
    /// The first line holds numbers.
    #[error("no header line: the first line holds values")]
    NoHeader,
    /// No column gives the time.
    #[error("no time column among: {found}")]
    NoTime {
        /// The header's columns, shortened.
        found: String,
    },
    /// No column gives memory.
    #[error("no memory column among: {found}")]
    NoMemory {
        /// The header's columns, shortened.
        found: String,
    },
    /// Two columns with one meaning.
    #[error("two columns mean {meaning}: {first} and {second}")]
    TwoColumns {
        /// What both mean.
        meaning: &'static str,
        /// The first, as spelled.
        first: String,
        /// The second, as spelled.
        second: String,
    },
    /// A header, and nothing below it.
    #[error("no samples below the header")]
    NoSamples,
    /// Rows, but every memory field is empty.
    #[error("no memory figure in any row")]
    NoNumbers,
    /// A field that is no number.
    #[error("{column} is not a number: {value}")]
    NotANumber {
        /// The column, as spelled.
        column: String,
        /// The field, shortened.
        value: String,
    },
    /// NaN or an infinity.
    #[error("{column} is {value}")]
    NotFinite {
        /// The column, as spelled.
        column: String,
        /// The field, shortened.
        value: String,
    },
    /// Below zero.
    #[error("{column} is negative: {value}")]
    Negative {
        /// The column, as spelled.
        column: String,
        /// The field, shortened.
        value: String,
    },
    /// Larger than any memory or time.
    #[error("{column} is out of range: {value}")]
    OutOfRange {
        /// The column, as spelled.
        column: String,
        /// The field, shortened.
        value: String,
    },
    /// Figures that no process has.
    #[error("{column} is never above {largest} bytes, and no process is that small")]
    Tiny {
        /// The column's meaning.
        column: &'static str,
        /// Its largest value.
        largest: u64,
    },
    /// A time that is neither RFC 3339 nor Unix seconds.
    #[error("{column} is no time: {value}")]
    NotATime {
        /// The column, as spelled.
        column: String,
        /// The field, shortened.
        value: String,
    },
    /// A row without a time.
    #[error("row without a time")]
    MissingTime,
    /// `elapsed_s` runs backwards.
    #[error("elapsed time runs backwards: {before} s, then {after} s")]
    Backwards {
        /// The row before.
        before: f64,
        /// This row.
        after: f64,
    },
    /// Many rows carry a time that another row of the series has.
    #[error("{count} of {rows} rows repeat the time of another row")]
    DuplicateTimes {
        /// How many repeat.
        count: usize,
        /// How many rows the series has.
        rows: usize,
    },
    /// A CSV row with more or fewer fields than the header.
    #[error("{found} fields where the header has {expected}")]
    FieldCount {
        /// Fields of the header.
        expected: usize,
        /// Fields of this row.
        found: usize,
    },
    /// Quotes that do not close and the like.
    #[error("not valid CSV: {0}")]
    Csv(String),
    /// A line that is cut off.
    #[error("the JSON line is cut off")]
    TruncatedJson,
    /// A line that is no JSON object.
    #[error("not a JSON object: {0}")]
    Json(String),
}

impl ReadError {
    pub(crate) fn new(file: &str, line: Option<u64>, kind: ReadErrorKind) -> Self {
        Self { file: file.to_owned(), line, kind }
    }

    /// What is wrong, without the place.
    pub fn kind(&self) -> &ReadErrorKind {
        &self.kind
    }

    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        use ReadErrorKind as K;
        match self.kind {
            K::Empty | K::NoSamples => "record at least a few minutes of samples first",
            K::NotUtf8 { .. } => "save the series as UTF-8 text, CSV or JSON lines",
            K::NoHeader => "put a header such as `elapsed_s,rss` on the first line",
            K::NoTime { .. } => {
                "name the time column `time` (RFC 3339 or Unix seconds) or `elapsed_s`"
            }
            K::NoMemory { .. } => {
                "name a memory column `rss`, `heapUsed`, `external` or `arrayBuffers`, in bytes"
            }
            K::TwoColumns { .. } => "rename or remove one of the two columns",
            K::NoNumbers => "check that the memory columns were exported with their values",
            K::NotANumber { .. } => {
                "write plain bytes, as 1048576, or a size such as 512MiB; leave the field empty where there is no \
                 sample"
            }
            K::NotFinite { .. } => "leave the field empty where there is no sample: that is a gap",
            K::Negative { .. } => "leave the field empty where the value is unknown",
            K::OutOfRange { .. } => "memory is in bytes, time in seconds",
            K::Tiny { largest: 0, .. } => "leave the field empty where there is no sample",
            K::Tiny { .. } => {
                "if these are megabytes, say so: `rss_mb` as the column's name, or `100 MB` in the field"
            }
            K::NotATime { .. } => {
                "write times as 2026-01-31T03:00:00Z (with an offset) or as Unix seconds"
            }
            K::MissingTime => "give every row a time, or remove the row",
            K::Backwards { .. } => {
                "let elapsed_s run on over restarts, or give absolute times in a `time` column"
            }
            K::DuplicateTimes { .. } => {
                "several processes in one file need a `series` column that tells them apart; \
                 samples within one second need fractional times"
            }
            K::FieldCount { .. } | K::Csv(_) => {
                "give each row the header's fields, quoting those that contain the separator"
            }
            K::TruncatedJson => "remove the unfinished line and read the rest",
            K::Json(_) => "write one JSON object per line, with the column names as keys",
        }
    }
}
