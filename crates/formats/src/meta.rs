//! The `snapshot` section: counts, and which field stands where.
//!
//! V8 has written at least six layouts since 2018; two of them have six node fields with different
//! meanings. So every position and type comes from the names in `meta`.

use leakline_heap::{EdgeType, NodeType};
use serde_json::Value;

/// Where the fields stand in this file.
#[derive(Debug)]
pub(crate) struct Layout {
    pub node_count: u64,
    pub edge_count: u64,
    /// Greater than zero only when allocations were tracked.
    pub trace_function_count: u64,
    pub extra_native_bytes: u64,
    pub node: NodeFields,
    pub edge: EdgeFields,
    pub location: Option<LocationFields>,
    pub trace_function: Option<TraceFunctionFields>,
    pub trace: Option<TraceFields>,
    pub sample: Option<SampleFields>,
}

/// Positions within a node record.
#[derive(Debug)]
pub(crate) struct NodeFields {
    pub count: usize,
    pub kind: usize,
    pub name: usize,
    pub id: usize,
    pub size: usize,
    pub edge_count: usize,
    pub detachedness: Option<usize>,
    pub trace: Option<usize>,
    pub types: Vec<NodeType>,
}

/// Positions within an edge record.
#[derive(Debug)]
pub(crate) struct EdgeFields {
    pub count: usize,
    pub kind: usize,
    pub name: usize,
    pub to: usize,
    pub types: Vec<EdgeType>,
}

/// Positions within a location record.
#[derive(Debug)]
pub(crate) struct LocationFields {
    pub count: usize,
    pub object: usize,
    pub script: usize,
    pub line: usize,
    pub column: usize,
}

/// Positions within a record of `trace_function_infos`.
#[derive(Debug)]
pub(crate) struct TraceFunctionFields {
    pub count: usize,
    pub name: usize,
    pub script_name: usize,
    pub script_id: usize,
    pub line: usize,
    pub column: usize,
}

/// Positions within a record of `trace_tree`.
#[derive(Debug)]
pub(crate) struct TraceFields {
    pub count: usize,
    pub id: usize,
    pub function: usize,
    /// The field called `count`.
    pub tally: usize,
    pub size: usize,
    pub children: usize,
}

/// Positions within a record of `samples`.
#[derive(Debug)]
pub(crate) struct SampleFields {
    pub count: usize,
    pub timestamp: usize,
    pub last_assigned_id: usize,
}

/// More fields than any record has had; bounds what a hostile header can ask for.
pub(crate) const MAX_FIELDS: usize = 16;

impl Layout {
    /// Understands the `snapshot` section. The error says what is missing.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, String> {
        let root: Value =
            serde_json::from_slice(json).map_err(|e| format!("not valid JSON: {e}"))?;
        let meta =
            root.get("meta").filter(|m| m.is_object()).ok_or("`snapshot.meta` is missing")?;
        let node_fields = names(meta, "node_fields")?;
        let edge_fields = names(meta, "edge_fields")?;
        let at = |fields: &[String], what: &str, name: &str| {
            fields
                .iter()
                .position(|f| f == name)
                .ok_or_else(|| format!("`{what}` has no `{name}`, only {}", fields.join(", ")))
        };
        let node_kind = at(&node_fields, "node_fields", "type")?;
        let edge_kind = at(&edge_fields, "edge_fields", "type")?;
        let node = NodeFields {
            count: node_fields.len(),
            kind: node_kind,
            name: at(&node_fields, "node_fields", "name")?,
            id: at(&node_fields, "node_fields", "id")?,
            size: at(&node_fields, "node_fields", "self_size")?,
            edge_count: at(&node_fields, "node_fields", "edge_count")?,
            detachedness: node_fields.iter().position(|f| f == "detachedness"),
            trace: node_fields.iter().position(|f| f == "trace_node_id"),
            types: types(meta, "node_types", node_kind)?
                .iter()
                .map(|t| NodeType::from_name(t))
                .collect(),
        };
        let edge = EdgeFields {
            count: edge_fields.len(),
            kind: edge_kind,
            name: at(&edge_fields, "edge_fields", "name_or_index")?,
            to: at(&edge_fields, "edge_fields", "to_node")?,
            types: types(meta, "edge_types", edge_kind)?
                .iter()
                .map(|t| EdgeType::from_name(t))
                .collect(),
        };
        let mut location = None;
        if meta.get("location_fields").is_some() {
            let fields = names(meta, "location_fields")?;
            location = Some(LocationFields {
                count: fields.len(),
                object: at(&fields, "location_fields", "object_index")?,
                script: at(&fields, "location_fields", "script_id")?,
                line: at(&fields, "location_fields", "line")?,
                column: at(&fields, "location_fields", "column")?,
            });
        }
        // What only tracking writes is left unread where `meta` does not tell what it is: an object's stack is
        // no reason to refuse its heap.
        let some = |key: &str| names(meta, key).ok();
        let place = |fields: &[String], name: &str| fields.iter().position(|f| f == name);
        let trace_function = some("trace_function_info_fields").and_then(|fields| {
            Some(TraceFunctionFields {
                count: fields.len(),
                name: place(&fields, "name")?,
                script_name: place(&fields, "script_name")?,
                script_id: place(&fields, "script_id")?,
                line: place(&fields, "line")?,
                column: place(&fields, "column")?,
            })
        });
        let trace = some("trace_node_fields").and_then(|fields| {
            Some(TraceFields {
                count: fields.len(),
                id: place(&fields, "id")?,
                function: place(&fields, "function_info_index")?,
                tally: place(&fields, "count")?,
                size: place(&fields, "size")?,
                children: place(&fields, "children")?,
            })
        });
        let sample = some("sample_fields").and_then(|fields| {
            Some(SampleFields {
                count: fields.len(),
                timestamp: place(&fields, "timestamp_us")?,
                last_assigned_id: place(&fields, "last_assigned_id")?,
            })
        });
        let count = |name: &str| {
            root.get(name)
                .and_then(Value::as_u64)
                .ok_or_else(|| format!("`snapshot.{name}` is missing"))
        };
        Ok(Self {
            node_count: count("node_count")?,
            edge_count: count("edge_count")?,
            trace_function_count: root
                .get("trace_function_count")
                .and_then(Value::as_u64)
                .unwrap_or(0),
            extra_native_bytes: root.get("extra_native_bytes").and_then(Value::as_u64).unwrap_or(0),
            node,
            edge,
            location,
            trace_function,
            trace,
            sample,
        })
    }
}

fn names(meta: &Value, key: &str) -> Result<Vec<String>, String> {
    let list = meta
        .get(key)
        .and_then(Value::as_array)
        .ok_or_else(|| format!("`meta.{key}` is missing"))?;
    if list.is_empty() || list.len() > MAX_FIELDS {
        return Err(format!("`meta.{key}` has {} fields", list.len()));
    }
    list.iter()
        .map(|v| {
            v.as_str()
                .map(ToString::to_string)
                .ok_or_else(|| format!("`meta.{key}` holds more than names"))
        })
        .collect()
}

/// The type names of the field at `index`: an enumeration is an array of names in the place of the field's type.
fn types(meta: &Value, key: &str, index: usize) -> Result<Vec<String>, String> {
    let list = meta
        .get(key)
        .and_then(Value::as_array)
        .and_then(|t| t.get(index))
        .and_then(Value::as_array)
        .ok_or_else(|| format!("`meta.{key}` does not list the types"))?;
    Ok(list.iter().map(|v| v.as_str().unwrap_or("").to_string()).collect())
}
