//! What the runtime itself keeps: running timers, listeners of event targets, reactions on promises, open
//! handles.
//!
//! Such objects hang in lists that the runtime links by itself: a timer holds the next timer, a listener the
//! next listener, a reaction the next reaction. Each has one holder of its own kind, so no owner gains
//! members, and yet there is more of them in every snapshot. They are therefore *counted*: each snapshot's
//! objects of these kinds, by the function that is to run (or the class of the handle) and, where one object
//! holds the list, by that object. A population that grows is a growth site like any other.
//!
//! The kinds are recognised by the names of their links, which Node and V8 have kept since version 12; a
//! class of the user's that is called `Timeout` too has other links. O(nodes), plus O(links) of what is found.

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};
use rustc_hash::{FxHashMap, FxHashSet};

use super::groups::{Class, Group, Pattern};
use super::tenure::{self, Tenure};
use super::tree::RetainingTree;
use super::{Correspondence, union_below};
use crate::scripts::{internal, property};

/// A kind of objects that the runtime keeps in lists of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kept {
    /// A timer that will run: `setTimeout`, `setInterval`.
    Timer,
    /// A callback of `setImmediate` that will run.
    Immediate,
    /// A listener of an `EventTarget`, an `AbortSignal` among them.
    Listener,
    /// What runs when a promise settles.
    Reaction,
    /// An object of JavaScript whose handle of the operating system is open.
    Handle,
}

/// Bindings of bindings: `f.bind(a).bind(b)`.
const MAX_BINDINGS: usize = 8;

/// Objects of one kind that are one thing to a person.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    kept: Kept,
    /// The id of the object that holds the list, 0 for lists of the runtime.
    holder: u32,
    /// The place of the function that is to run.
    place: Option<(i32, u32, u32)>,
    /// Its name, or the class of the handle.
    name: String,
}

impl Key {
    /// The same, whoever holds the list.
    fn of_all(&self) -> Self {
        Self { holder: 0, ..self.clone() }
    }
}

/// One object that is kept.
#[derive(Clone, Copy, Debug)]
struct Entry {
    node: NodeId,
    /// The object that holds the list.
    holder: NodeId,
    /// The object in JavaScript that stands between a handle and the object that has it.
    wrapper: Option<NodeId>,
    /// By what it is known again in the next snapshot: its own id and, because a timer that starts itself anew
    /// is a new object, those of its function, of the function's scope, of what that calls `this`, of the first
    /// argument and of the async function that waits for it.
    identities: [u32; TRACKS],
}

impl Entry {
    fn new(graph: &HeapGraph, node: NodeId, holder: NodeId) -> Self {
        let mut identities = [0; TRACKS];
        identities[0] = graph.object_id(node);
        Self { node, holder, wrapper: None, identities }
    }
}

/// Ways of knowing an object again.
const TRACKS: usize = 6;

type Census = FxHashMap<Key, Vec<Entry>>;

/// Growth of what the runtime keeps.
pub(super) struct KeptSite {
    pub group: Group,
    pub counts: Vec<u64>,
    pub tenure: Tenure,
}

/// Fewer than this are not yet growth.
const MIN_MEMBERS: usize = 8;

/// One function on this many targets is a pattern; on two, it may be two statements.
const MIN_HOLDERS: usize = 3;

/// Populations that are weighed; more kinds of leaks at once than this are not met.
const MAX_SITES: usize = 8;

/// The populations that are larger in the last snapshot than in the first, heaviest first.
pub(super) fn kept_sites(
    graphs: &[&HeapGraph],
    earlier: &[Correspondence],
    tree: &RetainingTree,
    below: &[u64],
    by_id: bool,
) -> Vec<KeptSite> {
    let Some((&last, before)) = graphs.split_last() else { return Vec::new() };
    let mut now = census(last, &Counting { by_id, wanted: None });
    now.retain(|_, entries| entries.len() >= MIN_MEMBERS);
    if now.is_empty() {
        return Vec::new();
    }
    let folded = folded(&now);
    let wanted: FxHashSet<u32> = now.keys().map(|key| key.holder).collect();
    let how = Counting { by_id, wanted: Some(&wanted) };
    let fold = |census: Census| {
        let mut out = Census::default();
        for (key, entries) in census {
            let key = if folded.contains(&key.of_all()) { key.of_all() } else { key };
            out.entry(key).or_default().extend(entries);
        }
        out
    };
    let past: Vec<Census> = before.iter().map(|graph| fold(census(graph, &how))).collect();
    let now = fold(now);
    let mut sites: Vec<KeptSite> = now
        .into_iter()
        .filter_map(|(key, entries)| {
            let then = |census: &Census| census.get(&key).map_or(0, |e| e.len() as u64);
            let mut counts: Vec<u64> = past.iter().map(then).collect();
            counts.push(entries.len() as u64);
            if counts.first() >= counts.last() {
                return None;
            }
            let group = group(last, &earlier[0], tree, below, &key, &entries)?;
            let tenure = if by_id { tenure_of(&past, &key, &entries) } else { Tenure::Unknown };
            Some(KeptSite { group, counts, tenure })
        })
        .collect();
    sites.sort_by_key(|s| (std::cmp::Reverse(s.group.tree_bytes), s.group.owner));
    sites.truncate(MAX_SITES);
    sites
}

/// Populations that many holders have: one function that listens to every room.
fn folded(now: &Census) -> FxHashSet<Key> {
    let mut holders: FxHashMap<Key, usize> = FxHashMap::default();
    for key in now.keys().filter(|key| key.holder != 0) {
        *holders.entry(key.of_all()).or_default() += 1;
    }
    holders.into_iter().filter(|(_, n)| *n >= MIN_HOLDERS).map(|(key, _)| key).collect()
}

fn tenure_of(past: &[Census], key: &Key, now: &[Entry]) -> Tenure {
    // By what many share, how long each one stays cannot be told.
    let tells_apart = |track: usize| {
        let ids: FxHashSet<u32> =
            now.iter().map(|e| e.identities[track]).filter(|id| *id != 0).collect();
        ids.len() * 2 >= now.len()
    };
    let telling: Vec<usize> = (0..TRACKS).filter(|&track| tells_apart(track)).collect();
    let tracks = |entries: &[Entry]| -> Vec<Vec<u64>> {
        let track = |&track: &usize| {
            let ids = entries.iter().map(|e| u64::from(e.identities[track]));
            let mut ids: Vec<u64> = ids.filter(|id| *id != 0).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        telling.iter().map(track).collect()
    };
    let mut series: Vec<Vec<Vec<u64>>> = past
        .iter()
        .map(|census| census.get(key).map_or_else(Vec::new, |entries| tracks(entries)))
        .collect();
    series.push(tracks(now));
    tenure::judge(&series)
}

fn group(
    graph: &HeapGraph,
    first: &Correspondence,
    tree: &RetainingTree,
    below: &[u64],
    key: &Key,
    entries: &[Entry],
) -> Option<Group> {
    let mut members: Vec<NodeId> =
        entries.iter().map(|e| e.node).filter(|n| first.is_absent(*n)).collect();
    members.sort_unstable();
    members.dedup();
    let sample = *members.last()?;
    let parts = entries.iter().flat_map(|e| handle_parts(graph, e));
    members.extend(parts.filter(|n| first.is_absent(*n)));
    members.sort_unstable();
    members.dedup();
    let mut stores: Vec<NodeId> = entries.iter().map(|e| e.holder).collect();
    stores.sort_unstable();
    stores.dedup();
    let owner = entries.iter().rev().find(|e| e.node == sample).map(|e| e.holder)?;
    Some(Group {
        owner,
        owners: vec![owner],
        pattern: Pattern::Kept(key.kept),
        class: Class::of(graph, sample),
        tree_bytes: union_below(tree, below, &members),
        members,
        stores,
    })
}

/// Names of the classes, by their index in the graph's table: a comparison of numbers for each node.
struct Names {
    timeout: u32,
    immediate: u32,
    listener: u32,
    reaction: u32,
    promise: u32,
    /// C++ classes of Node's, sorted.
    native: Vec<u32>,
}

impl Names {
    fn is_native(&self, name: u32) -> bool {
        self.native.binary_search(&name).is_ok()
    }

    fn of(graph: &HeapGraph) -> Self {
        let mut names = Self {
            timeout: u32::MAX,
            immediate: u32::MAX,
            listener: u32::MAX,
            reaction: u32::MAX,
            promise: u32::MAX,
            native: Vec::new(),
        };
        let strings = graph.strings();
        for index in 0..strings.len() as u32 {
            let slot = match strings.get(index) {
                "Timeout" => &mut names.timeout,
                "Immediate" => &mut names.immediate,
                "Listener" => &mut names.listener,
                "system / PromiseReaction" => &mut names.reaction,
                "Promise" => &mut names.promise,
                name => {
                    if name.starts_with("Node / ") {
                        names.native.push(index);
                    }
                    continue;
                }
            };
            *slot = index;
        }
        names
    }
}

/// What all snapshots of a series are counted by.
struct Counting<'a> {
    /// Holders keep their ids from snapshot to snapshot.
    by_id: bool,
    /// Lists of these holders are counted, however short; `None` for all lists that are long enough.
    wanted: Option<&'a FxHashSet<u32>>,
}

fn census(graph: &HeapGraph, how: &Counting<'_>) -> Census {
    let names = Names::of(graph);
    let mut found = Census::default();
    for node in graph.nodes() {
        let name = graph.node_name_index(node);
        if name == names.timeout || name == names.immediate {
            let entry = timer(graph, node).or_else(|| immediate(graph, node));
            if let Some((kept, holder, function)) = entry {
                let mut entry = Entry::new(graph, node, holder);
                follow_function(graph, &mut entry, function);
                let key = key_of(graph, kept, 0, function);
                found.entry(key).or_default().push(entry);
            }
        } else if name == names.listener {
            if let Some(first) = first_of_listeners(graph, node, &names) {
                list(graph, how, &mut found, first, Kept::Listener, node);
            }
        } else if names.is_native(name) {
            if let Some((key, entry)) = handle(graph, node) {
                found.entry(key).or_default().push(entry);
            }
        } else if name == names.promise
            && let Some(head) = internal(graph, node, "reactions_or_result")
            && graph.node_name_index(head) == names.reaction
        {
            list(graph, how, &mut found, node, Kept::Reaction, head);
        }
    }
    found
}

/// By what a timer is known again that starts itself anew.
fn follow_function(graph: &HeapGraph, entry: &mut Entry, function: NodeId) {
    let id = |node: Option<NodeId>| node.map_or(0, |n| graph.object_id(n));
    let scope =
        internal(graph, function, "bound_this").or_else(|| internal(graph, function, "context"));
    let arguments = property(graph, entry.node, "_timerArgs")
        .and_then(|args| graph.edges(args).find(|e| e.kind == EdgeType::Element).map(|e| e.to));
    let own = scope.and_then(|scope| {
        graph.edges(scope).take(32).find(|e| graph.edge_text(*e) == Some("this")).map(|e| e.to)
    });
    let waits = internal(graph, function, "context")
        .and_then(|scope| promise_in(graph, scope))
        .and_then(|promise| internal(graph, promise, "reactions_or_result"))
        .and_then(|head| waiter(graph, head, &|_| true))
        .and_then(|waiter| waiter.paused);
    entry.identities[1..].copy_from_slice(&[
        graph.object_id(function),
        id(scope),
        id(own),
        id(arguments),
        id(waits),
    ]);
}

/// An object of JavaScript that an open handle of the operating system keeps: C++ holds the wrapper, and that
/// knows the object that has it.
fn handle(graph: &HeapGraph, native: NodeId) -> Option<(Key, Entry)> {
    let wrapper = internal(graph, native, "native_to_javascript")?;
    let owner = graph.edges(wrapper).find(|e| {
        e.kind == EdgeType::Property
            && matches!(graph.edge_text(*e), Some("<symbol owner_symbol>" | "owner"))
            && is_object(graph, e.to)
    });
    let owner = owner.map_or(wrapper, |e| e.to);
    let name = match handle_side(graph, owner) {
        Side::Accepted => format!("{} (accepted)", graph.node_name(owner)),
        Side::Own => graph.node_name(owner).to_string(),
    };
    let mut entry = Entry::new(graph, owner, native);
    entry.wrapper = (owner != wrapper).then_some(wrapper);
    Some((Key { kept: Kept::Handle, holder: 0, place: None, name }, entry))
}

/// What belongs to an open handle: its wrapper, and of a child process the streams with theirs.
fn handle_parts(graph: &HeapGraph, entry: &Entry) -> Vec<NodeId> {
    let Some(wrapper) = entry.wrapper else { return Vec::new() };
    let mut parts = vec![wrapper];
    for name in ["stdin", "stdout", "stderr"] {
        let stream = property(graph, entry.node, name).filter(|s| is_object(graph, *s));
        parts.extend(stream);
        parts.extend(stream.and_then(|s| property(graph, s, "_handle")));
    }
    parts.retain(|part| is_object(graph, *part));
    parts
}

/// Who opened a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// Somebody else, to a server of the program.
    Accepted,
    /// The program.
    Own,
}

/// Whether the object is a socket that a server accepted: it knows its server.
pub(crate) fn handle_side(graph: &HeapGraph, owner: NodeId) -> Side {
    let server = ["server", "_server"].iter().find_map(|name| property(graph, owner, name));
    if server.is_some_and(|s| is_object(graph, s)) { Side::Accepted } else { Side::Own }
}

/// Counts one list that a holder has.
fn list(
    graph: &HeapGraph,
    how: &Counting<'_>,
    found: &mut Census,
    holder: NodeId,
    kept: Kept,
    head: NodeId,
) {
    let id = graph.object_id(holder);
    let long_enough = match how.wanted {
        Some(wanted) => !how.by_id || wanted.contains(&id),
        None => Chain::of(graph, head).nth(MIN_MEMBERS - 1).is_some(),
    };
    if !long_enough {
        return;
    }
    // Lists do not run in circles, but a file may say so.
    for node in Chain::of(graph, head).take(graph.node_count()) {
        let function = match kept {
            Kept::Listener => property(graph, node, "callback")
                .filter(|f| graph.node_type(*f) == NodeType::Closure)
                .or_else(|| property(graph, node, "listener")),
            _ => waiter(graph, node, &|_| true).map(|w| w.function),
        };
        let key = key_of(graph, kept, if how.by_id { id } else { 0 }, function.unwrap_or(node));
        found.entry(key).or_default().push(Entry::new(graph, node, holder));
    }
}

/// A list that its members link themselves.
struct Chain<'a> {
    graph: &'a HeapGraph,
    at: Option<NodeId>,
}

impl<'a> Chain<'a> {
    fn of(graph: &'a HeapGraph, head: NodeId) -> Self {
        Self { graph, at: Some(head) }
    }
}

impl Iterator for Chain<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        let node = self.at?;
        let graph = self.graph;
        let name = graph.node_name_index(node);
        // A listener's link has a name, a reaction's is one of its unnamed fields.
        let mut next = graph.edges(node).filter(|e| match e.kind {
            EdgeType::Property | EdgeType::Internal => graph.edge_text(*e) == Some("next"),
            EdgeType::Hidden => true,
            _ => false,
        });
        self.at = next.find(|e| graph.node_name_index(e.to) == name).map(|e| e.to);
        Some(node)
    }
}

/// The head of a list of listeners, when `node` is the first in it.
fn first_of_listeners(graph: &HeapGraph, node: NodeId, names: &Names) -> Option<NodeId> {
    property(graph, node, "callback")?;
    let head = property(graph, node, "previous")?;
    (is_object(graph, head) && graph.node_name_index(head) != names.listener).then_some(head)
}

/// Promises between a reaction and the function that waits in the end.
const MAX_PROMISES: usize = 16;

/// What waits for a reaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiter {
    /// The handler itself, or the async function that awaits.
    pub function: NodeId,
    /// Its paused state, where it awaits: one for each call.
    pub paused: Option<NodeId>,
}

/// The function that runs, or goes on, when a reaction runs: the handler itself, the async function that awaits, or
/// whoever waits for the promise that comes of it. Functions that are not accepted are passed by on the way.
pub(crate) fn waiter(
    graph: &HeapGraph,
    reaction: NodeId,
    accepts: &dyn Fn(NodeId) -> bool,
) -> Option<Waiter> {
    let mut at = reaction;
    for _ in 0..MAX_PROMISES {
        let mut further = None;
        for edge in graph.edges(at).take(16) {
            match graph.node_type(edge.to) {
                NodeType::Closure => {
                    let function = unbound(graph, edge.to);
                    if graph.location(function).is_some() && accepts(function) {
                        return Some(Waiter { function, paused: None });
                    }
                    let Some(scope) = internal(graph, function, "context") else { continue };
                    if let Some(paused) = internal(graph, scope, "extension")
                        && let Some(function) = internal(graph, paused, "function")
                    {
                        if graph.location(function).is_some() && accepts(function) {
                            return Some(Waiter { function, paused: Some(paused) });
                        }
                        further = further.or_else(|| promise_of_paused(graph, paused));
                    }
                    // The function that settles another promise knows it by its scope.
                    further = further.or_else(|| promise_in(graph, scope));
                }
                NodeType::Object if has_reactions(graph, edge.to) => {
                    further = further.or(Some(edge.to));
                }
                _ => {}
            }
        }
        let promise = further?;
        at = internal(graph, promise, "reactions_or_result")?;
    }
    None
}

/// The promise that a paused async function, or the request that an async generator is at, will settle.
fn promise_of_paused(graph: &HeapGraph, paused: NodeId) -> Option<NodeId> {
    promise_in(graph, paused).or_else(|| {
        let is_request = |node: NodeId| graph.node_name(node) == "system / AsyncGeneratorRequest";
        let request = graph.edges(paused).take(16).find(|e| is_request(e.to))?;
        promise_in(graph, request.to)
    })
}

fn promise_in(graph: &HeapGraph, scope: NodeId) -> Option<NodeId> {
    graph.edges(scope).take(16).find(|e| has_reactions(graph, e.to)).map(|e| e.to)
}

fn has_reactions(graph: &HeapGraph, node: NodeId) -> bool {
    graph.node_type(node) == NodeType::Object
        && internal(graph, node, "reactions_or_result")
            .is_some_and(|head| graph.node_name(head) == "system / PromiseReaction")
}

fn key_of(graph: &HeapGraph, kept: Kept, holder: u32, function: NodeId) -> Key {
    let inner = unbound(graph, function);
    let place = graph.location(inner).map(|l| (l.script_id, l.line, l.column));
    Key { kept, holder, place, name: graph.node_name(inner).to_string() }
}

/// The function behind `f.bind(…)`.
pub(crate) fn unbound(graph: &HeapGraph, function: NodeId) -> NodeId {
    let mut at = function;
    for _ in 0..MAX_BINDINGS {
        match internal(graph, at, "bound_function") {
            Some(inner) => at = inner,
            None => break,
        }
    }
    at
}

fn is_object(graph: &HeapGraph, node: NodeId) -> bool {
    graph.node_type(node) == NodeType::Object
}

/// A timer that hangs in a list and has a function to run.
fn timer(graph: &HeapGraph, node: NodeId) -> Option<(Kept, NodeId, NodeId)> {
    let function = property(graph, node, "_onTimeout")?;
    let next = property(graph, node, "_idleNext")?;
    // What was cleared keeps its place in no list; its links are `null`.
    if !is_object(graph, next) || graph.node_type(function) != NodeType::Closure {
        return None;
    }
    Some((Kept::Timer, next, function))
}

fn immediate(graph: &HeapGraph, node: NodeId) -> Option<(Kept, NodeId, NodeId)> {
    let function = property(graph, node, "_onImmediate")?;
    if graph.node_type(function) != NodeType::Closure {
        return None;
    }
    let before = property(graph, node, "_idlePrev").filter(|n| is_object(graph, *n));
    Some((Kept::Immediate, before.unwrap_or(node), function))
}
