//! `leakline collections`: maps, sets, arrays and dictionaries by how full they are.

use leakline_analysis::views::{CollectionRow, CollectionsView};
use leakline_heap::Bytes;

use super::words::{clean, held_as};
use super::{WIDTH, grouped};
use crate::style::wrap;
use crate::table::{Align, Table};
use crate::views::ViewDocument;

/// All kinds, and the rows of the document.
pub fn collections(document: &ViewDocument<CollectionsView>) -> String {
    let view = &document.view;
    let mut out = format!(
        "{} free in the stores of {}, {} in all  {}\n\n",
        Bytes(view.wasted_bytes),
        super::counted(view.collection_count, "collection"),
        Bytes(view.store_bytes),
        document.file
    );
    if view.collection_count == 0 {
        return format!("no collections  {}\n", document.file);
    }
    let mut table = Table::new(&[
        ("kind", Align::Left),
        ("count", Align::Right),
        ("empty", Align::Right),
        ("≤25 %", Align::Right),
        ("≤50 %", Align::Right),
        ("fuller", Align::Right),
        ("unknown", Align::Right),
        ("store", Align::Right),
        ("free", Align::Right),
    ]);
    for kind in view.kinds.iter().filter(|k| k.count > 0) {
        table.row(vec![
            format!("{:?}", kind.kind),
            grouped(kind.count),
            grouped(kind.empty_count),
            grouped(kind.quarter_full_count),
            grouped(kind.half_full_count),
            grouped(kind.full_count),
            grouped(kind.unknown_count),
            Bytes(kind.store_bytes).to_string(),
            Bytes(kind.wasted_bytes).to_string(),
        ]);
    }
    out.push_str(&table.render(WIDTH));
    if view.collections.is_empty() {
        return out;
    }
    out.push('\n');
    let mut table = Table::new(&[
        ("held as", Align::Left),
        ("collection", Align::Left),
        ("entries", Align::Right),
        ("room", Align::Right),
        ("store", Align::Right),
        ("free", Align::Right),
    ]);
    for row in &view.collections {
        let known = if row.entries_known { "" } else { "+?" };
        table.row(vec![
            held_as(row.held_by.as_ref()),
            format!("{} {}", clean(&collection_name(row), 20), row.object.object.id),
            format!("{}{known}", grouped(row.entries)),
            row.capacity.map_or_else(|| "?".into(), grouped),
            Bytes(row.store_bytes).to_string(),
            row.wasted_bytes.map_or_else(|| "?".into(), |b| Bytes(b).to_string()),
        ]);
    }
    out.push_str(&table.render(WIDTH));
    if view.collections.iter().any(|row| !row.entries_known) {
        out.push('\n');
        out.push_str(&wrap(
            "+? there may be more: numbers leave no trace in the store, so how full it is cannot be said.",
            WIDTH,
            "",
        ));
    }
    out
}

fn collection_name(row: &CollectionRow) -> String {
    let kind = format!("{:?}", row.kind);
    match row.object.object.name.as_str() {
        "Object" => row.object.class.clone(),
        "" => kind,
        name => name.into(),
    }
}
