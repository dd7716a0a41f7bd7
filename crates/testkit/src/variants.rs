//! Leaking apps drawn at random, with the truth about each, and healthy twins.
//!
//! A detector that was fitted to one example fails here: names, folders, lines, the way the leaked thing is added, and
//! the healthy code around it differ from variant to variant. All are plain `node:http` servers without packages, each
//! in a folder of its own. The same seed draws the same apps.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use crate::apps::Truth;

use crate::random::Rng;

mod listeners;
mod maps;
mod parts;

pub use listeners::listener_app;
pub use maps::map_app;

/// An app that was drawn: its files, what to ask of it, and the truth about it.
#[derive(Debug, Clone)]
pub struct Variant {
    /// `listener-07`, `map-fixed-02`.
    pub name: String,
    /// What was drawn, in a few words, for tables.
    pub traits: String,
    /// Relative path and text of every file; the first is the one to start.
    pub files: Vec<(String, String)>,
    /// A path that makes it leak, for [`crate::load::Load`].
    pub path: String,
    /// The guilty rule, file (relative) and line; `None` for a healthy twin.
    pub truth: Option<Truth>,
}

impl Variant {
    /// Writes the files below `dir` and returns the script to start and the truth with its absolute path.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, dir: &Path) -> io::Result<(PathBuf, Option<Truth>)> {
        let dir = dir.canonicalize()?;
        for (path, text) in &self.files {
            let path = dir.join(path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, text)?;
        }
        let truth = self.truth.clone().map(|t| Truth { file: dir.join(t.file), ..t });
        Ok((dir.join(&self.files[0].0), truth))
    }
}

/// How a healthy twin differs from the leak it could have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It leaks.
    Leaks,
    /// It does not.
    Fixed,
}

/// How a drawn app's files refer to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    CommonJs,
    Esm,
}

impl Dialect {
    fn extension(self) -> &'static str {
        match self {
            Self::CommonJs => "js",
            Self::Esm => "mjs",
        }
    }

    fn head(self) -> &'static str {
        match self {
            Self::CommonJs => "'use strict';\n\n",
            Self::Esm => "",
        }
    }

    /// Binds the whole export of a module to a name.
    fn import(self, name: &str, from: &str) -> String {
        match self {
            Self::CommonJs => format!("const {name} = require('{from}');\n"),
            Self::Esm => format!("import {name} from '{from}';\n"),
        }
    }

    /// Binds one exported name, as another name where they differ.
    fn import_named(self, exported: &str, local: &str, from: &str) -> String {
        match (self, exported == local) {
            (Self::CommonJs, true) => format!("const {{ {local} }} = require('{from}');\n"),
            (Self::CommonJs, false) => {
                format!("const {{ {exported}: {local} }} = require('{from}');\n")
            }
            (Self::Esm, true) => format!("import {{ {local} }} from '{from}';\n"),
            (Self::Esm, false) => format!("import {{ {exported} as {local} }} from '{from}';\n"),
        }
    }

    fn export(self, value: &str) -> String {
        match self {
            Self::CommonJs => format!("module.exports = {value};\n"),
            Self::Esm => format!("export default {value};\n"),
        }
    }

    fn export_named(self, names: &[&str]) -> String {
        let names = names.join(", ");
        match self {
            Self::CommonJs => format!("module.exports = {{ {names} }};\n"),
            Self::Esm => format!("export {{ {names} }};\n"),
        }
    }
}

/// Marks the statement that adds the leaked thing while an app is put together.
const CULPRIT: &str = "/*@culprit@*/";

/// Draws names that no other thing of the same app bears.
struct Names {
    taken: HashSet<String>,
}

const NOUNS: [&str; 24] = [
    "order", "invoice", "session", "basket", "quota", "tenant", "ticket", "voucher", "shipment",
    "profile", "audit", "trace", "report", "device", "booking", "ledger", "parcel", "coupon",
    "tariff", "stock", "review", "alert", "digest", "roster",
];
const ROLES: [&str; 16] = [
    "Store", "Index", "Pool", "Registry", "Table", "Book", "Desk", "Keeper", "Watch", "Board",
    "Shelf", "Hub", "Feed", "Log", "Scope", "Track",
];
const FOLDERS: [&str; 12] = [
    "lib",
    "src",
    "middleware",
    "services",
    "core",
    "util",
    "server/parts",
    "internal",
    "shared/state",
    "app",
    "infra",
    "modules/common",
];

impl Names {
    fn new() -> Self {
        // Names of the language, of Node and of the templates that a drawn name must not shadow.
        let taken = [
            "process",
            "http",
            "server",
            "req",
            "res",
            "url",
            "Map",
            "next",
            "exports",
            "module",
            "requestId",
        ];
        Self { taken: taken.iter().map(|s| (*s).to_owned()).collect() }
    }

    /// `orderStore`.
    fn value(&mut self, rng: &mut Rng) -> String {
        loop {
            let name = match rng.below(3) {
                0 => format!("{}{}", rng.pick(&NOUNS), rng.pick(&ROLES)),
                1 => format!("{}By{}", rng.pick(&NOUNS), capital(rng.pick(&NOUNS))),
                _ => format!("{}{}{}", rng.pick(&NOUNS), capital(rng.pick(&NOUNS)), rng.below(40)),
            };
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    /// `trackOrder`.
    fn function(&mut self, rng: &mut Rng) -> String {
        const VERBS: [&str; 12] = [
            "track", "note", "follow", "prepare", "resolve", "render", "collect", "mark", "open",
            "weigh", "handle", "check",
        ];
        loop {
            let name = format!(
                "{}{}",
                rng.pick(&VERBS),
                capital(&format!("{}{}", rng.pick(&NOUNS), rng.pick(&ROLES)))
            );
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    /// `OrderStore`.
    fn class(&mut self, rng: &mut Rng) -> String {
        capital(&self.value(rng))
    }

    /// A relative path without its extension, such as `services/order-desk`.
    fn file(&mut self, rng: &mut Rng) -> String {
        loop {
            let (noun, role) = (rng.pick(&NOUNS), rng.pick(&ROLES).to_lowercase());
            let base = match rng.below(3) {
                0 => format!("{noun}-{role}"),
                1 => format!("{noun}.{role}"),
                _ => format!("{noun}{}", capital(&role)),
            };
            let path = format!("{}/{base}", rng.pick(&FOLDERS));
            if self.taken.insert(path.clone()) {
                return path;
            }
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `@name@` in a template becomes the value of that name.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = template.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("@{name}@"), value);
    }
    text
}

/// The specifier by which a file of the app imports another; both relative to the app's folder.
fn specifier(from: &str, to: &str) -> String {
    let up = "../".repeat(from.matches('/').count());
    format!("{}{to}", if up.is_empty() { "./" } else { &up })
}

/// Code and comments that do nothing for the leak but move its line.
fn padding(rng: &mut Rng, names: &mut Names) -> String {
    let mut text = String::new();
    for _ in 0..rng.below(5) {
        match rng.below(4) {
            0 => {
                for _ in 0..rng.between(1, 4) {
                    let _ = writeln!(
                        text,
                        "// The {} of a {} comes from its {}.",
                        rng.pick(&NOUNS),
                        rng.pick(&NOUNS),
                        rng.pick(&NOUNS)
                    );
                }
            }
            1 => {
                let _ = writeln!(
                    text,
                    "function {}(value) {{\n  return String(value).padStart({}, '0');\n}}\n",
                    names.function(rng),
                    rng.between(3, 9)
                );
            }
            2 => {
                let _ = writeln!(
                    text,
                    "const {} = Object.freeze({{ limit: {}, unit: '{}' }});\n",
                    names.value(rng),
                    rng.between(10, 900),
                    rng.pick(&NOUNS)
                );
            }
            _ => {
                let _ = writeln!(
                    text,
                    "/*\n * {}: see the {} handbook.\n */\nfunction {}(list) {{\n  // Sums up.\n  return \
                     list.reduce((sum, one) => sum + one.length, 0);\n}}\n",
                    rng.pick(&NOUNS),
                    rng.pick(&NOUNS),
                    names.function(rng)
                );
            }
        }
    }
    text
}

/// Takes the mark out of the files and makes a variant of them.
fn finish(
    name: String,
    traits: String,
    rule: &'static str,
    mut files: Vec<(String, String)>,
    path: String,
) -> Variant {
    let mut truth = None;
    for (file, text) in &mut files {
        if let Some(at) = text.find(CULPRIT) {
            assert!(truth.is_none(), "{name}: two culprits were drawn");
            let line = 1 + text[..at].matches('\n').count() as u32;
            truth = Some(Truth { rule, file: PathBuf::from(&*file), line });
            *text = text.replacen(CULPRIT, "", 1);
            assert!(!text.contains(CULPRIT), "{name}: two culprits were drawn in one file");
        }
    }
    Variant { name, traits, files, path, truth }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Variant> {
        (0..20)
            .map(|i| listener_app(i, Health::Leaks))
            .chain((0..6).map(|i| listener_app(i, Health::Fixed)))
            .chain((0..20).map(|i| map_app(i, Health::Leaks)))
            .chain((0..6).map(|i| map_app(i, Health::Fixed)))
            .collect()
    }

    #[test]
    fn the_truth_points_at_an_adding_statement() {
        for variant in all() {
            let Some(truth) = &variant.truth else { continue };
            let (_, text) =
                variant.files.iter().find(|(path, _)| Path::new(path) == truth.file).unwrap();
            let line = text.lines().nth(truth.line as usize - 1).unwrap();
            let adds = match truth.rule {
                "event-listener" => {
                    [".on(", ".addListener(", ".prependListener("].iter().any(|m| line.contains(m))
                }
                _ => line.contains(".set("),
            };
            assert!(adds, "{}: {line}", variant.name);
        }
    }

    #[test]
    fn only_leaks_have_a_culprit_and_no_mark_is_left() {
        for variant in all() {
            assert_eq!(variant.truth.is_none(), variant.name.contains("fixed"), "{}", variant.name);
            for (path, text) in &variant.files {
                assert!(!text.contains('@'), "{} {path}:\n{text}", variant.name);
            }
        }
    }

    #[test]
    fn variants_differ_and_repeat() {
        let texts: HashSet<String> = all().iter().map(|v| format!("{:?}", v.files)).collect();
        assert_eq!(texts.len(), 52);
        assert_eq!(listener_app(3, Health::Leaks).files, listener_app(3, Health::Leaks).files);
        let places: HashSet<(PathBuf, u32)> =
            all().into_iter().filter_map(|v| v.truth).map(|t| (t.file, t.line)).collect();
        assert!(places.len() >= 36, "{places:?}");
    }

    #[test]
    fn specifiers_lead_from_file_to_file() {
        assert_eq!(specifier("main.js", "lib/a.js"), "./lib/a.js");
        assert_eq!(specifier("a/b/c.js", "lib/a.js"), "../../lib/a.js");
    }
}
