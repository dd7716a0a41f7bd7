//! The example apps, what is wrong with them, and series of snapshots of any app under load.

use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::load::Load;
use crate::node::{NodeApp, NodeProcess, workspace_root};

/// Answers arrive before the server has run its own last callbacks for them.
const SETTLE: Duration = Duration::from_millis(100);

/// What an app's heap should be found guilty of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// The rule id of the family, as `leakline explain` lists it.
    pub rule: &'static str,
    /// The file of the statement that adds the leaked thing.
    pub file: PathBuf,
    /// Its line, 1-based.
    pub line: u32,
}

/// One of the apps under `examples/`.
#[derive(Debug, Clone)]
pub struct Example {
    /// Its folder's name.
    pub name: &'static str,
    /// The script to start.
    pub script: PathBuf,
    /// A path that makes it leak, for [`Load`].
    pub path: &'static str,
    /// `None` for a fixed twin.
    pub truth: Option<Truth>,
}

/// The Express app whose middleware adds a listener to `process` for every request; or its fixed twin.
///
/// # Errors
/// Its npm packages are not installed.
pub fn express_uncaught(fixed: bool) -> io::Result<Example> {
    let dir = example_dir("express-uncaught")?;
    if !dir.join("node_modules/express").is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the packages of examples/express-uncaught are missing: run scripts/test.sh, or `npm ci` in that folder",
        ));
    }
    let leak = dir.join("app.js");
    let truth = Truth {
        rule: "event-listener",
        line: line_of(&leak, "process.on('uncaughtException'")?,
        file: leak.clone(),
    };
    Ok(Example {
        name: "express-uncaught",
        script: if fixed { dir.join("app.fixed.js") } else { leak },
        path: "/orders/7?n={n}",
        truth: (!fixed).then_some(truth),
    })
}

/// The plain app whose module-level `Map` is filled per request from another module; or its fixed twin.
///
/// # Errors
/// Its files cannot be read.
pub fn module_cache(fixed: bool) -> io::Result<Example> {
    let dir = example_dir("module-cache")?;
    let filler = dir.join("routes/items.js");
    let truth = Truth { rule: "collection", line: line_of(&filler, "cache.set(")?, file: filler };
    Ok(Example {
        name: "module-cache",
        script: dir.join(if fixed { "app.fixed.js" } else { "app.js" }),
        path: "/items/7?n={n}",
        truth: (!fixed).then_some(truth),
    })
}

fn example_dir(name: &str) -> io::Result<PathBuf> {
    // Canonical, because that is the form in which V8 reports the path of a script.
    workspace_root().join("examples").join(name).canonicalize()
}

/// The one line of a file that holds the text, 1-based.
///
/// # Errors
/// The file cannot be read, or the text stands there never or more than once.
pub fn line_of(file: &Path, text: &str) -> io::Result<u32> {
    let source = std::fs::read_to_string(file)?;
    let mut lines = (1..).zip(source.lines()).filter(|(_, line)| line.contains(text));
    match (lines.next(), lines.next()) {
        (Some((number, _)), None) => Ok(number),
        (found, _) => Err(io::Error::other(format!(
            "{text:?} stands {} in {}",
            if found.is_some() { "more than once" } else { "nowhere" },
            file.display()
        ))),
    }
}

/// Takes three snapshots of one running app: after a warm-up of `load`'s size, and after the load once and twice more.
///
/// The files are `a`, `b` and `c.heapsnapshot` in `dir`; they share V8's object ids.
///
/// # Errors
/// The app ended, or answered a request with an error.
pub fn snapshots(app: &mut NodeProcess, load: &Load, dir: &Path) -> io::Result<[PathBuf; 3]> {
    let files = ["a", "b", "c"].map(|name| dir.join(format!("{name}.heapsnapshot")));
    for file in &files {
        let sent = load.run(app.port()).map_err(|e| {
            io::Error::new(e.kind(), format!("{e}; the app printed:\n{}", app.output()))
        })?;
        if sent.good < load.requests {
            return Err(io::Error::other(format!(
                "only {} of {} requests were answered well; the app printed:\n{}",
                sent.good,
                load.requests,
                app.output()
            )));
        }
        thread::sleep(SETTLE);
        app.write_snapshot(file)?;
    }
    Ok(files)
}

/// Starts the app with that Node, takes three snapshots under load and ends it.
///
/// # Errors
/// As [`NodeApp::start`] and [`snapshots`].
pub fn snapshots_of(app: &NodeApp, load: &Load, dir: &Path) -> io::Result<[PathBuf; 3]> {
    let mut process = app.start()?;
    snapshots(&mut process, load, dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::node_binary;
    use serde_json::Value;
    use std::collections::HashSet;

    /// The ids of all objects, found by the layout that the file itself declares.
    fn ids(file: &Path) -> HashSet<u64> {
        let snapshot: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let fields = snapshot["snapshot"]["meta"]["node_fields"].as_array().unwrap();
        let id = fields.iter().position(|f| f == "id").unwrap();
        let nodes = snapshot["nodes"].as_array().unwrap();
        nodes.chunks(fields.len()).map(|node| node[id].as_u64().unwrap()).collect()
    }

    #[test]
    fn three_snapshots_of_one_process_share_their_ids() {
        let dir = tempfile::tempdir().unwrap();
        let example = module_cache(false).unwrap();
        let app = NodeApp::new(node_binary(20).unwrap(), &example.script);
        let load = Load::new(example.path, 200);
        let [a, b, c] = snapshots_of(&app, &load, dir.path()).unwrap().map(|f| ids(&f));
        // Each request leaves at least its answer, that one's body and the price in it.
        assert!(c.difference(&b).count() >= 600 && b.difference(&a).count() >= 600);
        let kept = a.intersection(&c).count() as f64 / a.len() as f64;
        assert!(kept > 0.9, "only {kept} of the first snapshot's ids are in the last");
    }

    #[test]
    fn the_examples_culprits_are_where_the_readmes_say() {
        let express = express_uncaught(false).unwrap().truth.unwrap();
        assert!(express.file.ends_with("examples/express-uncaught/app.js") && express.line > 1);
        let cache = module_cache(false).unwrap().truth.unwrap();
        assert!(cache.file.ends_with("examples/module-cache/routes/items.js") && cache.line > 1);
        assert!(
            line_of(&cache.file, "require(").is_err(),
            "a text that stands there several times"
        );
        assert!(line_of(&cache.file, "no such text").is_err());
    }
}
