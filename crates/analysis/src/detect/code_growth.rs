//! `code-growth`: code that is compiled again and again and kept: scripts, functions made from text, contexts
//! of `vm`, WebAssembly.
//!
//! Compiled code costs far more than its text: functions, feedback, metadata; and a context of `vm` has all
//! built-ins of its own, half a megabyte before it has run anything.

use leakline_heap::{EdgeType, NodeId, NodeType};

use super::collection::{self, Collection};
use super::makeup::{is_compiled, make_up};
use super::{Advice, Case, Context, Finding, Found, Question, Rule, Told, grouped, sample};
use crate::growth::GrowthSite;
use crate::scripts::internal;

/// What is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    /// `vm.createContext`
    Contexts,
    /// `new vm.Script`
    Scripts,
    /// `new Function`, `eval`
    Functions,
    /// `new WebAssembly.Instance`
    WebAssembly,
}

#[derive(Debug)]
struct CodeGrowth {
    code: Code,
    collection: Collection,
}

/// Whether a collection keeps compiled code.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let (holder, collection) = collection::recognise(context, site)?;
    let graph = context.graph();
    let value = sample(graph, site)?;
    let made = make_up(context, site);
    // Keys are members too, so that a context for each second member is one for each entry.
    let code = if made.native_contexts > 0 && made.native_contexts.saturating_mul(3) >= made.members
    {
        Code::Contexts
    } else {
        code_of(context, value)?
    };
    Some(Found::new(Rule::CodeGrowth, holder, CodeGrowth { code, collection }))
}

fn code_of(context: &Context<'_>, value: NodeId) -> Option<Code> {
    let graph = context.graph();
    if graph.node_type(value) == NodeType::Closure {
        return is_compiled(context, value).then_some(Code::Functions);
    }
    match graph.node_name(value) {
        "Script" | "ContextifyScript" | "Node / ContextifyScript"
            if graph.node_type(value) != NodeType::Code =>
        {
            Some(Code::Scripts)
        }
        "SourceTextModule" | "SyntheticModule" => Some(Code::Scripts),
        "Instance" | "WebAssembly.Instance" if has_module(context, value) => {
            Some(Code::WebAssembly)
        }
        "Module" | "WebAssembly.Module"
            if internal(graph, value, "managed_native_module").is_some()
                || internal(graph, value, "native_module").is_some() =>
        {
            Some(Code::WebAssembly)
        }
        _ => None,
    }
}

/// An instance holds its module, in V8 10 by a link without a name.
fn has_module(context: &Context<'_>, instance: NodeId) -> bool {
    let graph = context.graph();
    let is_module = |e: &leakline_heap::Edge| {
        matches!(e.kind, EdgeType::Internal | EdgeType::Hidden)
            && graph.node_type(e.to) == NodeType::Object
            && graph.node_name(e.to) == "Module"
    };
    graph.edges(instance).take(32).any(|e| is_module(&e))
}

impl Case for CodeGrowth {
    fn questions(&self) -> Vec<Question> {
        self.collection.questions()
    }

    fn no_question(&self) -> String {
        self.collection.no_question()
    }

    fn least(&self) -> u64 {
        // A context is half a megabyte; nobody needs one more for each request.
        if self.code == Code::Contexts { 4 } else { super::MIN_DELTA }
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let site = finding.site;
        let before = grouped(site.counts.first().copied().unwrap_or(0));
        let after = grouped(site.counts.last().copied().unwrap_or(0));
        let holder = &finding.holder;
        let kind = self.collection.kind.name();
        let place = told.place.map_or_else(|| "The program".into(), |p| format!("`{p}`"));
        let (what, cost, instead) = match self.code {
            Code::Contexts => (
                "contexts of `vm`",
                "Each has a global object and all built-ins of its own, some hundred kilobytes before it runs \
                 anything",
                "Create one context when the program starts and run the scripts in it, or let it go after use: keep \
                 the result, not the context",
            ),
            Code::Scripts => (
                "compiled scripts",
                "Each keeps its text, its bytecode and everything it refers to",
                "Compile each text once and key the scripts by it: `scripts.get(text) ?? new vm.Script(text)`; pass \
                 what differs as values, not as text",
            ),
            Code::Functions => (
                "functions compiled from text",
                "Each has a script of its own, with its text, bytecode and feedback",
                "Write one function and pass what differs as arguments, or compile each text once and key the \
                 functions by it",
            ),
            Code::WebAssembly => (
                "WebAssembly instances",
                "Each has memory and code outside the JavaScript heap, of which a snapshot shows little",
                "Compile the module once, when the program starts, and reuse one instance or a small pool",
            ),
        };
        Advice {
            title: format!("{what} in {kind} `{holder}`: {before} → {after}"),
            explanation: format!(
                "{place} puts {what} into the {kind} `{holder}` again and again, and nothing takes them out. {cost}."
            ),
            fix: format!(
                "{instead}. And give `{holder}` a bound: {}",
                self.collection.bound(holder)
            ),
        }
    }
}
