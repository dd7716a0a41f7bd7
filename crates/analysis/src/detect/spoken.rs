//! Sentences that several families share.

use super::{Finding, Told, event_listener::follows, grouped};

/// `1,624 → 6,285`.
pub(super) fn counts(finding: &Finding<'_>) -> String {
    let counts = &finding.site.counts;
    let before = counts.first().copied().unwrap_or(0);
    let after = counts.last().copied().unwrap_or(0);
    format!("{} → {}", grouped(before), grouped(after))
}

/// The statement as the subject of a sentence: `` `app.js:14` ``, or nobody in particular.
pub(super) fn subject(told: Told<'_>) -> String {
    told.place.map_or_else(|| "Some statement".into(), |place| format!("`{place}`"))
}

/// How often: `with every request`, where the numbers say so.
pub(super) fn how_often(finding: &Finding<'_>, told: Told<'_>) -> &'static str {
    match told.requests {
        Some(requests) if requests > 0 && follows(finding.site.delta(), requests) => {
            "with every request"
        }
        _ => "each time it runs",
    }
}

/// The function around the statement for a sentence, with its leading blank; nothing where it is not known.
pub(super) fn in_function(told: Told<'_>) -> String {
    told.function.map_or_else(String::new, |name| format!(" in `{name}`"))
}

/// The statement as it stands, shortened for a sentence, without its semicolon; `otherwise` where it is not known.
pub(super) fn statement(told: Told<'_>, otherwise: &str) -> String {
    let Some(snippet) = told.snippet else { return otherwise.to_string() };
    let snippet = snippet.trim().trim_end_matches(';');
    if snippet.chars().count() <= 72 && !snippet.contains('\n') {
        return snippet.to_string();
    }
    otherwise.to_string()
}
