//! How deep a script's syntax tree can get, from one pass over its bytes.
//!
//! The depth comes from two things: brackets that are open at once, and links of one chain inside
//! the same bracket (`a + b + c`, `!!!a`, `if … else if …`). The scan counts both, skips strings
//! and comments, and forgets a chain where a statement or a list item certainly ends. Where it
//! cannot tell, it keeps counting: too high costs address space, too low would cost the process.

/// Stack for one bracket level. With the parser built at `opt-level = 1`, the test
/// `deep_files_do_not_overflow` of `parse` passes with a sixteenth of this and of the next figure and
/// overflows with a sixty-fourth; the rest is room for unoptimised builds.
const BRACKET_BYTES: usize = 24 << 10;
/// Stack for one link of a chain.
const LINK_BYTES: usize = 4 << 10;
/// Enough for any file of ordinary depth.
const MIN_STACK_BYTES: usize = 32 << 20;

/// An upper estimate of the stack that parsing takes, in bytes. Linear in the text.
pub(crate) fn stack_needed(text: &[u8]) -> usize {
    Scan { text, ..Scan::default() }.run().saturating_add(MIN_STACK_BYTES)
}

/// Links of the chains at one bracket level.
#[derive(Debug, Default, Clone, Copy)]
struct Level {
    /// Of the expression at hand.
    links: usize,
    /// Of statements that hold statements: they outlive an expression.
    held: usize,
}

#[derive(Debug, Default)]
struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    level: Level,
    open: Vec<Level>,
    around: usize,
    /// Numbers of open brackets at which a template's hole ends.
    holes: Vec<usize>,
    /// The last byte that is no blank or comment.
    last: u8,
    /// The last word was one that needs an operand or statement after it.
    expects_more: bool,
    /// A line ended since `last`.
    new_line: bool,
}

impl Scan<'_> {
    /// The dearest path from the outermost bracket inwards, in bytes of stack.
    fn run(mut self) -> usize {
        let mut worst = 0_usize;
        while let Some(&byte) = self.text.get(self.at) {
            self.step(byte);
            let here = (self.level.links + self.level.held).saturating_mul(LINK_BYTES);
            worst = worst.max(self.around.saturating_add(here));
        }
        worst
    }

    fn step(&mut self, byte: u8) {
        if is_word(byte) {
            return self.word();
        }
        let next = self.text.get(self.at + 1).copied().unwrap_or(0);
        match byte {
            b'\n' | b'\r' => self.new_line = true,
            b' ' | b'\t' => {}
            b'/' if next == b'/' => {
                let rest = &self.text[self.at..];
                self.at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                return;
            }
            b'/' if next == b'*' => {
                let rest = &self.text[self.at + 2..];
                self.at += memchr::memmem::find(rest, b"*/").map_or(rest.len() + 2, |end| end + 4);
                return;
            }
            _ => {
                self.token(byte);
                self.last = byte;
                self.expects_more = false;
                self.new_line = false;
            }
        }
        self.at += 1;
    }

    fn token(&mut self, byte: u8) {
        match byte {
            b'\'' | b'"' => {
                self.statement_boundary();
                self.level.links += 1;
                self.at = skip_string(self.text, self.at);
            }
            b'`' => {
                self.level.links += 1;
                self.skip_template();
            }
            b'(' | b'[' | b'{' => self.open(),
            b'}' if self.holes.last() == Some(&self.open.len()) => {
                self.holes.pop();
                self.close();
                self.skip_template();
            }
            b')' | b']' | b'}' => self.close(),
            b';' => {
                self.level.links = 0;
                // `if (a) b; else …` goes on.
                if !self.word_follows(&[b"else"]) {
                    self.level.held = 0;
                }
            }
            b',' => self.level.links = 0,
            _ => self.level.links += 1,
        }
    }

    fn word(&mut self) {
        let start = self.at;
        let rest = &self.text[start..];
        self.at += rest.iter().position(|&byte| !is_word(byte)).unwrap_or(rest.len());
        let word = &self.text[start..self.at];
        if !matches!(word, b"in" | b"instanceof" | b"else" | b"of" | b"as" | b"satisfies") {
            self.statement_boundary();
        }
        if matches!(word, b"if" | b"else" | b"for" | b"while" | b"do" | b"with" | b"case") {
            self.level.held += 1;
        } else {
            self.level.links += 1;
        }
        self.expects_more = matches!(
            word,
            b"typeof"
                | b"void"
                | b"delete"
                | b"new"
                | b"await"
                | b"yield"
                | b"return"
                | b"throw"
                | b"in"
                | b"instanceof"
                | b"of"
                | b"else"
                | b"do"
                | b"case"
                | b"extends"
                | b"async"
                | b"as"
                | b"satisfies"
                | b"keyof"
                | b"infer"
                | b"unique"
                | b"readonly"
                | b"is"
        );
        self.last = b'a';
        self.new_line = false;
    }

    /// A word or string begins: if what came before is complete, a new statement begins with it.
    fn statement_boundary(&mut self) {
        let after_block = self.last == b'}';
        let complete = is_word(self.last) || matches!(self.last, b')' | b']' | b'"' | b'\'' | b'`');
        if after_block {
            self.level = Level::default();
        } else if self.new_line && complete && !self.expects_more {
            self.level.links = 0;
            // After `)` the new statement may be the body of an `if`.
            if self.last != b')' {
                self.level.held = 0;
            }
        }
    }

    fn word_follows(&self, words: &[&[u8]]) -> bool {
        let rest = self.text.get(self.at + 1..).unwrap_or_default();
        let rest = rest.trim_ascii_start();
        // A comment in between may hide the word.
        words.iter().any(|word| rest.starts_with(word)) || rest.starts_with(b"/")
    }

    fn cost(level: Level) -> usize {
        (level.links + level.held).saturating_mul(LINK_BYTES).saturating_add(BRACKET_BYTES)
    }

    fn open(&mut self) {
        self.around = self.around.saturating_add(Self::cost(self.level));
        self.open.push(std::mem::take(&mut self.level));
    }

    fn close(&mut self) {
        if let Some(outer) = self.open.pop() {
            self.around = self.around.saturating_sub(Self::cost(outer));
            self.level = outer;
            // The bracket is one link of the chain that it stands in.
            self.level.links += 1;
        }
    }

    /// Skips a template's text, from its backtick or the end of a hole to its end or next hole.
    fn skip_template(&mut self) {
        let mut at = self.at + 1;
        while let Some(&byte) = self.text.get(at) {
            match byte {
                b'\\' => at += 1,
                b'`' => {
                    self.at = at;
                    return;
                }
                b'$' if self.text.get(at + 1) == Some(&b'{') => {
                    self.at = at + 1;
                    self.open();
                    self.holes.push(self.open.len());
                    return;
                }
                _ => {}
            }
            at += 1;
        }
        // Not closed: no template after all, so what follows is counted as code.
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// The index of the string's closing quote; for one that is not closed on its line (a quote inside
/// a regular expression) that of its start, so that what follows is counted as code.
fn skip_string(text: &[u8], start: usize) -> usize {
    let quote = text[start];
    let mut at = start + 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' => return start,
            byte if byte == quote => return at,
            _ => {}
        }
        at += 1;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_files_need_little_however_long() {
        for unit in [
            "a.b(c, 'd');\n",
            "a.b(c, 'd')\n",
            "if (a) { b() } else { c() }\n",
            "const f = (x) => {\n  return x + 1\n}\n",
            "function f(){return 1}",
            "a=1,b=2,",
            "if(a)b;else c;",
        ] {
            let stack = stack_needed(unit.repeat(50_000).as_bytes());
            assert!(stack < 64 << 20, "{unit:?} {stack}");
        }
    }

    #[test]
    fn nested_files_need_much() {
        for unit in [
            "(",
            "[",
            "{a:",
            "!",
            "a+",
            "a=>",
            "a?b:",
            "`${",
            "if(a)",
            "if(a)b;else ",
            "typeof ",
            "typeof\n",
            "if(a)\n",
            "else\n",
        ] {
            let stack = stack_needed(unit.repeat(50_000).as_bytes());
            assert!(stack > 180 << 20, "{unit:?} {stack}");
        }
    }
}
