//! `timer`: timers that are started and never cleared.
//!
//! Node links the timers of one duration into a list, and the lists into a queue; all of it belongs to the
//! runtime. What a timer has of the program is its function: that is where the statement is sought. A timer
//! that settles a promise (`timers/promises`, `util.promisify(setTimeout)`) has a function of the runtime's; then
//! the async function that waits for it is the program's.

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};

use super::event_listener::captured;
use super::spoken::{counts, how_often, in_function, statement, subject};
use super::words::described;
use super::{Advice, Case, Context, Finding, Found, Question, Rule, Told, listed, sample};
use crate::growth::{GrowthSite, Kept, Pattern, unbound, waiter};
use crate::scripts::{Place, internal, property};

/// Timers that pile up.
#[derive(Debug)]
struct Timers {
    /// What starts them.
    call: Call,
    /// Where the function stands that runs, or that waits.
    function: Option<Place>,
    /// The function waits for the timer instead of being run by it.
    waits: bool,
    /// Variables that each timer keeps through its function's scope.
    captured: Vec<String>,
    /// The longest time until one of them runs, in milliseconds; 0 where it is not known.
    longest: u64,
    /// They start themselves anew: other objects, the same functions.
    anew: bool,
    /// The function in words.
    member: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Interval,
    Timeout,
    Immediate,
}

impl Call {
    fn name(self) -> &'static str {
        match self {
            Self::Interval => "setInterval",
            Self::Timeout => "setTimeout",
            Self::Immediate => "setImmediate",
        }
    }

    fn clear(self) -> &'static str {
        match self {
            Self::Interval => "clearInterval",
            Self::Timeout => "clearTimeout",
            Self::Immediate => "clearImmediate",
        }
    }
}

/// Timers that end by themselves within this many milliseconds may be a cache's lifetimes or the deadlines of
/// requests: they level off once the first ones have run, which snapshots of a shorter time cannot show.
const ENDS_SOON: u64 = 5 * 60 * 1000;

/// Whether the site is the runtime's timers with one function of the program's.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let Pattern::Kept(kept @ (Kept::Timer | Kept::Immediate)) = site.group.pattern else {
        return None;
    };
    let graph = context.graph();
    let timer = sample(graph, site)?;
    let run =
        property(graph, timer, "_onTimeout").or_else(|| property(graph, timer, "_onImmediate"))?;
    let call = match kept {
        Kept::Immediate => Call::Immediate,
        _ if repeats(graph, timer) => Call::Interval,
        _ => Call::Timeout,
    };
    let own = unbound(graph, run);
    let of_user = |node: NodeId| context.scripts.place(graph, node).filter(|p| !p.is_builtin());
    let (function, place, waits) = match of_user(own) {
        Some(place) => (own, Some(place), false),
        None => match settled_by(context, own) {
            Some(waiting) => (waiting, of_user(waiting), true),
            // A wait that nobody of the program's is seen to wait for; other timers of the runtime's are its own.
            None => {
                let place = context.scripts.place(graph, own)?;
                if !place.script.ends_with("timers/promises") {
                    return None;
                }
                (own, None, true)
            }
        },
    };
    let timers = Timers {
        call,
        function: place,
        waits,
        captured: captured(graph, function),
        member: described(context, function),
        longest: longest(context, site),
        anew: call != Call::Interval && start_anew(context, site),
    };
    Some(Found::new(Rule::Timer, "timers".into(), timers))
}

/// A repeating timer has a number where others have `null`; small numbers are no objects, so nothing is drawn.
fn repeats(graph: &HeapGraph, timer: NodeId) -> bool {
    property(graph, timer, "_repeat").is_none_or(|value| graph.node_type(value) == NodeType::Number)
}

/// The program's function that goes on when `settle`, which resolves a promise, is called.
fn settled_by(context: &Context<'_>, settle: NodeId) -> Option<NodeId> {
    let graph = context.graph();
    let of_user =
        |node: NodeId| context.scripts.place(graph, node).is_some_and(|p| !p.is_builtin());
    let scope = internal(graph, settle, "context")?;
    // The runtime's own wrappers have the resolving function in a variable.
    let variables = graph.edges(scope).filter(|e| e.kind == EdgeType::Context).take(32);
    let inner = variables.filter_map(|e| internal(graph, e.to, "context"));
    std::iter::once(scope).chain(inner).find_map(|scope| {
        graph.edges(scope).take(32).find_map(|e| {
            let head = internal(graph, e.to, "reactions_or_result")?;
            waiter(graph, head, &of_user).map(|w| w.function)
        })
    })
}

/// The longest duration of the lists that the timers hang in: the lists' keys.
fn longest(context: &Context<'_>, site: &GrowthSite) -> u64 {
    let graph = context.graph();
    let lists = site.group.stores.iter().filter(|n| graph.node_name(**n) == "TimersList");
    let durations = lists.take(256).filter_map(|&list| {
        context.retainers.of_node(list).take(8).find_map(|held| {
            let edge = graph.edge(held.edge);
            let by_duration =
                edge.kind == EdgeType::Element && graph.node_name(held.from) == "Object";
            match edge.kind {
                _ if by_duration => Some(u64::from(edge.name_or_index)),
                // From 2^30 on, the key is a name.
                EdgeType::Property => graph.edge_text(edge)?.parse().ok(),
                _ => None,
            }
        })
    });
    durations.max().unwrap_or(0)
}

/// Whether none of the timers is as old as the growth: functions stay, timers are replaced.
fn start_anew(context: &Context<'_>, site: &GrowthSite) -> bool {
    let Some(middle) = context.growth.earlier.last() else { return false };
    let old = site.group.members.iter().filter(|m| !middle.is_absent(**m)).count() as u64;
    let before = site.counts.iter().rev().nth(1).copied().unwrap_or(0);
    before >= 8 && old * 4 < before
}

impl Case for Timers {
    fn questions(&self) -> Vec<Question> {
        let Some(function) = &self.function else {
            return vec![Question::creations(&[self.call.name()])];
        };
        let calls = [Call::Interval, Call::Timeout, Call::Immediate];
        let mut names = vec![self.call.name()];
        if self.waits {
            return vec![Question::Awaits {
                function: function.clone(),
                words: calls.iter().map(|call| call.name().to_string()).collect(),
            }];
        }
        let around = |callees: Vec<&'static str>| Question::CallAround {
            function: function.clone(),
            callees,
        };
        let first = around(names.clone());
        names.extend(calls.iter().filter(|c| **c != self.call).map(|c| c.name()));
        names.extend(["wait", "schedule"]);
        vec![first, around(names)]
    }

    fn path(&self) -> Option<String> {
        let list = match self.call {
            Call::Interval => "running intervals",
            Call::Timeout => "timers that wait",
            Call::Immediate => "immediates that wait",
        };
        let how = if self.waits { "a promise" } else { "Timeout" };
        let how = if self.call == Call::Immediate { "Immediate" } else { how };
        Some(format!("{list} → {how} → {}", self.member))
    }

    fn is_certain(&self) -> bool {
        self.call != Call::Timeout || self.anew || self.longest == 0 || self.longest > ENDS_SOON
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let call = self.call.name();
        let clear = self.call.clear();
        let title = match self.call {
            Call::Interval => format!("intervals that are never cleared: {}", counts(finding)),
            _ if self.anew => {
                format!("`{call}` chains that start themselves anew: {}", counts(finding))
            }
            Call::Timeout => format!("timers that wait: {}", counts(finding)),
            Call::Immediate => format!("immediates that wait: {}", counts(finding)),
        };
        let keeps = if self.captured.is_empty() {
            "its function and what that refers to".to_string()
        } else {
            format!("{} from the scope of its function", listed(&self.captured))
        };
        let life = match self.call {
            Call::Interval => format!("nothing calls `{clear}` for it. A running interval is never freed"),
            _ if self.anew => {
                "its function starts the next one, so that it runs for ever. A timer that waits is never freed".into()
            }
            Call::Timeout if self.longest > 0 => format!(
                "it is not cleared before its time has come, {} later. A timer that waits is not freed",
                duration(self.longest)
            ),
            _ => format!("nothing calls `{clear}` for it. A timer that waits is not freed"),
        };
        let explanation = format!(
            "{} starts a timer{} {}, and {life}; each keeps {keeps}.",
            subject(told),
            in_function(told),
            how_often(finding, told),
        );
        let fix = if self.waits {
            format!(
                "Give the wait a way out: pass a signal, `{call}(ms, value, {{ signal }})`, and abort it when what \
                 waits is no longer needed, or wait for less long."
            )
        } else if self.anew {
            format!(
                "Keep the newest timer in a variable and stop the chain when what it belongs to ends: `timer = {}`, \
                 and `res.once('close', () => {clear}(timer))`. Or start one chain for all, when the program starts.",
                statement(told, "setTimeout(run, ms)")
            )
        } else {
            format!(
                "Keep what `{call}` gives and clear it when what it belongs to ends: `const timer = {}`, then \
                 `res.once('close', () => {clear}(timer))`. If all of them do the same work, start one of them when the \
                 program starts.",
                statement(told, &format!("{call}(run, ms)"))
            )
        };
        Advice { title, explanation, fix }
    }
}

/// `24 h`: a duration as people say it.
fn duration(ms: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(86_400_000, "days"), (3_600_000, "h"), (60_000, "min"), (1000, "s")];
    let unit = UNITS.iter().find(|(unit, _)| ms >= 2 * unit);
    unit.map_or_else(|| format!("{ms} ms"), |(unit, name)| format!("{} {name}", ms / unit))
}
