//! The shapes a file can have: one like real services, three that are hard for some algorithm or other.

use clap::ValueEnum;

use super::base::Base;
use super::kinds::{EdgeKind, Kind, Layout};
use super::plan::{Holder, Pairs, Plan};
use super::requests;
use super::template::{Drawn, Label, Link, Name, Node, SlotId, Template, To};

/// Every so many requests put a pair into the `WeakMap`, up to a limit, since each pair takes two long strings.
const PAIR_EVERY: u64 = 64;
const MOST_PAIRS: u64 = 2000;

/// What the graph looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// Requests to a service, kept alive by listeners and a cache.
    Service,
    /// A linked list whose payloads an array also holds: quadratic for dominator algorithms that walk up step by step.
    Chain,
    /// One array that holds everything.
    Wide,
    /// As `Service`, and 30 % of the file is text.
    Strings,
}

impl Shape {
    pub(super) fn plan(self, layout: Layout, seed: u64) -> Plan {
        let base = Base::new(layout);
        match self {
            Self::Service => service(base, seed, false),
            Self::Strings => service(base, seed, true),
            Self::Chain => chain(base, seed),
            Self::Wide => wide(base, seed),
        }
    }
}

fn service(mut base: Base, seed: u64, with_lines: bool) -> Plan {
    let (template, handles) = requests::draw(&mut base, with_lines);
    let listeners = held(&mut base, "Array", 32, "uncaughtException", Node::in_events);
    let store = base.node(Kind::Array, "(object elements)", 16);
    base.named(listeners, EdgeKind::Internal, "elements", store);
    let cache = held(&mut base, "Map", 32, "cache", Node::in_global);
    let table = base.node(Kind::Array, "", 2064);
    base.named(cache, EdgeKind::Internal, "table", table);
    let weak = held(&mut base, "WeakMap", 32, "owner", Node::in_global);
    let pairs = base.node(Kind::Array, "", 2064);
    base.named(weak, EdgeKind::Internal, "table", pairs);
    let (listener, entry) = (handles.listener, handles.entry);
    let holders = vec![
        Holder { every: 1, ..holder(listeners, EdgeKind::Element, listener) },
        Holder { as_text: true, ..holder(store, EdgeKind::Internal, listener) },
        Holder { every: handles.run, ..holder(table, EdgeKind::Hidden, entry) },
    ];
    let pairs = Pairs {
        table: pairs,
        key: handles.session,
        value: handles.payload,
        every: PAIR_EVERY,
        most: MOST_PAIRS,
    };
    Plan::new(base, template, holders, Some(pairs), seed)
}

fn chain(mut base: Base, seed: u64) -> Plan {
    let mut template = Template::default();
    let link = template.slot(object(&mut base, "Entry", 40));
    let payload =
        template.slot(Drawn { moved: true, spread: 32, ..object(&mut base, "Payload", 56) });
    let value = Label::Text(base.text("value"));
    template.link(link, EdgeKind::Property, value, To::Slot(payload));
    let next = Label::Text(base.text("next"));
    let after = To::Next { slot: link, run: u64::MAX, otherwise: base.null };
    template.link(link, EdgeKind::Property, next, after);
    let list = held(&mut base, "List", 40, "items", Node::in_global);
    let all = held(&mut base, "Array", 32, "cache", Node::in_global);
    let holders = vec![
        // Only the first link: the number of the block is divided by more than there are.
        Holder { every: u64::MAX, ..holder(list, EdgeKind::Element, link) },
        holder(all, EdgeKind::Element, payload),
    ];
    Plan::new(base, template, holders, None, seed)
}

fn wide(mut base: Base, seed: u64) -> Plan {
    let mut template = Template::default();
    let mut leaf = Drawn::new(Kind::Object, Name::Text(base.text("Payload")), 24);
    leaf.spread = 16;
    let map = Label::Text(base.text("map"));
    leaf.links.push(Link {
        kind: EdgeKind::Internal,
        label: map,
        to: To::Base(base.map("Payload")),
    });
    let leaf = template.slot(leaf);
    let all = held(&mut base, "Array", 32, "cache", Node::in_global);
    let holders = vec![holder(all, EdgeKind::Element, leaf)];
    Plan::new(base, template, holders, None, seed)
}

fn holder(node: Node, kind: EdgeKind, slot: SlotId) -> Holder {
    Holder { node, kind, as_text: false, slot, every: 1 }
}

/// An object of a class, with prototype and map.
fn object(base: &mut Base, class: &str, size: u64) -> Drawn {
    let mut drawn = Drawn::new(Kind::Object, Name::Text(base.text(class)), size);
    let (prototype, map) = (base.prototype(class), base.map(class));
    for (kind, label, to) in
        [(EdgeKind::Property, "__proto__", prototype), (EdgeKind::Internal, "map", map)]
    {
        let label = Label::Text(base.text(label));
        drawn.links.push(Link { kind, label, to: To::Base(to) });
    }
    drawn
}

/// A collection of the base, at a property of one of its objects.
fn held(base: &mut Base, class: &str, size: u64, label: &str, owner: fn(&Base) -> Node) -> Node {
    let drawn = object(base, class, size);
    let node = base.node(Kind::Object, class, size);
    base.nodes[node.0 as usize].links = drawn.links;
    base.named(owner(base), EdgeKind::Property, label, node);
    node
}

impl Node {
    fn in_events(base: &Base) -> Self {
        base.process_events
    }

    fn in_global(base: &Base) -> Self {
        base.global
    }
}
