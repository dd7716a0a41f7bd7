//! `leakline stats FILE`

use leakline_analysis::views::statistics;
use leakline_investigate::Reach;
use leakline_report::{ViewDocument, text};

use super::opened::open;
use crate::args::views::Stats;
use crate::error::CliError;
use crate::output::Output;

pub fn run(args: &Stats, output: &Output) -> Result<u8, CliError> {
    let opened = open(&args.file, &args.opening, Reach::Everything, output)?;
    let document = ViewDocument::new(opened.name.clone(), statistics(&opened.heap()));
    opened.answer(output, &document, || text::stats(&document))
}
