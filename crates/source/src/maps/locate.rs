//! Where a source map and the sources it names are on this machine.

use std::path::{Component, Path, PathBuf};

use super::read::unescaped;
use crate::files::{Loaded, SourceFiles};
use crate::modules::clean;

/// Folders above the map in which a bundler's project may begin.
const MAX_ABOVE: usize = 6;

/// The file that `sourceMappingURL` names, if it is there.
pub(super) fn map_file(loaded: &Loaded, url: &str, files: &SourceFiles) -> Option<PathBuf> {
    let beside = super::beside(&loaded.path);
    let Some(path) = local_path(url) else {
        // Where the address is one of the network, the file may still lie beside the script.
        let name = url.split(['?', '#']).next().and_then(|url| url.rsplit('/').next());
        let named = name.map(|name| loaded.path.with_file_name(decoded(name)));
        return named.into_iter().chain([beside]).find(|path| path.is_file());
    };
    let dir = loaded.path.parent().unwrap_or(Path::new(""));
    let path = clean(&dir.join(path));
    let moved = || files.locate(&path).ok();
    Some(path.clone()).filter(|path| path.is_file()).or_else(moved).or_else(|| {
        // A renamed bundle still has its map beside it.
        Some(beside).filter(|path| path.is_file())
    })
}

/// The path of a source. `at` carries the map: what is relative is so to it.
pub(super) fn source_path(
    at: &Path,
    root: Option<&str>,
    source: &str,
    files: &SourceFiles,
) -> PathBuf {
    let joined = match root {
        Some(root) if !has_scheme(source) && !source.starts_with('/') => {
            format!("{}/{source}", root.trim_end_matches('/'))
        }
        _ => source.to_owned(),
    };
    let dir = at.parent().unwrap_or(Path::new(""));
    if let Some(path) = local_path(&joined) {
        let path = clean(&dir.join(path));
        return files.locate(&path).unwrap_or(path);
    }
    // `webpack://app/./src/x.ts?1a2b`: a path below the project, wherever that is.
    let rest = joined.split_once("://").map_or(joined.as_str(), |(_, rest)| rest);
    let rest = rest.split('?').next().unwrap_or_default();
    let below = |rest: &str| {
        let path = clean(Path::new(rest.trim_start_matches('/')));
        let parts = path.components().filter(|part| matches!(part, Component::Normal(_)));
        parts.collect::<PathBuf>()
    };
    // What stands before the first slash is the project's name, unless the path starts at once.
    let project = rest.split_once('/').map_or("", |(_, path)| path);
    let wanted = [below(project), below(rest)];
    for path in wanted.iter().filter(|path| path.as_os_str().len() > 1) {
        for dir in dir.ancestors().take(MAX_ABOVE) {
            let found = dir.join(path);
            if found.is_file() {
                return found;
            }
        }
        if let Ok(found) = files.locate_below(path) {
            return found;
        }
    }
    let [project, whole] = wanted;
    if project.as_os_str().is_empty() { whole } else { project }
}

/// A path of this machine: relative, absolute, or a `file:` address.
fn local_path(url: &str) -> Option<PathBuf> {
    if let Some(address) = url.strip_prefix("file://") {
        let start = address.find('/')?;
        return Some(PathBuf::from(decoded(&address[start..])));
    }
    (!has_scheme(url)).then(|| PathBuf::from(decoded(url)))
}

/// `webpack:`, `https:`, but no drive letter.
fn has_scheme(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

fn decoded(url: &str) -> String {
    let text = String::from_utf8_lossy(&unescaped(url)).into_owned();
    // No file has it, and the system would refuse the whole path.
    text.replace('\0', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_by_their_addresses() {
        let files = SourceFiles::new(Vec::new());
        let path =
            |root, source| source_path(Path::new("/srv/app/dist/a.js.map"), root, source, &files);
        for (root, source, expected) in [
            (None, "../src/a.ts", "/srv/app/src/a.ts"),
            (None, "a%20b.ts", "/srv/app/dist/a b.ts"),
            (Some("../src"), "a.ts", "/srv/app/src/a.ts"),
            (Some("/srv/"), "a.ts", "/srv/a.ts"),
            (Some("../src"), "/abs/a.ts", "/abs/a.ts"),
            (Some("file:///x"), "a.ts", "/x/a.ts"),
            (None, "file:///x/a.ts", "/x/a.ts"),
            (None, "webpack://app/./src/a.ts?1a2b", "src/a.ts"),
            (None, "webpack:///./src/a.ts", "src/a.ts"),
            (Some("webpack://app/"), "src/a.ts", "src/a.ts"),
            (None, "webpack://app/../../etc/a.ts", "etc/a.ts"),
        ] {
            assert_eq!(path(root, source), Path::new(expected), "{root:?} {source}");
        }
    }
}
