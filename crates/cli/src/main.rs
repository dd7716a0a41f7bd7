//! `leakline`: from a rising memory line to the line of code that causes it.
//!
//! Glue: arguments in, library calls, text or JSON out, an exit code. What is found is computed below, in
//! `investigate` and the analyses; how it reads is decided in `report`.

mod args;
mod asking;
mod bytes;
mod commands;
mod demo;
mod duration;
mod error;
mod exit;
mod interrupt;
mod output;
mod progress;
mod series;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::error::CliError;
use crate::output::Output;

fn main() -> ExitCode {
    // The first letters typed decide how even a usage error is reported.
    let wants_json = std::env::args().any(|a| a == "--json");
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => return usage(&e, wants_json),
    };
    let output = Output::new(&cli.global);
    if !commands::listens_itself(&cli.command) {
        interrupt::end_on_signal(output.clone());
    }
    let code = match commands::run(cli.command, &output) {
        Ok(code) => code,
        Err(e) if e.is_broken_pipe() => exit::DONE,
        Err(e) => {
            output.error(&e);
            e.exit_code()
        }
    };
    ExitCode::from(code)
}

const USAGE_HINT: &str =
    "`leakline --help` lists the commands, `leakline COMMAND --help` their options";

fn usage(e: &clap::Error, wants_json: bool) -> ExitCode {
    use clap::error::ErrorKind;
    let asked = matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if asked {
        // A closed pipe is no failure: `leakline --help | head`.
        let _ = e.print();
        return ExitCode::from(exit::DONE);
    }
    // The parser ends with its own pointer to the help; ours reads like every other error of ours.
    let text = e.render().to_string();
    let text = text.trim_end();
    let body = text.strip_suffix("For more information, try '--help'.").unwrap_or(text).trim_end();
    output::print_usage_error(body, USAGE_HINT);
    if wants_json {
        // The first paragraph is the error, the rest is usage.
        let first: Vec<&str> = body
            .trim_start_matches("error: ")
            .lines()
            .take_while(|l| !l.is_empty())
            .map(str::trim)
            .collect();
        output::print_error_json(&CliError::usage(first.join(" "), USAGE_HINT));
    }
    ExitCode::from(exit::USAGE)
}
