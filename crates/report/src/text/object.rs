//! `leakline object`: one object, what it holds and who holds it.

use leakline_analysis::views::ObjectView;
use leakline_heap::Bytes;

use super::words::{clean, distance, edge, edge_cells, named, place, shown};
use super::{WIDTH, grouped};
use crate::style::Paint;
use crate::table::{Align, Table};
use crate::views::ViewDocument;

/// What a fact leaves for a text on each line.
const TEXT_WIDTH: usize = WIDTH - 14;

/// The object, the first `limit` edges by retained size, and the first `limit` retainers.
pub fn object(document: &ViewDocument<ObjectView>, limit: usize) -> String {
    let view = &document.view;
    let row = &view.object;
    let kind = row.object.kind;
    let mut out = format!(
        "{kind} {}  retains {}, is {} itself\n",
        Paint::Strong.on(&named(&row.object, 26)),
        Bytes(row.retained_bytes),
        Bytes(row.shallow_bytes),
    );
    let mut fact = |what: &str, text: String| out.push_str(&format!("  {what:<12}{text}\n"));
    if kind == "string" && row.object.name.chars().count() > 24 {
        // Hard breaks: a text need not have spaces.
        let text: Vec<char> = clean(&row.object.name, 5 * TEXT_WIDTH - 1).chars().collect();
        for (i, line) in text.chunks(TEXT_WIDTH).enumerate() {
            fact(if i == 0 { "text" } else { "" }, line.iter().collect());
        }
    }
    if row.class != row.object.name && kind == "object" {
        fact("class", clean(&row.class, 60));
    }
    if let Some(at) = &view.location {
        let what = if kind == "closure" { "written at" } else { "constructor" };
        fact(what, Paint::Place.on(&place(at, usize::MAX)));
    }
    fact(
        "distance",
        match row.distance {
            Some(d) if d >= 0 => format!("{d} from the global object"),
            Some(_) => "nothing leads here".into(),
            None => "only V8 itself leads here".into(),
        },
    );
    if let Some(dominator) = &view.dominator_id {
        fact("freed with", format!("{dominator}, its immediate dominator"));
    }
    if view.detached {
        fact("detached", "its owner has let go; only JavaScript holds it".into());
    }
    out.push_str(&allocated(view, limit));
    out.push_str(&edges(view, limit));
    out.push_str(&retainers(view, limit));
    out
}

fn allocated(view: &ObjectView, limit: usize) -> String {
    let Some(stack) = &view.allocation_stack else { return String::new() };
    let mut out = String::from("\nallocated in\n");
    for frame in stack.iter().take(limit) {
        let function = clean(&frame.function, 40);
        let at = match (&frame.file, frame.line, frame.column) {
            (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}"),
            (Some(file), Some(line), None) => format!("{file}:{line}"),
            (Some(file), ..) => file.clone(),
            (None, ..) => String::new(),
        };
        let at = Paint::Place.on(&clean(&at, usize::MAX));
        out.push_str(format!("  {function} {at}").trim_end());
        out.push('\n');
    }
    let more = stack.len().saturating_sub(limit);
    if more > 0 {
        out.push_str(&format!("  called by {} more\n", grouped(more as u64)));
    }
    out
}

fn edges(view: &ObjectView, limit: usize) -> String {
    if view.edges.is_empty() {
        return "\nit holds nothing\n".into();
    }
    let count = view.edges.len();
    let references = if count == 1 { "reference" } else { "references" };
    let mut out = format!("\nholds, by {} {references}\n", grouped(count as u64));
    let mut table = Table::new(&[
        ("edge", Align::Left),
        ("object", Align::Left),
        ("distance", Align::Right),
        ("shallow", Align::Right),
        ("retained", Align::Right),
    ]);
    let mut rows: Vec<_> = view.edges.iter().collect();
    rows.sort_by_key(|r| std::cmp::Reverse(r.object.retained_bytes));
    for row in rows.into_iter().take(limit) {
        let [edge, object] = edge_cells(row);
        table.row(vec![
            edge,
            object,
            distance(&row.object),
            Bytes(row.object.shallow_bytes).to_string(),
            Bytes(row.object.retained_bytes).to_string(),
        ]);
    }
    out.push_str(&table.render(WIDTH));
    let more = count.saturating_sub(limit);
    if more > 0 {
        out.push_str(&super::more_rows(more));
    }
    out
}

fn retainers(view: &ObjectView, limit: usize) -> String {
    if view.retainers.is_empty() {
        return "\nnothing holds it\n".into();
    }
    let mut out = format!(
        "\nheld by {}, of which {} it alive\n",
        super::counted(view.retainer_count, "reference"),
        match view.essential_retainer_count {
            0 => "none keeps".into(),
            1 => "1 keeps".into(),
            n => format!("{} keep", grouped(n)),
        }
    );
    let mut table = Table::new(&[
        ("holder", Align::Left),
        ("edge", Align::Left),
        ("distance", Align::Right),
        ("keeps alive", Align::Left),
    ]);
    for row in view.retainers.iter().take(limit) {
        table.row(vec![
            shown(&row.object, 60),
            edge(row.edge_type, &row.edge, 30),
            distance(&row.object),
            if row.essential { "yes" } else { "no" }.into(),
        ]);
    }
    out.push_str(&table.render(WIDTH));
    let more = (view.retainer_count as usize).saturating_sub(limit.min(view.retainers.len()));
    if more > 0 {
        out.push_str(&format!("\n{} more\n", grouped(more as u64)));
    }
    out
}
