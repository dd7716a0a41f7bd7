//! JSON lines: one object per line; keys are the column names. Keys may differ from line to line.

use serde_json::{Map, Value};

use super::Row;
use super::columns::{Column, Field, checked, clip};
use crate::error::{ReadError, ReadErrorKind};

/// Calls `each` for every line's object.
pub(crate) fn rows(
    text: &str,
    file: &str,
    mut each: impl FnMut(Row<'_>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    // The names seen anywhere: a key may be missing in the first line and present later.
    let mut seen: Vec<(Column, String)> = Vec::new();
    let mut unknown: Vec<String> = Vec::new();
    let mut any_row_without_time = None;
    for (index, text) in text.lines().enumerate() {
        let line = index as u64 + 1;
        let fail = |kind| ReadError::new(file, Some(line), kind);
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let object: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
            fail(if error.is_eof() {
                ReadErrorKind::TruncatedJson
            } else {
                ReadErrorKind::Json(clip(&error.to_string()))
            })
        })?;
        let mut fields = Vec::new();
        for (key, value) in &object {
            let Some(column) = Column::named(key) else {
                // Bounded: only shown in an error.
                if unknown.len() < 20 && !unknown.contains(key) {
                    unknown.push(key.clone());
                }
                continue;
            };
            if !seen.iter().any(|(c, k)| *c == column && k == key) {
                seen.push((column, key.clone()));
                let found: Vec<(Column, &str)> =
                    seen.iter().map(|(c, k)| (*c, k.as_str())).collect();
                if let Err(kind @ ReadErrorKind::TwoColumns { .. }) = checked(&found, &[]) {
                    return Err(fail(kind));
                }
            }
            let field = match value {
                Value::Null => continue,
                Value::Bool(flag) => Field::Flag(*flag),
                Value::Number(number) => Field::Number(number.as_f64().unwrap_or(f64::NAN)),
                Value::String(text) => Field::Text(text),
                Value::Array(_) | Value::Object(_) => {
                    return Err(fail(ReadErrorKind::NotANumber {
                        column: clip(key),
                        value: clip(&value.to_string()),
                    }));
                }
            };
            fields.push((column, key.as_str(), field));
        }
        if fields.iter().any(|(c, ..)| c.is_time()) {
            each(Row { line, fields })?;
        } else {
            any_row_without_time.get_or_insert(line);
        }
    }
    let found: Vec<(Column, &str)> = seen.iter().map(|(c, k)| (*c, k.as_str())).collect();
    let mut all: Vec<&str> = found.iter().map(|(_, k)| *k).collect();
    all.extend(unknown.iter().map(String::as_str));
    checked(&found, &all).map_err(|kind| ReadError::new(file, Some(1), kind))?;
    match any_row_without_time {
        Some(line) => Err(ReadError::new(file, Some(line), ReadErrorKind::MissingTime)),
        None => Ok(()),
    }
}
