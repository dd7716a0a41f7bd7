//! Any text as a program: the statement that registers a closure, and the one that fills a collection.

#![no_main]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use arbitrary::Arbitrary;
use leakline_source::{
    AdderHint, CollectionKind, Found, Holder, ListenerQuery, Location, SourceFiles, adders,
    registration,
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    kind: u8,
    /// The first character of the text that counts as a position: any of them.
    at: u16,
    wild: Option<(u32, u32)>,
    text: &'a str,
}

const KINDS: [CollectionKind; 4] =
    [CollectionKind::Map, CollectionKind::Set, CollectionKind::Array, CollectionKind::Object];

fn folder() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().expect("a temporary folder")).path()
}

fn check(found: Result<Found, leakline_source::Error>, text: &str) {
    let Ok(found) = found else { return };
    for statement in found.best.iter().chain(&found.others) {
        assert!(statement.location.line >= 1 && statement.location.column >= 1);
        let lines = text.split(['\n', '\r', '\u{2028}', '\u{2029}']).count();
        assert!(statement.location.line as usize <= lines, "a line beyond the file");
    }
}

fuzz_target!(|input: Input<'_>| {
    let file = folder().join(["a.js", "a.mjs", "a.ts", "a.cjs"][usize::from(input.kind) / 4 % 4]);
    std::fs::write(&file, input.text).expect("the temporary folder is ours");
    let (line, column) = input.wild.unwrap_or_else(|| {
        let at = usize::from(input.at) % (input.text.len() + 1);
        let before = String::from_utf8_lossy(&input.text.as_bytes()[..at]).into_owned();
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().encode_utf16().count() as u32;
        (line, column + 1)
    });
    let here = Location { file: file.clone(), line, column };
    let candidates: Vec<PathBuf> = vec![file.clone()];
    let files = SourceFiles::new(Vec::new());
    for query in [ListenerQuery::default(), ListenerQuery::event("end").emitter("process")] {
        check(registration(&files, &here, &query, &candidates), input.text);
    }
    let holders = [
        Holder::Variable { file: file.clone(), name: "cache".into(), near: Some(here) },
        Holder::Variable { file: file.clone(), name: "a".into(), near: None },
        Holder::Property { name: "cache".into(), owner_class: None, file: Some(file.clone()) },
        Holder::ModuleExport { file, name: None },
    ];
    let hint = AdderHint { value_keys: vec!["id".into()], ..AdderHint::default() };
    let kind = KINDS[usize::from(input.kind) % 4];
    check(adders(&files, &holders, kind, &hint, &candidates), input.text);
});
