//! No bytes and no position make the crate panic, and the text helpers agree with naive ones.

// A failed set-up may panic.
#![allow(clippy::unwrap_used)]

use std::fs;

use leakline_source::scan::{ScanOptions, scan};
use leakline_source::{
    AdderHint, CollectionKind, Holder, LineIndex, ListenerQuery, Location, Question, SourceFiles,
    SourceMap, adders, answer, frame, map_reference, registration,
};
use proptest::prelude::*;

/// Text made of what matters to a lexer, so that some of it parses.
fn script() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "a",
        "m",
        "x",
        "function",
        "=>",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ".",
        "on",
        "set",
        "push",
        "'x'",
        "`",
        "${",
        ",",
        ";",
        "\n",
        "\r\n",
        " ",
        "=",
        "const",
        "class",
        "this",
        "new",
        "Map",
        "require('./a')",
        "module.exports",
        "import",
        "from",
        "export",
        "default",
        "*",
        "/",
        "//",
        "/*",
        "*/",
        "é",
        "😀",
        "\u{2028}",
        "?.",
        "...",
        "async",
        "await",
        "process.on('x', () => a)",
        "setInterval(f)",
        "(req, res) => {",
        "m.push(req.a)",
        "m[req.a] =",
        "if (",
        "import(",
        "return",
        "#",
        "@",
        "<",
        "m.set(a, {x})",
        "x.on('x', () => a)",
        "const m = new Map();",
        "\\",
    ]);
    prop::collection::vec(word, 0..80).prop_map(|words| words.join(" "))
}

fn ask(bytes: &[u8], name: &str, line: u32, column: u32) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    let scanned = scan(&path, ScanOptions::default(), &mut |_| {}).unwrap();
    assert!(scanned.files <= 1);
    let near = Location { file: path.clone(), line, column };
    let files = SourceFiles::new(Vec::new());
    let all = [path.clone()];
    for query in [ListenerQuery::default(), ListenerQuery::event("x")] {
        let found = registration(&files, &near, &query, &all).unwrap();
        for statement in found.best.iter().chain(&found.others) {
            let text = String::from_utf8_lossy(bytes);
            assert!(statement.location.line as usize <= LineIndex::new(&text).count() as usize);
            let rendered = statement.frame.render();
            assert!(rendered.contains('>'));
        }
    }
    for kind in
        [CollectionKind::Map, CollectionKind::Set, CollectionKind::Array, CollectionKind::Object]
    {
        let variable =
            Holder::Variable { file: path.clone(), name: "m".into(), near: Some(near.clone()) };
        let property = Holder::Property { name: "x".into(), owner_class: None, file: None };
        let hint = AdderHint { value_keys: vec!["x".into()], ..AdderHint::default() };
        let inside = Holder::Element { of: Box::new(variable.clone()) };
        adders(&files, &[variable, property, inside], kind, &hint, &all).unwrap();
    }
    let callees = vec!["on".to_owned(), "a.set".to_owned()];
    for question in [
        Question::CallAround { function: near.clone(), callees: callees.clone() },
        Question::Creations { name: "Map".into(), callees, near: Some(near.clone()), on: vec![] },
        Question::Enclosing(near.clone()),
    ] {
        let found = answer(&files, &question, &all).unwrap();
        for statement in found.best.iter().chain(&found.others) {
            assert!(statement.frame.render().contains('>'));
        }
    }
}

/// Most of what the flattening looks at, for cutting pieces out of.
const SAMPLE: &str = r"import def, { a as b } from './a.js'; import * as ns from 'node:events';
export * from './b.js'; export { x as y } from './c.js'; export default class A extends B {
  static #s = new Map(); items = [...ns.list]; accessor z = 1; static { this.#s.set(1, 2); }
  constructor(private m = new Set(), { p: { q = 1 }, ...rest } = {}) { super(); this.m.add(q); }
  get g() { return this.items; } async *[Symbol.iterator]() { yield* this.items; }
}
function F() { this.list = []; } F.prototype.add = function (k) { this.list.push(k); };
const f = async ({ x }, [y], ...z) => (x ?? y)?.on?.(`e:${x}`, once(() => z).bind(null));
var m = new Map([['a', { x, ...y }]]); m = new Map([...m, [1, 2]]); o[k] = delete o[j], l[l.length] = 1;
label: for (const [k, v] of m) { if (m.size > 9) m.delete(k); else continue label; }
x.on('x', a ? function n() {} : (b, c)); (function () { return m; }).call(this); module.exports = { m, f() {} };
";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn scripts(text in script(), line in 0..6_u32, column in 0..200_u32,
        name in prop::sample::select(vec!["a.js", "a.mjs", "a.ts", "a.tsx", "a.cjs", "a"])) {
        ask(text.as_bytes(), name, line, column);
    }

    #[test]
    fn mutilated(from in 0..SAMPLE.len(), length in 0..60_usize, line in 0..12_u32,
        column in 0..100_u32, name in prop::sample::select(vec!["a.js", "a.mjs", "a.ts"])) {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        bytes.drain(from..(from + length).min(SAMPLE.len()));
        ask(&bytes, name, line, column);
    }

    #[test]
    fn bytes(bytes in prop::collection::vec(any::<u8>(), 0..300), line in any::<u32>(),
        column in any::<u32>()) {
        ask(&bytes, "a.js", line, column);
    }

    #[test]
    fn source_maps(mappings in "[A-Za-z0-9+/,;!]{0,60}", line in 0..5_u32, column in any::<u32>(),
        shift in any::<(u32, u32)>()) {
        let inner = format!("{{\"sources\":[\"a\",null],\"names\":[\"n\"],\"mappings\":\"{mappings}\"}}");
        let (by, to) = shift;
        let sections = format!(
            "{{\"sections\":[{{\"offset\":{{\"line\":{by},\"column\":{to}}},\"map\":{{\"sections\":[\
             {{\"offset\":{{\"line\":{to},\"column\":{by}}},\"map\":{inner}}}]}}}}]}}"
        );
        for text in [inner, sections] {
            let map = SourceMap::parse(text.as_bytes()).unwrap();
            for line in [line, line.wrapping_add(by)] {
                let _ = map.lookup(line, column);
                let _ = map.names(line, column..column.saturating_add(9));
            }
        }
    }

    #[test]
    fn references_to_maps(text in "([#@/* a='\"\n]|sourceMappingURL=|//# ){0,12}") {
        if let Some(url) = map_reference(&text) {
            prop_assert!(!url.is_empty() && text.contains(url));
        }
    }

    #[test]
    fn positions_agree_with_counting(text in "[ab\n\r\u{2028}é😀]{0,40}", at in 0..60_usize) {
        let index = LineIndex::new(&text);
        let at = text.floor_char_boundary(at.min(text.len()));
        let before = &text[..at];
        let line = before.matches('\n').count() as u32 + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before[start..].encode_utf16().count() as u32 + 1;
        prop_assert_eq!(index.position(&text, at as u32), (line, column));
        // The `\n` of a `\r\n` is no place of its own.
        if !(text[at..].starts_with('\n') && before.ends_with('\r')) {
            prop_assert_eq!(index.offset(&text, line, column), Some(at as u32));
        }
    }

    #[test]
    fn all_terminators_end_lines(text in "[ab\n\r\u{2028}\u{2029}é😀]{0,40}") {
        let index = LineIndex::with_all_terminators(&text);
        let plain = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n");
        let lines: Vec<&str> = plain.split('\n').collect();
        prop_assert_eq!(index.count() as usize, lines.len());
        for (at, line) in lines.iter().enumerate() {
            prop_assert_eq!(index.line(&text, at as u32 + 1).map(|it| it.1), Some(*line));
        }
    }

    #[test]
    fn frames_fit(text in "[a-z\t\n é漢😀\u{1b}]{0,400}", line in 0..9_u32, column in 0..400_u32,
        context in 0..4_u32) {
        let frame = frame(&text, line, column, context);
        prop_assert!(frame.lines.len() as u32 <= 2 * context + 1);
        let rendered = frame.render();
        for row in rendered.lines() {
            let columns: usize =
                row.chars().map(|ch| 1 + usize::from(matches!(ch, '漢' | '😀'))).sum();
            prop_assert!(columns <= 80, "{} columns: {:?}", columns, row);
            prop_assert!(!row.chars().any(char::is_control));
        }
    }
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let text = format!("{}leak(here){}", "x".repeat(5_000), "y".repeat(5_000));
    let frame = frame(&text, 1, 5_001, 2);
    let rendered = frame.render();
    let rows: Vec<&str> = rendered.lines().collect();
    assert!(rows[0].starts_with("> 1 | …xxx") && rows[0].ends_with("yyy…"), "{rendered}");
    // The caret stands below the `l` of `leak`.
    let caret = rows[1].chars().position(|ch| ch == '^').unwrap();
    let here: String = rows[0].chars().skip(caret).take(10).collect();
    assert_eq!(here, "leak(here)");
    assert_eq!(rows[0].chars().count(), 80);
}

#[test]
fn the_sample_is_a_program() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.ts");
    fs::write(&path, SAMPLE).unwrap();
    let place = Location { file: path, line: 6, column: 11 };
    let files = SourceFiles::new(Vec::new());
    let found = registration(&files, &place, &ListenerQuery::event("x"), &[]).unwrap();
    assert!(!found.notes.iter().any(|note| note.contains("cannot be parsed")), "{found:?}");
    assert_eq!(found.best.map(|it| it.location.line), Some(11));
}
