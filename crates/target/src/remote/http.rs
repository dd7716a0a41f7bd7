//! One GET, with its time limit and its errors in words.

use std::time::{Duration, Instant};

use super::address::Address;
use crate::error::Error;

/// More than any range of samples, less than a machine has: an endless answer must end.
const MAX_BODY_BYTES: u64 = 256 << 20;

/// Asks over HTTP.
#[derive(Clone, Debug)]
pub struct Http {
    agent: ureq::Agent,
    headers: Vec<(String, String)>,
    timeout: Duration,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// With those headers on every request, and so much time for each.
    pub fn new(headers: Vec<(String, String)>, timeout: Duration) -> Self {
        use ureq::tls::{RootCerts, TlsConfig};
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .tls_config(tls)
            .user_agent(concat!("leakline/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Self { agent, headers, timeout }
    }

    /// Gets an address. Any status is an answer.
    pub(crate) fn get(&self, address: &Address) -> Result<Answer, Error> {
        let began = Instant::now();
        let failed = |e: &ureq::Error| self.explain(address, e, began);
        let mut request = self.agent.get(address.as_str()).header("Accept", "application/json");
        let given = |name: &str| self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        if let Some(value) = address.authorization().filter(|_| !given("authorization")) {
            request = request.header("Authorization", value);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut response = request.call().map_err(|e| failed(&e))?;
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(MAX_BODY_BYTES)
            .read_to_vec()
            .map_err(|e| failed(&e))?;
        Ok(Answer { status, body })
    }

    fn explain(&self, address: &Address, e: &ureq::Error, began: Instant) -> Error {
        let url = address.to_string();
        let timed_out = match e {
            ureq::Error::Timeout(_) => true,
            ureq::Error::Io(io) => io.kind() == std::io::ErrorKind::TimedOut,
            _ => began.elapsed() >= self.timeout,
        };
        if timed_out {
            return Error::HttpTimeout { url, waited: self.timeout };
        }
        let reason = match e {
            ureq::Error::HostNotFound => "its host name is not known".to_owned(),
            ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::ConnectionRefused => {
                "connection refused".to_owned()
            }
            ureq::Error::BodyExceedsLimit(_) => {
                return Error::BadAnswer {
                    url,
                    reason: "the answer is larger than 256 MiB".into(),
                };
            }
            other => {
                let text: String = other.to_string().chars().take(300).collect();
                // Never the query, never a header: only what went wrong.
                text.strip_prefix("io: ").unwrap_or(&text).to_owned()
            }
        };
        Error::HttpUnreachable { url, reason }
    }
}

/// The first words of a body that should have been JSON, for a message.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(400)]).into_owned();
    let words: Vec<&str> = text.split_whitespace().collect();
    let clean: String = words.join(" ").chars().filter(|c| !c.is_control()).take(120).collect();
    if clean.is_empty() { "nothing".into() } else { format!("`{clean}`") }
}
