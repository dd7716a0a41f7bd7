//! The rules, one file each. A rule looks at all calls or assignments of the files, asks `cx` how
//! often the code runs and how long things last, and reports.

mod async_context;
mod chain;
mod code_growth;
mod collection;
mod listener;
mod logger;
mod memoize_cache;
mod metric_labels;
mod middleware;
mod model;
mod module_growth;
mod pending_promise;
mod session_store;
mod timer;
mod worker;

use serde::Serialize;

use super::cx::Cx;
use crate::facts::Call;
use crate::link::FileId;

/// A family of leaks that can be told from the source; the ids are those of `leakline explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScanRule {
    /// Listeners added again and again to a lasting `EventEmitter`.
    EventListener,
    /// The same on an `EventTarget` or `AbortSignal`.
    EventTargetListener,
    /// Intervals that are started again and again and never stopped.
    Timer,
    /// A lasting Map, Set, array or object that is only added to.
    Collection,
    /// A lasting variable whose every value holds the one before.
    Chain,
    /// A cache of a library that has no bound.
    MemoizeCache,
    /// Middleware, routes or interceptors added per request.
    Middleware,
    /// Transports or loggers made per request.
    Logger,
    /// Models, pools or clients made per request.
    Model,
    /// Code that is loaded anew per request.
    CodeGrowth,
    /// A context of `AsyncLocalStorage` without an end.
    AsyncContext,
    /// A race against a promise that lasts.
    PendingPromise,
    /// Worker threads that nobody ends.
    Worker,
    /// Metric labels with ever new values.
    MetricLabels,
    /// Sessions kept in memory.
    SessionStore,
    /// Modules loaded again and again.
    ModuleGrowth,
}

/// All rules of the scan, in the order in which `leakline explain` lists its families.
pub const SCAN_RULES: [ScanRule; 16] = [
    ScanRule::EventListener,
    ScanRule::EventTargetListener,
    ScanRule::Timer,
    ScanRule::Collection,
    ScanRule::Chain,
    ScanRule::MemoizeCache,
    ScanRule::PendingPromise,
    ScanRule::AsyncContext,
    ScanRule::SessionStore,
    ScanRule::MetricLabels,
    ScanRule::Logger,
    ScanRule::Middleware,
    ScanRule::ModuleGrowth,
    ScanRule::CodeGrowth,
    ScanRule::Worker,
    ScanRule::Model,
];

impl ScanRule {
    /// The id in JSON, in SARIF and in suppressing comments.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            ScanRule::EventListener => "event-listener",
            ScanRule::EventTargetListener => "event-target-listener",
            ScanRule::Timer => "timer",
            ScanRule::Collection => "collection",
            ScanRule::Chain => "chain",
            ScanRule::MemoizeCache => "memoize-cache",
            ScanRule::Middleware => "middleware",
            ScanRule::Logger => "logger",
            ScanRule::Model => "model",
            ScanRule::CodeGrowth => "code-growth",
            ScanRule::AsyncContext => "async-context",
            ScanRule::PendingPromise => "pending-promise",
            ScanRule::Worker => "worker",
            ScanRule::MetricLabels => "metric-labels",
            ScanRule::SessionStore => "session-store",
            ScanRule::ModuleGrowth => "module-growth",
        }
    }

    /// What the rule finds, in one line.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            ScanRule::EventListener => {
                "a listener is added again and again to an emitter that lasts"
            }
            ScanRule::EventTargetListener => {
                "a listener is added again and again to an EventTarget or AbortSignal that lasts"
            }
            ScanRule::Timer => "an interval is started again and again and never cleared",
            ScanRule::Collection => "a lasting Map, Set, array or object is only ever added to",
            ScanRule::Chain => "each new object holds the one before it, without an end",
            ScanRule::MemoizeCache => "a cache without a bound is asked with ever new keys",
            ScanRule::Middleware => "middleware, a route or an interceptor is added per request",
            ScanRule::Logger => "a transport or logger is made per request and never closed",
            ScanRule::Model => "a model, pool or client is made per request and never closed",
            ScanRule::CodeGrowth => "code is imported under ever new names and never unloaded",
            ScanRule::AsyncContext => "an async context is entered and never left",
            ScanRule::PendingPromise => "each race leaves its reactions on a promise that lasts",
            ScanRule::Worker => "a worker thread is started per request and never ended",
            ScanRule::MetricLabels => "a metric gets labels with ever new values",
            ScanRule::SessionStore => "sessions are kept in memory, without a store",
            ScanRule::ModuleGrowth => "a module is loaded again and again",
        }
    }

    /// How to write it instead, in one sentence.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            ScanRule::EventListener | ScanRule::EventTargetListener => {
                "Register once at start-up, or remove the listener when its request ends."
            }
            ScanRule::Timer => "Keep the handle and clear it when the request or object ends.",
            ScanRule::Collection => "Delete what is done with, or bound the size (an LRU cache).",
            ScanRule::Chain => {
                "Keep a value of the object before, not the object; or cut the chain."
            }
            ScanRule::MemoizeCache => "Use a cache with a bound, or keys that take few values.",
            ScanRule::Middleware => "Register at start-up, outside of handlers.",
            ScanRule::Logger => "Make transports and loggers once; use child loggers per request.",
            ScanRule::Model => "Make models, pools and clients once and share them.",
            ScanRule::CodeGrowth => {
                "Import under a constant name, or run changing code in a worker."
            }
            ScanRule::AsyncContext => "Use `run(store, fn)`, which ends with its function.",
            ScanRule::PendingPromise => "Race against a promise of the request, or use a signal.",
            ScanRule::Worker => "Use a pool, or call `terminate()` when the answer is there.",
            ScanRule::MetricLabels => "Label with the route's pattern, never with a path or an id.",
            ScanRule::SessionStore => "Configure a store that expires sessions.",
            ScanRule::ModuleGrowth => "Load once; reload by reading data, not modules.",
        }
    }
}

/// Runs all rules.
pub(super) fn run(cx: &mut Cx) {
    listener::check(cx);
    timer::check(cx);
    collection::check(cx);
    chain::check(cx);
    memoize_cache::check(cx);
    middleware::check(cx);
    logger::check(cx);
    model::check(cx);
    code_growth::check(cx);
    async_context::check(cx);
    pending_promise::check(cx);
    worker::check(cx);
    metric_labels::check(cx);
    session_store::check(cx);
    module_growth::check(cx);
}

/// The calls of all files by these names, as owned copies: a rule reports while it goes through.
fn calls_named(cx: &Cx, names: &[&str]) -> Vec<(FileId, u32, Call)> {
    cx.world
        .all_calls()
        .filter(|(file, _, call)| {
            cx.world.facts(*file).callee_name(call).is_some_and(|name| names.contains(&name))
        })
        .map(|(file, id, call)| (file, id, call.clone()))
        .collect()
}
