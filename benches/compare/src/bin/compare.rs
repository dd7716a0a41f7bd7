//! `compare`: Leakline beside its peers, on the same files, in turn. See the README beside the manifest.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use leakline_compare::harness::{Contestant, Files, Report, Setting, install, render, section};
use leakline_compare::sections::Name;

#[derive(Parser)]
#[command(about = "Measures Leakline beside its peers, on the same files, in turn")]
struct Arguments {
    /// How often each program runs on each file
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// The binary to measure [default: `leakline` beside this program]
    #[arg(long, value_name = "PATH")]
    leakline: Option<PathBuf>,
    /// A peer with the command line of @heap-snapshot/tool; repeatable
    #[arg(long, value_name = "NAME=PATH", value_parser = peer)]
    peer: Vec<(String, PathBuf)>,
    /// Also measure npm's heap-snapshot-toolkit, DevTools' own code
    #[arg(long)]
    toolkit: bool,
    /// Also measure npm's memlab
    #[arg(long)]
    memlab: bool,
    /// Where the snapshots are, and are made when missing [default: target/bench]
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
    /// Only this section; repeatable
    #[arg(long, value_enum, value_name = "SECTION")]
    only: Vec<Name>,
    /// A sentence to stand with the results, for instance how a peer was obtained; repeatable
    #[arg(long, value_name = "TEXT")]
    note: Vec<String>,
    /// The results as JSON on stdout
    #[arg(long)]
    json: bool,
}

fn peer(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.into(), path.into()))
        }
        _ => Err("write NAME=PATH, for instance tool=./heap-snapshot".into()),
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // Nothing can be done about a closed stderr.
            let _ = writeln!(io::stderr(), "error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = here.join("../..").canonicalize().map_err(|e| format!("the checkout: {e}"))?;
    let leakline = match &arguments.leakline {
        Some(path) => path.clone(),
        None => std::env::current_exe()
            .map_err(|e| format!("the way to this program: {e}"))?
            .with_file_name("leakline"),
    };
    if !leakline.is_file() {
        return Err(format!(
            "{} is missing\nhint: cargo build --release -p leakline, or name a binary with --leakline",
            leakline.display()
        ));
    }
    let folder = arguments.files.clone().unwrap_or_else(|| root.join("target/bench"));
    let files = Files::new(&folder, root).map_err(|e| format!("the folder of the files: {e}"))?;

    let mut contestants = vec![Contestant::leakline(leakline)];
    contestants
        .extend(arguments.peer.iter().map(|(name, path)| Contestant::tool(name, path.clone())));
    if arguments.toolkit || arguments.memlab {
        let npm = install(&here.join("peers-npm"));
        if arguments.toolkit {
            contestants.push(Contestant::toolkit(npm.clone()));
        }
        if arguments.memlab {
            contestants.push(Contestant::memlab(npm, files.folder.join("memlab")));
        }
    }
    let mut report = Report {
        rounds: arguments.rounds as usize,
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        programs: contestants.iter().map(|c| (c.name.clone(), c.describe())).collect(),
        notes: arguments.note.clone(),
        sections: Vec::new(),
    };
    let setting = Setting { files, contestants, rounds: report.rounds };
    let out = |text: String| match io::stdout().write_all(text.as_bytes()) {
        // Whoever reads has read enough.
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(format!("stdout: {e}")),
        _ => Ok(()),
    };
    if !arguments.json {
        out(render(&report))?;
    }
    let all = Name::value_variants().iter();
    for name in all.filter(|n| arguments.only.is_empty() || arguments.only.contains(n)) {
        let done = name.run(&setting);
        if !arguments.json {
            // As soon as it is there: all of them take long.
            out(format!("\n{}", section(&done)))?;
        }
        report.sections.push(done);
    }
    if arguments.json {
        let json = serde_json::to_string_pretty(&report).map_err(|e| e.to_string())?;
        out(format!("{json}\n"))?;
    }
    Ok(())
}
