//! The inspector protocol without I/O: requests out, frames in.
//!
//! The machine hands out request texts and sorts what comes back; who carries the texts is not
//! its concern, so tests feed it frames by hand and the driver in `session` stays small.
//! Protocol: <https://chromedevtools.github.io/devtools-protocol/v8/>.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// One frame, sorted.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// The reply to request `id`: its result, or the target's error message.
    Reply {
        /// The id [`Protocol::request`] returned.
        id: u64,
        /// Result object, or the error's message.
        result: Result<Value, String>,
    },
    /// A piece of a heap snapshot, in order.
    SnapshotChunk(Vec<u8>),
    /// How far V8 is: objects done, of how many.
    SnapshotProgress {
        /// Objects done.
        done: u64,
        /// Objects in all; grows on the way.
        total: u64,
    },
    /// Any other event, or a reply to a request that was given up. Nothing to do.
    Other,
}

/// A frame that is no protocol message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a protocol message: {0}")]
pub struct BadFrame(String);

/// The state of one session: the next id and the requests under way.
#[derive(Debug, Default)]
pub struct Protocol {
    last_id: u64,
    waiting: BTreeSet<u64>,
}

impl Protocol {
    /// A new request: its id and its text.
    pub fn request(&mut self, method: &str, params: &Value) -> (u64, String) {
        self.last_id += 1;
        self.waiting.insert(self.last_id);
        let text = json!({ "id": self.last_id, "method": method, "params": params }).to_string();
        (self.last_id, text)
    }

    /// Stops waiting for a reply; should it come later, it is [`Incoming::Other`].
    pub fn give_up(&mut self, id: u64) {
        self.waiting.remove(&id);
    }

    /// Sorts one frame.
    pub fn receive(&mut self, text: &str) -> Result<Incoming, BadFrame> {
        let bad = |error: serde_json::Error| BadFrame(error.to_string());
        let frame: Frame<'_> = serde_json::from_str(text).map_err(bad)?;
        if let Some(id) = frame.id {
            if !self.waiting.remove(&id) {
                return Ok(Incoming::Other);
            }
            let result = match (frame.error, frame.result) {
                (Some(error), _) => Err(error.message),
                (None, Some(result)) => Ok(serde_json::from_str(result.get()).map_err(bad)?),
                (None, None) => return Err(BadFrame(format!("reply {id} without a result"))),
            };
            return Ok(Incoming::Reply { id, result });
        }
        let params = frame.params.map_or("{}", RawValue::get);
        Ok(match frame.method.as_deref() {
            Some("HeapProfiler.addHeapSnapshotChunk") => {
                let params: ChunkParams = serde_json::from_str(params).map_err(bad)?;
                Incoming::SnapshotChunk(params.chunk.0)
            }
            Some("HeapProfiler.reportHeapSnapshotProgress") => {
                let params: ProgressParams = serde_json::from_str(params).map_err(bad)?;
                Incoming::SnapshotProgress { done: params.done, total: params.total }
            }
            Some(_) => Incoming::Other,
            None => return Err(BadFrame("neither an id nor a method".to_owned())),
        })
    }
}

#[derive(Deserialize)]
struct Frame<'a> {
    id: Option<u64>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<RemoteError>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RemoteError {
    message: String,
}

#[derive(Deserialize)]
struct ChunkParams {
    chunk: TextBytes,
}

#[derive(Deserialize)]
struct ProgressParams {
    #[serde(default)]
    done: u64,
    #[serde(default)]
    total: u64,
}

/// A JSON string as bytes. V8 cuts chunks at a fixed length, which may fall between the halves
/// of a surrogate pair; read as bytes, such a string is no error.
struct TextBytes(Vec<u8>);

impl<'de> Deserialize<'de> for TextBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = TextBytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<TextBytes, E> {
                Ok(TextBytes(bytes.to_vec()))
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<TextBytes, E> {
                Ok(TextBytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_find_their_request_in_any_order() {
        let mut protocol = Protocol::default();
        let (first, text) = protocol.request("A.b", &json!({ "x": 1 }));
        let sent: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(sent, json!({ "id": first, "method": "A.b", "params": { "x": 1 } }));
        let (second, _) = protocol.request("C.d", &json!({}));
        assert_ne!(first, second);
        let reply =
            protocol.receive(&format!(r#"{{"id":{second},"result":{{"y":[2]}}}}"#)).unwrap();
        assert_eq!(reply, Incoming::Reply { id: second, result: Ok(json!({ "y": [2] })) });
        let reply = protocol
            .receive(&format!(r#"{{"error":{{"code":-32000,"message":"no"}},"id":{first}}}"#))
            .unwrap();
        assert_eq!(reply, Incoming::Reply { id: first, result: Err("no".to_owned()) });
        let again = protocol.receive(&format!(r#"{{"id":{first},"result":{{}}}}"#)).unwrap();
        assert_eq!(again, Incoming::Other, "a second reply is not taken for another's");
    }

    #[test]
    fn a_request_given_up_is_not_answered() {
        let mut protocol = Protocol::default();
        let (id, _) = protocol.request("A.b", &json!({}));
        protocol.give_up(id);
        let late = protocol.receive(&format!(r#"{{"id":{id},"result":{{}}}}"#)).unwrap();
        assert_eq!(late, Incoming::Other);
    }

    #[test]
    fn chunks_are_decoded() {
        let mut protocol = Protocol::default();
        let frame = r#"{"method":"HeapProfiler.addHeapSnapshotChunk","params":{"chunk":"{\"a\\\\\n\u00e9\ud83d"}}"#;
        let Incoming::SnapshotChunk(bytes) = protocol.receive(frame).unwrap() else { panic!() };
        assert_eq!(&bytes[..8], "{\"a\\\\\né".as_bytes()[..8].as_ref());
        assert_eq!(bytes.len(), 8 + 3, "half a surrogate pair is kept as three bytes");
        let plain = r#"{"method":"HeapProfiler.addHeapSnapshotChunk","params":{"chunk":"1,2"}}"#;
        assert_eq!(protocol.receive(plain).unwrap(), Incoming::SnapshotChunk(b"1,2".to_vec()));
    }

    #[test]
    fn other_events_pass_and_rubbish_does_not() {
        let mut protocol = Protocol::default();
        let event = r#"{"method":"Runtime.consoleAPICalled","params":{"type":"log"}}"#;
        assert_eq!(protocol.receive(event).unwrap(), Incoming::Other);
        let progress =
            r#"{"method":"HeapProfiler.reportHeapSnapshotProgress","params":{"done":3,"total":9}}"#;
        assert_eq!(
            protocol.receive(progress).unwrap(),
            Incoming::SnapshotProgress { done: 3, total: 9 }
        );
        let (id, _) = protocol.request("A.b", &json!({}));
        let empty = format!(r#"{{"id":{id}}}"#);
        for frame in ["", "{", "[]", "{}", "3", "{\"id\":-1}", empty.as_str()] {
            assert!(protocol.receive(frame).is_err(), "{frame}");
        }
        let bad = r#"{"method":"HeapProfiler.addHeapSnapshotChunk","params":{"chunk":7}}"#;
        assert!(protocol.receive(bad).is_err());
    }
}
