//! What came and went between two snapshots of one process.

use crate::harness::{Bar, Files, Limit, Real, Section, Setting, Task};

/// Our time over the tool's.
const MOST: f64 = 0.3;

pub(super) fn run(setting: &Setting, section: &mut Section) -> Result<(), String> {
    section.name = "diff";
    section.title = "`diff` of two snapshots of one process".into();
    let reals = [Real::Small, Real::Middle];
    let paths = setting.files.real(&reals)?;
    let [before, after] = &paths[..] else { return Err("two files were asked for".into()) };
    let subject = format!("{} to {}", Files::megabytes(before), Files::megabytes(after));
    let group = super::rivals(setting, subject, &paths, Task::Diff { before, after })?;
    for (row, contestant) in group.rows.iter().zip(&setting.contestants).skip(1) {
        let limit = if contestant.is_tool() { Limit::Ratio(MOST) } else { Limit::NoneForRatio };
        section.bars.push(Bar::new(format!("time, to {}", row.program), row.time_ratio, limit));
    }
    section.groups.push(group);
    Ok(())
}
