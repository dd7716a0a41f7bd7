//! `leakline closures`: functions by the place they are written at.

use leakline_analysis::views::ClosuresView;
use leakline_heap::Bytes;

use super::words::function;
use super::{WIDTH, grouped};
use crate::table::{Align, Table};
use crate::views::ViewDocument;

/// The first `limit` places, largest retained size first.
pub fn closures(document: &ViewDocument<ClosuresView>, limit: usize) -> String {
    let view = &document.view;
    let mut out = format!(
        "{} of {}, {}  {}\n",
        super::counted(view.closure_count, "closure"),
        super::counted(view.groups.len() as u64, "function"),
        Bytes(view.shallow_bytes),
        document.file
    );
    if view.groups.is_empty() {
        return out;
    }
    out.push('\n');
    let mut table = Table::new(&[
        ("function", Align::Left),
        ("count", Align::Right),
        ("shallow", Align::Right),
        ("retained", Align::Right),
        ("one of them", Align::Left),
    ]);
    for group in view.groups.iter().take(limit) {
        table.row(vec![
            function(&group.function, group.location.as_ref(), 38),
            grouped(group.count),
            Bytes(group.shallow_bytes).to_string(),
            Bytes(group.retained_bytes).to_string(),
            group.ids.first().cloned().unwrap_or_default(),
        ]);
    }
    out.push_str(&table.render(WIDTH));
    let more = view.groups.len().saturating_sub(limit);
    if more > 0 {
        out.push_str(&super::more_rows(more));
    }
    out
}
