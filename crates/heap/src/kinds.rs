//! Node and edge types by V8's names.
//!
//! Snapshots number their types through `meta`; the numbers differ between V8 versions, the names do
//! not. Readers translate by name into these enums, so nothing above the reader sees a raw number.

/// What kind of thing a node is. The names are V8's (`node_types` in a snapshot's `meta`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum NodeType {
    /// V8 internals without a better type.
    Hidden,
    /// An array of elements: a backing store, not a JavaScript `Array` (which is an `Object`).
    Array,
    /// A flat string.
    String,
    /// A JavaScript object.
    Object,
    /// Compiled code, scripts, function descriptions.
    Code,
    /// A function: code and the context it closes over.
    Closure,
    /// A regular expression.
    RegExp,
    /// A boxed number.
    Number,
    /// Memory outside the JavaScript heap that a wrapper stands for.
    Native,
    /// A grouping node made by the snapshot writer, such as the GC roots.
    Synthetic,
    /// `a + b`, not yet flattened.
    ConcatenatedString,
    /// A substring that holds on to its parent.
    SlicedString,
    /// A symbol.
    Symbol,
    /// A big integer.
    BigInt,
    /// Hidden classes and descriptors (V8 11 and later).
    ObjectShape,
    /// A WebAssembly object.
    WasmObject,
    /// A type this version does not know; its nodes still count.
    Other,
}

impl NodeType {
    /// All types, each at the position of its number.
    pub(crate) const ALL: [Self; 17] = {
        let mut all = [Self::Other; 17];
        let mut i = 0;
        while i < all.len() {
            all[i] = Self::NAMES[i].1;
            i += 1;
        }
        all
    };

    const NAMES: [(&'static str, Self); 17] = [
        ("hidden", Self::Hidden),
        ("array", Self::Array),
        ("string", Self::String),
        ("object", Self::Object),
        ("code", Self::Code),
        ("closure", Self::Closure),
        ("regexp", Self::RegExp),
        ("number", Self::Number),
        ("native", Self::Native),
        ("synthetic", Self::Synthetic),
        ("concatenated string", Self::ConcatenatedString),
        ("sliced string", Self::SlicedString),
        ("symbol", Self::Symbol),
        ("bigint", Self::BigInt),
        ("object shape", Self::ObjectShape),
        ("wasm object", Self::WasmObject),
        ("other", Self::Other),
    ];

    /// The type of V8's name; [`NodeType::Other`] for one that is not known.
    pub fn from_name(name: &str) -> Self {
        Self::NAMES.iter().find(|(n, _)| *n == name).map_or(Self::Other, |(_, t)| *t)
    }

    /// V8's name of the type.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, t)| *t == self).map_or("other", |(n, _)| n)
    }

    /// Whether the node is text: a flat, concatenated or sliced string.
    pub fn is_string(self) -> bool {
        matches!(self, Self::String | Self::ConcatenatedString | Self::SlicedString)
    }
}

/// How one node holds another. The names are V8's (`edge_types` in a snapshot's `meta`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum EdgeType {
    /// A variable of a context (a scope that closures share).
    Context,
    /// An indexed element; the edge's name is a number.
    Element,
    /// A named property.
    Property,
    /// A link JavaScript cannot see, with a name V8 gives it.
    Internal,
    /// A link JavaScript cannot see, with a number.
    Hidden,
    /// A shortcut drawn by the writer for readability; retains nothing except at the root.
    Shortcut,
    /// A weak reference: never keeps its target alive.
    Weak,
    /// A type this version does not know; treated as retaining, like an internal link.
    Other,
}

impl EdgeType {
    /// All types, each at the position of its number.
    pub(crate) const ALL: [Self; 8] = {
        let mut all = [Self::Other; 8];
        let mut i = 0;
        while i < all.len() {
            all[i] = Self::NAMES[i].1;
            i += 1;
        }
        all
    };

    const NAMES: [(&'static str, Self); 8] = [
        ("context", Self::Context),
        ("element", Self::Element),
        ("property", Self::Property),
        ("internal", Self::Internal),
        ("hidden", Self::Hidden),
        ("shortcut", Self::Shortcut),
        ("weak", Self::Weak),
        ("other", Self::Other),
    ];

    /// The type of V8's name; [`EdgeType::Other`] for one that is not known.
    pub fn from_name(name: &str) -> Self {
        Self::NAMES.iter().find(|(n, _)| *n == name).map_or(Self::Other, |(_, t)| *t)
    }

    /// V8's name of the type.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, t)| *t == self).map_or("other", |(n, _)| n)
    }

    /// Whether the edge's name is a number instead of an index into the string table.
    pub fn has_index_name(self) -> bool {
        matches!(self, Self::Element | Self::Hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for (name, t) in NodeType::NAMES {
            assert_eq!(NodeType::from_name(name), t);
            assert_eq!(t.name(), name);
        }
        for (name, t) in EdgeType::NAMES {
            assert_eq!(EdgeType::from_name(name), t);
            assert_eq!(t.name(), name);
        }
        assert_eq!(NodeType::from_name("a type of 2040"), NodeType::Other);
        assert!(NodeType::ALL.iter().enumerate().all(|(i, &t)| t as usize == i));
        assert!(EdgeType::ALL.iter().enumerate().all(|(i, &t)| t as usize == i));
    }
}
