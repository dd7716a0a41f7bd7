//! `session-store`: sessions, counters or limits in memory, one for every visitor.

use super::kept::{Advise, Kept};
use super::{Context, Found, Rule};
use crate::growth::GrowthSite;

/// Packages whose stores in memory are for development, or need a key that repeats.
const STORES: [&str; 7] = [
    "express-session",
    "cookie-session",
    "express-rate-limit",
    "rate-limiter-flexible",
    "koa-session",
    "@fastify/session",
    "@fastify/rate-limit",
];

const WORDS: Advise = Advise {
    what: "store",
    entries: "visitors",
    why: "{place} makes an entry in `{holder}` for every visitor that is not known yet, and this store in memory \
          does not take them out, or much later than they come. Clients without a cookie (monitors, crawlers, \
          other services) and keys that hold an address or a token are new each time.",
    fix: "Use a store outside of the process that ends entries by itself (`store: new RedisStore({ client, ttl: \
          3600 })`), do not keep what is empty (`saveUninitialized: false`), and make the key the visitor's alone \
          (`keyGenerator: (req) => req.ip`). In memory, only a store that prunes: \
          `new MemoryStore({ checkPeriod: 600000 })` of `memorystore`.",
};

/// Whether the site is a store of visitors.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let kept = Kept::of(context, site)?;
    let is_store = |class: &str| {
        class.ends_with("Store") && (class.contains("Memory") || class.contains("Session"))
    };
    let by_class = kept.above.iter().take(3).any(|up| is_store(&up.class));
    let by_package = !kept.packages.is_empty() && kept.own_names().any(|n| n == "sessions");
    (by_class || by_package || kept.is_of(&STORES)).then(|| kept.found(Rule::SessionStore, WORDS))
}
