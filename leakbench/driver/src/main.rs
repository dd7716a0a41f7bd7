//! `leakbench`: runs the cases, prints what Leakline said of them.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use leakline_leakbench::case::{self, Case};
use leakline_leakbench::peers::{self, PeerScore};
use leakline_leakbench::run::{self, Options};
use leakline_leakbench::score::Score;
use leakline_leakbench::table;
use leakline_testkit::turns::in_turn;
use serde_json::json;

/// Real leaking and healthy services, investigated by Leakline and scored.
#[derive(Debug, Parser)]
#[command(name = "leakbench", max_term_width = 80)]
struct Args {
    /// Only this case; may be given again
    #[arg(long = "case", value_name = "NAME")]
    cases: Vec<String>,
    /// Major versions of Node
    #[arg(long, value_delimiter = ',', default_value = "20", value_name = "N,N")]
    node: Vec<u32>,
    /// Cases at a time
    #[arg(long, default_value_t = 2, value_name = "N")]
    jobs: usize,
    /// Keep the captures in this folder: DIR/NAME, or DIR/node-N/NAME for several versions
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Score captures that were kept in this folder; starts no Node
    #[arg(long, value_name = "DIR", conflicts_with = "keep")]
    snapshots: Option<PathBuf>,
    /// Ask other tools too, on the same captures
    #[arg(long)]
    peers: bool,
    /// A further tool for --peers: a binary with `diff MAIN BASELINE` and `closure-leaks FILE`
    #[arg(long = "peer", value_name = "NAME=PATH", value_parser = name_and_path)]
    binaries: Vec<(String, PathBuf)>,
    /// The binary to judge; else the one of the same build
    #[arg(long, value_name = "PATH")]
    leakline: Option<PathBuf>,
    /// The results as JSON on stdout; the table goes to stderr
    #[arg(long)]
    json: bool,
    /// Names of all cases, and stop
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    match bench(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(e) => {
            // Nothing is left to tell it to when stderr is gone.
            let _ = writeln!(io::stderr(), "error: {e}");
            ExitCode::FAILURE
        }
    }
}

fn bench(args: &Args) -> io::Result<()> {
    let cases = chosen(args)?;
    if args.list {
        for case in &cases {
            writeln!(io::stdout(), "{}", case.name)?;
        }
        return Ok(());
    }
    let leakline = match &args.leakline {
        Some(path) => path.clone(),
        None => run::built_leakline()?,
    };
    let options = Options { leakline, jobs: args.jobs, keep: args.keep.clone() };
    let scratch = tempfile::Builder::new().prefix("leakbench-").tempdir()?;
    let kept = args.snapshots.as_ref().or(options.keep.as_ref());
    let root = kept.map_or(scratch.path(), PathBuf::as_path);
    let runs: Vec<(&Case, u32)> = args
        .node
        .iter()
        .flat_map(|&node| cases.iter().map(move |case| (case, node)))
        .filter(|(case, node)| case.nodes.is_empty() || case.nodes.contains(node))
        .collect();
    let folder = |case: &Case, node: u32| {
        if args.node.len() > 1 { root.join(format!("node-{node}")) } else { root.to_path_buf() }
            .join(&case.name)
    };
    let peers = if args.peers || !args.binaries.is_empty() {
        peers::all(&args.binaries)
    } else {
        Vec::new()
    };
    let answers = in_turn(&runs, options.jobs, |&(case, node)| {
        let dir = folder(case, node);
        let score = if args.snapshots.is_some() {
            run::offline(case, &dir, &options)
        } else {
            run::live(case, node, &dir, &options)
        };
        progress(&score);
        let others: Vec<PeerScore> = match score.error {
            None => peers.iter().map(|peer| peer.judge(case, &dir)).collect(),
            Some(_) => Vec::new(),
        };
        if kept.is_none() {
            // What is left of it goes with the whole scratch folder.
            let _ = std::fs::remove_dir_all(&dir);
        }
        (score, others)
    });
    let (scores, others): (Vec<Score>, Vec<Vec<PeerScore>>) = answers.into_iter().unzip();
    let others = others.concat();
    let mut told = table::results(&scores);
    if !others.is_empty() {
        told.push('\n');
        told.push_str(&table::peers(&others));
    }
    if args.json {
        write!(io::stderr(), "{told}")?;
        let document = json!({"schema": "leakline/leakbench/1", "scores": scores, "peers": others});
        writeln!(io::stdout(), "{document}")
    } else {
        write!(io::stdout(), "{told}")
    }
}

fn name_and_path(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(path)))
        }
        _ => Err("write it as NAME=PATH".to_owned()),
    }
}

fn progress(score: &Score) {
    let said = match &score.error {
        Some(error) => format!("error: {error}"),
        None if score.right() => "right".to_owned(),
        None => format!("wrong: {}", score.first),
    };
    // Progress is for people: without a stderr nobody misses it.
    let _ = writeln!(io::stderr(), "{} on node {}: {said}", score.case, score.node);
}

fn chosen(args: &Args) -> io::Result<Vec<Case>> {
    let all = case::all()?;
    if let Some(unknown) = args.cases.iter().find(|n| all.iter().all(|c| c.name != **n)) {
        return Err(io::Error::other(format!("there is no case {unknown}; --list names all")));
    }
    let wanted = |c: &Case| args.cases.is_empty() || args.cases.contains(&c.name);
    Ok(all.into_iter().filter(wanted).collect())
}
