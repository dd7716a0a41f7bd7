//! `leakline summary FILE`

use leakline_analysis::summary;
use leakline_investigate::{IndexUse, Reach, kept_summary};
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
    let view = match kept {
        Some(view) => view,
        None => {
            let heap = open(&args.file, &args.opening, Reach::Everything, output)?.heap;
            let view = summary(&heap.graph, &heap.analysis);
            if use_of_index == IndexUse::Auto
                && let Err(e) = heap.keep_summary(&view)
            {
                output.tell(Level::Debug, &format!("no index kept: {e}"));
            }
            view
        }
    };
    let document = SummaryDocument::new(name, view);
    output.result(&document, || text::summary(&document, args.limit))?;
    Ok(exit::DONE)
}
