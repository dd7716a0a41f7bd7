//! `leakline stats`: the heap by kind of memory.

use leakline_analysis::views::Statistics;
use leakline_heap::Bytes;

use super::WIDTH;
use super::words::percent;
use crate::table::{Align, Table};
use crate::views::ViewDocument;

/// All kinds.
pub fn stats(document: &ViewDocument<Statistics>) -> String {
    let s = &document.view;
    let mut out = format!("{} in the snapshot  {}\n\n", Bytes(s.total_bytes), document.file);
    let mut table =
        Table::new(&[("memory", Align::Left), ("size", Align::Right), ("share", Align::Right)]);
    for (name, bytes) in [
        ("V8 heap", s.v8_heap.total_bytes),
        ("  code", s.v8_heap.code_bytes),
        ("  strings", s.v8_heap.strings_bytes),
        ("  JS arrays", s.v8_heap.js_arrays_bytes),
        ("  system objects", s.v8_heap.system_bytes),
        ("  other objects", s.v8_heap.other_bytes),
        ("native", s.native.total_bytes),
        ("  typed arrays and Buffers", s.native.typed_arrays_bytes),
        ("  other", s.native.total_bytes.saturating_sub(s.native.typed_arrays_bytes)),
    ] {
        table.row(vec![name.into(), Bytes(bytes).to_string(), percent(bytes, s.total_bytes)]);
    }
    out.push_str(&table.render(WIDTH));
    out
}
