//! `leakline diff`: what came and what went, by class.

use leakline_analysis::{By, DiffRow};

use super::{WIDTH, grouped, signed, signed_bytes};
use crate::documents::DiffDocument;
use crate::style::wrap;
use crate::table::{Align, Table};

/// The first `limit` rows of the first file against the last, and of each step.
pub fn diff(document: &DiffDocument, limit: usize) -> String {
    let d = document;
    let (first, last) = (document.files.first(), document.files.last());
    let name = |f: Option<&String>| f.map_or("", String::as_str).to_string();
    let new: u64 = d.rows.iter().map(|r| r.new_count).sum();
    let deleted: u64 = d.rows.iter().map(|r| r.deleted_count).sum();
    let bytes: i64 = d.rows.iter().map(|r| r.delta_bytes).sum();
    let mut out = format!(
        "{} in size, {} new objects, {} deleted\n  from {}\n  to   {}\n",
        signed_bytes(bytes),
        grouped(new),
        grouped(deleted),
        name(first),
        name(last)
    );
    if d.comparable.by == By::Shape {
        out.push('\n');
        out.push_str(&wrap(
            &format!("Note: compared by class only: {}.", d.comparable.reason),
            WIDTH,
            "  ",
        ));
    }
    out.push('\n');
    out.push_str(&rows(&d.rows, limit));
    for step in &d.steps {
        out.push_str(&format!("\n{} to {}\n", step.from, step.to));
        out.push_str(&rows(&step.rows, 5));
    }
    out
}

fn rows(rows: &[DiffRow], limit: usize) -> String {
    if rows.is_empty() {
        return "nothing changed\n".into();
    }
    let mut table = Table::new(&[
        ("constructor", Align::Left),
        ("new", Align::Right),
        ("deleted", Align::Right),
        ("delta", Align::Right),
        ("size delta", Align::Right),
        ("retained delta", Align::Right),
    ]);
    for row in rows.iter().take(limit) {
        table.row(vec![
            row.constructor.clone(),
            grouped(row.new_count),
            grouped(row.deleted_count),
            signed(row.delta_count),
            signed_bytes(row.delta_bytes),
            signed_bytes(row.retained_delta_bytes),
        ]);
    }
    let mut out = table.render(WIDTH);
    let more = rows.len().saturating_sub(limit);
    if more > 0 {
        out.push_str(&super::more_rows(more));
    }
    out
}
