//! An `http://` or `https://` address, its password kept apart.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// An address to ask; printed without user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Without user, password and fragment.
    plain: String,
    /// `user:password`, decoded.
    login: Option<String>,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (scheme, rest) = text
            .split_once("://")
            .filter(|(s, _)| s.eq_ignore_ascii_case("http") || s.eq_ignore_ascii_case("https"))
            .ok_or("it must begin with http:// or https://")?;
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        let (login, host) = match host.rsplit_once('@') {
            Some((login, host)) => (Some(decoded(login)?), host),
            None => (None, host),
        };
        if host.is_empty() || host.starts_with(':') {
            return Err("it names no host".into());
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("it holds white space".into());
        }
        Ok(Self { plain: format!("{}://{host}{path}", scheme.to_ascii_lowercase()), login })
    }

    /// The address without user and password.
    pub fn as_str(&self) -> &str {
        &self.plain
    }

    /// The value of the `Authorization` header, where the address has a user.
    pub(crate) fn authorization(&self) -> Option<String> {
        self.login.as_ref().map(|login| format!("Basic {}", STANDARD.encode(login)))
    }

    /// The address with this path behind its own, and that query.
    pub(crate) fn with(&self, path: &str, query: &[(&str, &str)]) -> Self {
        let (base, own) = self.plain.split_once('?').unwrap_or((&self.plain, ""));
        let mut plain = format!("{}{path}", base.trim_end_matches('/'));
        let mut sign = '?';
        if !own.is_empty() {
            plain.push(sign);
            plain.push_str(own);
            sign = '&';
        }
        for (name, value) in query {
            plain.push_str(&format!("{sign}{name}={}", encoded(value)));
            sign = '&';
        }
        Self { plain, login: self.login.clone() }
    }

    /// The address up to its query, for messages.
    pub(crate) fn shown(&self) -> &str {
        self.plain.split('?').next().unwrap_or_default()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.plain)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

/// Everything but RFC 3986's unreserved characters as `%XX`.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(b as char);
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let hex = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok());
            let byte = hex.and_then(|h| u8::from_str_radix(h, 16).ok());
            bytes.push(
                byte.ok_or("its user or password has a % that is not followed by two digits")?,
            );
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).map_err(|_| "its user or password is not UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_used_and_never_shown() {
        let a = Address::parse("HTTPS://ann:p%40ss@prom.example:9090/base/?x=1#f").unwrap();
        assert_eq!(a.as_str(), "https://prom.example:9090/base/?x=1");
        assert_eq!(a.authorization().unwrap(), "Basic YW5uOnBAc3M=");
        assert!(!format!("{a} {a:?}").contains("ss"));
        let q = a.with("/api/v1/query_range", &[("query", "a{b=~\"c+\"}")]);
        assert_eq!(
            q.as_str(),
            "https://prom.example:9090/base/api/v1/query_range?x=1&query=a%7Bb%3D~%22c%2B%22%7D"
        );
        assert_eq!(q.shown(), "https://prom.example:9090/base/api/v1/query_range");
    }

    #[test]
    fn what_is_no_address_is_told() {
        for text in
            ["", "prom:9090", "ftp://x", "http://", "http://:90", "http://a b", "http://%zz@h"]
        {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }
}
