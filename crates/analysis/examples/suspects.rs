//! Growth sites of a series of snapshots: `cargo run --release -p leakline-analysis --example suspects FILE…`

use std::io::Write;

use leakline_analysis::Scripts;
use leakline_analysis::detect::{Context, advise, detect, holder_path, path_words};
use leakline_analysis::growth::GrowthAnalysis;
use leakline_heap::{Bytes, Retainers};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    let mut graphs = Vec::new();
    for path in std::env::args().skip(1) {
        graphs.push(leakline_formats::read_snapshot(
            path.as_ref(),
            leakline_formats::ReadOptions::default(),
        )?);
    }
    let started = std::time::Instant::now();
    let refs: Vec<_> = graphs.iter().collect();
    let growth = GrowthAnalysis::of(&refs);
    let last = growth.last();
    let retainers = Retainers::of(last);
    let scripts = Scripts::of(last);
    let context = Context { growth: &growth, retainers: &retainers, scripts: &scripts };
    writeln!(out, "{:?} {:?}", growth.comparable, growth.growth)?;
    for site in &growth.sites {
        writeln!(
            out,
            "{} {:?} {} {:?} members {} weight {} cut {} tree {}",
            holder_path(&context, site.group.owner),
            site.group.pattern,
            site.group.class.label(),
            site.counts,
            site.group.members.len(),
            Bytes(site.weight.retained_delta_bytes),
            Bytes(site.weight.freed_if_cut_bytes),
            Bytes(site.group.tree_bytes),
        )?;
    }
    for finding in detect(&context) {
        writeln!(out, "\n{:?} {:?} {:?}", finding.rule, finding.confidence, finding.case)?;
        writeln!(out, "{:#?}", advise(&finding, leakline_analysis::detect::Told::default()))?;
        for m in finding.site.group.members.iter().take(1) {
            writeln!(out, "{}", path_words(&context, *m))?;
        }
    }
    writeln!(out, "{:.3} s", started.elapsed().as_secs_f64())?;
    Ok(())
}
