//! For a statement inside a package: the user's own call that leads there.
//!
//! Two sides meet. [`reach`] gives the names by which the package's code gets to the statement,
//! [`rooted`] the values of the user's files that come from the package. A call of the right name
//! on the right value is the answer; with only one of both it is a guess, and said to be one.

mod package;
mod reach;
mod rooted;

use std::path::PathBuf;

use rustc_hash::FxHashSet;

use crate::facts::{Call, FileFacts, NONE, Value, ValueId};
use crate::files::SourceFiles;
use crate::gather::gather;
use crate::link::{FileId, Linked, Place, PlaceId};
use crate::modules;
use crate::statement::{Found, Statement, anchor, statement};
use package::{Package, leading_to, package_name, package_of};
use reach::{Reach, is_common, reach};
use rooted::Rooted;

/// What speaks for a call; better ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    /// What the package made is called: `memo(key)` after `memo = _.memoize(f)`.
    Made,
    /// A name that leads to the statement, on something of the package; how many calls away.
    Named(u32),
    /// The name of the function around the statement, on something unknown.
    NameOnly,
    /// Something of the package is called.
    Package,
}

impl Sign {
    /// The call was led to, not merely liked.
    fn is_derived(self) -> bool {
        matches!(self, Sign::Made | Sign::Named(_))
    }
}

/// Files of the user's that are read, those that the heap does not know included.
const MAX_OWN_FILES: usize = 2000;

/// Statements that are tried where nothing leads to the best.
const MAX_OTHERS: usize = 4;

struct Candidate {
    file: FileId,
    start: u32,
    end: u32,
    sign: Sign,
    repeated: bool,
    distance: u32,
}

/// Completes an answer whose statement is in a package.
pub(crate) fn complete(files: &SourceFiles, found: &mut Found, candidates: &[PathBuf]) {
    let Some(best) = &found.best else { return };
    let Some(package) = package_of(&best.location.file) else { return };
    let user = User::of(files, &package, candidates);
    let mut caller = user.caller(files, best);
    // Of statements that look alike, the one that the user's code gets to is the one that runs.
    if !caller.as_ref().is_some_and(|it| it.1.is_derived()) {
        let same = |it: &&Statement| package_of(&it.location.file).as_ref() == Some(&package);
        let others = found.others.iter().take(MAX_OTHERS).filter(same);
        let reached = others
            .filter_map(|it| Some((it.location.clone(), user.caller(files, it)?)))
            .find(|(_, it)| it.1.is_derived());
        if let Some((location, better)) = reached
            && let Some(at) = found.others.iter().position(|it| it.location == location)
        {
            let reached = found.others.remove(at);
            found.others.splice(0..0, found.best.replace(reached));
            caller = Some(better);
        }
    }
    let name = &package.name;
    let Some((statement, sign)) = caller else {
        let note = format!("no call of your own was found that leads to the package `{name}`");
        found.notes.push(note);
        return;
    };
    let place = format!("{}:{}", statement.location.file.display(), statement.location.line);
    found.notes.push(match sign {
        Sign::Made | Sign::Named(_) => {
            format!("{place} leads to the statement in the package `{name}`")
        }
        Sign::NameOnly => {
            format!("{place} is the likeliest to lead to the package `{name}`: it is called so")
        }
        Sign::Package => format!(
            "which call leads to the statement in the package `{name}` could not be told; {place} uses \
             the package"
        ),
    });
    found.caller = Some(statement);
}

/// The user's files, and what in them comes from the package.
struct User {
    linked: Linked,
    rooted: Rooted,
    /// The package's files, and those of packages between it and the user.
    between: Vec<PathBuf>,
}

impl User {
    fn of(files: &SourceFiles, package: &Package, candidates: &[PathBuf]) -> User {
        let (mut own, foreign): (Vec<PathBuf>, Vec<PathBuf>) =
            candidates.iter().cloned().partition(|path| package_of(path).is_none());
        // Whatever the user imports may lead to the package.
        let mut imported: FxHashSet<(PathBuf, String)> = FxHashSet::default();
        let mut seen: FxHashSet<PathBuf> = own.iter().cloned().collect();
        let mut next = 0;
        while let Some(path) = own.get(next) {
            next += 1;
            let Ok(loaded) = files.load(path) else { continue };
            let dir = loaded.path.parent().map(PathBuf::from).unwrap_or_default();
            for source in loaded.facts().imports() {
                if let Some(package) = package_name(source) {
                    imported.insert((dir.clone(), package.to_owned()));
                // A file that only runs at start leaves no function in the heap, and so no script.
                } else if seen.len() < MAX_OWN_FILES
                    && let Some(file) = modules::resolve(&loaded.path, source)
                    && package_of(&file).is_none()
                    && seen.insert(file.clone())
                {
                    own.push(file);
                }
            }
        }
        let packages = leading_to(package, &imported);
        let leads = |path: &PathBuf| {
            package_of(path).is_some_and(|it| it == *package || packages.contains_key(&it.name))
        };
        let between = foreign.into_iter().filter(leads).collect();
        let mut words: Vec<String> = packages.keys().cloned().collect();
        words.sort_unstable();
        let linked = Linked::new(gather(files, &[], &own, &words).files);
        let rooted = Rooted::of(&linked, &packages);
        User { linked, rooted, between }
    }

    /// The call that leads to the statement.
    fn caller(&self, files: &SourceFiles, to: &Statement) -> Option<(Statement, Sign)> {
        let loaded = files.load(&to.location.file).ok()?;
        let reach = reach(&loaded, to.span.0, files, &self.between);
        let mut found = calls(&self.linked, &self.rooted, &reach);
        // What is led to before what is merely liked; of it, what runs again and again before what runs once.
        found.sort_by_key(|it| {
            (!it.sign.is_derived(), !it.repeated, it.sign, it.distance, it.file, it.start)
        });
        let best = found.first()?;
        let loaded = &self.linked.files[best.file as usize];
        Some((statement(loaded, best.start, best.end), best.sign))
    }
}

fn calls(linked: &Linked, rooted: &Rooted, reach: &Reach) -> Vec<Candidate> {
    let made = made_places(linked, reach);
    let mut out = Vec::new();
    for (id, loaded) in linked.files.iter().enumerate() {
        let file = id as FileId;
        let facts = loaded.facts();
        for call in &facts.calls {
            let distance = rooted.distance(file, call.callee);
            let sign = sign(linked, file, facts, call, distance.is_some(), reach, &made);
            let Some(sign) = sign else { continue };
            let start = anchor(loaded, call);
            out.push(Candidate {
                file,
                start,
                end: call.range.end,
                sign,
                repeated: facts.repeated_function_at(start).is_some(),
                distance: distance.unwrap_or(u32::MAX),
            });
        }
    }
    out
}

fn sign(
    linked: &Linked,
    file: FileId,
    facts: &FileFacts,
    call: &Call,
    rooted: bool,
    reach: &Reach,
    made: &FxHashSet<PlaceId>,
) -> Option<Sign> {
    // What it is called here, and what it is called where it comes from.
    let written = facts.callee_name(call).into_iter();
    let other =
        linked.denotes(file, call.callee).iter().filter_map(|&place| match linked.place(place) {
            Some(Place::Member(_, key)) if key != NONE => Some(linked.name(key)),
            _ => None,
        });
    let names: Vec<&str> = written.chain(other).collect();
    let depth = names.iter().filter_map(|name| reach.names.get(*name)).min().copied();
    if !rooted {
        let telling = |name: &&str| reach.names.get(*name) == Some(&0) && !is_common(name);
        return names.iter().any(telling).then_some(Sign::NameOnly);
    }
    let callee = linked.denotes(file, call.callee);
    if makes(facts, call.callee, reach) || callee.iter().any(|place| made.contains(place)) {
        return Some(Sign::Made);
    }
    if let Some(depth) = depth {
        return Some(Sign::Named(depth));
    }
    let whole = reach.whole
        && linked
            .denotes(file, call.callee)
            .iter()
            .any(|&place| matches!(linked.place(place), Some(Place::Foreign(_))));
    Some(if whole { Sign::Named(0) } else { Sign::Package })
}

/// Whether a value is what a maker gives back.
fn makes(facts: &FileFacts, value: ValueId, reach: &Reach) -> bool {
    let Some(Value::Call(made) | Value::New(made)) = facts.value(value) else { return false };
    let made = facts.calls.get(made as usize).and_then(|made| facts.callee_name(made));
    made.is_some_and(|name| reach.makers.contains(name))
}

/// The places that hold what a maker gave back.
fn made_places(linked: &Linked, reach: &Reach) -> FxHashSet<PlaceId> {
    let mut out = FxHashSet::default();
    if reach.makers.is_empty() {
        return out;
    }
    for (file, loaded) in linked.files.iter().enumerate() {
        let facts = loaded.facts();
        for assign in facts.assigns.iter().filter(|it| makes(facts, it.value, reach)) {
            // A variable's own place comes first, then what it holds.
            out.extend(linked.denotes(file as FileId, assign.target).first());
        }
    }
    out
}
