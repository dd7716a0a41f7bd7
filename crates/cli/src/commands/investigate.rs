//! `leakline investigate PID | A B [C…]`

use std::io::Write;
use std::path::{Path, PathBuf};

use leakline_investigate::{
    FilesOptions, LiveOptions, SuspectsOptions, investigate_files, investigate_live,
};
use leakline_report::{Investigation, text};

use crate::args::Investigate;
use crate::commands::{check_interval, interrupted, runtime};
use crate::error::CliError;
use crate::exit;
use crate::output::Output;
use crate::progress::Progress;

pub fn run(args: Investigate, output: &Output) -> Result<u8, CliError> {
    if args.show_probe {
        if output.is_json() {
            let probe =
                serde_json::json!({"schema": "leakline/probe/1", "probe": leakline_target::PROBE});
            output.result(&probe, String::new)?;
            return Ok(exit::DONE);
        }
        let mut out = std::io::stdout().lock();
        out.write_all(leakline_target::PROBE.as_bytes())?;
        return Ok(exit::DONE);
    }
    let fail_on_leak = args.fail_on_leak;
    let investigation = match pid_of(&args.targets)? {
        Some(pid) => live(args, pid, output)?,
        None => files(args, output)?,
    };
    output.result(&investigation, || format!("\n{}", text::investigation(&investigation)))?;
    Ok(if fail_on_leak && investigation.leak { exit::LEAK } else { exit::DONE })
}

/// The pid, or `None` for files.
fn pid_of(targets: &[String]) -> Result<Option<u32>, CliError> {
    let [target] = targets else { return Ok(None) };
    if let Ok(pid) = target.parse::<u32>() {
        return Ok(Some(pid));
    }
    if Path::new(target).exists() {
        return Err(CliError::usage(
            format!("`{target}` is one snapshot; what grew shows only in two or more"),
            "name two or three snapshots of one process, first to last",
        ));
    }
    Err(CliError::usage(
        format!("`{target}` is neither a pid nor a file"),
        "name a pid (`pgrep -a node` lists them), or snapshot files, first to last",
    ))
}

fn live(args: Investigate, pid: u32, output: &Output) -> Result<Investigation, CliError> {
    check_interval(args.interval)?;
    let runtime = runtime(1)?;
    let options = LiveOptions {
        pid,
        duration: args.duration,
        interval: args.interval,
        snapshots: args.snapshots,
        output: args.output,
        suspects: SuspectsOptions { source: args.source, requests: None },
        signal_anyway: args.signal_anyway,
        force: args.force,
        dry_run: args.dry_run,
    };
    let mut progress = Progress::new(output);
    let mut observe = |e: leakline_investigate::Event<'_>| progress.event(e);
    let run = async { investigate_live(&options, &mut observe, Box::pin(interrupted())).await };
    Ok(runtime.block_on(run)?)
}

fn files(args: Investigate, output: &Output) -> Result<Investigation, CliError> {
    let options = FilesOptions {
        files: args.targets.into_iter().map(PathBuf::from).collect(),
        output: args.output,
        suspects: SuspectsOptions { source: args.source, requests: None },
    };
    let mut progress = Progress::new(output);
    Ok(investigate_files(&options, &mut |e| progress.event(e))?)
}
