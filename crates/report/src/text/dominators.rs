//! `leakline dominators`: with whom an object dies, and what dies with it.

use leakline_analysis::views::{Accumulation, DominatorsView, ObjectRow};
use leakline_heap::Bytes;

use super::words::{distance, percent, shown};
use super::{WIDTH, grouped};
use crate::style::{Paint, wrap};
use crate::table::{Align, Table};
use crate::views::ViewDocument;

/// The dominators above, the first `limit` objects below, and where the weight gathers.
pub fn dominators(document: &ViewDocument<DominatorsView>, limit: usize) -> String {
    let view = &document.view;
    let object = &view.object;
    let of_root = view.depth == 0;
    let mut out = format!(
        "{} keeps {} alive in {}  {}\n",
        if of_root { "the root".into() } else { Paint::Strong.on(&shown(object, 40)) },
        Bytes(object.retained_bytes),
        super::counted(view.dominated_count + 1, "object"),
        document.file
    );
    if let Some(point) = &view.accumulation {
        out.push('\n');
        out.push_str(&wrap(&accumulation(object, point, of_root), WIDTH, ""));
    }
    if !of_root {
        out.push_str("\nit dies with each of these, the nearest first\n");
        out.push_str(&chain(view, limit));
    }
    if view.children.is_empty() {
        out.push_str("\nnothing dies with it\n");
        return out;
    }
    let count = super::counted(view.children_count, "object");
    out.push_str(&match (of_root, view.children_count) {
        (true, _) => format!("\nonly the root dominates these {count}\n"),
        (false, 1) => "\nit immediately dominates this object\n".into(),
        (false, _) => format!("\nit immediately dominates these {count}\n"),
    });
    let mut table = Table::new(&[
        ("object", Align::Left),
        ("distance", Align::Right),
        ("shallow", Align::Right),
        ("retained", Align::Right),
        ("share", Align::Right),
    ]);
    for child in view.children.iter().take(limit) {
        table.row(vec![
            shown(child, 60),
            distance(child),
            Bytes(child.shallow_bytes).to_string(),
            Bytes(child.retained_bytes).to_string(),
            percent(child.retained_bytes, object.retained_bytes),
        ]);
    }
    out.push_str(&table.render(WIDTH));
    let more = view.children.len().saturating_sub(limit);
    if more > 0 {
        out.push_str(&super::more_rows(more));
    }
    out
}

fn accumulation(object: &ObjectRow, point: &Accumulation, of_root: bool) -> String {
    let at = &point.object;
    let mut text = format!(
        "{} of {} {} at {}, {} down",
        percent(at.retained_bytes, object.retained_bytes),
        if of_root { "the heap" } else { "that" },
        if point.children_count > 1 { "gathers" } else { "hangs" },
        shown(at, 40),
        super::counted(point.steps, "step")
    );
    if let Some(child) = &point.largest_child {
        text.push_str(&format!(
            ": it dominates {}, the largest of which keeps {}",
            super::counted(point.children_count, "object"),
            Bytes(child.retained_bytes)
        ));
    }
    text
}

fn chain(view: &DominatorsView, limit: usize) -> String {
    let mut table = Table::new(&[
        ("dominator", Align::Left),
        ("distance", Align::Right),
        ("retained", Align::Right),
    ]);
    let mut chain: Vec<&ObjectRow> = view.chain.iter().collect();
    let root = chain.pop();
    // Whoever asks who could let go wants the near ones.
    for row in chain.iter().take(limit) {
        table.row(vec![shown(row, 60), distance(row), Bytes(row.retained_bytes).to_string()]);
    }
    let omitted = chain.len().saturating_sub(limit) as u64 + view.omitted_dominators;
    if let Some(root) = root {
        let name = if omitted > 0 {
            format!("… {} more, then the root {}", grouped(omitted), root.object.id)
        } else {
            format!("the root {}", root.object.id)
        };
        table.row(vec![name, "-".into(), Bytes(root.retained_bytes).to_string()]);
    }
    table.render(WIDTH)
}
