//! `leakline demo`: the whole walkthrough on a server that leaks.
//!
//! The server, the load on it and the investigation all live in this process' care: the server ends when its
//! standard input closes, whatever ends us.

mod load;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use leakline_investigate::{LiveOptions, SuspectsOptions, investigate_live};
use leakline_report::text;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::args::{Demo, Level};
use crate::commands::{interrupted, runtime};
use crate::demo::load::Load;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;
use crate::progress::Progress;

const SERVER: &str = include_str!("server.js");

/// How long the demo watches. The whole run stays under two minutes on a small machine.
const DURATION: Duration = Duration::from_secs(40);
const INTERVAL: Duration = Duration::from_secs(1);
/// A server that has not said its port by then will not.
const START: Duration = Duration::from_secs(15);

pub fn run(args: Demo, output: &Output) -> Result<u8, CliError> {
    let runtime = runtime(2)?;
    runtime.block_on(demo(args, output))
}

async fn demo(args: Demo, output: &Output) -> Result<u8, CliError> {
    let folder = tempfile::Builder::new()
        .prefix("leakline-demo-")
        .tempdir()
        .map_err(|e| CliError::internal("cannot make a temporary folder", e))?
        .keep();
    let script = folder.join("server.js");
    std::fs::write(&script, SERVER)
        .map_err(|e| CliError::internal("cannot write the server", e))?;
    output.tell(Level::Info, &format!("A leaking server is started from {}", script.display()));
    let mut server = start(&script, &folder)?;
    let pid = server.id().unwrap_or(0);
    let port = port_of(&mut server).await?;
    let load = Load::start(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    output.tell(
        Level::Info,
        &format!("It runs as process {pid} on port {port}, and is sent 160 requests a second.\n"),
    );
    let options = LiveOptions {
        pid,
        duration: DURATION,
        interval: INTERVAL,
        output: Some(args.output.unwrap_or_else(|| folder.join("investigation"))),
        suspects: SuspectsOptions::default(),
        ..LiveOptions::default()
    };
    let mut progress = Progress::new(output);
    let result =
        investigate_live(&options, &mut |e| progress.event(e), Box::pin(interrupted())).await;
    let served = load.served();
    load.stop().await;
    // Closing its standard input asks the server to end; the kill is for one that cannot hear.
    drop(server.stdin.take());
    if tokio::time::timeout(Duration::from_secs(2), server.wait()).await.is_err() {
        let _ = server.kill().await;
    }
    let investigation = result?;
    output.tell(Level::Debug, &format!("the load sent {served} requests"));
    output.result(&investigation, || format!("\n{}", text::investigation(&investigation)))?;
    Ok(exit::DONE)
}

fn start(script: &Path, folder: &Path) -> Result<Child, CliError> {
    let log = std::fs::File::create(folder.join("server.log"))
        .map_err(|e| CliError::internal("cannot write the server's log", e))?;
    Command::new("node")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .kill_on_drop(true)
        // Ctrl-C in a terminal is for us; the server ends when we are done with it.
        .process_group(0)
        // A server that inherits somebody's debugging flags is another demo.
        .env_remove("NODE_OPTIONS")
        .spawn()
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => CliError::unreachable(
                "no-node",
                "there is no `node` on the PATH, and the demo needs one to run its server",
                "install Node.js 18 or later, or add its folder to PATH",
            ),
            _ => CliError::internal("cannot start node", e),
        })
}

async fn port_of(server: &mut Child) -> Result<u16, CliError> {
    let failed = |what: &str| {
        CliError::unreachable(
            "demo-server",
            format!("the demo's server {what}"),
            "its output is in server.log in the folder named above; the demo needs Node.js 18 or later",
        )
    };
    let Some(stdout) = server.stdout.take() else { return Err(failed("has no output")) };
    let mut lines = BufReader::new(stdout).lines();
    let first = tokio::time::timeout(START, lines.next_line()).await;
    let line = match first {
        Err(_) => return Err(failed("did not start within 15 seconds")),
        Ok(Ok(Some(line))) => line,
        Ok(_) => return Err(failed("ended at once")),
    };
    // Keep reading, so that the server never blocks on a full pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    line.rsplit(' ')
        .next()
        .and_then(|p| p.parse().ok())
        .ok_or_else(|| failed("did not say its port"))
}
