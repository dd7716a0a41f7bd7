//! `leakline diff A B [C…]`

use leakline_analysis::{Analysis, analyze, diff};
use leakline_heap::HeapGraph;
use leakline_investigate::open_snapshot;
use leakline_report::{DiffDocument, text};

use crate::args::Diff;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;
use crate::progress::Progress;

pub fn run(args: &Diff, output: &Output) -> Result<u8, CliError> {
    let mut progress = Progress::new(output);
    let mut graphs = Vec::with_capacity(args.files.len());
    for file in &args.files {
        graphs.push(open_snapshot(file, &mut |e| progress.event(e))?);
    }
    let analyses: Vec<Analysis> = graphs.iter().map(analyze).collect();
    let pairs: Vec<(&HeapGraph, &Analysis)> = graphs.iter().zip(&analyses).collect();
    let files = args.files.iter().map(|f| f.display().to_string()).collect();
    let document = DiffDocument::new(files, diff(&pairs));
    output.result(&document, || text::diff(&document, args.limit))?;
    Ok(exit::DONE)
}
