//! Installed packages: which one a file belongs to, and which lead to which.

use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};

/// Packages that are looked at for one question.
const MAX_PACKAGES: usize = 600;
/// Largest package.json that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    /// `lodash`, `@scope/name`.
    pub name: String,
    /// Its folder.
    pub dir: PathBuf,
}

/// The innermost package that the file belongs to.
pub(super) fn package_of(file: &Path) -> Option<Package> {
    let parts: Vec<_> = file.components().collect();
    let at = parts.iter().rposition(|part| part.as_os_str() == "node_modules")?;
    let text = |at: usize| parts.get(at).and_then(|part| part.as_os_str().to_str());
    let first = text(at + 1)?;
    let (name, length) = if first.starts_with('@') {
        (format!("{first}/{}", text(at + 2)?), 3)
    } else {
        (first.to_owned(), 2)
    };
    // A file that lies in `node_modules` itself belongs to no package.
    (parts.len() > at + length)
        .then(|| Package { name, dir: parts.iter().take(at + length).collect() })
}

/// The package that a specifier names: `lodash/fp` is of `lodash`.
pub(super) fn package_name(specifier: &str) -> Option<&str> {
    let scheme = specifier.starts_with("node:") || specifier.starts_with("file:");
    if scheme || specifier.starts_with(['.', '/']) || specifier.is_empty() {
        return None;
    }
    let slashes = usize::from(specifier.starts_with('@')) + 1;
    let end = specifier.match_indices('/').nth(slashes - 1).map_or(specifier.len(), |it| it.0);
    specifier.get(..end)
}

/// From packages that the user's files (in `dirs`) import to how many packages lie between each
/// and `target`, for those that lead there by what they depend on.
pub(super) fn leading_to(
    target: &Package,
    imported: &FxHashSet<(PathBuf, String)>,
) -> FxHashMap<String, u32> {
    let mut out = FxHashMap::default();
    // Backwards from the target would need all packages; forwards from the few that are imported
    // is a search through a tree of folders, each read once.
    let mut dependencies: FxHashMap<PathBuf, Vec<PathBuf>> = FxHashMap::default();
    let mut roots: Vec<(String, PathBuf)> = Vec::new();
    for (dir, name) in imported {
        match installed(dir, name) {
            Some(found) => roots.push((name.clone(), found)),
            // Not found below (linked, hoisted elsewhere): the name has to do.
            None if *name == target.name => {
                out.insert(name.clone(), 0);
            }
            None => {}
        }
    }
    let goal = std::fs::canonicalize(&target.dir).unwrap_or_else(|_| target.dir.clone());
    for (name, root) in roots {
        let mut seen = FxHashSet::default();
        let mut row = vec![root];
        let mut distance = 0;
        while !row.is_empty() {
            if row.contains(&goal) {
                let known = out.entry(name.clone()).or_insert(distance);
                *known = distance.min(*known);
                break;
            }
            distance += 1;
            let mut next = Vec::new();
            for dir in row {
                if !dependencies.contains_key(&dir) {
                    if dependencies.len() >= MAX_PACKAGES {
                        continue;
                    }
                    dependencies.insert(dir.clone(), dependencies_of(&dir));
                }
                next.extend(
                    dependencies[&dir].iter().filter(|it| seen.insert((*it).clone())).cloned(),
                );
            }
            row = next;
        }
    }
    out
}

/// The folder of a package as a file in `dir` would find it.
fn installed(dir: &Path, name: &str) -> Option<PathBuf> {
    let found =
        dir.ancestors().map(|dir| dir.join("node_modules").join(name)).find(|it| it.is_dir());
    found.map(|it| std::fs::canonicalize(&it).unwrap_or(it))
}

fn dependencies_of(dir: &Path) -> Vec<PathBuf> {
    let path = dir.join("package.json");
    let small =
        std::fs::metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_BYTES);
    let bytes = if small { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    ["dependencies", "peerDependencies", "optionalDependencies"]
        .iter()
        .filter_map(|kind| json.get(kind)?.as_object())
        .flat_map(|list| list.keys())
        .filter_map(|name| installed(dir, name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_packages() {
        let of = |file| package_of(Path::new(file)).map(|it| it.name);
        let text = |it: &str| Some(it.to_owned());
        assert_eq!(of("/a/node_modules/lodash/lodash.js"), text("lodash"));
        assert_eq!(of("/a/node_modules/@x/y/z.js"), text("@x/y"));
        assert_eq!(of("/a/node_modules/x/node_modules/y/z.js"), text("y"));
        assert_eq!(of("/a/node_modules/.bin"), None);
        assert_eq!(of("/a/lib/x.js"), None);
        for (specifier, name) in [
            ("lodash", Some("lodash")),
            ("lodash/fp", Some("lodash")),
            ("@x/y/z", Some("@x/y")),
            ("@x/y", Some("@x/y")),
            ("./a", None),
            ("node:fs", None),
            ("", None),
        ] {
            assert_eq!(package_name(specifier), name, "{specifier}");
        }
    }
}
