//! Where an object was allocated: the call stack that V8 noted while it tracked allocations.

use leakline_heap::{HeapGraph, NodeId};
use serde::Serialize;

/// V8 notes 64 calls at most; this bounds what a hostile file shows.
const MAX_FRAMES: usize = 64;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AllocationFrame {
    /// The function's name, `(anonymous)` where it has none.
    pub function: String,
    /// The script's path or URL; `None` for code of the runtime that is in no script.
    pub file: Option<String>,
    /// Line, from 1; `None` where V8 did not know.
    pub line: Option<u32>,
    /// Column in UTF-16 units, from 1; `None` where V8 did not know.
    pub column: Option<u32>,
}

/// The calls that made `node`, the one that allocated first, the outermost last. `None` when the snapshot was
/// taken without tracking, or the object was made before tracking began.
pub fn allocation_stack(graph: &HeapGraph, node: NodeId) -> Option<Vec<AllocationFrame>> {
    let trace = graph.trace_node(node)?;
    let text = |index| Some(graph.strings().get(index)).filter(|t| !t.is_empty());
    // Unlike locations, these count from 1, and 0 is unknown.
    let known = |number: u32| (number > 0).then_some(number);
    let stack: Vec<_> = graph
        .allocations()?
        .stack_of(trace)
        .take(MAX_FRAMES)
        .map(|f| AllocationFrame {
            function: text(f.name).unwrap_or("(anonymous)").to_owned(),
            file: text(f.script_name).map(ToOwned::to_owned),
            line: known(f.line),
            column: known(f.column),
        })
        .collect();
    (!stack.is_empty()).then_some(stack)
}
