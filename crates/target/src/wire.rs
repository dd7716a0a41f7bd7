//! The connection to an inspector: one HTTP request for its address, then a WebSocket.
//!
//! Both run over a TCP stream that is opened here and nowhere else, so that a target in another
//! network namespace needs one change in [`open`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::error::Error;

/// The list of targets is a few hundred bytes.
const MAX_LIST_BYTES: usize = 1 << 20;
/// A snapshot chunk is 100 KiB of text, at most six times that when every byte is escaped.
const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// A WebSocket session with an inspector.
#[derive(Debug)]
pub(crate) struct Wire {
    socket: WebSocketStream<TcpStream>,
    /// Our end, to tell our own connection from others.
    pub(crate) local: SocketAddr,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    web_socket_debugger_url: Option<String>,
}

/// Where to connect for a listener bound to `address`.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn open(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Wire {
    /// Asks the inspector at `address` for its session path and opens the session.
    pub(crate) async fn connect(address: SocketAddr, within: Duration) -> Result<Self, Error> {
        let failed = |reason: String| Error::Connect { address: address.to_string(), reason };
        match tokio::time::timeout(within, Self::connect_now(address)).await {
            Ok(result) => result.map_err(failed),
            Err(_) => Err(failed(format!("no answer within {} s", within.as_secs_f32()))),
        }
    }

    async fn connect_now(address: SocketAddr) -> Result<Self, String> {
        let path = session_path(address).await?;
        let stream = open(address).await.map_err(|e| e.to_string())?;
        let local = stream.local_addr().map_err(|e| e.to_string())?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let (socket, _) =
            client_async_with_config(format!("ws://{address}{path}"), stream, Some(config))
                .await
                .map_err(|e| e.to_string())?;
        Ok(Self { socket, local })
    }

    /// Sends one message; `false` when the connection is lost.
    pub(crate) async fn send(&mut self, text: String) -> bool {
        self.socket.send(Message::text(text)).await.is_ok()
    }

    /// The next message; `None` when the connection is lost. May be cancelled and called again.
    pub(crate) async fn receive(&mut self) -> Option<String> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Some(text.as_str().to_owned()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Ends the session politely, within `within`.
    pub(crate) async fn close(mut self, within: Duration) {
        let goodbye = async {
            if self.socket.close(None).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        // Dropping the socket afterwards closes the connection in any case.
        let _ = tokio::time::timeout(within, goodbye).await;
    }
}

/// `GET /json/list`: the path of the first session offered.
async fn session_path(address: SocketAddr) -> Result<String, String> {
    let stream = open(address).await.map_err(|e| e.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|e| e.to_string())?;
    let request = Request::get("/json/list")
        // The inspector answers only to IP addresses and localhost (DNS rebinding).
        .header("Host", address.to_string())
        .header("Connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(|e| e.to_string())?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|e| e.to_string())?;
        let status = response.status();
        if !status.is_success() {
            return Err(format!("/json/list answered {status}"));
        }
        let body = Limited::new(response.into_body(), MAX_LIST_BYTES);
        body.collect().await.map(http_body_util::Collected::to_bytes).map_err(|e| e.to_string())
    };
    // The connection must be driven while the exchange waits; it may end first, with the whole
    // answer already handed over.
    tokio::pin!(exchange);
    let body = tokio::select! {
        biased;
        body = &mut exchange => body?,
        _ended = connection => exchange.await?,
    };
    let listed: Vec<Listed> =
        serde_json::from_slice(&body).map_err(|e| format!("/json/list is no target list: {e}"))?;
    let url = listed.into_iter().find_map(|l| l.web_socket_debugger_url);
    let url = url.ok_or("/json/list offers no session (is another debugger attached?)")?;
    let after = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let path = after
        .find('/')
        .and_then(|at| after.get(at..))
        .ok_or("the session's address has no path")?;
    Ok(path.to_owned())
}
