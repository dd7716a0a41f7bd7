//! Which file a function comes from, read from the snapshot alone.
//!
//! A snapshot's `locations` name a script by number only, and no section maps numbers to files. The map is
//! in the graph: a closure holds its `shared` function description, that holds the `script` (in Node 22
//! and earlier `script_or_debug_info`), and a script's name is the path it was loaded from. One closure of
//! a script is enough for all its locations.

use leakline_heap::{EdgeType, HeapGraph, NodeId, NodeType};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// A place in a source file as people count: lines and columns from 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The script's path or URL as the snapshot has it: `/srv/app.js`, `file:///srv/app.mjs`, `node:events`.
    pub script: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in UTF-16 units, from 1.
    pub column: u32,
}

impl Place {
    /// Whether the file belongs to the runtime, not to the user.
    pub fn is_builtin(&self) -> bool {
        is_builtin(&self.script)
    }

    /// The file's name without its folders.
    pub fn file_name(&self) -> &str {
        self.script.rsplit(['/', '\\']).next().unwrap_or(&self.script)
    }
}

/// Whether a script path belongs to the runtime: Node's, or an extension of Deno.
pub fn is_builtin(script: &str) -> bool {
    const OWN: [&str; 3] = ["node:", "internal/", "ext:"];
    script.is_empty() || OWN.iter().any(|own| script.starts_with(own))
}

/// The scripts of one graph, by V8's number. Built in O(locations).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Scripts {
    path_by_id: FxHashMap<i32, String>,
}

impl Scripts {
    /// Finds every script that has a closure.
    pub fn of(graph: &HeapGraph) -> Self {
        let mut path_by_id: FxHashMap<i32, String> = FxHashMap::default();
        for location in graph.locations() {
            let node = NodeId(location.node);
            if graph.node_type(node) != NodeType::Closure
                || path_by_id.contains_key(&location.script_id)
            {
                continue;
            }
            if let Some(path) = script_of_closure(graph, node) {
                path_by_id.insert(location.script_id, path);
            }
        }
        Self { path_by_id }
    }

    /// The path of a script.
    pub fn path(&self, script_id: i32) -> Option<&str> {
        self.path_by_id.get(&script_id).map(String::as_str)
    }

    /// Where the node's code stands, when the file is known.
    pub fn place(&self, graph: &HeapGraph, node: NodeId) -> Option<Place> {
        let location = graph.location(node)?;
        let script = self.path(location.script_id)?.to_string();
        Some(Place {
            script,
            line: location.line.saturating_add(1),
            column: location.column.saturating_add(1),
        })
    }

    /// All files that are the user's, packages included, sorted.
    pub fn user_files(&self) -> Vec<&str> {
        let mut files: Vec<&str> =
            self.path_by_id.values().map(String::as_str).filter(|p| !is_builtin(p)).collect();
        files.sort_unstable();
        files.dedup();
        files
    }
}

fn script_of_closure(graph: &HeapGraph, closure: NodeId) -> Option<String> {
    let shared = internal(graph, closure, "shared")?;
    let mut script = internal(graph, shared, "script")
        .or_else(|| internal(graph, shared, "script_or_debug_info"))?;
    // With the debugger's data in place, the script is one step further.
    if let Some(further) = internal(graph, script, "script") {
        script = further;
    }
    // Node 18 may keep the name as a concatenation, whose own text is not the path.
    let text = |link| {
        internal(graph, script, link)
            .filter(|text| graph.node_type(*text) == NodeType::String)
            .map(|text| graph.node_name(text))
            .filter(|text| !text.is_empty())
    };
    // Code that is handed in as text has no name, but perhaps one it gives itself (`//# sourceURL=`).
    let path = text("name").or_else(|| text("source_url")).unwrap_or_else(|| {
        let own = graph.node_name(script);
        own.strip_prefix("system / Script / ").unwrap_or(own)
    });
    (!path.is_empty()).then(|| path.to_string())
}

/// The target of an internal edge.
pub(crate) fn internal(graph: &HeapGraph, node: NodeId, name: &str) -> Option<NodeId> {
    graph.find_edge(node, EdgeType::Internal, name).map(|e| e.to)
}

/// The target of a property.
pub(crate) fn property(graph: &HeapGraph, node: NodeId, name: &str) -> Option<NodeId> {
    graph.find_edge(node, EdgeType::Property, name).map(|e| e.to)
}

/// Whether an internal link is named by a number: a slot of a store or a table, a position and no name.
pub(crate) fn is_slot(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use leakline_testkit::graph::draw;

    /// The path of the script whose node holds these texts, by the closure `f`.
    fn path(script: &str) -> Option<String> {
        let drawn = draw(&format!(
            "
            root -> f
            f -(internal shared)-> shared
            shared -(internal script)-> script
            node f: closure f 64
            {script}
            "
        ));
        script_of_closure(&drawn.graph, drawn.node("f"))
    }

    #[test]
    fn a_script_is_called_by_its_name_or_by_the_one_it_gives_itself() {
        let name = "script -(internal name)-> name\nnode name: string /srv/app.js 32";
        let own = "script -(internal source_url)-> url\nnode url: string zoo.js 32";
        let nameless = "script -(internal name)-> name\nnode name: concatenated_string /x 32";
        let node = "node script: code system_/_Script_/_/srv/own.js 64";
        assert_eq!(path(&format!("{node}\n{name}\n{own}")).as_deref(), Some("/srv/app.js"));
        assert_eq!(path(&format!("{node}\n{nameless}\n{own}")).as_deref(), Some("zoo.js"));
        assert_eq!(path(&format!("{node}\n{nameless}")).as_deref(), Some("/srv/own.js"));
        assert_eq!(path("node script: code system_/_Script_/_ 64"), None);
    }

    #[test]
    fn the_runtimes_own_files_are_told_from_the_users() {
        for own in ["", "node:events", "internal/timers.js", "ext:deno_node/_events.mjs"] {
            assert!(is_builtin(own), "{own}");
        }
        for user in ["/srv/app.js", "file:///srv/app.mjs", "evalmachine.<anonymous>"] {
            assert!(!is_builtin(user), "{user}");
        }
    }
}
