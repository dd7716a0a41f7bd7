//! `leakline retainers FILE @ID`

use leakline_analysis::{PathOptions, analyze, retaining_paths};
use leakline_heap::Retainers as Held;
use leakline_investigate::open_snapshot;
use leakline_report::{RetainersDocument, text};

use crate::args::Retainers;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;
use crate::progress::Progress;

pub fn run(args: &Retainers, output: &Output) -> Result<u8, CliError> {
    let id: u32 = args.object.trim_start_matches('@').parse().map_err(|_| {
        CliError::usage(
            format!("`{}` is no object id", args.object),
            "object ids look like @245233; `leakline suspects` prints some",
        )
    })?;
    let mut progress = Progress::new(output);
    let graph = open_snapshot(&args.file, &mut |e| progress.event(e))?;
    let Some(node) = graph.node_with_id(id) else {
        return Err(CliError::bad_input(
            "no-such-object",
            format!("{}: no object @{id}", args.file.display()),
            "ids hold within one process: take the id from this file",
        ));
    };
    let held = Held::of(&graph);
    let options = PathOptions { max_paths: usize::from(args.max_paths), ..PathOptions::default() };
    let paths = retaining_paths(&graph, &held, &analyze(&graph), node, options);
    let document =
        RetainersDocument { schema: "leakline/retainers/1", paths: paths.view(&graph, node) };
    output.result(&document, || text::retainers(&document))?;
    Ok(exit::DONE)
}
