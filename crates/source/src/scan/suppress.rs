//! `// leakline-ignore RULE reason` on the line of a finding, or in the comment above it.

use super::Scan;
use super::finding::{Finding, Suppressed};
use super::world::World;
use crate::files::Loaded;

/// The word that a comment begins with.
const WORD: &str = "leakline-ignore";
/// Lines of comment above a finding that are looked at.
const MAX_LINES: u32 = 8;

/// Puts each finding where it belongs.
pub(super) fn sort_out(world: &World, findings: Vec<Finding>, out: &mut Scan) {
    for finding in findings {
        let file = world.linked.files.iter().find(|it| it.path == finding.file);
        match file.and_then(|file| excuse(file, &finding)) {
            Some(excuse) => {
                let reason = (!excuse.is_empty()).then_some(excuse);
                out.suppressed.push(Suppressed { finding, reason });
            }
            None => out.findings.push(finding),
        }
    }
}

/// The reason a comment gives, maybe none, if one excuses the finding.
fn excuse(file: &Loaded, finding: &Finding) -> Option<String> {
    let line = |number: u32| file.lines.line(&file.text, number).map(|(_, text)| text);
    if let Some(found) = line(finding.line).and_then(|text| in_line(text, finding)) {
        return Some(found);
    }
    for up in 1..=MAX_LINES {
        let text = line(finding.line.checked_sub(up)?)?.trim();
        let comment = text.starts_with("//") || text.starts_with("/*") || text.starts_with('*');
        if !comment {
            return None;
        }
        if let Some(found) = in_line(text, finding) {
            return Some(found);
        }
    }
    None
}

fn in_line(text: &str, finding: &Finding) -> Option<String> {
    let at = text.find(WORD)?;
    let before = text[..at].trim_end();
    if !before.ends_with("//") && !before.ends_with("/*") && !before.ends_with('*') {
        return None;
    }
    let mut words = text[at + WORD.len()..].trim_end().trim_end_matches("*/").split_whitespace();
    let rule = words.next()?;
    if rule.trim_end_matches([',', ':']) != finding.rule.id() {
        return None;
    }
    let reason: Vec<&str> = words.collect();
    let reason = reason.join(" ");
    let reason = reason.trim_start_matches(['-', ':', ' ']);
    Some(reason.to_owned())
}
