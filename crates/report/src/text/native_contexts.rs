//! `leakline native-contexts`: worlds with a global object of their own.

use leakline_analysis::views::{NativeContextRow, NativeContextsView};
use leakline_heap::Bytes;

use super::words::{clean, shown};
use super::{WIDTH, grouped};
use crate::table::{Align, Table};
use crate::views::ViewDocument;

/// All of them.
pub fn native_contexts(document: &ViewDocument<NativeContextsView>) -> String {
    let contexts = &document.view.contexts;
    let mut out =
        format!("{}  {}\n", super::counted(contexts.len() as u64, "native context"), document.file);
    if contexts.is_empty() {
        return out;
    }
    out.push('\n');
    let mut table = Table::new(&[
        ("context", Align::Left),
        ("id", Align::Left),
        ("global", Align::Left),
        ("retained", Align::Right),
        ("objects", Align::Right),
    ]);
    for context in contexts {
        table.row(vec![
            described(context),
            context.context.object.id.clone(),
            context.global.as_ref().map_or_else(|| "-".into(), |g| g.object.id.clone()),
            Bytes(context.context.retained_bytes).to_string(),
            grouped(context.dominated_count),
        ]);
    }
    out.push_str(&table.render(WIDTH));
    out
}

fn described(context: &NativeContextRow) -> String {
    let mut text = match (&context.url, &context.sandbox) {
        (Some(url), _) => clean(url, 60),
        (None, _) if context.main => "the program's own".into(),
        (None, Some(sandbox)) => {
            let names = context.sandbox_names.join(", ");
            let names = if names.is_empty() { String::new() } else { format!(" {{{names}}}") };
            format!("vm, sandbox {}{}", sandbox.object.id, clean(&names, 60))
        }
        (None, None) => context
            .global
            .as_ref()
            .map_or_else(|| "without a global object".into(), |g| shown(g, 40)),
    };
    if context.detached {
        text.insert_str(0, "detached: ");
    }
    text
}
