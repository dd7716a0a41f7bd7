//! Any bytes as a source map, and any text as the script that names one.

#![no_main]

use arbitrary::Arbitrary;
use leakline_source::{SourceMap, map_reference};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    places: [(u32, u32); 4],
    /// Taken for the mappings of a map that is otherwise in order; else the whole map.
    mappings: bool,
    text: &'a str,
}

fuzz_target!(|input: Input<'_>| {
    if let Some(url) = map_reference(input.text) {
        assert!(!url.is_empty() && input.text.contains(url));
    }
    let whole = serde_json::json!({
        "version": 3,
        "sources": ["a.ts", null],
        "names": ["n"],
        "sections": [{ "offset": { "line": 1, "column": 2 }, "map": {
            "sources": ["a.ts", null], "names": ["n"], "mappings": input.text } }],
    });
    let bytes =
        if input.mappings { whole.to_string().into_bytes() } else { input.text.as_bytes().to_vec() };
    let Ok(map) = SourceMap::parse(&bytes) else { return };
    for (line, column) in input.places.into_iter().chain([(1, 1), (2, 3), (3, 1)]) {
        if let Ok(Some(original)) = map.lookup(line, column) {
            assert!(original.line >= 1 && original.column >= 1);
        }
        for (at, _) in map.names(line, column..column.saturating_add(40)) {
            assert!(at >= column, "a name before the part that was asked for");
        }
    }
});
