//! The index file: a real one whose sections, and then whose table, are changed at will and sealed again with
//! right checksums. Whatever it says, it is refused or it is answered; nothing panics and nothing hangs.

#![no_main]

use std::path::PathBuf;
use std::sync::OnceLock;

use arbitrary::Arbitrary;
use leakline_analysis::views::{
    CollectionSort, Heap, Range, Search, closures, collections, containment, contexts, detached,
    dominator_tree, duplicated_strings, native_contexts, object, search, statistics,
};
use leakline_analysis::{
    Analysis, PathOptions, Scripts, analyze, remaining_paths, retaining_paths, summary,
};
use leakline_formats::index::{Identity, Index, IndexWriter};
use leakline_heap::{EdgeId, HeapGraph, NodeId, Retainers, SectionSink};
use libfuzzer_sys::fuzz_target;
use xxhash_rust::xxh3::xxh3_64;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    changes: Vec<Change<'a>>,
    /// Numbers of the table that are others: entry, number, value.
    table: Vec<(u8, u8, Number)>,
    /// A byte anywhere that is another one, under a checksum that is not: damage.
    damage: Option<(u16, u8)>,
}

#[derive(Arbitrary, Debug)]
enum Change<'a> {
    Set { section: u8, at: u8, value: Number },
    Fill { section: u8, value: Number },
    Replace { section: u8, bytes: &'a [u8] },
    Repeat { section: u8, times: u8 },
    Cut { section: u8, by: u8 },
    Widen { section: u8, width: u8 },
    Remove { section: u8 },
    Copy { from: u8, to: u8 },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Number {
    Small(u8),
    FromTheEnd(u8),
    Any(u64),
}

impl Number {
    fn get(self) -> u64 {
        match self {
            Self::Small(value) => value.into(),
            Self::FromTheEnd(value) => u64::MAX - u64::from(value),
            Self::Any(value) => value,
        }
    }
}

/// Sections by name and width.
#[derive(Clone, Default)]
struct Kept(Vec<Section>);

impl SectionSink for Kept {
    type Error = std::convert::Infallible;

    fn put<T: bytemuck::Pod>(&mut self, name: &str, values: &[T]) -> Result<(), Self::Error> {
        self.0.push((name.to_owned(), size_of::<T>(), bytemuck::cast_slice(values).to_vec()));
        Ok(())
    }
}

const HEAP: &str = "
root -(shortcut 1)-> global
root -(element 2)-> roots
global -> cache, handler, list
cache -(internal table)-> table
table -(element 0)-> a
table -(element 1)-> b
list -(internal elements)-> store
store -(element 0)-> a
store -(element 1)-> b
store -(element 2)-> c
roots -(weak)-> a
a -> b, d
b -> a
c -(context value)-> d
handler -(internal shared)-> shared
shared -(internal script)-> script
script -(internal name)-> path
lost -> ring
ring -> lost
node global: object global 24
node roots: synthetic (GC_roots) 0
node cache: object Map 32
node table: array (object_elements) 264
node list: object Array 16
node store: array (object_elements) 64
node handler: closure handler 56
node shared: code handler 40
node script: code /srv/app.js 40
node path: string /srv/app.js 32
node a: object Object 4294967296
node d: native Window 8 detached
";

struct Desk {
    folder: tempfile::TempDir,
    snapshot: PathBuf,
    identity: Identity,
    kept: Kept,
}

fn desk() -> &'static Desk {
    static DESK: OnceLock<Desk> = OnceLock::new();
    DESK.get_or_init(|| {
        let graph = leakline_testkit::graph::draw(HEAP).graph;
        let mut kept = Kept::default();
        let Ok(()) = graph.store(&mut kept);
        let Ok(()) = Retainers::of(&graph).store(&mut kept);
        let Ok(()) = analyze(&graph).store(&Scripts::of(&graph), &mut kept);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let snapshot = folder.path().join("a.heapsnapshot");
        std::fs::write(&snapshot, "a snapshot").expect("the folder is ours");
        let identity = Identity::at(&snapshot).expect("just written");
        Desk { folder, snapshot, identity, kept }
    })
}

type Section = (String, usize, Vec<u8>);

fn nth(kept: &mut [Section], at: u8) -> Option<&mut Section> {
    let len = kept.len().max(1);
    kept.get_mut(usize::from(at) % len)
}

impl Change<'_> {
    fn apply(&self, Kept(kept): &mut Kept) {
        match *self {
            Self::Set { section: s, at, value } => {
                let Some((_, width, bytes)) = nth(kept, s) else { return };
                let width = (*width).clamp(1, 8);
                let count = (bytes.len() / width).max(1);
                let value = value.get().to_ne_bytes();
                if let Some(place) = bytes.chunks_exact_mut(width).nth(usize::from(at) % count) {
                    place.copy_from_slice(&value[..width]);
                }
            }
            Self::Fill { section: s, value } => {
                let Some((_, width, bytes)) = nth(kept, s) else { return };
                let width = (*width).clamp(1, 8);
                for place in bytes.chunks_exact_mut(width) {
                    place.copy_from_slice(&value.get().to_ne_bytes()[..width]);
                }
            }
            Self::Replace { section: s, bytes: with } => {
                let Some((_, width, bytes)) = nth(kept, s) else { return };
                *bytes = with[..with.len() / *width * *width].to_vec();
            }
            Self::Repeat { section: s, times } => {
                let Some((_, _, bytes)) = nth(kept, s) else { return };
                if bytes.len() * usize::from(times) < 1 << 18 {
                    *bytes = bytes.repeat(times.into());
                }
            }
            Self::Cut { section: s, by } => {
                let Some((_, width, bytes)) = nth(kept, s) else { return };
                let left = bytes.len().saturating_sub(usize::from(by) * *width);
                bytes.truncate(left);
            }
            Self::Widen { section: s, width: to } => {
                let Some((_, width, bytes)) = nth(kept, s) else { return };
                *width = [1, 4, 8, 16][usize::from(to) % 4];
                let left = bytes.len() / *width * *width;
                bytes.truncate(left);
            }
            Self::Remove { section: s } => {
                if !kept.is_empty() {
                    let at = usize::from(s) % kept.len();
                    kept.remove(at);
                }
            }
            Self::Copy { from, to } => {
                let Some((_, width, bytes)) = nth(kept, from).cloned() else { return };
                if let Some(place) = nth(kept, to) {
                    (place.1, place.2) = (width, bytes);
                }
            }
        }
    }
}

fn write(writer: &mut IndexWriter, width: usize, name: &str, bytes: &[u8]) {
    fn cast<T: bytemuck::Pod>(bytes: &[u8]) -> Vec<T> {
        bytes.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned).collect()
    }
    match width {
        1 => writer.put(name, bytes),
        4 => writer.put(name, &cast::<u32>(bytes)),
        8 => writer.put(name, &cast::<u64>(bytes)),
        _ => writer.put(name, &cast::<[u64; 2]>(bytes)),
    }
    .expect("the folder is ours");
}

/// Changes the table of the file and gives it its checksums.
fn forge(file: &mut [u8], input: &Input<'_>) {
    let number =
        |file: &[u8], at: usize| u64::from_ne_bytes(*file[at..].first_chunk().expect("a header"));
    let (table, count) = (number(file, 56) as usize, number(file, 64) as usize);
    for &(entry, field, value) in &input.table {
        let at = table + usize::from(entry) % count.max(1) * 64 + 24 + usize::from(field) % 5 * 8;
        if let Some(place) = file.get_mut(at..at + 8) {
            place.copy_from_slice(&value.get().to_ne_bytes());
        }
    }
    let sum = xxh3_64(&file[table..table + count * 64]);
    file[72..80].copy_from_slice(&sum.to_ne_bytes());
    let sum = xxh3_64(&file[..80]);
    file[80..88].copy_from_slice(&sum.to_ne_bytes());
    if let Some((at, byte)) = input.damage {
        let at = usize::from(at) % file.len();
        file[at] = byte;
    }
}

fn look_ups(heap: &Heap<'_>, retainers: &Retainers) {
    let (graph, analysis) = (heap.graph, heap.analysis);
    for node in graph.nodes().take(40) {
        assert!(graph.edges(node).all(|edge| edge.to.index() < graph.node_count()));
        let found = graph.node_with_id(graph.object_id(node));
        assert!(found.is_none_or(|node| node.index() < graph.node_count()));
        let view = object(heap, node);
        assert_eq!(view.retainer_count, retainers.of_node(node).count() as u64);
        containment(heap, node);
        dominator_tree(heap, node);
        analysis.dominators.dominated(node).count();
        let options = PathOptions::default();
        retaining_paths(graph, retainers, analysis, node, options).view(graph, node);
        remaining_paths(graph, retainers, analysis, node, options, &[NodeId(0)]);
    }
    for edge in (0..graph.edge_count().min(100) as u32).map(EdgeId) {
        assert!(graph.edge_source(edge).index() < graph.node_count());
        graph.edge_label(graph.edge(edge));
    }
    assert_eq!(graph.strings().iter().count(), graph.strings().len());
}

fn views(heap: &Heap<'_>) {
    let range = Some(Range { min: 0, max: u64::MAX });
    let wanted = Search { shallow: range, retained: range, ..Search::default() };
    summary(heap.graph, heap.analysis);
    statistics(heap);
    duplicated_strings(heap, 2);
    native_contexts(heap);
    closures(heap, None);
    contexts(heap, None);
    detached(heap);
    collections(heap, CollectionSort::Waste, 100);
    search(heap, &wanted, 100);
}

fuzz_target!(|input: Input<'_>| {
    let desk = desk();
    let mut kept = desk.kept.clone();
    for change in &input.changes {
        change.apply(&mut kept);
    }
    let mut writer =
        IndexWriter::begin(&desk.snapshot, desk.identity, 0).expect("the folder is ours");
    for (name, width, bytes) in &kept.0 {
        write(&mut writer, *width, name, bytes);
    }
    let (place, _) = writer.finish().expect("the folder is ours");
    if !input.table.is_empty() || input.damage.is_some() {
        let mut file = std::fs::read(&place).expect("just written");
        forge(&mut file, &input);
        std::fs::write(&place, file).expect("the folder is ours");
    }
    assert!(place.starts_with(desk.folder.path()));
    let Some(index) = Index::open(&place, &desk.identity) else { return };
    let Some(Ok(graph)) = HeapGraph::restore(&index) else { return };
    let Some((analysis, scripts)) = Analysis::restore(&index, &graph) else { return };
    let Some(retainers) = Retainers::restore(&index, &graph) else { return };
    let heap =
        Heap { graph: &graph, analysis: &analysis, scripts: &scripts, retainers: Some(&retainers) };
    look_ups(&heap, &retainers);
    if index.check_all() && graph.check().is_ok() && analysis.check() {
        views(&heap);
    }
});
