//! Where things are printed: results on stdout, everything else on stderr.

use std::io::{IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use leakline_report::{ErrorDocument, Paint};
use serde::Serialize;

use crate::args::{Color, Global, Level};
use crate::error::CliError;

/// How to print.
#[derive(Clone)]
pub struct Output {
    json: bool,
    level: Level,
    quiet: bool,
    choice: ColorChoice,
}

impl Output {
    pub fn new(global: &Global) -> Self {
        let choice = match global.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self { json: global.json, level: global.log, quiet: global.quiet, choice }
    }

    /// Whether stdout is for machines.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The same for people only.
    pub fn without_json(&self) -> Self {
        Self { json: false, ..self.clone() }
    }

    /// Whether to tell things of this level on stderr.
    pub fn tells(&self, level: Level) -> bool {
        level <= self.level && !(self.quiet && level >= Level::Info)
    }

    /// Whether to draw progress: not for a file, a pipe, or somebody who asked for quiet.
    pub fn draws(&self) -> bool {
        !self.quiet && self.level >= Level::Info && std::io::stderr().is_terminal()
    }

    /// Prints a result: JSON or text, as asked.
    pub fn result<T: Serialize>(
        &self,
        document: &T,
        text: impl FnOnce() -> String,
    ) -> Result<(), CliError> {
        crate::interrupt::answering();
        if self.json {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            serde_json::to_writer_pretty(&mut out, document)?;
            writeln!(out)?;
            out.flush()?;
            return Ok(());
        }
        self.text(&text())
    }

    /// Prints text on stdout.
    pub fn text(&self, text: &str) -> Result<(), CliError> {
        let mut out = AutoStream::new(std::io::stdout().lock(), self.choice_for_stdout());
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(())
    }

    fn choice_for_stdout(&self) -> ColorChoice {
        match self.choice {
            ColorChoice::Auto => AutoStream::choice(&std::io::stdout()),
            other => other,
        }
    }

    /// Prints a line on stderr. A closed stderr is nobody's concern.
    pub fn tell(&self, level: Level, line: &str) {
        if !self.tells(level) {
            return;
        }
        let choice = match self.choice {
            ColorChoice::Auto => AutoStream::choice(&std::io::stderr()),
            other => other,
        };
        let mut err = AutoStream::new(std::io::stderr().lock(), choice);
        let _ = writeln!(err, "{line}");
    }

    /// Reports an error on stderr, and for machines on stdout.
    pub fn error(&self, error: &CliError) {
        self.tell(Level::Error, &format!("{} {error}", Paint::Bad.on("error:")));
        let mut cause = std::error::Error::source(error);
        while let Some(c) = cause {
            self.tell(Level::Error, &format!("{} {c}", Paint::Strong.on("cause:")));
            cause = c.source();
        }
        if let Some(hint) = error.hint() {
            self.tell(Level::Error, &format!("{} {hint}", Paint::Strong.on("hint:")));
        }
        if self.json {
            print_error_json(error);
        }
    }
}

/// The error document on stdout.
pub fn print_error_json(error: &CliError) {
    let document = ErrorDocument {
        schema: "leakline/error/1",
        code: error.code().to_string(),
        message: error.to_string(),
        hint: error.hint().map(ToString::to_string),
    };
    if let Ok(json) = serde_json::to_string_pretty(&document) {
        let _ = writeln!(std::io::stdout().lock(), "{json}");
    }
}

/// A usage error on stderr, as the argument parser words it.
pub fn print_usage_error(body: &str, hint: &str) {
    let mut err = anstream::stderr().lock();
    let _ = writeln!(err, "{body}\n\n{} {hint}", Paint::Strong.on("hint:"));
}
