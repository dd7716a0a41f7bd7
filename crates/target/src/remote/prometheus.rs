//! Range queries of Prometheus' HTTP API (`/api/v1/query_range`), which Thanos, Mimir and `VictoriaMetrics`
//! answer as well.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::address::Address;
use super::http::{Http, excerpt};
use crate::error::Error;

/// A query over a range of time.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeQuery<'a> {
    /// `PromQL`.
    pub query: &'a str,
    /// Unix seconds.
    pub start: f64,
    /// Unix seconds.
    pub end: f64,
    /// Seconds between two values.
    pub step: f64,
}

/// What a range query gives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matrix {
    /// One for each set of labels.
    pub series: Vec<MetricSeries>,
    /// What the server says about its own answer: parts of the data may be missing.
    pub warnings: Vec<String>,
}

/// The values of one set of labels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricSeries {
    /// The labels, `__name__` among them.
    pub labels: BTreeMap<String, String>,
    /// Unix seconds and value; values that are no finite numbers are left out: gaps.
    pub values: Vec<(f64, f64)>,
    /// How many were left out.
    pub not_finite: usize,
}

#[derive(Deserialize)]
struct Reply {
    status: Option<String>,
    data: Option<Data>,
    error: Option<String>,
    #[serde(rename = "errorType")]
    kind: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: Option<String>,
    #[serde(default)]
    result: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

impl RangeQuery<'_> {
    /// Asks the server at `base` (the address before `/api/v1`).
    ///
    /// # Errors
    /// A server that cannot be reached or is none of these; a query that it does not accept.
    pub fn ask(&self, http: &Http, base: &Address) -> Result<Matrix, Error> {
        let number = |v: f64| format!("{v:.3}");
        let (start, end, step) = (number(self.start), number(self.end), number(self.step));
        let address = base.with(
            "/api/v1/query_range",
            &[("query", self.query), ("start", &start), ("end", &end), ("step", &step)],
        );
        let answer = http.get(&address)?;
        parse(&address, answer.status, &answer.body)
    }
}

fn parse(address: &Address, status: u16, body: &[u8]) -> Result<Matrix, Error> {
    let url = address.to_string();
    let reply: Result<Reply, _> = serde_json::from_slice(body);
    let reply = match reply {
        Ok(reply) if reply.status.is_some() => reply,
        _ if status != 200 => {
            let said = excerpt(body);
            return Err(Error::HttpStatus { url, status, said });
        }
        Ok(_) => {
            let reason = "it is JSON, but no answer of Prometheus' API".to_owned();
            return Err(Error::BadAnswer { url, reason });
        }
        Err(e) => {
            let reason = if e.is_eof() {
                "the answer is cut off".to_owned()
            } else {
                format!("it is no answer of Prometheus' API, but {}", excerpt(body))
            };
            return Err(Error::BadAnswer { url, reason });
        }
    };
    if reply.status.as_deref() != Some("success") {
        let message: String =
            reply.error.unwrap_or_else(|| "no reason given".into()).chars().take(400).collect();
        let kind = reply.kind.unwrap_or_else(|| "error".into());
        // Its own trouble, not the query's.
        if matches!(kind.as_str(), "timeout" | "canceled" | "internal" | "unavailable") {
            return Err(Error::HttpStatus { url, status, said: format!("{kind}: {message}") });
        }
        return Err(Error::Query { url, message });
    }
    let data = reply.data.unwrap_or(Data { result_type: None, result: Vec::new() });
    if let Some(kind) = data.result_type.filter(|k| k != "matrix") {
        let reason = format!("the query gives a {kind}, not series over time");
        return Err(Error::BadAnswer { url, reason });
    }
    let series = data.result.into_iter().map(|row| {
        let all = row.values.len();
        let values: Vec<(f64, f64)> = row
            .values
            .into_iter()
            .filter_map(|(t, v)| {
                let v = v.parse::<f64>().ok().filter(|v| v.is_finite())?;
                t.is_finite().then_some((t, v))
            })
            .collect();
        MetricSeries { labels: row.metric, not_finite: all - values.len(), values }
    });
    Ok(Matrix { series: series.collect(), warnings: reply.warnings })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Result<Matrix, Error> {
        parse(&Address::parse("http://u:p@prom/").unwrap(), status, body.as_bytes())
    }

    #[test]
    fn a_matrix_with_holes_and_warnings() {
        let matrix = of(
            200,
            r#"{"status":"success","warnings":["store-2 is down"],"data":{"resultType":"matrix","result":[
            {"metric":{"__name__":"x","pod":"a"},"values":[[1.5,"10"],[2.5,"NaN"],[3.5,"+Inf"],[4.5,"1e3"]]}]}}"#,
        )
        .unwrap();
        assert_eq!(matrix.series[0].values, [(1.5, 10.0), (4.5, 1000.0)]);
        assert_eq!((matrix.series[0].not_finite, matrix.warnings.len()), (2, 1));
    }

    #[test]
    fn errors_say_whose_they_are() {
        let bad =
            r#"{"status":"error","errorType":"bad_data","error":"parse error: unexpected end"}"#;
        assert!(
            matches!(of(400, bad), Err(Error::Query { message, .. }) if message.contains("unexpected end"))
        );
        let busy = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
        assert!(matches!(of(503, busy), Err(Error::HttpStatus { status: 503, .. })));
        assert!(matches!(of(401, "Unauthorized"), Err(Error::HttpStatus { status: 401, .. })));
        assert!(matches!(of(200, "<html>Login"), Err(Error::BadAnswer { .. })));
        assert!(matches!(of(200, "{}"), Err(Error::BadAnswer { .. })));
        assert!(
            matches!(of(200, r#"{"status":"succ"#), Err(Error::BadAnswer { reason, .. }) if reason.contains("cut off"))
        );
        let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[]}}"#;
        assert!(of(200, scalar).is_err());
        let text = of(404, "no").unwrap_err().to_string();
        assert!(!text.contains("u:p"), "{text}");
    }
}
