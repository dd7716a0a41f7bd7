//! `leakline containment FILE [@ID]`

use leakline_analysis::views::containment;
use leakline_investigate::Reach;
use leakline_report::{ViewDocument, text};

use super::opened::{ObjectId, open};
use crate::args::views::Containment;
use crate::error::CliError;
use crate::output::Output;

pub fn run(args: &Containment, output: &Output) -> Result<u8, CliError> {
    let id = ObjectId::parse_if_given(args.object.as_deref())?;
    let opened = open(&args.shown.file, &args.shown.opening, Reach::Objects, output)?;
    let node = opened.object_or_root(id)?;
    let document = ViewDocument::new(opened.name.clone(), containment(&opened.heap(), node));
    opened.answer(output, &document, || text::containment(&document, args.shown.limit))
}
