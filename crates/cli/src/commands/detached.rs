//! `leakline detached FILE`

use leakline_analysis::views::detached;
use leakline_report::{ViewDocument, text};

use super::opened::open;
use crate::args::views::Detached;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;

pub fn run(args: &Detached, output: &Output) -> Result<u8, CliError> {
    let opened = open(&args.shown.file, &args.shown.opening, output)?;
    let document = ViewDocument::new(opened.name.clone(), detached(&opened.heap()));
    output.result(&document, || text::detached(&document, args.shown.limit))?;
    Ok(exit::DONE)
}
