//! `native-handle`: watchers, sockets, servers and child processes that are opened and never closed.
//!
//! An open handle lives in the operating system's event loop, and C++ holds the JavaScript object that belongs to
//! it. Such objects need no owner in the program at all; they are counted by their class.

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};

use super::event_listener::{captured, listener_function};
use super::spoken::{counts, how_often, in_function, statement, subject};
use super::{Advice, Case, Context, Finding, Found, Question, Rule, Told, listed};
use crate::growth::{GrowthSite, Kept, Pattern, Side, handle_side};
use crate::scripts::{Place, property};

/// Handles that pile up.
#[derive(Debug)]
struct Handles {
    kind: &'static Kind,
    /// A function of the program's that was given to one of them.
    function: Option<Place>,
    captured: Vec<String>,
    /// The class of the objects.
    class: String,
}

/// A kind of handles.
#[derive(Debug)]
struct Kind {
    /// The class in C++, as the snapshot has it.
    native: &'static str,
    /// As people say it, in the plural.
    name: &'static str,
    /// What opens one.
    calls: &'static [&'static str],
    /// What is one called, and how is it closed?
    variable: &'static str,
    close: &'static str,
}

const KINDS: &[Kind] = &[
    Kind {
        native: "Node / FSEventWrap",
        name: "file watchers",
        calls: &["watch"],
        variable: "watcher",
        close: "watcher.close()",
    },
    Kind {
        native: "Node / StatWatcher",
        name: "file watchers",
        calls: &["watchFile"],
        variable: "watcher",
        close: "fs.unwatchFile(path, listener)",
    },
    Kind {
        native: "Node / UDPWrap",
        name: "UDP sockets",
        calls: &["createSocket"],
        variable: "socket",
        close: "socket.close()",
    },
    Kind {
        native: "Node / TCPServerWrap",
        name: "servers",
        calls: &["listen", "createServer"],
        variable: "server",
        close: "server.close()",
    },
    Kind {
        native: "Node / TCPSocketWrap",
        name: "connections that the program opened",
        calls: &["connect", "createConnection", "Socket", "request", "get"],
        variable: "socket",
        close: "socket.destroy()",
    },
    Kind {
        native: "Node / TLSWrap",
        name: "connections that the program opened",
        calls: &["connect", "createConnection", "request", "get"],
        variable: "socket",
        close: "socket.destroy()",
    },
    Kind {
        native: "Node / PipeServerWrap",
        name: "servers",
        calls: &["listen", "createServer"],
        variable: "server",
        close: "server.close()",
    },
    Kind {
        native: "Node / PipeSocketWrap",
        name: "connections that the program opened",
        calls: &["connect", "createConnection"],
        variable: "socket",
        close: "socket.destroy()",
    },
    PROCESSES,
    Kind {
        native: "Node / MessagePort",
        name: "message ports",
        calls: &["MessageChannel", "BroadcastChannel"],
        variable: "port",
        close: "port.close()",
    },
    Kind {
        native: "Node / FileHandle",
        name: "open files",
        calls: &["open"],
        variable: "file",
        close: "await file.close()",
    },
    Kind {
        native: "Node / SignalWrap",
        name: "signal handlers",
        calls: &["on", "once"],
        variable: "handler",
        close: "process.removeListener(signal, handler)",
    },
];

const PROCESSES: Kind = Kind {
    native: "Node / ProcessWrap",
    name: "child processes",
    calls: &["spawn", "exec", "execFile", "fork"],
    variable: "child",
    close: "child.kill()",
};

static CHILD: Kind = PROCESSES;

/// Members that are looked at for a function of the program's.
const MAX_SAMPLES: usize = 16;

/// Whether the site is open handles of one class.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    if site.group.pattern != Pattern::Kept(Kept::Handle) {
        return None;
    }
    let graph = context.graph();
    let native = graph.node_name(site.group.owner);
    let mut kind = KINDS.iter().find(|k| k.native == native)?;
    let owners: Vec<NodeId> = site
        .group
        .members
        .iter()
        .rev()
        .copied()
        .filter(|m| crate::growth::Class::of(graph, *m) == site.group.class)
        .take(MAX_SAMPLES)
        .collect();
    let &sample = owners.first()?;
    // A connection that somebody else opened is no statement of the program's.
    if handle_side(graph, sample) == Side::Accepted {
        return None;
    }
    // The streams of a child process are its own.
    if owners.iter().any(|o| is_part_of_child(context, *o)) {
        kind = &CHILD;
    }
    let found = owners.iter().find_map(|owner| function_of(context, *owner));
    let handles = Handles {
        kind,
        captured: found.as_ref().map(|(f, _)| captured(graph, *f)).unwrap_or_default(),
        function: found.map(|(_, place)| place),
        class: graph.node_name(sample).to_string(),
    };
    Some(Found::new(Rule::NativeHandle, graph.node_name(sample).to_string(), handles))
}

fn is_part_of_child(context: &Context<'_>, socket: NodeId) -> bool {
    let graph = context.graph();
    context.retainers.of_node(socket).take(32).any(|held| {
        graph.node_name(held.from) == "ChildProcess"
            && matches!(graph.edge_text(graph.edge(held.edge)), Some("stdin" | "stdout" | "stderr"))
    })
}

/// A function of the program's that listens to the object, or to a stream of it.
fn function_of(context: &Context<'_>, owner: NodeId) -> Option<(NodeId, Place)> {
    let graph = context.graph();
    let parts = ["stdout", "stderr", "stdin"].iter().filter_map(|p| property(graph, owner, p));
    std::iter::once(owner).chain(parts).find_map(|emitter| {
        let events = property(graph, emitter, "_events")?;
        let values = graph.edges(events).filter(|e| e.kind == EdgeType::Property).take(64);
        values.flat_map(|e| functions(graph, e.to)).find_map(|function| {
            let place = context.scripts.place(graph, function)?;
            (!place.is_builtin()).then_some((function, place))
        })
    })
}

/// The functions of one event: one by itself, or a list of them.
fn functions(graph: &HeapGraph, value: NodeId) -> Vec<NodeId> {
    if graph.node_type(value) == NodeType::Closure {
        return vec![listener_function(graph, value).0];
    }
    let listed = graph.edges(value).filter(|e| e.kind == EdgeType::Element).take(16);
    listed.map(|e| listener_function(graph, e.to).0).collect()
}

impl Case for Handles {
    fn questions(&self) -> Vec<Question> {
        let mut questions = vec![Question::Creations {
            callees: self.kind.calls.iter().map(ToString::to_string).collect(),
            definition: None,
            near: self.function.clone(),
            on: Vec::new(),
        }];
        questions.extend(self.function.clone().map(Question::Enclosing));
        questions
    }

    fn path(&self) -> Option<String> {
        Some(format!("open handles of the process → {}", self.class))
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let Kind { name, calls, variable, close, .. } = self.kind;
        let title = format!("{name} that are never closed: {}", counts(finding));
        let keeps = if self.captured.is_empty() {
            String::new()
        } else {
            format!("; each keeps {} by the function it was given", listed(&self.captured))
        };
        let explanation = format!(
            "{} opens one{} {}, and nothing closes it. An open handle belongs to the event loop, which keeps it and \
             its object whether or not the program still knows them{keeps}. The process runs out of file descriptors \
             too.",
            subject(told),
            in_function(told),
            how_often(finding, told),
        );
        let opening = statement(told, &format!("{}(…)", calls[0]));
        let kept = if opening.contains('=') || opening.starts_with("return") {
            format!("`{opening}`")
        } else {
            format!("`const {variable} = {opening}`")
        };
        let fix = format!(
            "Keep what was opened, and close it on every way out, also when the client leaves early: {kept}, then \
             `res.once('close', () => {close})`. If all requests need the same one, open it once when the program \
             starts and share it."
        );
        Advice { title, explanation, fix }
    }
}
