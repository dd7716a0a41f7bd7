//! Classes: the rows people compare heaps by.
//!
//! A class is what `DevTools`' Summary view shows as one row: a constructor's name, told apart by the
//! place of the constructor where the snapshot knows it (two classes `Session` in two files are two
//! classes); plain objects by the properties they share (`{id, name}`, see [`Interfaces`]); V8's own
//! things by kind (`(string)`, `(compiled code)`).
//!
//! One class number per node, found in O(nodes + edges of plain objects); names and places are stored
//! once per class.

use leakline_heap::{Column, HeapGraph, NodeId, NodeType, memory};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::bits::BitColumn;
use crate::names::Names;

mod dom_state;
mod interfaces;

pub use interfaces::Interfaces;

/// A class of one graph: its position in a [`ClassIndex`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassId(pub u32);

impl ClassId {
    /// The position as an index into columns by class.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a class's constructor stands. Line and column count from 0, as in the file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClassLocation {
    /// V8's number of the script.
    pub script_id: i32,
    /// Line, from 0.
    pub line: u32,
    /// Column in UTF-16 units, from 0.
    pub column: u32,
}

/// One class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// The name `DevTools` shows.
    pub name: String,
    /// The place of the constructor, where objects of the class know it.
    pub location: Option<ClassLocation>,
}

impl Class {
    const UNKNOWN: Self = Self { name: String::new(), location: None };

    /// What identifies the class in other snapshots of the same process. Script numbers and names survive;
    /// positions in tables do not.
    pub fn key(&self) -> String {
        match self.location {
            Some(at) => format!("{},{},{},{}", at.script_id, at.line, at.column, self.name),
            None => format!(",{}", self.name),
        }
    }
}

/// The class of every node of one graph.
#[derive(Debug)]
pub struct ClassIndex {
    pub(crate) class_of: Column<u32>,
    pub(crate) classes: Vec<Class>,
    pub(crate) detached: BitColumn,
    pub(crate) interfaces: Interfaces,
}

impl ClassIndex {
    /// Classifies with the interfaces that `graph` itself suggests.
    pub fn of(graph: &HeapGraph) -> Self {
        Self::named(graph, &Names::of(graph), None)
    }

    /// Classifies with the interfaces of another snapshot, so that the classes of both can be compared.
    pub fn with_interfaces(graph: &HeapGraph, interfaces: &Interfaces) -> Self {
        Self::named(graph, &Names::of(graph), Some(interfaces))
    }

    pub(crate) fn named(graph: &HeapGraph, names: &Names, given: Option<&Interfaces>) -> Self {
        let shapes = interfaces::Shapes::of(graph, names);
        let interfaces =
            given.map_or_else(|| Interfaces::infer(graph, names, &shapes), Clone::clone);
        let mut builder = Builder::new(graph);
        let interface_of_shape = interfaces.of_shapes(graph, names, &shapes);
        let interface_names: Vec<u32> =
            interfaces.names().map(|name| builder.add_name(name)).collect();

        let detached = dom_state::detached(graph);
        let mut plain_objects = shapes.of_objects();
        let mut locations = graph.locations().iter().copied().peekable();
        let mut class_of = memory::vec_with_capacity(graph.node_count());
        for node in graph.nodes() {
            let mut at = None;
            while let Some(l) = locations.next_if(|l| l.node <= node.0) {
                if l.node == node.0 {
                    at = Some(ClassLocation {
                        script_id: l.script_id,
                        line: l.line,
                        column: l.column,
                    });
                }
            }
            let kind = graph.node_type(node);
            let own_name = graph.node_name_index(node);
            let name = if kind == NodeType::Object && Some(own_name) == names.object {
                let interface = plain_objects.next().and_then(|s| interface_of_shape[s as usize]);
                interface.map_or(own_name, |i| interface_names[i as usize])
            } else {
                builder.class_name(kind, own_name, detached.get(node.index()))
            };
            let at = at.filter(|_| kind == NodeType::Object);
            class_of.push(builder.class(name, at));
        }
        Self {
            class_of: class_of.into(),
            classes: builder.classes,
            detached: detached.into(),
            interfaces,
        }
    }

    /// The class of a node.
    #[inline]
    pub fn of_node(&self, node: NodeId) -> ClassId {
        ClassId(self.class_of.get(node.index()))
    }

    /// The class with this number.
    pub fn get(&self, class: ClassId) -> &Class {
        // A number that is none of ours can only come from somebody who lends us nonsense.
        const UNKNOWN: &Class = &Class::UNKNOWN;
        self.classes.get(class.index()).unwrap_or(UNKNOWN)
    }

    /// The name of a node's class.
    pub fn name_of(&self, node: NodeId) -> &str {
        &self.get(self.of_node(node)).name
    }

    /// How many classes there are.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// All classes in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ClassId, &Class)> {
        self.classes.iter().enumerate().map(|(i, class)| (ClassId(i as u32), class))
    }

    /// Whether the embedder says that nothing but JavaScript holds on to this native object any more; for a
    /// browser's DOM node, that it is in no document.
    pub fn is_detached(&self, node: NodeId) -> bool {
        self.detached.get(node.index())
    }

    /// The interfaces plain objects were classified by.
    pub fn interfaces(&self) -> &Interfaces {
        &self.interfaces
    }
}

/// Hands out class numbers. Names are numbers too: below the length of the string table they are the
/// table's, above it they were made here.
struct Builder<'a> {
    graph: &'a HeapGraph,
    made: Vec<Box<str>>,
    made_by_text: FxHashMap<Box<str>, u32>,
    detached_name: FxHashMap<u32, u32>,
    kind_name: FxHashMap<NodeType, u32>,
    classes: Vec<Class>,
    /// By name: the class without a location.
    unlocated: Vec<u32>,
    located: FxHashMap<(u32, ClassLocation), u32>,
    located_by_key: FxHashMap<String, u32>,
}

const NONE: u32 = u32::MAX;

impl<'a> Builder<'a> {
    fn new(graph: &'a HeapGraph) -> Self {
        Self {
            graph,
            made: Vec::new(),
            made_by_text: FxHashMap::default(),
            detached_name: FxHashMap::default(),
            kind_name: FxHashMap::default(),
            classes: Vec::new(),
            unlocated: vec![NONE; graph.strings().len()],
            located: FxHashMap::default(),
            located_by_key: FxHashMap::default(),
        }
    }

    /// A new name, even if the text exists already: `DevTools` keeps the classes apart too.
    fn add_name(&mut self, text: &str) -> u32 {
        let name = (self.graph.strings().len() + self.made.len()) as u32;
        self.made.push(text.into());
        self.unlocated.push(NONE);
        name
    }

    /// The name of this text among those made here.
    fn name_by_text(&mut self, text: &str) -> u32 {
        if let Some(&name) = self.made_by_text.get(text) {
            return name;
        }
        let name = self.add_name(text);
        self.made_by_text.insert(text.into(), name);
        name
    }

    fn text(&self, name: u32) -> &str {
        let strings = self.graph.strings();
        match (name as usize).checked_sub(strings.len()) {
            None => strings.get(name),
            Some(i) => &self.made[i],
        }
    }

    fn class_name(&mut self, kind: NodeType, own_name: u32, detached: bool) -> u32 {
        if matches!(kind, NodeType::Object | NodeType::Native) {
            let name = if detached { self.detached_name(own_name) } else { own_name };
            return match element_class(self.text(name)) {
                Some(text) => self.name_by_text(&text),
                None => name,
            };
        }
        if let Some(&name) = self.kind_name.get(&kind) {
            return name;
        }
        let name = match kind {
            NodeType::Hidden => self.name_by_text("(system)"),
            NodeType::Code => self.name_by_text("(compiled code)"),
            NodeType::Closure => self.name_by_text("Function"),
            NodeType::RegExp => self.name_by_text("RegExp"),
            other => self.name_by_text(&format!("({})", other.name())),
        };
        self.kind_name.insert(kind, name);
        name
    }

    fn detached_name(&mut self, name: u32) -> u32 {
        if let Some(&known) = self.detached_name.get(&name) {
            return known;
        }
        let text = format!("Detached {}", self.text(name));
        let detached = self.add_name(&text);
        self.detached_name.insert(name, detached);
        detached
    }

    fn class(&mut self, name: u32, location: Option<ClassLocation>) -> u32 {
        let Some(at) = location else {
            let known = self.unlocated[name as usize];
            if known != NONE {
                return known;
            }
            let class = self.add_class(Class { name: self.text(name).to_owned(), location: None });
            self.unlocated[name as usize] = class;
            return class;
        };
        if let Some(&class) = self.located.get(&(name, at)) {
            return class;
        }
        let new = Class { name: self.text(name).to_owned(), location };
        let class = match self.located_by_key.get(&new.key()) {
            Some(&class) => class,
            None => {
                let key = new.key();
                let class = self.add_class(new);
                self.located_by_key.insert(key, class);
                class
            }
        };
        self.located.insert((name, at), class);
        class
    }

    fn add_class(&mut self, class: Class) -> u32 {
        self.classes.push(class);
        (self.classes.len() - 1) as u32
    }
}

/// The class of a DOM element's name: `<div id="a">` is a `<div>`. `None` when the name is no element's.
fn element_class(name: &str) -> Option<String> {
    let skip = if name.starts_with('<') {
        0
    } else if name.starts_with("Detached <") {
        10
    } else {
        return None;
    };
    Some(match name[skip..].find(' ') {
        Some(space) => format!("{}>", &name[..skip + space]),
        None => name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::element_class;

    #[test]
    fn elements_are_classed_by_tag() {
        let class = |name| element_class(name).unwrap_or_default();
        assert_eq!(class("<div id=\"a\">"), "<div>");
        assert_eq!(class("<div>"), "<div>");
        assert_eq!(class("Detached <p class=\"x y\">"), "Detached <p>");
        assert_eq!(element_class("Div"), None);
    }
}
