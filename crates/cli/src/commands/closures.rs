//! `leakline closures FILE`

use leakline_analysis::views::closures;
use leakline_investigate::Reach;
use leakline_report::{ViewDocument, text};

use super::opened::open;
use crate::args::views::Closures;
use crate::error::CliError;
use crate::output::Output;

pub fn run(args: &Closures, output: &Output) -> Result<u8, CliError> {
    let opened = open(&args.shown.file, &args.shown.opening, Reach::Everything, output)?;
    let view = closures(&opened.heap(), args.script.as_deref());
    let document = ViewDocument::new(opened.name.clone(), view);
    opened.answer(output, &document, || text::closures(&document, args.shown.limit))
}
