//! From flags to an HTTP client: headers and tokens.

use leakline_target::remote::Http;

use crate::args::memory::Asking;
use crate::error::CliError;

/// The token's variable: an environment is not seen by other users, an argument is.
const TOKEN: &str = "LEAKLINE_BEARER_TOKEN";

/// The client that those flags describe.
pub fn http(asking: &Asking) -> Result<Http, CliError> {
    let mut headers = asking.header.clone();
    let token = match (&asking.bearer, &asking.bearer_file) {
        (Some(token), _) => Some(token.clone()),
        (None, Some(file)) => {
            Some(std::fs::read_to_string(file).map_err(|e| CliError::file(file, e))?)
        }
        (None, None) => std::env::var(TOKEN).ok(),
    };
    if let Some(token) = token.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()) {
        if token.chars().any(|c| c.is_control() || !c.is_ascii()) {
            return Err(CliError::usage(
                "the bearer token holds characters that a header cannot carry",
                "the file must hold the token alone, on one line",
            ));
        }
        headers.push(("Authorization".into(), format!("Bearer {token}")));
    }
    Ok(Http::new(headers, asking.timeout))
}
