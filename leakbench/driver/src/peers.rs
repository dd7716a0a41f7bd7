//! Other tools on the same captures, each at its best honest settings, judged by its first answer.
//!
//! None of them names a statement in so many words, so its first answer is read generously: a line counts when it says
//! `file.js:12`, a file when it says `file.js`, the thing when it says any name of what leaks or of its holder. Rows of a
//! comparison claim nothing, so they are no alarm on a healthy case; findings of a leak detector are.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use leakline_testkit::node::{node_binary, workspace_root};
use serde::Serialize;
use serde_json::Value;

use crate::case::{Case, Truth, leakbench};
use crate::run::Capture;
use crate::score::LINE_SLACK;

/// The Node that runs the tools from npm.
const TOOLS_NODE: u32 = 24;
/// Longer than any of them needs for captures of this size.
const LIMIT: Duration = Duration::from_mins(3);
/// What of an answer in prose counts as the first thing it says.
const FIRST_LINES: usize = 16;

/// What another tool's first answer is worth.
#[derive(Debug, Clone, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of the table")]
pub struct PeerScore {
    /// The case.
    pub case: String,
    /// The tool and how it was called.
    pub tool: String,
    /// Whether the case leaks.
    pub leaks: bool,
    /// Whether the tool claims a leak; comparisons only show rows.
    pub claims: bool,
    /// Its first answer in short; empty when it has none.
    pub first: String,
    /// Whether that names what leaks or its holder.
    pub names_thing: bool,
    /// Whether it names the file.
    pub names_file: bool,
    /// Whether it names the line.
    pub names_line: bool,
    /// From its start to its end.
    pub seconds: f64,
    /// What stood in its way.
    pub error: Option<String>,
}

/// A tool, and a way to call it.
#[derive(Debug, Clone)]
pub enum Peer {
    /// `memlab find-leaks`; with a filter that lets everything pass, or as it comes.
    MemlabFindLeaks {
        /// Every object that survives is a leak.
        everything: bool,
    },
    /// `memlab analyze unbound-object`.
    MemlabUnbound,
    /// The first row of `DevTools`' Comparison view, in the order in which it opens.
    DevTools,
    /// A binary with a command `diff MAIN BASELINE`.
    Diff(String, PathBuf),
    /// The same binary's `closure-leaks FILE`.
    ClosureLeaks(String, PathBuf),
}

/// The tools from npm, and two calls of each binary.
pub fn all(binaries: &[(String, PathBuf)]) -> Vec<Peer> {
    let mut peers = vec![
        Peer::DevTools,
        Peer::MemlabFindLeaks { everything: false },
        Peer::MemlabFindLeaks { everything: true },
        Peer::MemlabUnbound,
    ];
    for (name, path) in binaries {
        peers.push(Peer::Diff(name.clone(), path.clone()));
        peers.push(Peer::ClosureLeaks(name.clone(), path.clone()));
    }
    peers
}

impl Peer {
    /// How tables call it.
    pub fn name(&self) -> String {
        match self {
            Self::MemlabFindLeaks { everything: false } => "memlab find-leaks".to_owned(),
            Self::MemlabFindLeaks { everything: true } => "memlab find, all".to_owned(),
            Self::MemlabUnbound => "memlab unbound-object".to_owned(),
            Self::DevTools => "DevTools Comparison".to_owned(),
            Self::Diff(name, _) => format!("{name} diff"),
            Self::ClosureLeaks(name, _) => format!("{name} closure-leaks"),
        }
    }

    /// Whether what it prints are claims of a leak.
    fn claims(&self) -> bool {
        !matches!(self, Self::DevTools | Self::Diff(..))
    }

    /// Runs it on a capture and judges its first answer.
    pub fn judge(&self, case: &Case, dir: &Path) -> PeerScore {
        let begun = Instant::now();
        let answer = self.answer(dir);
        let mut score = PeerScore {
            case: case.name.clone(),
            tool: self.name(),
            leaks: case.truth.is_some(),
            claims: self.claims(),
            first: String::new(),
            names_thing: false,
            names_file: false,
            names_line: false,
            seconds: begun.elapsed().as_secs_f64(),
            error: None,
        };
        match answer {
            Err(e) => score.error = Some(e.to_string()),
            Ok(text) => {
                if let Some(truth) = &case.truth {
                    read(&mut score, truth, &text);
                }
                score.first = text.split_whitespace().collect::<Vec<_>>().join(" ");
            }
        }
        score
    }

    /// The first thing it says; empty for nothing.
    fn answer(&self, dir: &Path) -> io::Result<String> {
        let [a, b, c] = Capture::snapshots(dir);
        match self {
            Self::MemlabFindLeaks { everything } => {
                let mut command = memlab()?;
                command.args(["find-leaks", "--baseline"]).arg(a).arg("--target").arg(b);
                command.arg("--final").arg(c);
                if *everything {
                    command.arg("--leak-filter").arg(leakbench().join("peers/everything.js"));
                }
                Ok(first_cluster(&said(&mut command, true)?))
            }
            Self::MemlabUnbound => {
                let mut command = memlab()?;
                command.args(["analyze", "unbound-object", "--snapshot-dir"]);
                command.arg(dir.join("snapshots"));
                Ok(first_line(&said(&mut command, true)?, "·"))
            }
            Self::DevTools => {
                let tools = workspace_root().join("tests-node");
                let mut command = Command::new(node_binary(TOOLS_NODE)?);
                command.arg(tools.join("devtools-rows.mjs")).arg(a).arg(c);
                first_row(&serde_json::from_str(&said(&mut command, false)?)?)
            }
            Self::Diff(_, path) => {
                let mut command = Command::new(path);
                command.arg("diff").arg(c).arg(a);
                Ok(first_line(&said(&mut command, false)?, "▶"))
            }
            Self::ClosureLeaks(_, path) => {
                let mut command = Command::new(path);
                let text = said(command.arg("closure-leaks").arg(c), false)?;
                let text = text.trim();
                if text.starts_with("No closure leaks") {
                    return Ok(String::new());
                }
                Ok(text.lines().take(FIRST_LINES).collect::<Vec<_>>().join("\n"))
            }
        }
    }
}

fn memlab() -> io::Result<Command> {
    let script = leakbench().join("peers/node_modules/@memlab/cli/bin/memlab.js");
    if !script.is_file() {
        let text =
            "memlab is not installed: `npm ci` in leakbench/peers, with PUPPETEER_SKIP_DOWNLOAD=1";
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    }
    let mut command = Command::new(node_binary(TOOLS_NODE)?);
    command.args(["--expose-gc", "--max-old-space-size=4096"]).arg(script);
    Ok(command)
}

/// What a command prints, with a limit of time. `memlab` wants a folder of its own, and prints everything on stderr.
fn said(command: &mut Command, memlab: bool) -> io::Result<String> {
    let folder = tempfile::Builder::new().prefix("leakbench-peer-").tempdir()?;
    if memlab {
        let work = folder.path().join("work");
        std::fs::create_dir(&work)?;
        command.arg("--work-dir").arg(work);
    }
    let output = folder.path().join("out.txt");
    let file = File::create(&output)?;
    let other = if memlab { Stdio::from(file.try_clone()?) } else { Stdio::null() };
    let mut child = command.stdin(Stdio::null()).stdout(file).stderr(other).spawn()?;
    let deadline = Instant::now() + LIMIT;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > deadline {
            // It may have ended at this very moment, which is as good.
            let _ = child.kill();
            child.wait()?;
            return Err(io::Error::other("no answer in time"));
        }
        thread::sleep(Duration::from_millis(50));
    };
    if !status.success() {
        return Err(io::Error::other(format!("ended with {status}")));
    }
    Ok(String::from_utf8_lossy(&std::fs::read(&output)?).into_owned())
}

/// The path of memlab's first cluster of leaks.
fn first_cluster(text: &str) -> String {
    let Some(at) = text.find("--Similar leaks") else { return String::new() };
    let rest = text[at..].lines().skip(2).take_while(|l| !l.trim().is_empty());
    rest.collect::<Vec<_>>().join("\n")
}

fn first_line(text: &str, sign: &str) -> String {
    let line =
        text.lines().find_map(|l| l.trim().split_once(sign).filter(|(before, _)| bare(before)));
    line.map_or_else(String::new, |(_, l)| l.trim().to_owned())
}

/// Whether a line's start is nothing to read: memlab clears the line of its progress before it prints.
fn bare(text: &str) -> bool {
    text.trim_start_matches('\u{1b}').trim_start_matches(['[', 'K', 'F']).is_empty()
}

/// The view opens sorted by the bytes that came.
fn first_row(document: &Value) -> io::Result<String> {
    let rows = document["rows"].as_array().ok_or_else(|| io::Error::other("no rows"))?;
    let first = rows.iter().max_by_key(|r| r["allocated_bytes"].as_u64());
    Ok(first.map_or_else(String::new, |r| {
        let name = r["constructor"].as_str().unwrap_or_default();
        format!("{name} +{}", r["delta_count"])
    }))
}

fn read(score: &mut PeerScore, truth: &Truth, text: &str) {
    score.names_thing = truth.things.iter().any(|t| has_word(text, t));
    for place in truth.places.iter().chain(&truth.package_places) {
        let file = place.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        score.names_file |= has_word(text, &file);
        let near = place.line.saturating_sub(LINE_SLACK)..=place.line + LINE_SLACK;
        score.names_line |= near.into_iter().any(|l| has_word(text, &format!("{file}:{l}")));
    }
}

/// Whether the text holds the word, not as a part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$');
    text.match_indices(word).any(|(at, _)| {
        !of_word(text[..at].chars().next_back()) && !of_word(text[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole() {
        assert!(has_word("[bus] (property) a.js:12", "bus") && has_word("at a.js:12:3", "a.js:12"));
        assert!(!has_word("[busy]", "bus") && !has_word("a.js:120", "a.js:12"));
    }

    #[test]
    fn first_answers() {
        let text = "MemLab found 2 leak(s)\n\n--Similar leaks in this run: 4--\n--Retained size: 1KB--\n\
                    [a] --x-> [b]\n\n\n--Similar leaks in this run: 1--\n--Retained size: 0KB--\n[c]\n";
        assert_eq!(first_cluster(text), "[a] --x-> [b]");
        assert_eq!(first_cluster("No leaks found\nMemLab found 0 leak(s)"), "");
        assert_eq!(first_line("head\n▶ Function  1,042\n▶ Map 3", "▶"), "Function  1,042");
    }
}
