//! From snapshots of one process to suspects with their statements.

use std::path::PathBuf;

use leakline_analysis::detect::{
    Confidence, Context, Finding, Rule, Told, advise, detect, grouped, path_steps, path_words,
};
use leakline_analysis::growth::{Class, GrowthAnalysis, Pattern};
use leakline_analysis::{By, Scripts};
use leakline_heap::{HeapGraph, NodeId, Retainers};
use leakline_report::{Holder, InvestigationVerdict, Leaked, Per, Suspect, Suspects};
use leakline_source::SourceFiles;

use crate::culprit::{locate, settle, short_place};
use crate::events::{Event, Observer, Step};

/// What is known beside the snapshots.
#[derive(Clone, Debug, Default)]
pub struct SuspectsOptions {
    /// Folders to look for sources in, when the snapshot's own paths lead nowhere.
    pub source: Vec<PathBuf>,
    /// Requests served between the first and the last snapshot.
    pub requests: Option<u64>,
}

/// Sites must explain this much of all growth before growth seen once makes a verdict.
const MIN_SHARE_FOR_VERDICT: f64 = 0.10;

/// Other holders that are named.
const MAX_OTHER_RETAINERS: usize = 5;

/// Compares snapshots of one process, first to last, and names who is to blame.
///
/// # Panics
/// With fewer than two graphs.
pub fn suspects_of(
    graphs: &[&HeapGraph],
    options: &SuspectsOptions,
    observer: Observer<'_>,
) -> Suspects {
    let last = graphs[graphs.len() - 1];
    let (growth, retainers, scripts) = std::thread::scope(|scope| {
        let lists = scope.spawn(|| (Retainers::of(last), Scripts::of(last)));
        let growth = GrowthAnalysis::of(graphs);
        let (retainers, scripts) =
            lists.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (growth, retainers, scripts)
    });
    observer(Event::Step(
        Step::Compare,
        format!(
            "{} objects ({}) are new since the first snapshot and still alive",
            grouped(growth.growth.objects),
            leakline_heap::Bytes(growth.growth.retained_bytes)
        ),
    ));
    let context = Context { growth: &growth, retainers: &retainers, scripts: &scripts };
    let mut findings = detect(&context);
    let files = SourceFiles::new(options.source.clone());
    for finding in &mut findings {
        settle(finding, &files);
    }
    let mut suspects = Vec::new();
    for finding in &findings {
        let located = locate(finding, &scripts, &files);
        let suspect = suspect(&context, finding, located, options, suspects.len() + 1);
        if suspects.is_empty() {
            observer(Event::Step(Step::Trace, suspect.path_text.clone()));
            observer(Event::Step(
                Step::Culprit,
                suspect.culprit.as_ref().map_or_else(
                    || suspect.title.clone(),
                    |c| {
                        let shown = c.shown();
                        format!("{}:{}  {}", shown.file, shown.line, c.snippet)
                    },
                ),
            ));
        }
        suspects.push(suspect);
    }
    let verdict = verdict(&suspects, graphs.len() >= 3);
    if suspects.is_empty() {
        observer(Event::Step(Step::Trace, "no place holds more in each snapshot".into()));
    }
    Suspects {
        schema: "leakline/suspects/1",
        verdict,
        leak: verdict == InvestigationVerdict::Leak,
        limits: limits(&growth, graphs.len()),
        comparable: growth.comparable,
        growth: growth.growth,
        suspects,
    }
}

/// The same for threads.
const MIN_WORKERS: u64 = 8;

/// Additional objects from which on growth that repeats is a leak, however little it is beside a warm-up.
const MIN_REPEATED: u64 = 48;

fn verdict(suspects: &[Suspect], repeated: bool) -> InvestigationVerdict {
    let sure = || suspects.iter().filter(|s| s.confidence >= Confidence::Medium);
    // Shares may overlap, so the sum is no share; it says that what grows is explained by leaks.
    let explained: f64 = sure().map(|s| s.leaked.share_of_growth).sum();
    if explained >= MIN_SHARE_FOR_VERDICT {
        return InvestigationVerdict::Leak;
    }
    let steady = |s: &&Suspect| {
        let mut steps = s.leaked.counts.windows(2).map(|w| w[1].saturating_sub(w[0]));
        let (largest, last) = (steps.clone().max(), steps.next_back());
        last.map(|l| l * 2) >= largest
    };
    // No program needs dozens of new listeners of one kind; for a collection growth once may be its filling.
    let telling = |s: &&Suspect| repeated || matches!(s.rule, Rule::EventListener | Rule::Worker);
    // A thread more costs megabytes, of which its few objects in this heap say nothing.
    let enough = |s: &Suspect| match s.rule {
        Rule::Worker => s.leaked.count_delta >= MIN_WORKERS,
        _ => s.leaked.count_delta >= MIN_REPEATED,
    };
    if sure().filter(steady).filter(telling).any(enough) {
        return InvestigationVerdict::Leak;
    }
    // Something of weight grows, but under a holder no rule knows: say so instead of "no leak".
    if suspects.iter().any(|s| s.leaked.share_of_growth >= 0.5 && s.leaked.count_delta >= 100) {
        return InvestigationVerdict::Inconclusive;
    }
    InvestigationVerdict::NoLeak
}

fn limits(growth: &GrowthAnalysis<'_>, snapshots: usize) -> Vec<String> {
    let mut limits = Vec::new();
    if snapshots < 3 {
        limits.push(
            "two snapshots show growth once; a third, taken after as much load again, would show that it \
             repeats, and tell a leak from a cache that is filling"
                .into(),
        );
    }
    let last = growth.last();
    let threads = last.nodes().filter(|n| last.node_name(*n) == "Node / Worker").count();
    if threads > 0 {
        limits.push(format!(
            "the process runs {threads} worker {}, whose heaps these snapshots do not hold: where memory rises and \
             this heap does not, compare snapshots that are taken in the worker (`worker.getHeapSnapshot()`)",
            if threads == 1 { "thread" } else { "threads" }
        ));
    }
    if growth.comparable.by == By::Shape {
        limits
            .push(format!("{}. Places were compared instead of objects", growth.comparable.reason));
    }
    limits
}

fn suspect(
    context: &Context<'_>,
    finding: &Finding<'_>,
    located: crate::culprit::Located,
    options: &SuspectsOptions,
    rank: usize,
) -> Suspect {
    let graph = context.graph();
    let site = finding.site;
    let place = located.culprit.as_ref().map(short_place);
    let advice = advise(
        finding,
        Told {
            snippet: located.culprit.as_ref().map(|c| c.snippet.as_str()),
            place: place.as_deref(),
            function: located.culprit.as_ref().and_then(|c| c.function.as_deref()),
            requests: options.requests,
        },
    );
    let sample = sample(graph, finding);
    // What is held several times may have its shortest path elsewhere; then the holder's path is what is asked for.
    let through_owner = |owner: &NodeId| context.growth.tree.contains(*owner, sample);
    let shown = if site.group.owners.iter().any(through_owner) { sample } else { site.group.owner };
    let (emitter, event) = finding.case.emitter().unzip();
    let delta = site.delta();
    let bytes = site.weight.retained_delta_bytes;
    let leaked = Leaked {
        constructor: site.group.class.label().to_string(),
        count_before: site.counts.first().copied().unwrap_or(0),
        count_after: site.counts.last().copied().unwrap_or(0),
        count_delta: delta,
        counts: site.counts.clone(),
        bytes_each: bytes / delta.max(1),
        per: options.requests.filter(|r| *r > 0).map(|requests| Per {
            unit: "request",
            rate: (delta as f64 / requests as f64 * 1000.0).round() / 1000.0,
        }),
        retained_delta_bytes: bytes,
        share_of_growth: share(bytes, context.growth.growth.retained_bytes),
        freed_if_cut_bytes: site.weight.freed_if_cut_bytes,
    };
    Suspect {
        rank,
        rule: finding.rule,
        title: advice.title,
        // How sure the whole answer is, statement included.
        confidence: if located.guessed {
            finding.confidence.min(Confidence::Medium)
        } else {
            finding.confidence
        },
        holder: Holder {
            id: format!("@{}", graph.object_id(site.group.owner)),
            path: finding.holder.clone(),
            emitter: emitter.map(ToString::to_string),
            event: event.flatten().map(ToString::to_string),
        },
        leaked,
        culprit: located.culprit,
        path: path_steps(context, shown),
        path_text: finding.case.path().unwrap_or_else(|| path_words(context, shown)),
        other_retainers: other_retainers(context, finding, sample),
        explanation: advice.explanation,
        fix: advice.fix,
        notes: located.notes,
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 10_000.0).round() / 10_000.0 }
}

fn sample(graph: &HeapGraph, finding: &Finding<'_>) -> NodeId {
    let group = &finding.site.group;
    // The first of a chain is nearest to who holds it.
    if matches!(group.pattern, Pattern::Chain(_)) {
        return group.members.first().copied().unwrap_or(group.owner);
    }
    let main = group.members.iter().rev().find(|m| Class::of(graph, **m) == group.class);
    main.or(group.members.last()).copied().unwrap_or(group.owner)
}

/// Who else holds the sample, when cutting the holder's links would not free the group.
fn other_retainers(context: &Context<'_>, finding: &Finding<'_>, sample: NodeId) -> Vec<String> {
    let weight = finding.site.weight;
    // A tenth less is rounding and shared parts, not another holder.
    if weight.freed_if_cut_bytes.saturating_mul(10) >= weight.retained_delta_bytes.saturating_mul(9)
    {
        return Vec::new();
    }
    let graph = context.graph();
    let group = &finding.site.group;
    let mut found = Vec::new();
    for held in context.retainers.of_node(sample) {
        let own = held.from == group.owner || group.stores.contains(&held.from);
        if own
            || !context.growth.essential.is_essential(held.edge)
            || !context.growth.tree.is_reached(held.from)
            || context.growth.tree.contains(sample, held.from)
        {
            continue;
        }
        let label = graph.edge_label(graph.edge(held.edge));
        found.push(format!("{} ({label})", path_words(context, held.from)));
        if found.len() >= MAX_OTHER_RETAINERS {
            break;
        }
    }
    found
}
