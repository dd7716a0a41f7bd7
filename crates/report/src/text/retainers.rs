//! `leakline retainers`: who keeps an object alive, from the GC root down to it.

use crate::documents::RetainersDocument;
use crate::style::Paint;

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
            0 => "nothing holds it (only weak references, or none)".to_string(),
            1 => "1 retaining path".to_string(),
            n => format!("{n} retaining paths"),
        }
    );
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
    if view.truncated {
        out.push_str("\nThere are more: --max-paths N\n");
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
