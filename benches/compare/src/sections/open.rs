//! Cold opens: a snapshot of a real process to the table of its constructors, nothing kept from before.

use crate::harness::{Bar, Files, Limit, Real, Section, Setting, Task};

pub(super) fn run(setting: &Setting, section: &mut Section) -> Result<(), String> {
    section.name = "open";
    section.title = "cold `summary` of snapshots of a real process".into();
    let reals = [Real::Small, Real::Middle, Real::Large];
    let paths = setting.files.real(&reals)?;
    for (real, path) in reals.iter().zip(&paths) {
        let subject = format!("{} ({})", real.title(), Files::megabytes(path));
        let group =
            super::rivals(setting, subject, std::slice::from_ref(path), Task::Summary(path))?;
        if *real == Real::Large {
            for (row, _) in group.rows.iter().zip(&setting.contestants).filter(|(_, c)| c.is_tool())
            {
                for (what, ratio) in [("time", row.time_ratio), ("peak", row.peak_ratio)] {
                    let what = format!("{what} on {}, to {}", real.title(), row.program);
                    section.bars.push(Bar::new(what, ratio, Limit::NoneForRatio));
                }
            }
        }
        section.groups.push(group);
    }
    Ok(())
}
