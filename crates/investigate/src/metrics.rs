//! Series of memory from a metrics server: which queries to ask, and how their answers become samples.
//!
//! One query gives one column; answers are joined by their labels and times (a range query puts all values on
//! one grid). The labels that name a process differ between exporters, so two answers belong together when
//! the labels of one are among those of the other.

use std::collections::BTreeMap;

use leakline_target::Error;
use leakline_target::remote::{Address, Http, Matrix, RangeQuery};
use leakline_trend::{Sample, Series};

use crate::clock;

/// Queries by name, for the metrics that people already have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// `prom-client`, the usual library of Node.js services.
    PromClient,
    /// OpenTelemetry's runtime and process instrumentation, as its names are in Prometheus.
    Otel,
    /// cAdvisor, which every Kubernetes node runs.
    Cadvisor,
}

/// What a query's values mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Resident set, or what counts against the limit.
    Rss,
    /// V8's heap in use.
    HeapUsed,
    /// V8's heap.
    HeapTotal,
    /// External memory.
    External,
    /// Array buffers.
    ArrayBuffers,
    /// The limit.
    Limit,
    /// Major collections so far.
    GcMajor,
    /// Start of the process, Unix seconds.
    StartTime,
    /// Requests so far.
    Requests,
}

impl Column {
    /// Whether it is a part of memory that a verdict can rest on.
    fn is_memory(self) -> bool {
        matches!(self, Self::Rss | Self::HeapUsed | Self::External | Self::ArrayBuffers)
    }

    /// What a query of the user's own means, by the words in it.
    pub fn guess(query: &str) -> Self {
        let folded = query.to_ascii_lowercase();
        let has = |text: &str| folded.contains(text);
        if has("array_buffer") {
            Self::ArrayBuffers
        } else if has("external") {
            Self::External
        } else if has("heap") && !has("heap_total") && !has("heap_size_total") {
            Self::HeapUsed
        } else {
            Self::Rss
        }
    }
}

impl Preset {
    /// Its queries, with the selector's label matchers in them.
    pub fn queries(self, selector: &str) -> Vec<(Column, String)> {
        use Column as C;
        let inside = selector.trim().trim_start_matches('{').trim_end_matches('}').trim();
        let inside = inside.trim_end_matches(',');
        let with = |more: &str| match (inside.is_empty(), more.is_empty()) {
            (true, true) => String::new(),
            (false, false) => format!("{{{more},{inside}}}"),
            _ => format!("{{{more}{inside}}}"),
        };
        let s = with("");
        match self {
            Self::PromClient => vec![
                (C::Rss, format!("process_resident_memory_bytes{s}")),
                (C::HeapUsed, format!("nodejs_heap_size_used_bytes{s}")),
                (C::HeapTotal, format!("nodejs_heap_size_total_bytes{s}")),
                (C::External, format!("nodejs_external_memory_bytes{s}")),
                (
                    C::GcMajor,
                    format!(
                        "sum without (kind) (nodejs_gc_duration_seconds_count{})",
                        with("kind=\"major\"")
                    ),
                ),
                (C::StartTime, format!("process_start_time_seconds{s}")),
            ],
            Self::Otel => vec![
                (C::Rss, format!("process_memory_usage_bytes{s} or process_memory_usage{s}")),
                (
                    C::HeapUsed,
                    format!("sum without (v8js_heap_space_name) (v8js_memory_heap_used_bytes{s})"),
                ),
                // The "limit" of a space is what it has, not what it may have.
                (
                    C::HeapTotal,
                    format!("sum without (v8js_heap_space_name) (v8js_memory_heap_limit_bytes{s})"),
                ),
                (
                    C::GcMajor,
                    format!(
                        "sum without (v8js_gc_type) (v8js_gc_duration_seconds_count{})",
                        with("v8js_gc_type=\"major\"")
                    ),
                ),
            ],
            Self::Cadvisor => {
                let s = with("container!=\"\",container!=\"POD\"");
                // A restarted container has a new id: what names it for people must stay.
                let max = |m: &str| format!("max by (namespace, pod, container) ({m}{s})");
                vec![
                    (C::Rss, max("container_memory_working_set_bytes")),
                    (C::Limit, max("container_spec_memory_limit_bytes")),
                    (C::StartTime, max("container_start_time_seconds")),
                ]
            }
        }
    }
}

/// What to ask, and for when.
#[derive(Clone, Debug)]
pub struct MetricsOptions {
    /// The server, its address before `/api/v1`.
    pub server: Address,
    /// How to ask.
    pub http: Http,
    /// The queries.
    pub queries: Vec<(Column, String)>,
    /// Unix seconds.
    pub start: f64,
    /// Unix seconds.
    pub end: f64,
    /// Seconds between two values.
    pub step: f64,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// A series for each process, by name.
    pub series: Vec<Series>,
    /// What is to be said about the data: the server's warnings, and what was left out.
    pub warnings: Vec<String>,
    /// The server says that its answers may be incomplete.
    pub partial: bool,
    /// Queries that gave nothing: figures that are not known.
    pub empty: Vec<String>,
}

type Labels = BTreeMap<String, String>;

/// Asks all queries, one after the other, and joins the answers.
///
/// # Errors
/// A server that cannot be reached, or no memory in any answer.
pub fn metrics(options: &MetricsOptions) -> Result<Metrics, Error> {
    let mut answers: Vec<(Column, Matrix)> = Vec::new();
    let mut found = Metrics::default();
    for (column, query) in &options.queries {
        let range =
            RangeQuery { query, start: options.start, end: options.end, step: options.step };
        let mut matrix = range.ask(&options.http, &options.server)?;
        for warning in std::mem::take(&mut matrix.warnings) {
            found.partial = true;
            let text = format!("the server warns: {warning}");
            if !found.warnings.contains(&text) {
                found.warnings.push(text);
            }
        }
        let dropped: usize = matrix.series.iter().map(|s| s.not_finite).sum();
        if dropped > 0 {
            found.warnings.push(format!(
                "{dropped} values of `{query}` are NaN or infinite and count as gaps"
            ));
        }
        matrix.series.retain(|s| !s.values.is_empty());
        if matrix.series.is_empty() {
            found.empty.push(query.clone());
        } else {
            answers.push((*column, matrix));
        }
    }
    found.series = join(answers);
    // Every program has an RSS; where heaps were asked for, it is the Node.js processes that are meant.
    let has_heap = |s: &Series| s.samples.iter().any(|p| p.heap_used.is_some());
    if found.series.iter().any(has_heap) {
        let all = found.series.len();
        found.series.retain(has_heap);
        let others = all - found.series.len();
        if others > 0 {
            found.warnings.push(format!(
                "{others} series without a JavaScript heap are left out: they are of other programs"
            ));
        }
    }
    if found.series.is_empty() {
        let what: Vec<&str> = options.queries.iter().map(|(_, q)| q.as_str()).take(2).collect();
        let more = if options.queries.len() > 2 { " (and others)" } else { "" };
        return Err(Error::NoSeries {
            what: format!("`{}`{more}", what.join("`, `")),
            from: clock::at(options.start),
            to: clock::at(options.end),
        });
    }
    Ok(found)
}

/// A process while its columns arrive.
struct Process {
    labels: Labels,
    samples: BTreeMap<i64, Sample>,
    requests: Vec<(i64, f64)>,
}

fn join(answers: Vec<(Column, Matrix)>) -> Vec<Series> {
    let mut processes: Vec<Process> = Vec::new();
    // Memory makes the processes; what else is known is laid beside it.
    let (memory, rest): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(c, _)| c.is_memory());
    for (column, matrix) in memory.into_iter().chain(rest) {
        for mut series in matrix.series {
            series.labels.remove("__name__");
            let mut at: Vec<usize> = (0..processes.len())
                .filter(|i| same(&processes[*i].labels, &series.labels))
                .collect();
            if at.is_empty() && column.is_memory() {
                processes.push(Process {
                    labels: series.labels.clone(),
                    samples: BTreeMap::new(),
                    requests: Vec::new(),
                });
                at.push(processes.len() - 1);
            }
            if column.is_memory() {
                // One process has one heap: the first that fits.
                at.truncate(1);
            }
            for i in at {
                lay(&mut processes[i], column, &series.values);
            }
        }
    }
    let names = names(&processes.iter().map(|p| &p.labels).collect::<Vec<_>>());
    let origin = processes.iter().filter_map(|p| p.samples.keys().next()).min().copied();
    let origin = origin.unwrap_or(0);
    let mut series: Vec<Series> = processes
        .into_iter()
        .zip(names)
        .map(|(mut process, name)| {
            served(&mut process);
            let samples = process.samples.into_iter().map(|(ms, sample)| Sample {
                elapsed_seconds: (ms - origin) as f64 / 1000.0,
                ..sample
            });
            Series { name: Some(name), samples: samples.collect() }
        })
        .collect();
    series.sort_by(|a, b| a.name.cmp(&b.name));
    series
}

/// The labels of one are among those of the other.
fn same(a: &Labels, b: &Labels) -> bool {
    let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    few.iter().all(|(k, v)| many.get(k) == Some(v))
}

fn lay(process: &mut Process, column: Column, values: &[(f64, f64)]) {
    for &(t, v) in values {
        let ms = (t * 1000.0).round() as i64;
        if column == Column::Requests {
            process.requests.push((ms, v));
            continue;
        }
        if v < 0.0 {
            continue;
        }
        // Only memory makes samples.
        let sample = match process.samples.entry(ms) {
            std::collections::btree_map::Entry::Occupied(e) => e.into_mut(),
            std::collections::btree_map::Entry::Vacant(e) if column.is_memory() => {
                e.insert(Sample::default())
            }
            std::collections::btree_map::Entry::Vacant(_) => continue,
        };
        let whole = Some(v.round() as u64);
        match column {
            Column::Rss => sample.rss = whole,
            Column::HeapUsed => sample.heap_used = whole,
            Column::HeapTotal => sample.heap_total = whole,
            Column::External => sample.external = whole,
            Column::ArrayBuffers => sample.array_buffers = whole,
            Column::GcMajor => sample.gc_major_count = whole,
            Column::StartTime => sample.start_time = Some(v),
            // cAdvisor writes "no limit" as 0, the kernel as about 2^63.
            Column::Limit => sample.limit = whole.filter(|b| *b > 0 && *b < 1 << 60),
            Column::Requests => {}
        }
    }
}

/// Requests since the value before; a counter that falls began again at 0.
fn served(process: &mut Process) {
    let mut before = None::<f64>;
    for (ms, total) in &process.requests {
        let rise = before.map(|b| if *total >= b { total - b } else { *total });
        before = Some(*total);
        if let (Some(rise), Some(sample)) = (rise, process.samples.get_mut(ms)) {
            sample.requests = Some(rise.round() as u64);
        }
    }
}

/// What to call each: one label that tells them all apart, the more usual first; else all that differ.
fn names(all: &[&Labels]) -> Vec<String> {
    const USUAL: [&str; 8] =
        ["pod", "instance", "container", "name", "service_instance_id", "host", "job", "service"];
    let distinct = |key: &str| {
        let mut values: Vec<&str> =
            all.iter().filter_map(|l| l.get(key)).map(String::as_str).collect();
        values.sort_unstable();
        values.dedup();
        values.len() == all.len()
    };
    if let Some(key) = USUAL.into_iter().find(|k| distinct(k)) {
        return all.iter().map(|l| l.get(key).cloned().unwrap_or_default()).collect();
    }
    let differs = |key: &String| all.iter().any(|l| l.get(key) != all[0].get(key));
    all.iter()
        .map(|labels| {
            let own: Vec<String> = labels
                .iter()
                .filter(|(k, _)| differs(k))
                .map(|(k, v)| format!("{k}={v}"))
                .collect();
            if own.is_empty() { "memory".to_owned() } else { own.join(",") }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use leakline_target::remote::MetricSeries;

    fn series(labels: &[(&str, &str)], values: &[(f64, f64)]) -> MetricSeries {
        let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        MetricSeries { labels, values: values.to_vec(), not_finite: 0 }
    }

    fn matrix(series: Vec<MetricSeries>) -> Matrix {
        Matrix { series, warnings: Vec::new() }
    }

    #[test]
    fn columns_are_joined_by_labels_and_times() {
        let pod = |p: &'static str| [("__name__", "m"), ("pod", p), ("job", "api")];
        let joined = join(vec![
            (
                Column::Rss,
                matrix(vec![
                    series(&pod("b"), &[(10.0, 1.0), (20.0, 2.0)]),
                    series(&pod("a"), &[(10.0, 5.0), (30.0, 6.0)]),
                ]),
            ),
            (Column::HeapUsed, matrix(vec![series(&pod("a"), &[(10.0, 3.0), (20.0, 4.0)])])),
            (Column::Limit, matrix(vec![series(&[("job", "api")], &[(10.0, 99.0), (30.0, 0.0)])])),
            (
                Column::Requests,
                matrix(vec![series(&pod("a"), &[(10.0, 7.0), (20.0, 9.0), (30.0, 1.0)])]),
            ),
        ]);
        let names: Vec<_> = joined.iter().map(|s| s.name.as_deref().unwrap()).collect();
        assert_eq!(names, ["a", "b"]);
        let a = &joined[0].samples;
        assert_eq!(a.len(), 3);
        assert_eq!((a[0].rss, a[0].heap_used, a[0].limit), (Some(5), Some(3), Some(99)));
        assert_eq!((a[1].rss, a[1].heap_used, a[1].requests), (None, Some(4), Some(2)));
        assert_eq!((a[2].elapsed_seconds, a[2].requests, a[2].limit), (20.0, Some(1), None));
    }

    #[test]
    fn selectors_are_put_into_every_query() {
        for preset in [Preset::PromClient, Preset::Otel, Preset::Cadvisor] {
            for (_, query) in preset.queries("pod=~\"api-.*\"") {
                assert!(query.contains("pod=~\"api-.*\""), "{query}");
                assert_eq!(query.matches('{').count(), query.matches('}').count(), "{query}");
            }
            assert!(preset.queries("").iter().all(|(_, q)| !q.contains("{}") && !q.contains(",}")));
        }
        let braces = Preset::PromClient.queries("{job=\"x\",}");
        assert_eq!(braces[0].1, "process_resident_memory_bytes{job=\"x\"}");
    }

    #[test]
    fn columns_are_guessed_by_name() {
        assert_eq!(Column::guess("nodejs_heap_size_used_bytes{a=\"b\"}"), Column::HeapUsed);
        assert_eq!(Column::guess("nodejs_external_memory_bytes"), Column::External);
        assert_eq!(Column::guess("container_memory_rss"), Column::Rss);
    }

    #[test]
    fn names_tell_apart() {
        let l = |p: &[(&str, &str)]| -> Labels {
            p.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()
        };
        let (a, b) = (
            l(&[("job", "j"), ("zone", "1"), ("x", "1")]),
            l(&[("job", "j"), ("zone", "2"), ("x", "1")]),
        );
        assert_eq!(names(&[&a, &b]), ["zone=1", "zone=2"]);
        assert_eq!(names(&[&a]), ["j"]);
        assert_eq!(names(&[&Labels::new()]), ["memory"]);
    }
}
