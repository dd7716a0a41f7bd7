//! `leakline contexts FILE`

use leakline_analysis::views::contexts;
use leakline_investigate::Reach;
use leakline_report::{ViewDocument, text};

use super::opened::open;
use crate::args::views::Contexts;
use crate::error::CliError;
use crate::output::Output;

pub fn run(args: &Contexts, output: &Output) -> Result<u8, CliError> {
    let opened = open(&args.shown.file, &args.shown.opening, Reach::Everything, output)?;
    let view = contexts(&opened.heap(), args.script.as_deref());
    let document = ViewDocument::new(opened.name.clone(), view);
    opened.answer(output, &document, || text::contexts(&document, args.shown.limit))
}
