//! What every command says, letter by letter: stdout, stderr and exit code, as text and as JSON.
//!
//! The snapshots under `snapshots/` are read by people: what a change does to the words that somebody reads
//! at night shows in the diff of the commit. The heaps are drawn (`leakline_testkit::heapsnapshot`), the
//! series computed, so that the same command says the same everywhere. After a change that was meant:
//!
//! ```text
//! INSTA_UPDATE=always cargo test -p leakline --test output
//! ```

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;
/// The commands on series of memory.
#[path = "output/memory.rs"]
mod memory;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use leakline_testkit::heapprofile;
use leakline_testkit::heapsnapshot::service::{APP, Behaviour, Service};
use leakline_testkit::heapsnapshot::{Layout, Snapshot};
use serde_json::Value;
use tempfile::TempDir;

use common::{LIMIT, Run, Running, leakline};

/// What differs from run to run and from machine to machine, and what stands in the snapshots for it.
mod redact {
    use std::path::Path;

    /// The filters of `insta`: a regular expression and its replacement.
    pub fn filters(dir: &Path) -> Vec<(String, &'static str)> {
        // No character of the folder's name is special to a regular expression.
        vec![
            (format!("{}/?", dir.display()), "[DIR]/"),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z".into(), "[TIME]"),
            (r"leakline \d+\.\d+\.\d+".into(), "leakline [VERSION]"),
            // A report's default folder is named for the moment.
            (r"leakline-([a-z0-9]+)-\d{8}-\d{6}".into(), "leakline-$1-[STAMP]"),
        ]
    }
}

/// Columns of a terminal that nobody has widened.
const WIDTH: usize = 80;

/// A folder with the files of these tests, in which the commands run.
struct Desk {
    dir: TempDir,
}

impl Desk {
    /// The folder's path has the same length everywhere: lines are broken by what stands on them.
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("leakline-output-").tempdir_in("/tmp").unwrap();
        let desk = Self { dir };
        desk.write("app.js", APP);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn service(
        &self,
        layout: Layout,
        behaviour: Behaviour,
        id_offset: u32,
        generation: usize,
    ) -> Snapshot {
        let script = self.path("app.js");
        Service { layout, behaviour, script: &script, id_offset }.snapshot(generation)
    }

    /// `1.heapsnapshot`, `2.…` and `3.…` of a service.
    fn snapshots(self, layout: Layout, behaviour: Behaviour) -> Self {
        for generation in 0..3 {
            let path = self.path(&format!("{}.heapsnapshot", generation + 1));
            self.service(layout, behaviour, 0, generation).write(&path).unwrap();
        }
        self
    }

    fn leaking() -> Self {
        Self::new().snapshots(Layout::Node20, Behaviour::Leaks)
    }

    /// A command in this folder. Its arguments are separated by spaces.
    fn command(&self, line: &str) -> Command {
        let mut command = leakline();
        command.current_dir(self.dir.path()).args(line.split_whitespace());
        command
    }

    fn run(&self, line: &str) -> Run {
        Running::start(self.command(line)).finish(LIMIT)
    }

    /// Compares all that the command leaves with the snapshot of this name.
    #[track_caller]
    fn shot(&self, name: &str, line: &str) -> Run {
        let run = self.run(line);
        if line.split_whitespace().any(|word| word == "--json") {
            let document: Value = serde_json::from_str(&run.stdout)
                .unwrap_or_else(|e| panic!("more or less than one JSON document ({e}): {run}"));
            let schema = document["schema"].as_str().unwrap_or_default();
            assert!(schema.starts_with("leakline/"), "no schema: {run}");
        }
        assert!(!run.stderr.contains("panicked"), "{run}");
        let mut text = format!("$ leakline {line}\nexit {}\n", run.code.unwrap_or(-1));
        for (stream, said) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            if !said.is_empty() {
                let _ = write!(text, "--- {stream}\n{said}");
            }
        }
        self.same(name, &text);
        run
    }

    /// Compares a text with the snapshot of this name.
    #[track_caller]
    fn same(&self, name: &str, text: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_omit_expression(true);
        for (pattern, replacement) in redact::filters(self.dir.path()) {
            settings.add_filter(&pattern, replacement);
        }
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}

#[test]
fn summary() {
    let desk = Desk::leaking();
    desk.shot("summary", "summary 3.heapsnapshot").expect_code(0);
    desk.shot("summary_limit", "summary 3.heapsnapshot --limit 3").expect_code(0);
    let old = desk.shot("summary_json", "summary 1.heapsnapshot --json").expect_code(0).json();

    let new = Desk::new().snapshots(Layout::Node24, Behaviour::Leaks);
    new.shot("summary_node24", "summary 3.heapsnapshot").expect_code(0);
    let new = new.run("summary 1.heapsnapshot --json").json();
    assert_eq!(old["snapshot"]["node_count"], new["snapshot"]["node_count"]);
    let rows = |d: &Value| -> Vec<Value> {
        let rows = d["constructors"].as_array().unwrap().iter();
        rows.map(|r| serde_json::json!([r["name"], r["count"], r["retained_bytes"]])).collect()
    };
    assert_eq!(rows(&old), rows(&new), "one heap in two layouts");
}

#[test]
fn diff() {
    let desk = Desk::leaking();
    desk.shot("diff", "diff 1.heapsnapshot 2.heapsnapshot").expect_code(0);
    desk.shot("diff_json", "diff 1.heapsnapshot 2.heapsnapshot --json").expect_code(0);
    let three = "diff 1.heapsnapshot 2.heapsnapshot 3.heapsnapshot";
    desk.shot("diff_three", three).expect_code(0);
    desk.shot("diff_three_json", &format!("{three} --json")).expect_code(0);
    desk.shot("diff_limit", "diff 1.heapsnapshot 3.heapsnapshot --limit 2").expect_code(0);
    desk.shot("diff_with_itself", "diff 1.heapsnapshot 1.heapsnapshot").expect_code(0);
}

/// Two inspector sessions: the same numbers, other objects.
#[test]
fn another_session() {
    let desk = Desk::leaking();
    let other = desk.service(Layout::Node20, Behaviour::Leaks, 2, 1);
    other.write(&desk.path("other.heapsnapshot")).unwrap();
    desk.shot("diff_other_session", "diff 1.heapsnapshot other.heapsnapshot").expect_code(0);
    desk.shot("suspects_other_session", "suspects 1.heapsnapshot other.heapsnapshot")
        .expect_code(0);
}

#[test]
fn retainers() {
    let desk = Desk::leaking();
    // The sixth listener, its scope, a session's token, and the text of a listener that came later.
    desk.shot("retainers", "retainers 3.heapsnapshot @10051").expect_code(0);
    desk.shot("retainers_json", "retainers 3.heapsnapshot @10051 --json").expect_code(0);
    desk.shot("retainers_several", "retainers 3.heapsnapshot @20001").expect_code(0);
    desk.shot("retainers_truncated", "retainers 3.heapsnapshot @20001 --max-paths 1")
        .expect_code(0);
    desk.shot("retainers_root", "retainers 3.heapsnapshot @1").expect_code(0);
}

#[test]
fn suspects_of_a_leak() {
    let desk = Desk::leaking();
    let three = "suspects 1.heapsnapshot 2.heapsnapshot 3.heapsnapshot";
    desk.shot("suspects", three).expect_code(0);
    let found = desk.shot("suspects_json", &format!("{three} --json")).expect_code(0).json();
    let line = APP.lines().position(|l| l.contains("process.on")).unwrap() + 1;
    assert_eq!(found["suspects"][0]["culprit"]["line"], line, "the statement that adds");
    desk.shot("suspects_two", "suspects 1.heapsnapshot 2.heapsnapshot").expect_code(0);
    desk.shot("suspects_requests", &format!("{three} --requests 58")).expect_code(0);
    desk.run(&format!("{three} --fail-on-leak")).expect_code(3);
}

#[test]
fn suspects_where_the_source_is_elsewhere() {
    let desk = Desk::leaking();
    let two = "suspects 1.heapsnapshot 2.heapsnapshot";
    std::fs::create_dir(desk.path("checkout")).unwrap();
    std::fs::rename(desk.path("app.js"), desk.path("checkout/app.js")).unwrap();
    desk.shot("suspects_no_source", two).expect_code(0);
    desk.shot("suspects_source", &format!("{two} --source checkout")).expect_code(0);
}

#[test]
fn suspects_without_a_leak() {
    let desk = Desk::new().snapshots(Layout::Node24, Behaviour::Healthy);
    let three = "suspects 1.heapsnapshot 2.heapsnapshot 3.heapsnapshot";
    desk.shot("suspects_no_leak", three).expect_code(0);
    desk.shot("suspects_no_leak_json", &format!("{three} --json")).expect_code(0);
    desk.run(&format!("{three} --fail-on-leak")).expect_code(0);

    let desk = Desk::new().snapshots(Layout::Node24, Behaviour::GrowsStrangely);
    desk.shot("suspects_inconclusive", three).expect_code(0);
    desk.shot("suspects_inconclusive_json", &format!("{three} --json")).expect_code(0);
}

#[test]
fn investigate_files() {
    let desk = Desk::leaking();
    let three = "investigate 1.heapsnapshot 2.heapsnapshot 3.heapsnapshot";
    desk.shot("investigate", &format!("{three} -o found")).expect_code(0);
    let read = |name: &str| std::fs::read_to_string(desk.path(name)).unwrap();
    desk.same("investigate_report_md", &read("found/report.md"));
    desk.same("investigate_folder_json", &read("found/investigation.json"));

    let printed = desk.shot("investigate_json", &format!("{three} -o again --json")).json();
    let mut written: Value = serde_json::from_str(&read("again/investigation.json")).unwrap();
    for key in ["started", "ended"] {
        written[key] = printed[key].clone();
    }
    assert_eq!(printed, written, "the folder holds what was printed");
    desk.run(&format!("{three} -o third --fail-on-leak")).expect_code(3);

    desk.shot("investigate_folder_taken", &format!("{three} -o found")).expect_code(2);
}

#[test]
fn investigate_files_without_a_leak() {
    let desk = Desk::new().snapshots(Layout::Node24, Behaviour::Healthy);
    let two = "investigate 1.heapsnapshot 2.heapsnapshot -o found";
    desk.shot("investigate_no_leak", two).expect_code(0);
    let report = std::fs::read_to_string(desk.path("found/report.md")).unwrap();
    desk.same("investigate_no_leak_report_md", &report);
}

/// A sample every two seconds: a sawtooth of garbage, collected every 14 s, over a floor that rises by so
/// many bytes a second and trembles, as floors do.
#[test]
fn allocations() {
    let desk = Desk::new();
    let mut whole = heapprofile::service(&desk.path("app.js"));
    desk.write("1.heapprofile", whole.to_string());
    desk.shot("allocations", "allocations 1.heapprofile").expect_code(0);
    desk.shot("allocations_limit", "allocations 1.heapprofile --limit 1").expect_code(0);
    desk.shot("allocations_json", "allocations 1.heapprofile --json").expect_code(0);
    // As an older V8 writes it, and of a program that keeps nothing.
    whole.as_object_mut().unwrap().remove("samples");
    whole["head"]["children"] = serde_json::json!([]);
    desk.write("1.heapprofile", whole.to_string());
    desk.shot("allocations_none", "allocations 1.heapprofile").expect_code(0);

    desk.write("bad.heapprofile", &whole.to_string()[..60]);
    desk.shot("error_profile_truncated", "allocations bad.heapprofile").expect_code(4);
    desk.service(Layout::Node24, Behaviour::Leaks, 0, 0)
        .write(&desk.path("bad.heapprofile"))
        .unwrap();
    desk.shot("error_profile_snapshot", "allocations bad.heapprofile").expect_code(4);
    desk.shot("error_profile_snapshot_json", "allocations bad.heapprofile --json").expect_code(4);
    desk.shot("error_profile_missing", "allocations nowhere.heapprofile").expect_code(4);
}

#[test]
fn explain() {
    let desk = Desk::new();
    desk.shot("explain", "explain").expect_code(0);
    let all = desk.shot("explain_json", "explain --json").expect_code(0).json();
    for rule in all["rules"].as_array().unwrap() {
        let id = rule["id"].as_str().unwrap();
        desk.shot(&format!("explain_{}", id.replace('-', "_")), &format!("explain {id}"))
            .expect_code(0);
    }
    desk.shot("explain_unknown_rule", "explain memory-gremlin").expect_code(2);
    desk.shot("explain_unknown_rule_json", "explain memory-gremlin --json").expect_code(2);
}

#[test]
fn help() {
    let desk = Desk::new();
    desk.shot("help", "--help").expect_code(0);
    desk.shot("help_short", "-h").expect_code(0);
    desk.shot("version", "--version").expect_code(0);
    let commands = [
        "demo",
        "investigate",
        "suspects",
        "summary",
        "diff",
        "retainers",
        "object",
        "containment",
        "dominators",
        "stats",
        "strings",
        "closures",
        "contexts",
        "collections",
        "detached",
        "native-contexts",
        "search",
        "allocations",
        "trend",
        "watch",
        "verify",
        "scan",
        "explain",
    ];
    let listed = desk.run("--help").stdout;
    for command in commands {
        let name = format!("help_{}", command.replace('-', "_"));
        desk.shot(&name, &format!("{command} --help")).expect_code(0);
        assert!(listed.contains(&format!("\n  {command} ")), "{command} is not listed");
    }
    let shown = listed.split("Commands:").nth(1).and_then(|t| t.split("\n\n").next()).unwrap();
    let listed = shown.lines().filter(|l| l.starts_with("  ") && !l.starts_with("   ")).count();
    // One is the parser's own `help`.
    assert_eq!(listed, commands.len() + 1, "a command without a snapshot: {shown}");
}

#[test]
fn wrong_usage() {
    let desk = Desk::leaking();
    for (name, line) in [
        ("usage_no_command", ""),
        ("usage_no_such_command", "sumary 1.heapsnapshot"),
        ("usage_no_such_flag", "summary 1.heapsnapshot --limits 3"),
        ("usage_no_file", "summary"),
        ("usage_one_file", "diff 1.heapsnapshot"),
        ("usage_one_suspect", "suspects 1.heapsnapshot"),
        ("usage_no_number", "summary 1.heapsnapshot --limit many"),
        ("usage_no_color", "summary 1.heapsnapshot --color red"),
        ("usage_bad_duration", "investigate 4711 --duration soon"),
        ("usage_too_many_snapshots", "investigate 4711 --snapshots 11"),
        ("usage_object_id", "retainers 1.heapsnapshot @one"),
        ("usage_investigate_one_file", "investigate 1.heapsnapshot"),
        ("usage_investigate_nothing", "investigate nowhere.heapsnapshot"),
    ] {
        desk.shot(name, line).expect_code(2);
    }
    desk.shot("usage_json", "summary --json").expect_code(2);
    desk.shot("usage_object_id_json", "retainers 1.heapsnapshot @one --json").expect_code(2);
}

/// Every kind of fault a snapshot can have; each as text and as JSON.
#[test]
fn snapshots_that_are_none() {
    let desk = Desk::leaking();
    let sound = std::fs::read_to_string(desk.path("1.heapsnapshot")).unwrap();
    let changed = |from: &str, to: &str| {
        let text = sound.replacen(from, to, 1);
        assert_ne!(text, sound, "nothing was changed: {from}");
        text
    };
    let nodes = sound.split("\"node_count\":").nth(1).unwrap().split(',').next().unwrap();
    let first_edge = "\"edges\":[1,1,7";
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("white_space", b" \n\t".to_vec()),
        ("not_json", b"PK\x03\x04 an archive".to_vec()),
        ("gzip", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0]),
        ("json_array", b"[1,2,3]".to_vec()),
        ("json_no_snapshot", br#"{"name":"orders","version":"1.0.0"}"#.to_vec()),
        ("heap_profile", br#"{"head":{"callFrame":{"functionName":"(root)"}}}"#.to_vec()),
        ("only_header", br#"{"snapshot":{}}"#.to_vec()),
        ("truncated", sound.as_bytes()[..sound.len() / 2].to_vec()),
        ("truncated_in_header", sound.as_bytes()[..100].to_vec()),
        ("text_after_the_end", format!("{sound} and more").into_bytes()),
        (
            "count_too_high",
            changed(&format!("\"node_count\":{nodes}"), "\"node_count\":999").into(),
        ),
        ("count_too_low", changed(&format!("\"node_count\":{nodes}"), "\"node_count\":5").into()),
        ("index_out_of_range", changed(first_edge, "\"edges\":[1,1,700000").into()),
        ("index_inside_an_object", changed(first_edge, "\"edges\":[1,1,8").into()),
        ("edge_type_unknown", changed(first_edge, "\"edges\":[77,1,7").into()),
        ("node_type_unknown", changed("\"nodes\":[9,", "\"nodes\":[99,").into()),
        ("negative_size", changed("\"nodes\":[9,1,1,0", "\"nodes\":[9,1,1,-8").into()),
        ("name_out_of_range", changed("\"nodes\":[9,1,", "\"nodes\":[9,90000,").into()),
        ("field_missing", changed("\"self_size\"", "\"shallow\"").into()),
        ("section_missing", changed("\"strings\":", "\"texts\":").into()),
    ];
    for (name, bytes) in cases {
        desk.write("bad.heapsnapshot", bytes);
        desk.shot(&format!("error_{name}"), "summary bad.heapsnapshot").expect_code(4);
        desk.shot(&format!("error_{name}_json"), "summary bad.heapsnapshot --json").expect_code(4);
    }
    desk.shot("error_missing", "summary nowhere.heapsnapshot").expect_code(4);
    desk.shot("error_missing_json", "summary nowhere.heapsnapshot --json").expect_code(4);
    desk.shot("error_folder", "summary .").expect_code(4);
    desk.shot("error_no_such_object", "retainers 1.heapsnapshot @999999").expect_code(4);
    desk.shot("error_no_such_object_json", "retainers 1.heapsnapshot @999999 --json")
        .expect_code(4);
    // The second file of two is named, not the first.
    desk.shot("error_second_file", "suspects 1.heapsnapshot bad.heapsnapshot").expect_code(4);
    let line = "investigate 1.heapsnapshot bad.heapsnapshot -o found";
    desk.shot("error_investigate", line).expect_code(4);
    assert!(!desk.path("found").exists(), "a folder of nothing");
}

#[test]
fn targets_that_are_none() {
    let desk = Desk::new();
    // No kernel gives out a pid above 2²².
    desk.shot("target_missing", "investigate 4194305").expect_code(5);
    desk.shot("target_missing_json", "investigate 4194305 --json").expect_code(5);
    let left: Vec<_> = std::fs::read_dir(desk.dir.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "only app.js: {left:?}");
}

#[test]
fn quiet_leaves_only_the_result() {
    let desk = Desk::leaking();
    let line = "investigate 1.heapsnapshot 2.heapsnapshot -o";
    let told = desk.run(&format!("{line} told"));
    let quiet = desk.run(&format!("{line} quiet --quiet")).expect_code(0);
    assert!(told.stderr.contains("[3/6]"), "{told}");
    assert_eq!(quiet.stderr, "");
    assert_eq!(told.stdout.replace("/told", "/quiet"), quiet.stdout);
    // Errors are no progress.
    let run = desk.run("summary nowhere.heapsnapshot --quiet").expect_code(4);
    assert!(run.stderr.starts_with("error: "), "{run}");
}

#[test]
fn colour_only_where_it_is_wanted() {
    let desk = Desk::leaking();
    let suspects = "suspects 1.heapsnapshot 2.heapsnapshot";
    let painted = |line: &str, no_color: Option<&str>| {
        let mut command = desk.command(line);
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        let run = Running::start(command).finish(LIMIT).expect_code(0);
        assert!(run.stderr.is_empty(), "{run}");
        run.stdout.contains('\u{1b}')
    };
    assert!(!painted(suspects, None), "a pipe is no terminal");
    assert!(!painted(suspects, Some("1")));
    assert!(!painted(&format!("{suspects} --color never"), None));
    assert!(painted(&format!("{suspects} --color always"), None));
    // What was typed wins over what the environment wishes.
    assert!(painted(&format!("{suspects} --color always"), Some("1")));
    assert!(!painted(&format!("{suspects} --color always --json"), None), "JSON is never painted");

    let mut error = desk.command("summary nowhere.heapsnapshot --color always");
    error.env_remove("NO_COLOR");
    let error = Running::start(error).finish(LIMIT).expect_code(4);
    assert!(error.stderr.contains('\u{1b}'), "{error}");
}

/// `leakline … | head -1`, at its worst: the reader has gone before the first byte.
#[test]
fn a_reader_that_went_away_is_success() {
    let desk = Desk::leaking();
    desk.write("leak.csv", memory::series(60_000, 600, None));
    let text = [
        "summary 1.heapsnapshot",
        "diff 1.heapsnapshot 2.heapsnapshot",
        "retainers 1.heapsnapshot @10001",
        "object 1.heapsnapshot @10001",
        "containment 1.heapsnapshot",
        "search 1.heapsnapshot --name a",
        "suspects 1.heapsnapshot 2.heapsnapshot",
        "investigate 1.heapsnapshot 2.heapsnapshot -o found-text",
        "trend leak.csv",
        "verify --before=leak.csv --after=leak.csv",
        "scan app.js",
        "explain",
        "explain event-listener",
        "--help",
        "summary --help",
        "investigate --show-probe",
    ];
    let json =
        text.iter().filter(|l| !l.contains("--") || l.starts_with("search")).map(|l| {
            match l.strip_suffix("-text") {
                Some(start) => format!("{start}-json --json"),
                None => format!("{l} --json"),
            }
        });
    for line in text.iter().map(ToString::to_string).chain(json) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = desk.command(&line).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let ended = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(0), "{line}: {stderr}");
        assert!(!stderr.lines().any(|l| l.starts_with("error:")), "{line}: {stderr}");
    }
}

/// Texts are read in terminals of 80 columns. A path may stand out, since a broken one cannot be copied; so
/// may errors, one line for each part, so that logs can be searched for them.
#[test]
fn texts_fit_eighty_columns() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let mut wide = Vec::new();
    let mut read = 0;
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Markdown is not broken: whatever shows it does that.
        if path.extension().is_none_or(|e| e != "snap")
            || name.contains("_md.")
            || name.contains("_json")
        {
            continue;
        }
        read += 1;
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let mut words = line.split(' ').filter(|w| !w.is_empty());
            let one_line =
                ["$ ", "error: ", "cause: ", "hint: "].iter().any(|p| line.starts_with(p));
            let has_path = words.any(|w| w.contains("[DIR]") && w.len() > "[DIR]/".len());
            if line.chars().count() > WIDTH && !one_line && !has_path {
                wide.push(format!("{name}: {line}"));
            }
        }
    }
    assert!(read > 50, "only {read} snapshots of texts in {}", folder.display());
    assert!(wide.is_empty(), "{} lines are too wide\n{}", wide.len(), wide.join("\n"));
}
