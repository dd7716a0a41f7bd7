//! Findings that are one leak seen twice.
//!
//! What the runtime keeps is counted by kind, and the same objects may hang in a collection too: timers in a `Map` of
//! the program's, sockets in V8's list of global handles. Where the collection is the runtime's own it explains
//! nothing beside the finding of the kind and is dropped. Where it is the program's, both stay, and the more specific
//! one comes first. And a collection may have a timer for each entry that takes it out. O(members), for the few findings there are.

use leakline_heap::{EdgeType, NodeId};

use super::{Confidence, Context, Finding, words};
use crate::growth::{Kept, Pattern, unbound};
use crate::scripts::{internal, property};

/// Members that are compared; the overlap of two lists is told by far fewer.
const MAX_COMPARED: usize = 4096;

/// Drops findings of the runtime's lists that others explain, and puts the specific before the general.
pub(super) fn settle<'a>(context: &Context<'_>, findings: Vec<Finding<'a>>) -> Vec<Finding<'a>> {
    let keeps: Vec<bool> =
        findings.iter().map(|f| !findings.iter().any(|by| is_explained(context, f, by))).collect();
    let mut keeps = keeps.into_iter();
    let mut kept: Vec<Finding<'a>> =
        findings.into_iter().filter(|_| keeps.next().unwrap_or(true)).collect();
    for at in 1..kept.len() {
        if is_of_runtime(&kept[at]) && kept[at].confidence > Confidence::Low {
            // Its own objects in a collection that weighs more by its keys and its table.
            let same = |f: &Finding<'_>| {
                !is_of_runtime(f) && share_inside(&kept[at], &f.site.group.members) > 0.8
            };
            if let Some(before) = kept[..at].iter().position(same) {
                kept[before..=at].rotate_right(1);
            }
        }
    }
    kept
}

/// Timers of a population that are asked what they refer to.
const MAX_TIMERS: usize = 256;

/// Lowers the confidence in collections whose entries have a timer each that will take them out soon: the timer's
/// function refers to the entry's key or value. Such a cache levels off once the first timers have run.
pub(super) fn doubt_what_expires(context: &Context<'_>, findings: &mut [Finding<'_>]) {
    let expiring: Vec<usize> = (0..findings.len())
        .filter(|&at| {
            let f = &findings[at];
            f.confidence > Confidence::Low && !is_of_runtime(f) && has_timers(context, f, findings)
        })
        .collect();
    for at in expiring {
        findings[at].confidence = Confidence::Low;
    }
}

fn has_timers(context: &Context<'_>, finding: &Finding<'_>, findings: &[Finding<'_>]) -> bool {
    let graph = context.graph();
    let members = &finding.site.group.members;
    let refers = |timer: NodeId| {
        let Some(function) = property(graph, timer, "_onTimeout") else { return false };
        let scope = internal(graph, unbound(graph, function), "context");
        let arguments = property(graph, timer, "_timerArgs");
        scope.into_iter().chain(arguments).flat_map(|n| graph.edges(n).take(32)).any(|e| {
            matches!(e.kind, EdgeType::Context | EdgeType::Element)
                && members.binary_search(&e.to).is_ok()
        })
    };
    findings.iter().any(|timers| {
        let soon = timers.site.group.pattern == Pattern::Kept(Kept::Timer)
            && timers.confidence == Confidence::Low;
        let of_class = |n: &&NodeId| graph.node_name(**n) == "Timeout";
        let sample: Vec<NodeId> =
            timers.site.group.members.iter().filter(of_class).take(MAX_TIMERS).copied().collect();
        soon && !sample.is_empty()
            && sample.iter().filter(|t| refers(**t)).count() * 5 >= sample.len() * 4
    })
}

fn is_of_runtime(finding: &Finding<'_>) -> bool {
    matches!(finding.site.group.pattern, Pattern::Kept(_))
}

/// Whether a vague finding of the runtime's own lists is what a sure one is about.
fn is_explained(context: &Context<'_>, vague: &Finding<'_>, by: &Finding<'_>) -> bool {
    if vague.confidence != Confidence::Low
        || by.confidence == Confidence::Low
        || is_of_runtime(vague)
        || !is_of_runtime(by)
        || words::is_named_by_program(context, vague.site.group.owner)
    {
        return false;
    }
    let tree = &context.growth.tree;
    let below = |outer: &[NodeId], inner: &[NodeId]| {
        // Ranges of a tree are disjoint or nested, so the last that begins before a node decides, or one around it.
        let mut ranges: Vec<std::ops::Range<u32>> =
            outer.iter().filter(|n| tree.is_reached(**n)).map(|n| tree.range(*n)).collect();
        ranges.sort_unstable_by_key(|r| (r.start, std::cmp::Reverse(r.end)));
        let mut end = 0;
        ranges.retain(|r| {
            r.start >= end && {
                end = r.end;
                true
            }
        });
        let compared = inner.len().min(MAX_COMPARED);
        let inside = inner.iter().take(compared).filter(|n| {
            let at = tree.position(**n);
            let next = ranges.partition_point(|r| r.start <= at);
            next > 0 && at < ranges[next - 1].end
        });
        inside.count() * 2 > compared
    };
    let (a, b) = (&vague.site.group.members, &by.site.group.members);
    below(b, a) || below(a, b)
}

/// The share of the finding's own members that are in a sorted list.
fn share_inside(finding: &Finding<'_>, list: &[NodeId]) -> f64 {
    let members = &finding.site.group.members;
    let compared = members.len().min(MAX_COMPARED);
    let inside = members.iter().take(compared).filter(|m| list.binary_search(m).is_ok()).count();
    inside as f64 / compared.max(1) as f64
}
