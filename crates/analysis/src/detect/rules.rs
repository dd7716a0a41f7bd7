//! The families of leaks, by the ids that users and scripts see.

use serde::Serialize;

/// Everything about each family in one row: variant, id, one line for a list, page.
macro_rules! rules {
    ($($variant:ident $id:literal $summary:literal)*) => {
        /// A family of leaks. Ids never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Rule {
            $(#[doc = $summary] #[allow(clippy::doc_markdown, reason = "lines for people")] $variant,)*
        }

        /// All families.
        pub fn all_rules() -> &'static [Rule] {
            &[$(Rule::$variant),*]
        }

        impl Rule {
            /// The id in JSON and on the command line.
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// One line for a list.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }

            /// The page of `leakline explain`.
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("pages/", $id, ".md")),)*
                }
            }
        }
    };
}

rules! {
    EventListener "event-listener" "a listener is added again and again to a lasting EventEmitter"
    EventTargetListener "event-target-listener" "listeners pile up on an EventTarget or a lasting AbortSignal"
    Timer "timer" "timers are started and never cleared"
    Collection "collection" "a Map, Set, array or object is added to and never emptied"
    Chain "chain" "each new object holds the one before it, so none can go"
    MemoizeCache "memoize-cache" "a memoizing function or a compiler's cache keeps every key"
    SharedContext "shared-context" "a function keeps a variable alive that only its sibling uses"
    PendingPromise "pending-promise" "promises that never settle, or reactions on one that lasts"
    AsyncContext "async-context" "stores of AsyncLocalStorage or async_hooks outlive their request"
    Stream "stream" "streams, responses or sockets are kept open or listed for ever"
    SessionStore "session-store" "sessions or counters in memory are kept for every visitor"
    MetricLabels "metric-labels" "a metric gets a label value of its own for each request"
    Logger "logger" "loggers, children or transports are made per request and kept"
    Middleware "middleware" "middleware, routes or interceptors are added per request"
    ModuleGrowth "module-growth" "modules are loaded again and again under new names"
    CodeGrowth "code-growth" "code or contexts are compiled again and again and kept"
    Buffer "buffer" "buffers outside the JavaScript heap are kept"
    StringParent "string-parent" "a small piece of a string keeps the large one it was cut from"
    Worker "worker" "worker threads are started and never ended"
    Model "model" "models or connections are made per request and registered"
    NativeHandle "native-handle" "handles of the operating system are opened and never closed"
    UnknownHolder "unknown-holder" "objects pile up under a holder that no rule knows yet"
}

impl Rule {
    /// The family of an id.
    pub fn from_id(id: &str) -> Option<Self> {
        all_rules().iter().copied().find(|r| r.id() == id)
    }
}
