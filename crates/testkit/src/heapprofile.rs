//! Drawn `.heapprofile` files: the same bytes on every run, where a real profile has other samples each time.

use std::path::Path;

use serde_json::{Value, json};

/// A heap profile of the service: two ways into one function, and a recursion.
///
/// # Panics
/// If the script's path is no text: a test's own fault.
pub fn service(script: &Path) -> Value {
    let frame = |name: &str, url: &str, line: i32, column: i32| {
        json!({ "functionName": name, "scriptId": "7", "url": url,
            "lineNumber": line, "columnNumber": column })
    };
    let call = |frame: Value, id: u32, bytes: u64, children: Vec<Value>| json!({ "callFrame": frame, "id": id, "selfSize": bytes, "children": children });
    let app = script.to_str().expect("a path of text");
    let push = |id, bytes| call(frame("push", "", -1, -1), id, bytes, Vec::new());
    let deep =
        call(frame("", app, 7, 2), 6, 2048, vec![call(frame("", app, 7, 2), 7, 512, vec![])]);
    let remember = |id, bytes, below| call(frame("remember", app, 3, 18), id, bytes, below);
    let serve = call(
        frame("serve", app, 11, 0),
        3,
        0,
        vec![remember(4, 1_500_000, vec![push(5, 4096)]), deep],
    );
    let timer = call(frame("onTick", app, 20, 8), 8, 0, vec![remember(9, 300_000, vec![])]);
    let runtime = call(frame("parserOnIncoming", "node:_http_server", 1000, 25), 2, 0, vec![serve]);
    let head = call(frame("(root)", "", -1, -1), 1, 0, vec![runtime, timer]);
    let samples: Vec<Value> = [4, 4, 4, 5, 6, 9]
        .into_iter()
        .zip(1..)
        .map(|(id, ordinal)| json!({ "size": 64, "nodeId": id, "ordinal": ordinal }))
        .collect();
    json!({ "head": head, "samples": samples })
}
