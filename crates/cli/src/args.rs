//! Arguments. Parsed first, acted on later; nothing here opens a file.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::duration;

pub mod memory;
pub mod views;

const EXAMPLES: &str = "\
EXAMPLES:
  # See it work: a leaking server is started, investigated and explained
  leakline demo

  # The service that is leaking right now, by pid
  leakline investigate 4711

  # Three snapshots that somebody took, first to last
  leakline suspects a.heapsnapshot b.heapsnapshot c.heapsnapshot

  # Is it a leak at all? A series of memory samples, CSV or JSON lines
  leakline trend memory.csv

  # The same while it happens, live
  leakline watch 4711

  # Did the fix fix it? Memory before and after, or two investigations
  leakline verify --before monday.csv --after thursday.csv

  # What leaks by its looks, without running anything
  leakline scan src

EXIT CODES:
  0 done  1 internal error  2 wrong usage  3 leak found (with --fail-on-…)
  4 bad input  5 target not reached  6 refused for the target's safety
  130 interrupted";

/// Take a leaking Node.js service to the line of code that leaks.
#[derive(Debug, Parser)]
#[command(
    name = "leakline",
    version,
    about = "Take a leaking Node.js service to the line of code that leaks",
    after_help = EXAMPLES,
    max_term_width = 80
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Machine output on stdout, nothing else there
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress on stderr
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: Color,
    /// How much to tell on stderr
    #[arg(long, global = true, value_enum, default_value = "info", value_name = "LEVEL")]
    pub log: Level,
}

/// `--color`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// `--log`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

/// Flags of every command that opens a snapshot.
#[derive(Debug, Args)]
pub struct Opening {
    /// Whether to keep an index beside the snapshot, which makes the next look fast
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub index: Index,
}

/// `--index`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Index {
    Auto,
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole walkthrough on a built-in leaking server
    Demo(Demo),
    /// Investigate a live process, or snapshot files: leak or not, and where
    Investigate(Investigate),
    /// Name the leak in two or more snapshots of one process
    Suspects(Suspects),
    /// What is in a snapshot, by constructor
    Summary(Summary),
    /// What came and what went between snapshots
    Diff(Diff),
    /// Who keeps an object alive; weak references do not
    Retainers(Retainers),
    /// One object: its sizes, what it holds, who holds it
    Object(views::Object),
    /// What the root, or an object, holds
    Containment(views::Containment),
    /// What dies with an object, and with whom it dies
    Dominators(views::Dominators),
    /// The heap by kind of memory
    Stats(views::Stats),
    /// Strings that exist several times
    Strings(views::Strings),
    /// Functions by the line they are written at
    Closures(views::Closures),
    /// What closures keep in the scopes they share
    Contexts(views::Contexts),
    /// Maps, sets, arrays and dictionaries by how full they are
    Collections(views::Collections),
    /// Detached objects: only JavaScript still holds them
    Detached(views::Detached),
    /// Worlds with a global object of their own
    NativeContexts(views::NativeContexts),
    /// Objects by name, class, id, type, size or script
    Search(views::Search),
    /// Who allocated what is alive, from a sampling heap profile
    Allocations(Allocations),
    /// Is it a leak? The verdict on a series of memory samples
    Trend(memory::Trend),
    /// Watch the memory of a live target, and judge it as it goes
    Watch(memory::Watch),
    /// Is it fixed? Memory before a change against memory after it
    Verify(memory::Verify),
    /// Find leaks that can be told from the source
    Scan(Scan),
    /// What a rule means and what to do about it
    Explain(Explain),
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Where to write the investigation
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Investigate {
    /// A pid, or two or more snapshot files, first to last
    #[arg(required_unless_present = "show_probe", value_name = "TARGET|FILE")]
    pub targets: Vec<String>,
    /// Where to write the investigation [default: ./leakline-PID-TIME]
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// How long to watch
    #[arg(long, default_value = "5m", value_parser = duration::parse, value_name = "TIME")]
    pub duration: Duration,
    /// How often to sample memory
    #[arg(long, default_value = "2s", value_parser = duration::parse, value_name = "TIME")]
    pub interval: Duration,
    /// How many snapshots to take; 0 for none
    #[arg(
        long,
        default_value_t = 3,
        value_parser = clap::value_parser!(u32).range(0..=10),
        value_name = "N"
    )]
    pub snapshots: u32,
    /// Folders to look for sources in
    #[arg(long, value_name = "DIR")]
    pub source: Vec<PathBuf>,
    /// Print the JavaScript that is run inside the target, and stop
    #[arg(long)]
    pub show_probe: bool,
    /// Check and predict, but do nothing to the target
    #[arg(long)]
    pub dry_run: bool,
    /// Signal although it cannot be proven that SIGUSR1 opens the inspector
    #[arg(long)]
    pub signal_anyway: bool,
    /// Take snapshots although there is too little room, for this reason
    #[arg(long, value_name = "REASON")]
    pub force: Option<String>,
    /// Exit with 3 when there is a leak
    #[arg(long)]
    pub fail_on_leak: bool,
}

#[derive(Debug, Args)]
pub struct Suspects {
    #[command(flatten)]
    pub opening: Opening,
    /// Snapshots of one process, first to last
    #[arg(required = true, num_args = 2.., value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Folders to look for sources in
    #[arg(long, value_name = "DIR")]
    pub source: Vec<PathBuf>,
    /// Requests served between the first and the last snapshot
    #[arg(long, value_name = "N")]
    pub requests: Option<u64>,
    /// Exit with 3 when there is a leak
    #[arg(long)]
    pub fail_on_leak: bool,
}

#[derive(Debug, Args)]
pub struct Summary {
    #[command(flatten)]
    pub opening: Opening,
    /// A snapshot
    pub file: PathBuf,
    /// Rows to print
    #[arg(long, default_value_t = 25, value_name = "N")]
    pub limit: usize,
}

#[derive(Debug, Args)]
pub struct Diff {
    #[command(flatten)]
    pub opening: Opening,
    /// Snapshots, first to last
    #[arg(required = true, num_args = 2.., value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Rows to print
    #[arg(long, default_value_t = 25, value_name = "N")]
    pub limit: usize,
}

#[derive(Debug, Args)]
pub struct Retainers {
    #[command(flatten)]
    pub opening: Opening,
    /// A snapshot
    pub file: PathBuf,
    /// The object: @245233
    #[arg(value_name = "@ID")]
    pub object: String,
    /// Paths to look for
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..), value_name = "N")]
    pub max_paths: u16,
    /// All independent paths, a thousand at most
    #[arg(long, conflicts_with = "max_paths")]
    pub all: bool,
    /// Pass over this retainer: what else holds the object? May be repeated
    #[arg(long, value_name = "@ID")]
    pub ignore: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Allocations {
    /// A profile that `node --heap-prof` or DevTools wrote
    #[arg(value_name = "FILE.heapprofile")]
    pub file: PathBuf,
    /// Functions to print
    #[arg(long, default_value_t = 25, value_name = "N")]
    pub limit: usize,
}

#[derive(Debug, Args)]
pub struct Scan {
    /// A folder, or a single file
    #[arg(value_name = "DIR")]
    pub path: PathBuf,
    /// Scan installed packages as well
    #[arg(long)]
    pub include_node_modules: bool,
    /// Write the findings as SARIF 2.1.0, to a file or with - to stdout
    #[arg(long, value_name = "FILE|-")]
    pub sarif: Option<PathBuf>,
    /// Exit with 3 when there is a finding
    #[arg(long)]
    pub fail_on_finding: bool,
}

#[derive(Debug, Args)]
pub struct Explain {
    /// A rule's id; without one, the list
    pub rule: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        super::Cli::command().debug_assert();
    }
}
