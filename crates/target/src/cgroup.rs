//! How much memory the target may still take before something kills it.
//!
//! A limit may sit on the process's own control group or on any group above it, so the hierarchy
//! is walked up to its mount point and the tightest level wins; the machine's `MemAvailable`
//! bounds it all. Both versions are read: v1 `memory.limit_in_bytes`, v2 `memory.max` and
//! `memory.high` (above `high` the kernel throttles, which stalls a service as surely). File pages
//! nobody has touched lately (`inactive_file`) are given back before anything is killed, so they
//! count as room, as in the kernel's own reckoning and in `docker stats`.
//!
//! The path in `/proc/PID/cgroup` is relative to the root of the hierarchy, while what is mounted
//! may be a part of it (inside a container), so `/proc/self/mountinfo` is needed to bring them
//! together. All roots are injectable: tests use fixture trees.
//! Reference: kernel `Documentation/admin-guide/cgroup-v{1/memory,2}.rst`.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::Error;
use crate::preflight::size;
use crate::process::ProcDir;

/// v1 writes "no limit" as the largest page-aligned number, about 2^63; nobody has 2^60 bytes.
const UNLIMITED_FROM: u64 = 1 << 60;

/// The room the target has, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Headroom {
    /// The smallest room of all levels and the machine.
    pub bytes: u64,
    /// What sets it, in words: a control group with its figures, or the machine.
    pub source: String,
    /// The tightest limit of any control group; `None` without one.
    pub limit_bytes: Option<u64>,
    /// `MemAvailable` of the machine.
    pub machine_available_bytes: Option<u64>,
}

/// One level of the hierarchy that has a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Level {
    path: PathBuf,
    limit: u64,
    usage: u64,
    reclaimable: u64,
}

impl Level {
    fn room(&self) -> u64 {
        self.limit.saturating_sub(self.usage.saturating_sub(self.reclaimable))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

/// The room of `process`, with control groups found under `file_system` (normally `/`).
///
/// `None` when neither a limit nor `MemAvailable` could be read: then nothing is known, which is
/// not the same as plenty.
pub fn headroom(process: &ProcDir, file_system: &Path) -> Result<Option<Headroom>, Error> {
    let levels = levels(process, file_system)?;
    let machine = machine_available(process.root());
    let limit_bytes = levels.iter().map(|level| level.limit).min();
    let group = levels.iter().min_by_key(|level| level.room()).map(|level| {
        let text = format!(
            "control group {} (limit {}, used {}, of which {} can be given back)",
            level.path.display(),
            size(level.limit),
            size(level.usage),
            size(level.reclaimable)
        );
        (level.room(), text)
    });
    let machine_room = machine.map(|bytes| (bytes, "what the machine has available".to_owned()));
    Ok([group, machine_room].into_iter().flatten().min_by_key(|(bytes, _)| *bytes).map(
        |(bytes, source)| Headroom { bytes, source, limit_bytes, machine_available_bytes: machine },
    ))
}

/// The container id in the process's control group path (64 hexadecimal digits), if any.
pub fn container_id(process: &ProcDir) -> Option<String> {
    let text = process.read_text("cgroup").ok()?;
    text.split(|c: char| !c.is_ascii_hexdigit())
        .find(|part| part.len() == 64)
        .map(ToOwned::to_owned)
}

fn levels(process: &ProcDir, file_system: &Path) -> Result<Vec<Level>, Error> {
    let groups = process.read_text("cgroup")?;
    let mounts = fs::read_to_string(process.root().join("self/mountinfo")).unwrap_or_default();
    let mut found = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(id), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let version = match (id, controllers) {
            ("0", "") => Version::V2,
            (_, names) if names.split(',').any(|n| n == "memory") => Version::V1,
            _ => continue,
        };
        let Some((top, group)) = mounted(&mounts, version, path) else { continue };
        let top = file_system.join(top.trim_start_matches('/'));
        let mut folder = top.join(group.trim_start_matches('/'));
        loop {
            found.extend(level(&folder, version));
            if folder == top || !folder.pop() {
                break;
            }
        }
    }
    Ok(found)
}

/// Mount point of the hierarchy, and the group's path below it.
fn mounted(mountinfo: &str, version: Version, path: &str) -> Option<(String, String)> {
    mountinfo.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ');
        let (root, point) = (left.nth(3)?, left.next()?);
        let mut right = right.split(' ');
        let kind = right.next()?;
        let fits = match version {
            Version::V2 => kind == "cgroup2",
            Version::V1 => {
                kind == "cgroup" && right.nth(1)?.split(',').any(|option| option == "memory")
            }
        };
        if !fits {
            return None;
        }
        // A path outside what is mounted (another container's, or ours seen through a private
        // namespace): the mount point itself is the closest level we can see.
        let below = path.strip_prefix(root.trim_end_matches('/')).unwrap_or_default();
        let below = if below.is_empty() || below.starts_with('/') { below } else { "" };
        let below = if below.split('/').any(|part| part == "..") { "" } else { below };
        Some((unescape(point), below.to_owned()))
    })
}

/// The kernel writes space, tab, newline and backslash in `mountinfo` as octal.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

fn level(folder: &Path, version: Version) -> Option<Level> {
    let (limit, usage, reclaimable) = match version {
        Version::V1 => ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        Version::V2 => ("memory.max", "memory.current", "inactive_file"),
    };
    let mut bound = number(&folder.join(limit));
    if version == Version::V2 {
        bound = [bound, number(&folder.join("memory.high"))].into_iter().flatten().min();
    }
    let limit = bound.filter(|bytes| *bytes < UNLIMITED_FROM)?;
    let usage = number(&folder.join(usage))?;
    let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let reclaimable = stat
        .lines()
        .find_map(|line| line.strip_prefix(reclaimable)?.trim().parse().ok())
        .unwrap_or(0);
    Some(Level { path: folder.to_owned(), limit, usage, reclaimable })
}

/// The number in a file; `max` and missing files are `None`.
fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn machine_available(proc: &Path) -> Option<u64> {
    let text = fs::read_to_string(proc.join("meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_ascii_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree {
        root: tempfile::TempDir,
    }

    impl Tree {
        fn new(cgroup: &str, mountinfo: &str) -> Self {
            let tree = Self { root: tempfile::tempdir().unwrap() };
            tree.write("proc/9/cgroup", cgroup);
            tree.write("proc/self/mountinfo", mountinfo);
            tree.write("proc/meminfo", "MemTotal: 100 kB\nMemAvailable:   8388608 kB\n");
            tree
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn group(&self, path: &str, files: &[(&str, &str)]) {
            for (name, text) in files {
                self.write(&format!("sys/fs/cgroup/{path}/{name}"), text);
            }
        }

        fn headroom(&self) -> Headroom {
            let process = ProcDir::with_root(self.root.path().join("proc"), 9);
            headroom(&process, self.root.path()).unwrap().unwrap()
        }
    }

    const V1_MOUNT: &str = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n33 31 0:30 / \
        /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n35 31 0:32 / /sys/fs/cgroup/memory \
        rw,relatime - cgroup cgroup rw,memory\n";
    const V2_MOUNT: &str =
        "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw\n";

    #[test]
    fn v1_limit_minus_usage_plus_reclaimable() {
        let tree = Tree::new("4:cpuset,memory:/docker/abc\n1:cpu:/docker/abc\n", V1_MOUNT);
        tree.group(
            "memory/docker/abc",
            &[
                ("memory.limit_in_bytes", "536870912\n"),
                ("memory.usage_in_bytes", "400000000\n"),
                ("memory.stat", "cache 5\ninactive_file 1\ntotal_inactive_file 30000000\n"),
            ],
        );
        let found = tree.headroom();
        assert_eq!(found.bytes, 536_870_912 - 400_000_000 + 30_000_000);
        assert_eq!(found.limit_bytes, Some(536_870_912));
        assert!(found.source.contains("docker/abc"), "{}", found.source);
    }

    #[test]
    fn v1_unlimited_leaves_the_machine() {
        let tree = Tree::new("4:memory:/a\n", V1_MOUNT);
        tree.group(
            "memory/a",
            &[("memory.limit_in_bytes", "9223372036854771712"), ("memory.usage_in_bytes", "5")],
        );
        let found = tree.headroom();
        assert_eq!((found.bytes, found.limit_bytes), (8 << 30, None));
        assert!(found.source.contains("machine"));
    }

    #[test]
    fn v2_takes_the_tightest_level_above() {
        let tree = Tree::new("0::/kube/pod/app\n", V2_MOUNT);
        tree.group("kube/pod/app", &[("memory.max", "max"), ("memory.current", "100")]);
        tree.group(
            "kube/pod",
            &[
                ("memory.max", "1000000"),
                ("memory.current", "900000"),
                ("memory.stat", "anon 1\ninactive_file 50000\nactive_file 9\n"),
            ],
        );
        tree.group("kube", &[("memory.max", "5000000"), ("memory.current", "4999999")]);
        let found = tree.headroom();
        assert_eq!(found.bytes, 1, "the pod has 150000, but its parent is almost full");
        assert_eq!(found.limit_bytes, Some(1_000_000), "the tightest limit is the pod's");
    }

    #[test]
    fn v2_high_counts_as_a_limit() {
        let tree = Tree::new("0::/a\n", V2_MOUNT);
        tree.group(
            "a",
            &[("memory.max", "9000"), ("memory.high", "7000"), ("memory.current", "6000")],
        );
        assert_eq!(tree.headroom().bytes, 1000);
    }

    #[test]
    fn inside_a_container_the_mount_root_is_taken_off() {
        let mount = "31 23 0:28 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        for path in ["/docker/abc", "/docker/abc/", "/", "/../other", "/docker/abcd"] {
            let tree = Tree::new(&format!("0::{path}\n"), mount);
            tree.group("", &[("memory.max", "500"), ("memory.current", "200")]);
            assert_eq!(tree.headroom().bytes, 300, "{path}");
        }
    }

    #[test]
    fn usage_above_the_limit_is_no_room() {
        let tree = Tree::new("0::/a\n", V2_MOUNT);
        tree.group("a", &[("memory.max", "500"), ("memory.current", "900")]);
        assert_eq!(tree.headroom().bytes, 0);
    }

    #[test]
    fn nothing_known_is_none() {
        let tree = Tree::new("0::/a\n", V2_MOUNT);
        fs::remove_file(tree.root.path().join("proc/meminfo")).unwrap();
        let process = ProcDir::with_root(tree.root.path().join("proc"), 9);
        assert_eq!(headroom(&process, tree.root.path()).unwrap(), None);
    }

    #[test]
    fn finds_a_container_id() {
        let id = "0123456789abcdef".repeat(4);
        let tree = Tree::new(&format!("0::/system.slice/docker-{id}.scope\n"), V2_MOUNT);
        let process = ProcDir::with_root(tree.root.path().join("proc"), 9);
        assert_eq!(container_id(&process), Some(id));
        let tree = Tree::new("0::/user.slice\n", V2_MOUNT);
        assert_eq!(container_id(&ProcDir::with_root(tree.root.path().join("proc"), 9)), None);
    }
}
