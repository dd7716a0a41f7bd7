//! `leakline search FILE CRITERION…`

use leakline_analysis::views::{Search as Wanted, search};
use leakline_heap::NodeType;
use leakline_investigate::Reach;
use leakline_report::{ViewDocument, text};

use super::opened::{ObjectId, open};
use crate::args::views::Search;
use crate::error::CliError;
use crate::output::Output;

pub fn run(args: &Search, output: &Output) -> Result<u8, CliError> {
    let wanted = Wanted {
        name: args.name.clone(),
        class: args.class.clone(),
        id: ObjectId::parse_if_given(args.id.as_deref())?.map(|id| id.0),
        shallow: args.size,
        retained: args.retained,
        kind: args.kind.as_deref().map(kind).transpose()?,
        script: args.script.clone(),
    };
    if wanted == Wanted::default() {
        return Err(CliError::usage(
            "nothing to search for",
            "give at least one of --name, --class, --id, --size, --retained, --type, --script",
        ));
    }
    let opened = open(&args.shown.file, &args.shown.opening, Reach::Everything, output)?;
    let view = search(&opened.heap(), &wanted, args.shown.limit);
    let document = ViewDocument::new(opened.name.clone(), view);
    opened.answer(output, &document, || text::search(&document))
}

fn kind(name: &str) -> Result<NodeType, CliError> {
    match NodeType::from_name(name) {
        NodeType::Other if name != "other" => Err(CliError::usage(
            format!("`{name}` is no type of objects"),
            "V8's types: object, closure, string, concatenated string, sliced string, array, \
             regexp, number, bigint, symbol, code, hidden, native, synthetic, object shape, \
             wasm object",
        )),
        known => Ok(known),
    }
}
