//! How nodes are drawn: the vocabulary that [`super::base`] and the templates of blocks share.

use super::kinds::{EdgeKind, Kind};

/// A string of the base, by its place in the file's string table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text(pub u32);

/// A node of the base, by its ordinal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node(pub u32);

/// A slot of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotId(pub u8);

/// Strings or nodes of the base that follow each other; which one it is, is decided block by block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    pub first: u32,
    pub count: u32,
}

/// What a node is called.
#[derive(Clone, Copy, Debug)]
pub enum Name {
    Text(Text),
    /// One of these strings.
    Pool(Pool),
    /// The block's own string of this number: no other node has it.
    Own(u8),
}

/// What an edge is called.
#[derive(Clone, Copy, Debug)]
pub enum Label {
    Text(Text),
    /// A bare number, as `element` and `hidden` edges have.
    Index(u32),
    /// The text of a number, as V8 names the slots of a fixed array.
    Number(u32),
}

/// Where an edge leads.
#[derive(Clone, Copy, Debug)]
pub enum To {
    Base(Node),
    /// One of these nodes of the base.
    Pool(Pool),
    /// Within the block.
    Slot(SlotId),
    /// The same slot of the next block, for runs of so many blocks; the last of a run points elsewhere.
    Next {
        slot: SlotId,
        run: u64,
        otherwise: Node,
    },
    /// This slot of an arbitrary block.
    Far(SlotId),
}

#[derive(Clone, Copy, Debug)]
pub struct Link {
    pub kind: EdgeKind,
    pub label: Label,
    pub to: To,
}

/// A position in a script.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub script: u32,
    pub line: u32,
    pub column: u32,
}

/// A node: of the base, or a slot that each block fills.
#[derive(Clone, Debug)]
pub struct Drawn {
    pub kind: Kind,
    pub name: Name,
    /// Shallow size in bytes, and up to how many words more it varies by.
    pub size: u64,
    pub spread: u64,
    pub links: Vec<Link>,
    pub place: Option<Place>,
    /// Stands apart from its block, as after a garbage collection.
    pub moved: bool,
}

impl Drawn {
    pub fn new(kind: Kind, name: Name, size: u64) -> Self {
        Self { kind, name, size, spread: 0, links: Vec::new(), place: None, moved: false }
    }
}

/// How a block's own strings read.
#[derive(Clone, Copy, Debug)]
pub enum OwnString {
    /// `/orders/7?n=123`
    Url,
    /// A line of a log, a few hundred characters, with quotes, line breaks and letters beyond ASCII.
    LogLine,
}

/// What each block adds.
#[derive(Clone, Debug, Default)]
pub struct Template {
    pub slots: Vec<Drawn>,
    pub own_strings: Vec<OwnString>,
}

impl Template {
    pub fn slot(&mut self, drawn: Drawn) -> SlotId {
        self.slots.push(drawn);
        SlotId(u8::try_from(self.slots.len() - 1).expect("a template has fewer than 256 slots"))
    }

    pub fn at(&mut self, slot: SlotId) -> &mut Drawn {
        &mut self.slots[usize::from(slot.0)]
    }

    pub fn link(&mut self, from: SlotId, kind: EdgeKind, label: Label, to: To) {
        self.at(from).links.push(Link { kind, label, to });
    }

    /// How many edges a block has by itself.
    pub fn edges(&self) -> u64 {
        self.slots.iter().map(|s| s.links.len() as u64).sum()
    }
}
