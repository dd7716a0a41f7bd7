//! The snapshots that are measured on: made when they are missing, kept for the next time.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::synth::{Layout, Shape, Wanted, write};

/// Left free beside what we write ourselves, so that nobody else on the machine meets a full disk.
const MARGIN: u64 = 1 << 30;

/// A snapshot of examples/express-uncaught after so many requests, which makes it about as long as its name says
/// under Node 20. All come from one process, so that their object ids can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Real {
    Small,
    Middle,
    Large,
}

impl Real {
    pub fn title(self) -> &'static str {
        match self {
            Self::Small => "53 MB",
            Self::Middle => "190 MB",
            Self::Large => "920 MB",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Small => "real-50M.heapsnapshot",
            Self::Middle => "real-190M.heapsnapshot",
            Self::Large => "real-920M.heapsnapshot",
        }
    }

    fn requests(self) -> u32 {
        match self {
            Self::Small => 4300,
            Self::Middle => 17_000,
            Self::Large => 84_000,
        }
    }

    fn bytes(self) -> u64 {
        match self {
            Self::Small => 60_000_000,
            Self::Middle => 220_000_000,
            Self::Large => 1_050_000_000,
        }
    }
}

/// Where the files are, and the checkout that makes them.
#[derive(Debug)]
pub struct Files {
    pub folder: PathBuf,
    root: PathBuf,
}

impl Files {
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(folder: &Path, root: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        // The app that writes snapshots runs in a folder of its own.
        Ok(Self { folder: folder.canonicalize()?, root })
    }

    /// Where programs' stderr goes.
    pub fn scratch(&self) -> PathBuf {
        self.folder.join("stderr.txt")
    }

    /// Snapshots of a real process; where one is missing, one process makes all of them.
    ///
    /// # Errors
    /// A sentence for the report.
    pub fn real(&self, wanted: &[Real]) -> Result<Vec<PathBuf>, String> {
        let paths: Vec<PathBuf> = wanted.iter().map(|r| self.folder.join(r.name())).collect();
        if paths.iter().all(|p| p.is_file()) {
            return Ok(paths);
        }
        let needed: u64 = wanted.iter().map(|r| r.bytes()).sum();
        self.check_space(needed)?;
        let app = self.root.join("examples/express-uncaught");
        if !app.join("node_modules").is_dir() {
            return Err("examples/express-uncaught has no packages: scripts/test.sh --setup".into());
        }
        tell(&format!("making {} snapshots of a real process, minutes", wanted.len()));
        let mut command = Command::new("node");
        command.arg(self.root.join("tests-node/make-snapshot.mjs")).arg(app.join("app.js"));
        command.arg("/orders/7?n={n}");
        for (real, path) in wanted.iter().zip(&paths) {
            command.arg(real.requests().to_string()).arg(path);
        }
        let said = File::create(self.scratch()).map_err(|e| e.to_string())?;
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).status();
        match status {
            Ok(status) if status.success() => Ok(paths),
            Ok(status) => {
                Err(format!("make-snapshot.mjs: {status}, see stderr.txt beside the files"))
            }
            Err(e) => Err(format!("node: {e}")),
        }
    }

    /// A synthetic snapshot of about this many megabytes, in the shape of a service.
    ///
    /// # Errors
    /// A sentence for the report.
    pub fn generated(&self, megabytes: u64) -> Result<PathBuf, String> {
        let path = self.folder.join(format!("gen-{megabytes}M.heapsnapshot"));
        if path.is_file() {
            return Ok(path);
        }
        let bytes = megabytes * 1_000_000;
        self.check_space(bytes)?;
        tell(&format!("generating {megabytes} MB"));
        let wanted = Wanted { bytes, shape: Shape::Service, layout: Layout::Node20, seed: 1 };
        // Under another name until it is whole.
        let part = path.with_extension("part");
        File::create(&part)
            .and_then(|file| write(&wanted.plan(), file))
            .and_then(|()| std::fs::rename(&part, &path))
            .map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(path)
    }

    /// That so many bytes can be written and some are left.
    ///
    /// # Errors
    /// A sentence that says what is free and what is needed.
    pub fn check_space(&self, bytes: u64) -> Result<(), String> {
        let disk = rustix::fs::statvfs(&self.folder).map_err(|e| format!("free space: {e}"))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free >= bytes + MARGIN {
            return Ok(());
        }
        let gigabytes = |b: u64| b as f64 / 1e9;
        Err(format!(
            "{:.1} GB are free in {}, {:.1} GB are needed",
            gigabytes(free),
            self.folder.display(),
            gigabytes(bytes + MARGIN)
        ))
    }

    /// Reads files once, so that the page cache holds them as far as it can.
    ///
    /// # Errors
    /// A sentence for the report.
    pub fn warm(paths: &[PathBuf]) -> Result<(), String> {
        let mut buffer = vec![0; 1 << 18];
        for path in paths {
            let told = |e: io::Error| format!("{}: {e}", path.display());
            let mut file = File::open(path).map_err(told)?;
            while file.read(&mut buffer).map_err(told)? > 0 {}
        }
        Ok(())
    }

    /// A file's length in megabytes, as a subject of a table names it.
    pub fn megabytes(path: &Path) -> String {
        std::fs::metadata(path)
            .map_or_else(|e| e.to_string(), |m| format!("{:.1} MB", m.len() as f64 / 1e6))
    }
}

/// What takes long is told on stderr.
fn tell(what: &str) {
    // Nothing can be done about a closed stderr.
    let _ = writeln!(io::stderr(), "{what} …");
}
