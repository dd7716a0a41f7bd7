//! What every rule is handed, and how it reports.

use crate::facts::Range;
use crate::link::FileId;
use crate::statement::statement;

use super::ScanRule;
use super::finding::Finding;
use super::hot::{Hot, Reason};
use super::lasting::Lives;
use super::world::World;

/// Callers that are named in an explanation: the nearest ones say enough.
const MAX_CALLERS: usize = 2;

/// The files, what is known about them, and the findings so far.
pub(super) struct Cx {
    pub world: World,
    pub hot: Hot,
    pub lives: Lives,
    pub findings: Vec<Finding>,
}

/// Code that runs again and again.
pub(super) struct Repeated<'c> {
    /// The function that is known to.
    pub function: u32,
    pub reason: &'c Reason,
    /// `` `track` runs with every request (called from `handle`, app.js:12) ``
    pub words: String,
}

impl Cx {
    /// The code at an offset runs again and again, and no test lets it run only once.
    pub fn repeated(&self, file: FileId, offset: u32) -> Option<Repeated<'_>> {
        let (function, reason) = self.hot.at(&self.world, file, offset)?;
        let once = |inside| self.world.runs_once(file, inside, offset, false);
        let nearest = self.world.facts(file).repeated_function_at(offset)?;
        if once(function) || once(nearest) {
            return None;
        }
        Some(Repeated { function, reason, words: self.words(file, nearest, reason) })
    }

    fn words(&self, file: FileId, nearest: u32, reason: &Reason) -> String {
        let world = &self.world;
        let subject = world.function_words((file, nearest));
        let mut out = format!("{subject} runs {}", reason.every.words());
        let mut reason = Some(reason);
        let mut callers = Vec::new();
        while let Some(caller) = reason.and_then(|it| it.caller) {
            if callers.len() == MAX_CALLERS {
                break;
            }
            let (file, call, function) = caller;
            let Some(item) = world.facts(file).calls.get(call as usize) else { break };
            let place = world.place_words(file, item.range.start);
            callers.push(match world.function_name((file, function)) {
                Some(name) => format!("`{name}`, {place}"),
                None => place,
            });
            reason = self.hot.reason(world, (file, function)).map(|(_, it)| it);
        }
        if !callers.is_empty() {
            out.push_str(&format!(" (called from {})", callers.join(", from ")));
        }
        out
    }

    /// Keeps a finding at the statement `range`.
    pub fn report(
        &mut self,
        rule: ScanRule,
        file: FileId,
        range: Range,
        explanation: String,
        fix: String,
    ) {
        let loaded = self.world.loaded(file);
        let statement = statement(loaded, range.start, range.end);
        let end = loaded.lines.position(&loaded.text, range.end);
        self.findings.push(Finding::new(rule, statement, end, explanation, fix));
    }
}
