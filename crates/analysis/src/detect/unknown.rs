//! `unknown-holder`: growth without a family. It still names who holds what, and where what is held was made.

use leakline_heap::NodeType;

use super::words::{described, holder_path};
use super::{Advice, Case, Context, Finding, Found, Question, Rule, Told, grouped, sample};
use crate::growth::GrowthSite;
use crate::scripts::Place;

/// No family, but perhaps a place.
#[derive(Debug)]
struct Unknown {
    /// Where the members' function, or their class, stands.
    place: Option<Place>,
    /// Their class, where the program has one of its own for them.
    class: Option<String>,
    /// One of them in words.
    member: String,
    /// The runtime itself holds them.
    by_runtime: bool,
}

pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Found {
    let graph = context.graph();
    let member = sample(graph, site);
    let place =
        member.and_then(|m| context.scripts.place(graph, m)).filter(|place| !place.is_builtin());
    let is_object = member.is_some_and(|m| graph.node_type(m) == NodeType::Object);
    let class = member
        .filter(|_| is_object && place.is_some())
        .map(|m| graph.node_name(m).to_string())
        .filter(|name| !matches!(name.as_str(), "" | "Object" | "Array"));
    let case = Unknown {
        place,
        class,
        member: member.map_or_else(String::new, |m| described(context, m)),
        by_runtime: graph.node_type(site.group.owner) == NodeType::Synthetic,
    };
    Found::new(Rule::UnknownHolder, holder_path(context, site.group.owner), case)
}

impl Case for Unknown {
    fn questions(&self) -> Vec<Question> {
        match (&self.place, &self.class) {
            (Some(place), Some(class)) => vec![
                Question::Creations {
                    callees: vec![class.clone()],
                    definition: Some(place.clone()),
                    near: None,
                    on: Vec::new(),
                },
                Question::Enclosing(place.clone()),
            ],
            (Some(place), None) => vec![Question::Enclosing(place.clone())],
            _ => Vec::new(),
        }
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let site = finding.site;
        let before = site.counts.first().copied().unwrap_or(0);
        let after = site.counts.last().copied().unwrap_or(0);
        let holder = &finding.holder;
        let class = site.group.class.label();
        let made = match told.place {
            Some(place) => format!(" They are made at `{place}`."),
            None if self.member.is_empty() => String::new(),
            None => format!(" One of them is `{}`.", self.member),
        };
        let (who, fix) = if self.by_runtime {
            (
                format!("The runtime itself (`{holder}`) holds more objects of class {class} in each snapshot."),
                "What the runtime holds lives until it is closed, cleared or settled: look for what opens one of these \
                 without closing it on every way out."
                    .into(),
            )
        } else {
            (
                format!("`{holder}` holds more objects of class {class} in each snapshot."),
                "Follow the path from its root: the last name in it that is yours is where to look.".into(),
            )
        };
        Advice {
            title: format!("{class} under `{holder}`: {} → {}", grouped(before), grouped(after)),
            explanation: format!("{who}{made} No rule knows this holder yet."),
            fix,
        }
    }
}
