//! A server that answers as a test tells it, to see how the commands take it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a server does with a request.
pub enum Answer {
    /// A status line's status, and a body.
    Body(u16, String),
    /// Nothing at all, until the client gives up.
    Silence,
    /// The head of an answer and half of its body.
    CutOff(String),
}

/// A running server. Dropping it ends it.
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
}

impl Server {
    /// Answers every request by what `answer` says to its head.
    pub fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port on loopback");
        let address = listener.local_addr().expect("a bound socket has an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let over = Arc::new(AtomicBool::new(false));
        let (seen, end, answer) = (Arc::clone(&requests), Arc::clone(&over), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), seen, answer) = (stream, Arc::clone(&seen), Arc::clone(&answer))
                else {
                    continue;
                };
                thread::spawn(move || serve(stream, &seen, &*answer));
            }
        });
        Self { address, requests, over }
    }

    /// `http://127.0.0.1:PORT` with that path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The heads of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no thread panicked").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a client.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<String>>, answer: &dyn Fn(&str) -> Answer) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    seen.lock().expect("no thread panicked").push(head.clone());
    let (status, body, length) = match answer(&head) {
        Answer::Body(status, body) => (status, body.clone(), body.len()),
        Answer::CutOff(body) => (200, body[..body.len() / 2].to_owned(), body.len()),
        Answer::Silence => {
            thread::sleep(Duration::from_secs(20));
            return;
        }
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
}
