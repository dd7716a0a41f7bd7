//! `leakline native-contexts FILE`

use leakline_analysis::views::native_contexts;
use leakline_investigate::Reach;
use leakline_report::{ViewDocument, text};

use super::opened::open;
use crate::args::views::NativeContexts;
use crate::error::CliError;
use crate::output::Output;

pub fn run(args: &NativeContexts, output: &Output) -> Result<u8, CliError> {
    let opened = open(&args.file, &args.opening, Reach::Everything, output)?;
    let document = ViewDocument::new(opened.name.clone(), native_contexts(&opened.heap()));
    opened.answer(output, &document, || text::native_contexts(&document))
}
