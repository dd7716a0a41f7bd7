//! The essential edges backwards, as far as the dominators need them.
//!
//! Many edges need no list: what they say about a semidominator, the depth-first search has noted on its way
//! (see `numbering`). The lists of the others hold depth-first numbers and stand in the order of the
//! numbers. They are read once, from the last to the first, so nothing has to say where a list begins:
//! behind each stands its length.
//!
//! Writing them is the most scattered work of all: each edge adds an entry to the list of its target. Two
//! threads share it by targets, the lower and the upper half of the nodes; both read all edges, which is
//! the cheap part, and neither waits for the other. So there are two rows of lists.

use leakline_heap::{HeapGraph, memory};

use super::numbering::{NO_LIST, Numbering};
use crate::bits::Bits;
use crate::buffers::Buffers;

/// How many edges ahead the memory is asked for. Targets are all over the heap, and each of them costs a
/// line of the cache; the processor waits for many at once if it knows them early.
const AHEAD: usize = 24;

/// Lists of predecessors, by depth-first number.
pub(crate) struct InEdges {
    /// Lists, each followed by its length: those of the lower half of the nodes, then the others.
    from: Vec<u32>,
    /// How much of `from` is the lower half's.
    lower: usize,
    /// By number: whether there is a list.
    listed: Bits,
    /// By number: whether the node is of the upper half.
    is_upper: Bits,
}

/// One thread's share of the targets.
struct Share<'a> {
    /// The first node of it.
    base: usize,
    /// By node: where the next entry of its list goes, in `from`.
    next: &'a mut [u32],
    from: &'a mut [u32],
}

impl InEdges {
    /// Writes the lists. O(nodes + edges).
    pub(crate) fn of(graph: &HeapGraph, numbering: &Numbering, buffers: &Buffers) -> Self {
        let n = graph.node_count();
        let middle = n / 2;
        let mut next = buffers.take(n);
        let Numbering { node_of, slots, .. } = numbering;
        let mut listed = Bits::new(n);
        let mut is_upper = Bits::new(n);
        // For each half, where the next list begins; the upper half's lists stand behind the others.
        let mut begin = [0u32; 2];
        for (v, &node) in node_of.iter().enumerate() {
            if let Some(&ahead) = node_of.get(v + AHEAD) {
                memory::prefetch(slots, ahead as usize);
                memory::prefetch(&next, ahead as usize);
            }
            let [_, count] = slots[node as usize];
            let slot = &mut next[node as usize];
            *slot = NO_LIST;
            if count > 0 && count != NO_LIST {
                let upper = node as usize >= middle;
                listed.set(v);
                if upper {
                    is_upper.set(v);
                }
                let begin = &mut begin[usize::from(upper)];
                *slot = *begin;
                *begin += count + 1;
            }
        }
        let [lower, upper] = begin.map(|end| end as usize);
        let mut from: Vec<u32> = memory::zeroed(lower + upper);
        {
            let (next_lower, next_upper) = next.split_at_mut(middle);
            let (from_lower, from_upper) = from.split_at_mut(lower);
            let share = |base, next, from| Share { base, next, from };
            std::thread::scope(|scope| {
                let upper = share(middle, next_upper, from_upper);
                scope.spawn(|| upper.write(graph, numbering));
                share(0, next_lower, from_lower).write(graph, numbering);
            });
        }
        buffers.give(next);
        Self { from, lower, listed, is_upper }
    }

    /// Reads the lists, last to first.
    pub(super) fn backwards(&self) -> Backwards<'_> {
        let (lower, upper) = self.from.split_at(self.lower);
        Backwards { lists: self, rest: [lower, upper] }
    }
}

/// Reads the lists, last to first.
pub(super) struct Backwards<'a> {
    lists: &'a InEdges,
    /// What is not read yet.
    rest: [&'a [u32]; 2],
}

impl<'a> Backwards<'a> {
    /// The numbers of the nodes that hold the node of number `v`, where there are several. To be called for
    /// every number from the last to the first.
    #[inline]
    pub(super) fn of_number(&mut self, v: u32) -> &'a [u32] {
        if !self.lists.listed.get(v as usize) {
            return &[];
        }
        let rest = &mut self.rest[usize::from(self.lists.is_upper.get(v as usize))];
        let Some((&length, before)) = rest.split_last() else { return &[] };
        let (before, list) = before.split_at(before.len() - length as usize);
        *rest = before;
        list
    }
}

impl Share<'_> {
    fn write(self, graph: &HeapGraph, numbering: &Numbering) {
        let Self { base, next, from } = self;
        let (edges, first_edges) = (graph.packed_edges(), graph.first_edges());
        let place = |node: u32| (node as usize).wrapping_sub(base);
        let mut node = 0;
        // Edges to come, in a ring: the memory of each is asked for well before it is used.
        let mut coming = [[0u32; 2]; AHEAD];
        let mut seen = 0;
        let mut note = |[at, own]: [u32; 2], next: &mut [u32]| {
            let next = &mut next[at as usize];
            if *next != NO_LIST {
                from[*next as usize] = own;
                *next += 1;
            }
        };
        for (w, &word) in numbering.listed.words().iter().enumerate() {
            let mut word = word;
            while word != 0 {
                let e = w * 64 + word.trailing_zeros() as usize;
                word &= word - 1;
                let at = place(edges[e].to());
                if at >= next.len() {
                    continue;
                }
                memory::prefetch(next, at);
                while first_edges[node + 1] as usize <= e {
                    node += 1;
                }
                let [own, _] = numbering.slots[node];
                let due = std::mem::replace(&mut coming[seen % AHEAD], [at as u32, own]);
                if seen >= AHEAD {
                    note(due, next);
                }
                seen += 1;
            }
        }
        for i in seen.saturating_sub(AHEAD)..seen {
            note(coming[i % AHEAD], next);
        }
        // Behind each list there is room for its length.
        let mut begin = 0;
        let node_of = &numbering.node_of;
        for (v, &node) in node_of.iter().enumerate() {
            if let Some(&ahead) = node_of.get(v + AHEAD) {
                memory::prefetch(next, place(ahead));
            }
            if let Some(&end) = next.get(place(node))
                && end != NO_LIST
            {
                from[end as usize] = end - begin;
                begin = end + 1;
            }
        }
    }
}
