//! Which public functions of Node stand behind a function of its own files.
//!
//! When `fetch(url, { signal })` listens to a signal, the listening function is one of Node's. No statement of the
//! program contains it; what the program contains is a call of the public function.

use crate::scripts::Place;

/// The start of a script's path after `node:`, and what a program calls to get there.
const CALLS: &[(&str, &[&str])] = &[
    ("internal/deps/undici", &["fetch", "Request", "request"]),
    ("internal/streams/add-abort-signal", &["addAbortSignal", "pipeline", "compose"]),
    ("internal/streams/end-of-stream", &["finished", "pipeline", "addAbortSignal"]),
    ("internal/streams/pipeline", &["pipeline", "compose"]),
    ("internal/streams/duplex", &["Duplex", "duplexPair"]),
    ("internal/streams/readable", &["pipe", "Readable.from", "pipeline"]),
    ("internal/streams/legacy", &["pipe"]),
    ("internal/streams/operators", &["map", "filter", "forEach", "toArray", "reduce"]),
    ("internal/webstreams", &["pipeTo", "pipeThrough", "ReadableStream", "TransformStream"]),
    ("internal/abort_controller", &["AbortSignal.any", "AbortSignal.timeout"]),
    ("internal/events/abort_listener", &["addAbortListener"]),
    ("internal/event_target", &["addEventListener"]),
    ("events", &["once", "on", "addAbortListener"]),
    ("timers/promises", &["setTimeout", "setInterval", "setImmediate"]),
    ("timers", &["setTimeout", "setInterval", "setImmediate"]),
    ("child_process", &["spawn", "exec", "execFile", "fork"]),
    ("internal/child_process", &["spawn", "exec", "execFile", "fork"]),
    ("_http_client", &["request", "get"]),
    ("_http_agent", &["request", "get"]),
    ("_http_server", &["createServer"]),
    ("http2", &["request", "connect"]),
    ("internal/http2", &["request", "connect"]),
    ("internal/fs/streams", &["createReadStream", "createWriteStream"]),
    ("internal/fs/watchers", &["watch", "watchFile"]),
    ("internal/fs/promises", &["readFile", "writeFile", "watch"]),
    ("fs", &["readFile", "writeFile", "watchFile"]),
    ("readline", &["createInterface"]),
    ("internal/readline", &["createInterface"]),
    ("net", &["connect", "createConnection"]),
    ("tls", &["connect"]),
    ("_tls_wrap", &["connect"]),
    ("dgram", &["createSocket"]),
];

/// What a program calls so that this function of Node's comes into play; nothing for other files.
pub(super) fn public_calls(place: &Place) -> &'static [&'static str] {
    let Some(path) = place.script.strip_prefix("node:") else { return &[] };
    let of_file = |start: &str| {
        path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    CALLS.iter().find(|(start, _)| of_file(start)).map_or(&[], |(_, calls)| calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(script: &str) -> &'static [&'static str] {
        public_calls(&Place { script: script.into(), line: 1, column: 1 })
    }

    #[test]
    fn a_file_of_nodes_leads_to_what_programs_call() {
        assert_eq!(calls("node:internal/deps/undici/undici")[0], "fetch");
        assert_eq!(calls("node:events")[0], "once");
        assert!(calls("node:events_of_another_name").is_empty());
        assert!(calls("/srv/app.js").is_empty());
    }
}
