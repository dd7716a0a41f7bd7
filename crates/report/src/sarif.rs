//! A scan as SARIF 2.1.0, as code hosts read it (OASIS, "Static Analysis Results Interchange
//! Format (SARIF) Version 2.1.0", 2020).

use std::collections::BTreeMap;
use std::path::Path;

use leakline_analysis::detect::Rule;
use leakline_source::scan::{Finding, SCAN_RULES, ScanRule};
use serde_json::{Value, json};

use crate::scan::ScanDocument;

/// Where the schema of the format is published.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The name under which paths are relative.
const ROOT: &str = "SRCROOT";

/// The document.
pub fn sarif(document: &ScanDocument) -> Value {
    let root = Path::new(&document.path);
    // Of a single file the folder is the root.
    let root = if root.is_file() { root.parent().unwrap_or(root) } else { root };
    let mut seen: BTreeMap<u64, u32> = BTreeMap::new();
    let mut results: Vec<Value> = Vec::new();
    for finding in &document.findings {
        results.push(result(root, finding, &mut seen));
    }
    for suppressed in &document.suppressed {
        let mut entry = result(root, &suppressed.finding, &mut seen);
        entry["suppressions"] = json!([match &suppressed.reason {
            Some(reason) => json!({ "kind": "inSource", "justification": reason }),
            None => json!({ "kind": "inSource" }),
        }]);
        results.push(entry);
    }
    let notes: Vec<Value> = document
        .notes
        .iter()
        .map(|it| json!({ "level": "note", "message": { "text": it } }))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "leakline",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": SCAN_RULES.iter().map(|&it| rule(it)).collect::<Vec<_>>(),
            } },
            "originalUriBaseIds": { ROOT: { "uri": folder_uri(root) } },
            "columnKind": "utf16CodeUnits",
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notes,
            }],
            "results": results,
        }],
    })
}

fn rule(rule: ScanRule) -> Value {
    // The page of `leakline explain`, where there is one.
    let page = Rule::from_id(rule.id()).map(Rule::page);
    let short = rule.remedy();
    json!({
        "id": rule.id(),
        "name": pascal(rule.id()),
        "shortDescription": { "text": rule.summary() },
        "fullDescription": { "text": format!("{}. {short}", capital(rule.summary())) },
        "help": { "text": page.unwrap_or(short), "markdown": page.unwrap_or(short) },
        "defaultConfiguration": { "level": "warning" },
        "properties": { "tags": ["memory-leak", "nodejs"] },
    })
}

fn result(root: &Path, finding: &Finding, seen: &mut BTreeMap<u64, u32>) -> Value {
    let file = finding.file.strip_prefix(root).unwrap_or(&finding.file);
    let file = file.to_string_lossy();
    let print = fingerprint(finding, &file);
    let nth = seen.entry(print).or_default();
    *nth += 1;
    let index = SCAN_RULES.iter().position(|it| *it == finding.rule).unwrap_or_default();
    json!({
        "ruleId": finding.rule.id(),
        "ruleIndex": index,
        "level": "warning",
        "message": { "text": format!("{} {}", finding.explanation, finding.fix) },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": encoded(&file), "uriBaseId": ROOT },
                "region": {
                    "startLine": finding.line,
                    "startColumn": finding.column,
                    "endLine": finding.end_line,
                    "endColumn": finding.end_column,
                },
            },
        }],
        "partialFingerprints": { "leaklineStatement/v1": format!("{print:016x}:{nth}") },
    })
}

/// What stays the same when lines move: the rule, the file, the function and the statement's text,
/// blanks aside; FNV-1a.
fn fingerprint(finding: &Finding, file: &str) -> u64 {
    let function = finding.function.as_deref().unwrap_or_default();
    let parts = [finding.rule.id(), file, function, &finding.snippet];
    let bytes = parts.iter().flat_map(|it| it.bytes().filter(|it| *it != b' ').chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// `event-listener` as `EventListener`.
fn pascal(id: &str) -> String {
    id.split('-').map(capital).collect()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |it| it.to_uppercase().chain(chars).collect())
}

fn folder_uri(root: &Path) -> String {
    let path = encoded(&root.to_string_lossy());
    format!("file://{}/", path.trim_end_matches('/'))
}

/// A path as a part of an address (RFC 3986).
fn encoded(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'@' => {
                out.push(byte as char);
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_addresses() {
        assert_eq!(encoded("src/my app/é.js"), "src/my%20app/%C3%A9.js");
        assert_eq!(folder_uri(Path::new("/srv/app")), "file:///srv/app/");
        assert_eq!(folder_uri(Path::new("/")), "file:///");
        assert_eq!(pascal("event-target-listener"), "EventTargetListener");
    }
}
