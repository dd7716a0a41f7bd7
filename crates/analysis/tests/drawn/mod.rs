//! Heaps as Node draws them, with the same object ids in every snapshot of a series.

#![allow(dead_code, reason = "every test file uses its own part of this")]

use std::ops::Range;

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};
use leakline_testkit::graph::GraphBuilder;

/// A program: root, global object, and a module's scope that variables live in.
pub struct Heap {
    pub builder: GraphBuilder,
    scope: NodeId,
}

impl Heap {
    pub fn new() -> Self {
        let mut builder = GraphBuilder::new();
        let root = builder.node(NodeType::Synthetic, "", 0);
        let global = builder.node(NodeType::Object, "global", 100);
        let main = builder.node(NodeType::Closure, "main", 64);
        let scope = builder.node(NodeType::Object, "system / Context", 64);
        builder.indexed_edge(root, EdgeType::Shortcut, 1, global);
        builder.edge(global, EdgeType::Property, "main", main);
        builder.edge(main, EdgeType::Internal, "context", scope);
        // A program has more than what grows: ids are judged by the many that stay.
        for i in 0..200 {
            let other = builder.node(NodeType::Object, "Other", 24);
            builder.set_id(other, 100_001 + 2 * i);
            builder.indexed_edge(global, EdgeType::Element, i, other);
        }
        Self { builder, scope }
    }

    pub fn object(&mut self, class: &str, size: u64, id: u32) -> NodeId {
        let node = self.builder.node(NodeType::Object, class, size);
        self.builder.set_id(node, id);
        node
    }

    /// An object that a variable of the module holds.
    pub fn variable(&mut self, name: &str, class: &str, id: u32) -> NodeId {
        let node = self.object(class, 48, id);
        self.builder.edge(self.scope, EdgeType::Context, name, node);
        node
    }

    /// A `Map` or `Set` that a variable holds; gives its table.
    pub fn collection(&mut self, name: &str, class: &str, number: u32) -> NodeId {
        let owner = self.variable(name, class, 2_001 + number * 4);
        self.table_of(owner, 2_003 + number * 4)
    }

    pub fn table_of(&mut self, owner: NodeId, id: u32) -> NodeId {
        let table = self.builder.node(NodeType::Array, "", 16);
        self.builder.set_id(table, id);
        self.builder.edge(owner, EdgeType::Internal, "table", table);
        table
    }

    pub fn entry(&mut self, table: NodeId, slot: u32, value: NodeId) {
        self.builder.edge(table, EdgeType::Internal, &(slot * 3 + 1).to_string(), value);
    }

    pub fn values(&mut self, table: NodeId, range: Range<u32>) {
        for (slot, i) in range.enumerate() {
            let value = self.object("Value", 100, 10_001 + i * 2);
            self.entry(table, slot as u32, value);
        }
    }

    /// An emitter that a variable holds; gives its `_events`.
    pub fn emitter(&mut self, name: &str) -> NodeId {
        let emitter = self.variable(name, "EventEmitter", 71);
        let events = self.object("Object", 24, 73);
        self.builder.edge(emitter, EdgeType::Property, "_events", events);
        events
    }

    fn closure(&mut self, name: &str, id: u32) -> NodeId {
        let closure = self.builder.node(NodeType::Closure, name, 64);
        self.builder.set_id(closure, id);
        self.builder.location(closure, 7, 4, 2);
        closure
    }

    /// Listeners as Node keeps them: one by itself, several in an array.
    pub fn listeners(&mut self, events: NodeId, event: &str, range: Range<u32>) {
        if range.len() == 1 {
            let only = self.closure("onEvent", 10_001 + range.start * 2);
            self.builder.edge(events, EdgeType::Property, event, only);
            return;
        }
        let list = self.object("Array", 16, 81);
        self.builder.edge(events, EdgeType::Property, event, list);
        for (slot, i) in range.enumerate() {
            let listener = self.closure("onEvent", 10_001 + i * 2);
            self.builder.indexed_edge(list, EdgeType::Element, slot as u32, listener);
        }
    }

    /// One function, so many times in the list.
    pub fn same_listener(&mut self, events: NodeId, event: &str, times: u32) {
        let list = self.object("Array", 16, 81);
        self.builder.edge(events, EdgeType::Property, event, list);
        let store =
            self.builder.node(NodeType::Array, "(object elements)", u64::from(16 + 8 * times));
        self.builder.set_id(store, 2_000_001 + times * 2);
        self.builder.edge(list, EdgeType::Internal, "elements", store);
        let listener = self.closure("onEvent", 83);
        for slot in 0..times {
            self.builder.indexed_edge(list, EdgeType::Element, slot, listener);
            self.builder.edge(store, EdgeType::Internal, &slot.to_string(), listener);
        }
    }

    pub fn build(self) -> HeapGraph {
        self.builder.build()
    }
}
