//! The differences from `DevTools` that are meant, as `docs/devtools-parity.md` lists them: each is shown on both sides,
//! so that it cannot grow, nor vanish, unnoticed.

use std::path::PathBuf;

use leakline_testkit::heapsnapshot::{Layout, Snapshot};
use leakline_testkit::runtimes::devtools;

use crate::compare::{Outcome, compare_views};

/// What differs in a snapshot of that text, in words.
fn differences(text: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let file: PathBuf = dir.path().join("drawn.heapsnapshot");
    std::fs::write(&file, text).unwrap();
    let order = file.to_str().expect("a folder of ours").to_owned();
    let theirs = devtools(&[order]).unwrap_or_else(|e| panic!("{e}"));
    let outcome: Outcome = compare_views(&file, &theirs[0]);
    assert_eq!(outcome.differ, outcome.shown.len() as u64, "not all are shown");
    outcome.shown
}

/// A snapshot whose one global holds what `draw` adds.
fn drawn(
    layout: Layout,
    draw: impl FnOnce(&mut Snapshot, leakline_testkit::heapsnapshot::Node),
) -> String {
    let mut snapshot = Snapshot::new(layout);
    let global = snapshot.node("object", "global", 5, 16);
    snapshot.named(Snapshot::ROOT, "shortcut", "1", global);
    draw(&mut snapshot, global);
    snapshot.text()
}

/// `DevTools` keeps sizes in 32 bits, and they start over at 4 GiB.
#[test]
fn sizes_of_4_gib_and_more_are_whole() {
    let text = drawn(Layout::Node24, |snapshot, global| {
        let data = snapshot.node("native", "system / JSArrayBufferData", 8, (5 << 30) + 7);
        snapshot.named(global, "internal", "backing_store", data);
    });
    assert_eq!(
        differences(&text),
        [
            r#"row of DevTools: "global" 1 1 16 1073741847"#,
            r#"row of DevTools: "system / JSArrayBufferData" 1 2 1073741831 1073741831"#,
            r#"row of ours: "global" 1 1 16 5368709143"#,
            r#"row of ours: "system / JSArrayBufferData" 1 2 5368709127 5368709127"#,
            r#"retained: @1 synthetic "": ours 5368709143, DevTools 1073741847"#,
            r#"retained: @5 object "global": ours 5368709143, DevTools 1073741847"#,
            r#"shallow: @8 native "system / JSArrayBufferData": ours 5368709127, DevTools 1073741831"#,
            r#"retained: @8 native "system / JSArrayBufferData": ours 5368709127, DevTools 1073741831"#,
        ]
    );
}

/// `DevTools` renames what is detached before it looks for text outside the heap, and no longer knows it.
#[test]
fn detached_text_outside_the_heap_counts_with_its_string() {
    let text = drawn(Layout::Node24, |snapshot, global| {
        let string = snapshot.node("string", "text", 7, 24);
        let data = snapshot.node("native", "system / ExternalStringData", 8, 100);
        snapshot.detachedness(data, 2);
        snapshot.named(global, "property", "text", string);
        snapshot.named(string, "internal", "resource", data);
    });
    assert_eq!(
        differences(&text),
        [
            r#"row of DevTools: "(string)" 1 2 24 124"#,
            r#"row of DevTools: "Detached system / ExternalStringData" 1 3 100 100"#,
            r#"row of ours: "(string)" 1 2 124 124"#,
            r#"shallow: @7 string "text": ours 124, DevTools 24"#,
            r#"shallow: @8 native "system / ExternalStringData": ours 0, DevTools 100"#,
            r#"retained: @8 native "system / ExternalStringData": ours 0, DevTools 100"#,
        ]
    );
}

/// Half a surrogate pair is no text: every half reads as the replacement character. Names that differ in nothing else are
/// one name, and of two classes with one name, as `DevTools` has it, only the later is shown.
#[test]
fn halves_of_surrogate_pairs_are_one_character() {
    let text = drawn(Layout::Node24, |snapshot, global| {
        for (i, name) in ["HIGH", "LOW"].into_iter().enumerate() {
            let object = snapshot.node("object", name, 7 + 2 * i as u32, 24);
            snapshot.named(global, "property", "made", object);
        }
    });
    let text = text.replace("\"HIGH\"", "\"\\ud800\"").replace("\"LOW\"", "\"\\udc00\"");
    assert_eq!(differences(&text), ["row of DevTools: \"\u{fffd}\" 1 2 24 24"]);
}

/// `DevTools` names a row for a type it has never heard of by the file's word; here all such types are one row.
#[test]
fn types_that_are_not_known_are_other() {
    let text = drawn(Layout::Node20, |snapshot, global| {
        let object = snapshot.node("wasm object", "struct", 7, 24);
        snapshot.named(global, "property", "new", object);
    });
    let text = text.replace("wasm object", "quantum object");
    assert_eq!(
        differences(&text),
        [
            r#"row of DevTools: "(quantum object)" 1 2 24 24"#,
            r#"row of ours: "(other)" 1 2 24 24"#,
            r#"class: @7: ours ",(other)", DevTools ",(quantum object)""#,
        ]
    );
}
