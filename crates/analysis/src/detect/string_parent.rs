//! `string-parent`: small pieces that keep large strings.
//!
//! V8 does not copy the text of a substring of 13 characters and more; it notes where in its parent it
//! stands and keeps the parent. An id that was cut out of a body keeps the whole body. And `text += line`
//! keeps every piece that was ever added.

use leakline_heap::{NodeId, NodeType};

use super::bindings::bindings_of;
use super::collection::{self, Collection, CollectionKind};
use super::makeup::make_up;
use super::words::holder_path;
use super::{Advice, Binding, Case, Context, Finding, Found, Question, Rule, Told, grouped};
use crate::growth::{GrowthSite, Pattern, Swelling};

#[derive(Debug)]
enum Strings {
    /// Pieces in a collection.
    Pieces { collection: Collection, bytes_each: u64 },
    /// One string that is added to.
    Rope { bindings: Vec<Binding>, is_one: bool, is_certain: bool },
}

/// Whether most of what the site keeps are strings that pieces of them keep, or one string that grows.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    if let Pattern::Chain(cycle) = &site.group.pattern {
        let is_rope = cycle.entry.class.kind == NodeType::String
            && cycle.links.iter().all(|l| matches!(l.name.as_deref(), Some("first" | "second")));
        return is_rope.then(|| rope(context, site)).flatten();
    }
    if let Pattern::Size(swelling) = site.group.pattern {
        return text(context, site, swelling);
    }
    let (holder, collection) = collection::recognise(context, site)?;
    let made = make_up(context, site);
    if made.pieces == 0 || !made.mostly(made.pinned) {
        return None;
    }
    let bytes_each = made.pinned / made.pieces;
    Some(Found::new(Rule::StringParent, holder, Strings::Pieces { collection, bytes_each }))
}

fn rope(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let graph = context.graph();
    // The head is the member nearest to the root.
    let tree = &context.growth.tree;
    let head = site
        .group
        .members
        .iter()
        .copied()
        .find(|m| tree.parent(*m).is_some_and(|up| up.from == site.group.owner))?;
    let mut top: NodeId = head;
    // The newest strings may stand above the chain; its name is the first one's.
    for _ in 0..8 {
        match tree.parent(top) {
            Some(up) if graph.node_type(up.from).is_string() => top = up.from,
            _ => break,
        }
    }
    let bindings = bindings_of(context, top);
    let case = Strings::Rope { bindings, is_one: false, is_certain: true };
    Some(Found::new(Rule::StringParent, holder_path(context, top), case))
}

/// One string that is put together anew, longer each time.
fn text(context: &Context<'_>, site: &GrowthSite, swelling: Swelling) -> Option<Found> {
    let owner = site.group.owner;
    if !context.graph().node_type(owner).is_string() {
        return None;
    }
    let bindings = bindings_of(context, owner);
    let is_certain = swelling == Swelling::Text;
    let case = Strings::Rope { bindings, is_one: true, is_certain };
    Some(Found::new(Rule::StringParent, holder_path(context, owner), case))
}

impl Case for Strings {
    fn questions(&self) -> Vec<Question> {
        match self {
            Self::Pieces { collection, .. } => collection.questions(),
            Self::Rope { bindings, .. } if bindings.is_empty() => Vec::new(),
            Self::Rope { bindings, .. } => vec![Question::Adders {
                holders: bindings.clone(),
                kind: CollectionKind::Text,
                value_keys: Vec::new(),
                value_class: None,
            }],
        }
    }

    fn no_question(&self) -> String {
        match self {
            Self::Pieces { collection, .. } => collection.no_question(),
            Self::Rope { .. } => "the string has no name of its own in the program".into(),
        }
    }

    fn is_certain(&self) -> bool {
        !matches!(self, Self::Rope { is_certain: false, .. })
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let site = finding.site;
        let before = grouped(site.counts.first().copied().unwrap_or(0));
        let after = grouped(site.counts.last().copied().unwrap_or(0));
        let holder = &finding.holder;
        let place = told.place.map_or_else(|| "The program".into(), |p| format!("`{p}`"));
        match self {
            Self::Pieces { collection, bytes_each } => {
                let kind = collection.kind.name();
                let each = leakline_heap::Bytes(*bytes_each);
                let title = format!(
                    "pieces of large strings in {kind} `{holder}`: {before} → {after}, {each} kept by each"
                );
                let explanation = format!(
                    "{place} keeps strings in the {kind} `{holder}` that were cut out of larger ones (by \
                     `slice`, `substring`, `split` or a regular expression). V8 does not copy such a piece: it \
                     keeps the whole string it was cut from, {each} each, and nothing takes the entries out."
                );
                let fix = format!(
                    "Keep a copy of the piece, so that the large string can go: `Buffer.from(piece).toString()` \
                     or `structuredClone(piece)`. And give `{holder}` a bound: {}",
                    collection.bound(holder)
                );
                Advice { title, explanation, fix }
            }
            Self::Rope { is_one, .. } => Advice {
                title: format!(
                    "string `{holder}` is added to: {before} → {after} {}",
                    if *is_one { "bytes" } else { "pieces" }
                ),
                explanation: format!(
                    "{place} appends to the string `{holder}` again and again, and nothing starts it anew. V8 \
                     keeps all of its pieces."
                ),
                fix: format!(
                    "Write what is appended to a stream or file, or keep only its end: `{holder} = \
                     ({holder} + text).slice(-65536)`."
                ),
            },
        }
    }
}
