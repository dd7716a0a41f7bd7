use std::fmt::Write as _;

use super::Desk;

pub(super) fn series(bytes_per_second: u64, seconds: u64, limit: Option<u64>) -> String {
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
