//! `middleware`: middleware, routes, hooks or interceptors are added while requests are served.

use leakline_heap::{EdgeType, NodeId, NodeType};

use super::collection::CollectionKind;
use super::kept::{Advise, Kept, has};
use super::{Context, Found, Rule, sample};
use crate::growth::GrowthSite;

/// Lists of steps that packages run for every request.
const LISTS: [&str; 9] = [
    "middleware",
    "middlewares",
    "interceptors",
    "stack",
    "handlers",
    "hooks",
    "plugins",
    "routes",
    "layers",
];

/// Lists of hooks by their moment, as fastify and its like keep them.
const HOOKS: [&str; 8] = [
    "onRequest",
    "preHandler",
    "preParsing",
    "preValidation",
    "preSerialization",
    "onSend",
    "onResponse",
    "onError",
];

const WORDS: Advise = Advise {
    what: "middleware list",
    entries: "steps",
    why: "{place} adds a step to `{holder}` each time it runs, and nothing takes it out. The list lives as long as \
          the app or client does, and every request runs through all of it, so that it costs time as well.",
    fix: "Add it once, where the app or the client is made, and let it take what differs from the request: \
          `app.use((req, res, next) => …)` at the top level, `client.interceptors.request.use((config) => …)` \
          beside `axios.create()`. What must be for one request alone needs a client of its own, or has to be \
          taken back: `client.interceptors.request.eject(id)`.",
};

/// Whether the site is a list of steps.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let kept = Kept::of(context, site)?;
    if kept.collection.kind != CollectionKind::Array && kept.collection.kind != CollectionKind::Set
    {
        return None;
    }
    let in_object = kept.above.first().is_some_and(|up| up.kind == EdgeType::Property);
    let named = kept.own_names().any(|n| LISTS.contains(&n) || HOOKS.contains(&n));
    let step = sample(context.graph(), site)?;
    let is_layer = has(context, step, "handle") || context.graph().node_name(step) == "Layer";
    let by_package = named && !kept.packages.is_empty() && runs(context, step);
    let by_class = || {
        kept.above
            .iter()
            .take(2)
            .any(|up| matches!(up.class.as_str(), "InterceptorManager" | "Hooks"))
    };
    (in_object && (by_package || (named && is_layer) || by_class()))
        .then(|| kept.found(Rule::Middleware, WORDS))
}

/// Whether it is a function, or an object that holds one.
fn runs(context: &Context<'_>, step: NodeId) -> bool {
    let graph = context.graph();
    let is_function = |n: NodeId| graph.node_type(n) == NodeType::Closure;
    is_function(step)
        || graph
            .edges(step)
            .filter(|e| e.kind == EdgeType::Property && graph.edge_text(*e) != Some("__proto__"))
            .take(64)
            .any(|e| is_function(e.to))
}
