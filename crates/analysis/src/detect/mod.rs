//! Detectors: from a growth site to a finding that names the family of the leak and who holds it.
//!
//! Each detector has its own file and answers two questions. `check`: is this site of my family, and which
//! object, event, variable is it? `advise`: what should the user be told, with the names from their heap
//! and, once `source` has found it, the statement from their file. A finding states claim, evidence and
//! confidence; it computes nothing that the site does not hold.

mod async_context;
mod bindings;
mod buffer;
mod case;
mod chain;
mod code_growth;
mod collection;
mod event_listener;
mod event_target;
mod kept;
mod logger;
mod makeup;
mod memoize_cache;
mod metric_labels;
mod middleware;
mod model;
mod module_growth;
mod native_handle;
mod overlap;
mod pending_promise;
mod question;
mod rules;
mod runtime_calls;
mod session_store;
mod shared_context;
mod spoken;
mod stream;
mod string_parent;
mod timer;
mod unknown;
mod words;
mod worker;

use leakline_heap::{HeapGraph, NodeId, NodeType, Retainers};
use serde::Serialize;

pub use bindings::Binding;
pub use case::Case;
pub use collection::CollectionKind;
pub use question::{Question, ScopeAnswer, ScopeQuestion};
pub use rules::{Rule, all_rules};
pub use words::{holder_path, path_steps, path_words};

use crate::comparability::By;
use crate::growth::{GrowthAnalysis, GrowthSite, Pattern, Tenure};
use crate::scripts::Scripts;
use case::Found;

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A hint: little growth, or only the runtime's own objects.
    Low,
    /// Seen once, or without comparable ids.
    Medium,
    /// Seen to repeat, with the holder known.
    High,
}

/// What a growth site turned out to be.
#[derive(Debug)]
pub struct Finding<'a> {
    /// The family.
    pub rule: Rule,
    /// The place and its numbers.
    pub site: &'a GrowthSite,
    /// Who holds, as a JavaScript developer would write it: `process`, `cache`, `server.sessions`.
    pub holder: String,
    /// What the family knows beyond that.
    pub case: Box<dyn Case>,
    /// How sure.
    pub confidence: Confidence,
}

/// What is known beside the heap when a finding is put into words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'a> {
    /// The statement that adds, on one line.
    pub snippet: Option<&'a str>,
    /// `app.js:14`.
    pub place: Option<&'a str>,
    /// The function around the statement.
    pub function: Option<&'a str>,
    /// Requests served between first and last snapshot.
    pub requests: Option<u64>,
}

/// Words for a finding: what happens, why it leaks, what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// One line: the claim.
    pub title: String,
    /// Why it leaks, in plain words.
    pub explanation: String,
    /// What to change.
    pub fix: String,
}

/// What every detector may look at.
pub struct Context<'a> {
    /// The comparison.
    pub growth: &'a GrowthAnalysis<'a>,
    /// Who holds whom in the last snapshot.
    pub retainers: &'a Retainers,
    /// Which file is which.
    pub scripts: &'a Scripts,
}

impl<'a> Context<'a> {
    /// The last snapshot.
    pub fn graph(&self) -> &'a HeapGraph {
        self.growth.last()
    }
}

/// A last step below this share of the largest is level: a cache that reached its bound, a pool that is full.
const LEVEL: u64 = 20;

/// A last step below this share of the largest is levelling off: the snapshots were taken after unequal load, or
/// the owner is filling up. Which of both, only another snapshot can tell.
const LEVELLING: u64 = 3;

/// Fewer additional objects than this may be chance: sockets in flight, timers under way.
const MIN_DELTA: u64 = 16;

/// Below this share of all growth a site is no explanation of it.
const MIN_SHARE: f64 = 0.01;

/// Growth of a few kilobytes between snapshots happens in every program.
const MIN_BYTES: u64 = 4 << 10;

/// Looks at a site and says whether it is of its family.
type Detector = fn(&Context<'_>, &GrowthSite) -> Option<Found>;

/// Every family's detector, the most specific first: the first that recognises a site has it.
const DETECTORS: &[Detector] = &[
    event_listener::check,
    module_growth::check,
    worker::check,
    event_target::check,
    timer::check,
    native_handle::check,
    pending_promise::check,
    async_context::check,
    stream::check,
    metric_labels::check,
    session_store::check,
    middleware::check,
    model::check,
    logger::check,
    memoize_cache::check,
    code_growth::check,
    string_parent::check,
    buffer::check,
    shared_context::check,
    chain::check,
    collection::check,
];

/// Names all sites that grow like a leak, heaviest first.
pub fn detect<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    let total = context.growth.growth.retained_bytes.max(1) as f64;
    let mut findings: Vec<Finding<'a>> = Vec::new();
    for site in &context.growth.sites {
        let bytes = site.weight.retained_delta_bytes;
        if !keeps_growing(site)
            || is_runtime_table(context, site)
            || bytes < MIN_BYTES
            || (bytes as f64) / total < MIN_SHARE
        {
            continue;
        }
        let found = DETECTORS.iter().find_map(|check| check(context, site));
        // What the runtime keeps for itself, no statement of the program's brought there.
        if found.is_none() && matches!(site.group.pattern, Pattern::Kept(_)) {
            continue;
        }
        let Found { rule, holder, case } = found.unwrap_or_else(|| unknown::check(context, site));
        if site.delta() < case.least() {
            continue;
        }
        let mut confidence = confidence(context, site, rule, &*case);
        if !case.is_certain() {
            confidence = Confidence::Low;
        }
        findings.push(Finding { rule, site, holder, case, confidence });
    }
    let mut findings = without_echoes(findings);
    overlap::doubt_what_expires(context, &mut findings);
    // A confident finding leads even when something vague weighs more.
    findings.sort_by_key(|f| {
        let vague = f.confidence == Confidence::Low;
        (vague, std::cmp::Reverse(f.site.weight.retained_delta_bytes))
    });
    overlap::settle(context, findings)
}

/// Leaves out what is another side of a heavier finding: sites come heaviest first.
fn without_echoes(findings: Vec<Finding<'_>>) -> Vec<Finding<'_>> {
    let mut echoes: Vec<&'static str> = Vec::new();
    let mut kept: Vec<Finding<'_>> = Vec::new();
    for finding in findings {
        if let Some(echo) = finding.case.echo() {
            if echoes.contains(&echo) {
                continue;
            }
            echoes.push(echo);
        }
        // The keys of a map whose values are a finding already.
        let group = &finding.site.group;
        let is_key = group.pattern == Pattern::Entries && group.class.kind.is_string();
        let with_values = |f: &Finding<'_>| {
            f.site.group.owner == group.owner && f.site.group.pattern == Pattern::Entries
        };
        if is_key && kept.iter().any(with_values) {
            continue;
        }
        kept.push(finding);
    }
    kept
}

/// Puts a finding into words.
pub fn advise(finding: &Finding<'_>, told: Told<'_>) -> Advice {
    finding.case.advise(finding, told)
}

fn keeps_growing(site: &GrowthSite) -> bool {
    if !site.grows_in_every_gap() || site.tenure == Tenure::Churns {
        return false;
    }
    let (largest, last) = steps(site);
    last * LEVEL >= largest
}

/// The largest step from one snapshot to the next, and the last one.
fn steps(site: &GrowthSite) -> (u64, u64) {
    let mut steps = site.counts.windows(2).map(|w| w[1].saturating_sub(w[0]));
    (steps.clone().max().unwrap_or(0), steps.next_back().unwrap_or(0))
}

/// Names of V8's own tables: what they hold, they hold for others.
fn is_runtime_table(context: &Context<'_>, site: &GrowthSite) -> bool {
    let graph = context.graph();
    graph.node_type(site.group.owner) == NodeType::Synthetic && site.group.class.kind.is_string()
}

/// Links from an object to the native handle that keeps it.
const MAX_HANDLE_LINKS: usize = 3;

/// Whether the members live by handles of the operating system: open sockets stay open whoever lists them.
fn live_by_handles(context: &Context<'_>, site: &GrowthSite) -> bool {
    let weight = site.weight;
    if weight.freed_if_cut_bytes.saturating_mul(10) >= weight.retained_delta_bytes {
        return false;
    }
    let graph = context.graph();
    let Some(sample) = sample(graph, site) else { return false };
    let mut level = vec![sample];
    for _ in 0..MAX_HANDLE_LINKS {
        let mut above = Vec::new();
        for &node in &level {
            for held in context.retainers.of_node(node) {
                if !context.growth.essential.is_essential(held.edge)
                    || site.group.owners.contains(&held.from)
                    || site.group.stores.contains(&held.from)
                {
                    continue;
                }
                let is_handle = graph.node_name(held.from) == "(Global handles)"
                    || graph.edge_text(graph.edge(held.edge)) == Some("native_to_javascript");
                if is_handle {
                    return true;
                }
                // What many hold is no handle of this one object.
                if above.len() < 64 {
                    above.push(held.from);
                }
            }
        }
        level = above;
    }
    false
}

fn confidence(context: &Context<'_>, site: &GrowthSite, rule: Rule, case: &dyn Case) -> Confidence {
    let (largest, last) = steps(site);
    // The runtime's own collections grow while a program loads and warms up.
    let of_runtime = || {
        matches!(rule, Rule::Collection | Rule::Stream | Rule::PendingPromise)
            && !matches!(site.group.pattern, Pattern::Kept(_))
            && !words::is_named_by_program(context, site.group.owner)
    };
    // By shape an owner that is found only in the last snapshot may be an old one that was not recognised.
    let unmatched = || {
        rule != Rule::EventListener
            && context.growth.comparable.by == By::Shape
            && context.growth.earlier.first().is_some_and(|at| at.is_new(site.group.owner))
    };
    if rule == Rule::UnknownHolder
        || unmatched()
        || last * LEVELLING < largest
        || of_runtime()
        || (rule != Rule::NativeHandle
            && !case.lives_by_handles()
            && live_by_handles(context, site))
    {
        return Confidence::Low;
    }
    let seen_twice = context.growth.graphs.len() >= 3;
    if seen_twice && context.growth.comparable.by == By::Id && site.delta() >= 2 * case.least() {
        Confidence::High
    } else {
        Confidence::Medium
    }
}

/// `12,345`: numbers people read.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(d);
    }
    out
}

/// The first few of a list for a sentence: `a, b and c`.
pub(crate) fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().take(4).map(|n| format!("`{n}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// A sample of the site's members of its main class.
pub(crate) fn sample(graph: &HeapGraph, site: &GrowthSite) -> Option<NodeId> {
    let is_main = |n: &&NodeId| crate::growth::Class::of(graph, **n) == site.group.class;
    let members = &site.group.members;
    // The first of a chain is the one nearest to who holds it.
    if matches!(site.group.pattern, Pattern::Chain(_)) {
        return members.first().copied();
    }
    members.iter().rev().find(is_main).or_else(|| members.last()).copied()
}
