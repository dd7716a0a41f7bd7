//! Which files are scanned.
//!
//! What git ignores is left out, and so are packages, what tools write, and tests: a leak there
//! takes no service down. Links are not followed, so loops of links cost nothing. What the user
//! names is always scanned: the rules apply to what lies below it.

use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use super::ScanOptions;
use crate::error::Error;

/// What JavaScript and TypeScript files are called.
const EXTENSIONS: [&str; 8] = ["js", "cjs", "mjs", "jsx", "ts", "cts", "mts", "tsx"];
/// Folders of tests, everywhere.
const TESTS: [&str; 9] = [
    "test",
    "tests",
    "__tests__",
    "spec",
    "fixtures",
    "__fixtures__",
    "__mocks__",
    "e2e",
    "cypress",
];
/// Folders that tools write, except inside of packages, which are published so.
const BUILT: [&str; 9] =
    ["dist", "build", "out", "coverage", ".next", ".nuxt", ".output", "vendor", "bower_components"];

/// A file and its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub path: PathBuf,
    pub bytes: u64,
}

/// The files below `root`, in order of their paths; `root` itself where it is a file.
pub(super) fn files(
    root: &Path,
    options: ScanOptions,
    notes: &mut Vec<String>,
) -> Result<Vec<Listed>, Error> {
    let meta =
        std::fs::metadata(root).map_err(|source| Error::Read { path: root.to_owned(), source })?;
    if meta.is_file() {
        return Ok(vec![Listed { path: root.to_owned(), bytes: meta.len() }]);
    }
    std::fs::read_dir(root).map_err(|source| Error::Read { path: root.to_owned(), source })?;
    let mut out = Vec::new();
    let mut unreadable = 0;
    let mut packages = Vec::new();
    walk(root, root, true, &mut out, &mut packages, &mut unreadable);
    if options.include_node_modules {
        // A package's own packages are found by the walk itself: nothing is ignored there.
        for folder in packages {
            walk(root, &folder, false, &mut out, &mut Vec::new(), &mut unreadable);
        }
    }
    if unreadable > 0 {
        notes.push(format!("{unreadable} files or folders could not be read"));
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    out.dedup_by(|a, b| a.path == b.path);
    Ok(out)
}

/// Walks one folder. With `own`, what git ignores is left out, and folders of packages are noted
/// instead of entered.
fn walk(
    root: &Path,
    folder: &Path,
    own: bool,
    out: &mut Vec<Listed>,
    packages: &mut Vec<PathBuf>,
    unreadable: &mut usize,
) {
    let published = !own || root.components().any(|part| part.as_os_str() == "node_modules");
    let mut builder = WalkBuilder::new(folder);
    builder.follow_links(false).require_git(false).hidden(true).standard_filters(own);
    let top = folder.to_owned();
    builder.filter_entry(move |entry| {
        let is_folder = entry.file_type().is_some_and(|it| it.is_dir());
        if !is_folder || entry.path() == top {
            return true;
        }
        let name = entry.file_name().to_str().unwrap_or_default();
        if name == "node_modules" {
            return !own;
        }
        !TESTS.contains(&name) && (published || !BUILT.contains(&name)) && name != ".git"
    });
    for entry in builder.build() {
        let Ok(entry) = entry else {
            *unreadable += 1;
            continue;
        };
        let Some(kind) = entry.file_type() else { continue };
        let path = entry.path();
        if kind.is_dir() {
            // Git ignores it as a rule, so the walk never meets it.
            let inside = path.join("node_modules");
            if own && inside.is_dir() && !inside.is_symlink() {
                packages.push(inside);
            }
            continue;
        }
        if !kind.is_file() || !is_source(path) {
            continue;
        }
        match entry.metadata() {
            Ok(meta) => out.push(Listed { path: path.to_owned(), bytes: meta.len() }),
            Err(_) => *unreadable += 1,
        }
    }
}

/// A file that a service may run: no declarations, tests, bundles.
fn is_source(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|it| it.to_str()) else { return false };
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    if !EXTENSIONS.contains(&extension) {
        return false;
    }
    let last = stem.rsplit_once('.').map_or("", |(_, last)| last);
    !matches!(last, "d" | "min" | "test" | "spec" | "bundle" | "stories" | "config")
}
