//! Frames of the inspector protocol: any text, line by line, while requests are under way.

#![no_main]

use leakline_target::protocol::{Incoming, Protocol};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|text: &str| {
    let mut protocol = Protocol::default();
    let mut under_way = Vec::new();
    for _ in 0..3 {
        under_way.push(protocol.request("Runtime.evaluate", &json!({ "expression": "1" })).0);
    }
    protocol.give_up(under_way.remove(1));
    for frame in text.lines() {
        if let Ok(Incoming::Reply { id, .. }) = protocol.receive(frame) {
            let at = under_way.iter().position(|&waiting| waiting == id);
            under_way.remove(at.expect("each request is answered once, and only when made"));
        }
    }
});
