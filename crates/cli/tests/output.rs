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

fn series(bytes_per_second: u64, seconds: u64, limit: Option<u64>) -> String {
    let mut text =
        "elapsed_s,rss,heapUsed,heapTotal,external,arrayBuffers,gc_major_count,limit\n".to_string();
    let limit = limit.map_or_else(String::new, |l| l.to_string());
    for s in (0..seconds).step_by(2) {
        let heap = heap(bytes_per_second, s);
        let (rss, total) = (heap + (60 << 20), heap + (8 << 20));
        let _ = writeln!(text, "{s},{rss},{heap},{total},2000000,100000,{},{limit}", s / 14);
    }
    text
}

fn heap(bytes_per_second: u64, second: u64) -> u64 {
    let trembling = second * 7919 % 1009 * 400;
    (40 << 20) + second * bytes_per_second + (second % 14) * 300_000 + trembling
}

#[test]
fn trend() {
    let desk = Desk::new();
    desk.write("leak.csv", series(60_000, 600, Some(512 << 20)));
    desk.write("stable.csv", series(0, 600, None));
    desk.write("short.csv", series(60_000, 8, None));
    desk.shot("trend_leak", "trend leak.csv").expect_code(0);
    desk.shot("trend_leak_json", "trend leak.csv --json").expect_code(0);
    desk.shot("trend_stable", "trend stable.csv").expect_code(0);
    desk.shot("trend_stable_json", "trend stable.csv --json").expect_code(0);
    desk.shot("trend_short", "trend short.csv").expect_code(0);
    desk.shot("trend_short_json", "trend short.csv --json").expect_code(0);
    desk.shot("trend_several", "trend leak.csv stable.csv short.csv").expect_code(0);
    desk.shot("trend_several_json", "trend leak.csv stable.csv short.csv --json").expect_code(0);
    desk.run("trend leak.csv --fail-on-leak").expect_code(3);
    desk.run("trend stable.csv --fail-on-leak").expect_code(0);

    let mut lines = String::new();
    for s in (0..600).step_by(2) {
        let (time, heap) = (1_790_000_000 + s, heap(60_000, s));
        let _ = writeln!(lines, "{{\"time\":{time},\"heap_used\":{heap}}}");
    }
    desk.write("leak.jsonl", lines);
    desk.shot("trend_json_lines", "trend leak.jsonl").expect_code(0);
}

/// The classic case: 80 to 480 MB in 8 hours before; after it, 80 to 120 MB, level over 48 hours.
#[test]
fn verify() {
    let desk = Desk::new();
    let series = |hours: u64, step: u64, level: &dyn Fn(f64) -> f64, requests: bool| {
        let mut text = String::from("time,heap_used,rss,limit,requests\n");
        for t in (0..hours * 3600).step_by(step as usize) {
            // Garbage of a quarter of an hour, and some trembling.
            let garbage = (t % 900) as f64 / 900.0 * 18e6 + (t * 7919 % 1_000_003) as f64;
            let heap = level(t as f64 / 3600.0) * 1e6 + garbage;
            let served = if requests { (20 * step + t % 7).to_string() } else { String::new() };
            let _ = writeln!(
                text,
                "{},{heap:.0},{:.0},1073741824,{served}",
                1_790_000_000 + t,
                heap + 70e6
            );
        }
        text
    };
    let leaks = |h: f64| 80.0 + 50.0 * h;
    let levels = |h: f64| 120.0 - 40.0 * (-h / 4.0).exp();
    desk.write("before.csv", series(8, 30, &leaks, false));
    desk.write("after.csv", series(48, 120, &levels, false));
    desk.write("before-load.csv", series(8, 30, &leaks, true));
    desk.write("slower.csv", series(8, 30, &|h| 80.0 + 15.0 * h, true));
    desk.write("short.csv", series(1, 300, &levels, false));
    desk.shot("verify_fixed", "verify --before before.csv --after after.csv").expect_code(0);
    let json =
        desk.shot("verify_fixed_json", "verify --before before.csv --after after.csv --json");
    assert!(json.json()["reduction"]["low"].as_f64().unwrap() > 0.9);
    let line = "verify --before before-load.csv --after slower.csv";
    desk.shot("verify_slower", line).expect_code(0);
    desk.run(&format!("{line} --fail-on-leak")).expect_code(3);
    desk.shot("verify_short", "verify --before before.csv --after short.csv").expect_code(0);
    let backwards = "verify --before after.csv --after before.csv --fail-on-leak";
    desk.shot("verify_worse", backwards).expect_code(3);
    desk.shot("verify_several", "verify --before before.csv --before after.csv --after short.csv")
        .expect_code(2);
    desk.shot("verify_missing", "verify --before before.csv --after nowhere.csv").expect_code(4);
    std::fs::create_dir(desk.path("empty")).unwrap();
    desk.shot("verify_folder", "verify --before before.csv --after empty").expect_code(4);

    // Runs of an hour each, in one file and in several.
    let runs = |rates: &[f64]| {
        let mut text = String::from("series,elapsed_s,heap_used,gc_major_count\n");
        for (run, rate) in rates.iter().enumerate() {
            for t in (0..3600).step_by(30) {
                let heap = 8e7 + rate * 1e6 * f64::from(t) / 3600.0 + f64::from(t % 300) * 3e4;
                let _ = writeln!(text, "run-{run},{t},{heap:.0},{}", t / 300);
            }
        }
        text
    };
    desk.write("runs-before.csv", runs(&[51.0, 48.5, 50.2, 47.9, 52.3]));
    desk.write("runs-after.csv", runs(&[0.4, -0.8, 0.9, -0.3]));
    desk.write("run-5.csv", runs(&[0.1]));
    let line = "verify --runs --before runs-before.csv --after runs-after.csv --after run-5.csv";
    desk.shot("verify_runs", line).expect_code(0);
    desk.shot("verify_runs_json", &format!("{line} --json")).expect_code(0);

    // Investigations: the folder, or the JSON in it.
    let found = |rate: u64| {
        let sample = |t: u64| {
            let rss = 90_000_000 + t * rate + t % 10 * 400_000;
            format!(
                "{{\"elapsed_seconds\":{t}.0,\"rss_bytes\":{rss},\"heap_used_bytes\":{},\"gc_major_count\":{}}}",
                rss - 50_000_000,
                t / 10
            )
        };
        let samples: Vec<String> = (0..600).step_by(2).map(sample).collect();
        format!(
            "{{\"schema\":\"leakline/investigation/1\",\"target\":{{\"limit_bytes\":536870912}},\"samples\":[{}]}}",
            samples.join(",")
        )
    };
    for (name, rate) in [("one", 60_000), ("two", 0)] {
        std::fs::create_dir(desk.path(name)).unwrap();
        desk.write(&format!("{name}/investigation.json"), found(rate));
    }
    let both = desk.run("verify --before one --after two/investigation.json --json").expect_code(0);
    assert_eq!(both.json()["result"], "fixed", "{both}");
    let limit = desk.run("trend one --json").json();
    assert!(limit["time_to_limit_seconds"]["estimate"].is_number(), "{limit}");
}

/// What recordings suffer in practice is read, mended where that is safe, and said.
#[test]
fn series_with_troubles() {
    let desk = Desk::new();
    let rows = |row: &dyn Fn(u64) -> String| -> String { (0..240).map(row).collect() };
    let rss = |i: u64| 100_000_000 + i * 500_000 + i * 7919 % 1000 * 1000;
    let time = |i: u64| 1_790_000_000 + i * 60;
    let back = rows(&|i| format!("{},{}\n", time(i) - if i > 120 { 3600 } else { 0 }, rss(i)));
    let stray = rows(&|i| format!("{},{}\n", if i == 0 { 5 } else { time(i) }, rss(i)));
    let jump = rows(&|i| format!("{},{}\n", if i < 90 { i * 60 } else { time(i) }, rss(i)));
    let unit = rows(&|i| format!("{},{:.2} MiB\n", time(i), rss(i) as f64 / 1_048_576.0));
    let header = rows(&|i| format!("{},{:.2}\n", time(i), rss(i) as f64 / 1e6));
    let gap = rows(&|i| {
        if (80..140).contains(&i) { String::new() } else { format!("{},{}\n", time(i), rss(i)) }
    });
    // Summer time begins in the middle, as local time with its offset tells.
    let zone = rows(&|i| {
        let (offset, hour) = if i < 60 { ("+01:00", 1) } else { ("+02:00", 2) };
        let t = hour * 60 + i;
        format!("2026-03-29T{:02}:{:02}:00{offset},{}\n", t / 60 % 24, t % 60, rss(i))
    });
    for (name, head, body, code) in [
        ("back", "time,rss", &back, "clock-set-back"),
        ("stray", "time,rss", &stray, "stray-times"),
        ("jump", "time,rss", &jump, "clock-jump"),
        ("unit", "time,rss", &unit, ""),
        ("header", "timestamp,rss_mb,colour", &header.replace('\n', ",blue\n"), ""),
        ("gap", "time,rss", &gap, "gaps"),
        ("zone", "time,rss", &zone, ""),
    ] {
        desk.write(&format!("{name}.csv"), format!("{head}\n{body}"));
        let found = desk.run(&format!("trend {name}.csv --json")).expect_code(0);
        let json = found.json();
        assert_eq!(json["verdict"], "leak", "{name}: {found}");
        let rate = json["rate_bytes_per_hour"]["estimate"].as_f64().unwrap();
        assert!((rate / 30e6 - 1.0).abs() < 0.02, "{name}: {rate}");
        assert!(code.is_empty() || json["reasons"].to_string().contains(code), "{name}: {found}");
    }
    let tiny = rows(&|i| format!("{},{:.1}\n", time(i), rss(i) as f64 / 1e6));
    desk.write("tiny.csv", format!("time,rss\n{tiny}"));
    desk.shot("series_tiny", "trend tiny.csv").expect_code(4);
    let equal = rows(&|i| format!("{},100000000\n", time(i)));
    desk.write("equal.csv", format!("time,rss\n{equal}"));
    desk.shot("trend_equal", "trend equal.csv").expect_code(0);
}

#[test]
fn trend_svg() {
    let desk = Desk::new();
    desk.write("leak.csv", series(60_000, 600, Some(512 << 20)));
    desk.write("stable.csv", series(0, 600, None));
    desk.run("trend leak.csv --svg leak.svg").expect_code(0);
    let svg = std::fs::read_to_string(desk.path("leak.svg")).unwrap();
    for part in ["<svg ", "class=\"limit\"", "class=\"ahead\"", "fit growth", "</svg>"] {
        assert!(svg.contains(part), "{part}: {svg}");
    }
    desk.run("trend leak.csv stable.csv --svg both.svg --json").expect_code(0);
    let svg = std::fs::read_to_string(desk.path("both.svg")).unwrap();
    assert_eq!(svg.matches("<g transform").count(), 2);
    desk.shot("trend_svg_nowhere", "trend leak.csv --svg no/such/folder.svg").expect_code(1);
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
fn series_that_are_none() {
    let desk = Desk::new();
    for (name, text) in [
        ("empty", ""),
        ("no_header", "1,2\n3,4\n"),
        ("no_time", "rss,heapUsed\n1,2\n"),
        ("no_memory", "time,temperature\n1,20\n"),
        ("two_columns", "time,heapUsed,heap_used\n1,2,3\n"),
        ("no_samples", "time,rss\n"),
        ("no_numbers", "time,rss\n1,\n2,\n"),
        ("not_a_number", "time,rss\n1,1000\n2,much\n"),
        ("not_a_time", "time,rss\nyesterday,1000\n"),
        ("not_finite", "time,rss\n1,NaN\n"),
        ("negative", "time,rss\n1,-5\n"),
        ("out_of_range", "time,rss\n1,9e30\n"),
        ("backwards", "elapsed_s,rss\n10,1\n5,1\n"),
        ("duplicates", "time,rss\n1,1\n1,2\n1,3\n2,1\n2,2\n2,3\n"),
        ("ragged", "time,rss\n1,2,3\n"),
        ("missing_time", "time,rss\n1,2\n,3\n"),
        ("truncated_json", "{\"elapsed_s\":1,\"rss\":1000}\n{\"elapsed_s\":2,\"rss\"\n"),
        ("list_of_lists", "[1,2]\n[3,4]\n"),
    ] {
        desk.write("bad.csv", text);
        desk.shot(&format!("series_{name}"), "trend bad.csv").expect_code(4);
    }
    desk.write("bad.csv", [b't', 0xff, 0xfe]);
    desk.shot("series_not_utf8", "trend bad.csv").expect_code(4);
    desk.shot("series_json", "trend bad.csv --json").expect_code(4);
    desk.shot("series_missing", "trend nowhere.csv").expect_code(4);
    desk.shot("series_missing_json", "trend nowhere.csv --json").expect_code(4);
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
    desk.write("leak.csv", series(60_000, 600, None));
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
