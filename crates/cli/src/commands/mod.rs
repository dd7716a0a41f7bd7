//! The commands, one file each.

mod allocations;
mod closures;
mod collections;
mod containment;
mod contexts;
mod detached;
mod diff;
mod dominators;
mod explain;
mod investigate;
mod native_contexts;
mod object;
mod opened;
mod retainers;
mod scan;
mod search;
mod stats;
mod strings;
mod summary;
mod suspects;
mod trend;
mod verify;
mod watch;

use std::time::Duration;

use leakline_report::Paint;

use crate::args::{Command, Index, Level, Opening};
use crate::error::CliError;
use crate::output::Output;

/// Runs a command and returns the exit code.
pub fn run(mut command: Command, output: &Output) -> Result<u8, CliError> {
    let mut result = view(&command, output);
    if let Some(Err(e)) = &result
        && e.is_damaged_index()
    {
        // The index is gone; the snapshot itself is still there.
        output.tell(Level::Warn, &format!("{} {e}", Paint::Warn.on("note:")));
        result = view(&command, output);
    }
    if matches!(&result, Some(Err(e)) if e.is_damaged_index()) {
        // It is still there, in a folder that is not ours.
        if let Some(opening) = opening_of(&mut command) {
            opening.index = Index::Never;
        }
        result = view(&command, output);
    }
    if let Some(result) = result {
        return result;
    }
    match command {
        Command::Demo(args) => crate::demo::run(args, output),
        Command::Investigate(args) => investigate::run(args, output),
        Command::Suspects(args) => suspects::run(args, output),
        Command::Diff(args) => diff::run(&args, output),
        Command::Allocations(args) => allocations::run(&args, output),
        Command::Trend(args) => trend::run(&args, output),
        Command::Verify(args) => verify::run(&args, output),
        Command::Watch(args) => watch::run(&args, output),
        Command::Scan(args) => scan::run(&args, output),
        Command::Explain(args) => explain::run(&args, output),
        _ => unreachable!("every other command is a view"),
    }
}

/// Whether a command has something to keep or to close when it is interrupted, and sees to it itself.
pub fn listens_itself(command: &Command) -> bool {
    match command {
        Command::Demo(_) | Command::Watch(_) => true,
        Command::Investigate(args) => args.targets.len() == 1,
        _ => false,
    }
}

/// How a command that looks at one snapshot opens it.
fn opening_of(command: &mut Command) -> Option<&mut Opening> {
    Some(match command {
        Command::Summary(args) => &mut args.opening,
        Command::Retainers(args) => &mut args.opening,
        Command::Object(args) => &mut args.shown.opening,
        Command::Containment(args) => &mut args.shown.opening,
        Command::Dominators(args) => &mut args.shown.opening,
        Command::Stats(args) => &mut args.opening,
        Command::Strings(args) => &mut args.shown.opening,
        Command::Closures(args) => &mut args.shown.opening,
        Command::Contexts(args) => &mut args.shown.opening,
        Command::Collections(args) => &mut args.shown.opening,
        Command::Detached(args) => &mut args.shown.opening,
        Command::NativeContexts(args) => &mut args.opening,
        Command::Search(args) => &mut args.shown.opening,
        _ => return None,
    })
}

/// Runs a command that looks at one snapshot; `None` when it is another one.
fn view(command: &Command, output: &Output) -> Option<Result<u8, CliError>> {
    Some(match command {
        Command::Summary(args) => summary::run(args, output),
        Command::Retainers(args) => retainers::run(args, output),
        Command::Object(args) => object::run(args, output),
        Command::Containment(args) => containment::run(args, output),
        Command::Dominators(args) => dominators::run(args, output),
        Command::Stats(args) => stats::run(args, output),
        Command::Strings(args) => strings::run(args, output),
        Command::Closures(args) => closures::run(args, output),
        Command::Contexts(args) => contexts::run(args, output),
        Command::Collections(args) => collections::run(args, output),
        Command::Detached(args) => detached::run(args, output),
        Command::NativeContexts(args) => native_contexts::run(args, output),
        Command::Search(args) => search::run(args, output),
        _ => return None,
    })
}

/// What live commands run on; `threads` besides the one that waits.
pub fn runtime(threads: usize) -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|e| CliError::internal("cannot start the runtime", e))
}

/// More often than this, the sampling itself would be the load.
const MIN_INTERVAL: Duration = Duration::from_millis(50);

/// Refuses to sample too often.
pub fn check_interval(interval: Duration) -> Result<(), CliError> {
    if interval >= MIN_INTERVAL {
        return Ok(());
    }
    Err(CliError::usage(
        "the interval is shorter than 50 ms: sampling would be a load of its own",
        "the default of 2s suits most services",
    ))
}

/// Completes when somebody asks the program to end: Ctrl-C, or a polite signal. Listening begins with the
/// call, not with the first poll: a signal during the attach must not kill us between opening an inspector
/// and arming its timer. A second signal ends the program at once; the timer in the target does the rest.
///
/// Must be called inside a runtime; with more than one thread where anything else runs in it, since the
/// comparison of snapshots occupies one.
pub fn interrupted() -> impl Future<Output = ()> + Send + 'static {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [mut a, mut b, mut c] = kinds.map(|k| signal(k).ok());
    let (tell, told) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        // A signal that cannot be listened for keeps its default action: it ends the program.
        async fn next(s: &mut Option<Signal>) {
            match s {
                Some(s) => {
                    s.recv().await;
                }
                None => std::future::pending().await,
            }
        }
        let mut any = async || tokio::select! { () = next(&mut a) => {}, () = next(&mut b) => {}, () = next(&mut c) => {} };
        any().await;
        let _ = tell.send(());
        any().await;
        std::process::exit(i32::from(crate::exit::INTERRUPTED));
    });
    async move {
        if told.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
