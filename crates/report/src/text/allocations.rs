//! `leakline allocations`: which functions allocated what is alive.

use leakline_analysis::{SourceLocation, StackFrame};
use leakline_heap::Bytes;

use super::{WIDTH, grouped};
use crate::documents::AllocationsDocument;
use crate::style::Paint;
use crate::table::{Align, Table};

/// Functions whose heaviest stack is printed.
const STACKS: usize = 3;
/// Frames of a stack; what is further out is the framework's more often than the user's.
const FRAMES: usize = 10;

/// The first `limit` functions, the most live bytes first, and how the first few were reached.
pub fn allocations(document: &AllocationsDocument, limit: usize) -> String {
    let totals = &document.profile.totals;
    let sites = &document.call_sites;
    let samples = match totals.sample_count {
        0 => String::new(),
        1 => " (1 sample)".into(),
        n => format!(" ({} samples)", grouped(n)),
    };
    let mut out = format!(
        "{} alive, allocated while the profile was taken{samples}\n{}\n\n",
        Bytes(totals.live_bytes),
        document.profile.path
    );
    if sites.is_empty() {
        out.push_str("Nothing of it is alive, or it was too little to be sampled.\n");
        return out;
    }
    let mut table = Table::new(&[
        ("function", Align::Left),
        ("live", Align::Right),
        ("share", Align::Right),
        ("with callees", Align::Right),
    ]);
    for site in sites.iter().take(limit) {
        // Without its folders, so that the line stays on the screen; the stacks and the JSON have the whole path.
        let name = match &site.location {
            Some(at) => {
                let file = at.file.rsplit(['/', '\\']).next().unwrap_or(&at.file);
                format!("{} {file}:{}", site.function, at.line)
            }
            None => site.function.clone(),
        };
        table.row(vec![
            name,
            Bytes(site.live_bytes).to_string(),
            format!("{:.1} %", 100.0 * site.share),
            Bytes(site.live_bytes_with_callees).to_string(),
        ]);
    }
    out.push_str(&table.render(WIDTH));
    let more = sites.len().saturating_sub(limit);
    if more > 0 {
        out.push_str(&super::more_rows(more));
    }
    for site in sites.iter().take(STACKS.min(limit)) {
        let Some(stack) = site.stacks.first() else { continue };
        let of = match site.stack_count {
            0 | 1 => String::new(),
            n => format!(", the heaviest of {} stacks", grouped(n)),
        };
        out.push_str(&format!("\n{}{of}\n", Bytes(stack.live_bytes)));
        // How the runtime came to call the user's code tells nothing.
        let users = stack.frames.iter().rposition(|frame| !is_runtimes(frame));
        let worth = users.map_or(stack.frames.len(), |last| last + 1);
        for (depth, frame) in stack.frames.iter().take(worth.min(FRAMES)).enumerate() {
            let by = if depth == 0 { "" } else { "called by " };
            out.push_str(&format!("  {by}{}\n", shown(frame)));
        }
        let further = worth.saturating_sub(FRAMES);
        if further > 0 || stack.truncated {
            out.push_str("  … further out: --json\n");
        }
    }
    out
}

fn is_runtimes(frame: &StackFrame) -> bool {
    frame.location.as_ref().is_none_or(SourceLocation::is_builtin)
}

/// Name and place. A path stays whole: one that is cut cannot be copied.
fn shown(frame: &StackFrame) -> String {
    let name: String =
        frame.function.chars().map(|c| if c.is_control() { ' ' } else { c }).take(60).collect();
    match &frame.location {
        Some(at) => {
            let place = format!("{}:{}:{}", at.file, at.line, at.column);
            format!("{} {}", Paint::Strong.on(&name), Paint::Place.on(&place))
        }
        None => Paint::Strong.on(&name),
    }
}
