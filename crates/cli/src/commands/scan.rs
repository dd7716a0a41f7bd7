//! `leakline scan DIR`

use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use leakline_report::{ScanDocument, sarif, text};
use leakline_source::scan::{ScanOptions, scan};

use crate::args::Scan;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;

pub fn run(args: &Scan, output: &Output) -> Result<u8, CliError> {
    std::fs::metadata(&args.path).map_err(|e| CliError::file(&args.path, e))?;
    let options = ScanOptions { include_node_modules: args.include_node_modules };
    let bar = bar(output);
    let found = scan(&args.path, options, &mut |at| {
        bar.set_length(at.total as u64);
        bar.set_position(at.done as u64);
    });
    bar.finish_and_clear();
    let found = found.map_err(|e| match e {
        leakline_source::Error::Read { path, source } => CliError::file(&path, source),
        other => CliError::bad_input("io", other.to_string(), "check the path"),
    })?;
    let document = ScanDocument::new(found);
    match &args.sarif {
        Some(path) if path == Path::new("-") => {
            output.text(&(serde_json::to_string_pretty(&sarif(&document))? + "\n"))?;
        }
        Some(path) => {
            write(path, &(serde_json::to_string_pretty(&sarif(&document))? + "\n"))?;
            output.result(&document, || text::scan(&document))?;
        }
        None => output.result(&document, || text::scan(&document))?,
    }
    let failed = args.fail_on_finding && !document.findings.is_empty();
    Ok(if failed { exit::LEAK } else { exit::DONE })
}

fn bar(output: &Output) -> ProgressBar {
    let bar = ProgressBar::new(0);
    bar.set_draw_target(if output.draws() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    });
    if let Ok(style) = ProgressStyle::with_template("  scanning {pos} of {len} files") {
        bar.set_style(style);
    }
    bar
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    std::fs::write(path, text)
        .map_err(|e| CliError::internal(format!("cannot write {}", path.display()), e))
}
