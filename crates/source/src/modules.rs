//! From the text in `require('…')` or `import` to the file it means, as far as the disk tells.
//!
//! Only what leads to the service's own files matters: relative and absolute paths, and packages
//! in a `node_modules` folder above. Conditions, `exports` maps and loaders are not read; a module
//! that is not found costs one alias, and the ranking still has its text.

use std::path::{Component, Path, PathBuf};

/// Extensions tried in turn, after the path as it is written.
const EXTENSIONS: [&str; 9] = ["js", "cjs", "mjs", "ts", "cts", "mts", "tsx", "jsx", "node"];
/// Largest package.json that is read, in bytes.
const MAX_PACKAGE_BYTES: u64 = 1 << 20;

/// The file that `specifier` means in the file `from`, as a path that exists.
pub(crate) fn resolve(from: &Path, specifier: &str) -> Option<PathBuf> {
    let dir = from.parent()?;
    if let Some(address) = specifier.strip_prefix("file://") {
        return as_file_or_folder(Path::new(address));
    }
    if specifier.starts_with("node:") || specifier.is_empty() || specifier.contains('\0') {
        return None;
    }
    let relative = matches!(specifier, "." | "..")
        || specifier.starts_with("./")
        || specifier.starts_with("../");
    if relative || specifier.starts_with('/') {
        return as_file_or_folder(&clean(&dir.join(specifier)));
    }
    dir.ancestors().find_map(|dir| as_file_or_folder(&dir.join("node_modules").join(specifier)))
}

fn as_file_or_folder(path: &Path) -> Option<PathBuf> {
    as_file(path).or_else(|| {
        if !path.is_dir() {
            return None;
        }
        main_of(path)
            .map(|main| clean(&path.join(main)))
            .and_then(|main| as_file(&main).or_else(|| as_file(&main.join("index"))))
            .or_else(|| as_file(&path.join("index")))
    })
}

fn as_file(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return Some(path.to_owned());
    }
    let name = path.file_name()?.to_str()?;
    let added = EXTENSIONS
        .iter()
        .map(|extension| path.with_file_name(format!("{name}.{extension}")))
        .find(|path| path.is_file());
    // TypeScript's modules import the name that the compiled file will have.
    added.or_else(|| {
        let (stem, extension) = name.rsplit_once('.')?;
        let twin = match extension {
            "js" => "ts",
            "mjs" => "mts",
            "cjs" => "cts",
            "jsx" => "tsx",
            _ => return None,
        };
        Some(path.with_file_name(format!("{stem}.{twin}"))).filter(|path| path.is_file())
    })
}

/// `main` of the folder's package.json.
fn main_of(dir: &Path) -> Option<String> {
    let path = dir.join("package.json");
    if std::fs::metadata(&path).ok()?.len() > MAX_PACKAGE_BYTES {
        return None;
    }
    let package: serde_json::Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    Some(package.get("main")?.as_str()?.to_owned())
}

/// Removes `.` and `..` by their text, so that the same file has the same path.
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}
