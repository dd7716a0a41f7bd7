//! Bad input: each costs one step of precision, and a note says which.

// A failed set-up may panic.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use leakline_source::{
    AdderHint, Certainty, CollectionKind, Error, Found, Holder, ListenerQuery, Location, Question,
    SourceFiles, answer,
};

const APP: &str = "'use strict';\nfunction handle(req) {\n  process.on('uncaughtException', (err) => {\n    req.fail(err);\n  });\n}\nmodule.exports = handle;\n";

struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    fn new() -> Folder {
        Folder { dir: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

fn ask(search: &[PathBuf], file: &Path, (line, column): (u32, u32)) -> Result<Found, Error> {
    let files = SourceFiles::new(search.to_vec());
    let query = ListenerQuery::event("uncaughtException").emitter("process");
    let closure = Location { file: file.to_owned(), line, column };
    answer(&files, &Question::Registration(query, closure), &[file.to_owned()])
}

/// Where the listener of [`APP`] begins.
const HERE: (u32, u32) = (3, 35);

#[track_caller]
fn line(found: &Found) -> Option<u32> {
    found.best.as_ref().map(|it| it.location.line)
}

#[track_caller]
fn note(found: &Found, words: &str) {
    assert!(found.notes.iter().any(|note| note.contains(words)), "{words}: {found:#?}");
}

#[test]
fn whole() {
    let folder = Folder::new();
    let found = ask(&[], &folder.write("app.js", APP), HERE).unwrap();
    assert_eq!((line(&found), found.certainty), (Some(3), Certainty::Derived));
    assert_eq!(found.notes, Vec::<String>::new());
}

#[test]
fn missing() {
    let error = ask(&[], Path::new("/nowhere/at/all/app.js"), HERE).unwrap_err();
    assert_eq!(error.to_string(), "cannot find the source file /nowhere/at/all/app.js");
    assert_eq!(
        error.hint(),
        Some("name the folder that holds the deployed files with --source DIR")
    );
}

#[test]
fn missing_but_another_file_names_the_event() {
    let folder = Folder::new();
    let other = folder.write("app.js", APP);
    let files = SourceFiles::new(Vec::new());
    let query = ListenerQuery::event("uncaughtException").emitter("process");
    let closure = Location { file: "/nowhere/at/all/gone.js".into(), line: 3, column: 35 };
    let found = answer(&files, &Question::Registration(query, closure), &[other]).unwrap();
    assert_eq!((line(&found), found.certainty), (Some(3), Certainty::Likeliest));
    note(&found, "cannot find the source file /nowhere/at/all/gone.js");
}

#[test]
fn moved_the_longest_common_end_of_the_path_decides() {
    let folder = Folder::new();
    let right = folder.write("checkout/server/lib/app.js", APP);
    folder.write("checkout/lib/app.js", "// another file\n");
    folder.write("checkout/app.js", "// another file\n");
    let dir = folder.dir.path().join("checkout");
    let found = ask(&[dir], Path::new("/srv/release-7/server/lib/app.js"), HERE).unwrap();
    assert_eq!((line(&found), found.certainty), (Some(3), Certainty::Derived));
    assert_eq!(found.best.unwrap().location.file, right);
}

#[test]
fn edited_since_the_capture() {
    let folder = Folder::new();
    // The place is inside of another function now.
    let shifted = format!(
        "function other(a, b) {{\n  return a;\n}}\nfunction third(x) {{\n  return x.map((y) => [y, x, other(x, y), other(y, x)]);\n}}\n{APP}"
    );
    let found = ask(&[], &folder.write("app.js", &shifted), (5, 20)).unwrap();
    assert_eq!((line(&found), found.certainty), (Some(9), Certainty::Likeliest));
    note(&found, "app.js:5:20; the one around it was taken: the file was edited");
    // The file is shorter now.
    let found = ask(&[], &folder.write("b.js", APP), (300, 4)).unwrap();
    assert_eq!((line(&found), found.certainty), (Some(3), Certainty::Likeliest));
    note(&found, "b.js:300:4 lies outside the file: it is not the one that ran");
    // Of two calls for the event the nearer one.
    let two = format!("{APP}\n\n{APP}");
    let found = ask(&[], &folder.write("c.js", two), (13, 2)).unwrap();
    assert_eq!((line(&found), found.certainty), (Some(12), Certainty::Likeliest));
}

#[test]
fn edited_since_for_a_call_around_a_function() {
    let folder = Folder::new();
    let text = "// new\nexports.f = () => {\n  setInterval(() => {\n    tick();\n  }, 1000);\n};\n";
    let file = folder.write("app.js", text);
    let function = Location { file: file.clone(), line: 4, column: 5 };
    let callees = vec!["setInterval".to_owned()];
    let question = Question::CallAround { function, callees };
    let found = answer(&SourceFiles::new(Vec::new()), &question, &[file]).unwrap();
    assert_eq!((line(&found), found.certainty), (Some(3), Certainty::Likeliest));
    note(&found, "the file was edited");
}

#[test]
fn a_syntax_error() {
    let folder = Folder::new();
    let broken = format!("{APP}\nconst = = 3 ((( {{\n");
    let found = ask(&[], &folder.write("app.js", broken), HERE).unwrap();
    assert_eq!((line(&found), found.certainty), (Some(3), Certainty::ByText));
    note(&found, "app.js cannot be parsed (line ");
    assert!(found.how.contains("found by text"), "{found:#?}");
}

#[test]
fn no_utf8() {
    let folder = Folder::new();
    // Latin-1: the é before the closure is one byte, and one column.
    let latin = APP.replace("(err) =>", "/*\u{e9}*/ (err) =>");
    let bytes: Vec<u8> = latin.chars().map(|ch| ch as u32 as u8).collect();
    let found = ask(&[], &folder.write("app.js", bytes), (3, 41)).unwrap();
    assert_eq!((line(&found), found.certainty), (Some(3), Certainty::Derived));
    note(&found, "app.js is not valid UTF-8 at byte 73; such bytes are shown as U+FFFD");
    for (name, order) in
        [("le.js", u16::to_le_bytes as fn(u16) -> [u8; 2]), ("be.js", u16::to_be_bytes)]
    {
        let units = std::iter::once(0xFEFF).chain(APP.encode_utf16());
        let bytes: Vec<u8> = units.flat_map(order).collect();
        let found = ask(&[], &folder.write(name, bytes), HERE).unwrap();
        assert_eq!((line(&found), found.certainty), (Some(3), Certainty::Derived), "{name}");
        note(&found, "is UTF-16, which Node.js does not run");
    }
}

#[test]
fn an_empty_file() {
    let folder = Folder::new();
    let found = ask(&[], &folder.write("app.js", ""), HERE).unwrap();
    assert_eq!(line(&found), None);
    note(&found, "app.js is empty: it is not the file that ran");
    assert_eq!(found.how, "no statement was found that registers the closure");
}

#[test]
fn a_folder_in_place_of_the_file() {
    let folder = Folder::new();
    let path = folder.dir.path().join("app.js");
    fs::create_dir(&path).unwrap();
    let error = ask(&[], &path, HERE).unwrap_err();
    assert!(error.to_string().ends_with("app.js is no regular file"), "{error}");
}

#[test]
fn a_huge_file() {
    let folder = Folder::new();
    let path = folder.write("app.js", APP);
    fs::File::options().write(true).open(&path).unwrap().set_len((64 << 20) + 1).unwrap();
    let error = ask(&[], &path, HERE).unwrap_err();
    let words = "app.js has 67108865 bytes, more than the 67108864 that are parsed";
    assert!(error.to_string().ends_with(words), "{error}");
    assert_eq!(error.hint(), Some("point --source at the files before bundling"));
}

#[test]
fn a_holder_in_a_file_that_is_missing() {
    let folder = Folder::new();
    let other = folder.write(
        "b.js",
        "const store = require('./gone');\nexports.f = (k) => {\n  store.items.set(k, 1);\n};\n",
    );
    let holder = Holder::Property {
        name: "items".into(),
        owner_class: None,
        file: Some(folder.dir.path().join("gone.js")),
    };
    let question = Question::Adders {
        holders: vec![holder],
        kind: CollectionKind::Map,
        hint: AdderHint::default(),
    };
    let found = answer(&SourceFiles::new(Vec::new()), &question, &[other]).unwrap();
    assert_eq!(line(&found), Some(3), "{found:#?}");
    note(&found, "cannot find the source file");
}

#[test]
fn one_line_of_five_megabytes() {
    let mut text = String::from("!function(){var m=new Map;");
    for at in 0..90_000 {
        text.push_str(&format!("function f{at}(a,b){{return a.b(c,{at})+b}};"));
    }
    text.push_str("function keep(k){m.set(k,{k:k})}");
    let column = text.encode_utf16().count() as u32 - "m.set(k,{k:k})}".len() as u32 + 1;
    for at in 0..25_000 {
        text.push_str(&format!("function g{at}(a,b){{return a.b(c,{at})+b}};"));
    }
    text.push_str("}();");
    assert!(text.len() > 4_800_000, "{}", text.len());
    let folder = Folder::new();
    let file = folder.write("app.js", text);
    let holder = Holder::Variable { file: file.clone(), name: "m".into(), near: None };
    let question = Question::Adders {
        holders: vec![holder],
        kind: CollectionKind::Map,
        hint: AdderHint { value_keys: vec!["k".into()], ..AdderHint::default() },
    };
    let started = std::time::Instant::now();
    let found = answer(&SourceFiles::new(Vec::new()), &question, &[file]).unwrap();
    let took = started.elapsed();
    let best = found.best.unwrap();
    assert_eq!((best.location.line, best.location.column), (1, column));
    let rendered = best.frame.render();
    assert!(rendered.contains("function keep(k){m.set(k,{k:k})}"), "{rendered}");
    assert!(rendered.lines().all(|row| row.chars().count() <= 80), "{rendered}");
    // Under two seconds when optimised and alone; here the build is not, and other tests run beside
    // it. What is quadratic in the line takes minutes.
    assert!(took.as_secs_f64() < 60.0, "{took:?}");
}
