//! `leakline containment`: what the root, or an object, holds.

use leakline_analysis::views::ContainmentView;
use leakline_heap::Bytes;

use super::words::{distance, edge_cells, shown};
use super::{WIDTH, grouped};
use crate::table::{Align, Table};
use crate::views::ViewDocument;

/// The first `limit` rows, largest retained size first.
pub fn containment(document: &ViewDocument<ContainmentView>, limit: usize) -> String {
    let view = &document.view;
    let object = &view.object;
    let what = if object.object.kind == "synthetic" && object.object.name.is_empty() {
        "the root".to_string()
    } else {
        shown(object, 40)
    };
    let mut out = format!(
        "{what} holds {}, {} in all  {}\n\n",
        super::counted(view.rows.len() as u64, "object"),
        Bytes(object.retained_bytes),
        document.file
    );
    let mut table = Table::new(&[
        ("edge", Align::Left),
        ("object", Align::Left),
        ("distance", Align::Right),
        ("shallow", Align::Right),
        ("retained", Align::Right),
    ]);
    for row in view.rows.iter().take(limit) {
        let [edge, name] = edge_cells(row);
        table.row(vec![
            edge,
            name,
            distance(&row.object),
            Bytes(row.object.shallow_bytes).to_string(),
            Bytes(row.object.retained_bytes).to_string(),
        ]);
    }
    if !view.rows.is_empty() {
        out.push_str(&table.render(WIDTH));
    }
    let more = view.rows.len().saturating_sub(limit);
    if more > 0 {
        out.push_str(&super::more_rows(more));
    }
    if view.hidden_edge_count > 0 {
        out.push_str(&format!(
            "\n{} hidden references of V8's own are not shown, as in DevTools\n",
            grouped(view.hidden_edge_count)
        ));
    }
    out
}
