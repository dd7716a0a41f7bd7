//! A bounded load on the demo's server, over loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Connections that are kept open, each with one request at a time.
const CONNECTIONS: u64 = 4;
/// Requests a second, all connections together: enough to leak visibly in half a minute, little enough to
/// leave a small machine to the investigation.
const PER_SECOND: u64 = 160;
/// No run lasts longer; a forgotten one ends by itself.
const MAX_REQUESTS: u64 = PER_SECOND * 150;

/// A running load. Dropping it ends it.
pub struct Load {
    tasks: JoinSet<()>,
    served: Arc<AtomicU64>,
}

impl Load {
    /// Starts the load.
    pub fn start(address: SocketAddr) -> Self {
        let served = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for connection in 0..CONNECTIONS {
            tasks.spawn(drive(address, connection, Arc::clone(&served)));
        }
        Self { tasks, served }
    }

    /// Requests answered so far.
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    /// Ends it.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn drive(address: SocketAddr, connection: u64, served: Arc<AtomicU64>) {
    let mut left = MAX_REQUESTS / CONNECTIONS;
    let mut pace =
        tokio::time::interval(Duration::from_micros(1_000_000 * CONNECTIONS / PER_SECOND));
    // The server stands still during a snapshot; what was missed then is not made up for.
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // A connection that breaks is made anew; a server that is gone ends the load.
    while left > 0 {
        let Ok(stream) = TcpStream::connect(address).await else { return };
        let Ok((mut sender, wire)) = http1::handshake(TokioIo::new(stream)).await else { return };
        let wire = tokio::spawn(wire);
        while left > 0 {
            pace.tick().await;
            left -= 1;
            let order = (left * CONNECTIONS + connection) % 220;
            let request = Request::get(format!("/orders/{order}"))
                .header(hyper::header::HOST, "127.0.0.1")
                .body(Empty::<Bytes>::new());
            let Ok(request) = request else { return };
            let Ok(response) = sender.send_request(request).await else { break };
            if response.into_body().collect().await.is_err() {
                break;
            }
            served.fetch_add(1, Ordering::Relaxed);
        }
        wire.abort();
    }
}
