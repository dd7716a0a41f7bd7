//! `leakline summary FILE`

use leakline_analysis::{analyze, summary};
use leakline_investigate::open_snapshot;
use leakline_report::{SummaryDocument, text};

use crate::args::Summary;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;
use crate::progress::Progress;

pub fn run(args: &Summary, output: &Output) -> Result<u8, CliError> {
    let mut progress = Progress::new(output);
    let graph = open_snapshot(&args.file, &mut |e| progress.event(e))?;
    let analysis = analyze(&graph);
    let document =
        SummaryDocument::new(args.file.display().to_string(), summary(&graph, &analysis));
    output.result(&document, || text::summary(&document, args.limit))?;
    Ok(exit::DONE)
}
