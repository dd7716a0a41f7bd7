//! `leakline stats FILE`

use leakline_analysis::views::statistics;
use leakline_report::{ViewDocument, text};

use super::opened::open;
use crate::args::views::Stats;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;

pub fn run(args: &Stats, output: &Output) -> Result<u8, CliError> {
    let opened = open(&args.file, &args.opening, output)?;
    let document = ViewDocument::new(opened.name.clone(), statistics(&opened.heap()));
    output.result(&document, || text::stats(&document))?;
    Ok(exit::DONE)
}
