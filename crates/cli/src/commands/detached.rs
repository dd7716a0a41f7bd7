//! `leakline detached FILE`

use leakline_analysis::views::detached;
use leakline_investigate::Reach;
use leakline_report::{ViewDocument, text};

use super::opened::open;
use crate::args::views::Detached;
use crate::error::CliError;
use crate::output::Output;

pub fn run(args: &Detached, output: &Output) -> Result<u8, CliError> {
    let opened = open(&args.shown.file, &args.shown.opening, Reach::Everything, output)?;
    let document = ViewDocument::new(opened.name.clone(), detached(&opened.heap()));
    opened.answer(output, &document, || text::detached(&document, args.shown.limit))
}
