//! What is measured: one file for each section of the report.

mod diff;
mod growth;
mod index;
mod open;
mod zst;

use std::path::PathBuf;

use clap::ValueEnum;

use crate::harness::{Entry, Files, Group, Section, Setting, Task, race};

/// The sections, in the order of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Name {
    Open,
    Growth,
    Diff,
    Index,
    Zst,
}

impl Name {
    /// Measures the section. What keeps it from running stands in its notes.
    pub fn run(self, setting: &Setting) -> Section {
        let mut section = Section::default();
        let done = match self {
            Self::Open => open::run(setting, &mut section),
            Self::Growth => growth::run(setting, &mut section),
            Self::Diff => diff::run(setting, &mut section),
            Self::Index => index::run(setting, &mut section),
            Self::Zst => zst::run(setting, &mut section),
        };
        if let Err(why) = done {
            section.notes.push(format!("not run to its end: {why}"));
        }
        section
    }
}

/// All programs at the same task, once the files are warm.
fn rivals(
    setting: &Setting,
    subject: String,
    files: &[PathBuf],
    task: Task<'_>,
) -> Result<Group, String> {
    Files::warm(files)?;
    let entries: Vec<Entry<'_>> =
        setting.contestants.iter().map(|c| Entry::new(&c.name, move || c.ask(task))).collect();
    Ok(group(setting, subject, &entries))
}

fn group(setting: &Setting, subject: String, entries: &[Entry<'_>]) -> Group {
    let runs = race(entries, setting.rounds, &setting.files.scratch());
    let labels: Vec<String> = entries.iter().map(|e| e.label.clone()).collect();
    Group::new(subject, &labels, &runs)
}
