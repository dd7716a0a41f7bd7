//! `memoize-cache`: a memoizing function, or a compiler of schemas, templates or queries, keeps every key.
//!
//! What tells a memo from any other collection is who holds it: the function itself (`memoized.cache`), or a
//! scope that holds the function whose results are kept (`function memoize(fn) { const cache = new Map() … }`).
//! Compilers of packages call theirs a cache.

use leakline_heap::{EdgeType, NodeId, NodeType};

use super::bindings::bindings_of;
use super::collection::CollectionKind;
use super::kept::{Advise, Kept, Up, package_of, user_functions};
use super::{Case, Context, Found, Question, Rule};
use crate::growth::GrowthSite;
use crate::scripts::{Place, internal, property};

/// What memoizing functions are called.
const MEMOIZERS: [&str; 10] = [
    "memoize",
    "memoizee",
    "mem",
    "moize",
    "pMemoize",
    "memo",
    "memoizeOne",
    "fastMemoize",
    "cached",
    "cache",
];

/// Names of what compilers keep by the text or the object they compiled.
const COMPILED: [&str; 6] = ["partials", "templates", "compiled", "schemas", "refs", "definitions"];

/// Classes of the collections that memoizing packages build themselves.
const PARTS: [&str; 4] = ["MapCache", "ListCache", "Hash", "Stack"];

const WORDS: Advise = Advise {
    what: "cache",
    entries: "results",
    why: "{place} keeps a result in `{holder}` for each key that it has not seen before, and nothing takes the \
          results out. Keys that hardly ever repeat (an address with a query, a filter, a schema built anew) make \
          it grow with every request, and no result is ever used twice.",
    fix: "Make the key repeat (the few values that matter instead of the whole text or object), or give the cache \
          a bound: `const cache = new LRUCache({ max: 1000 })` in place of a Map, or clear `{holder}` when it has \
          grown to a size. What is compiled belongs to the top of the module: \
          `const validate = ajv.compile(schema)` once, not in the handler.",
};

/// Whether the site is a cache of results.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let mut kept = Kept::of(context, site)?;
    let memo = memo(context, &kept.above);
    if memo.is_none() && !is_compilers(&kept) {
        return None;
    }
    // Below a memo's own parts there is nothing with a name of the program's.
    if let Some(at) = kept.holder.find(".__data__") {
        kept.holder.truncate(at);
    }
    let mut questions = kept.collection.questions();
    if let Some(cache) = own_cache(context, &kept.above) {
        questions.insert(0, adders(context, cache));
    }
    let around = memo
        .unwrap_or_default()
        .into_iter()
        .map(|function| Question::CallAround { function, callees: MEMOIZERS.to_vec() });
    if kept.packages.is_empty() {
        questions.extend(around);
    } else {
        // The package's line is one for all its users; the memoized function is the user's.
        questions.splice(0..0, around);
    }
    Some(kept.found_with(Rule::MemoizeCache, questions, WORDS))
}

/// The functions whose results are kept, when the collection is a memo.
fn memo(context: &Context<'_>, above: &[Up]) -> Option<Vec<Place>> {
    let graph = context.graph();
    // `memoized.cache`, perhaps through the cache's own parts.
    for (i, up) in above.iter().enumerate() {
        if graph.node_type(up.node) == NodeType::Closure && up.kind == EdgeType::Property {
            if !is_cache_name(&up.name) {
                return None;
            }
            let scope = internal(graph, up.node, "context");
            return Some(scope.map(|s| user_functions(context, s)).unwrap_or_default());
        }
        let parts = above.iter().take(i + 1).any(|up| PARTS.contains(&up.class.as_str()));
        if i > 0 && !parts && !up.name.starts_with('_') {
            break;
        }
    }
    // A scope inside the module's that holds the collection and a function beside it.
    let (at, up) = above.iter().enumerate().find(|(_, up)| up.kind == EdgeType::Context)?;
    let inner = internal(graph, up.node, "previous")
        .is_some_and(|outer| graph.node_name(outer) == "system / Context");
    let is_own = at == 0 || (at == 1 && is_cache_name(&above[0].name));
    if !inner || !is_own {
        return None;
    }
    let beside = graph.edges(up.node).filter(|e| e.kind == EdgeType::Context).any(|e| {
        graph.node_type(e.to) == NodeType::Closure && graph.edge_text(e) != Some(&up.name)
    });
    // A function that the scope itself makes is a method of a store, not what is memoized.
    let given = || {
        graph.edges(up.node).filter(|e| e.kind == EdgeType::Context).any(|e| {
            graph.node_type(e.to) == NodeType::Closure
                && internal(graph, e.to, "context") != Some(up.node)
        })
    };
    (beside && given()).then(|| user_functions(context, up.node))
}

fn is_cache_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("cache") || name.contains("memo")
}

/// Whether a package keeps here what it compiled or loaded.
fn is_compilers(kept: &Kept) -> bool {
    // Packages that are caches by trade are filled by the user's own statements.
    let by_trade = |p: &String| p.contains("cache") || p.contains("lru");
    let named = || kept.own_names().any(|n| is_cache_name(n) || COMPILED.contains(&n));
    kept.above.iter().any(|up| up.class == "Ajv")
        || (!kept.packages.iter().all(by_trade) && named())
}

/// The cache of the compiler that the collection is a part of, when it is not that cache itself.
fn own_cache(context: &Context<'_>, above: &[Up]) -> Option<NodeId> {
    let compiler = above.iter().find(|up| up.class == "Ajv")?;
    property(context.graph(), compiler.node, "_cache")
}

fn adders(context: &Context<'_>, cache: NodeId) -> Question {
    let mut holders = bindings_of(context, cache);
    holders.retain(|b| b.script().is_none_or(|s| package_of(s).is_some()));
    Question::Adders {
        holders,
        kind: CollectionKind::Map,
        value_keys: Vec::new(),
        value_class: None,
    }
}
