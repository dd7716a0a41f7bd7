//! A case: an app on disk and what should be said of it.

use std::io;
use std::path::{Path, PathBuf};

use leakline_testkit::load::Load;
use leakline_testkit::node::workspace_root;
use serde::Deserialize;

/// What marks the line of the leak in an app, where `truth.json` gives no text.
const MARK: &str = "// LEAK";

/// A service and its truth.
#[derive(Debug, Clone)]
pub struct Case {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub dir: PathBuf,
    /// The script to start.
    pub script: PathBuf,
    /// The package and version it is about, where it is about one.
    pub package: Option<String>,
    /// Node versions on which it leaks; all of them when empty.
    pub nodes: Vec<u32>,
    /// What to send.
    pub load: CaseLoad,
    /// `None` for a healthy one.
    pub truth: Option<Truth>,
}

/// What is wrong with a case.
#[derive(Debug, Clone)]
pub struct Truth {
    /// Rule ids that are right, the best first.
    pub families: Vec<String>,
    /// The lines of the user's code that are right: adding statements of one leak, or ways to see it.
    pub places: Vec<Place>,
    /// For a leak inside a package: its own adding statements.
    pub package_places: Vec<Place>,
    /// Names of what leaks or of its holder: what a tool without lines can say at best.
    pub things: Vec<String>,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Absolute.
    pub file: PathBuf,
    /// 1-based.
    pub line: u32,
}

/// The requests of a case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseLoad {
    /// Paths asked for in turn; `{n}` is the number of the request.
    pub paths: Vec<String>,
    /// Requests in a second, when the app keeps up.
    #[serde(default = "default_rate")]
    pub per_second: u32,
    /// Connections at a time.
    #[serde(default = "default_connections")]
    pub connections: u32,
}

fn default_rate() -> u32 {
    100
}

fn default_connections() -> u32 {
    4
}

impl CaseLoad {
    /// As the testkit sends it: until it is stopped.
    pub fn endless(&self) -> Load {
        let first = self.paths.first().map_or("/", String::as_str);
        let mut load = Load::new(first, u64::MAX)
            .connections(u64::from(self.connections))
            .per_second(f64::from(self.per_second.max(1)));
        for path in self.paths.iter().skip(1) {
            load = load.and_path(path);
        }
        load
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TruthFile {
    /// What is wrong, or why it is healthy: for people.
    #[serde(rename = "about")]
    _about: String,
    #[serde(default)]
    package: Option<String>,
    #[serde(default = "default_script")]
    script: String,
    #[serde(default)]
    families: Vec<String>,
    #[serde(default)]
    places: Vec<PlaceFile>,
    #[serde(default)]
    package_places: Vec<PlaceFile>,
    #[serde(default)]
    things: Vec<String>,
    #[serde(default)]
    nodes: Vec<u32>,
    load: CaseLoad,
}

fn default_script() -> String {
    "app.js".to_owned()
}

/// A line by its text or its number; by the mark when there is neither.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceFile {
    file: String,
    text: Option<String>,
    line: Option<u32>,
}

/// The folder of the benchmark.
pub fn leakbench() -> PathBuf {
    let dir = workspace_root().join("leakbench");
    // The form in which V8 reports the path of a script.
    dir.canonicalize().unwrap_or(dir)
}

/// All cases, the leaks before the healthy ones, each kind by name.
///
/// # Errors
/// A case that cannot be read, or whose truth does not fit its files.
pub fn all() -> io::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for kind in ["leaks", "healthy"] {
        let folder = leakbench().join(kind);
        let mut names: Vec<PathBuf> =
            std::fs::read_dir(&folder)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
        names.retain(|dir| dir.join("truth.json").is_file());
        names.sort();
        for dir in names {
            cases.push(read(&dir, kind == "leaks").map_err(|e| {
                io::Error::new(e.kind(), format!("{}: {e}", dir.join("truth.json").display()))
            })?);
        }
    }
    Ok(cases)
}

fn read(dir: &Path, leaks: bool) -> io::Result<Case> {
    let file: TruthFile = serde_json::from_slice(&std::fs::read(dir.join("truth.json"))?)?;
    if leaks == file.families.is_empty() {
        return Err(io::Error::other("a leak has families, and a healthy case has none"));
    }
    let mut places = Vec::new();
    for place in &file.places {
        places.extend(find(dir, place)?);
    }
    let mut package_places = Vec::new();
    for place in &file.package_places {
        package_places.extend(find(&leakbench().join("node_modules"), place)?);
    }
    if leaks && places.is_empty() {
        places = find(dir, &PlaceFile { file: file.script.clone(), text: None, line: None })?;
    }
    let truth = leaks.then_some(Truth {
        families: file.families,
        places,
        package_places,
        things: file.things,
    });
    Ok(Case {
        name: dir.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        script: dir.join(&file.script),
        dir: dir.to_path_buf(),
        package: file.package,
        nodes: file.nodes,
        load: file.load,
        truth,
    })
}

/// The lines a place means. A text may stand only once, so that a truth cannot be right by luck.
fn find(base: &Path, place: &PlaceFile) -> io::Result<Vec<Place>> {
    let path = base.join(&place.file);
    let file = path.canonicalize().map_err(|e| {
        io::Error::new(e.kind(), format!("{}: {e}; `npm ci` in leakbench?", path.display()))
    })?;
    if let Some(line) = place.line {
        return Ok(vec![Place { file, line }]);
    }
    let text = place.text.as_deref().unwrap_or(MARK);
    let source = std::fs::read_to_string(&file)?;
    let found: Vec<Place> = (1..)
        .zip(source.lines())
        .filter(|(_, l)| l.contains(text))
        .map(|(line, _)| Place { file: file.clone(), line })
        .collect();
    match found.len() {
        0 => Err(io::Error::other(format!("{text:?} stands nowhere in {}", file.display()))),
        1 => Ok(found),
        _ if place.text.is_none() => Ok(found),
        n => Err(io::Error::other(format!("{text:?} stands {n} times in {}", file.display()))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

    use super::*;
    use std::collections::HashSet;

    /// The families of the contract, as `leakline explain` will list them.
    const FAMILIES: [&str; 22] = [
        "event-listener",
        "event-target-listener",
        "timer",
        "collection",
        "chain",
        "memoize-cache",
        "shared-context",
        "pending-promise",
        "async-context",
        "stream",
        "session-store",
        "metric-labels",
        "logger",
        "middleware",
        "module-growth",
        "code-growth",
        "buffer",
        "string-parent",
        "worker",
        "model",
        "native-handle",
        "unknown-holder",
    ];

    #[test]
    fn every_truth_fits_its_files_and_every_family_has_a_case() {
        let cases = all().unwrap();
        let leaks: Vec<&Case> = cases.iter().filter(|c| c.truth.is_some()).collect();
        assert!(leaks.len() >= 24, "{} leaks", leaks.len());
        assert!(cases.len() - leaks.len() >= 8, "{} healthy cases", cases.len() - leaks.len());
        let named: HashSet<&str> = leaks
            .iter()
            .flat_map(|c| &c.truth.as_ref().unwrap().families)
            .map(String::as_str)
            .collect();
        for family in &named {
            assert!(FAMILIES.contains(family), "{family} is no rule id");
        }
        for case in leaks {
            assert!(
                !case.truth.as_ref().unwrap().things.is_empty(),
                "{} names no things",
                case.name
            );
        }
        for family in FAMILIES.iter().filter(|f| **f != "unknown-holder") {
            assert!(named.contains(family), "no case for {family}");
        }
    }
}
