//! CSV with comma, semicolon or tab: whichever the header line uses.

use super::Row;
use super::columns::{Column, Field, checked};
use crate::error::{ReadError, ReadErrorKind};

/// Calls `each` for every row below the header.
pub(crate) fn rows(
    text: &str,
    file: &str,
    mut each: impl FnMut(Row<'_>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let fail = |line, kind| ReadError::new(file, line, kind);
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let delimiter = if first.contains(',') {
        b','
    } else if first.contains('\t') {
        b'\t'
    } else {
        b';'
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());

    let mut record = csv::StringRecord::new();
    let mut header: Option<csv::StringRecord> = None;
    let mut columns: Vec<(usize, Column)> = Vec::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let line = error.position().map(|at| line_of(text, at));
                return Err(fail(line, ReadErrorKind::Csv(error.to_string())));
            }
        }
        let line = record.position().map_or(1, |at| line_of(text, at));
        if record.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        let Some(header) = &header else {
            let names: Vec<&str> = record.iter().map(str::trim).collect();
            if names.iter().all(|name| name.is_empty() || name.parse::<f64>().is_ok()) {
                return Err(fail(Some(line), ReadErrorKind::NoHeader));
            }
            let found: Vec<(usize, Column)> = names
                .iter()
                .enumerate()
                .filter_map(|(i, name)| Column::named(name).map(|c| (i, c)))
                .collect();
            let spelled: Vec<(Column, &str)> = found.iter().map(|&(i, c)| (c, names[i])).collect();
            checked(&spelled, &names).map_err(|kind| fail(Some(line), kind))?;
            columns = found;
            header = Some(record.clone());
            continue;
        };
        if record.len() != header.len() {
            let kind = ReadErrorKind::FieldCount { expected: header.len(), found: record.len() };
            return Err(fail(Some(line), kind));
        }
        let fields = columns
            .iter()
            .map(|&(i, column)| (column, header[i].trim(), Field::Text(&record[i])))
            .collect();
        each(Row { line, fields })?;
    }
    Ok(())
}

/// The line a record begins on: the reader's position lies before the blank lines it skipped.
fn line_of(text: &str, at: &csv::Position) -> u64 {
    let rest = text.as_bytes().get(at.byte() as usize..).unwrap_or_default();
    let blank = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    at.line() + blank.filter(|b| **b == b'\n').count() as u64
}
