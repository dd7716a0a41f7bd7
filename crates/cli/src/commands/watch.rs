//! `leakline watch TARGET`

use std::future::Future;
use std::io::IsTerminal;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;

use leakline_investigate::{WatchOptions, WatchTarget, Watched, watch};
use leakline_report::{ListenerGrowth, WatchDocument, text};
use leakline_target::remote::Address;
use leakline_trend::{Verdict, advice};

use crate::args::Level;
use crate::args::memory::Watch;
use crate::asking;
use crate::commands::{check_interval, interrupted, runtime};
use crate::error::CliError;
use crate::exit;
use crate::output::Output;
use crate::watch::{Keys, Lines, Screen, Show};

pub fn run(args: &Watch, output: &Output) -> Result<u8, CliError> {
    check_interval(args.interval)?;
    let options = WatchOptions {
        target: target(args)?,
        interval: args.interval,
        duration: args.duration,
        until_verdict: args.until_verdict,
        output: args.output.clone(),
        signal_anyway: args.signal_anyway,
        limit: args.limit,
    };
    let runtime = runtime(1)?;
    let live = !output.is_json() && !args.plain && std::io::stdout().is_terminal();
    let watched = runtime.block_on(async {
        let signal = interrupted();
        let screen = if live { Screen::open().ok() } else { None };
        let (mut show, stop): (Show<'_>, Pin<Box<dyn Future<Output = ()> + Send>>) = match screen {
            Some((screen, keys)) => (Show::Screen(screen), Box::pin(either(signal, keys))),
            None if output.is_json() => (Show::Notes(Lines::new(output)), Box::pin(signal)),
            None => (Show::Lines(Lines::new(output)), Box::pin(signal)),
        };
        let watched = watch(&options, &mut |e| show.event(e), stop).await;
        if let Show::Screen(screen) = show {
            let lines = Lines::new(output);
            for note in screen.close() {
                lines.note(&note);
            }
        }
        watched
    });
    // A blocking question that is under way must not hold up the end.
    runtime.shutdown_background();
    conclude(watched?, args, output)
}

async fn either(signal: impl Future<Output = ()>, keys: Keys) {
    tokio::pin!(signal);
    tokio::select! {
        () = &mut signal => {}
        pressed = keys.0 => {
            // The keys cannot be read: signals still can.
            if pressed.is_err() {
                signal.await;
            }
        }
    }
}

fn conclude(watched: Watched, args: &Watch, output: &Output) -> Result<u8, CliError> {
    let state = watched.state;
    let leak = watched.trend.verdict == Verdict::Leak;
    let document = WatchDocument {
        schema: "leakline/watch/1",
        target: state.target,
        source: state.source,
        started: watched.started,
        samples: watched.series.samples.len(),
        missed_samples: state.missed,
        restarts: state.restarts,
        span_seconds: state.elapsed_seconds,
        next: advice(&watched.series, &watched.trend),
        trend: watched.trend,
        event_loop_delay_seconds: state.loop_delay_seconds.map(|(_, worst)| worst),
        listeners: state
            .listeners
            .into_iter()
            .map(|(first, last)| ListenerGrowth {
                emitter: first.emitter,
                event: first.event,
                first: first.count,
                last,
            })
            .collect(),
        series: watched.file.display().to_string(),
        interrupted: watched.interrupted,
        lost: watched.lost,
        actions: state
            .actions
            .into_iter()
            .map(|(time, what)| leakline_report::Action { time, what })
            .collect(),
    };
    output.result(&document, || text::watch(&document))?;
    if document.interrupted {
        output.tell(Level::Debug, "interrupted; what was learnt stands above");
        return Ok(exit::INTERRUPTED);
    }
    Ok(if args.fail_on_leak && leak { exit::LEAK } else { exit::DONE })
}

/// What kind of target that is.
fn target(args: &Watch) -> Result<WatchTarget, CliError> {
    let text = args.target.trim();
    if let Ok(pid) = text.parse::<u32>() {
        return Ok(WatchTarget::Process { pid, inspector: !args.no_inspector });
    }
    if let Some(rest) = text.strip_prefix("ws://") {
        let host = rest.split('/').next().unwrap_or_default();
        return Ok(WatchTarget::Inspector(resolve(host)?));
    }
    let none = |why: &str| {
        CliError::usage(
            format!("`{text}` is no target: {why}"),
            "name a pid (`pgrep -a node` lists them), an inspector (ws://127.0.0.1:9229/…), or the address of a JSON \
             endpoint with memory figures",
        )
    };
    if !text.contains("://") {
        return Err(none("neither a pid nor an address"));
    }
    let address = Address::parse(text).map_err(|why| none(&why))?;
    // An inspector has no pages of its own: an address without a path is one.
    let (_, rest) = address.as_str().split_once("://").unwrap_or_default();
    match rest.split_once('/') {
        None | Some((_, "")) if address.as_str().starts_with("http://") => {
            Ok(WatchTarget::Inspector(resolve(rest.trim_end_matches('/'))?))
        }
        _ => Ok(WatchTarget::Endpoint { address, http: asking::http(&args.asking)? }),
    }
}

fn resolve(host: &str) -> Result<SocketAddr, CliError> {
    let failed = || {
        CliError::usage(
            format!("`{host}` is no host and port of an inspector"),
            "write it as 127.0.0.1:9229; a JSON endpoint needs its path, as http://host:port/health",
        )
    };
    let mut found = host.to_socket_addrs().map_err(|_| failed())?;
    let address = found.next().ok_or_else(failed)?;
    if !address.ip().is_loopback() && !address.ip().is_unspecified() {
        return Err(CliError::usage(
            format!("the inspector at {address} is not on this machine"),
            "run Leakline on the machine of the service, with the pid: whose inspector it is can only be proven there",
        ));
    }
    Ok(address)
}
