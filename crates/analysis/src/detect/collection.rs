//! `collection`: a Map, Set, array or object used as a dictionary, that is only added to.

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};

use super::bindings::{bindings_of, entries_of};
use super::event_listener::follows;
use super::words::holder_path;
use super::{
    Advice, Binding, Case, Context, Finding, Found, Question, Rule, Told, grouped, sample,
};
use crate::growth::{GrowthSite, Pattern};
use crate::scripts::internal;
use crate::views::layout::{Table, is_dictionary, table_of};

/// Kinds of collections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectionKind {
    /// `Map`
    Map,
    /// `Set`
    Set,
    /// `Array`
    Array,
    /// An object with a property per key.
    Object,
    /// A string that is appended to.
    Text,
    /// Objects that each hold the next.
    Chain,
}

impl CollectionKind {
    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Map => "Map",
            Self::Set => "Set",
            Self::Array => "array",
            Self::Object => "object",
            Self::Text => "string",
            Self::Chain => "chain",
        }
    }
}

/// A collection that is only added to.
#[derive(Clone, Debug)]
pub(super) struct Collection {
    /// What kind.
    pub(super) kind: CollectionKind,
    /// Who holds it, in words.
    holder: String,
    /// The variables and properties that hold it, nearest to the user first.
    pub(super) bindings: Vec<Binding>,
    /// The same of the collection that this one is an entry of, where it is one.
    entries: Vec<Binding>,
    /// Its entries are seen. The room for numbered properties of an object also grows while the old are deleted.
    is_seen: bool,
    /// It is one of many alike, so that its own key says nothing.
    one_of_many: bool,
    /// Property names of the values, for recognising the statement that adds them.
    value_keys: Vec<String>,
    /// The values' constructor, when it is not `Object`.
    value_class: Option<String>,
}

/// Whether the site is a collection of the user's.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let (holder, collection) = recognise(context, site)?;
    Some(Found::new(Rule::Collection, holder, collection))
}

/// The collection that a site is, whatever it is filled with, and its holder in words.
pub(super) fn recognise(context: &Context<'_>, site: &GrowthSite) -> Option<(String, Collection)> {
    let graph = context.graph();
    let owner = site.group.owner;
    let kind = match site.group.pattern {
        Pattern::Entries | Pattern::Room => kind_of(graph, owner),
        // Numbers as keys: `byId[42] = …`.
        Pattern::Elements if graph.node_name(owner) == "Object" => CollectionKind::Object,
        Pattern::Elements => CollectionKind::Array,
        Pattern::Keys | Pattern::Names => CollectionKind::Object,
        _ => return None,
    };
    let bindings = bindings_of(context, owner);
    // The members are the keys, then; of the values nothing is known.
    let value = sample(graph, site)
        .filter(|_| !matches!(site.group.pattern, Pattern::Names | Pattern::Room));
    let value_class = value
        .filter(|v| graph.node_type(*v) == NodeType::Object)
        .map(|v| graph.node_name(v).to_string())
        .filter(|c| c != "Object" && c != "Array");
    let one_of_many = site.group.owners.len() > 1;
    let holder = one_of(context, &site.group.owners).unwrap_or_else(|| holder_path(context, owner));
    let collection = Collection {
        kind,
        holder: holder.clone(),
        bindings,
        entries: entries_of(context, owner),
        one_of_many,
        is_seen: site.group.pattern != Pattern::Room
            || kind != CollectionKind::Object
            || site.group.stores.iter().all(|&store| is_dictionary(graph, store)),
        value_keys: value.map(|v| keys(graph, v)).unwrap_or_default(),
        value_class,
    };
    Some((holder, collection))
}

impl Collection {
    /// Names of properties, variables and exports that hold it.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.bindings.iter().filter_map(Binding::name)
    }

    /// Files that these names are in.
    pub(super) fn scripts(&self) -> impl Iterator<Item = String> + '_ {
        self.bindings.iter().filter_map(Binding::script).map(ToString::to_string)
    }

    /// How to bound it, as a statement in the reader's words.
    pub(super) fn bound(&self, holder: &str) -> String {
        match self.kind {
            CollectionKind::Map => format!(
                "`if ({holder}.size >= 1000) {holder}.delete({holder}.keys().next().value)` before adding."
            ),
            CollectionKind::Set => format!(
                "`if ({holder}.size >= 1000) {holder}.delete({holder}.values().next().value)` before adding."
            ),
            CollectionKind::Array => format!("`if ({holder}.length > 1000) {holder}.shift()`."),
            CollectionKind::Object => {
                format!("`delete {holder}[key]` when the entry is no longer needed.")
            }
            CollectionKind::Chain => format!("cut it after so many links: `{holder}.next = null`."),
            CollectionKind::Text => format!("`{holder} = {holder}.slice(-65536)`."),
        }
    }
}

/// One of several collections under keys of one object in words, without the key that is its alone: `byUser[…]`.
fn one_of(context: &Context<'_>, owners: &[NodeId]) -> Option<String> {
    let [first, second, ..] = owners else { return None };
    let tree = &context.growth.tree;
    let (a, b) = (tree.parent(*first)?, tree.parent(*second)?);
    let by_key = context.graph().edge(a.edge).kind == EdgeType::Property;
    (by_key && a.from == b.from).then(|| format!("{}[…]", holder_path(context, a.from)))
}

/// What kind of collection it is, by its store: a class that extends `Set` may have any name.
fn kind_of(graph: &HeapGraph, owner: NodeId) -> CollectionKind {
    match internal(graph, owner, "table").map(|table| table_of(graph, table)) {
        Some(Some(Table::Set)) => CollectionKind::Set,
        Some(Some(Table::Map)) => CollectionKind::Map,
        Some(_) if graph.node_name(owner).ends_with("Set") => CollectionKind::Set,
        Some(_) => CollectionKind::Map,
        None if graph.node_name(owner) == "Array" => CollectionKind::Array,
        None => CollectionKind::Object,
    }
}

impl Case for Collection {
    fn questions(&self) -> Vec<Question> {
        let question = |holders: &Vec<Binding>| Question::Adders {
            holders: holders.clone(),
            kind: self.kind,
            value_keys: self.value_keys.clone(),
            value_class: self.value_class.clone(),
        };
        let mut names = vec![&self.bindings, &self.entries];
        if self.one_of_many {
            names.reverse();
        }
        names.into_iter().filter(|holders| !holders.is_empty()).map(question).collect()
    }

    fn no_question(&self) -> String {
        format!(
            "`{}` has no name of its own in the program, so no statement was sought: look where it is filled",
            self.holder
        )
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        advise(finding, self, told)
    }

    fn is_certain(&self) -> bool {
        self.is_seen
    }
}

pub(super) fn keys(graph: &HeapGraph, value: NodeId) -> Vec<String> {
    graph
        .edges(value)
        .filter(|e| e.kind == EdgeType::Property)
        .filter_map(|e| graph.edge_text(e))
        .filter(|n| *n != "__proto__" && !n.starts_with("<symbol"))
        .take(32)
        .map(ToString::to_string)
        .collect()
}

fn advise(finding: &Finding<'_>, collection: &Collection, told: Told<'_>) -> Advice {
    let site = finding.site;
    let before = site.counts.first().copied().unwrap_or(0);
    let after = site.counts.last().copied().unwrap_or(0);
    let holder = &finding.holder;
    let kind = collection.kind.name();
    let numbers = site.group.pattern == Pattern::Room;
    let (of, entries) = if numbers { (" of numbers", "entries' room") } else { ("", "entries") };
    let title =
        format!("{kind}{of} `{holder}`: {} → {} {entries}", grouped(before), grouped(after));
    let place = told.place.map_or_else(|| "The program".into(), |p| format!("`{p}`"));
    let per_request = match told.requests {
        Some(requests) if requests > 0 && follows(site.delta(), requests) => {
            "an entry with every request"
        }
        _ => "entries again and again",
    };
    let life = if holder.contains(['.', '[']) {
        format!("The {kind} lives as long as what holds it")
    } else {
        format!("The {kind} lives as long as its module does, that is, as long as the program")
    };
    let explanation = format!(
        "{place} adds {per_request} to the {kind} `{holder}`, and nothing takes them out. {life}, and with it every \
         entry."
    );
    let fix = match collection.kind {
        CollectionKind::Map => format!(
            "Give `{holder}` a bound before adding: `if ({holder}.size >= 1000) \
             {holder}.delete({holder}.keys().next().value)`. Or delete the entry when what it belongs to \
             ends, or use an LRU cache with `max` and `ttl`."
        ),
        CollectionKind::Set => format!(
            "Delete from `{holder}` when what an entry belongs to ends, or bound it: `if ({holder}.size \
             >= 1000) {holder}.delete({holder}.values().next().value)`."
        ),
        CollectionKind::Array => format!(
            "Remove what is no longer needed, or keep only the newest: `if ({holder}.length > 1000) \
             {holder}.shift()`."
        ),
        CollectionKind::Object | CollectionKind::Chain => format!(
            "`delete {holder}[key]` when the entry is no longer needed, or use a `Map` with a bound."
        ),
        CollectionKind::Text => collection.bound(holder),
    };
    Advice { title, explanation, fix }
}
