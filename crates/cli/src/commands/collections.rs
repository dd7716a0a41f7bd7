//! `leakline collections FILE`

use leakline_analysis::views::{CollectionSort, collections};
use leakline_investigate::Reach;
use leakline_report::{ViewDocument, text};

use super::opened::open;
use crate::args::views::{Collections, CollectionsBy};
use crate::error::CliError;
use crate::output::Output;

pub fn run(args: &Collections, output: &Output) -> Result<u8, CliError> {
    let opened = open(&args.shown.file, &args.shown.opening, Reach::Everything, output)?;
    let sort = match args.sort {
        CollectionsBy::Store => CollectionSort::Store,
        CollectionsBy::Waste => CollectionSort::Waste,
    };
    let view = collections(&opened.heap(), sort, args.shown.limit);
    let document = ViewDocument::new(opened.name.clone(), view);
    opened.answer(output, &document, || text::collections(&document))
}
