//! `leakline allocations FILE.heapprofile`

use leakline_analysis::allocations;
use leakline_investigate::open_profile;
use leakline_report::{AllocationsDocument, text};

use crate::args::Allocations;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;
use crate::progress::Progress;

pub fn run(args: &Allocations, output: &Output) -> Result<u8, CliError> {
    let mut progress = Progress::new(output);
    let profile = open_profile(&args.file, &mut |e| progress.event(e))?;
    let document = AllocationsDocument::new(args.file.display().to_string(), allocations(&profile));
    output.result(&document, || text::allocations(&document, args.limit))?;
    Ok(exit::DONE)
}
