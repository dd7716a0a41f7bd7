//! `leakline contexts`: what closures keep in the scopes they share.

use leakline_analysis::SourceLocation;
use leakline_analysis::views::{ContextGroup, ContextsView};
use leakline_heap::Bytes;

use super::words::{clean, function, place};
use super::{WIDTH, grouped};
use crate::table::{Align, Table};
use crate::views::ViewDocument;

/// Variables that are named for each scope.
const VARIABLES: usize = 3;

/// The first `limit` scopes, largest retained size first.
pub fn contexts(document: &ViewDocument<ContextsView>, limit: usize) -> String {
    let view = &document.view;
    let mut out = format!(
        "{} of {}, {}  {}\n",
        super::counted(view.context_count, "context"),
        super::counted(view.groups.len() as u64, "scope"),
        Bytes(view.shallow_bytes),
        document.file
    );
    if view.groups.is_empty() {
        return out;
    }
    out.push('\n');
    let mut table = Table::new(&[
        ("scope of, and its heaviest variables", Align::Left),
        ("contexts", Align::Right),
        ("closures", Align::Right),
        ("shallow", Align::Right),
        ("retained", Align::Right),
    ]);
    for group in view.groups.iter().take(limit) {
        table.row(vec![
            scope(group),
            grouped(group.count),
            grouped(group.closure_count),
            Bytes(group.shallow_bytes).to_string(),
            Bytes(group.retained_bytes).to_string(),
        ]);
        for variable in group.variables.iter().take(VARIABLES) {
            table.row(vec![
                format!("  {}: {}", clean(&variable.name, 24), clean(&variable.class, 24)),
                grouped(variable.count),
                String::new(),
                String::new(),
                Bytes(variable.retained_bytes).to_string(),
            ]);
        }
        let more = group.variables.len().saturating_sub(VARIABLES);
        if more > 0 {
            let mut row = vec![String::new(); 5];
            row[0] = format!("  and {more} more");
            table.row(row);
        }
    }
    out.push_str(&table.render(WIDTH));
    let more = view.groups.len().saturating_sub(limit);
    if more > 0 {
        out.push_str(&super::more_rows(more));
    }
    out
}

fn scope(group: &ContextGroup) -> String {
    let at = group.location.as_ref();
    let by_closure = group.location_of == Some("closure");
    match (&group.function, &group.closure) {
        (Some(name), _) if !by_closure => function(name, at, 40),
        (Some(name), _) => format!("{}, around {}", function(name, None, 20), shown_place(at)),
        (None, Some(closure)) => format!("around {}", function(closure, at, 34)),
        (None, None) => "(not known)".into(),
    }
}

fn shown_place(at: Option<&SourceLocation>) -> String {
    at.map_or_else(String::new, |at| place(at, 24))
}
