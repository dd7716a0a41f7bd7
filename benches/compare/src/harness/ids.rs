//! Object ids and counts out of a snapshot, without holding it: what we hold counts in our children's peak.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The `snapshot` section is under 3 KiB in every version of V8.
const HEADER: usize = 1 << 16;

/// How many nodes a snapshot has, by its own header.
///
/// # Errors
/// When the file cannot be read, or is not laid out as V8 does it.
pub fn node_count(path: &Path) -> io::Result<u64> {
    Ok(Beginning::read(path)?.node_count)
}

/// What stands before the nodes, as far as it matters here.
struct Beginning {
    file: File,
    /// The first bytes of the file, and where in them the nodes begin.
    text: Vec<u8>,
    nodes: usize,
    node_count: u64,
    /// How many numbers a node has, and which of them is its id.
    width: u64,
    id: u64,
}

impl Beginning {
    fn read(path: &Path) -> io::Result<Self> {
        let odd = |what: &str| io::Error::other(format!("{}: {what}", path.display()));
        let mut file = File::open(path)?;
        let mut text = vec![0; HEADER];
        let length = read_full(&mut file, &mut text)?;
        text.truncate(length);
        let section = b"\"nodes\":[";
        let nodes = text.windows(section.len()).position(|w| w == section);
        let nodes = nodes.ok_or_else(|| odd("no nodes near its beginning"))?;
        let header = String::from_utf8_lossy(&text[..nodes]).into_owned();
        let between = |from: &str, to: &str| {
            let (_, rest) = header.split_once(from)?;
            rest.split_once(to).map(|(found, _)| found)
        };
        let fields = between("\"node_fields\":[", "]").ok_or_else(|| odd("no node fields"))?;
        let fields: Vec<&str> = fields.split(',').map(|f| f.trim_matches('"')).collect();
        let id = fields.iter().position(|f| *f == "id").ok_or_else(|| odd("nodes without ids"))?;
        let node_count = between("\"node_count\":", ",").and_then(|c| c.parse().ok());
        let node_count = node_count.ok_or_else(|| odd("no count of nodes"))?;
        let (width, id) = (fields.len() as u64, id as u64);
        Ok(Self { file, text, nodes: nodes + section.len(), node_count, width, id })
    }
}

/// The ids of the nodes that stand at these shares of the way through the `nodes` section, each from 0 to 1.
///
/// # Errors
/// When the file cannot be read, or is not laid out as V8 does it.
pub fn some_ids(path: &Path, shares: &[f64]) -> io::Result<Vec<u64>> {
    let Beginning { mut file, mut text, nodes, node_count, width, id } = Beginning::read(path)?;
    let wanted: Vec<u64> =
        shares.iter().map(|s| (s * node_count.saturating_sub(1) as f64) as u64).collect();
    let mut found = vec![0; wanted.len()];
    // Numbers so far, and the one that is being read.
    let (mut seen, mut value) = (0u64, 0u64);
    let mut at = nodes;
    loop {
        while let Some(&byte) = text.get(at) {
            at += 1;
            match byte {
                b'0'..=b'9' => value = value * 10 + u64::from(byte - b'0'),
                b',' | b']' => {
                    if seen % width == id {
                        let ordinal = seen / width;
                        for (found, _) in
                            found.iter_mut().zip(&wanted).filter(|(_, w)| **w == ordinal)
                        {
                            *found = value;
                        }
                    }
                    (seen, value) = (seen + 1, 0);
                    if byte == b']' {
                        return Ok(found);
                    }
                }
                _ => {}
            }
        }
        text.resize(HEADER, 0);
        let length = read_full(&mut file, &mut text)?;
        if length == 0 {
            return Err(io::Error::other(format!("{}: its nodes do not end", path.display())));
        }
        text.truncate(length);
        at = 0;
    }
}

fn read_full(file: &mut File, into: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < into.len() {
        match file.read(&mut into[length..])? {
            0 => break,
            n => length += n,
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::{node_count, some_ids};
    use crate::synth::{Layout, Shape, Wanted, write};

    #[test]
    fn ids_are_those_of_the_nodes() {
        let folder = tempfile::tempdir().unwrap();
        for layout in [Layout::Node20, Layout::Node24] {
            let path = folder.path().join("a.heapsnapshot");
            let plan = Wanted { bytes: 300_000, shape: Shape::Service, layout, seed: 1 }.plan();
            write(&plan, std::fs::File::create(&path).unwrap()).unwrap();
            let last = plan.counts().nodes - 1;
            // Generated nodes have the ids 1, 3, 5 …
            let ids = some_ids(&path, &[0.0, 0.5, 1.0]).unwrap();
            assert_eq!(node_count(&path).unwrap(), last + 1);
            assert_eq!(ids, [1, 2 * (last / 2) + 1, 2 * last + 1]);
        }
    }
}
