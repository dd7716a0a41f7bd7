//! What was measured: the one value that is printed as text and as JSON.

use serde::Serialize;

use super::measure::{Runs, Sample};

/// Median, least and greatest of some runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    /// Of no runs there is none.
    fn of(samples: &[Sample], value: impl Fn(&Sample) -> f64) -> Option<Self> {
        let mut sorted: Vec<f64> = samples.iter().map(value).collect();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self { median, min, max })
    }
}

/// One program on one subject.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub program: String,
    pub runs: usize,
    pub wall_seconds: Option<Spread>,
    pub peak_bytes: Option<Spread>,
    /// The first row's median over this one's: under 1 means that the first was faster.
    pub time_ratio: Option<f64>,
    pub peak_ratio: Option<f64>,
    /// Why it did not run.
    pub not_run: Option<String>,
}

/// Programs on the same file, or commands of one program.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    pub subject: String,
    pub rows: Vec<Row>,
}

impl Group {
    /// With ratios of the first row to each of the others.
    pub fn new(subject: impl Into<String>, labels: &[String], runs: &[Runs]) -> Self {
        let mut rows: Vec<Row> = labels
            .iter()
            .zip(runs)
            .map(|(label, runs)| {
                let samples = runs.as_deref().unwrap_or_default();
                Row {
                    program: label.clone(),
                    runs: samples.len(),
                    wall_seconds: Spread::of(samples, |s| s.wall_seconds),
                    peak_bytes: Spread::of(samples, |s| s.peak_bytes as f64),
                    time_ratio: None,
                    peak_ratio: None,
                    not_run: runs.as_ref().err().cloned(),
                }
            })
            .collect();
        if let Some((first, others)) = rows.split_first_mut() {
            for row in others {
                row.time_ratio = ratio(first.wall_seconds, row.wall_seconds);
                row.peak_ratio = ratio(first.peak_bytes, row.peak_bytes);
            }
        }
        Self { subject: subject.into(), rows }
    }

    /// For rows that are no rivals, such as different commands.
    #[must_use]
    pub fn without_ratios(mut self) -> Self {
        for row in &mut self.rows {
            (row.time_ratio, row.peak_ratio) = (None, None);
        }
        self
    }
}

fn ratio(of: Option<Spread>, to: Option<Spread>) -> Option<f64> {
    Some(of?.median / to?.median)
}

/// What a number must not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "unit", content = "at_most", rename_all = "snake_case")]
pub enum Limit {
    Ratio(f64),
    Seconds(f64),
    Bytes(f64),
    /// A ratio that is shown; no bar is set on it.
    NoneForRatio,
}

/// A number of the section beside its bar.
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    pub what: String,
    /// Missing when one of the programs did not run.
    pub value: Option<f64>,
    pub limit: Limit,
    /// `None` where there is no value or no limit.
    pub met: Option<bool>,
}

impl Bar {
    pub fn new(what: impl Into<String>, value: Option<f64>, limit: Limit) -> Self {
        let most = match limit {
            Limit::Ratio(most) | Limit::Seconds(most) | Limit::Bytes(most) => Some(most),
            Limit::NoneForRatio => None,
        };
        let met = value.zip(most).map(|(value, most)| value <= most);
        Self { what: what.into(), value, limit, met }
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Section {
    pub name: &'static str,
    pub title: String,
    pub groups: Vec<Group>,
    pub bars: Vec<Bar>,
    /// What a reader must know: what was left out and why, what was done before.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub rounds: usize,
    pub cores: usize,
    /// Where the programs were, as they were named.
    pub programs: Vec<(String, String)>,
    /// What whoever ran it wants to be read with the numbers.
    pub notes: Vec<String>,
    pub sections: Vec<Section>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(seconds: &[f64]) -> Vec<Sample> {
        seconds.iter().map(|&s| Sample { wall_seconds: s, peak_bytes: 1 << 20 }).collect()
    }

    #[test]
    fn medians_and_ratios() {
        let labels = ["ours", "theirs", "absent"].map(String::from);
        let group = Group::new(
            "a file",
            &labels,
            &[Ok(runs(&[3.0, 1.0, 2.0])), Ok(runs(&[4.0, 10.0, 6.0, 100.0])), Err("no".into())],
        );
        let [ours, theirs, absent] = &group.rows[..] else { panic!("three rows") };
        assert_eq!(ours.wall_seconds, Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(ours.time_ratio, None);
        assert_eq!(theirs.wall_seconds, Some(Spread { median: 8.0, min: 4.0, max: 100.0 }));
        assert_eq!((theirs.time_ratio, theirs.peak_ratio), (Some(0.25), Some(1.0)));
        assert_eq!((absent.wall_seconds, absent.not_run.as_deref()), (None, Some("no")));
    }

    #[test]
    fn bars_are_met_missed_or_open() {
        let bar = |value, limit| Bar::new("", value, limit).met;
        assert_eq!(bar(Some(0.3), Limit::Ratio(0.3)), Some(true));
        assert_eq!(bar(Some(0.31), Limit::Ratio(0.3)), Some(false));
        assert_eq!(bar(None, Limit::Seconds(0.05)), None);
        assert_eq!(bar(Some(1.0), Limit::NoneForRatio), None);
    }
}
