//! `unknown-holder`: growth without a family. It still names who holds what.

use super::words::holder_path;
use super::{Advice, Case, Context, Finding, Found, Question, Rule, Told, grouped};
use crate::growth::GrowthSite;

/// Nothing is known of it.
#[derive(Debug)]
struct Unknown;

pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Found {
    Found::new(Rule::UnknownHolder, holder_path(context, site.group.owner), Unknown)
}

impl Case for Unknown {
    fn questions(&self) -> Vec<Question> {
        Vec::new()
    }

    fn advise(&self, finding: &Finding<'_>, _told: Told<'_>) -> Advice {
        let site = finding.site;
        let before = site.counts.first().copied().unwrap_or(0);
        let after = site.counts.last().copied().unwrap_or(0);
        let holder = &finding.holder;
        let class = site.group.class.label();
        Advice {
            title: format!("{class} under `{holder}`: {} → {}", grouped(before), grouped(after)),
            explanation: format!(
                "`{holder}` holds more objects of class {class} in each snapshot. No rule knows this holder \
                 yet, so the statement that adds them is not named."
            ),
            fix:
                "Follow the path from its root: the last name in it that is yours is where to look."
                    .into(),
        }
    }
}
