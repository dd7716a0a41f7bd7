//! From a finding to the statement that adds: asks `source` the question that fits the family.

use std::path::{Path, PathBuf};

use leakline_analysis::Scripts;
use leakline_analysis::detect::{
    Binding, CollectionKind as Kind, Finding, Question, ScopeAnswer, ScopeQuestion,
};
use leakline_report::{Culprit, Frame, FrameLine, Place};
use leakline_source::{
    AdderHint, CollectionKind, Found, Holder, ListenerQuery, Location, Question as Asked,
    SourceFiles, Statement, answer, scope_use,
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

/// Finds the adding statement of a finding: the answer to the first question that has one.
pub(crate) fn locate(finding: &Finding<'_>, scripts: &Scripts, files: &SourceFiles) -> Located {
    let candidates: Vec<PathBuf> = scripts.user_files().into_iter().map(PathBuf::from).collect();
    let mut best = None;
    for question in finding.case.questions() {
        let located = ask(&question, files, &candidates);
        if located.culprit.is_some() {
            return located;
        }
        best.get_or_insert(located);
    }
    best.unwrap_or_else(|| Located::nothing(finding.case.no_question()))
}

/// Asks the source what the family hangs on, where a detector is in doubt about it.
pub(crate) fn settle(finding: &mut Finding<'_>, files: &SourceFiles) {
    let Some(ScopeQuestion { function, variable }) = finding.case.scope_question() else { return };
    // Without the text the family stays what the heap alone makes of it.
    let Ok(Some(found)) = scope_use(files, &location(&function), &variable) else { return };
    let user = |(name, line): &(String, u32)| format!("{name} {}:{line}", function.file_name());
    let answer =
        ScopeAnswer { mentioned: found.mentioned, users: found.users.iter().map(user).collect() };
    if let Some((rule, case)) = finding.case.with_scope(&answer) {
        finding.rule = rule;
        finding.case = case;
    }
}

/// Asks `source`, and keeps its answer or its reason for none.
fn ask(question: &Question, files: &SourceFiles, candidates: &[PathBuf]) -> Located {
    // A file without a line: the call is sought there first.
    if let Question::Creations { near: Some(near), .. } = question
        && near.line == 0
        && let Ok(found) = answer(files, &asked(question), &[PathBuf::from(&near.script)])
        && found.best.is_some()
    {
        return with_statement(found);
    }
    match answer(files, &asked(question), candidates) {
        Ok(mut found) => {
            if let Question::Creations { near: Some(near), .. } = question
                && near.line > 0
            {
                nearest_first(&mut found, near);
            }
            with_statement(found)
        }
        Err(e) => Located::nothing(e.to_string()),
    }
}

/// Of several calls that make such things, the one that stands next to a function that one of them was given.
fn nearest_first(found: &mut Found, near: &leakline_analysis::Place) {
    let distance = |statement: &Statement| {
        let same_file =
            statement.location.file.ends_with(near.script.trim_start_matches("file://"));
        same_file.then(|| statement.location.line.abs_diff(near.line))
    };
    let nearest = found
        .others
        .iter()
        .enumerate()
        .filter_map(|(i, statement)| Some((distance(statement)?, i)))
        .min();
    let Some((distance_of_other, at)) = nearest else { return };
    let of_best = found.best.as_ref().and_then(distance);
    if of_best.is_none_or(|of_best| distance_of_other < of_best)
        && let Some(best) = found.best.as_mut()
    {
        std::mem::swap(best, &mut found.others[at]);
    }
}

/// The question in the words of `source`.
fn asked(question: &Question) -> Asked {
    match question {
        Question::Registration { function, event, emitter } => {
            let query = ListenerQuery {
                event: event.clone(),
                emitter_hint: Some(emitter.clone()),
                ..ListenerQuery::default()
            };
            Asked::Registration(query, location(function))
        }
        Question::Adders { holders, kind, value_keys, value_class } => Asked::Adders {
            holders: holders.iter().map(holder).collect(),
            kind: match kind {
                Kind::Map => CollectionKind::Map,
                Kind::Set => CollectionKind::Set,
                Kind::Array => CollectionKind::Array,
                Kind::Object => CollectionKind::Object,
                Kind::Text => CollectionKind::Text,
                Kind::Chain => CollectionKind::Chain,
            },
            hint: AdderHint {
                value_keys: value_keys.clone(),
                value_class: value_class.clone(),
                ..AdderHint::default()
            },
        },
        Question::CallAround { function, callees } => Asked::CallAround {
            function: location(function),
            callees: callees.iter().map(ToString::to_string).collect(),
        },
        Question::Creations { callees, definition, near: _, on } => Asked::Creations {
            name: String::new(),
            callees: callees.clone(),
            near: definition.as_ref().map(location),
            on: on.clone(),
        },
        Question::Awaits { function, words } => {
            Asked::Awaits { function: location(function), words: words.clone() }
        }
        Question::Enclosing(place) => Asked::Enclosing(location(place)),
    }
}

fn location(place: &leakline_analysis::Place) -> Location {
    Location { file: PathBuf::from(&place.script), line: place.line, column: place.column }
}

fn holder(binding: &Binding) -> Holder {
    match binding {
        Binding::Variable { script, name, near } => Holder::Variable {
            file: PathBuf::from(script),
            name: name.clone(),
            near: near.as_ref().map(location),
        },
        Binding::Property { name, owner_class, script } => Holder::Property {
            name: name.clone(),
            owner_class: Some(owner_class.clone()).filter(|c| c != "Object"),
            file: script.as_ref().map(PathBuf::from),
        },
        Binding::Entry(of) => Holder::Element { of: Box::new(holder(of)) },
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
            let question = Question::Registration {
                function: leakline_analysis::Place {
                    script: file.display().to_string(),
                    line,
                    column,
                },
                event: Some("SIGHUP".into()),
                emitter: "process".into(),
            };
            let found = ask(&question, &files, std::slice::from_ref(&file));
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
