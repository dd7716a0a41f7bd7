//! `leakline verify --before … --after …`

use leakline_report::{VerifyDocument, text};
use leakline_trend::{Fix, Reason, Series, verify, verify_runs};

use crate::args::memory::Verify;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;
use crate::series;

pub fn run(args: &Verify, output: &Output) -> Result<u8, CliError> {
    let (before, mut notes): (Vec<Series>, Vec<Vec<Reason>>) =
        series::read_all(&args.before)?.into_iter().unzip();
    let (after, more): (Vec<Series>, Vec<Vec<Reason>>) =
        series::read_all(&args.after)?.into_iter().unzip();
    notes.extend(more);
    let mut verification = if args.runs {
        verify_runs(&before, &after)
    } else {
        verify(single(&before, "--before")?, single(&after, "--after")?)
    };
    verification.reasons.extend(notes.into_iter().flatten());
    let document = VerifyDocument::new(verification);
    output.result(&document, || text::verify(&document.verification))?;
    let leaks = matches!(document.verification.result, Fix::NotFixed | Fix::Worse);
    Ok(if args.fail_on_leak && leaks { exit::LEAK } else { exit::DONE })
}

fn single<'a>(series: &'a [Series], flag: &str) -> Result<&'a Series, CliError> {
    match series {
        [one] => Ok(one),
        several => Err(CliError::usage(
            format!("{flag} names {} series, and one is compared with one", several.len()),
            "with --runs, several runs of the same work (or replicas) are compared by their means",
        )),
    }
}
