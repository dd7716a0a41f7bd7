//! Real Node.js processes for the tests; each is killed when its guard is dropped.
#![allow(dead_code)] // Each test file uses a part.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use leakline_testkit::node::node_binary;

pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Node.js 20.
pub fn node() -> PathBuf {
    node_binary(20).unwrap_or_else(|e| panic!("{e}"))
}

/// Node.js 24.
pub fn node24() -> PathBuf {
    node_binary(24).unwrap_or_else(|e| panic!("{e}"))
}

/// Every version to test: 20, 24, and whatever else is named in the environment.
pub fn versions() -> Vec<PathBuf> {
    let named = |v: &u32| std::env::var_os(format!("LEAKLINE_NODE_{v}")).is_some();
    let more = [18, 22, 26].into_iter().filter(named);
    [20, 24]
        .into_iter()
        .chain(more)
        .map(|v| node_binary(v).unwrap_or_else(|e| panic!("{e}")))
        .collect()
}

/// A child process, killed and reaped on drop.
pub struct Running {
    pub child: Child,
    pub port: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts a command that prints `PORT n` once it listens.
    pub fn start(command: &mut Command) -> Self {
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut running = Self { child: child.expect("the program starts"), port: 0 };
        let mut lines = BufReader::new(running.child.stdout.take().expect("stdout is a pipe"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("its first line can be read");
        running.port = line
            .strip_prefix("PORT ")
            .and_then(|port| port.trim().parse().ok())
            .unwrap_or_else(|| panic!("{command:?} printed {line:?} instead of its port"));
        running
    }

    /// A Node.js service whose inspector takes any free port, so that tests can run side by side.
    pub fn node(binary: &PathBuf, flags: &[&str], script: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(binary);
        command.arg("--inspect-port=0").args(flags).arg(fixture(script)).args(arguments);
        Self::start(command.env_remove("NODE_OPTIONS"))
    }

    pub fn server() -> Self {
        Self::node(&node(), &[], "server.mjs", &[])
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    pub fn alive(&mut self) -> bool {
        self.child.try_wait().expect("the child can be asked").is_none()
    }

    /// One HTTP request to the service; panics when it does not answer within ten seconds.
    pub fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).expect("the service listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout can be set");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .expect("the request is sent");
        let mut text = String::new();
        if let Err(e) = stream.read_to_string(&mut text) {
            // Dead or alive is the question that matters here.
            let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()));
            let state = status.unwrap_or_default().lines().take(3).collect::<Vec<_>>().join(", ");
            panic!("the service answers: {e}, after {text:?}; its process: {state}");
        }
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        text
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }
}

pub fn listens(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}

/// A port that is free now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

/// Waits until `condition` holds, for at most `within`.
pub fn eventually(within: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + within;
    while Instant::now() < deadline {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    condition()
}
