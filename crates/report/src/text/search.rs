//! `leakline search`: objects that match.

use leakline_analysis::views::SearchView;
use leakline_heap::Bytes;

use super::words::{distance, place, shown};
use super::{WIDTH, grouped};
use crate::table::{Align, Table};
use crate::views::ViewDocument;

/// The matches of the document.
pub fn search(document: &ViewDocument<SearchView>) -> String {
    let view = &document.view;
    if view.match_count == 0 {
        return format!("no object matches  {}\n", document.file);
    }
    let mut out = format!(
        "{}, {} in size, {} retained  {}\n\n",
        super::counted(view.match_count, "object"),
        Bytes(view.shallow_bytes),
        Bytes(view.retained_bytes),
        document.file
    );
    let mut columns = vec![("object", Align::Left)];
    let placed = view.matches.iter().any(|row| row.location.is_some());
    if placed {
        columns.push(("code at", Align::Left));
    }
    columns.extend([
        ("distance", Align::Right),
        ("shallow", Align::Right),
        ("retained", Align::Right),
    ]);
    let mut table = Table::new(&columns);
    for row in &view.matches {
        let mut cells = vec![shown(&row.object, 60)];
        if placed {
            cells.push(row.location.as_ref().map_or_else(String::new, |at| place(at, 26)));
        }
        cells.extend([
            distance(&row.object),
            Bytes(row.object.shallow_bytes).to_string(),
            Bytes(row.object.retained_bytes).to_string(),
        ]);
        table.row(cells);
    }
    out.push_str(&table.render(WIDTH));
    let more = view.match_count - view.matches.len() as u64;
    if more > 0 {
        out.push_str(&format!("\n{} more: --limit N\n", grouped(more)));
    }
    out
}
