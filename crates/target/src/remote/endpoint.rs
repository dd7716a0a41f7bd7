//! Memory figures in the JSON of a service's own endpoint, such as `/health/debug`: numbers of bytes or texts
//! such as `"123 MB"`, at any depth.
//!
//! Endpoints are written by hand and name things as `process.memoryUsage()` does, mostly. A figure is found by
//! its key, whatever object it lies in; where two fit, the one nearer to the root counts. A plain number is
//! bytes unless the key names another unit (`heapUsedMB`).

use serde_json::Value;

use super::address::Address;
use super::http::{Http, excerpt};
use crate::error::Error;

/// What was found. Bytes, but for the counters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MemoryReading {
    /// Resident set.
    pub rss: Option<u64>,
    /// V8's heap in use.
    pub heap_used: Option<u64>,
    /// V8's heap.
    pub heap_total: Option<u64>,
    /// External memory.
    pub external: Option<u64>,
    /// Array buffers.
    pub array_buffers: Option<u64>,
    /// The limit.
    pub limit: Option<u64>,
    /// Requests so far, a counter.
    pub requests_total: Option<u64>,
    /// Open connections.
    pub connections: Option<u64>,
    /// Age of the process.
    pub uptime_seconds: Option<f64>,
    /// Its pid, as it says.
    pub pid: Option<u64>,
}

/// Deeper than any report of memory; what lies deeper is not looked at.
const MAX_DEPTH: usize = 8;
/// Nor are more values than this.
const MAX_VALUES: usize = 20_000;

/// Asks the endpoint once.
///
/// # Errors
/// When it cannot be reached, answers with another status than 2xx, or names no memory.
pub fn read_memory(http: &Http, address: &Address) -> Result<MemoryReading, Error> {
    let answer = http.get(address)?;
    let url = address.to_string();
    // Many health endpoints answer 503 with the same report.
    let value: Value = match serde_json::from_slice(&answer.body) {
        Ok(value) => value,
        Err(_) if !(200..300).contains(&answer.status) => {
            let said = excerpt(&answer.body);
            return Err(Error::HttpStatus { url, status: answer.status, said });
        }
        Err(_) => {
            let reason = format!("it is no JSON, but {}", excerpt(&answer.body));
            return Err(Error::BadAnswer { url, reason });
        }
    };
    let reading = find(&value);
    if [reading.rss, reading.heap_used, reading.external, reading.array_buffers]
        .iter()
        .all(Option::is_none)
    {
        if !(200..300).contains(&answer.status) {
            let said = excerpt(&answer.body);
            return Err(Error::HttpStatus { url, status: answer.status, said });
        }
        let reason = "its JSON has no rss, heapUsed, external or arrayBuffers".to_owned();
        return Err(Error::BadAnswer { url, reason });
    }
    Ok(reading)
}

/// Finds the figures, level by level from the root.
fn find(root: &Value) -> MemoryReading {
    let mut reading = MemoryReading::default();
    let mut level: Vec<(&str, &Value)> = vec![("", root)];
    let mut seen = 0;
    for _ in 0..MAX_DEPTH {
        let mut next = Vec::new();
        for (_, value) in level {
            let Value::Object(fields) = value else { continue };
            for (key, value) in fields {
                seen += 1;
                if seen > MAX_VALUES {
                    return reading;
                }
                match value {
                    Value::Object(_) => next.push((key.as_str(), value)),
                    Value::Number(_) | Value::String(_) => take(&mut reading, key, value),
                    _ => {}
                }
            }
        }
        level = next;
    }
    reading
}

/// The first value stays.
fn set<T>(slot: &mut Option<T>, value: Option<T>) {
    if slot.is_none() {
        *slot = value;
    }
}

fn take(reading: &mut MemoryReading, key: &str, value: &Value) {
    let folded: String =
        key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let (name, factor) = unit_of_key(&folded);
    let bytes = || bytes(value, factor);
    match name {
        "rss" | "residentsetsize" | "memoryrss" => set(&mut reading.rss, bytes()),
        "heapused" | "usedheapsize" | "memoryheapused" => set(&mut reading.heap_used, bytes()),
        "heaptotal" | "totalheapsize" => set(&mut reading.heap_total, bytes()),
        "external" | "externalmemory" => set(&mut reading.external, bytes()),
        "arraybuffers" => set(&mut reading.array_buffers, bytes()),
        "limit" | "memorylimit" | "limitbytes" | "constrainedmemory" => {
            // Without a limit Node reports 0 or 2^64 − 1.
            set(&mut reading.limit, bytes().filter(|b| *b > 0 && *b < 1 << 60));
        }
        "requeststotal" | "totalrequests" | "requestcount" => {
            set(&mut reading.requests_total, bytes());
        }
        "connections" | "openconnections" | "activeconnections" => {
            set(&mut reading.connections, bytes());
        }
        "uptime" | "uptimeseconds" | "processuptime" => {
            set(&mut reading.uptime_seconds, value.as_f64().filter(|v| *v >= 0.0));
        }
        "pid" => set(&mut reading.pid, value.as_u64()),
        _ => {}
    }
}

/// The key without its unit, and what a plain number is multiplied with.
fn unit_of_key(key: &str) -> (&str, f64) {
    const MIB: f64 = 1024.0 * 1024.0;
    for (ending, factor) in [
        ("inbytes", 1.0),
        ("bytes", 1.0),
        ("mib", MIB),
        ("inmb", MIB),
        ("mb", MIB),
        ("kib", 1024.0),
        ("kb", 1024.0),
    ] {
        if let Some(name) = key.strip_suffix(ending) {
            return (name, factor);
        }
    }
    (key, 1.0)
}

/// A number of bytes, or a text with a unit. Hand-written endpoints divide by 1024 whatever they call it,
/// so `MB` is taken for MiB.
fn bytes(value: &Value, factor: f64) -> Option<u64> {
    let number = match value {
        Value::Number(n) => n.as_f64()? * factor,
        Value::String(text) => {
            let text = text.trim();
            let end = text
                .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '_')))
                .unwrap_or(text.len());
            let (digits, unit) = text.split_at(end);
            let number: f64 = plain(digits)?.parse().ok()?;
            let unit = unit.trim().to_ascii_lowercase();
            let times = match unit.as_str() {
                "" => factor,
                "b" | "bytes" => 1.0,
                "k" | "kb" | "kib" => 1024.0,
                "m" | "mb" | "mib" => 1024.0 * 1024.0,
                "g" | "gb" | "gib" => 1024.0 * 1024.0 * 1024.0,
                _ => return None,
            };
            number * times
        }
        _ => return None,
    };
    (number.is_finite() && (0.0..1.9e19).contains(&number)).then_some(number.round() as u64)
}

/// `1,234.5` is a thousand and more; `123,4` is a comma for a point.
fn plain(digits: &str) -> Option<String> {
    let digits = digits.replace('_', "");
    if digits.is_empty() {
        return None;
    }
    let groups: Vec<&str> = digits.split(',').collect();
    let grouped = groups.len() > 1
        && groups[1..].iter().all(|g| g.split('.').next().is_some_and(|w| w.len() == 3));
    Some(if grouped { digits.replace(',', "") } else { digits.replace(',', ".") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_and_texts_at_any_depth() {
        let r = find(&json!({
            "status": "ok", "uptime": 12.5, "pid": 7,
            "memory": {"rss": "123 MB", "heapUsed": "45.5MB", "heap_total": 70_000_000, "external": "1,024 KB"},
            "process": {"memoryUsage": {"rss": 5, "arrayBuffers": 17}},
            "http": {"requestsTotal": 900, "activeConnections": 4},
        }));
        assert_eq!(r.rss, Some(123 << 20));
        assert_eq!(r.heap_used, Some(47_710_208));
        assert_eq!(
            (r.heap_total, r.external, r.array_buffers),
            (Some(70_000_000), Some(1 << 20), Some(17))
        );
        assert_eq!((r.requests_total, r.connections, r.pid), (Some(900), Some(4), Some(7)));
        assert_eq!(r.uptime_seconds, Some(12.5));
    }

    #[test]
    fn units_in_keys_and_figures_that_are_none() {
        let r =
            find(&json!({"rssMB": 100, "heapUsedBytes": "2048", "external": "unknown", "limit": 0,
            "arrayBuffers": -4}));
        assert_eq!((r.rss, r.heap_used), (Some(100 << 20), Some(2048)));
        assert_eq!((r.external, r.limit, r.array_buffers), (None, None, None));
        assert_eq!(plain("123,4").as_deref(), Some("123.4"));
        assert_eq!(plain("1,234,567.8").as_deref(), Some("1234567.8"));
    }

    #[test]
    fn the_nearer_to_the_root_counts_and_depth_is_bounded() {
        let mut deep = json!({"rss": 1});
        for _ in 0..100 {
            deep = json!({ "in": deep });
        }
        assert_eq!(find(&deep).rss, None);
        assert_eq!(find(&json!({"a": {"rss": 1}, "rss": 2})).rss, Some(2));
    }
}
