//! `leakline detached`: what the embedder has let go of and JavaScript has not.

use leakline_analysis::views::DetachedView;
use leakline_heap::Bytes;

use super::words::clean;
use super::{WIDTH, grouped};
use crate::table::{Align, Table};
use crate::views::ViewDocument;

/// The first `limit` classes, largest retained size first.
pub fn detached(document: &ViewDocument<DetachedView>, limit: usize) -> String {
    let view = &document.view;
    if view.count == 0 {
        return format!("no detached objects  {}\n", document.file);
    }
    let mut out = format!(
        "{}, {} retained  {}\n\n",
        super::counted(view.count, "detached object"),
        Bytes(view.retained_bytes),
        document.file
    );
    let mut table = Table::new(&[
        ("class", Align::Left),
        ("count", Align::Right),
        ("shallow", Align::Right),
        ("retained", Align::Right),
        ("the largest", Align::Left),
    ]);
    for group in view.groups.iter().take(limit) {
        let largest = group.objects.first().map(|o| &o.object);
        let class = match largest {
            // The class of V8's and the embedder's grouping nodes says nothing.
            Some(object) if object.kind == "synthetic" => &object.name,
            _ => &group.class,
        };
        table.row(vec![
            clean(class, 60),
            grouped(group.count),
            Bytes(group.shallow_bytes).to_string(),
            Bytes(group.retained_bytes).to_string(),
            largest.map(|o| o.id.clone()).unwrap_or_default(),
        ]);
    }
    out.push_str(&table.render(WIDTH));
    let more = view.groups.len().saturating_sub(limit);
    if more > 0 {
        out.push_str(&super::more_rows(more));
    }
    out
}
