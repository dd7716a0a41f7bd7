//! The programs that are compared, and how each is asked for the same thing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A default heap is too small for the tables that the npm peers build of a big file.
const HEAP: &str = "--max-old-space-size=8192";

/// What is asked of every program.
#[derive(Clone, Copy, Debug)]
pub enum Task<'a> {
    /// What is in the file, by constructor.
    Summary(&'a Path),
    /// What came and what went from one file to the other.
    Diff { before: &'a Path, after: &'a Path },
}

/// A program that takes part.
#[derive(Clone, Debug)]
pub struct Contestant {
    pub name: String,
    program: Program,
}

#[derive(Clone, Debug)]
enum Program {
    Leakline(PathBuf),
    /// A binary with the command line of `@heap-snapshot/tool`.
    Tool(PathBuf),
    /// DevTools' own worker: `heap-snapshot-toolkit`, by our script in the folder of the npm peers.
    Toolkit(Npm),
    Memlab {
        npm: Npm,
        work: PathBuf,
    },
}

/// The folder of the npm peers, or why it cannot be used.
type Npm = Result<PathBuf, String>;

impl Contestant {
    pub fn leakline(path: PathBuf) -> Self {
        Self { name: "leakline".into(), program: Program::Leakline(path) }
    }

    /// A peer by its name and its path.
    pub fn tool(name: &str, path: PathBuf) -> Self {
        Self { name: name.into(), program: Program::Tool(path) }
    }

    pub fn toolkit(npm: Npm) -> Self {
        Self { name: "toolkit".into(), program: Program::Toolkit(npm) }
    }

    /// `work` is a folder for what memlab writes.
    pub fn memlab(npm: Npm, work: PathBuf) -> Self {
        Self { name: "memlab".into(), program: Program::Memlab { npm, work } }
    }

    /// Whether it is the tool that bars are set against.
    pub fn is_tool(&self) -> bool {
        matches!(self.program, Program::Tool(_))
    }

    /// What stands at the head of the report.
    pub fn describe(&self) -> String {
        match &self.program {
            Program::Leakline(path) | Program::Tool(path) => path.display().to_string(),
            Program::Toolkit(_) => "npm's heap-snapshot-toolkit: parse, then aggregates".into(),
            Program::Memlab { .. } => "npm's memlab: `analyze shape`, the nearest it has".into(),
        }
    }

    /// The program itself, for arguments of its own.
    pub fn command(&self) -> Command {
        match &self.program {
            Program::Leakline(path) | Program::Tool(path) => Command::new(path),
            Program::Toolkit(_) | Program::Memlab { .. } => Command::new("node"),
        }
    }

    /// How the program is asked, or why it cannot be.
    ///
    /// # Errors
    /// A sentence for the report.
    pub fn ask(&self, task: Task<'_>) -> Result<Vec<Command>, String> {
        let mut command = self.command();
        match (&self.program, task) {
            (Program::Leakline(_), Task::Summary(file)) => {
                command.arg("summary").arg(file).args(["--index", "never"]);
            }
            (Program::Leakline(_), Task::Diff { before, after }) => {
                command.arg("diff").args([before, after]).args(["--index", "never"]);
            }
            (Program::Tool(_), Task::Summary(file)) => {
                command.arg("summary").arg(file);
            }
            // It takes the later snapshot first.
            (Program::Tool(_), Task::Diff { before, after }) => {
                command.arg("diff").args([after, before]);
            }
            (Program::Toolkit(npm), task) => {
                command.arg(HEAP).arg(npm.clone()?.join("toolkit.mjs"));
                match task {
                    Task::Summary(file) => command.arg(file),
                    Task::Diff { before, after } => command.args([before, after]),
                };
            }
            (Program::Memlab { npm, work }, Task::Summary(file)) => {
                let memlab = npm.clone()?.join("node_modules/@memlab/cli/bin/memlab.js");
                command.args(["--expose-gc", HEAP]).arg(memlab).args(["analyze", "shape"]);
                command.arg("--snapshot").arg(file).arg("--work-dir").arg(work);
            }
            (Program::Memlab { .. }, Task::Diff { .. }) => {
                return Err("it does not compare two snapshots by constructor".into());
            }
        }
        Ok(vec![command])
    }
}

/// Installs the npm peers as their lockfile says, unless they are there.
///
/// # Errors
/// A sentence for the report.
pub fn install(folder: &Path) -> Result<PathBuf, String> {
    let there = |package: &str| folder.join("node_modules").join(package).is_dir();
    if there("memlab") && there("heap-snapshot-toolkit") {
        return Ok(folder.to_owned());
    }
    let status = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(folder)
        // memlab would fetch a browser, which reading snapshots does not need.
        .env("PUPPETEER_SKIP_DOWNLOAD", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(folder.to_owned()),
        Ok(status) => Err(format!("`npm ci` in benches/compare/peers-npm: {status}")),
        Err(e) => Err(format!("`npm ci` in benches/compare/peers-npm: {e}")),
    }
}
