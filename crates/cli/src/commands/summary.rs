//! `leakline summary FILE`

use leakline_analysis::summary;
use leakline_report::{SummaryDocument, text};

use super::opened::open;
use crate::args::Summary;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;

pub fn run(args: &Summary, output: &Output) -> Result<u8, CliError> {
    let opened = open(&args.file, &args.opening, output)?;
    let view = summary(&opened.graph, &opened.analysis);
    let document = SummaryDocument::new(opened.name.clone(), view);
    output.result(&document, || text::summary(&document, args.limit))?;
    Ok(exit::DONE)
}
