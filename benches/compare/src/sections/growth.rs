//! Growth: what a node costs in time and memory as files become longer.

use crate::harness::{
    Bar, Entry, Files, Group, Limit, Row, Section, Setting, Spread, Task, node_count,
};

/// Megabytes of the generated files. In the last no offset, count or position in the file may be taken for 32 bits.
const SIZES: [u64; 3] = [50, 920, 4200];

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

/// Medians per node.
struct PerNode {
    seconds: Option<f64>,
    bytes: Option<f64>,
}

pub(super) fn run(setting: &Setting, section: &mut Section) -> Result<(), String> {
    section.name = "growth";
    section.title = "cold `summary` of generated snapshots, 50 MB to over 4 GB".into();
    let mut files = Vec::new();
    for size in SIZES {
        files.push(setting.files.generated(size)?);
    }
    Files::warm(&files)?;
    let leakline = setting.leakline();
    let entries: Vec<Entry<'_>> = SIZES
        .iter()
        .zip(&files)
        .map(|(size, file)| {
            Entry::new(format!("{size} MB"), move || leakline.ask(Task::Summary(file)))
        })
        .collect();
    let group = super::group(setting, "leakline".into(), &entries).without_ratios();
    let mut costs = Vec::new();
    for (row, file) in group.rows.iter().zip(&files) {
        let nodes = node_count(file).map_err(|e| e.to_string())?;
        let cost = per_node(row, nodes);
        if let (Some(seconds), Some(bytes)) = (cost.seconds, cost.bytes) {
            section.notes.push(format!(
                "{}: {nodes} nodes, {:.0} ns and {bytes:.1} bytes of peak per node",
                row.program,
                seconds * 1e9
            ));
        }
        costs.push(cost);
    }
    bars(&group, &costs, section);
    section.groups.push(group);
    Ok(())
}

fn per_node(row: &Row, nodes: u64) -> PerNode {
    let per_node = |spread: Option<Spread>| spread.map(|s| s.median / nodes as f64);
    PerNode { seconds: per_node(row.wall_seconds), bytes: per_node(row.peak_bytes) }
}

fn bars(group: &Group, costs: &[PerNode], section: &mut Section) {
    let [small, large, largest] = costs else { return };
    let ratio = |of: Option<f64>, to: Option<f64>| Some(of? / to?);
    section.bars.extend([
        Bar::new(
            "time per node, 920 MB to 4200 MB",
            ratio(largest.seconds, large.seconds),
            Limit::Ratio(1.35),
        ),
        Bar::new(
            "peak per node, 920 MB to 4200 MB",
            ratio(largest.bytes, large.bytes),
            Limit::Ratio(1.25),
        ),
        Bar::new(
            "time per node, 50 MB to 4200 MB",
            ratio(largest.seconds, small.seconds),
            Limit::Ratio(2.0),
        ),
        Bar::new(
            "peak on 4200 MB",
            group.rows.last().and_then(|r| r.peak_bytes).map(|p| p.median),
            Limit::Bytes(6.0 * GIB),
        ),
    ]);
}
