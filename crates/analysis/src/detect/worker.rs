//! `worker`: worker threads, message ports and broadcast channels that are never ended.
//!
//! They live by native handles until they end or are closed, whoever refers to them. A worker's own heap is not
//! in this snapshot: what it costs is a few kilobytes here and several megabytes outside.

use leakline_heap::{NodeId, NodeType};

use super::words::holder_path;
use super::{Advice, Case, Context, Finding, Found, Question, Rule, Told, grouped, sample};
use crate::growth::{GrowthSite, Pattern};
use crate::scripts::property;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Worker,
    Port,
    Broadcast,
}

#[derive(Debug)]
struct Threads {
    kind: Kind,
    /// Held by handles alone, not by a collection of the program's.
    by_handles: bool,
    /// Held by a collection of the runtime's.
    by_runtime: bool,
}

/// Whether the site's members are workers or ports.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let graph = context.graph();
    let value = sample(graph, site)?;
    let kind = kind_of(context, site, value)?;
    let by_root = graph.node_type(site.group.owner) == NodeType::Synthetic;
    let in_collection =
        matches!(site.group.pattern, Pattern::Entries | Pattern::Elements | Pattern::Keys);
    let by_handles =
        by_root || !in_collection || !super::words::is_named_by_program(context, site.group.owner);
    let holder = if by_handles {
        match kind {
            Kind::Worker => "worker threads".to_string(),
            Kind::Port => "open message ports".to_string(),
            Kind::Broadcast => "open broadcast channels".to_string(),
        }
    } else {
        holder_path(context, site.group.owner)
    };
    Some(Found::new(
        Rule::Worker,
        holder,
        Threads { kind, by_handles, by_runtime: by_handles && in_collection },
    ))
}

/// Links upwards from a port to the worker or channel it belongs to.
const MAX_LINKS: usize = 3;

/// Holders of one object that are looked at.
const MAX_HOLDERS: usize = 32;

/// Members that are looked at: a worker has several ports, and not each leads to it.
const MAX_MEMBERS: usize = 6;

fn kind_of(context: &Context<'_>, site: &GrowthSite, value: NodeId) -> Option<Kind> {
    let graph = context.graph();
    match graph.node_name(value) {
        "Worker" | "Node / Worker" => Some(Kind::Worker),
        "BroadcastChannel" => Some(Kind::Broadcast),
        "MessagePort" | "Node / MessagePort" => {
            // Ports belong to workers and channels; those are what the program made.
            let members = site.group.members.iter().rev().take(MAX_MEMBERS);
            let kinds: Vec<Kind> = members.filter_map(|m| belongs_to(context, *m)).collect();
            let of = |kind: Kind| kinds.contains(&kind).then_some(kind);
            of(Kind::Worker).or_else(|| of(Kind::Broadcast)).or(Some(Kind::Port))
        }
        "MessageChannel" if property(graph, value, "port1").is_some() => Some(Kind::Port),
        _ => None,
    }
}

/// The worker or broadcast channel that a port is a part of.
fn belongs_to(context: &Context<'_>, port: NodeId) -> Option<Kind> {
    let graph = context.graph();
    let mut level = vec![port];
    let mut seen = level.clone();
    for _ in 0..MAX_LINKS {
        let mut above = Vec::new();
        for &node in &level {
            for held in context.retainers.of_node(node).take(MAX_HOLDERS) {
                match graph.node_name(held.from) {
                    "Worker" if graph.node_type(held.from) == NodeType::Object => {
                        return Some(Kind::Worker);
                    }
                    "BroadcastChannel" => return Some(Kind::Broadcast),
                    _ => {}
                }
                let passes = matches!(
                    graph.node_type(held.from),
                    NodeType::Object | NodeType::Native | NodeType::Closure
                ) && graph.edge_text(graph.edge(held.edge)) != Some("__proto__");
                if passes && above.len() < 64 && !seen.contains(&held.from) {
                    above.push(held.from);
                    seen.push(held.from);
                }
            }
        }
        level = above;
    }
    None
}

impl Case for Threads {
    fn questions(&self) -> Vec<Question> {
        let callees: &[&str] = match self.kind {
            Kind::Worker => &["Worker", "worker_threads.Worker"],
            Kind::Port => &["MessageChannel", "worker_threads.MessageChannel"],
            Kind::Broadcast => &["BroadcastChannel", "worker_threads.BroadcastChannel"],
        };
        vec![Question::creations(callees)]
    }

    fn least(&self) -> u64 {
        // A thread costs megabytes; nobody needs four more in each gap.
        if self.kind == Kind::Worker { 4 } else { super::MIN_DELTA }
    }

    fn lives_by_handles(&self) -> bool {
        true
    }

    fn echo(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Worker if self.by_handles => Some("workers"),
            // The runtime lists a port of its own for each thread.
            Kind::Port if self.by_runtime => Some("workers"),
            Kind::Port if self.by_handles => Some("ports"),
            Kind::Broadcast if self.by_handles => Some("channels"),
            _ => None,
        }
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let site = finding.site;
        let before = grouped(site.counts.first().copied().unwrap_or(0));
        let after = grouped(site.counts.last().copied().unwrap_or(0));
        let place = told.place.map_or_else(|| "The program".into(), |p| format!("`{p}`"));
        let also = if self.by_handles {
            String::new()
        } else {
            format!(" `{}` lists them as well, so take them out of it too.", finding.holder)
        };
        let (title, explanation, fix) = match self.kind {
            Kind::Worker => (
                format!("worker threads that have not ended: {before} → {after} objects"),
                format!(
                    "{place} starts worker threads again and again, and they do not end: a worker lives as long as it \
                     has a timer, a listener on its port or an open handle. Each has a heap of its own, which this \
                     snapshot does not show; in the process it costs several megabytes."
                ),
                "Start a few workers when the program starts and give them work by messages (a pool), or end each one: \
                 `worker.once('message', (result) => { …; worker.terminate() })`, and on 'error' too."
                    .to_string(),
            ),
            Kind::Port => (
                format!("message ports that are open: {before} → {after}"),
                format!(
                    "{place} opens a message channel again and again, and its ports are not closed. A port with a \
                     listener stays open, and both ends stay alive with everything their listeners refer to."
                ),
                "Close one end when the answer is there: `port1.once('message', (answer) => { …; port1.close() })`. Or use \
                 one channel for all and number the messages."
                    .to_string(),
            ),
            Kind::Broadcast => (
                format!("broadcast channels that are open: {before} → {after}"),
                format!(
                    "{place} opens a broadcast channel again and again, and none is closed. Each stays open until \
                     `close()`, whether or not anybody refers to it."
                ),
                "Open the channel once, when the program starts, or `close()` it when what it was opened for ends."
                    .to_string(),
            ),
        };
        Advice { title, explanation, fix: fix + &also }
    }
}
