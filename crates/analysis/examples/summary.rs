//! Prints the summary of a snapshot as `leakline summary --json` shapes it:
//! `cargo run --release -p leakline-analysis --example summary -- FILE`.
//!
//! The reference check compares this with Chrome `DevTools`' own worker.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: summary FILE")?;
    let path = Path::new(&path);
    let start = Instant::now();
    let graph = leakline_formats::read_snapshot(path, leakline_formats::ReadOptions::default())?;
    let read = start.elapsed();
    let start = Instant::now();
    let analysis = leakline_analysis::analyze(&graph);
    let summary = leakline_analysis::summary(&graph, &analysis);
    let analysed = start.elapsed();
    let mut err = std::io::stderr();
    writeln!(err, "read in {read:.0?}, analysed in {analysed:.0?}")?;
    let mut json = serde_json::to_value(&summary)?;
    json["schema"] = "leakline/summary/1".into();
    json["snapshot"]["path"] = path.display().to_string().into();
    json["snapshot"]["format"] = "heapsnapshot".into();
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &json)?;
    Ok(writeln!(out)?)
}
