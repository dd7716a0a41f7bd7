//! `leakline suspects A B [C…]`

use leakline_heap::HeapGraph;
use leakline_investigate::{Event, SuspectsOptions, open_snapshot, suspects_of};
use leakline_report::text;

use crate::args::Suspects;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;
use crate::progress::Progress;

pub fn run(args: Suspects, output: &Output) -> Result<u8, CliError> {
    let mut progress = Progress::new(output);
    let mut graphs = Vec::with_capacity(args.files.len());
    for file in &args.files {
        graphs.push(open_snapshot(file, &mut |e| progress.event(e))?);
    }
    let graphs: Vec<&HeapGraph> = graphs.iter().collect();
    let options = SuspectsOptions { source: args.source, requests: args.requests };
    let document = suspects_of(&graphs, &options, &mut |e| {
        // The steps belong to an investigation; here the answer follows at once.
        if !matches!(e, Event::Step(..)) {
            progress.event(e);
        }
    });
    output.result(&document, || text::suspects(&document))?;
    Ok(if args.fail_on_leak && document.leak { exit::LEAK } else { exit::DONE })
}
