//! Snapshots that are kept compressed: read as they are, against written out and opened.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{Bar, Entry, Files, Limit, Real, Section, Setting, Task};

pub(super) fn run(setting: &Setting, section: &mut Section) -> Result<(), String> {
    section.name = "zst";
    section.title = "`summary` of a `.heapsnapshot.zst`, read as it is or written out first".into();
    let version = Command::new("zstd").arg("--version").stdout(Stdio::null()).status();
    version.map_err(|e| format!("the program zstd is needed to compress and to write out: {e}"))?;
    let reals = [Real::Middle, Real::Large];
    for (real, file) in reals.into_iter().zip(setting.files.real(&reals)?) {
        one(setting, section, real, &file)?;
    }
    Ok(())
}

fn one(setting: &Setting, section: &mut Section, real: Real, file: &Path) -> Result<(), String> {
    let compressed = compress(setting, file)?;
    let length = std::fs::metadata(file).map_or(0, |m| m.len());
    setting.files.check_space(length)?;
    Files::warm(std::slice::from_ref(&compressed))?;
    let plain = setting.files.folder.join("written-out.heapsnapshot");
    let leakline = setting.leakline();
    let entries = [
        Entry::new("read as it is", || leakline.ask(Task::Summary(&compressed))),
        Entry::new("zstd -d, open", || {
            let mut write_out = Command::new("zstd");
            write_out.args(["-d", "-q", "-f"]).arg(&compressed).arg("-o").arg(&plain);
            let mut steps = vec![write_out];
            steps.extend(leakline.ask(Task::Summary(&plain))?);
            Ok(steps)
        }),
    ];
    let subject = format!(
        "{} ({}, as zst {})",
        real.title(),
        Files::megabytes(file),
        Files::megabytes(&compressed)
    );
    let group = super::group(setting, subject, &entries);
    let ratio = group.rows.last().and_then(|r| r.time_ratio);
    section.bars.push(Bar::new(format!("time on {}", real.title()), ratio, Limit::Ratio(1.0)));
    section.groups.push(group);
    if plain.exists() {
        std::fs::remove_file(&plain).map_err(|e| format!("{}: {e}", plain.display()))?;
    }
    Ok(())
}

/// The compressed copy beside the file, made when it is missing or older than the file.
fn compress(setting: &Setting, file: &Path) -> Result<PathBuf, String> {
    let mut name = file.as_os_str().to_owned();
    name.push(".zst");
    let compressed = PathBuf::from(name);
    let changed = |path: &Path| path.metadata().and_then(|m| m.modified()).ok();
    if changed(&compressed) >= changed(file) {
        return Ok(compressed);
    }
    setting.files.check_space(std::fs::metadata(file).map_or(0, |m| m.len()))?;
    let status = Command::new("zstd")
        .args(["-1", "-q", "-f", "-k"])
        .arg(file)
        .arg("-o")
        .arg(&compressed)
        .status();
    match status {
        Ok(status) if status.success() => Ok(compressed),
        Ok(status) => Err(format!("zstd -1: {status}")),
        Err(e) => Err(format!("zstd: {e}")),
    }
}
