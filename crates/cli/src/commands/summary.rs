//! `leakline summary FILE`

use leakline_analysis::summary;
use leakline_investigate::{IndexUse, Reach, keep_summary, kept_summary};
use leakline_report::{SummaryDocument, text};

use super::opened::open;
use crate::args::{Level, Summary};
use crate::error::CliError;
use crate::exit;
use crate::output::Output;

pub fn run(args: &Summary, output: &Output) -> Result<u8, CliError> {
    let use_of_index = IndexUse::from(args.opening.index);
    let name = args.file.display().to_string();
    let kept = match use_of_index {
        IndexUse::Auto => kept_summary(&args.file),
        IndexUse::Never => None,
    };
    let is_new = kept.is_none();
    let view = match kept {
        Some(view) => view,
        None => {
            let opened = open(&args.file, &args.opening, Reach::Everything, output)?;
            summary(&opened.heap.graph, &opened.heap.analysis)
        }
    };
    if is_new
        && use_of_index == IndexUse::Auto
        && let Err(e) = keep_summary(&args.file, &view)
    {
        output.tell(Level::Debug, &format!("no index kept: {e}"));
    }
    let document = SummaryDocument::new(name, view);
    output.result(&document, || text::summary(&document, args.limit))?;
    Ok(exit::DONE)
}
