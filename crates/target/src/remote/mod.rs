//! Memory of processes that are asked over HTTP: Prometheus and whatever speaks its API, and JSON endpoints of
//! services.
//!
//! Blocking: one question, one answer. Callers inside a runtime put it on a blocking thread. Secrets (the
//! password in an address, tokens in headers) never stand in an error.

mod address;
mod endpoint;
mod http;
mod prometheus;

pub use address::Address;
pub use endpoint::{MemoryReading, read_memory};
pub use http::Http;
pub use prometheus::{Matrix, MetricSeries, RangeQuery};
