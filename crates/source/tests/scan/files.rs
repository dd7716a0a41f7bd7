//! Which files are looked at, and files that nobody should be able to hurt us with.

use std::fs;

use leakline_source::scan::{ScanOptions, scan};

use super::{check, folder, scanned, write};

const LEAK: &str =
    "const log = [];\nrequire('http').createServer((req, res) => { log.push(req.url); });\n";

fn names(found: &leakline_source::scan::Scan) -> Vec<String> {
    let root = &found.root;
    let name = |it: &leakline_source::scan::Finding| {
        it.file.strip_prefix(root).unwrap().display().to_string()
    };
    found.findings.iter().map(name).collect()
}

#[test]
fn ignored_and_written_files_are_left_out() {
    let dir = folder(&[
        (".gitignore", "/generated\n*.gen.js\n"),
        ("src/app.js", LEAK),
        ("generated/app.js", LEAK),
        ("src/x.gen.js", LEAK),
        ("dist/app.js", LEAK),
        ("src/app.min.js", LEAK),
        ("test/app.js", LEAK),
        ("src/app.test.ts", LEAK),
        ("src/types.d.ts", "export declare const x: number;\n"),
        ("node_modules/dep/dist/index.js", LEAK),
        ("node_modules/dep/test/index.js", LEAK),
        ("readme.md", LEAK),
    ]);
    assert_eq!(names(&scanned(dir.path())), ["src/app.js"]);
    let all = ScanOptions { include_node_modules: true };
    let found = scan(dir.path(), all, &mut |_| {}).unwrap();
    assert_eq!(names(&found), ["node_modules/dep/dist/index.js", "src/app.js"]);
    // What is named is scanned.
    let found = scanned(&dir.path().join("test"));
    assert_eq!(names(&found), ["app.js"]);
    let found = scanned(&dir.path().join("src/app.test.ts"));
    assert_eq!(found.findings.len(), 1);
    let found = scanned(&dir.path().join("node_modules/dep"));
    assert_eq!(names(&found), ["dist/index.js"]);
}

#[test]
fn git_may_ignore_packages() {
    let dir = folder(&[(".gitignore", "node_modules\n"), ("node_modules/dep/index.js", LEAK)]);
    let all = ScanOptions { include_node_modules: true };
    assert_eq!(scan(dir.path(), all, &mut |_| {}).unwrap().findings.len(), 1);
}

#[test]
fn loops_of_links_end() {
    let dir = folder(&[("a/app.js", LEAK)]);
    std::os::unix::fs::symlink(dir.path(), dir.path().join("a/loop")).unwrap();
    std::os::unix::fs::symlink("gone", dir.path().join("a/dangling.js")).unwrap();
    assert_eq!(names(&scanned(dir.path())), ["a/app.js"]);
}

#[test]
fn a_missing_path_is_an_error() {
    let dir = folder(&[]);
    assert!(scan(&dir.path().join("none"), ScanOptions::default(), &mut |_| {}).is_err());
}

#[test]
fn bad_files_are_noted_and_the_rest_is_scanned() {
    let dir =
        folder(&[("app.js", LEAK), ("broken.js", "const x = {;\nfunction (\n"), ("empty.js", "")]);
    write(dir.path(), "latin.js", [LEAK.as_bytes(), b"// caf\xe9\n"].concat());
    write(dir.path(), "large.js", "x = 1;\n".repeat(400_000));
    write(dir.path(), "minified.js", format!("{LEAK}{}", "f(1);".repeat(20_000)));
    write(dir.path(), "deep.js", format!("x = {}1{};", "[".repeat(60_000), "]".repeat(60_000)));
    write(dir.path(), "binary.js", (0..=255_u8).cycle().take(9_000).collect::<Vec<u8>>());
    let found = scanned(dir.path());
    assert_eq!(names(&found), ["app.js", "latin.js"]);
    let notes = found.notes.join("\n");
    for part in ["large.js", "minified.js", "latin.js", "broken.js", "deep.js"] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
}

#[test]
fn one_minified_line_of_5_mb_is_survived() {
    let dir = folder(&[("app.js", LEAK)]);
    write(dir.path(), "vendor.js", "a.on('x',function(){b.push(c)});".repeat(160_000));
    let found = scanned(dir.path());
    assert_eq!(names(&found), ["app.js"]);
    let found = scanned(&dir.path().join("vendor.js"));
    assert!(found.findings.is_empty() && !found.notes.is_empty());
}

#[test]
fn mutual_calls_and_aliases_end() {
    check(&[(
        "app.js",
        "
const log = [];
const a = (x) => b(x), b = (x) => a(x);
let p = q, q = p;
require('http').createServer((req, res) => { a(req.url); p = q; q = p; c(c); });
function c(f) { f(f); log.push(f); } // LEAK collection
",
    )]);
}

#[test]
fn unreadable_folders_are_survived() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder(&[("app.js", LEAK), ("secret/app.js", "x")]);
    let secret = dir.path().join("secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    let found = scanned(dir.path());
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(found.findings.len(), 1);
}
