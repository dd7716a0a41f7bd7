//! Bounded HTTP load on loopback: so many requests, over so many kept connections, and no more.
//!
//! Plain threads and sockets: a load generator inside a test should add no runtime of its own to what is measured.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A target that writes a heap snapshot answers nobody meanwhile; only a much longer silence is an error.
const SILENCE_LIMIT: Duration = Duration::from_mins(2);

/// What to send.
#[derive(Debug, Clone)]
pub struct Load {
    /// Paths asked for in turn; `{n}` stands for the running number of the request.
    pub paths: Vec<String>,
    /// How many requests in all.
    pub requests: u64,
    /// Over how many connections at a time.
    pub connections: u64,
    /// Wait of each connection between two requests.
    pub pause: Duration,
    /// Requests in a second, counted from the start: after a silence of the target the load catches up.
    pub per_second: Option<f64>,
}

impl Load {
    /// So many requests to one path over four connections, without a wait.
    pub fn new(path: &str, requests: u64) -> Self {
        Self {
            paths: vec![path.to_owned()],
            requests,
            connections: 4,
            pause: Duration::ZERO,
            per_second: None,
        }
    }

    /// Adds a further path.
    #[must_use]
    pub fn and_path(mut self, path: &str) -> Self {
        self.paths.push(path.to_owned());
        self
    }

    /// Sets the number of connections.
    #[must_use]
    pub fn connections(mut self, connections: u64) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Sets the wait of each connection between two requests.
    #[must_use]
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Sets how many requests there are in a second, as far as the target keeps up.
    #[must_use]
    pub fn per_second(mut self, rate: f64) -> Self {
        self.per_second = Some(rate);
        self
    }

    /// Sends everything to that port of 127.0.0.1 and waits for the answers.
    ///
    /// # Errors
    /// A connection broke or an answer could not be read.
    pub fn run(&self, port: u16) -> io::Result<Sent> {
        self.start(port).finish()
    }

    /// Starts sending on threads of their own.
    pub fn start(&self, port: u16) -> Sending {
        let stop = Arc::new(AtomicBool::new(false));
        let next = Arc::new(AtomicU64::new(0));
        let begun = Instant::now();
        let workers = (0..self.connections)
            .map(|_| {
                let (load, stop, next) = (self.clone(), Arc::clone(&stop), Arc::clone(&next));
                thread::spawn(move || load.one_connection(port, begun, &next, &stop))
            })
            .collect();
        Sending { stop, workers, begun }
    }

    fn one_connection(
        &self,
        port: u16,
        begun: Instant,
        next: &AtomicU64,
        stop: &AtomicBool,
    ) -> io::Result<Sent> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut sent = Sent::default();
        let mut connection: Option<BufReader<TcpStream>> = None;
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.requests {
                break;
            }
            if let Some(rate) = self.per_second {
                let due = begun + Duration::from_secs_f64(number as f64 / rate);
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            let path = &self.paths[number as usize % self.paths.len()];
            let path = path.replace("{n}", &number.to_string());
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: leakline-testkit\r\n\
                 Accept: application/json\r\n\r\n"
            );
            let (answer, stream) = match connection.take() {
                // The server may have given up a connection that stood idle while it wrote a snapshot. Every HTTP
                // client asks again then.
                Some(kept) => match ask(kept, &request) {
                    Err(e) if given_up(&e) => ask(connect(address)?, &request)?,
                    other => other?,
                },
                None => ask(connect(address)?, &request)?,
            };
            sent.requests += 1;
            sent.good += u64::from((200..400).contains(&answer.status));
            if answer.keep_alive {
                connection = Some(stream);
            }
            if !self.pause.is_zero() {
                thread::sleep(self.pause);
            }
        }
        Ok(sent)
    }
}

fn ask(
    mut stream: BufReader<TcpStream>,
    request: &str,
) -> io::Result<(Answer, BufReader<TcpStream>)> {
    stream.get_mut().write_all(request.as_bytes())?;
    let answer = read_answer(&mut stream)?;
    Ok((answer, stream))
}

fn given_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

fn connect(address: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
    stream.set_read_timeout(Some(SILENCE_LIMIT))?;
    stream.set_write_timeout(Some(SILENCE_LIMIT))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

/// What came of a load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Requests that were answered.
    pub requests: u64,
    /// Answers with a status of 200 to 399.
    pub good: u64,
    /// From the start to the last answer.
    pub elapsed: Duration,
}

/// A load under way. Dropping it stops it.
#[derive(Debug)]
pub struct Sending {
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<io::Result<Sent>>>,
    begun: Instant,
}

impl Sending {
    /// Stops after the requests now under way.
    ///
    /// # Errors
    /// As [`Load::run`].
    pub fn stop(self) -> io::Result<Sent> {
        self.stop.store(true, Ordering::Relaxed);
        self.finish()
    }

    /// Waits until everything is sent.
    ///
    /// # Errors
    /// As [`Load::run`].
    pub fn finish(mut self) -> io::Result<Sent> {
        let mut all = Sent::default();
        for worker in self.workers.drain(..) {
            let sent = worker.join().map_err(|_| io::Error::other("a load thread panicked"))??;
            all.requests += sent.requests;
            all.good += sent.good;
        }
        all.elapsed = self.begun.elapsed();
        Ok(all)
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for worker in self.workers.drain(..) {
            // Its result went to `finish`, or nobody asks for it.
            let _ = worker.join();
        }
    }
}

struct Answer {
    status: u16,
    keep_alive: bool,
}

/// One HTTP/1.1 answer, its body read and dropped.
fn read_answer(stream: &mut impl BufRead) -> io::Result<Answer> {
    let status_line = read_line(stream)?;
    let status = status_line
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .ok_or_else(|| bad(format!("no HTTP status in {status_line:?}")))?;
    let (mut length, mut chunked, mut keep_alive) = (None, false, true);
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse::<u64>().ok(),
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" => keep_alive = !value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    if chunked {
        loop {
            let line = read_line(stream)?;
            let size = u64::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)
                .map_err(|_| bad(format!("no chunk size in {line:?}")))?;
            skip(stream, size)?;
            read_line(stream)?;
            if size == 0 {
                break;
            }
        }
    } else {
        let length = length.ok_or_else(|| bad("an answer without a length".to_owned()))?;
        skip(stream, length)?;
    }
    Ok(Answer { status, keep_alive })
}

fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    // An answer's line longer than this is none of our apps'.
    if stream.take(16 * 1024).read_until(b'\n', &mut line)? == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the app closed the connection"));
    }
    while line.last().is_some_and(|b| matches!(b, b'\r' | b'\n')) {
        line.pop();
    }
    String::from_utf8(line).map_err(|e| bad(e.to_string()))
}

fn skip(stream: &mut impl BufRead, bytes: u64) -> io::Result<()> {
    let read = io::copy(&mut stream.take(bytes), &mut io::sink())?;
    if read < bytes {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "an answer ended early"));
    }
    Ok(())
}

fn bad(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> io::Result<(u16, bool, usize)> {
        let mut rest = text.as_bytes();
        let answer = read_answer(&mut rest)?;
        Ok((answer.status, answer.keep_alive, rest.len()))
    }

    #[test]
    fn answers_end_where_they_should() {
        let plain = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcNEXT";
        assert_eq!(parse(plain).unwrap(), (200, true, 4));
        let chunked = "HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\nConnection: close\r\n\r\n\
                       3\r\nabc\r\n0\r\n\r\nNEXT";
        assert_eq!(parse(chunked).unwrap(), (404, false, 4));
    }

    #[test]
    fn broken_answers_are_errors() {
        for text in ["", "HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(parse("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").is_err());
    }
}
