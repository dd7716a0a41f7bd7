//! `leakline retainers`: who keeps an object alive, from the GC root down to it.

use super::WIDTH;
use super::words::named;
use crate::documents::RetainersDocument;
use crate::style::{Paint, wrap};

/// As many as `--all` shows.
const MOST_PATHS: usize = 1000;

/// All paths.
pub fn retainers(document: &RetainersDocument) -> String {
    let view = &document.paths;
    let object = &view.object;
    let mut out = format!(
        "{} {} {}: {}\n",
        object.kind,
        Paint::Strong.on(&shown(&object.name)),
        object.id,
        match view.paths.len() {
            0 if object.id == "@1" =>
                "it is the root, from which everything is reached".to_string(),
            0 if document.would_be_freed == Some(true) => "it would be freed".to_string(),
            0 if view.truncated => "too much holds it to search through".to_string(),
            0 => "nothing holds it (only weak references, or none)".to_string(),
            1 => "1 retaining path".to_string(),
            n => format!("{n} retaining paths"),
        }
    );
    if !document.ignored.is_empty() {
        let names: Vec<String> = document.ignored.iter().map(|o| named(o, 40)).collect();
        out.push_str(&wrap(&format!("ignored: {}", names.join(", ")), WIDTH, "  "));
    }
    for (i, path) in view.paths.iter().enumerate() {
        out.push_str(&format!("\npath {} from the GC root\n", i + 1));
        for (j, step) in path.steps.iter().enumerate() {
            if path.omitted_steps > 0 && j == path.omitted_after {
                out.push_str(&format!("  … {} steps …\n", path.omitted_steps));
            }
            let o = &step.object;
            let line = format!(
                "  {} {} → {} {} {}",
                step.edge_type,
                step.edge,
                o.kind,
                shown(&o.name),
                o.id
            );
            out.push_str(&line);
            out.push('\n');
        }
    }
    if view.truncated && !view.paths.is_empty() {
        out.push_str(if view.paths.len() < MOST_PATHS {
            "\nThere are more: --max-paths N, or --all\n"
        } else {
            "\nThere are more\n"
        });
    }
    out
}

/// A name on one line; long text is cut.
fn shown(name: &str) -> String {
    let flat: String =
        name.chars().take(48).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if flat.is_empty() {
        return "(no name)".into();
    }
    if name.chars().count() > 48 { format!("{flat}…") } else { flat }
}
