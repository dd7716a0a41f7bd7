//! Comments that take a finding back.

use super::{folder, scanned};

#[test]
fn a_comment_with_the_rule_takes_a_finding_back() {
    let dir = folder(&[(
        "app.js",
        "
const log = [];
require('http').createServer((req, res) => {
  // leakline-ignore collection kept on purpose, a week at most
  log.push(req.url);
  log.push(req.url); // leakline-ignore collection
  /* leakline-ignore collection: audited */
  log.push(req.url);
  // leakline-ignore timer another rule
  log.push(req.url);
  const text = 'leakline-ignore collection'; log.push(text);
});
",
    )]);
    let found = scanned(dir.path());
    let lines: Vec<u32> = found.findings.iter().map(|it| it.line).collect();
    assert_eq!(lines, [10, 11]);
    let reasons: Vec<Option<&str>> =
        found.suppressed.iter().map(|it| it.reason.as_deref()).collect();
    assert_eq!(reasons, [Some("kept on purpose, a week at most"), None, Some("audited")]);
}
