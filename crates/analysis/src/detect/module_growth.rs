//! `module-growth`: modules that are loaded again and again.
//!
//! A CommonJS module that is deleted from `require.cache` and required anew is a new module; its parent keeps
//! the old one in `module.children`. An ES module with a new query (`import('./x.mjs?v=' + n)`) is a new
//! module too, and the loader keeps all of them for ever.

use leakline_heap::{EdgeType, NodeId};

use super::bindings::module_file;
use super::{Advice, Case, Context, Finding, Found, Question, Rule, Told, grouped, sample};
use crate::growth::{GrowthSite, Pattern};
use crate::scripts::{Place, property};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loader {
    /// `module.children`
    Children,
    /// `require.cache`
    Cache,
    /// The loader of ES modules.
    Es,
}

#[derive(Debug)]
struct Modules {
    loader: Loader,
    /// The module that loads them.
    parent: Option<String>,
    /// One of those that are loaded.
    child: Option<String>,
}

/// Whether the site is a list of modules.
pub(super) fn check(context: &Context<'_>, site: &GrowthSite) -> Option<Found> {
    let graph = context.graph();
    let owner = site.group.owner;
    if site.group.pattern == Pattern::Entries || site.group.pattern == Pattern::Keys {
        let above = context.growth.tree.parent(owner).map(|up| graph.node_name(up.from));
        let is_loader = |name: &str| matches!(name, "LoadCache" | "ModuleMap");
        if is_loader(graph.node_name(owner)) || above.is_some_and(is_loader) {
            let case = Modules { loader: Loader::Es, parent: None, child: None };
            return Some(Found::new(Rule::ModuleGrowth, "modules loaded by import()".into(), case));
        }
    }
    let value = sample(graph, site)?;
    if graph.node_name(value) != "Module" || property(graph, value, "filename").is_none() {
        return None;
    }
    let child = module_file(graph, value);
    if let Some(parent) = module_of_children(context, owner) {
        let parent = module_file(graph, parent);
        let name = parent.as_deref().map_or("module", file_name);
        let holder = format!("{name}: module.children");
        let case = Modules { loader: Loader::Children, parent, child };
        return Some(Found::new(Rule::ModuleGrowth, holder, case));
    }
    let parent = property(graph, value, "parent").and_then(|p| module_file(graph, p));
    let by_file = matches!(site.group.pattern, Pattern::Keys);
    by_file.then(|| {
        let case = Modules { loader: Loader::Cache, parent, child };
        Found::new(Rule::ModuleGrowth, "require.cache".into(), case)
    })
}

/// The module whose `children` this is.
fn module_of_children(context: &Context<'_>, list: NodeId) -> Option<NodeId> {
    let graph = context.graph();
    context.retainers.of_node(list).take(64).find_map(|held| {
        let edge = graph.edge(held.edge);
        let is_children = edge.kind == EdgeType::Property
            && graph.edge_text(edge) == Some("children")
            && graph.node_name(held.from) == "Module";
        is_children.then_some(held.from)
    })
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

impl Case for Modules {
    fn questions(&self) -> Vec<Question> {
        let callees: Vec<String> = match self.loader {
            Loader::Es => vec!["import".into()],
            _ => vec!["require".into()],
        };
        let near =
            self.parent.as_ref().map(|script| Place { script: script.clone(), line: 0, column: 0 });
        vec![Question::Creations { callees, definition: None, near, on: Vec::new() }]
    }

    /// Files under names of their own are as many as there are files: a program that loads them late is no leak, and
    /// one that writes them itself is rare.
    fn is_certain(&self) -> bool {
        self.loader != Loader::Cache
    }

    fn advise(&self, finding: &Finding<'_>, told: Told<'_>) -> Advice {
        let site = finding.site;
        let before = grouped(site.counts.first().copied().unwrap_or(0));
        let after = grouped(site.counts.last().copied().unwrap_or(0));
        let place = told.place.map_or_else(|| "The program".into(), |p| format!("`{p}`"));
        let child = self.child.as_deref().map(file_name);
        match self.loader {
            Loader::Es => Advice {
                title: format!("modules loaded by `import()`: {before} → {after}"),
                explanation: format!(
                    "{place} imports a module under a new address each time, by a query or a hash that changes. To the \
                     loader each address is a module of its own; it keeps all of them, with everything they \
                     export, and nothing can take them out."
                ),
                fix: "Import each module once, under one address. Where a file must be read anew, read it as data \
                      (`JSON.parse(await readFile(file))`), or load it in a worker or a child process that ends."
                    .into(),
            },
            loader => {
                let name = child.unwrap_or("a module");
                let (list, why) = match loader {
                    Loader::Cache => ("`require.cache`", "each file is a new one"),
                    _ => (
                        "`module.children`",
                        "deleting a module from `require.cache` does not take it out of its parent's list",
                    ),
                };
                Advice {
                    title: format!("modules in {list}: {before} → {after}, `{name}` among them"),
                    explanation: format!(
                        "{place} loads `{name}` again and again. Each time makes a new module with all its functions and \
                         data, and {list} keeps every one of them: {why}."
                    ),
                    fix: format!(
                        "Require `{name}` once. If it must be read anew, read it as data (`JSON.parse(readFileSync(file))`); \
                         if it must be loaded anew, take it out of the list as well: `const old = require.cache[file]; \
                         delete require.cache[file]; module.children.splice(module.children.indexOf(old), 1)`."
                    ),
                }
            }
        }
    }
}
