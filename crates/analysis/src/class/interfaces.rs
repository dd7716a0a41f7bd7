//! Plain objects by the properties they share.
//!
//! Every `{…}` has the constructor `Object`, so a leak of a million cache entries would drown in one row
//! with everything else. As `DevTools` does, we take the property lists that occur often enough as
//! *interfaces*, named `{id, name, …}`, and give every plain object the largest interface all of whose
//! properties it has.
//!
//! Objects are first grouped by their exact sequence of properties, their *shape*: there are few shapes,
//! so names are built and matched once per shape, not per object. Finding shapes is O(edges of plain
//! objects). Matching tries, for each property of a shape, only the interfaces for which this is the
//! rarest property.

use std::hash::Hasher;

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};
use rustc_hash::{FxHashMap, FxHasher};
use serde::{Deserialize, Serialize};

use crate::names::Names;

/// Names longer than this (in UTF-16 units) take in no further property.
const MAX_NAME_LEN: usize = 120;
/// An interface needs this many objects…
const MIN_OBJECTS: u64 = 2;
/// …and one in so many of all plain objects; rarer ones make a long tail that helps nobody.
const MIN_SHARE: u64 = 1000;

const NONE: u32 = u32::MAX;

/// The interfaces of one snapshot, the most frequent first. Apply them to another snapshot to compare both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interfaces {
    definitions: Vec<Definition>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Definition {
    name: String,
    properties: Vec<String>,
}

/// The plain objects of a graph by their exact sequence of properties.
pub(super) struct Shapes {
    /// By plain object, in the order of the nodes.
    of_object: Vec<u32>,
    /// By shape: the first object that has it stands for all.
    first: Vec<u32>,
    count: Vec<u32>,
}

impl Shapes {
    pub(super) fn of(graph: &HeapGraph, names: &Names) -> Self {
        let mut shapes = Self { of_object: Vec::new(), first: Vec::new(), count: Vec::new() };
        // Shapes of one hash form a chain: `same_hash[shape]` is the one before.
        let mut by_hash: FxHashMap<u64, u32> = FxHashMap::default();
        let mut same_hash: Vec<u32> = Vec::new();
        for node in graph.nodes() {
            if graph.node_type(node) != NodeType::Object
                || Some(graph.node_name_index(node)) != names.object
            {
                continue;
            }
            let mut hasher = FxHasher::default();
            for property in property_names(graph, names, node) {
                hasher.write_u32(property);
            }
            let head = by_hash.entry(hasher.finish()).or_insert(NONE);
            let mut shape = *head;
            while shape != NONE {
                let first = NodeId(shapes.first[shape as usize]);
                if property_names(graph, names, first).eq(property_names(graph, names, node)) {
                    break;
                }
                shape = same_hash[shape as usize];
            }
            if shape == NONE {
                shape = shapes.first.len() as u32;
                same_hash.push(*head);
                *head = shape;
                shapes.first.push(node.0);
                shapes.count.push(0);
            }
            shapes.count[shape as usize] += 1;
            shapes.of_object.push(shape);
        }
        shapes
    }

    /// The shape of every plain object, in the order of the nodes.
    pub(super) fn of_objects(&self) -> impl Iterator<Item = u32> + '_ {
        self.of_object.iter().copied()
    }
}

/// The names of a plain object's own properties.
fn property_names<'a>(
    graph: &'a HeapGraph,
    names: &'a Names,
    node: NodeId,
) -> impl Iterator<Item = u32> + 'a {
    graph.edges(node).filter_map(move |edge| {
        let own = edge.kind == EdgeType::Property && Some(edge.name_or_index) != names.proto;
        own.then_some(edge.name_or_index)
    })
}

impl Interfaces {
    /// The interfaces' names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.definitions.iter().map(|d| d.name.as_str())
    }

    /// Finds the interfaces of a graph.
    pub(super) fn infer(graph: &HeapGraph, names: &Names, shapes: &Shapes) -> Self {
        let mut candidates: Vec<(Definition, u64)> = Vec::new();
        let mut by_name: FxHashMap<String, usize> = FxHashMap::default();
        for (&first, &count) in shapes.first.iter().zip(&shapes.count) {
            let definition = describe(graph, names, NodeId(first));
            if definition.properties.is_empty() {
                continue;
            }
            match by_name.get(&definition.name) {
                Some(&known) => candidates[known].1 += u64::from(count),
                None => {
                    by_name.insert(definition.name.clone(), candidates.len());
                    candidates.push((definition, u64::from(count)));
                }
            }
        }
        let total = shapes.of_object.len() as u64;
        candidates.retain(|&(_, count)| count >= MIN_OBJECTS && count * MIN_SHARE >= total);
        // Stable: among equals, the one met first wins.
        candidates.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        Self { definitions: candidates.into_iter().map(|(d, _)| d).collect() }
    }

    /// The best interface of each shape, if any: the one with the most properties, the first among equals.
    pub(super) fn of_shapes(
        &self,
        graph: &HeapGraph,
        names: &Names,
        shapes: &Shapes,
    ) -> Vec<Option<u32>> {
        let matcher = Matcher::new(self);
        let mut counts = vec![0u32; matcher.properties.len()];
        let mut present: Vec<u32> = Vec::new();
        shapes
            .first
            .iter()
            .map(|&first| {
                for name in property_names(graph, names, NodeId(first)) {
                    if let Some(&p) = matcher.properties.get(graph.strings().get(name)) {
                        if counts[p as usize] == 0 {
                            present.push(p);
                        }
                        counts[p as usize] += 1;
                    }
                }
                let best = matcher.best(&present, &counts);
                for p in present.drain(..) {
                    counts[p as usize] = 0;
                }
                best
            })
            .collect()
    }
}

/// The interfaces by their rarest property.
struct Matcher<'a> {
    properties: FxHashMap<&'a str, u32>,
    /// By interface: each property with how often it must occur. Two symbols of one description are two
    /// properties of one name.
    needs: Vec<Vec<(u32, u32)>>,
    /// By interface: how many properties it has.
    sizes: Vec<usize>,
    /// By property: the interfaces it is the rarest property of.
    anchored: Vec<Vec<u32>>,
}

impl<'a> Matcher<'a> {
    fn new(interfaces: &'a Interfaces) -> Self {
        let mut properties: FxHashMap<&str, u32> = FxHashMap::default();
        let mut used: Vec<u32> = Vec::new();
        let mut needs = Vec::new();
        for definition in &interfaces.definitions {
            let mut need: Vec<(u32, u32)> = Vec::new();
            for property in &definition.properties {
                let next = properties.len() as u32;
                let p = *properties.entry(property).or_insert(next);
                if p == next {
                    used.push(0);
                }
                match need.iter_mut().find(|(q, _)| *q == p) {
                    Some((_, times)) => *times += 1,
                    None => {
                        used[p as usize] += 1;
                        need.push((p, 1));
                    }
                }
            }
            needs.push(need);
        }
        let mut anchored = vec![Vec::new(); properties.len()];
        for (i, need) in needs.iter().enumerate() {
            if let Some(&(rarest, _)) = need.iter().min_by_key(|(p, _)| used[*p as usize]) {
                anchored[rarest as usize].push(i as u32);
            }
        }
        let sizes = interfaces.definitions.iter().map(|d| d.properties.len()).collect();
        Self { properties, needs, sizes, anchored }
    }

    fn best(&self, present: &[u32], counts: &[u32]) -> Option<u32> {
        present
            .iter()
            .flat_map(|&p| &self.anchored[p as usize])
            .copied()
            .filter(|&i| {
                self.needs[i as usize].iter().all(|&(p, times)| counts[p as usize] >= times)
            })
            .max_by_key(|&i| (self.sizes[i as usize], std::cmp::Reverse(i)))
    }
}

/// The interface that the object `node` suggests.
fn describe(graph: &HeapGraph, names: &Names, node: NodeId) -> Definition {
    let mut name = String::from("{");
    let mut units = 1;
    let mut properties = Vec::new();
    for property in property_names(graph, names, node) {
        let property = graph.strings().get(property);
        let shown = quoted_if_confusing(property);
        let shown_units = shown.encode_utf16().count();
        if units > 1 && units + shown_units > MAX_NAME_LEN {
            break;
        }
        if units > 1 {
            name.push_str(", ");
            units += 2;
        }
        name.push_str(&shown);
        units += shown_units;
        properties.push(property.to_owned());
    }
    name.push('}');
    Definition { name, properties }
}

/// A property name as it stands in an interface's name: with quotes if it could be mistaken for several.
fn quoted_if_confusing(name: &str) -> std::borrow::Cow<'_, str> {
    if !name.contains([',', '\'', '"', '{', '}']) {
        return name.into();
    }
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push('"');
    for c in name.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c < ' ' => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted.into()
}

#[cfg(test)]
mod tests {
    use super::quoted_if_confusing;

    #[test]
    fn confusing_property_names_are_quoted() {
        assert_eq!(quoted_if_confusing("plain name"), "plain name");
        assert_eq!(quoted_if_confusing("a,b"), "\"a,b\"");
        assert_eq!(quoted_if_confusing("it's \"\\\u{1}"), "\"it's \\\"\\\\\\u0001\"");
    }
}
