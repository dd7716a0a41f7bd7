//! Reads snapshots and says how large they are: `cargo run --release -p leakline-formats --example read FILE…`

use std::io::Write;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for path in std::env::args().skip(1) {
        let started = std::time::Instant::now();
        match leakline_formats::read_snapshot(
            path.as_ref(),
            leakline_formats::ReadOptions::default(),
        ) {
            Ok(graph) => writeln!(
                out,
                "{path}: {} nodes, {} edges, {} strings, {:.3} s",
                graph.node_count(),
                graph.edge_count(),
                graph.strings().len(),
                started.elapsed().as_secs_f64()
            )?,
            Err(e) => writeln!(out, "{e}; {}", e.hint())?,
        }
    }
    Ok(())
}
