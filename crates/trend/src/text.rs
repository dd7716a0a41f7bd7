//! Numbers as people read them, for the reasons' sentences.

use crate::verdict::Where;

/// Seconds.
pub(crate) const HOUR: f64 = 3600.0;

/// `12.3 MiB`; a sign only if negative.
pub(crate) fn bytes(value: f64) -> String {
    let mut size = value.abs();
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = next;
    }
    let sign = if value < 0.0 { "-" } else { "" };
    if unit == "B" || size >= 100.0 {
        format!("{sign}{size:.0} {unit}")
    } else {
        format!("{sign}{size:.1} {unit}")
    }
}

/// A rate given per second, as MiB per minute where that is quick, else per hour.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second.abs() * 60.0 >= 1024.0 * 1024.0 {
        format!("{}/min", bytes(per_second * 60.0))
    } else {
        format!("{}/h", bytes(per_second * HOUR))
    }
}

/// `45 s`, `12 min`, `5.5 h`, `3.2 days`.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else if seconds < 7200.0 {
        format!("{:.0} min", seconds / 60.0)
    } else if seconds < 172_800.0 {
        format!("{:.1} h", seconds / HOUR)
    } else {
        format!("{:.1} days", seconds / 86_400.0)
    }
}

/// A part of memory; what cannot be told apart is RSS.
pub(crate) fn place(place: Where) -> &'static str {
    match place {
        Where::JsHeap => "the JavaScript heap",
        Where::ArrayBuffers => "array buffer memory",
        Where::External => "external memory",
        Where::Native => "native memory",
        Where::Unknown => "RSS",
    }
}

/// `1 gap`, `2 gaps`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// An interval of a rate: `12 MiB/h (95 %: 8 to 16 MiB/h)`.
pub(crate) fn rate_interval(slope: crate::verdict::Interval) -> String {
    let bound = |b: Option<f64>| b.map_or_else(|| "unbounded".to_owned(), rate);
    format!("{} (95 %: {} to {})", rate(slope.estimate), bound(slope.low), bound(slope.high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(bytes(512.0), "512 B");
        assert_eq!(bytes(-1536.0), "-1.5 KiB");
        assert_eq!(bytes(300.0 * 1024.0 * 1024.0), "300 MiB");
        assert_eq!(rate(1024.0 * 1024.0), "60.0 MiB/min");
        assert_eq!(rate(100.0), "352 KiB/h");
        assert_eq!(duration(90.0), "90 s");
        assert_eq!(duration(7200.0), "2.0 h");
    }
}
