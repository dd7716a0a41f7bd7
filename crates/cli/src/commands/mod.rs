//! The commands, one file each.

mod diff;
mod explain;
mod investigate;
mod retainers;
mod summary;
mod suspects;
mod trend;

use crate::args::Command;
use crate::error::CliError;
use crate::output::Output;

/// Runs a command and returns the exit code.
pub fn run(command: Command, output: &Output) -> Result<u8, CliError> {
    match command {
        Command::Demo(args) => crate::demo::run(args, output),
        Command::Investigate(args) => investigate::run(args, output),
        Command::Suspects(args) => suspects::run(args, output),
        Command::Summary(args) => summary::run(&args, output),
        Command::Diff(args) => diff::run(&args, output),
        Command::Retainers(args) => retainers::run(&args, output),
        Command::Trend(args) => trend::run(&args, output),
        Command::Explain(args) => explain::run(&args, output),
    }
}

/// Completes when somebody asks the program to end: Ctrl-C, or a polite signal.
pub async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [a, b, c] = kinds.map(signal);
    // A signal that cannot be listened for keeps its default action: it ends the program.
    let wait = async |s: std::io::Result<tokio::signal::unix::Signal>| match s {
        Ok(mut s) => {
            s.recv().await;
        }
        Err(_) => std::future::pending().await,
    };
    tokio::select! { () = wait(a) => {}, () = wait(b) => {}, () = wait(c) => {} }
}
