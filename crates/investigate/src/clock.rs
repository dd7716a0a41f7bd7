//! The wall clock, as text.

use jiff::Timestamp;

/// Now, RFC 3339, to the millisecond.
pub(crate) fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

/// A moment in Unix seconds, RFC 3339, to the millisecond.
pub(crate) fn at(unix_seconds: f64) -> String {
    let moment = Timestamp::from_millisecond((unix_seconds * 1000.0) as i64);
    moment.map_or_else(|_| now(), |t| format!("{t:.3}"))
}

/// Now, short enough for a folder's name: `20261123-031502`.
pub(crate) fn folder_stamp() -> String {
    let text = now();
    let digits = |from: usize, to: usize| -> String {
        text.get(from..to).unwrap_or_default().chars().filter(char::is_ascii_digit).collect()
    };
    format!("{}-{}", digits(0, 10), digits(11, 19))
}
