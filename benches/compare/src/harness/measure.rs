//! One run of a program, and rounds of several programs in turn.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use wait4::Wait4;

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// From before the process is made to after it has ended, by the monotonic clock.
    pub wall_seconds: f64,
    /// The greatest resident set, as the kernel kept it (`ru_maxrss`): exact, and no sampling disturbs the run. It is that
    /// of the child or of a process it waited for, whichever is greater; and it is never under our own few megabytes,
    /// because the child is born with our pages.
    pub peak_bytes: u64,
}

/// The commands of one run: usually one. Times are added, the greatest peak counts.
pub type Steps = Vec<Command>;

/// A program in the race.
pub struct Entry<'a> {
    pub label: String,
    /// The commands of a run, or why there are none.
    pub steps: Box<dyn Fn() -> Result<Steps, String> + 'a>,
}

impl<'a> Entry<'a> {
    pub fn new(label: impl Into<String>, steps: impl Fn() -> Result<Steps, String> + 'a) -> Self {
        Self { label: label.into(), steps: Box::new(steps) }
    }
}

/// What came of a program: its runs, or why it has none.
pub type Runs = Result<Vec<Sample>, String>;

/// Runs all entries in turn, so many times. One that fails is not run again, and its reason is kept.
///
/// `scratch` is a file for what a program says on stderr.
pub fn race(entries: &[Entry<'_>], rounds: usize, scratch: &Path) -> Vec<Runs> {
    let mut runs: Vec<Runs> = entries.iter().map(|_| Ok(Vec::new())).collect();
    for _ in 0..rounds {
        for (entry, runs) in entries.iter().zip(&mut runs) {
            if let Ok(samples) = runs {
                match (entry.steps)().and_then(|steps| run(steps, scratch)) {
                    Ok(sample) => samples.push(sample),
                    Err(why) => *runs = Err(why),
                }
            }
        }
    }
    runs
}

fn run(steps: Steps, scratch: &Path) -> Result<Sample, String> {
    let mut sum = Sample { wall_seconds: 0.0, peak_bytes: 0 };
    for mut command in steps {
        let sample = once(&mut command, scratch)?;
        sum.wall_seconds += sample.wall_seconds;
        sum.peak_bytes = sum.peak_bytes.max(sample.peak_bytes);
    }
    Ok(sum)
}

fn once(command: &mut Command, scratch: &Path) -> Result<Sample, String> {
    let said = File::create(scratch).map_err(|e| format!("{}: {e}", scratch.display()))?;
    // A file, not a pipe: nobody reads while the program runs, and a full pipe would stop it.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
    let begun = Instant::now();
    let ended: io::Result<_> = command.spawn().and_then(Wait4::wait4);
    let wall_seconds = begun.elapsed().as_secs_f64();
    let ended = ended.map_err(|e| format!("{}: {e}", command.get_program().display()))?;
    if !ended.status.success() {
        return Err(format!("{}: {}", ended.status, last_words(scratch)));
    }
    Ok(Sample { wall_seconds, peak_bytes: ended.rusage.maxrss })
}

/// The line on stderr that tells most: one that names an error, else the last.
fn last_words(scratch: &Path) -> String {
    let said = std::fs::read(scratch).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let mut lines = said.lines().map(str::trim).filter(|l| !l.is_empty());
    let telling = lines.clone().find(|l| l.to_ascii_lowercase().contains("error"));
    let line = telling.or_else(|| lines.next_back()).unwrap_or("it said nothing");
    line.chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Steps {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        vec![command]
    }

    #[test]
    fn programs_take_turns_and_failures_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let say = |what: &str| shell(&format!("printf {what} >>{}", log.display()));
        let entries = [
            Entry::new("a", || Ok(say("a"))),
            Entry::new("broken", || {
                Ok(shell("echo x >&2; echo 'error: no such' >&2; echo y >&2; exit 3"))
            }),
            Entry::new("missing", || Err("not installed".to_owned())),
            Entry::new("b", || Ok(say("b"))),
        ];
        let runs = race(&entries, 3, &folder.path().join("stderr"));
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "ababab");
        assert_eq!(runs[0].as_ref().unwrap().len(), 3);
        assert_eq!(runs[1].as_ref().unwrap_err(), "exit status: 3: error: no such");
        assert_eq!(runs[2].as_ref().unwrap_err(), "not installed");
    }

    #[test]
    fn steps_add_up_and_the_greatest_peak_counts() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = folder.path().join("stderr");
        let mut steps = shell("sleep 0.05");
        // `sed` keeps what has no line break as one line: 60 MB.
        steps.extend(shell("head -c 60000000 /dev/zero | sed -n '$='"));
        let both = run(steps, &scratch).unwrap();
        assert!(both.wall_seconds >= 0.05);
        let small = run(shell("true"), &scratch).unwrap();
        assert!(both.peak_bytes > small.peak_bytes, "{both:?} {small:?}");
        assert!(small.peak_bytes > 100_000);
    }
}
