//! Which of the candidate files a question needs parsed.
//!
//! A service has hundreds of scripts in memory, most of them packages that never touch the leaking
//! variable. A file can only touch it if its text holds one of a few words: the variable's name, or
//! the name of a file through which it is imported. That search costs a scan of the bytes; only
//! the files that pass are parsed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::memmem;
use rustc_hash::FxHashSet;

use crate::error::Error;
use crate::files::{Loaded, SourceFiles};
use crate::modules;

/// Rounds of "files that import those found so far": re-exports through index files.
const MAX_ROUNDS: usize = 4;
/// Files that are parsed for one question.
const MAX_FILES: usize = 400;
/// Their bytes in total.
const MAX_BYTES: usize = 96 << 20;

/// What was gathered.
pub(crate) struct Gathered {
    pub files: Vec<Arc<Loaded>>,
    pub notes: Vec<String>,
}

struct Gathering {
    files: Vec<Arc<Loaded>>,
    seen: FxHashSet<PathBuf>,
    bytes: usize,
    cut: bool,
}

impl Gathering {
    fn add(&mut self, loaded: &Arc<Loaded>) -> bool {
        if self.seen.contains(&loaded.key) {
            return false;
        }
        if self.files.len() >= MAX_FILES || self.bytes + loaded.text.len() > MAX_BYTES {
            self.cut = true;
            return false;
        }
        self.seen.insert(loaded.key.clone());
        self.bytes += loaded.text.len();
        self.files.push(Arc::clone(loaded));
        true
    }
}

/// Loads the seeds, the candidates whose text holds one of `words`, and those that import what was
/// found so far. Files that the seeds import come along where they exist.
pub(crate) fn gather(
    source: &SourceFiles,
    seeds: &[Arc<Loaded>],
    candidates: &[PathBuf],
    words: &[String],
) -> Gathered {
    let mut gathering =
        Gathering { files: Vec::new(), seen: FxHashSet::default(), bytes: 0, cut: false };
    let mut notes = Vec::new();
    let mut pool = Vec::new();
    let mut unreadable = 0;
    for path in candidates {
        match source.load(path) {
            Ok(loaded) => pool.push(loaded),
            Err(Error::NotAFile { .. }) => {}
            Err(_) => unreadable += 1,
        }
    }
    // If the bound cuts, let it cut packages.
    pool.sort_by_key(|loaded| loaded.is_package());
    if unreadable > 0 {
        notes.push(format!("{unreadable} of the service's files could not be read"));
    }
    for seed in seeds {
        gathering.add(seed);
    }
    // The leaking thing may come from a file that a seed imports; others import it from there too.
    for seed in seeds {
        for path in imported(seed) {
            if let Ok(loaded) = source.load(&path) {
                gathering.add(&loaded);
            }
        }
    }
    let mut finders: Vec<Vec<u8>> = words
        .iter()
        .filter(|word| !word.is_empty())
        .map(|word| word.clone().into_bytes())
        .collect();
    let mut named = 0;
    for _ in 0..MAX_ROUNDS {
        // Every file found so far can be imported under its stem, or its folder's name.
        while named < gathering.files.len() {
            finders.extend(import_words(&gathering.files[named].key));
            named += 1;
        }
        let searchers: Vec<memmem::Finder<'_>> = finders.iter().map(memmem::Finder::new).collect();
        let mut grew = false;
        for loaded in &pool {
            if gathering.seen.contains(&loaded.key) {
                continue;
            }
            if searchers.iter().any(|word| word.find(loaded.text.as_bytes()).is_some()) {
                grew |= gathering.add(loaded);
            }
        }
        if !grew {
            break;
        }
    }
    if gathering.cut {
        notes.push(format!("only {} files were searched", gathering.files.len()));
    }
    let (own, others) = gathering.files.split_at(seeds.len().min(gathering.files.len()));
    for file in own {
        notes.extend(file.notes().cloned());
    }
    // Troubles of other files would bury those of the one that matters.
    let failed = others.iter().filter(|file| file.parsed().failed).count();
    if failed > 0 {
        notes.push(format!("{failed} other files could not be parsed"));
    }
    Gathered { files: gathering.files, notes }
}

/// The words by which a file can be imported.
fn import_words(path: &Path) -> Vec<Vec<u8>> {
    let text = |part: Option<&std::ffi::OsStr>| {
        part.and_then(|it| it.to_str()).map(|it| it.as_bytes().to_vec())
    };
    let stem = text(path.file_stem());
    // A folder's main file is imported by the folder's name, `index` also as `.`.
    let is_index = stem.as_deref() == Some(b"index");
    let mut words = Vec::new();
    if is_index {
        words.extend([b"'.'".to_vec(), b"\".\"".to_vec(), b"'./'".to_vec(), b"'..'".to_vec()]);
        words.extend([b"\"./\"".to_vec(), b"\"..\"".to_vec()]);
    }
    if is_index {
        words.extend(text(path.parent().and_then(Path::file_name)));
    }
    // `main` may lie some folders below the package's.
    let package = path.ancestors().skip(1).find(|dir| dir.join("package.json").is_file());
    words.extend(text(package.and_then(Path::file_name)));
    words.extend(stem.map(|stem| if is_index { b"/index".to_vec() } else { stem }));
    words.retain(|word| !word.is_empty());
    words
}

fn imported(file: &Loaded) -> Vec<PathBuf> {
    let sources = file.facts().imports().into_iter();
    let mut out: Vec<PathBuf> = sources
        // Packages come in as candidates if the snapshot knows them.
        .filter(|source| source.starts_with('.') || source.starts_with('/'))
        .filter_map(|source| modules::resolve(&file.path, source))
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}
