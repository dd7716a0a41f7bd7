//! Who listens where: `/proc/PID/net/tcp` and `tcp6`, and which process owns a socket.
//!
//! `/proc/PID/net` shows the network namespace of that process, so a container's listeners are
//! visible from the host. The kernel writes addresses as 32-bit words in its own byte order
//! (`Documentation/networking/proc_net_tcp.rst`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::error::Error;
use crate::process::{ProcDir, all_pids};

const ESTABLISHED: u8 = 0x01;
const LISTEN: u8 = 0x0a;

/// One TCP socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// Its own address.
    pub local: SocketAddr,
    /// The other end's; unspecified while listening.
    pub remote: SocketAddr,
    /// Kernel state: 1 established, 10 listening.
    pub state: u8,
    /// Inode, as in the link `socket:[inode]` of the owner's descriptors.
    pub inode: u64,
}

impl Socket {
    /// Whether it listens.
    pub fn listens(&self) -> bool {
        self.state == LISTEN
    }

    /// Whether it is a connection in use.
    pub fn established(&self) -> bool {
        self.state == ESTABLISHED
    }

    /// Whether listening here prevents another socket from listening at `host:port`.
    pub fn blocks(&self, host: IpAddr, port: u16) -> bool {
        self.listens()
            && self.local.port() == port
            && (self.local.ip() == host
                || self.local.ip().is_unspecified()
                || host.is_unspecified())
    }
}

/// All TCP sockets in the network namespace of `process`.
pub fn sockets(process: &ProcDir) -> Result<Vec<Socket>, Error> {
    let mut found = parse(&process.read_text("net/tcp")?);
    // Absent where IPv6 is switched off.
    if let Ok(text) = process.read_text("net/tcp6") {
        found.extend(parse(&text));
    }
    Ok(found)
}

/// The listening sockets that `process` itself holds.
pub fn own_listeners(process: &ProcDir) -> Result<Vec<Socket>, Error> {
    let inodes = process.socket_inodes()?;
    Ok(sockets(process)?.into_iter().filter(|s| s.listens() && inodes.contains(&s.inode)).collect())
}

/// The process that holds the socket `inode`, as far as we may see.
pub fn owner_of(process: &ProcDir, inode: u64) -> Option<ProcDir> {
    all_pids(process.root())
        .into_iter()
        .map(|pid| ProcDir::with_root(process.root(), pid))
        .find(|p| p.socket_inodes().is_ok_and(|inodes| inodes.contains(&inode)))
}

fn parse(text: &str) -> Vec<Socket> {
    text.lines().skip(1).filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Socket> {
    let mut fields = line.split_ascii_whitespace();
    let local = parse_address(fields.nth(1)?)?;
    let remote = parse_address(fields.next()?)?;
    let state = u8::from_str_radix(fields.next()?, 16).ok()?;
    let inode = fields.nth(5)?.parse().ok()?;
    Some(Socket { local, remote, state, inode })
}

fn parse_address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| -> Option<[u8; 4]> {
        Some(u32::from_str_radix(host.get(at..at + 8)?, 16).ok()?.to_ne_bytes())
    };
    let ip = match host.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut bytes = [0; 16];
            for (index, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(index * 8)?);
            }
            // A dual-stack socket may hold an IPv4 address in IPv6 form.
            Ipv6Addr::from(bytes).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0100007F:240D 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12990 1 000000008dce88e5 100 0 0 10 0\n   1: 0100007F:240D 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 12991 1 0 100 0 0 10 0\n garbage\n";
    const TCP6: &str = "  sl  local_address\n   0: 00000000000000000000000000000000:8BA9 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 13621 1 00000000e496f544 100 0 0 10 0\n   1: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7 1 0 100 0 0 10 0\n";

    #[test]
    fn reads_both_families() {
        let four = parse(TCP);
        assert_eq!(four.len(), 2, "a line that is no socket is left out");
        assert_eq!(four[0].local, "127.0.0.1:9229".parse().unwrap());
        assert!(four[0].listens() && four[1].established());
        assert_eq!(four[0].inode, 12990);
        let six = parse(TCP6);
        assert_eq!(six[0].local, "[::]:35753".parse().unwrap());
        assert_eq!(six[1].local, "[::1]:80".parse().unwrap());
    }

    #[test]
    fn an_unspecified_address_blocks_every_host() {
        let six = parse(TCP6);
        assert!(six[0].blocks("127.0.0.1".parse().unwrap(), 35753));
        assert!(!six[1].blocks("127.0.0.1".parse().unwrap(), 80));
        assert!(!parse(TCP)[1].blocks("127.0.0.1".parse().unwrap(), 9229), "connections do not");
    }

    #[test]
    fn finds_the_owner_of_a_socket() {
        let root = tempfile::tempdir().unwrap();
        for pid in ["5", "6"] {
            std::fs::create_dir_all(root.path().join(pid).join("fd")).unwrap();
            std::fs::create_dir_all(root.path().join(pid).join("net")).unwrap();
            std::fs::write(root.path().join(pid).join("net/tcp"), TCP).unwrap();
        }
        symlink("socket:[12990]", root.path().join("6/fd/9")).unwrap();
        let five = ProcDir::with_root(root.path(), 5);
        assert_eq!(owner_of(&five, 12990).unwrap().pid(), 6);
        assert!(owner_of(&five, 1).is_none());
        assert!(own_listeners(&five).unwrap().is_empty());
        assert_eq!(own_listeners(&ProcDir::with_root(root.path(), 6)).unwrap().len(), 1);
    }
}
