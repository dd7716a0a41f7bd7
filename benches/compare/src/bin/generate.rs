//! `generate SIZE OUT`: a synthetic heap snapshot of about that size.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use leakline_compare::synth::{Layout, Shape, Wanted, parse_bytes, write};

#[derive(Parser)]
#[command(about = "Streams a synthetic heap snapshot of about a given size")]
struct Arguments {
    /// How long the file is to be, for instance 50M or 4200M
    #[arg(value_parser = parse_bytes)]
    size: u64,
    /// The file to write
    out: PathBuf,
    /// Chooses sizes, names and targets; the same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What the graph looks like
    #[arg(long, value_enum, default_value = "service")]
    shape: Shape,
    /// Whose layout the file has
    #[arg(long, value_enum, default_value = "node20")]
    layout: Layout,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let wanted = Wanted {
        bytes: arguments.size,
        shape: arguments.shape,
        layout: arguments.layout,
        seed: arguments.seed,
    };
    let plan = wanted.plan();
    let done = File::create(&arguments.out).and_then(|file| write(&plan, file));
    let mut err = std::io::stderr().lock();
    // Nothing can be done about a closed stderr.
    let _ = match &done {
        Ok(()) => writeln!(err, "{}: {:?}", arguments.out.display(), plan.counts()),
        Err(e) => {
            writeln!(err, "error: cannot write {}\ncause: {e}", arguments.out.display())
        }
    };
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
