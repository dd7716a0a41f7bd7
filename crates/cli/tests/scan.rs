//! What `leakline scan` says, letter by letter, and that its SARIF is what code hosts accept.
//! After a change that was meant: `INSTA_UPDATE=always cargo test -p leakline --test scan`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;

use std::fmt::Write as _;

use serde_json::Value;
use tempfile::TempDir;

use common::{LIMIT, Run, Running, leakline};

/// A service with three leaks, one of them excused, and a healthy cache.
const SERVER: &str = "\
const express = require('express');
const { sessions } = require('./sessions');

const app = express();

app.use((req, res, next) => {
  process.on('uncaughtException', (err) => {
    console.error(req.id, err);
  });
  next();
});

app.get('/login/:user', (req, res) => {
  sessions.set(req.params.user, { at: Date.now() });
  // leakline-ignore timer stopped by the watchdog
  setInterval(() => res.write('.'), 1000);
  recent.push(req.url);
  if (recent.length > 50) recent.shift();
  res.end();
});

const recent = [];
app.listen(0);
";

/// A folder with the service in it.
struct Desk {
    dir: TempDir,
}

impl Desk {
    /// The folder's path has the same length everywhere: lines are broken by what stands on them.
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("leakline-scan-").tempdir_in("/tmp").unwrap();
        let desk = Self { dir };
        desk.write("app/server.js", SERVER);
        desk.write("app/sessions.js", "exports.sessions = new Map();\n");
        desk.write("app/broken.js", "const x = {;\n");
        desk.write("healthy/index.js", "require('http').createServer((req, res) => res.end());\n");
        desk.write("nothing/readme.md", "# nothing\n");
        desk
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn run(&self, line: &str) -> Run {
        let mut command = leakline();
        command.current_dir(self.dir.path()).args(line.split_whitespace());
        Running::start(command).finish(LIMIT)
    }

    /// Compares all that the command leaves with the snapshot of this name.
    #[track_caller]
    fn shot(&self, name: &str, line: &str) -> Run {
        let run = self.run(line);
        assert!(!run.stderr.contains("panicked"), "{run}");
        let is_text = !line.contains("--json") && !line.contains("--sarif");
        for line in run.stdout.lines().filter(|_| is_text) {
            assert!(line.chars().count() <= 80, "wider than a terminal: {line}");
        }
        let mut text = format!("$ leakline {line}\nexit {}\n", run.code.unwrap_or(-1));
        for (stream, said) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            if !said.is_empty() {
                let _ = write!(text, "--- {stream}\n{said}");
            }
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.add_filter(&format!("{}/?", self.dir.path().display()), "[DIR]/");
        settings.add_filter(r#""semanticVersion": "[^"]+""#, r#""semanticVersion": "[VERSION]""#);
        // The explain pages have tests of their own.
        settings.add_filter(r##""(text|markdown)": "# [^\n]*""##, r#""$1": "[PAGE]""#);
        settings.bind(|| insta::assert_snapshot!(name, text));
        run
    }
}

#[test]
fn text_and_json() {
    let desk = Desk::new();
    desk.shot("scan", "scan app").expect_code(0);
    let found = desk.shot("scan_json", "scan app --json").expect_code(0).json();
    assert_eq!(found["schema"], "leakline/scan/1");
    let lines: Vec<&Value> =
        found["findings"].as_array().unwrap().iter().map(|it| &it["line"]).collect();
    assert_eq!(lines, [7, 14]);
    desk.shot("scan_file", "scan app/server.js").expect_code(0);
    desk.shot("scan_clean", "scan healthy --fail-on-finding").expect_code(0);
    desk.shot("scan_nothing", "scan nothing").expect_code(0);
    desk.run("scan app --fail-on-finding").expect_code(3);
}

#[test]
fn errors() {
    let desk = Desk::new();
    desk.shot("scan_missing", "scan none").expect_code(4);
    desk.shot("scan_missing_json", "scan none --json").expect_code(4);
    desk.shot("scan_no_path", "scan").expect_code(2);
    desk.run("scan app --sarif none/x.sarif").expect_code(1);
}

#[test]
fn sarif() {
    let desk = Desk::new();
    let sarif = desk.shot("scan_sarif_json", "scan app --sarif -").expect_code(0).json();
    valid(&sarif);
    desk.run("scan app --sarif out.sarif --fail-on-finding").expect_code(3);
    let written = std::fs::read_to_string(desk.dir.path().join("out.sarif")).unwrap();
    assert_eq!(sarif, serde_json::from_str::<Value>(&written).unwrap());

    // Moved lines keep their fingerprints; a statement that comes twice has two.
    let prints = |sarif: &Value| -> Vec<String> {
        let results = sarif["runs"][0]["results"].as_array().unwrap().iter();
        results.map(|it| it["partialFingerprints"]["leaklineStatement/v1"].to_string()).collect()
    };
    desk.write("app/server.js", &format!("// one\n// two\n{SERVER}"));
    let moved = desk.run("scan app --sarif -").expect_code(0).json();
    assert_eq!(prints(&sarif), prints(&moved));
    let push =
        "const all = [];\nrequire('http').createServer((q, s) => { all.push(q); all.push(q); });";
    desk.write("twice/app.js", push);
    let twice = desk.run("scan twice --sarif -").expect_code(0).json();
    let twice = prints(&twice);
    assert_eq!(twice.len(), 2);
    assert_ne!(twice[0], twice[1]);
}

/// What the format's schema asks of the properties that are written.
fn valid(sarif: &Value) {
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(rule[text]["text"].as_str().is_some_and(|it| !it.is_empty()), "{rule}");
        }
    }
    let base = run["originalUriBaseIds"]["SRCROOT"]["uri"].as_str().unwrap();
    assert!(base.starts_with("file:///") && base.ends_with('/'));
    for result in run["results"].as_array().unwrap() {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uriBaseId"], "SRCROOT");
        assert!(!place["artifactLocation"]["uri"].as_str().unwrap().starts_with('/'));
        let number = |key: &str| place["region"][key].as_u64().unwrap();
        let start = (number("startLine"), number("startColumn"));
        assert!(start.0 >= 1 && start.1 >= 1 && start < (number("endLine"), number("endColumn")));
    }
}
