//! Sizes and ranges of sizes as people write them: `64`, `10KB`, `1.5 MiB`, `1MB-2MB`, `>=10MB`.

use leakline_analysis::views::Range;
use leakline_trend::unit_factor;

/// Reads a range of sizes. `KB`, `MB`, `GB` are thousands, `KiB`, `MiB`, `GiB` are powers of 1024; one size
/// alone is that size exactly, and an end that is left out is open.
pub fn range(text: &str) -> Result<Range, String> {
    let text = text.trim();
    let all = u64::MAX;
    let range = if let Some(size) = text.strip_prefix(">=") {
        Range { min: bytes(size)?, max: all }
    } else if let Some(size) = text.strip_prefix("<=") {
        Range { min: 0, max: bytes(size)? }
    } else if let Some(size) = text.strip_prefix('>') {
        let min = bytes(size)?.checked_add(1).ok_or("no size is larger than that")?;
        Range { min, max: all }
    } else if let Some(size) = text.strip_prefix('<') {
        let max = bytes(size)?.checked_sub(1).ok_or("no size is smaller than 0")?;
        Range { min: 0, max }
    } else if let Some((min, max)) = text.split_once('-') {
        match (min.trim(), max.trim()) {
            ("", "") => return Err("both ends are missing".into()),
            ("", max) => Range { min: 0, max: bytes(max)? },
            (min, "") => Range { min: bytes(min)?, max: all },
            (min, max) => Range { min: bytes(min)?, max: bytes(max)? },
        }
    } else {
        let size = bytes(text)?;
        Range { min: size, max: size }
    };
    if range.min > range.max {
        return Err("it ends below its beginning".into());
    }
    Ok(range)
}

/// Reads one size that is not 0.
pub fn size(text: &str) -> Result<u64, String> {
    match bytes(text)? {
        0 => Err("a size of 0 means nothing".into()),
        size => Ok(size),
    }
}

fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim();
    let factor = if unit.is_empty() { Some(1.0) } else { unit_factor(unit) };
    let factor = factor.ok_or_else(|| {
        let unit = unit.to_ascii_lowercase();
        format!("`{unit}` is no unit: B, KB, MB, GB, KiB, MiB, GiB")
    })?;
    let value: f64 =
        number.parse().map_err(|_| format!("`{text}` is no size: 64, 10KB, 1.5MiB"))?;
    // A value beyond 64 bits becomes the largest there is.
    Ok((value * factor).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_written() {
        let of = |text| range(text).map(|r| (r.min, r.max));
        for (text, min, max) in [
            ("64", 64, 64),
            ("1MB-2MB", 1_000_000, 2_000_000),
            ("1.5KiB - 2 KiB", 1536, 2048),
            (">=10MB", 10_000_000, u64::MAX),
            ("> 10", 11, u64::MAX),
            ("<=1k", 0, 1000),
            ("<1", 0, 0),
            ("10KB-", 10_000, u64::MAX),
            ("-10KB", 0, 10_000),
            (" 7 b ", 7, 7),
        ] {
            assert_eq!(of(text), Ok((min, max)), "{text}");
        }
        for text in ["", "-", "many", "1XB", "2MB-1MB", "<0", ">", "1..2", "--5", "1-2-3"] {
            assert!(of(text).is_err(), "{text}: {:?}", of(text));
        }
    }
}
