//! `leakline trend --prometheus`: against a real Prometheus with six hours of backfilled metrics, and against
//! servers that refuse, stall, lie and break off.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod common;

use std::fmt::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::http::{Answer, Server};
use common::{Run, free_port, run, scratch};

const HOUR: u64 = 3600;

/// Prometheus on backfilled data. Dropping it ends it.
struct Prometheus {
    child: Child,
    url: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn installed(program: &str) -> Command {
    let there =
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(
        there.is_ok_and(|s| s.success()),
        "{program} is missing: install Prometheus (on Debian `apt-get install prometheus`)"
    );
    Command::new(program)
}

impl Prometheus {
    fn start(dir: &Path, metrics: &str) -> Self {
        let (file, data, config) =
            (dir.join("metrics.txt"), dir.join("data"), dir.join("prometheus.yml"));
        std::fs::write(&file, metrics).unwrap();
        std::fs::write(&config, "scrape_configs: []\n").unwrap();
        let made = installed("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .args([&file, &data])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = free_port();
        let log = std::fs::File::create(dir.join("log")).unwrap();
        let child = installed("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=warn")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self { child, url: format!("http://127.0.0.1:{port}") };
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let ready = run(["trend", "--prometheus", &server.url, "--query", "vector(1)"]);
            if ready.code == Some(0) {
                return server;
            }
            let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "Prometheus is not ready: {ready}\n{log}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Labels, and the value at a second.
type Row = (String, Box<dyn Fn(u64) -> f64>);

/// Three pods of one workload over six hours: two leak, one that restarted does not; and what exporters
/// of other kinds say about one of them.
fn backfill(from: u64) -> String {
    let mut out = String::new();
    let times = || (0..6 * HOUR).step_by(30);
    let mut metric = |name: &str, rows: &[Row]| {
        let _ = writeln!(out, "# TYPE {name} gauge");
        for (labels, value) in rows {
            for t in times() {
                let _ = writeln!(out, "{name}{{{labels}}} {} {}", value(t), from + t);
            }
        }
    };
    let trembling = |t: u64| (t * 7919 % 10_007) as f64 * 100.0;
    // Garbage until the next full collection, every 15 minutes.
    let garbage = |t: u64| (t % 900) as f64 * 20_000.0;
    let pods: [(&str, f64); 3] = [("api-1", 12e6), ("api-2", 10e6), ("api-3", 0.0)];
    let heap = move |t: u64, per_hour: f64| {
        60e6 + per_hour * t as f64 / HOUR as f64 + garbage(t) + trembling(t)
    };
    let label = |pod: &str| format!("job=\"api\",pod=\"{pod}\"");
    let each = |f: &dyn Fn(f64) -> Box<dyn Fn(u64) -> f64>| {
        pods.iter().map(|(pod, rate)| (label(pod), f(*rate))).collect::<Vec<_>>()
    };
    metric("nodejs_heap_size_used_bytes", &each(&|r| Box::new(move |t| heap(t, r))));
    let mut rss = each(&|r| Box::new(move |t| heap(t, r) + 45e6));
    // Some other program of the same job.
    rss.push(("job=\"api\",pod=\"sidecar\"".into(), Box::new(move |t| 9e6 + trembling(t))));
    metric("process_resident_memory_bytes", &rss);
    metric("nodejs_heap_size_total_bytes", &each(&|r| Box::new(move |t| heap(t, r) + 8e6)));
    metric("nodejs_external_memory_bytes", &each(&|_| Box::new(|_| 3e6)));
    let collections: Vec<Row> = pods
        .iter()
        .flat_map(|(pod, _)| {
            let of = |kind: &str| format!("{},kind=\"{kind}\"", label(pod));
            let major: Box<dyn Fn(u64) -> f64> = Box::new(|t| (t / 900) as f64);
            let minor: Box<dyn Fn(u64) -> f64> = Box::new(|t| t as f64);
            [(of("major"), major), (of("minor"), minor)]
        })
        .collect();
    metric("nodejs_gc_duration_seconds_count", &collections);
    metric("process_start_time_seconds", &each(&move |_| Box::new(move |_| (from - 500) as f64)));
    metric("http_requests_total", &each(&|_| Box::new(|t| t as f64 * 12.0)));
    let container = |pod: &str, id: &str| {
        format!("namespace=\"shop\",pod=\"{pod}\",container=\"node\",id=\"{id}\"")
    };
    let cadvisor = |pod: &str, f: Box<dyn Fn(u64) -> f64>| (container(pod, "/kubepods/x"), f);
    metric(
        "container_memory_working_set_bytes",
        &[
            cadvisor("api-1", Box::new(move |t| heap(t, 12e6) + 45e6)),
            cadvisor("api-3", Box::new(move |t| heap(t, 0.0) + 45e6)),
            (
                "namespace=\"shop\",pod=\"api-1\",container=\"\",id=\"/kubepods\"".into(),
                Box::new(|_| 9e9),
            ),
        ],
    );
    metric(
        "container_spec_memory_limit_bytes",
        &[cadvisor("api-1", Box::new(|_| 268_435_456.0)), cadvisor("api-3", Box::new(|_| 0.0))],
    );
    let space =
        |space: &str| format!("service_instance_id=\"i-1\",v8js_heap_space_name=\"{space}\"");
    metric(
        "v8js_memory_heap_used_bytes",
        &[
            (space("old_space"), Box::new(move |t| heap(t, 12e6) - 10e6)),
            (space("new_space"), Box::new(|_| 10e6)),
        ],
    );
    metric(
        "process_memory_usage_bytes",
        &[("service_instance_id=\"i-1\"".into(), Box::new(move |t| heap(t, 12e6) + 45e6))],
    );
    out.push_str("# EOF\n");
    out
}

#[test]
fn a_real_prometheus_with_six_hours_of_three_pods() {
    let dir = scratch();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let from = (now - 10 * HOUR) / 60 * 60;
    let server = Prometheus::start(dir.path(), &backfill(from));
    let (start, end) = (from.to_string(), (from + 6 * HOUR - 30).to_string());
    let ask = |more: &[&str]| -> Run {
        let mut args =
            vec!["trend", "--prometheus", &server.url, "--start", &start, "--end", &end, "--json"];
        args.extend(more);
        run(args)
    };
    let verdicts = |run: &Run| -> Vec<(String, String)> {
        let json = run.json();
        let series = json["series"].as_array().unwrap_or_else(|| panic!("one series: {run}"));
        series
            .iter()
            .map(|s| (s["name"].as_str().unwrap().into(), s["verdict"].as_str().unwrap().into()))
            .collect()
    };
    let three = [("api-1", "leak"), ("api-2", "leak"), ("api-3", "stable")]
        .map(|(n, v)| (n.to_owned(), v.to_owned()));

    let found = ask(&[
        "--preset",
        "prom-client",
        "--selector",
        "job=\"api\"",
        "--requests",
        "http_requests_total",
    ])
    .expect_code(0);
    assert_eq!(verdicts(&found), three, "{found}");
    let json = found.json();
    assert_eq!(json["workload"]["verdict"], "leak");
    assert_eq!(json["series"][0]["where"], "js-heap");
    let rate = json["series"][0]["rate_bytes_per_hour"]["estimate"].as_f64().unwrap();
    assert!((rate / 12e6 - 1.0).abs() < 0.1, "{rate}");
    assert!(found.stderr.contains("without a JavaScript heap"), "the sidecar is said: {found}");
    ask(&["--preset", "prom-client", "--fail-on-leak"]).expect_code(3);

    // cAdvisor: the pod's sum is not a container, a limit of 0 is none.
    let found = ask(&["--preset", "cadvisor", "--selector", "namespace=\"shop\""]).expect_code(0);
    assert_eq!(verdicts(&found), [three[0].clone(), three[2].clone()], "{found}");
    let json = found.json();
    assert!(json["series"][0]["time_to_limit_seconds"]["estimate"].is_number(), "{found}");
    let found = ask(&["--preset", "otel"]).expect_code(0);
    assert_eq!(
        (&found.json()["name"], &found.json()["verdict"]),
        (&"i-1".into(), &"leak".into()),
        "{found}"
    );

    // A query of one's own, a limit from the command line, and a picture.
    let svg = dir.path().join("p.svg");
    let query = "process_resident_memory_bytes{pod=\"api-1\"}";
    let found = ask(&["--query", query, "--limit", "512MiB", "--svg", svg.to_str().unwrap()])
        .expect_code(0);
    let json = found.json();
    assert_eq!((&json["verdict"], &json["where"]), (&"leak".into(), &"unknown".into()), "{found}");
    assert!(json["time_to_limit_seconds"]["estimate"].as_f64().unwrap() > 10.0 * 3600.0);
    assert!(std::fs::read_to_string(svg).unwrap().contains("class=\"limit\""));

    // What a real server answers to bad questions.
    let bad = ask(&["--query", "sum(("]).expect_code(4);
    assert!(
        bad.stderr.contains("does not accept the query: ") && bad.stderr.contains("parse error"),
        "{bad}"
    );
    assert_eq!(bad.json()["code"], "bad-query");
    let none = ask(&["--query", "no_such_metric"]).expect_code(4);
    assert!(none.json()["code"] == "no-series" && none.stderr.contains("no_such_metric"), "{none}");
    let wide = ask(&["--query", query, "--step", "1s"]).expect_code(2);
    assert!(wide.stderr.contains("--step"), "{wide}");
    let deep = run([
        "trend",
        "--prometheus",
        &format!("{}/prometheus", server.url),
        "--query",
        "up",
        "--json",
    ]);
    assert_eq!(deep.expect_code(5).json()["code"], "http-status");
}

const MATRIX: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;

fn matrix(values: &str, more: &str) -> String {
    format!(
        r#"{{"status":"success",{more}"data":{{"resultType":"matrix","result":[{{"metric":{{"pod":"a"}},"values":[{values}]}}]}}}}"#
    )
}

fn asked(url: &str, more: &[&str]) -> Run {
    let mut args = vec!["trend", "--prometheus", url, "--query", "m", "--json", "--timeout", "2s"];
    args.extend(more);
    run(args)
}

#[test]
fn servers_that_refuse_stall_and_lie() {
    let refused = asked(&format!("http://127.0.0.1:{}", free_port()), &[]).expect_code(5);
    assert_eq!(refused.json()["code"], "http-unreachable");
    assert!(refused.stderr.contains("refused") && refused.stderr.contains("hint:"), "{refused}");
    let nowhere = asked("http://no-such-host.invalid", &[]).expect_code(5);
    assert_eq!(nowhere.json()["code"], "http-unreachable", "{nowhere}");

    let silent = Server::start(|_| Answer::Silence);
    let begun = Instant::now();
    let timeout = asked(&silent.url(""), &[]).expect_code(5);
    assert!(
        timeout.json()["code"] == "http-timeout" && begun.elapsed() < Duration::from_secs(10),
        "{timeout}"
    );
    assert!(timeout.stderr.contains("2 s"), "{timeout}");

    for (status, body, code, exit, words) in [
        (401, "Unauthorized", "http-status", 5, "--bearer-file"),
        (404, "<html>not here", "http-status", 5, "/api/v1"),
        (502, "", "http-status", 5, "502"),
        (200, "<!doctype html><title>Sign in", "bad-answer", 4, "login page"),
        (200, "{\"a\":1}", "bad-answer", 4, "no answer of Prometheus"),
        (200, MATRIX, "no-series", 4, "selector"),
        (
            422,
            r#"{"status":"error","errorType":"execution","error":"many-to-many"}"#,
            "bad-query",
            4,
            "many-to-many",
        ),
        (
            503,
            r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#,
            "http-status",
            5,
            "timed out",
        ),
    ] {
        let server = Server::start(move |_| Answer::Body(status, body.to_owned()));
        let found = asked(&server.url(""), &[]).expect_code(exit);
        assert_eq!(found.json()["code"], code, "{status} {body}: {found}");
        assert!(found.stderr.contains(words), "{words}: {found}");
    }
    let cut = Server::start(|_| Answer::CutOff(matrix("[1,\"2\"]", "")));
    let found = asked(&cut.url(""), &[]);
    assert!(matches!(found.code, Some(4 | 5)), "{found}");

    // Addresses that are none are wrong usage.
    for url in ["prom:9090", "ftp://x", "http://"] {
        assert!(asked(url, &[]).expect_code(2).stderr.contains("prometheus"), "{url}");
    }
}

#[test]
fn partial_data_and_holes_are_told() {
    let values: Vec<String> = (0..600)
        .map(|i| match i {
            100..120 => format!("[{},\"NaN\"]", 1_790_000_000 + i * 30),
            _ => format!(
                "[{},\"{}\"]",
                1_790_000_000 + i * 30,
                100_000_000 + i * 100_000 + i % 7 * 50_000
            ),
        })
        .collect();
    let body = matrix(&values.join(","), r#""warnings":["store 10.0.0.7 is not reachable"],"#);
    let server = Server::start(move |_| Answer::Body(200, body.clone()));
    let found = asked(&server.url("/base/"), &["--as", "rss"]).expect_code(0);
    assert_eq!(found.json()["verdict"], "leak", "{found}");
    assert!(
        found.stderr.contains("store 10.0.0.7") && found.stderr.contains("20 values"),
        "{found}"
    );
    let reasons = found.json()["reasons"].to_string();
    assert!(reasons.contains("partial-data") && reasons.contains("gaps"), "{reasons}");
    let head = &server.requests()[0];
    assert!(head.starts_with("GET /base/api/v1/query_range?query=m&start="), "{head}");
}

#[test]
fn who_asks_is_said_in_headers_and_never_shown() {
    let dir = scratch();
    let token = dir.path().join("token");
    std::fs::write(&token, "s3cret-in-file\n").unwrap();
    let server = Server::start(|_| Answer::Body(403, "no".into()));
    let url = server.url("").replace("http://", "http://ann:s3cret@");
    let token_file = token.to_str().unwrap();
    for (more, header) in [
        (vec![], "authorization: Basic YW5uOnMzY3JldA=="),
        (vec!["--bearer-file", token_file], "authorization: Bearer s3cret-in-file"),
        (vec!["--header", "X-Scope-OrgID: team-1"], "x-scope-orgid: team-1"),
    ] {
        let found = asked(&url, &more).expect_code(5);
        let head = server.requests().pop().unwrap();
        let said = head.lines().any(|l| l.eq_ignore_ascii_case(header));
        assert!(said, "{header}: {head}");
        assert!(!found.stderr.contains("s3cret") && !found.stdout.contains("s3cret"), "{found}");
    }
    let missing = asked(&url, &["--bearer-file", "no-such-file"]).expect_code(4);
    assert!(missing.stderr.contains("no-such-file"), "{missing}");
    assert!(
        TcpStream::connect(url.rsplit('@').next().unwrap()).is_ok(),
        "the server is still there"
    );
}
