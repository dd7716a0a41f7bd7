//! Errors as users meet them: what happened, why, what to do next, and the exit code.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

use crate::exit;

const DAMAGED_INDEX: &str = "index-damaged";

/// An error of a command.
#[derive(Debug)]
pub struct CliError {
    code: String,
    message: String,
    hint: Option<String>,
    exit: u8,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl CliError {
    /// Wrong usage that the argument parser cannot see.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new("usage", message, Some(hint.into()), exit::USAGE)
    }

    /// Input that cannot be used.
    pub fn bad_input(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(code, message, Some(hint.into()), exit::BAD_INPUT)
    }

    /// Somebody asked the program to end before there was an answer.
    pub fn interrupted() -> Self {
        let hint = Some("run the command again for an answer".into());
        Self::new("interrupted", "interrupted; nothing was left behind", hint, exit::INTERRUPTED)
    }

    /// An index that is not what was written. Where it could be removed, a new one is made next time.
    pub fn damaged_index(snapshot: &str, removed: bool) -> Self {
        let what = if removed { "was damaged and is removed" } else { "is damaged" };
        Self::bad_input(
            DAMAGED_INDEX,
            format!("{snapshot}: its index {what}"),
            "run the command again, or with --index never",
        )
    }

    /// Whether it is [`damaged_index`](Self::damaged_index).
    pub fn is_damaged_index(&self) -> bool {
        self.code == DAMAGED_INDEX
    }

    /// Something that is not there or does not answer.
    pub fn unreachable(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(code, message, Some(hint.into()), exit::UNREACHABLE)
    }

    /// Something that should not happen.
    pub fn internal(message: impl Into<String>, e: std::io::Error) -> Self {
        let mut error = Self::new("internal", message, None, exit::INTERNAL);
        error.source = Some(Box::new(e));
        error
    }

    fn new(code: &str, message: impl Into<String>, hint: Option<String>, exit: u8) -> Self {
        Self { code: code.into(), message: message.into(), hint, exit, source: None }
    }

    /// A file that cannot be read, for the readers that have no error of their own.
    pub fn file(path: &Path, e: std::io::Error) -> Self {
        let (code, what) = match e.kind() {
            std::io::ErrorKind::NotFound => ("file-not-found", "no such file"),
            std::io::ErrorKind::PermissionDenied => ("permission-denied", "permission denied"),
            std::io::ErrorKind::IsADirectory => ("io", "is a folder, not a file"),
            _ => ("io", "cannot be read"),
        };
        let mut error =
            Self::bad_input(code, format!("{}: {what}", path.display()), "check the path");
        // Otherwise the message has said it all.
        if what == "cannot be read" {
            error.source = Some(Box::new(e));
        }
        error
    }

    /// A file of ours that cannot be written.
    pub fn output_file(path: &Path, e: std::io::Error) -> Self {
        let mut error = Self::new(
            "output",
            format!("cannot write {}", path.display()),
            Some("check that the folder exists and that you may write there".into()),
            exit::INTERNAL,
        );
        error.source = Some(Box::new(e));
        error
    }

    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        self.exit
    }

    /// The case, for machines.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The reader of our output went away: `leakline … | head`. That is success.
    pub fn is_broken_pipe(&self) -> bool {
        let mut at: Option<&(dyn StdError + 'static)> = self.source.as_deref().map(|e| e as _);
        while let Some(e) = at {
            let broken = std::io::ErrorKind::BrokenPipe;
            if e.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == broken) {
                // Only our own output counts; a broken pipe to the target is a lost target.
                return self.code == "output";
            }
            at = e.source();
        }
        false
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for CliError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}

/// Writing to stdout failed.
impl From<std::io::Error> for CliError {
    fn from(e: std::io::Error) -> Self {
        let mut error = Self::new("output", "cannot write the output", None, exit::INTERNAL);
        error.source = Some(Box::new(e));
        error
    }
}

impl From<serde_json::Error> for CliError {
    fn from(e: serde_json::Error) -> Self {
        if let Some(kind) = e.io_error_kind() {
            return std::io::Error::from(kind).into();
        }
        let mut error = Self::new("internal", "cannot write JSON", None, exit::INTERNAL);
        error.source = Some(Box::new(e));
        error
    }
}

impl From<leakline_trend::ReadError> for CliError {
    fn from(e: leakline_trend::ReadError) -> Self {
        let hint = e.hint().to_string();
        Self::bad_input("bad-series", e.to_string(), hint)
    }
}

impl From<leakline_investigate::Error> for CliError {
    fn from(e: leakline_investigate::Error) -> Self {
        use leakline_investigate::ErrorClass;
        let exit = match e.class() {
            ErrorClass::Usage => exit::USAGE,
            ErrorClass::BadInput => exit::BAD_INPUT,
            ErrorClass::Unreachable => exit::UNREACHABLE,
            ErrorClass::Refused => exit::REFUSED,
            ErrorClass::Interrupted => exit::INTERRUPTED,
            ErrorClass::Internal => exit::INTERNAL,
        };
        let mut error = Self::new(e.code(), e.to_string(), e.hint(), exit);
        error.source = e.into_source();
        error
    }
}
