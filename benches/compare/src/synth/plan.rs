//! From the drawing to the numbers: where each node stands, what each edge is called and where it leads.

use super::base::Base;
use super::kinds::{EdgeKind, Layout};
use super::template::{Label, Link, Name, Node, SlotId, Template, To};

/// How many orders the slots of a block may stand in.
const ORDERS: usize = 16;

/// Moved slots of so many blocks in a row are mixed. It bounds how far apart a collection takes what was together:
/// a few hundred kilobytes of objects, as V8's pages do.
const WINDOW: u64 = 4096;

/// Odd, so that multiplying by it permutes a window, and far from a power of two.
const STRIDE: u64 = 2531;

/// Numbers that are strings in every file: the slots of small arrays.
const FEWEST_NUMBERS: u64 = 64;

/// A node of the base that holds a slot of every so many blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holder {
    pub node: Node,
    pub kind: EdgeKind,
    /// The edge's name is the text of its number, not the number itself.
    pub as_text: bool,
    pub slot: SlotId,
    pub every: u64,
}

/// A `WeakMap` whose pairs are slots of every so many blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pairs {
    pub table: Node,
    pub key: SlotId,
    pub value: SlotId,
    pub every: u64,
    /// A pair takes two long strings, so there is a limit.
    pub most: u64,
}

/// What a file will hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub nodes: u64,
    pub edges: u64,
    pub strings: u64,
    pub locations: u64,
}

/// Everything that is needed to write a file.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) base: Base,
    pub(super) template: Template,
    pub(super) holders: Vec<Holder>,
    pub(super) pairs: Option<Pairs>,
    /// How many blocks there are.
    pub blocks: u64,
    pub(super) layout: Layout,
    seed: u64,
    /// The slots that stay with their block and those that are moved, each in its orders.
    near: Orders,
    moved: Orders,
}

/// Some slots of a template in each of the orders, and where each slot stands in them.
#[derive(Clone, Debug)]
struct Orders {
    slots: Vec<Vec<SlotId>>,
    places: Vec<Vec<u8>>,
}

impl Orders {
    fn new(template: &Template, moved: bool, seed: u64) -> Self {
        let (mut slots, mut places) = (Vec::new(), Vec::new());
        for n in 0..ORDERS as u64 {
            let mut order: Vec<SlotId> = (0..template.slots.len())
                .filter(|&i| template.slots[i].moved == moved)
                .map(|i| SlotId(i as u8))
                .collect();
            for i in (1..order.len()).rev() {
                let other = mix(seed, n << 8 | i as u64) % (i as u64 + 1);
                order.swap(i, other as usize);
            }
            let mut place = vec![0; template.slots.len()];
            for (i, slot) in order.iter().enumerate() {
                place[usize::from(slot.0)] = i as u8;
            }
            slots.push(order);
            places.push(place);
        }
        Self { slots, places }
    }

    fn width(&self) -> u64 {
        self.slots[0].len() as u64
    }
}

/// Where a node comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    Base(Node),
    Block { block: u64, slot: SlotId },
}

/// An edge as the file has it, but for the width of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub kind: EdgeKind,
    pub name: u64,
    pub to: u64,
}

impl Plan {
    pub(super) fn new(
        base: Base,
        template: Template,
        holders: Vec<Holder>,
        pairs: Option<Pairs>,
        seed: u64,
    ) -> Self {
        Self {
            near: Orders::new(&template, false, seed),
            moved: Orders::new(&template, true, seed ^ 1),
            layout: base.layout,
            base,
            template,
            holders,
            pairs,
            blocks: 1,
            seed,
        }
    }

    /// The exact numbers of what the file will hold.
    pub fn counts(&self) -> Counts {
        let of_base: u64 = self.base.nodes.iter().map(|n| n.links.len() as u64).sum();
        let held: u64 = self.holders.iter().map(|h| self.held(h)).sum();
        let places = |nodes: &[super::template::Drawn]| {
            nodes.iter().filter(|n| n.place.is_some()).count() as u64
        };
        Counts {
            nodes: self.base.nodes.len() as u64 + self.blocks * self.template.slots.len() as u64,
            // A pair: two weak edges and the ephemeron from the table, the ephemeron from the key.
            edges: of_base + held + self.blocks * self.template.edges() + 4 * self.pair_count(),
            strings: self.first_pair_name() + 2 * self.pair_count(),
            locations: places(&self.base.nodes) + self.blocks * places(&self.template.slots),
        }
    }

    pub(super) fn held(&self, holder: &Holder) -> u64 {
        self.blocks.div_ceil(holder.every)
    }

    pub(super) fn pair_count(&self) -> u64 {
        self.pairs.map_or(0, |p| self.blocks.div_ceil(p.every).min(p.most))
    }

    /// How many numbers stand in the string table as texts.
    pub(super) fn numbers(&self) -> u64 {
        let held = self.holders.iter().filter(|h| h.as_text).map(|h| self.held(h)).max();
        held.unwrap_or(0).max(2 * self.pair_count()).max(FEWEST_NUMBERS)
    }

    // The string table: those of the base, the numbers, each block's own, the names of the pairs.

    fn first_own(&self) -> u64 {
        self.base.strings.len() as u64 + self.numbers()
    }

    fn first_pair_name(&self) -> u64 {
        self.first_own() + self.blocks * self.template.own_strings.len() as u64
    }

    /// Calls for each node, in the order of the file.
    pub(super) fn visit<E>(&self, mut each: impl FnMut(u64, At) -> Result<(), E>) -> Result<(), E> {
        let mut ordinal = 0;
        let mut next = |at| {
            ordinal += 1;
            each(ordinal - 1, at)
        };
        for n in 0..self.base.nodes.len() as u32 {
            next(At::Base(Node(n)))?;
        }
        for block in 0..self.blocks {
            for &slot in &self.near.slots[self.order(block)] {
                next(At::Block { block, slot })?;
            }
        }
        for row in 0..self.blocks {
            let block = self.block_in_row(row);
            for &slot in &self.moved.slots[self.order(block)] {
                next(At::Block { block, slot })?;
            }
        }
        Ok(())
    }

    /// The ordinal of a block's slot.
    pub(super) fn place(&self, block: u64, slot: SlotId) -> u64 {
        let first = self.base.nodes.len() as u64;
        let (order, slot) = (self.order(block), usize::from(slot.0));
        if self.template.slots[slot].moved {
            first
                + self.blocks * self.near.width()
                + self.row_of_block(block) * self.moved.width()
                + u64::from(self.moved.places[order][slot])
        } else {
            first + block * self.near.width() + u64::from(self.near.places[order][slot])
        }
    }

    fn order(&self, block: u64) -> usize {
        (mix(self.seed, block) % ORDERS as u64) as usize
    }

    /// In which row of the moved slots those of this block stand. Only whole windows are mixed.
    fn row_of_block(&self, block: u64) -> u64 {
        let start = block - block % WINDOW;
        if start + WINDOW > self.blocks {
            return block;
        }
        start + (block % WINDOW).wrapping_mul(STRIDE) % WINDOW
    }

    fn block_in_row(&self, row: u64) -> u64 {
        let start = row - row % WINDOW;
        if start + WINDOW > self.blocks {
            return row;
        }
        start + (row % WINDOW).wrapping_mul(inverse(STRIDE)) % WINDOW
    }

    pub(super) fn drawn(&self, at: At) -> &super::template::Drawn {
        match at {
            At::Base(node) => &self.base.nodes[node.0 as usize],
            At::Block { slot, .. } => &self.template.slots[usize::from(slot.0)],
        }
    }

    /// The string table's index of a node's name.
    pub(super) fn name(&self, ordinal: u64, at: At) -> u64 {
        match (self.drawn(at).name, at) {
            (Name::Text(text), _) => u64::from(text.0),
            (Name::Pool(pool), _) => {
                u64::from(pool.first) + mix(self.seed, ordinal) % u64::from(pool.count)
            }
            (Name::Own(n), At::Block { block, .. }) => {
                self.first_own() + block * self.template.own_strings.len() as u64 + u64::from(n)
            }
            // A base has no strings of its own; it would be a slip of the drawing.
            (Name::Own(_), At::Base(_)) => 0,
        }
    }

    pub(super) fn size(&self, ordinal: u64, at: At) -> u64 {
        let drawn = self.drawn(at);
        match drawn.spread {
            0 => drawn.size,
            spread => drawn.size + 8 * (mix(self.seed ^ 2, ordinal) % spread),
        }
    }

    pub(super) fn edge_count(&self, at: At) -> u64 {
        let own = self.drawn(at).links.len() as u64;
        own + match at {
            At::Base(node) => {
                let holders = self.holders.iter().filter(|h| h.node == node);
                let pairs = self.pairs.filter(|p| p.table == node).map_or(0, |_| self.pair_count());
                holders.map(|h| self.held(h)).sum::<u64>() + 3 * pairs
            }
            At::Block { block, slot } => u64::from(self.pair_with_key(block, slot).is_some()),
        }
    }

    /// The number of the pair whose key this is.
    fn pair_with_key(&self, block: u64, slot: SlotId) -> Option<u64> {
        let pairs = self.pairs.as_ref().filter(|p| p.key == slot)?;
        let number = block / pairs.every;
        (block.is_multiple_of(pairs.every) && number < pairs.most).then_some(number)
    }

    /// Calls for each edge of a node, in order. As many as [`Self::edge_count`] says.
    pub(super) fn edges<E>(
        &self,
        ordinal: u64,
        at: At,
        mut each: impl FnMut(Edge) -> Result<(), E>,
    ) -> Result<(), E> {
        for (i, link) in self.drawn(at).links.iter().enumerate() {
            each(self.resolve(ordinal, at, i as u64, link))?;
        }
        match at {
            At::Base(node) => {
                for holder in self.holders.iter().filter(|h| h.node == node) {
                    for n in 0..self.held(holder) {
                        each(self.held_edge(holder, n))?;
                    }
                }
                if self.pairs.is_some_and(|p| p.table == node) {
                    for n in 0..self.pair_count() {
                        self.pair_edges(n).into_iter().try_for_each(&mut each)?;
                    }
                }
            }
            At::Block { block, slot } => {
                if let (Some(n), Some(pairs)) = (self.pair_with_key(block, slot), self.pairs) {
                    let to = self.place(block, pairs.value);
                    let name = self.first_pair_name() + 2 * n + 1;
                    each(Edge { kind: EdgeKind::Internal, name, to })?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn held_edge(&self, holder: &Holder, n: u64) -> Edge {
        let name = if holder.as_text { self.number(n) } else { n };
        Edge { kind: holder.kind, name, to: self.place(n * holder.every, holder.slot) }
    }

    /// What the table of a `WeakMap` has for a pair: both sides weakly, and the ephemeron to the value.
    fn pair_edges(&self, n: u64) -> Vec<Edge> {
        let Some(pairs) = self.pairs else { return Vec::new() };
        let block = n * pairs.every;
        let (key, value) = (self.place(block, pairs.key), self.place(block, pairs.value));
        vec![
            Edge { kind: EdgeKind::Weak, name: self.number(2 * n), to: key },
            Edge { kind: EdgeKind::Weak, name: self.number(2 * n + 1), to: value },
            Edge { kind: EdgeKind::Internal, name: self.first_pair_name() + 2 * n, to: value },
        ]
    }

    fn number(&self, n: u64) -> u64 {
        self.base.strings.len() as u64 + n
    }

    fn resolve(&self, ordinal: u64, at: At, link_number: u64, link: &Link) -> Edge {
        let name = match link.label {
            Label::Text(text) => u64::from(text.0),
            Label::Index(n) => u64::from(n),
            Label::Number(n) => self.number(u64::from(n)),
        };
        let to = match (link.to, at) {
            (To::Base(node), _) => u64::from(node.0),
            (To::Pool(pool), _) => {
                let chosen = mix(self.seed ^ 3, ordinal << 8 | link_number);
                u64::from(pool.first) + chosen % u64::from(pool.count)
            }
            (To::Slot(slot), At::Block { block, .. }) => self.place(block, slot),
            (To::Next { slot, run, otherwise }, At::Block { block, .. }) => {
                let next = block + 1;
                if next.is_multiple_of(run) || next == self.blocks {
                    u64::from(otherwise.0)
                } else {
                    self.place(next, slot)
                }
            }
            (To::Far(slot), At::Block { block, .. }) => {
                self.place(mix(self.seed ^ 4, block) % self.blocks, slot)
            }
            // The base knows no blocks but through holders; it would be a slip of the drawing.
            (To::Slot(_) | To::Next { .. } | To::Far(_), At::Base(_)) => 0,
        };
        Edge { kind: link.kind, name, to }
    }
}

/// A well-mixed number for each pair of numbers: the finaliser of `SplitMix64` (Steele, Lea and Flood 2014).
pub(super) fn mix(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// By what to multiply to undo a multiplication by `odd`, modulo any power of two up to 2^64 (Newton's iteration).
const fn inverse(odd: u64) -> u64 {
    let mut x = odd;
    let mut round = 0;
    while round < 6 {
        x = x.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(x)));
        round += 1;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_undoes_the_stride() {
        assert_eq!(STRIDE.wrapping_mul(inverse(STRIDE)), 1);
    }
}
