//! Places before compilation, by maps that real tools wrote, and by maps that are broken.

// A failed set-up may panic.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::source;
use leakline_source::{
    AdderHint, CollectionKind, Found, Holder, ListenerQuery, Location, Question, SourceFiles,
    answer,
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/maps").join(name)
}

/// The place of a text in a file, 1-based.
fn place(file: &Path, text: &str) -> Location {
    let content = fs::read_to_string(file).unwrap();
    let at = content.find(text).unwrap_or_else(|| panic!("{text} in {}", file.display()));
    let before = &content[..at];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Location {
        file: file.to_owned(),
        line: before.matches('\n').count() as u32 + 1,
        column: before[line_start..].encode_utf16().count() as u32 + 1,
    }
}

fn listener(files: &SourceFiles, file: &Path, closure: &str) -> Found {
    let query = ListenerQuery::event("uncaughtException").emitter("process");
    let closure = place(file, closure);
    answer(files, &Question::Registration(query, closure), &[file.to_owned()]).unwrap()
}

fn map_adder(files: &SourceFiles, file: &Path, variable: &str) -> Found {
    let variable =
        Holder::Variable { file: file.to_owned(), name: variable.to_owned(), near: None };
    let question = Question::Adders {
        holders: vec![variable],
        kind: CollectionKind::Map,
        hint: AdderHint::default(),
    };
    answer(files, &question, &[file.to_owned()]).unwrap()
}

#[track_caller]
fn check(found: &Found, file: &Path, line: u32, function: &str, snippet: &str, marked: &str) {
    let best = found.best.as_ref().unwrap();
    let original = best.original.as_ref().unwrap_or_else(|| panic!("{found:#?}"));
    assert_eq!((original.file.as_path(), original.line), (file, line), "{found:#?}");
    assert_eq!(best.function.as_deref(), Some(function), "{found:#?}");
    assert!(best.snippet.starts_with(snippet), "{found:#?}");
    let frame = &best.frame;
    let at = (frame.marked_line - frame.first_line) as usize;
    assert_eq!(frame.lines[at].text.trim(), marked, "{found:#?}");
}

const ON: &str = "process.on('uncaughtException', (err: Error) => {";
const SET: &str = "sessions.set(id, session)";

#[test]
fn a_bundle_with_its_sources_in_the_map() {
    let file = fixture("esbuild/server.js");
    let found = listener(&source(), &file, "c=>{this.logger");
    check(&found, &fixture("src/server.ts"), 11, "RequestLogging.attach", "process.on(", ON);
    let best = found.best.as_ref().unwrap();
    assert_eq!((best.location.line, &best.location.file), (1, &file));
    assert_eq!(found.notes, Vec::<String>::new());
    let found = map_adder(&source(), &file, "o");
    let text = "sessions.set(id, session);";
    check(&found, &fixture("src/cache.ts"), 8, "rememberSession", SET, text);
}

#[test]
fn a_map_inside_the_script_and_the_sources_on_disk() {
    let file = fixture("inline/server.js");
    let found = listener(&source(), &file, "c=>{this.logger");
    check(&found, &fixture("src/server.ts"), 11, "RequestLogging.attach", "process.on(", ON);
}

#[test]
fn a_source_root_that_is_gone() {
    let file = fixture("tsc/server.js");
    let found = listener(&source(), &file, "(err) =>");
    let best = found.best.as_ref().unwrap();
    let original = best.original.as_ref().unwrap();
    assert_eq!((original.file.as_path(), original.line), (Path::new("/gone/src/server.ts"), 11));
    assert!(found.notes[0].contains("/gone/src/server.ts, is not at hand"), "{found:#?}");
    assert_eq!(
        best.snippet,
        "process.on('uncaughtException', (err) => { this.logger.error(requestId + err.message); })"
    );
    // The folder of the sources leads to them by the end of the path.
    let files = SourceFiles::new(vec![fixture("")]);
    let found = listener(&files, &file, "(err) =>");
    check(&found, &fixture("src/server.ts"), 11, "RequestLogging.attach", "process.on(", ON);
}

#[test]
fn a_map_over_a_map() {
    let file = fixture("tsc/server.min.js");
    let found = listener(&source(), &file, "e=>{this.logger");
    let original = found.best.as_ref().unwrap().original.as_ref().unwrap();
    assert_eq!(original.line, 11, "{found:#?}");
    assert_eq!(original.file.file_name().unwrap(), "server.ts");
}

#[test]
fn a_bundle_whose_sources_have_addresses() {
    let file = fixture("webpack/server.js");
    let found = listener(&source(), &file, "e=>{this.logger");
    let original = found.best.as_ref().unwrap().original.as_ref().unwrap();
    assert_eq!(original.file, fixture("tsc/server.js"), "{found:#?}");
    assert_eq!(original.line, place(&original.file, "process.on(").line);
}

/// A folder with a copy of the bundle and another map.
fn with_map(map: Option<&[u8]>) -> (tempfile::TempDir, Found) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("server.js");
    fs::copy(fixture("esbuild/server.js"), &file).unwrap();
    if let Some(map) = map {
        fs::write(dir.path().join("server.js.map"), map).unwrap();
    }
    let found = listener(&source(), &file, "c=>{this.logger");
    (dir, found)
}

#[test]
fn a_map_that_cannot_be_used_costs_the_original_place_only() {
    let whole = fs::read_to_string(fixture("esbuild/server.js.map")).unwrap();
    let broken_mappings = {
        let at = whole.find("\"mappings\": \"").unwrap() + "\"mappings\": \"".len();
        format!("{}!{}", &whole[..at], &whole[at..])
    };
    let no_sources = whole.replace("\"../src/server.ts\", \"../src/cache.ts\"", "");
    let short = "{\"version\":3,\"sources\":[\"a.ts\"],\"sourcesContent\":[\"x\"],\"names\":[],\"mappings\":\"AAgBA\"}";
    let cases: [(&str, Option<&[u8]>, &str); 8] = [
        ("missing", None, "server.js.map that"),
        ("no JSON", Some(b"<html>"), "it is no source map: line 1"),
        ("cut short", Some(&whole.as_bytes()[..whole.len() / 2]), "it is no source map: line"),
        ("no UTF-8", Some(b"{\"mappings\":\"\xFF\"}"), "it is no source map: line 1"),
        ("no mappings", Some(b"{}"), "it has no mappings"),
        ("broken mappings", Some(broken_mappings.as_bytes()), "its mappings are broken at byte 0"),
        ("a source out of range", Some(no_sources.as_bytes()), "but lists 0"),
        ("a line out of range", Some(short.as_bytes()), "it is not the text that was compiled"),
    ];
    for (case, map, words) in cases {
        let (_dir, found) = with_map(map);
        let best = found.best.as_ref().expect(case);
        assert_eq!(best.location.line, 1, "{case}");
        assert!(
            best.snippet.starts_with("process.on(\"uncaughtException\",c=>"),
            "{case}: {found:#?}"
        );
        assert!(best.frame.lines[0].text.contains("process.on("), "{case}: {found:#?}");
        assert_eq!(found.notes.len(), 1, "{case}: {found:#?}");
        assert!(found.notes[0].contains(words), "{case}: {found:#?}");
        assert_eq!(best.original.is_some(), case == "a line out of range", "{case}");
    }
}

#[test]
fn a_folder_in_place_of_the_map() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("server.js");
    fs::copy(fixture("esbuild/server.js"), &file).unwrap();
    fs::create_dir(dir.path().join("server.js.map")).unwrap();
    let found = listener(&source(), &file, "c=>{this.logger");
    assert!(found.best.is_some());
    assert!(found.notes[0].contains("server.js.map that"), "{found:#?}");
}

#[test]
fn sections_and_a_map_that_is_only_beside() {
    let whole = fs::read_to_string(fixture("esbuild/server.js.map")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("server.js");
    let script = fs::read_to_string(fixture("esbuild/server.js")).unwrap();
    let script = script.split("//#").next().unwrap();
    fs::write(&file, format!("/* two */\n/* lines */\n{script}")).unwrap();
    let index = format!(
        "{{\"version\":3,\"sections\":[{{\"offset\":{{\"line\":2,\"column\":0}},\"map\":{whole}}}]}}"
    );
    fs::write(dir.path().join("server.js.map"), index).unwrap();
    let found = listener(&source(), &file, "c=>{this.logger");
    let expected = dir.path().parent().unwrap().join("src/server.ts");
    check(&found, &expected, 11, "RequestLogging.attach", "process.on(", ON);
}

#[test]
fn names_of_functions_without_the_sources() {
    // `function t(e){process.on("x",()=>e)}`, names: remember at 9.
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.js");
    fs::write(
        &file,
        "function t(e){process.on(\"uncaughtException\",()=>e)}\n//# sourceMappingURL=a.map",
    )
    .unwrap();
    let map = "{\"version\":3,\"sources\":[\"gone.ts\"],\"names\":[\"remember\"],\"mappings\":\"AAAA,SAASA,KACP\"}";
    fs::write(dir.path().join("a.map"), map).unwrap();
    let found = listener(&source(), &file, "()=>e");
    let best = found.best.unwrap();
    assert_eq!(best.function.as_deref(), Some("remember"), "{best:#?}");
    assert_eq!(best.original.unwrap().line, 2);
}

#[test]
fn a_large_map_is_fast() {
    // 5 MB in one line, and a map with a segment for each call.
    let unit = "f(1,2);";
    let count = 700_000;
    let mut script = unit.repeat(count);
    let at = script.len();
    script.push_str("function leak(r){process.on(\"uncaughtException\",(()=>r))}\n//# sourceMappingURL=a.js.map\n");
    assert!(script.len() > 4_800_000 && at > 0);
    let mut mappings = "AAAA".to_owned();
    mappings.push_str(&",OACA".repeat(count));
    let map = format!(
        "{{\"version\":3,\"sources\":[\"a.ts\"],\"names\":[],\"mappings\":\"{mappings}\"}}"
    );
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.js");
    fs::write(&file, script).unwrap();
    fs::write(dir.path().join("a.js.map"), map).unwrap();
    let started = std::time::Instant::now();
    let found = listener(&source(), &file, "()=>r");
    let took = started.elapsed();
    let best = found.best.unwrap();
    assert_eq!(best.original.unwrap().line, count as u32 + 1);
    assert!(took.as_secs_f64() < 10.0, "{took:?}");
}
