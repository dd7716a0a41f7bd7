//! How long each analysis takes: `cargo bench -p leakline-analysis -- FILE [ROUNDS]`.
//!
//! Prints the minimum and the median of the rounds; without a file, of a drawn heap of a million nodes.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use leakline_analysis as analysis;
use leakline_heap::{HeapGraph, Retainers};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with("--"));
    let graph = match arguments.next() {
        Some(file) => {
            let options = leakline_formats::ReadOptions::default();
            leakline_formats::read_snapshot(Path::new(&file), options)?
        }
        None => drawn(),
    };
    let rounds = arguments.next().map_or(Ok(7), |n| n.parse())?;
    let tree = analysis::dominators(&graph);
    let shallow = analysis::shallow_sizes(&graph);
    let all = analysis::analyze(&graph);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} nodes, {} edges, ms minimum/median", graph.node_count(), graph.edge_count())?;
    let mut report = |name: &str, work: &dyn Fn()| {
        let mut times: Vec<Duration> = (0..rounds)
            .map(|_| {
                let start = Instant::now();
                work();
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        let ms = |t: Option<&Duration>| t.map_or(0.0, |t| t.as_secs_f64() * 1e3);
        let (min, median) = (ms(times.first()), ms(times.get(times.len() / 2)));
        writeln!(out, "{name:16} {min:7.1} {median:7.1}")
    };
    report("essential edges", &|| drop(analysis::essential_edges(&graph)))?;
    report("dominators", &|| drop(analysis::dominators(&graph)))?;
    report("shallow sizes", &|| drop(analysis::shallow_sizes(&graph)))?;
    report("distances", &|| drop(analysis::distances(&graph)))?;
    report("classes", &|| drop(analysis::ClassIndex::of(&graph)))?;
    report("retained sizes", &|| drop(analysis::retained_sizes(&tree, &shallow)))?;
    report("analyze", &|| drop(analysis::analyze(&graph)))?;
    report("summary", &|| drop(analysis::summary(&graph, &all)))?;
    report("comparability", &|| drop(analysis::comparability(&graph, &graph)))?;
    report("diff", &|| drop(analysis::diff(&[(&graph, &all), (&graph, &all)])))?;
    report("retainers", &|| drop(Retainers::of(&graph)))?;
    Ok(())
}

/// A list of a million entries whose payloads an array also holds.
fn drawn() -> HeapGraph {
    let n = 1_000_000u32;
    let links = n / 2;
    let mut edges = vec![(0, 1), (0, 2)];
    edges.extend((1..links).map(|i| (2 * i - 1, 2 * i + 1)));
    edges.extend((1..links).flat_map(|i| [(2 * i + 1, 2 * i + 2), (2, 2 * i + 2)]));
    leakline_testkit::graph::from_edges(&vec![16; n as usize + 2], &edges)
}
