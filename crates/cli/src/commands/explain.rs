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
    rules: Vec<Page>,
}

#[derive(Serialize)]
struct Page {
    id: &'static str,
    summary: &'static str,
    page: &'static str,
}

pub fn run(args: &Explain, output: &Output) -> Result<u8, CliError> {
    let rules: Vec<Rule> = match &args.rule {
        None => all_rules().to_vec(),
        Some(id) => vec![Rule::from_id(id).ok_or_else(|| {
            let ids: Vec<&str> = all_rules().iter().map(|r| r.id()).collect();
            CliError::usage(format!("there is no rule `{id}`"), format!("one of: {}", ids.join(", ")))
        })?],
    };
    let page = |r: &Rule| Page { id: r.id(), summary: r.summary(), page: r.page() };
    let document =
        Document { schema: "leakline/explain/1", rules: rules.iter().map(page).collect() };
    output.result(&document, || match document.rules.as_slice() {
        [one] if args.rule.is_some() => one.page.to_string(),
        all => all.iter().map(|p| format!("{:<16} {}\n", p.id, p.summary)).collect(),
    })?;
    Ok(exit::DONE)
}
