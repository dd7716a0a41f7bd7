//! The pieces of JSON a snapshot is made of: numbers in long arrays, strings, and values to skip.
//!
//! Not a general parser. V8's own strings may hold lone surrogates (`"\ud83d"`), which strict parsers
//! reject: they become U+FFFD here.

use std::io::Read;

use leakline_heap::StringTableBuilder;

use crate::error::Error;
use crate::window::Window;

/// Nesting that no section that is skipped reaches; where `meta` does not tell the fields of `trace_tree`, that is
/// one of them, and as deep as the program's call stacks.
const MAX_DEPTH: usize = 1 << 20;

/// More digits may not fit into 64 bits.
const MAX_DIGITS: usize = 19;

impl<R: Read> Window<'_, R> {
    /// Begins an array: consumes `[`. Returns whether it has elements.
    pub(crate) fn begin_array(&mut self) -> Result<bool, Error> {
        self.expect(b'[')?;
        if self.peek_token()? == Some(b']') {
            self.advance(1);
            return Ok(false);
        }
        Ok(true)
    }

    /// Consumes what follows an array element: `,` (true) or `]` (false).
    pub(crate) fn array_separator(&mut self) -> Result<bool, Error> {
        match self.peek_token()? {
            None => Err(self.truncated()),
            Some(b',') => {
                self.advance(1);
                Ok(true)
            }
            Some(b']') => {
                self.advance(1);
                Ok(false)
            }
            Some(b) => Err(self.malformed(format!(
                "expected `,` or `]`, found `{}`",
                (b as char).escape_default()
            ))),
        }
    }

    /// Reads a number without sign, fraction and exponent.
    pub(crate) fn number(&mut self) -> Result<u64, Error> {
        self.look_ahead()?;
        let digits = self.rest().iter().take_while(|b| b.is_ascii_digit());
        let mut len = 0;
        let value = digits
            .inspect(|_| len += 1)
            .take(MAX_DIGITS + 1)
            .fold(0u64, |v, digit| v.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
        if len == 0 {
            return Err(self.malformed("expected a number"));
        }
        if len > MAX_DIGITS {
            return Err(self.malformed("a number of more than 19 digits"));
        }
        self.advance(len);
        Ok(value)
    }

    /// Reads a string into the table.
    pub(crate) fn string_into(&mut self, table: &mut StringTableBuilder) -> Result<(), Error> {
        self.expect(b'"')?;
        self.look_ahead()?;
        let visible = self.rest();
        if let Some(end) = memchr::memchr2(b'"', b'\\', visible)
            && visible[end] == b'"'
            && let Ok(text) = std::str::from_utf8(&visible[..end])
        {
            table.push_str(text);
            table.finish_string();
            self.advance(end + 1);
            return Ok(());
        }
        let text = self.string_rest()?;
        table.push_str(&text);
        table.finish_string();
        Ok(())
    }

    /// Reads a string, e.g. a key.
    pub(crate) fn string(&mut self) -> Result<String, Error> {
        self.expect(b'"')?;
        self.string_rest()
    }

    /// The rest of a string after its opening quote, with escapes decoded, over any number of windows.
    fn string_rest(&mut self) -> Result<String, Error> {
        let mut out: Vec<u8> = Vec::new();
        // A high surrogate that waits for its second half.
        let mut high: Option<u16> = None;
        loop {
            self.look_ahead()?;
            let visible = self.rest();
            if visible.is_empty() {
                return Err(self.truncated());
            }
            let stop = memchr::memchr2(b'"', b'\\', visible).unwrap_or(visible.len());
            if stop > 0 {
                flush_lone(&mut high, &mut out);
                out.extend_from_slice(&visible[..stop]);
                self.advance(stop);
                continue;
            }
            if visible[0] == b'"' {
                flush_lone(&mut high, &mut out);
                self.advance(1);
                return Ok(match String::from_utf8(out) {
                    Ok(text) => text,
                    Err(e) => String::from_utf8_lossy(e.as_bytes()).into_owned(),
                });
            }
            let unit = self.escape()?;
            match (high, unit) {
                (Some(h), 0xDC00..=0xDFFF) => {
                    let point =
                        0x10000 + ((u32::from(h) - 0xD800) << 10) + (u32::from(unit) - 0xDC00);
                    push_char(char::from_u32(point), &mut out);
                    high = None;
                }
                (_, 0xD800..=0xDBFF) => {
                    flush_lone(&mut high, &mut out);
                    high = Some(unit);
                }
                _ => {
                    flush_lone(&mut high, &mut out);
                    push_char(char::from_u32(u32::from(unit)), &mut out);
                }
            }
        }
    }

    /// Consumes one escape and returns its UTF-16 unit.
    fn escape(&mut self) -> Result<u16, Error> {
        let visible = self.rest();
        let Some(&kind) = visible.get(1) else { return Err(self.truncated()) };
        let simple = match kind {
            b'"' | b'\\' | b'/' => kind,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let Some(hex) = visible.get(2..6) else { return Err(self.truncated()) };
                let unit = std::str::from_utf8(hex)
                    .ok()
                    .filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))
                    .and_then(|h| u16::from_str_radix(h, 16).ok());
                let Some(unit) = unit else {
                    return Err(self.malformed("`\\u` without four hexadecimal digits"));
                };
                self.advance(6);
                return Ok(unit);
            }
            _ => return Err(self.malformed("an escape that JSON does not know")),
        };
        self.advance(2);
        Ok(u16::from(simple))
    }

    /// Skips any value without looking into it, and without recursion.
    pub(crate) fn skip_value(&mut self) -> Result<(), Error> {
        self.walk_value(&mut |_| true)
    }

    /// The bytes of any value, at most `limit`.
    pub(crate) fn capture_value(&mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.walk_value(&mut |piece| {
            bytes.extend_from_slice(piece);
            bytes.len() <= limit
        })?;
        Ok(bytes)
    }

    fn walk_value(&mut self, sink: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Error> {
        let mut depth = 0usize;
        let mut in_string = false;
        let mut in_scalar = false;
        if let Some(b'}' | b']' | b',' | b':') = self.peek_token()? {
            return Err(self.malformed("expected a value"));
        }
        loop {
            self.look_ahead()?;
            let visible = self.rest();
            if visible.is_empty() {
                return Err(self.truncated());
            }
            let mut used = 0;
            let mut done = false;
            while used < visible.len() && !done {
                let b = visible[used];
                if in_string {
                    let skip = memchr::memchr2(b'"', b'\\', &visible[used..]);
                    match skip {
                        None => used = visible.len(),
                        Some(n) if visible[used + n] == b'"' => {
                            used += n + 1;
                            in_string = false;
                            done = depth == 0;
                        }
                        Some(n) if used + n + 1 < visible.len() => used += n + 2,
                        // The escaped byte is not visible yet: look again with a fresh window.
                        Some(n) => {
                            used += n;
                            break;
                        }
                    }
                    continue;
                }
                match b {
                    b'"' => in_string = true,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' | b',' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => {
                        done = true;
                    }
                    b'}' | b']' => {
                        depth -= 1;
                        done = depth == 0;
                    }

                    _ => in_scalar = in_scalar || depth == 0,
                }
                // A scalar ends before its separator, everything else with its last byte.
                if !(done && in_scalar && depth == 0) {
                    used += 1;
                }
                if depth > MAX_DEPTH {
                    return Err(self.malformed("nested too deeply"));
                }
            }
            if used == 0 && !done {
                return Err(self.truncated());
            }
            if !sink(&visible[..used]) {
                return Err(self.malformed("larger than any real one"));
            }
            self.advance(used);
            if done {
                return Ok(());
            }
        }
    }
}

fn push_char(c: Option<char>, out: &mut Vec<u8>) {
    let mut bytes = [0; 4];
    out.extend_from_slice(
        c.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut bytes).as_bytes(),
    );
}

fn flush_lone(high: &mut Option<u16>, out: &mut Vec<u8>) {
    if high.take().is_some() {
        push_char(None, out);
    }
}
