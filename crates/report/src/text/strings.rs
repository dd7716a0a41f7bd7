//! `leakline strings`: texts that exist several times.

use leakline_analysis::views::StringsView;
use leakline_heap::Bytes;

use super::words::{clean, held_as, percent};
use super::{WIDTH, grouped};
use crate::style::wrap;
use crate::table::{Align, Table};
use crate::views::ViewDocument;

/// The first `limit` texts, most wasteful first.
pub fn strings(document: &ViewDocument<StringsView>, limit: usize) -> String {
    let view = &document.view;
    let mut out = format!(
        "{} wasted by copies of {}  {}\n{} of {} in {} strings\n",
        Bytes(view.wasted_bytes),
        super::counted(view.duplicated_count, "text"),
        document.file,
        percent(view.wasted_bytes, view.string_bytes),
        Bytes(view.string_bytes),
        grouped(view.string_count),
    );
    if view.strings.is_empty() {
        return out;
    }
    out.push('\n');
    let mut table = Table::new(&[
        ("text", Align::Left),
        ("count", Align::Right),
        ("each", Align::Right),
        ("wasted", Align::Right),
        ("one of them, held as", Align::Left),
    ]);
    let mut any_uncertain = false;
    for row in view.strings.iter().take(limit) {
        any_uncertain |= !row.certain;
        let text = clean(&row.text, 60);
        table.row(vec![
            if row.certain { format!("\"{text}\"") } else { format!("~\"{text}\"") },
            grouped(row.count),
            Bytes(row.bytes_each).to_string(),
            Bytes(row.wasted_bytes).to_string(),
            format!(
                "{} {}",
                row.ids.first().map_or("", String::as_str),
                clean(&held_as(row.held_by.as_ref()), 20)
            ),
        ]);
    }
    out.push_str(&table.render(WIDTH));
    let more = view.strings.len().saturating_sub(limit);
    if more > 0 {
        out.push_str(&super::more_rows(more));
    }
    if any_uncertain || view.uncertain_wasted_bytes > 0 {
        let text = format!(
            "~ equal in size and as far as the snapshot has the text (V8 cuts it at 1,024 characters); \
             they may differ further on. {} of this kind would waste {} more.",
            super::counted(view.uncertain_count, "text"),
            Bytes(view.uncertain_wasted_bytes)
        );
        out.push('\n');
        out.push_str(&wrap(&text, WIDTH, ""));
    }
    out
}
