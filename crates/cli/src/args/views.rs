//! Arguments of the views of one snapshot.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use leakline_analysis::views::Range;

use super::Opening;
use crate::bytes;

/// How many rows a table has unless it was told otherwise.
const ROWS: usize = 25;

/// A snapshot and how much to show of it.
#[derive(Debug, Args)]
pub struct Shown {
    #[command(flatten)]
    pub opening: Opening,
    /// A snapshot
    pub file: PathBuf,
    /// Rows to print
    #[arg(long, default_value_t = ROWS, value_name = "N")]
    pub limit: usize,
}

#[derive(Debug, Args)]
pub struct Object {
    #[command(flatten)]
    pub shown: Shown,
    /// The object: @245233
    #[arg(value_name = "@ID")]
    pub object: String,
}

#[derive(Debug, Args)]
pub struct Containment {
    #[command(flatten)]
    pub shown: Shown,
    /// The object; without one, the root
    #[arg(value_name = "@ID")]
    pub object: Option<String>,
}

#[derive(Debug, Args)]
pub struct Dominators {
    #[command(flatten)]
    pub shown: Shown,
    /// The object; without one, the root
    #[arg(value_name = "@ID")]
    pub object: Option<String>,
}

#[derive(Debug, Args)]
pub struct Stats {
    #[command(flatten)]
    pub opening: Opening,
    /// A snapshot
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct Strings {
    #[command(flatten)]
    pub shown: Shown,
    /// Leave out what exists less often
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(2..), value_name = "N")]
    pub min_count: u64,
}

#[derive(Debug, Args)]
pub struct Closures {
    #[command(flatten)]
    pub shown: Shown,
    /// Only functions of scripts with this in their path
    #[arg(long, value_name = "TEXT")]
    pub script: Option<String>,
}

#[derive(Debug, Args)]
pub struct Contexts {
    #[command(flatten)]
    pub shown: Shown,
    /// Only scopes of scripts with this in their path
    #[arg(long, value_name = "TEXT")]
    pub script: Option<String>,
}

#[derive(Debug, Args)]
pub struct Collections {
    #[command(flatten)]
    pub shown: Shown,
    /// Which to show first: the largest store, or the most free room
    #[arg(long, value_enum, default_value = "store", value_name = "BY")]
    pub sort: CollectionsBy,
}

/// `--sort`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CollectionsBy {
    Store,
    Waste,
}

#[derive(Debug, Args)]
pub struct Detached {
    #[command(flatten)]
    pub shown: Shown,
}

#[derive(Debug, Args)]
pub struct NativeContexts {
    #[command(flatten)]
    pub opening: Opening,
    /// A snapshot
    pub file: PathBuf,
}

const SEARCH_EXAMPLES: &str = "\
EXAMPLES:
  # Everything of a class that is not small
  leakline search a.heapsnapshot --class Session --retained '>=1MB'

  # Texts with a word in them
  leakline search a.heapsnapshot --name authorization --type string

  # What was made by the code of one file
  leakline search a.heapsnapshot --script routes/items.js";

#[derive(Debug, Args)]
#[command(after_help = SEARCH_EXAMPLES)]
pub struct Search {
    #[command(flatten)]
    pub shown: Shown,
    /// The name contains this, in any case: a class, a text, a function
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// The class contains this, in any case: as in `leakline summary`
    #[arg(long, value_name = "TEXT")]
    pub class: Option<String>,
    /// The object id
    #[arg(long, value_name = "@ID")]
    pub id: Option<String>,
    /// The shallow size: 1MB-2MB, '>=10MB', 64
    #[arg(long, value_parser = bytes::range, value_name = "RANGE")]
    pub size: Option<Range>,
    /// The retained size
    #[arg(long, value_parser = bytes::range, value_name = "RANGE")]
    pub retained: Option<Range>,
    /// V8's type: object, closure, string, array, native, …
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// The path of the function's, or of the constructor's, script contains this
    #[arg(long, value_name = "PATH")]
    pub script: Option<String>,
}
