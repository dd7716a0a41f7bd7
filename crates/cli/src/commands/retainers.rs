//! `leakline retainers FILE @ID`

use leakline_analysis::{ObjectRef, PathOptions, remaining_paths, retaining_paths};
use leakline_heap::Retainers as Held;
use leakline_investigate::Reach;
use leakline_report::{RetainersDocument, text};

use super::opened::{ObjectId, open};
use crate::args::Retainers;
use crate::error::CliError;
use crate::output::Output;

/// The most paths that `--all` prints. Nobody reads more, and a search for them would not end.
pub const MOST_PATHS: u16 = 1000;

pub fn run(args: &Retainers, output: &Output) -> Result<u8, CliError> {
    let id = ObjectId::parse(&args.object)?;
    let ignored: Vec<ObjectId> =
        args.ignore.iter().map(|id| ObjectId::parse(id)).collect::<Result<_, _>>()?;
    if ignored.contains(&id) {
        return Err(CliError::usage(
            format!("@{} cannot be ignored: its own retainers are asked for", id.0),
            "name one of the objects on its retaining paths",
        ));
    }
    let opened = open(&args.file, &args.opening, Reach::Objects, output)?;
    let node = opened.object(id)?;
    let ignored = ignored.into_iter().map(|id| opened.object(id)).collect::<Result<Vec<_>, _>>()?;
    let graph = &opened.heap.graph;
    let own;
    let held = match &opened.heap.retainers {
        Some(known) => known,
        None => {
            own = Held::of(graph);
            &own
        }
    };
    let max_paths = if args.all { MOST_PATHS } else { args.max_paths };
    let options = PathOptions { max_paths: usize::from(max_paths), ..PathOptions::default() };
    let (paths, would_be_freed) = if ignored.is_empty() {
        (retaining_paths(graph, held, &opened.heap.analysis, node, options), None)
    } else {
        let found = remaining_paths(graph, held, &opened.heap.analysis, node, options, &ignored);
        (found.paths, Some(found.freed))
    };
    let document = RetainersDocument {
        schema: "leakline/retainers/1",
        paths: paths.view(graph, node),
        ignored: ignored.iter().map(|&n| ObjectRef::of(graph, n)).collect(),
        would_be_freed,
    };
    opened.answer(output, &document, || text::retainers(&document))
}
