//! From a finding to the statement that adds: asks `source` the question that fits the family.

use std::path::{Path, PathBuf};

use leakline_analysis::Scripts;
use leakline_analysis::detect::{
    Binding, Collection, CollectionKind as Kind, Finding, Listener, Subject,
};
use leakline_report::{Culprit, Frame, FrameLine, Place};
use leakline_source::{
    AdderHint, CollectionKind, Found, Holder, ListenerQuery, Location, Question, SourceFiles,
    Statement, answer,
};

/// A statement, or the reason why there is none.
pub(crate) struct Located {
    pub culprit: Option<Culprit>,
    pub notes: Vec<String>,
    /// The statement is the likeliest of several, or was found by its name or text only.
    pub guessed: bool,
}

impl Located {
    fn nothing(note: impl Into<String>) -> Self {
        Self { culprit: None, notes: vec![note.into()], guessed: false }
    }
}

/// Finds the adding statement of a finding.
pub(crate) fn locate(finding: &Finding<'_>, scripts: &Scripts, files: &SourceFiles) -> Located {
    let candidates: Vec<PathBuf> = scripts.user_files().into_iter().map(PathBuf::from).collect();
    match &finding.subject {
        Subject::Listener(listener) => listener_statement(listener, files, &candidates),
        Subject::Collection(collection) if collection.bindings.is_empty() => {
            Located::nothing(format!(
                "`{}` has no name of its own in the program, so no statement was sought: look where it is \
                 filled",
                finding.holder
            ))
        }
        Subject::Collection(collection) => collection_statement(collection, files, &candidates),
        Subject::Unknown => {
            Located::nothing("no rule knows this holder, so no statement was sought")
        }
    }
}

fn listener_statement(listener: &Listener, files: &SourceFiles, candidates: &[PathBuf]) -> Located {
    let Some(place) = &listener.function else {
        return Located::nothing("the snapshot does not say where the listener's function stands");
    };
    let at =
        Location { file: PathBuf::from(&place.script), line: place.line, column: place.column };
    let query = ListenerQuery {
        event: listener.event.clone(),
        emitter_hint: Some(listener.emitter.clone()),
        ..ListenerQuery::default()
    };
    ask(files, &Question::Registration(query, at), candidates)
}

/// Asks `source`, and keeps its answer or its reason for none.
fn ask(files: &SourceFiles, question: &Question, candidates: &[PathBuf]) -> Located {
    match answer(files, question, candidates) {
        Ok(found) => with_statement(found),
        Err(e) => Located::nothing(e.to_string()),
    }
}

fn collection_statement(
    collection: &Collection,
    files: &SourceFiles,
    candidates: &[PathBuf],
) -> Located {
    let holders: Vec<Holder> = collection.bindings.iter().map(holder).collect();
    let kind = match collection.kind {
        Kind::Map => CollectionKind::Map,
        Kind::Set => CollectionKind::Set,
        Kind::Array => CollectionKind::Array,
        Kind::Object => CollectionKind::Object,
    };
    let hint = AdderHint {
        value_keys: collection.value_keys.clone(),
        value_class: collection.value_class.clone(),
        ..AdderHint::default()
    };
    ask(files, &Question::Adders { holders, kind, hint }, candidates)
}

fn holder(binding: &Binding) -> Holder {
    match binding {
        Binding::Variable { script, name, near } => Holder::Variable {
            file: PathBuf::from(script),
            name: name.clone(),
            near: near.as_ref().map(|p| Location {
                file: PathBuf::from(&p.script),
                line: p.line,
                column: p.column,
            }),
        },
        Binding::Property { name, owner_class, script } => Holder::Property {
            name: name.clone(),
            owner_class: Some(owner_class.clone()).filter(|c| c != "Object"),
            file: script.as_ref().map(PathBuf::from),
        },
        Binding::ModuleExport { script, name } => {
            Holder::ModuleExport { file: PathBuf::from(script), name: name.clone() }
        }
    }
}

fn with_statement(found: Found) -> Located {
    let guessed = found.certainty.is_guess();
    let mut notes = found.notes;
    if !found.how.is_empty() {
        notes.insert(0, found.how);
    }
    for other in found.others.iter().take(3) {
        notes.push(format!(
            "it is also added to at {}:{}",
            other.location.file.display(),
            other.location.line
        ));
    }
    let culprit = found.best.as_ref().map(|best| Culprit {
        caller: found.caller.as_ref().map(|caller| Box::new(culprit(caller))),
        ..culprit(best)
    });
    Located { culprit, notes, guessed }
}

fn culprit(statement: &Statement) -> Culprit {
    let lines = statement
        .frame
        .lines
        .iter()
        .zip(statement.frame.first_line..)
        .map(|(l, line)| FrameLine {
            line,
            text: l.text.clone(),
            marked: line == statement.frame.marked_line,
        })
        .collect();
    Culprit {
        file: statement.location.file.display().to_string(),
        line: statement.location.line,
        column: statement.location.column,
        function: statement.function.clone(),
        snippet: statement.snippet.clone(),
        original: statement.original.as_ref().map(|o| Place {
            file: o.file.display().to_string(),
            line: o.line,
            column: o.column,
        }),
        caller: None,
        frame: Frame { lines },
    }
}

/// The file's name without its folders, and the line: what fits into a sentence.
pub(crate) fn short_place(culprit: &Culprit) -> String {
    let shown = culprit.shown();
    let name = Path::new(&shown.file)
        .file_name()
        .map_or_else(|| shown.file.clone(), |n| n.to_string_lossy().into_owned());
    format!("{name}:{}", shown.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_source_guesses_is_told_from_one_it_derives() {
        let name = format!("leakline-culprit-{}.js", std::process::id());
        let file = std::env::temp_dir().join(name);
        let text = "function handle() {\n  process.on('SIGHUP', () => {});\n}\nhandle();\n";
        std::fs::write(&file, text).expect("the folder takes a file");
        let files = SourceFiles::new(Vec::new());
        let located = |line, column| {
            let listener = Listener {
                emitter: "process".into(),
                event: Some("SIGHUP".into()),
                function: Some(leakline_analysis::Place {
                    script: file.display().to_string(),
                    line,
                    column,
                }),
                function_name: String::new(),
                captured: Vec::new(),
                once: false,
                named: true,
            };
            let found = listener_statement(&listener, &files, std::slice::from_ref(&file));
            (found.culprit.map(|c| c.line), found.guessed)
        };
        let as_loaded = located(2, 24);
        // A line that the file does not have: it was edited after it had been loaded.
        let edited_since = located(40, 24);
        std::fs::remove_file(&file).expect("the file is there");
        assert_eq!(as_loaded, (Some(2), false));
        assert_eq!(edited_since, (Some(2), true));
    }
}
