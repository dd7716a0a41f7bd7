//! V8's lists of types, and the layouts of two of its versions.

use clap::ValueEnum;

/// A node's type; the number is its place in `meta.node_types`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Hidden,
    Array,
    String,
    Object,
    Code,
    Closure,
    RegExp,
    Number,
    Native,
    Synthetic,
    ConsString,
    SlicedString,
    Symbol,
    BigInt,
    Shape,
}

/// An edge's type; the number is its place in `meta.edge_types`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EdgeKind {
    Context,
    Element,
    Property,
    Internal,
    Hidden,
    Shortcut,
    Weak,
}

const NODE_TYPES: &str = r#""hidden","array","string","object","code","closure","regexp","number","native","synthetic","concatenated string","sliced string","symbol","bigint","object shape""#;

const EDGE_TYPES: &str = r#""context","element","property","internal","hidden","shortcut","weak""#;

/// Which V8 wrote the file, as far as one can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    /// Node 20: with `trace_node_id`, a line per record.
    Node20,
    /// Node 24: without it, with `extra_native_bytes`, a section's numbers on one line.
    Node24,
}

impl Layout {
    /// How many numbers a node takes; edges and locations point to nodes by multiples of it.
    pub fn node_width(self) -> u64 {
        match self {
            Self::Node20 => 7,
            Self::Node24 => 6,
        }
    }

    /// What stands after a node's count of edges: nothing is traced, nothing is detached.
    pub(super) fn node_tail(self) -> &'static str {
        match self {
            Self::Node20 => ",0,0",
            Self::Node24 => ",0",
        }
    }

    /// Between the records of a section.
    pub(super) fn between(self) -> &'static str {
        match self {
            Self::Node20 => "\n,",
            Self::Node24 => ",",
        }
    }

    /// Between the strings, where the comma comes first.
    pub(super) fn between_strings(self) -> &'static str {
        match self {
            Self::Node20 => ",\n",
            Self::Node24 => ",",
        }
    }

    /// After the last record of a section.
    pub(super) fn after_last(self) -> &'static str {
        match self {
            Self::Node20 => "\n",
            Self::Node24 => "",
        }
    }

    /// By which link a function's description holds its script.
    pub(super) fn script_link(self) -> &'static str {
        match self {
            Self::Node20 => "script_or_debug_info",
            Self::Node24 => "script",
        }
    }

    /// The `snapshot` section, keys in V8's order.
    pub(super) fn header(self, nodes: u64, edges: u64) -> String {
        let (fields, types, numbers, extra) = match self {
            Self::Node20 => (
                r#""type","name","id","self_size","edge_count","trace_node_id","detachedness""#,
                format!(r#"{NODE_TYPES},"wasm object""#),
                r#""number","number","number","number","number""#,
                "",
            ),
            Self::Node24 => (
                r#""type","name","id","self_size","edge_count","detachedness""#,
                NODE_TYPES.to_owned(),
                r#""number","number","number","number""#,
                r#","extra_native_bytes":0"#,
            ),
        };
        format!(
            r#"{{"meta":{{"node_fields":[{fields}],"node_types":[[{types}],"string",{numbers}],"edge_fields":["type","name_or_index","to_node"],"edge_types":[[{EDGE_TYPES}],"string_or_number","node"],"trace_function_info_fields":["function_id","name","script_name","script_id","line","column"],"trace_node_fields":["id","function_info_index","count","size","children"],"sample_fields":["timestamp_us","last_assigned_id"],"location_fields":["object_index","script_id","line","column"]}},"node_count":{nodes},"edge_count":{edges},"trace_function_count":0{extra}}}"#
        )
    }
}
