//! Series of samples from wherever they are kept: CSV, JSON lines, an investigation's folder or its JSON.

use std::path::{Path, PathBuf};

use leakline_trend::{Reason, Series, read_noted};
use serde_json::{Value, json};

use crate::error::CliError;

const INVESTIGATION: &str = "leakline/investigation/1";

/// A series, and what had to be mended in it.
pub type Noted = (Series, Vec<Reason>);

/// All series of all files, in order.
pub fn read_all(files: &[PathBuf]) -> Result<Vec<Noted>, CliError> {
    let mut series = Vec::new();
    for file in files {
        series.extend(read_one(file)?);
    }
    Ok(series)
}

fn read_one(path: &Path) -> Result<Vec<Noted>, CliError> {
    let mut file = path.to_path_buf();
    let hint = path.file_stem().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    if path.is_dir() {
        // The JSON also knows the limit; a run that was killed has left its samples alone.
        let known = ["investigation.json", "samples.jsonl"];
        let found = known.map(|n| path.join(n)).into_iter().find(|p| p.is_file());
        file = found.ok_or_else(|| {
            CliError::bad_input(
                "not-an-investigation",
                format!("{}: a folder without investigation.json or samples.jsonl", path.display()),
                "name a series, or the folder that `leakline investigate` wrote",
            )
        })?;
    }
    let bytes = std::fs::read(&file).map_err(|e| CliError::file(&file, e))?;
    let name = file.display().to_string();
    match samples_of(&bytes, &name) {
        Some(lines) => Ok(read_noted(lines?.as_bytes(), &name, &hint)?),
        None => Ok(read_noted(&bytes, &name, &hint)?),
    }
}

/// The samples of an investigation as JSON lines; `None` for anything else.
fn samples_of(bytes: &[u8], name: &str) -> Option<Result<String, CliError>> {
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    // JSON lines are no one document: they fail here, and are read as what they are.
    let document: Value = serde_json::from_slice(bytes).ok()?;
    if document["schema"] != INVESTIGATION {
        return None;
    }
    let limit = document["target"]["limit_bytes"].as_u64();
    let samples = document["samples"].as_array().map(Vec::as_slice).unwrap_or_default();
    if samples.is_empty() {
        return Some(Err(CliError::bad_input(
            "no-samples",
            format!("{name}: an investigation of snapshot files has no samples of memory"),
            "take the investigation of a live process, or a series of samples",
        )));
    }
    let mut lines = String::new();
    for sample in samples {
        let mut sample = sample.clone();
        if let Value::Object(fields) = &mut sample {
            fields.insert("limit".into(), json!(limit));
        }
        lines.push_str(&sample.to_string());
        lines.push('\n');
    }
    Some(Ok(lines))
}
