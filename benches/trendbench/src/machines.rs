//! Recorded series from files: the 55 machines, or any folder of CSV.

use std::path::Path;

use leakline_trend::{Series, Trend, judge};

/// One file's series and its judgement.
#[derive(Debug)]
pub struct Machine {
    /// The file's name without its ending.
    pub name: String,
    /// Its samples.
    pub series: Series,
    /// What the trend says.
    pub trend: Trend,
}

/// Judges each CSV file of a folder, in order of name.
///
/// # Errors
/// The folder or a file cannot be read, or a file is no series.
pub fn judge_folder(folder: &Path) -> Result<Vec<Machine>, Box<dyn std::error::Error>> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "csv"))
        .collect();
    paths.sort();
    let mut machines = Vec::new();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for series in leakline_trend::read(&std::fs::read(&path)?, &name, &name)? {
            let trend = judge(&series);
            machines.push(Machine { name: name.clone(), series, trend });
        }
    }
    Ok(machines)
}
