//! `leakline explain [RULE]`

use leakline_analysis::detect::{Rule, all_rules};
use serde::Serialize;

use crate::args::Explain;
use crate::error::CliError;
use crate::exit;
use crate::output::Output;

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    rules: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    id: &'static str,
    summary: &'static str,
    page: &'static str,
}

pub fn run(args: &Explain, output: &Output) -> Result<u8, CliError> {
    let rules: Vec<Rule> = match &args.rule {
        None => all_rules().to_vec(),
        Some(id) => vec![Rule::from_id(id).ok_or_else(|| {
            let ids: Vec<&str> = all_rules().iter().map(|r| r.id()).collect();
            CliError::usage(
                format!("there is no rule `{id}`"),
                format!("one of: {}", ids.join(", ")),
            )
        })?],
    };
    let entry = |r: &Rule| Entry { id: r.id(), summary: r.summary(), page: r.page() };
    let document =
        Document { schema: "leakline/explain/1", rules: rules.iter().map(entry).collect() };
    output.result(&document, || match document.rules.as_slice() {
        [one] if args.rule.is_some() => one.page.to_string(),
        all => {
            let lines: Vec<String> =
                all.iter().map(|p| format!("{:<21} {}", p.id, p.summary)).collect();
            lines.join("\n") + "\n"
        }
    })?;
    Ok(exit::DONE)
}
