//! `leakline summary`: what is in the heap, by class.

use leakline_heap::Bytes;

use super::{WIDTH, grouped};
use crate::documents::SummaryDocument;
use crate::table::{Align, Table};

/// The first `limit` rows, largest retained size first.
pub fn summary(document: &SummaryDocument, limit: usize) -> String {
    let totals = &document.snapshot.totals;
    let mut out = format!(
        "{} in {} objects, {} references  {}\n\n",
        Bytes(totals.total_shallow_bytes),
        grouped(totals.node_count),
        grouped(totals.edge_count),
        document.snapshot.path
    );
    let mut table = Table::new(&[
        ("constructor", Align::Left),
        ("distance", Align::Right),
        ("count", Align::Right),
        ("shallow", Align::Right),
        ("retained", Align::Right),
    ]);
    for row in document.constructors.iter().take(limit) {
        let name = match &row.location {
            Some(l) => format!("{} {}:{}", row.name, l.file, l.line),
            None => row.name.clone(),
        };
        table.row(vec![
            name,
            row.distance.map_or_else(|| "-".into(), |d| d.to_string()),
            grouped(row.count),
            Bytes(row.shallow_bytes).to_string(),
            Bytes(row.retained_bytes).to_string(),
        ]);
    }
    out.push_str(&table.render(WIDTH));
    let more = document.constructors.len().saturating_sub(limit);
    if more > 0 {
        out.push_str(&super::more_rows(more));
    }
    out
}
