//! `leakline trend SERIES…`

use leakline_report::{TrendDocument, WorkloadTrendDocument, text};
use leakline_trend::{NamedTrend, Series, Verdict, judge, judge_many, read};

use crate::args::Trend;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;

pub fn run(args: &Trend, output: &Output) -> Result<u8, CliError> {
    let mut series: Vec<Series> = Vec::new();
    for file in &args.files {
        let bytes = std::fs::read(file).map_err(|e| CliError::file(file, e))?;
        let hint = file.file_stem().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        series.extend(read(&bytes, &file.display().to_string(), &hint)?);
    }
    let leak = if let [one] = series.as_slice() {
        let document = TrendDocument::new(NamedTrend { name: one.name.clone(), trend: judge(one) });
        output.result(&document, || text::trend(document.name.as_deref(), &document.trend))?;
        document.trend.verdict == Verdict::Leak
    } else {
        let trends = judge_many(&series);
        let document = WorkloadTrendDocument { schema: "leakline/trend/1", trends };
        output.result(&document, || text::workload(&document.trends))?;
        document.trends.workload.verdict == Verdict::Leak
    };
    Ok(if args.fail_on_leak && leak { exit::LEAK } else { exit::DONE })
}
