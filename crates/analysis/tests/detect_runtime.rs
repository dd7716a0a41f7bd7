//! What the runtime keeps in lists of its own: timers, listeners of event targets, reactions, handles. Each leak has
//! a healthy twin.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it stands")]

mod drawn;

use std::ops::Range;

use drawn::Heap;
use leakline_analysis::Scripts;
use leakline_analysis::detect::{Confidence, Context, Finding, Question, Rule, detect};
use leakline_analysis::growth::GrowthAnalysis;
use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType, Retainers};

fn with_findings<R>(graphs: &[HeapGraph], look: impl FnOnce(&[Finding<'_>]) -> R) -> R {
    let growth = GrowthAnalysis::of(&graphs.iter().collect::<Vec<_>>());
    let retainers = Retainers::of(growth.last());
    let scripts = Scripts::of(growth.last());
    look(&detect(&Context { growth: &growth, retainers: &retainers, scripts: &scripts }))
}

/// The file that functions stand in; without it no place has a name.
fn script(heap: &mut Heap) -> NodeId {
    let shared = heap.builder.node(NodeType::Code, "onEvent", 32);
    heap.builder.set_id(shared, 91);
    let script = heap.builder.node(NodeType::Code, "/srv/app.js", 64);
    heap.builder.set_id(script, 93);
    let name = heap.builder.node(NodeType::String, "/srv/app.js", 24);
    heap.builder.set_id(name, 95);
    heap.builder.edge(shared, EdgeType::Internal, "script", script);
    heap.builder.edge(script, EdgeType::Internal, "name", name);
    shared
}

/// A function of the program's, with something of its own in its scope.
fn function(heap: &mut Heap, shared: NodeId, id: u32) -> NodeId {
    let function = heap.builder.node(NodeType::Closure, "run", 64);
    heap.builder.set_id(function, id);
    heap.builder.location(function, 7, 4, 2);
    heap.builder.edge(function, EdgeType::Internal, "shared", shared);
    let scope = heap.object("system / Context", 200, id + 2);
    heap.builder.edge(function, EdgeType::Internal, "context", scope);
    function
}

/// Timers of one duration as Node links them. `timers` and `functions` number the objects: a timer that starts
/// itself anew is a new object with an old function.
fn timers(heap: &mut Heap, timers: Range<u32>, functions: Range<u32>, ms: u32, repeats: bool) {
    let shared = script(heap);
    let map = heap.variable("timerListMap", "Object", 61);
    let list = heap.object("TimersList", 100, 63);
    heap.builder.indexed_edge(map, EdgeType::Element, ms, list);
    let null = heap.builder.node(NodeType::Hidden, "null", 0);
    heap.builder.set_id(null, 65);
    let mut before = list;
    for (timer, run) in timers.zip(functions) {
        let function = function(heap, shared, 400_001 + 4 * run);
        let timeout = heap.object("Timeout", 120, 800_001 + 2 * timer);
        heap.builder.edge(timeout, EdgeType::Property, "_onTimeout", function);
        if !repeats {
            heap.builder.edge(timeout, EdgeType::Property, "_repeat", null);
        }
        heap.builder.edge(before, EdgeType::Property, "_idleNext", timeout);
        heap.builder.edge(timeout, EdgeType::Property, "_idlePrev", before);
        before = timeout;
    }
    heap.builder.edge(before, EdgeType::Property, "_idleNext", list);
}

fn series(draw: impl Fn(&mut Heap, usize)) -> Vec<HeapGraph> {
    let graph = |i| {
        let mut heap = Heap::new();
        draw(&mut heap, i);
        heap.build()
    };
    (0..3).map(graph).collect()
}

#[test]
fn intervals_that_only_grow_are_named_by_their_function() {
    let graphs = series(|heap, i| {
        let n = [40, 140, 240][i];
        timers(heap, 0..n, 0..n, 1000, true);
    });
    with_findings(&graphs, |found| {
        assert_eq!((found.len(), found[0].rule), (1, Rule::Timer));
        assert_eq!(found[0].confidence, Confidence::High);
        assert_eq!(found[0].site.counts, [40, 140, 240]);
        let questions = found[0].case.questions();
        let Some(Question::CallAround { function, callees }) = questions.first() else {
            panic!("{questions:?}");
        };
        assert_eq!((function.script.as_str(), function.line), ("/srv/app.js", 5));
        assert_eq!(callees, &["setInterval"]);
    });
}

#[test]
fn intervals_that_are_cleared_are_no_finding() {
    let graphs = series(|heap, i| {
        let range = [0..40, 100..190, 300..440][i].clone();
        timers(heap, range.clone(), range, 1000, true);
    });
    with_findings(&graphs, |found| assert!(found.is_empty(), "{:?}", found[0].case));
}

#[test]
fn a_chain_that_starts_itself_anew_is_known_by_its_functions() {
    let graphs = series(|heap, i| {
        let (timer, n) = [(0, 40), (1000, 140), (2000, 240)][i];
        timers(heap, timer..timer + n, 0..n, 50, false);
    });
    with_findings(&graphs, |found| {
        assert_eq!(found[0].rule, Rule::Timer);
        assert_eq!(found[0].confidence, Confidence::High);
    });
}

#[test]
fn timeouts_that_end_soon_are_a_hint_and_those_of_a_day_are_a_leak() {
    let graphs = |ms| {
        series(move |heap, i| {
            let n = [40, 140, 240][i];
            timers(heap, 0..n, 0..n, ms, false);
        })
    };
    with_findings(&graphs(60_000), |found| assert_eq!(found[0].confidence, Confidence::Low));
    with_findings(&graphs(86_400_000), |found| assert_eq!(found[0].confidence, Confidence::High));
}

/// Listeners of one event of a target that the program's variable holds.
fn listeners(heap: &mut Heap, range: Range<u32>) {
    let shared = script(heap);
    let target = heap.variable("signal", "AbortSignal", 61);
    let map = heap.object("Map", 32, 63);
    heap.builder.edge(target, EdgeType::Property, "<symbol kEvents>", map);
    let table = heap.table_of(map, 65);
    let event = heap.builder.node(NodeType::String, "abort", 24);
    heap.builder.set_id(event, 67);
    heap.builder.edge(table, EdgeType::Internal, "6", event);
    let head = heap.object("Object", 48, 69);
    heap.builder.edge(table, EdgeType::Internal, "7", head);
    let mut before = head;
    for i in range {
        let function = function(heap, shared, 400_001 + 4 * i);
        let listener = heap.object("Listener", 64, 800_001 + 2 * i);
        heap.builder.edge(listener, EdgeType::Property, "callback", function);
        heap.builder.edge(before, EdgeType::Property, "next", listener);
        heap.builder.edge(listener, EdgeType::Property, "previous", before);
        before = listener;
    }
}

#[test]
fn listeners_of_an_event_target_are_counted_along_their_list() {
    let graphs = series(|heap, i| listeners(heap, 0..[30, 130, 230][i]));
    with_findings(&graphs, |found| {
        assert_eq!((found.len(), found[0].rule), (1, Rule::EventTargetListener));
        assert_eq!(found[0].holder, "signal");
        assert_eq!(found[0].case.emitter(), Some(("signal", Some("abort"))));
        assert_eq!(found[0].site.counts, [30, 130, 230]);
        assert_eq!(found[0].confidence, Confidence::High);
    });
}

#[test]
fn listeners_that_are_removed_are_no_finding() {
    let graphs = series(|heap, i| listeners(heap, [0..30, 100..180, 300..430][i].clone()));
    with_findings(&graphs, |found| assert!(found.is_empty(), "{:?}", found[0].case));
}

/// Reactions on a promise: each runs a function of the program's.
fn reactions(heap: &mut Heap, range: Range<u32>) {
    let shared = script(heap);
    let promise = heap.variable("stopped", "Promise", 61);
    let mut above = None;
    for i in range {
        let function = function(heap, shared, 400_001 + 4 * i);
        let reaction = heap.builder.node(NodeType::Hidden, "system / PromiseReaction", 48);
        heap.builder.set_id(reaction, 800_001 + 2 * i);
        heap.builder.indexed_edge(reaction, EdgeType::Hidden, 2, function);
        // The newest comes first.
        if let Some(older) = above.replace(reaction) {
            heap.builder.indexed_edge(reaction, EdgeType::Hidden, 0, older);
        }
    }
    heap.builder.edge(promise, EdgeType::Internal, "reactions_or_result", above.unwrap());
}

#[test]
fn reactions_on_a_promise_that_lasts_are_counted_along_their_chain() {
    let graphs = series(|heap, i| reactions(heap, 0..[30, 130, 230][i]));
    with_findings(&graphs, |found| {
        assert_eq!((found.len(), found[0].rule), (1, Rule::PendingPromise));
        assert_eq!(found[0].holder, "stopped");
        assert!(matches!(found[0].case.questions()[0], Question::CallAround { .. }));
    });
}

#[test]
fn reactions_of_a_promise_that_is_followed_anew_are_no_finding() {
    let graphs = series(|heap, i| reactions(heap, [0..30, 100..180, 300..430][i].clone()));
    with_findings(&graphs, |found| assert!(found.is_empty(), "{:?}", found[0].case));
}

/// Sockets that C++ holds; `server` makes them accepted ones.
fn sockets(heap: &mut Heap, n: u32, accepted: bool) {
    let server = heap.variable("server", "Server", 61);
    let handles = heap.builder.node(NodeType::Synthetic, "(Global handles)", 0);
    heap.builder.set_id(handles, 63);
    heap.builder.indexed_edge(NodeId(0), EdgeType::Element, 9, handles);
    for i in 0..n {
        let socket = heap.object("Socket", 300, 400_001 + 4 * i);
        let wrapper = heap.object("TCP", 40, 400_003 + 4 * i);
        let native = heap.builder.node(NodeType::Native, "Node / TCPSocketWrap", 80);
        heap.builder.set_id(native, 800_001 + 2 * i);
        heap.builder.edge(native, EdgeType::Internal, "native_to_javascript", wrapper);
        heap.builder.edge(wrapper, EdgeType::Property, "<symbol owner_symbol>", socket);
        heap.builder.edge(socket, EdgeType::Property, "_handle", wrapper);
        heap.builder.edge(handles, EdgeType::Internal, &i.to_string(), wrapper);
        heap.builder.indexed_edge(NodeId(0), EdgeType::Element, 20 + i, native);
        if accepted {
            heap.builder.edge(socket, EdgeType::Property, "server", server);
        }
    }
}

#[test]
fn connections_that_the_program_opens_and_keeps_are_named_once() {
    let graphs = series(|heap, i| sockets(heap, [30, 130, 230][i], false));
    with_findings(&graphs, |found| {
        let rules: Vec<Rule> = found.iter().map(|f| f.rule).collect();
        assert_eq!(rules, [Rule::NativeHandle]);
        assert_eq!(found[0].site.counts, [30, 130, 230]);
    });
}

#[test]
fn connections_that_others_opened_are_nobodys_leak() {
    let graphs = series(|heap, i| sockets(heap, [30, 130, 230][i], true));
    with_findings(&graphs, |found| {
        let sure = found.iter().filter(|f| f.confidence > Confidence::Low);
        assert_eq!(sure.count(), 0);
    });
}

/// Two lists of listeners whose functions share one scope each: `events.once` listens for `error` too.
#[test]
fn two_lists_that_hold_the_same_are_weighed_together() {
    let graphs = series(|heap, i| {
        let shared = script(heap);
        let events = heap.emitter("bus");
        let lists = ["ready", "error"].map(|event| {
            let list = heap.object("Array", 16, if event == "ready" { 81 } else { 83 });
            heap.builder.edge(events, EdgeType::Property, event, list);
            list
        });
        for n in 0..[30, 130, 230][i] {
            let waiting = heap.object("Waiting", 5000, 300_001 + 2 * n);
            for (at, list) in lists.iter().enumerate() {
                let id = 400_001 + 8 * n + 4 * at as u32;
                let listener = function(heap, shared, id);
                heap.builder.edge(listener, EdgeType::Internal, "context", waiting);
                heap.builder.indexed_edge(*list, EdgeType::Element, n, listener);
            }
        }
    });
    with_findings(&graphs, |found| {
        assert_eq!(found[0].rule, Rule::EventListener);
        assert!(found[0].site.weight.retained_delta_bytes >= 200 * 5000);
    });
}
