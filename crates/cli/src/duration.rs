//! Durations as people type them: `90s`, `5m`, `1.5h`, `500ms`, `30` (seconds).

use std::time::Duration;

/// Longer makes no sense for a run that somebody waits for, and keeps arithmetic far from overflow.
const MAX_SECONDS: f64 = 30.0 * 86_400.0;

/// Reads a duration.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 =
        number.parse().map_err(|_| format!("`{text}` is no duration; write 90s, 5m or 1h"))?;
    let factor = match unit.trim() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        other => return Err(format!("`{other}` is no unit of time; use ms, s, m, h or d")),
    };
    let seconds = number * factor;
    if !(0.0..=MAX_SECONDS).contains(&seconds) {
        return Err(format!("`{text}` is longer than 30 days"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Reads a duration that is not 0.
///
/// # Errors
/// What is wrong with it, in words.
pub fn positive(text: &str) -> Result<Duration, String> {
    match parse(text)? {
        Duration::ZERO => Err("it must be longer than nothing".into()),
        duration => Ok(duration),
    }
}

/// Reads a moment: RFC 3339 with an offset, or Unix seconds.
///
/// # Errors
/// What is wrong with it, in words.
pub fn moment(text: &str) -> Result<f64, String> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return if (0.0..1e11).contains(&seconds) {
            Ok(seconds)
        } else {
            Err("Unix seconds are between 0 and 100000000000".into())
        };
    }
    let at: jiff::Timestamp = text.parse().map_err(|_| {
        format!("`{text}` is no moment; write 2026-01-31T03:00:00Z or Unix seconds")
    })?;
    Ok(at.as_millisecond() as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_typed() {
        let cases = [("90s", 90.0), ("5m", 300.0), ("1.5h", 5400.0), ("500ms", 0.5), ("30", 30.0)];
        for (text, seconds) in cases {
            assert_eq!(parse(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "m", "5 fortnights", "-3s", "1e9h", "nan", "99999h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
