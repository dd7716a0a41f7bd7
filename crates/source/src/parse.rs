//! Running the parser so that no file can bring the process down.
//!
//! oxc's parser and its semantic pass recurse over the tree, so a file nested deeply enough would
//! overflow the stack, which aborts. Before parsing, one pass over the bytes bounds how deep the
//! tree can get; the parser then runs on a thread whose stack fits that bound, or the file is
//! refused. Stack pages that are not touched cost address space only.

use std::path::Path;
use std::thread;

use oxc_allocator::Allocator;
use oxc_parser::{ParseOptions, Parser};
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;

use crate::facts::{self, FileFacts};
use crate::location::LineIndex;
use crate::nesting::stack_needed;

/// The largest stack that is asked for; a file that needs more is refused.
const MAX_STACK_BYTES: usize = 1 << 30;

/// A file's facts, and what was lost on the way to them.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub facts: FileFacts,
    pub note: Option<String>,
    /// The file gave no facts at all; only its text can be searched.
    pub failed: bool,
}

impl Parsed {
    fn failed(note: String) -> Parsed {
        Parsed { facts: FileFacts::default(), note: Some(note), failed: true }
    }
}

/// Parses `text`, trying the dialects its name allows.
pub(crate) fn parse(path: &Path, text: &str, lines: &LineIndex) -> Parsed {
    let stack = stack_needed(text.as_bytes());
    if stack > MAX_STACK_BYTES {
        return Parsed::failed(format!(
            "{} is nested too deeply to be parsed; only its text was searched",
            path.display()
        ));
    }
    let ran = thread::scope(|scope| {
        thread::Builder::new()
            .name("source-parser".to_owned())
            .stack_size(stack)
            .spawn_scoped(scope, || parse_here(path, text, lines))
            .map(thread::ScopedJoinHandle::join)
    });
    match ran {
        Ok(Ok(parsed)) => parsed,
        Ok(Err(_)) => Parsed::failed(format!(
            "the parser failed on {}; only its text was searched",
            path.display()
        )),
        Err(cause) => Parsed::failed(format!(
            "no thread to parse {} on ({cause}); only its text was searched",
            path.display()
        )),
    }
}

/// The dialects to try, likeliest first. JSX stays on for JavaScript: it takes nothing away.
fn dialects(path: &Path) -> Vec<SourceType> {
    let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
    let typescript = SourceType::ts();
    match extension {
        "ts" | "mts" => vec![typescript, typescript.with_commonjs(true), SourceType::tsx()],
        "cts" => vec![typescript.with_commonjs(true), typescript],
        "tsx" => vec![SourceType::tsx(), typescript],
        "mjs" => vec![SourceType::mjs().with_jsx(true), SourceType::cjs(), typescript],
        "cjs" => vec![SourceType::cjs().with_jsx(true), SourceType::mjs(), typescript],
        // Node decides by package.json; the syntax decides as well: a CommonJS file has no
        // `import` declaration, and a module no top-level `return`.
        _ => vec![SourceType::cjs().with_jsx(true), SourceType::mjs().with_jsx(true), typescript],
    }
}

fn parse_here(path: &Path, text: &str, lines: &LineIndex) -> Parsed {
    let mut best: Option<(usize, Parsed)> = None;
    let mut first_error = None;
    for dialect in dialects(path) {
        let allocator = Allocator::default();
        let options = ParseOptions {
            allow_return_outside_function: true,
            preserve_parens: false,
            ..ParseOptions::default()
        };
        let parsed = Parser::new(&allocator, text, dialect).with_options(options).parse();
        let errors = parsed.diagnostics.len();
        if first_error.is_none()
            && let Some(error) = parsed.diagnostics.first()
        {
            let offset = error.labels.first().map_or(0, oxc_span::LabeledSpan::offset);
            first_error = Some((error.message.to_string(), lines.position(text, offset).0));
        }
        if parsed.panicked || best.as_ref().is_some_and(|(fewest, _)| *fewest <= errors) {
            continue;
        }
        let semantic = SemanticBuilder::new().with_build_nodes(true).build(&parsed.program);
        let facts = facts::build(&semantic.semantic);
        best = Some((errors, Parsed { facts, note: None, failed: false }));
        if errors == 0 {
            break;
        }
    }
    let error = first_error.map_or_else(String::new, |(message, line)| {
        format!(" (line {line}: {})", message.trim_end_matches('.'))
    });
    match best {
        Some((0, parsed)) => parsed,
        Some((_, mut parsed)) => {
            parsed.note = Some(format!(
                "{} has a syntax error{error}; the rest of it was used",
                path.display()
            ));
            parsed
        }
        None => Parsed::failed(format!(
            "{} cannot be parsed{error}; only its text was searched",
            path.display()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Parsed {
        parse(Path::new("x.js"), text, &LineIndex::new(text))
    }

    #[test]
    fn deep_files_do_not_overflow() {
        for n in [100, 3_000, 12_000, 40_000] {
            deep(n);
        }
    }

    fn deep(n: usize) {
        for (open, close) in [
            ("(", ")"),
            ("[", "]"),
            ("f(", ")"),
            ("a=>(", ")"),
            ("{a:", "}"),
            ("!", ""),
            ("a+", ""),
            ("a?b:", ""),
            ("a**", ""),
            ("a=>", ""),
            ("new ", ""),
            ("typeof ", ""),
            ("`${", "}`"),
            ("function(){return ", "}"),
            ("class{x=", "}"),
        ] {
            let text = format!("x = {}y{};", open.repeat(n), close.repeat(n));
            // Whether it parses or is refused does not matter; coming back does.
            let _ = parsed(&text);
        }
        for (unit, tail) in [("if (a) b; else ", ";"), ("{", ""), ("(", ""), ("a\n", "")] {
            let _ = parsed(&format!("{}{tail}", unit.repeat(n)));
        }
    }

    #[test]
    fn long_flat_files_are_parsed() {
        for unit in ["a.b(c, 'd');\n", "a.b(c, 'd')\n", "x = /[(]/;", "`${a}`;", "f(')');"] {
            let text = unit.repeat(20_000);
            let parsed = parsed(&text);
            assert!(!parsed.failed, "{unit:?}: {:?}", parsed.note);
        }
    }

    #[test]
    fn chains_are_kept_whole() {
        let text = format!("x = {}y;", "a + ".repeat(5_000));
        assert!(!parsed(&text).failed);
    }
}
