//! Arguments of the commands on series of memory.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use leakline_target::remote::Address;

use crate::{bytes, duration};

/// How to ask over HTTP.
#[derive(Debug, Args)]
#[command(next_help_heading = "HTTP")]
pub struct Asking {
    /// Send this header, `NAME: VALUE`; may be repeated
    #[arg(long, value_name = "HEADER", value_parser = header)]
    pub header: Vec<(String, String)>,
    #[arg(
        long,
        value_name = "FILE",
        help = "Send the bearer token in this file [env: LEAKLINE_BEARER_TOKEN, the token itself]"
    )]
    pub bearer_file: Option<PathBuf>,
    /// Send this bearer token; others on this machine can see it, so better use the file
    #[arg(long, value_name = "TOKEN", conflicts_with = "bearer_file")]
    pub bearer: Option<String>,
    /// How long one answer may take
    #[arg(long, default_value = "30s", value_parser = duration::positive, value_name = "TIME")]
    pub timeout: Duration,
}

/// `--preset`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PresetName {
    /// prom-client's default metrics
    PromClient,
    /// OpenTelemetry's `v8js.*` and `process.memory.*`
    Otel,
    /// cAdvisor's, as every Kubernetes node has them
    Cadvisor,
}

/// `--as`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColumnName {
    Rss,
    HeapUsed,
    External,
    ArrayBuffers,
}

#[derive(Debug, Args)]
pub struct Trend {
    /// Series of samples: CSV, JSON lines, or an investigation's folder
    #[arg(
        required_unless_present = "prometheus",
        conflicts_with = "prometheus",
        value_name = "SERIES"
    )]
    pub files: Vec<PathBuf>,
    /// The memory limit, where the samples do not know it: 512MiB
    #[arg(long, value_name = "SIZE", value_parser = bytes::size)]
    pub limit: Option<u64>,
    /// Draw the series, its floor, the limit and the forecast
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Exit with 3 when there is a leak
    #[arg(long)]
    pub fail_on_leak: bool,
    #[command(flatten)]
    pub metrics: Metrics,
    #[command(flatten)]
    pub asking: Asking,
}

/// Series from a metrics server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Prometheus, Thanos, Mimir, VictoriaMetrics")]
pub struct Metrics {
    /// Take the series from this server, by its address before /api/v1
    #[arg(long, value_name = "URL", value_parser = Address::parse)]
    pub prometheus: Option<Address>,
    /// A query that gives memory, a series for each process
    #[arg(long, value_name = "QUERY", requires = "prometheus", required_unless_present_any = ["preset", "files"])]
    pub query: Option<String>,
    /// What the query's values are, where its name does not tell
    #[arg(long = "as", value_enum, value_name = "COLUMN", requires = "query")]
    pub column: Option<ColumnName>,
    /// Ready queries instead of one's own
    #[arg(
        long,
        value_enum,
        value_name = "NAME",
        requires = "prometheus",
        conflicts_with = "query"
    )]
    pub preset: Option<PresetName>,
    /// Which processes the ready queries are to take: 'pod=~"api-.*"'
    #[arg(
        long,
        value_name = "LABELS",
        requires = "preset",
        default_value = "",
        hide_default_value = true
    )]
    pub selector: String,
    /// A query that gives a counter of requests, for the load
    #[arg(long, value_name = "QUERY", requires = "prometheus")]
    pub requests: Option<String>,
    /// How far back
    #[arg(long, default_value = "6h", value_parser = duration::positive, value_name = "TIME", conflicts_with = "start")]
    pub since: Duration,
    /// From when, RFC 3339 or Unix seconds
    #[arg(long, value_name = "MOMENT", value_parser = duration::moment)]
    pub start: Option<f64>,
    /// Until when [default: now]
    #[arg(long, value_name = "MOMENT", value_parser = duration::moment)]
    pub end: Option<f64>,
    /// Time between two values [default: by the range, 15s at least]
    #[arg(long, value_parser = duration::positive, value_name = "TIME")]
    pub step: Option<Duration>,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Memory before the change: a series, or an investigation's folder. May be repeated with --runs
    #[arg(long, required = true, value_name = "SERIES|DIR")]
    pub before: Vec<PathBuf>,
    /// Memory after it
    #[arg(long, required = true, value_name = "SERIES|DIR")]
    pub after: Vec<PathBuf>,
    /// Each series is a run of the same work: compare the means over runs
    #[arg(long)]
    pub runs: bool,
    /// Exit with 3 when it is not fixed, or worse
    #[arg(long)]
    pub fail_on_leak: bool,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as `NAME: VALUE`")?;
    let name = name.trim();
    let known = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(known) {
        return Err("its name is none that HTTP knows".into());
    }
    let value = value.trim();
    if value.chars().any(char::is_control) {
        return Err("its value holds control characters".into());
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Watch {
    /// A pid, an inspector (ws://… or http://host:port), or a JSON endpoint with memory figures
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// Where to write the series [default: ./leakline-watch-TARGET-TIME.jsonl]
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How often to sample
    #[arg(long, default_value = "2s", value_parser = duration::parse, value_name = "TIME")]
    pub interval: Duration,
    /// How long to watch [default: until Ctrl-C]
    #[arg(long, value_parser = duration::positive, value_name = "TIME")]
    pub duration: Option<Duration>,
    /// End as soon as a verdict holds
    #[arg(long)]
    pub until_verdict: bool,
    /// Exit with 3 when there is a leak
    #[arg(long)]
    pub fail_on_leak: bool,
    /// Do nothing to the process: its RSS from outside, without the inspector
    #[arg(long)]
    pub no_inspector: bool,
    /// Signal although it cannot be proven that SIGUSR1 opens the inspector
    #[arg(long)]
    pub signal_anyway: bool,
    /// The memory limit, where the target does not tell it: 512MiB
    #[arg(long, value_name = "SIZE", value_parser = bytes::size)]
    pub limit: Option<u64>,
    /// Lines instead of the live view, also on a terminal
    #[arg(long)]
    pub plain: bool,
    #[command(flatten)]
    pub asking: Asking,
}
