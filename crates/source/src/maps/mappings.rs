//! The `mappings` of a source map: Base64 VLQ, as ECMA-426 has it.
//!
//! All numbers but the generated column are relative to the previous segment's, so a place is
//! found by one scan from the start. A handful of places is asked for, so the scan keeps nothing
//! and costs no memory; a fault behind the place asked for goes unnoticed and does no harm.

/// What a segment says, all 0-based.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// Column in the generated line.
    pub column: u32,
    /// Source, line and column before compilation; `None` for text that has none.
    pub original: Option<(u32, u32, u32)>,
    /// Index of the name it had.
    pub name: Option<u32>,
}

/// The fault at a byte of the mappings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    pub at: usize,
}

/// Reads segments one by one. Restarts the column with each line.
struct Reader<'m> {
    text: &'m [u8],
    at: usize,
    line: u32,
    column: i64,
    source: i64,
    original_line: i64,
    original_column: i64,
    name: i64,
}

impl<'m> Reader<'m> {
    fn new(text: &'m [u8]) -> Reader<'m> {
        Reader {
            text,
            at: 0,
            line: 0,
            column: 0,
            source: 0,
            original_line: 0,
            original_column: 0,
            name: 0,
        }
    }

    /// The next segment; its line is in `line`.
    fn next(&mut self) -> Result<Option<Segment>, Broken> {
        loop {
            match self.text.get(self.at) {
                None => return Ok(None),
                Some(b';') => {
                    self.line = self.line.saturating_add(1);
                    self.column = 0;
                    self.at += 1;
                }
                Some(b',') => self.at += 1,
                Some(_) => return self.segment().map(Some),
            }
        }
    }

    fn segment(&mut self) -> Result<Segment, Broken> {
        let start = self.at;
        let mut fields = [0_i64; 5];
        let mut count = 0;
        while let Some(&byte) = self.text.get(self.at) {
            if matches!(byte, b',' | b';') {
                break;
            }
            let value = self.number()?;
            *fields.get_mut(count).ok_or(Broken { at: start })? = value;
            count += 1;
        }
        let broken = Broken { at: start };
        self.column += fields[0];
        let column = u32::try_from(self.column).map_err(|_| broken)?;
        if count == 1 {
            return Ok(Segment { column, original: None, name: None });
        }
        if count < 4 {
            return Err(broken);
        }
        self.source += fields[1];
        self.original_line += fields[2];
        self.original_column += fields[3];
        let unsigned = |value: i64| u32::try_from(value).map_err(|_| broken);
        let original = Some((
            unsigned(self.source)?,
            unsigned(self.original_line)?,
            unsigned(self.original_column)?,
        ));
        let mut name = None;
        if count == 5 {
            self.name += fields[4];
            name = Some(unsigned(self.name)?);
        }
        Ok(Segment { column, original, name })
    }

    /// One number of at most 32 bits: five bits a digit, the lowest first; the lowest bit of all is
    /// the sign.
    fn number(&mut self) -> Result<i64, Broken> {
        let start = self.at;
        let mut value = 0_i64;
        let mut shift = 0;
        loop {
            let digit = self.text.get(self.at).and_then(|&byte| digit(byte));
            let digit = i64::from(digit.ok_or(Broken { at: self.at })?);
            self.at += 1;
            value |= (digit & 31) << shift;
            if digit & 32 == 0 {
                break;
            }
            shift += 5;
            if shift > 30 {
                return Err(Broken { at: start });
            }
        }
        Ok(if value & 1 == 0 { value >> 1 } else { -(value >> 1) })
    }
}

/// The value of a Base64 digit.
pub(super) fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// The segment that covers a place: the last of its line that starts at or before it. Before the
/// line's first segment stands only blank space, so that one is taken there.
pub(super) fn covering(text: &[u8], line: u32, column: u32) -> Result<Option<Segment>, Broken> {
    let mut reader = Reader::new(text);
    let mut before: Option<Segment> = None;
    let mut after: Option<Segment> = None;
    loop {
        let segment = match reader.next() {
            Ok(Some(segment)) if reader.line <= line => segment,
            // What comes before the fault on the line may already be the answer.
            Err(broken) if before.is_none() || reader.line < line => return Err(broken),
            _ => break,
        };
        if reader.line < line {
            continue;
        }
        if segment.column > column {
            if after.is_none_or(|it| segment.column < it.column) {
                after = Some(segment);
            }
        } else if before.is_none_or(|it| segment.column >= it.column) {
            before = Some(segment);
        }
    }
    Ok(before.or(after))
}

/// The segments of a part of a line that carry a name, as column and name.
pub(super) fn names_in(text: &[u8], line: u32, columns: std::ops::Range<u32>) -> Vec<(u32, u32)> {
    let mut reader = Reader::new(text);
    let mut out = Vec::new();
    while let Ok(Some(segment)) = reader.next() {
        if reader.line > line {
            break;
        }
        if reader.line == line
            && columns.contains(&segment.column)
            && let Some(name) = segment.name
        {
            out.push((segment.column, name));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the VLQ examples in ECMA-426.
    #[test]
    fn numbers() {
        for (text, value) in [
            ("A", 0),
            ("C", 1),
            ("D", -1),
            ("2H", 123),
            ("qxmvrH", 123_456_789),
            ("+/////D", 2_147_483_647),
        ] {
            assert_eq!(Reader::new(text.as_bytes()).number(), Ok(value), "{text}");
        }
        for text in ["", "g", "gggggggggA", "!", "é"] {
            assert!(Reader::new(text.as_bytes()).number().is_err(), "{text}");
        }
    }

    #[test]
    fn the_segment_that_covers_a_place() {
        // Columns 0, 9 and 14 of line 0, column 2 of line 2 (unmapped there from column 5 on).
        let text = b"AAAA,SAAIA,KACC;;EAEE,G";
        let at = |line, column| {
            covering(text, line, column).map(|it| it.and_then(|segment| segment.original))
        };
        assert_eq!(at(0, 0), Ok(Some((0, 0, 0))));
        assert_eq!(at(0, 8), Ok(Some((0, 0, 0))));
        assert_eq!(at(0, 9), Ok(Some((0, 0, 4))));
        assert_eq!(at(0, 5_000), Ok(Some((0, 1, 5))));
        assert_eq!(at(1, 0), Ok(None));
        assert_eq!(at(2, 0), Ok(Some((0, 3, 7))));
        assert_eq!(at(2, 4), Ok(Some((0, 3, 7))));
        assert_eq!(at(2, 5), Ok(None));
        assert_eq!(at(3, 0), Ok(None));
        assert_eq!(names_in(text, 0, 0..20), [(9, 0)]);
    }

    #[test]
    fn a_fault_costs_what_stands_behind_it() {
        let text = b"AAAA;AACA,!;AACA";
        assert!(covering(text, 0, 0).is_ok_and(|it| it.is_some()));
        assert!(covering(text, 1, 0).is_ok_and(|it| it.is_some()));
        assert_eq!(covering(text, 2, 0), Err(Broken { at: 10 }));
        // Three fields, six fields, a column before the line's start.
        for text in ["AAA", "AAAAAA", "D", "AAAAD", "ADAA"] {
            assert_eq!(covering(text.as_bytes(), 0, 0), Err(Broken { at: 0 }), "{text}");
        }
    }
}
