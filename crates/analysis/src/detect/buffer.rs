//! `buffer`: `Buffer`s and `ArrayBuffer`s that are kept.
//!
//! Their bytes lie outside the JavaScript heap, in stores that only weigh something in a snapshot because
//! V8 draws them. A view (`subarray`, `slice` of a `Buffer`) keeps the whole store it looks at: sixteen
//! bytes of header may pin a megabyte of body, and a small `Buffer.from` a pool of 8 KiB.

use leakline_heap::NodeType;

use super::bindings::bindings_of;
use super::collection::{self, Collection, CollectionKind};
use super::makeup::{MakeUp, make_up};
use super::words::holder_path;
use super::{Advice, Binding, Case, Context, Finding, Found, Question, Rule, Told, grouped};
use crate::growth::{GrowthSite, Pattern, Swelling};

/// A buffer that swells.
#[derive(Debug)]
struct Whole {
    bindings: Vec<Binding>,
}

#[derive(Debug)]
struct Buffers {
    collection: Collection,
    /// Bytes of a store, on average.
    bytes_each: u64,
    /// Several views look at one store.
    shared: bool,
}

/// Whether most of what the site keeps are stores of buffers.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    if let Pattern::Size(Swelling::Value) = site.group.pattern {
        return whole(context, site);
    }
    let (holder, collection) = collection::recognise(context, site)?;
    let MakeUp { bytes, buffers, buffer_count, views, .. } = make_up(context, site);
    if buffers.saturating_mul(2) < bytes || buffer_count == 0 {
        return None;
    }
    let case = Buffers {
        collection,
        bytes_each: buffers / buffer_count,
        shared: views >= buffer_count.saturating_mul(2),
    };
    Some(Found::new(Rule::Buffer, holder, case))
}

/// One buffer that is put together anew, larger each time.
fn whole(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let graph = context.graph();
    if graph.node_type(site.group.members.first().copied()?) != NodeType::Native {
        return None;
    }
    let owner = site.group.owner;
    let case = Whole { bindings: bindings_of(context, owner) };
    Some(Found::new(Rule::Buffer, holder_path(context, owner), case))
}

impl Case for Whole {
    fn questions(&self) -> Vec<Question> {
        if self.bindings.is_empty() {
            return Vec::new();
        }
        vec![Question::Adders {
            holders: self.bindings.clone(),
            kind: CollectionKind::Text,
            value_keys: Vec::new(),
            value_class: None,
        }]
    }

    fn no_question(&self) -> String {
        "the buffer has no name of its own in the program".into()
    }

    fn is_certain(&self) -> bool {
        // A buffer that is larger than the one before may hold a longer message.
        false
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let bytes = |n: Option<&u64>| leakline_heap::Bytes(n.copied().unwrap_or(0));
        let (before, after) =
            (bytes(finding.site.counts.first()), bytes(finding.site.counts.last()));
        let holder = &finding.holder;
        let place = told.place.map_or_else(|| "The program".into(), |p| format!("`{p}`"));
        Advice {
            title: format!("buffer `{holder}` is larger each time: {before} → {after}"),
            explanation: format!(
                "{place} replaces the buffer `{holder}` by a larger one again and again. If it is put together from \
                 itself and what is new, nothing ever takes bytes out."
            ),
            fix: format!(
                "Start `{holder}` anew when what was collected has been used: `{holder} = Buffer.alloc(0)`; or collect \
                 parts in a list, put them together once and let the list go."
            ),
        }
    }
}

impl Case for Buffers {
    fn questions(&self) -> Vec<Question> {
        self.collection.questions()
    }

    fn no_question(&self) -> String {
        self.collection.no_question()
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let site = finding.site;
        let before = site.counts.first().copied().unwrap_or(0);
        let after = site.counts.last().copied().unwrap_or(0);
        let holder = &finding.holder;
        let kind = self.collection.kind.name();
        let bytes = leakline_heap::Bytes(site.weight.retained_delta_bytes);
        let title = format!(
            "buffers in {kind} `{holder}`: {} → {}, {bytes} more",
            grouped(before),
            grouped(after)
        );
        let place = told.place.map_or_else(|| "The program".into(), |p| format!("`{p}`"));
        let snippet = told.snippet.unwrap_or_default();
        let is_view = [".subarray(", ".slice(", ".view("].iter().any(|s| snippet.contains(s));
        let each = leakline_heap::Bytes(self.bytes_each);
        let what = if is_view {
            format!(
                "What it adds is a view: however small, it keeps the whole buffer it was cut from, {each} each"
            )
        } else if self.shared {
            format!(
                "Small buffers are cut from a pool, and each keeps the whole pool it was cut from alive, {each}"
            )
        } else {
            format!(
                "Each keeps {each} outside the JavaScript heap, where `heapUsed` does not show them"
            )
        };
        let explanation = format!(
            "{place} adds buffers to the {kind} `{holder}`, and nothing takes them out. {what}."
        );
        let bound = self.collection.bound(holder);
        let fix = if is_view || self.shared {
            format!(
                "Keep a copy of the bytes that are needed, not a view: `Buffer.from(view)` for a view of a large \
                 buffer, `Buffer.alloc(n)` filled by hand for one of the pool, or a string. Then give \
                 `{holder}` a bound: {bound}"
            )
        } else {
            format!(
                "Keep buffers only as long as they are needed, and count bytes, not entries. {bound}"
            )
        };
        Advice { title, explanation, fix }
    }
}
