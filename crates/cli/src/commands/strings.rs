//! `leakline strings FILE`

use leakline_analysis::views::duplicated_strings;
use leakline_investigate::Reach;
use leakline_report::{ViewDocument, text};

use super::opened::open;
use crate::args::views::Strings;
use crate::error::CliError;
use crate::output::Output;

pub fn run(args: &Strings, output: &Output) -> Result<u8, CliError> {
    let opened = open(&args.shown.file, &args.shown.opening, Reach::Everything, output)?;
    let view = duplicated_strings(&opened.heap(), args.min_count);
    let document = ViewDocument::new(opened.name.clone(), view);
    opened.answer(output, &document, || text::strings(&document, args.shown.limit))
}
