//! Who allocated what: the call stacks that V8 keeps while it tracks allocations.
//!
//! A snapshot that was taken while allocations were tracked holds a tree of call stacks: an entry is a
//! function called from the one above it. Each object names the entry that was on top when it was made.
//! Whole stacks are never kept: parents stand before their children, so a stack is a walk up the column of
//! parents, which cannot go in circles however the file lies.

use bytemuck::{Pod, Zeroable};

use crate::{GraphError, StringTable};

/// The parent of an entry that has none.
const NONE: u32 = u32::MAX;

/// A function that allocated, or that called one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct TraceFunction {
    /// Its name as a string index; the text is empty for a nameless function.
    pub name: u32,
    /// Its script's name as a string index; the text is empty for the runtime's own code.
    pub script_name: u32,
    /// V8's number of the script; 0 is none.
    pub script_id: u32,
    /// Line, counted from 1 as in the file format (unlike locations); 0 is unknown.
    pub line: u32,
    /// Column in UTF-16 units, counted from 1; 0 is unknown.
    pub column: u32,
}

/// A moment of the tracking: which objects existed then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Sample {
    /// Microseconds since tracking began.
    pub timestamp_us: u64,
    /// The highest object id that was given by then.
    pub last_assigned_id: u32,
    /// Nothing; makes the size a multiple of eight.
    pub reserved: u32,
}

/// One call stack's top, with what was allocated there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceEntry {
    /// What nodes name it by; see [`HeapGraph::trace_node`](crate::HeapGraph::trace_node).
    pub id: u32,
    /// Which function.
    pub function: u32,
    /// How many objects were allocated there and were alive at the capture.
    pub count: u32,
    /// Their bytes.
    pub size: u64,
}

/// The allocation tree as it is read, from the root down.
#[derive(Clone, Debug, Default)]
pub struct AllocationsBuilder {
    functions: Vec<TraceFunction>,
    parent: Vec<u32>,
    entries: Vec<TraceEntry>,
    samples: Vec<Sample>,
}

impl AllocationsBuilder {
    /// Appends functions.
    pub fn functions(&mut self, functions: &[TraceFunction]) {
        self.functions.extend_from_slice(functions);
    }

    /// How many functions there are.
    pub fn function_count(&self) -> usize {
        self.functions.len()
    }

    /// Appends samples.
    pub fn samples(&mut self, samples: &[Sample]) {
        self.samples.extend_from_slice(samples);
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Begins an entry below one that exists, or at the top.
    ///
    /// # Panics
    /// If the parent does not exist.
    pub fn begin(&mut self, parent: Option<u32>) -> u32 {
        let entry = self.entries.len() as u32;
        assert!(parent.is_none_or(|p| p < entry), "parents stand before their children");
        self.parent.push(parent.unwrap_or(NONE));
        self.entries.push(TraceEntry::default());
        entry
    }

    /// An entry, to be filled.
    ///
    /// # Panics
    /// If it does not exist.
    pub fn entry(&mut self, entry: u32) -> &mut TraceEntry {
        &mut self.entries[entry as usize]
    }

    /// The entry above this one.
    pub fn parent(&self, entry: u32) -> Option<u32> {
        self.parent.get(entry as usize).copied().filter(|&p| p != NONE)
    }

    /// Checks that entries name functions, and functions strings.
    ///
    /// # Errors
    /// [`GraphError::OutOfRange`] where one does not.
    pub fn build(self, strings: &StringTable) -> Result<Allocations, GraphError> {
        let out = |what, at: usize, index: u32, limit: usize| {
            Err(GraphError::OutOfRange {
                what,
                at: at as u64,
                index: u64::from(index),
                limit: limit as u64,
            })
        };
        for (at, function) in self.functions.iter().enumerate() {
            for (what, name) in [(FUNCTION, function.name), (SCRIPT, function.script_name)] {
                if name as usize >= strings.len() {
                    return out(what, at, name, strings.len());
                }
            }
        }
        for (at, entry) in self.entries.iter().enumerate() {
            if entry.function as usize >= self.functions.len() {
                return out(ENTRY, at, entry.function, self.functions.len());
            }
        }
        let mut by_id: Vec<[u32; 2]> =
            self.entries.iter().enumerate().map(|(i, e)| [e.id, i as u32]).collect();
        by_id.sort_unstable();
        let Self { functions, parent, entries, samples } = self;
        Ok(Allocations { functions, parent, entries, by_id, samples })
    }
}

/// What a function's name is called in errors.
pub const FUNCTION: &str = "name of allocating function";

/// What the name of a function's script is called in errors.
pub const SCRIPT: &str = "script of allocating function";

/// What an entry's function is called in errors.
pub const ENTRY: &str = "function of allocation stack";

/// The allocation stacks of one snapshot.
#[derive(Clone, Debug, Default)]
pub struct Allocations {
    functions: Vec<TraceFunction>,
    parent: Vec<u32>,
    entries: Vec<TraceEntry>,
    /// Ids and positions, sorted.
    by_id: Vec<[u32; 2]>,
    samples: Vec<Sample>,
}

impl Allocations {
    /// All functions.
    pub fn functions(&self) -> &[TraceFunction] {
        &self.functions
    }

    /// All entries of the tree; those above others stand before them.
    pub fn entries(&self) -> &[TraceEntry] {
        &self.entries
    }

    /// The entry above an entry.
    pub fn parent(&self, entry: u32) -> Option<u32> {
        self.parent.get(entry as usize).copied().filter(|&p| p != NONE)
    }

    /// The moments at which V8 noted the highest object id; they date objects.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// The position of the entry with this id. Costs a binary search.
    pub fn entry_with_id(&self, id: u32) -> Option<u32> {
        let at = self.by_id.partition_point(|&[known, _]| known < id);
        self.by_id.get(at).filter(|found| found[0] == id).map(|found| found[1])
    }

    /// The functions that were being called when an object with this trace node was made: the one that
    /// allocated first, the outermost last. Empty where the tree does not know the id.
    pub fn stack_of(&self, trace_node: u32) -> impl Iterator<Item = &TraceFunction> {
        let top = self.entry_with_id(trace_node);
        std::iter::successors(top, |&entry| self.parent(entry))
            // The tree's own root is no function.
            .filter(|&entry| self.parent(entry).is_some())
            .filter_map(|entry| self.functions.get(self.entries[entry as usize].function as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StringTableBuilder;

    fn strings(texts: &[&str]) -> StringTable {
        let mut table = StringTableBuilder::default();
        for text in texts {
            table.push_str(text);
            table.finish_string();
        }
        table.build()
    }

    fn function(name: u32) -> TraceFunction {
        TraceFunction { name, ..TraceFunction::default() }
    }

    /// root → a → b, and root → b; ids in no order.
    fn drawn() -> AllocationsBuilder {
        let mut builder = AllocationsBuilder::default();
        builder.functions(&[function(0), function(1), function(2)]);
        for (parent, id, function) in
            [(None, 9, 0), (Some(0), 4, 1), (Some(1), 7, 2), (Some(0), 2, 2)]
        {
            let entry = builder.begin(parent);
            *builder.entry(entry) = TraceEntry { id, function, count: 1, size: 8 };
        }
        builder
    }

    #[test]
    fn a_stack_begins_with_who_allocated_and_leaves_the_root_out() {
        let strings = strings(&["(root)", "a", "b"]);
        let allocations = drawn().build(&strings).expect("consistent");
        let names = |id| -> Vec<_> {
            allocations.stack_of(id).map(|f| strings.get(f.name).to_string()).collect()
        };
        assert_eq!(names(7), ["b", "a"]);
        assert_eq!(names(2), ["b"]);
        assert_eq!(names(4), ["a"]);
        assert!(names(9).is_empty() && names(1).is_empty() && names(u32::MAX).is_empty());
    }

    #[test]
    fn indexes_that_point_outside_are_refused() {
        let few = strings(&["(root)", "a"]);
        let wrong = drawn().build(&few).expect_err("no such string");
        assert_eq!(
            wrong.to_string(),
            "name of allocating function 2 points to 2, but there are only 2"
        );
        let mut builder = drawn();
        builder.entry(3).function = 3;
        let wrong = builder.build(&strings(&["", "", ""])).expect_err("no such function");
        assert_eq!(
            wrong.to_string(),
            "function of allocation stack 3 points to 3, but there are only 3"
        );
    }

    #[test]
    fn a_million_deep_is_a_walk() {
        let mut builder = AllocationsBuilder::default();
        builder.functions(&[function(0)]);
        let mut above = None;
        for id in 0..1_000_000 {
            let entry = builder.begin(above);
            builder.entry(entry).id = id;
            above = Some(entry);
        }
        let allocations = builder.build(&strings(&["f"])).expect("consistent");
        assert_eq!(allocations.stack_of(999_999).count(), 999_999);
    }
}
