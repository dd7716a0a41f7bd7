//! `leakline native-contexts FILE`

use leakline_analysis::views::native_contexts;
use leakline_report::{ViewDocument, text};

use super::opened::open;
use crate::args::views::NativeContexts;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;

pub fn run(args: &NativeContexts, output: &Output) -> Result<u8, CliError> {
    let opened = open(&args.file, &args.opening, output)?;
    let document = ViewDocument::new(opened.name.clone(), native_contexts(&opened.heap()));
    output.result(&document, || text::native_contexts(&document))?;
    Ok(exit::DONE)
}
