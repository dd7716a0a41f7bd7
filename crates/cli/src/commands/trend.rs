//! `leakline trend SERIES…`, `leakline trend --prometheus URL …`

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use leakline_investigate::{Column, MetricsOptions, Preset, metrics};
use leakline_report::chart::{Panel, svg};
use leakline_report::{Paint, TrendDocument, WorkloadTrendDocument, text};
use leakline_target::remote::Address;
use leakline_trend::{
    NamedTrend, Reason, Series, Trend, Verdict, advice, judge, judge_many, picture,
};

use crate::args::Level;
use crate::args::memory::{ColumnName, Metrics, PresetName, Trend as Args};
use crate::asking;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;
use crate::series::{self, Noted};

pub fn run(args: &Args, output: &Output) -> Result<u8, CliError> {
    let (noted, partial) = match &args.metrics.prometheus {
        Some(server) => from_metrics(server, args, output)?,
        None => (series::read_all(&args.files)?, false),
    };
    let (mut series, mut notes): (Vec<Series>, Vec<Vec<Reason>>) = noted.into_iter().unzip();
    if let Some(limit) = args.limit {
        for sample in series.iter_mut().flat_map(|s| &mut s.samples) {
            sample.limit = sample.limit.or(Some(limit));
        }
    }
    let draw = |trends: &[&Trend]| match &args.svg {
        Some(path) => write_svg(path, &series, trends),
        None => Ok(()),
    };
    let leak = if let [one] = series.as_slice() {
        let trend = judge(one);
        let next = advice(one, &trend);
        let mut document = TrendDocument::new(NamedTrend { name: one.name.clone(), trend }, next);
        document.trend.reasons.extend(notes.drain(..).flatten().chain(partial.then(incomplete)));
        draw(&[&document.trend])?;
        output.result(&document, || {
            let answer = text::trend(document.name.as_deref(), &document.trend);
            answer + &text::next(&document.next)
        })?;
        document.trend.verdict == Verdict::Leak
    } else {
        let mut trends = judge_many(&series);
        for (judged, notes) in trends.series.iter_mut().zip(notes) {
            judged.trend.reasons.extend(notes);
        }
        trends.workload.reasons.extend(partial.then(incomplete));
        draw(&trends.series.iter().map(|s| &s.trend).collect::<Vec<_>>())?;
        let leaking =
            series.iter().zip(&trends.series).find(|(_, t)| t.trend.verdict == Verdict::Leak);
        let next = leaking.map_or_else(Vec::new, |(s, t)| advice(s, &t.trend));
        let document = WorkloadTrendDocument { schema: "leakline/trend/1", trends, next };
        output
            .result(&document, || text::workload(&document.trends) + &text::next(&document.next))?;
        document.trends.workload.verdict == Verdict::Leak
    };
    Ok(if args.fail_on_leak && leak { exit::LEAK } else { exit::DONE })
}

fn incomplete() -> Reason {
    Reason {
        code: "partial-data",
        text: "the metrics server warns that its answer may be incomplete".into(),
    }
}

/// About so many values for each series: enough for any verdict, and well below the 11,000 that Prometheus
/// allows.
const VALUES: f64 = 1440.0;
const MAX_VALUES: f64 = 11_000.0;
/// Most scrape no more often.
const MIN_STEP_SECONDS: f64 = 15.0;

fn from_metrics(
    server: &Address,
    args: &Args,
    output: &Output,
) -> Result<(Vec<Noted>, bool), CliError> {
    let asked = &args.metrics;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
    let end = asked.end.unwrap_or(now).floor();
    let start = asked.start.unwrap_or(end - asked.since.as_secs_f64());
    if start >= end {
        return Err(CliError::usage(
            "the range ends before it begins",
            "--start must lie before --end, which is now unless it is given",
        ));
    }
    let step = asked.step.map_or_else(|| usual_step(end - start), |s| s.as_secs_f64());
    if (end - start) / step > MAX_VALUES {
        return Err(CliError::usage(
            format!(
                "a step of {step} s gives more than {MAX_VALUES} values, which no server answers"
            ),
            "take a larger --step, or leave it out",
        ));
    }
    let options = MetricsOptions {
        server: server.clone(),
        http: asking::http(&args.asking)?,
        queries: queries(asked),
        start,
        end,
        step,
    };
    let found = metrics(&options).map_err(leakline_investigate::Error::from)?;
    for warning in &found.warnings {
        output.tell(Level::Warn, &format!("{} {warning}", Paint::Warn.on("note:")));
    }
    for query in &found.empty {
        output.tell(Level::Info, &format!("nothing for `{query}`: not known, and not needed"));
    }
    Ok((found.series.into_iter().map(|s| (s, Vec::new())).collect(), found.partial))
}

fn usual_step(span: f64) -> f64 {
    const STEPS: [f64; 9] =
        [MIN_STEP_SECONDS, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0];
    STEPS.into_iter().find(|s| span / s <= VALUES).unwrap_or((span / VALUES).ceil())
}

fn queries(asked: &Metrics) -> Vec<(Column, String)> {
    let mut queries = match (&asked.query, asked.preset) {
        (Some(query), _) => {
            let column = asked.column.map_or_else(|| Column::guess(query), column);
            vec![(column, query.clone())]
        }
        (None, Some(preset)) => {
            let preset = match preset {
                PresetName::PromClient => Preset::PromClient,
                PresetName::Otel => Preset::Otel,
                PresetName::Cadvisor => Preset::Cadvisor,
            };
            preset.queries(&asked.selector)
        }
        (None, None) => Vec::new(),
    };
    queries.extend(asked.requests.clone().map(|q| (Column::Requests, q)));
    queries
}

fn column(name: ColumnName) -> Column {
    match name {
        ColumnName::Rss => Column::Rss,
        ColumnName::HeapUsed => Column::HeapUsed,
        ColumnName::External => Column::External,
        ColumnName::ArrayBuffers => Column::ArrayBuffers,
    }
}

fn write_svg(path: &Path, series: &[Series], trends: &[&Trend]) -> Result<(), CliError> {
    let panels: Vec<Panel<'_>> = series
        .iter()
        .zip(trends)
        .map(|(s, trend)| Panel { name: s.name.as_deref(), trend, picture: picture(s, trend) })
        .collect();
    std::fs::write(path, svg(&panels)).map_err(|e| CliError::output_file(path, e))
}
