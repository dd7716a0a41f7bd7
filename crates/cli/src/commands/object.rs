//! `leakline object FILE @ID`

use leakline_analysis::views::object;
use leakline_investigate::Reach;
use leakline_report::{ViewDocument, text};

use super::opened::{ObjectId, open};
use crate::args::views::Object;
use crate::error::CliError;
use crate::output::Output;

pub fn run(args: &Object, output: &Output) -> Result<u8, CliError> {
    let id = ObjectId::parse(&args.object)?;
    let opened = open(&args.shown.file, &args.shown.opening, Reach::Objects, output)?;
    let node = opened.object(id)?;
    let document = ViewDocument::new(opened.name.clone(), object(&opened.heap(), node));
    opened.answer(output, &document, || text::object(&document, args.shown.limit))
}
