//! Opening a snapshot again, through the index that the first open left beside it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Bar, Entry, Files, Limit, Real, Section, Setting, Spread, Steps, some_ids};

/// To the first table.
const FIRST_TABLE: f64 = 0.05;
/// To one object, its retainers, its dominators.
const ONE_OBJECT: f64 = 0.01;

/// Questions about one object.
const QUESTIONS: [&str; 3] = ["object", "retainers", "dominators"];

/// Where in the file the objects stand that are asked for.
const SHARES: [f64; 3] = [0.25, 0.5, 0.9];

pub(super) fn run(setting: &Setting, section: &mut Section) -> Result<(), String> {
    section.name = "index";
    section.title = "the second open, through the index that the first one left".into();
    let reals = [Real::Middle, Real::Large];
    let known = known_questions(setting, section);
    for (real, file) in reals.into_iter().zip(setting.files.real(&reals)?) {
        one(setting, section, real, &file, &known)?;
    }
    Ok(())
}

fn one(
    setting: &Setting,
    section: &mut Section,
    real: Real,
    file: &Path,
    known: &[&'static str],
) -> Result<(), String> {
    // A folder of its own, so that whatever appears in it is the index, however it is called.
    let place = Place { folder: setting.files.folder.join("index"), original: file.to_owned() };
    let snapshot = place.reset()?;
    let ids = some_ids(&snapshot, &SHARES).map_err(|e| e.to_string())?;
    Files::warm(std::slice::from_ref(&snapshot))?;
    let ask = |words: &[&str]| -> Command {
        let mut command = setting.leakline().command();
        let (name, rest) = words.split_first().unwrap_or((&"summary", &[]));
        command.arg(name).arg(&snapshot).args(rest).args(["--index", "auto"]);
        command
    };
    let mut entries = vec![
        Entry::new("first open", || {
            place.reset()?;
            Ok::<Steps, String>(vec![ask(&["summary"])])
        }),
        Entry::new("summary", || Ok(vec![ask(&["summary"])])),
    ];
    for question in known {
        for id in &ids {
            let ask = &ask;
            let id = format!("@{id}");
            entries.push(Entry::new(format!("{question} {id}"), move || {
                Ok(vec![ask(&[question, &id])])
            }));
        }
    }
    let subject = format!("{} ({})", real.title(), Files::megabytes(file));
    let group = super::group(setting, subject, &entries).without_ratios();
    let worst = |question: &str| -> Option<f64> {
        let rows = group.rows.iter().filter(|r| r.program.starts_with(question));
        let medians: Option<Vec<f64>> =
            rows.map(|r| r.wall_seconds.map(|s: Spread| s.median)).collect();
        medians?.into_iter().max_by(f64::total_cmp)
    };
    let mut bar = |question: &str, most: f64| {
        let what = format!("{question} on {}", real.title());
        section.bars.push(Bar::new(what, worst(question), Limit::Seconds(most)));
    };
    bar("summary", FIRST_TABLE);
    for question in QUESTIONS {
        bar(question, ONE_OBJECT);
    }
    section.notes.push(match place.index_bytes() {
        0 => format!("the first open of {} left no index: this leakline keeps none", real.title()),
        bytes => format!(
            "the index of {} has {:.1} MB, {:.0} % of the file",
            real.title(),
            bytes as f64 / 1e6,
            100.0 * bytes as f64 / std::fs::metadata(file).map_or(f64::NAN, |m| m.len() as f64)
        ),
    });
    section.groups.push(group);
    std::fs::remove_dir_all(&place.folder).map_err(|e| e.to_string())
}

/// The questions that this Leakline has commands for; a note for each of the others.
fn known_questions(setting: &Setting, section: &mut Section) -> Vec<&'static str> {
    let knows = |question: &str| {
        let help = setting.leakline().command().args([question, "--help"]).output();
        help.is_ok_and(|h| h.status.success())
    };
    let (known, unknown): (Vec<_>, Vec<_>) = QUESTIONS.into_iter().partition(|q| knows(q));
    for question in unknown {
        section.notes.push(format!("not run: this leakline has no command `{question}`"));
    }
    known
}

/// A folder with another name of the snapshot in it.
struct Place {
    folder: PathBuf,
    original: PathBuf,
}

impl Place {
    /// Empties the folder but for the snapshot.
    fn reset(&self) -> Result<PathBuf, String> {
        let snapshot = self.folder.join("a.heapsnapshot");
        let fresh = || {
            if self.folder.exists() {
                std::fs::remove_dir_all(&self.folder)?;
            }
            std::fs::create_dir_all(&self.folder)?;
            std::fs::hard_link(&self.original, &snapshot)
        };
        fresh().map_err(|e| format!("{}: {e}", self.folder.display()))?;
        Ok(snapshot)
    }

    /// How long everything is that appeared beside the snapshot.
    fn index_bytes(&self) -> u64 {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return 0 };
        let others = entries.flatten().filter(|e| e.file_name() != "a.heapsnapshot");
        others.filter_map(|e| e.metadata().ok()).map(|m| m.len()).sum()
    }
}
