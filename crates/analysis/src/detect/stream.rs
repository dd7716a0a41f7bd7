//! `stream`: streams, responses and sockets that a registry keeps, or that a source is piped into for ever.
//!
//! A stream keeps its buffers, its peer and its listeners. A list of clients that is added to when one connects and
//! not taken from when it leaves therefore keeps more than it seems to.

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};

use super::spoken::{counts, how_often, in_function, subject};
use super::words::holder_path;
use super::{Advice, Case, Context, Finding, Found, Question, Rule, Told, collection, sample};
use crate::growth::{GrowthSite, Pattern};
use crate::scripts::property;

/// A registry of streams.
#[derive(Debug)]
struct Registry {
    collection: Box<dyn Case>,
    /// The class of the streams.
    class: String,
}

/// Streams that one source is piped into.
#[derive(Debug)]
struct Pipes {
    source: String,
    /// Names of the source and of the classes it is of.
    names: Vec<String>,
}

/// Links to a list or a state that are looked at: each target's listeners hold the source's state too.
const MAX_RETAINERS: usize = 1 << 16;

/// Whether the site is a collection of streams.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    if !matches!(site.group.pattern, Pattern::Entries | Pattern::Elements | Pattern::Keys) {
        return None;
    }
    let graph = context.graph();
    let class = stream_in(graph, sample(graph, site)?)?;
    if let Some(source) = piped_from(context, site.group.owner) {
        let holder = holder_path(context, source);
        let names = names_of(context, source, &holder);
        return Some(Found::new(Rule::Stream, holder.clone(), Pipes { source: holder, names }));
    }
    let Found { holder, case, .. } = collection::check(context, site)?;
    Some(Found::new(Rule::Stream, holder, Registry { collection: case, class }))
}

/// The class of the stream that a member is, or has: `{ id, res }`.
fn stream_in(graph: &HeapGraph, member: NodeId) -> Option<String> {
    if let Some(class) = stream_class(graph, member) {
        return Some(class);
    }
    // Objects of classes of their own have streams for their own reasons.
    if graph.node_type(member) != NodeType::Object
        || !matches!(graph.node_name(member), "Object" | "Array")
    {
        return None;
    }
    let parts = graph.edges(member).take(32);
    let mut held = parts.filter(|e| {
        matches!(e.kind, EdgeType::Property | EdgeType::Element)
            && graph.edge_text(*e) != Some("__proto__")
    });
    held.find_map(|e| stream_class(graph, e.to))
}

fn stream_class(graph: &HeapGraph, node: NodeId) -> Option<String> {
    if graph.node_type(node) != NodeType::Object {
        return None;
    }
    let has = |name: &str| property(graph, node, name).is_some();
    // Messages of HTTP are streams of their own making.
    let is_message = || has("outputData") && has("_header");
    // A prototype has neither.
    let is_stream = has("_readableState") || has("_writableState") || is_message();
    is_stream.then(|| graph.node_name(node).to_string())
}

/// The stream whose list of targets this is.
fn piped_from(context: &Context<'_>, list: NodeId) -> Option<NodeId> {
    let graph = context.graph();
    let holder = |node: NodeId, names: &[&str]| {
        context.retainers.of_node(node).take(MAX_RETAINERS).find_map(|held| {
            let edge = graph.edge(held.edge);
            let fits = edge.kind == EdgeType::Property
                && graph.edge_text(edge).is_some_and(|name| names.contains(&name));
            fits.then_some(held.from)
        })
    };
    let state = holder(list, &["pipes"])?;
    holder(state, &["_readableState"])
}

/// Prototypes of one object that are looked at.
const MAX_CLASSES: usize = 4;

/// What the program may call the source where it pipes: its last name, or a class whose method does it.
fn names_of(context: &Context<'_>, source: NodeId, holder: &str) -> Vec<String> {
    let graph = context.graph();
    let prototype = |node: &NodeId| property(graph, *node, "__proto__");
    let classes = std::iter::successors(Some(source), prototype).take(MAX_CLASSES);
    let last = holder.rsplit(['.', '[']).next().unwrap_or(holder);
    let mut names: Vec<String> = std::iter::once(last.to_string())
        .chain(classes.map(|node| graph.node_name(node).to_string()))
        // Node's own stream classes are anybody's.
        .filter(|name| !OF_NODE.contains(&name.as_str()))
        .collect();
    names.dedup();
    names
}

/// Classes that each stream is of.
const OF_NODE: [&str; 9] = [
    "",
    "Object",
    "EventEmitter",
    "Stream",
    "Readable",
    "Writable",
    "Duplex",
    "Transform",
    "PassThrough",
];

impl Case for Registry {
    fn questions(&self) -> Vec<Question> {
        self.collection.questions()
    }

    fn no_question(&self) -> String {
        self.collection.no_question()
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let holder = &finding.holder;
        let class = &self.class;
        let title = format!("{class} objects in `{holder}`: {}", counts(finding));
        let explanation = format!(
            "{} adds a {class} to `{holder}`{} {}, and nothing takes it out when it ends. Each keeps its buffers, its \
             socket, its request and their listeners.",
            subject(told),
            in_function(told),
            how_often(finding, told),
        );
        let (name, event) = match class.as_str() {
            "ServerResponse" | "Http2ServerResponse" => ("res", "close"),
            "IncomingMessage" => ("req", "close"),
            "Socket" | "TLSSocket" => ("socket", "close"),
            _ => ("stream", "close"),
        };
        let remove = match finding.site.group.pattern {
            Pattern::Elements => format!("{holder}.splice({holder}.indexOf({name}), 1)"),
            Pattern::Keys => format!("delete {holder}[key]"),
            _ => format!("{holder}.delete({name})"),
        };
        let fix = format!(
            "Take it out on `close`, which comes on every way out, also when the client vanishes: \
             `{name}.once('{event}', () => {remove})`. `finish` and `end` come only when all went well."
        );
        Advice { title, explanation, fix }
    }
}

impl Case for Pipes {
    fn questions(&self) -> Vec<Question> {
        let callees = vec!["pipe".into(), "pipeline".into()];
        let on = self.names.clone();
        vec![Question::Creations { callees, definition: None, near: None, on }]
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let source = &self.source;
        let title = format!("streams that `{source}` is piped into: {}", counts(finding));
        let explanation = format!(
            "{} pipes `{source}` into one more stream{} {}, and nothing ends that. `{source}` keeps every target, and \
             waits for the slowest of them.",
            subject(told),
            in_function(told),
            how_often(finding, told),
        );
        let fix = format!(
            "Take the target away when it is done: `res.once('close', () => {source}.unpipe(target))`, or use \
             `pipeline(source, target, callback)` with a source for each target, which ends both."
        );
        Advice { title, explanation, fix }
    }
}
