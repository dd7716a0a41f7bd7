//! Allocation stacks: fields by name, any depth, every index checked, whatever the header's count says.

use std::path::Path;

use leakline_formats::{Error, ErrorKind, ReadOptions, read_snapshot_from};
use leakline_heap::{HeapGraph, NodeId};
use proptest::prelude::*;

/// main calls make and then make calls Thing; node 1 was made by Thing, node 2 by make, node 0 by nobody known.
/// The count in the header is too small, as V8 writes it.
const TRACKED: &str = r#"{"snapshot":{"meta":{"node_fields":["type","name","id","self_size","edge_count","trace_node_id"],"node_types":[["synthetic","object"],"string","number","number","number","number"],"edge_fields":["type","name_or_index","to_node"],"edge_types":[["property"],"string_or_number","node"],"trace_function_info_fields":["function_id","name","script_name","script_id","line","column"],"trace_node_fields":["id","function_info_index","count","size","children"],"sample_fields":["timestamp_us","last_assigned_id"]},"node_count":3,"edge_count":2,"trace_function_count":1},
"nodes":[0,0,1,0,2,0
,1,3,3,16,0,4
,1,3,5,16,0,3
],
"edges":[0,5,6
,0,5,12
],
"trace_function_infos":[0,0,1,0,0,0
,11,2,4,7,1,1
,13,6,4,7,20,5
,15,3,4,7,30,9
],
"trace_tree":[1,0,0,0,[2,1,0,0,[3,2,1,16,[4,3,1,16,[]],5,3,0,0,[]]]],
"samples":[0,1
,50,5
],
"strings":["(root)","","main","Thing","/srv/app.js","held","make"]}"#;

fn read(text: &str) -> Result<HeapGraph, Error> {
    let path = Path::new("tracked.heapsnapshot");
    read_snapshot_from(text.as_bytes(), text.len() as u64, path, ReadOptions::default())
}

/// The stack of a node as `name line:column`.
fn stack(graph: &HeapGraph, node: u32) -> Vec<String> {
    let trace = graph.trace_node(NodeId(node)).unwrap_or_default();
    let known = graph.allocations().into_iter().flat_map(|a| a.stack_of(trace));
    known.map(|f| format!("{} {}:{}", graph.strings().get(f.name), f.line, f.column)).collect()
}

#[test]
fn stacks_read_back() {
    let graph = read(TRACKED).expect("it is whole");
    assert_eq!(stack(&graph, 1), ["Thing 30:9", "make 20:5", "main 1:1"]);
    assert_eq!(stack(&graph, 2), ["make 20:5", "main 1:1"]);
    assert!(stack(&graph, 0).is_empty());
    let allocations = graph.allocations().expect("it was tracked");
    assert_eq!(allocations.functions().len(), 4);
    let entries: Vec<_> =
        allocations.entries().iter().map(|e| (e.id, e.function, e.count, e.size)).collect();
    assert_eq!(entries, [(1, 0, 0, 0), (2, 1, 0, 0), (3, 2, 1, 16), (4, 3, 1, 16), (5, 3, 0, 0)]);
    assert_eq!(allocations.parent(4), Some(1));
    let samples: Vec<_> =
        allocations.samples().iter().map(|s| (s.timestamp_us, s.last_assigned_id)).collect();
    assert_eq!(samples, [(0, 1), (50, 5)]);
}

#[test]
fn fields_are_found_by_name() {
    let text = TRACKED
        .replace(
            r#"["id","function_info_index","count","size","children"]"#,
            r#"["children","size","id","new","count","function_info_index"]"#,
        )
        .replace(
            "[1,0,0,0,[2,1,0,0,[3,2,1,16,[4,3,1,16,[]],5,3,0,0,[]]]]",
            "[ [[[[],16,4,77,1,3],16,3,77,1,2 , [],0,5,77,0,3],0,2,77,0,1],0,1,77,0,0]",
        )
        .replace(r#"["timestamp_us","last_assigned_id"]"#, r#"["last_assigned_id","timestamp_us"]"#)
        .replace("\"samples\":[0,1\n,50,5\n]", "\"samples\":[1,0,5,50]");
    // The children come before what else there is to say of their parent: the same stacks.
    let text = text.replace("[ [[[[]", "[[[[[]");
    let (a, b) = (read(TRACKED).expect("whole"), read(&text).unwrap_or_else(|e| panic!("{e}")));
    assert_eq!(stack(&a, 1), stack(&b, 1));
    assert_eq!(stack(&a, 2), stack(&b, 2));
    assert_eq!(
        a.allocations().expect("tracked").samples(),
        b.allocations().expect("tracked").samples()
    );
}

#[test]
fn files_without_tracking_have_no_stacks() {
    for (from, to) in [
        ("[1,0,0,0,[2,1,0,0,[3,2,1,16,[4,3,1,16,[]],5,3,0,0,[]]]]", "[]"),
        // What `meta` does not describe is left alone.
        ("\"trace_node_fields\":[\"id\",", "\"trace_node_fields\":[\"uid\","),
        ("\"trace_node_fields\"", "\"trace_knot_fields\""),
    ] {
        let graph = read(&TRACKED.replacen(from, to, 1)).unwrap_or_else(|e| panic!("{to}: {e}"));
        assert!(graph.allocations().is_none(), "{to}");
    }
}

#[test]
fn any_depth_is_read_without_recursion() {
    const DEEP: usize = 300_000;
    let mut tree = String::from("[");
    for id in 1..=DEEP {
        tree.push_str(&format!("{id},{},0,0,[", id % 4));
    }
    tree.push_str(&"]".repeat(DEEP + 1));
    let text = TRACKED
        .replace("[1,0,0,0,[2,1,0,0,[3,2,1,16,[4,3,1,16,[]],5,3,0,0,[]]]]", &tree)
        .replace(",1,3,3,16,0,4\n", &format!(",1,3,3,16,0,{DEEP}\n"));
    let graph = read(&text).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(stack(&graph, 1).len(), DEEP - 1);
    // And cut in the deep of it.
    let cut = text.find("\"trace_tree\"").expect("there") + 1_000_000;
    let e = read(&text[..cut]).expect_err("it was cut");
    assert_eq!(e.kind(), &ErrorKind::Truncated { section: "trace_tree" }, "{e}");
    assert_eq!(e.offset(), Some(cut as u64));
}

#[test]
fn each_damage_has_its_place_and_words() {
    let tree = "[1,0,0,0,[2,1,0,0,[3,2,1,16,[4,3,1,16,[]],5,3,0,0,[]]]]";
    for (from, to, broken, words) in [
        (
            "[4,3,1",
            "[4,9,1",
            "",
            "function of allocation stack 3 points to 9, but there are only 4",
        ),
        (",13,6,4", ",13,66,4", "", "name of allocating function 2 points to 66"),
        (",13,6,4", ",13,6,44", "", "script of allocating function 2 points to 44"),
        (",30,9\n]", ",30\n]", "],\n\"trace_tree\"", "ends after 5 of a record's 6 numbers"),
        (tree, "[1,0,0,-1,[]]", "-1", "a negative number"),
        (tree, "[1,0,0,0,7]", "7]", "expected `[`, found a number"),
        (tree, "[1,0,0]", "]", "expected `,` or `]`"),
        (tree, "[1,0,[],0,[]]", "[],0", "expected a number, found `[`"),
        (tree, "[1,0,0,0,[],]", "],\n\"samples", "expected a number, found `]`"),
        (tree, "[1,0,0,0,[]", ",\n\"samples", ""),
        (tree, "[4294967296,0,0,0,[]]", "4294967296", "which is beyond 32 bits"),
        (tree, "[1,0,0,0,[]1]", "1],\n\"samples", "expected `,` or `]`, found `1`"),
        (tree, "{}", "{}", "expected `[`, found `{`"),
        (",50,5\n]", ",50,4294967296\n]", "4294967296", "an object's id is 4294967296"),
    ] {
        let text = TRACKED.replacen(from, to, 1);
        assert_ne!(text, TRACKED, "{from}");
        let e = read(&text).expect_err(to);
        assert!(e.to_string().contains(words), "{to}: {e}");
        if words.is_empty() || broken.is_empty() {
            continue;
        }
        let place = text.find(to.trim_end_matches(']')).expect("there");
        let place = place + text[place..].find(broken).expect("there");
        assert_eq!(e.offset(), Some(place as u64), "{to}: {e}");
    }
}

#[test]
fn cut_at_every_byte_it_is_an_error() {
    for cut in 1..TRACKED.len() {
        let e = read(&TRACKED[..cut]).expect_err("it was cut");
        assert!(e.offset().is_some_and(|o| o <= cut as u64), "cut at {cut}: {e}");
    }
}

proptest! {
    #[test]
    fn any_tree_is_read_as_it_is_drawn(parents in proptest::collection::vec(any::<u16>(), 0..60)) {
        // Each entry below an earlier one.
        let parent: Vec<usize> = parents.iter().enumerate().map(|(i, &p)| p as usize % (i + 1)).collect();
        let mut children = vec![Vec::new(); parents.len() + 1];
        for (i, &p) in parent.iter().enumerate() {
            children[p].push(i + 1);
        }
        let mut texts = vec![String::new(); parents.len() + 1];
        for i in (0..texts.len()).rev() {
            let below: Vec<_> = children[i].iter().map(|&c| texts[c].clone()).collect();
            texts[i] = format!("{},{},1,{i},[{}]", i + 100, i % 4, below.join(","));
        }
        let text = TRACKED.replace("[1,0,0,0,[2,1,0,0,[3,2,1,16,[4,3,1,16,[]],5,3,0,0,[]]]]", &format!("[{}]", texts[0]));
        let graph = read(&text).expect("it is whole");
        let read = graph.allocations().expect("tracked");
        prop_assert_eq!(read.entries().len(), texts.len());
        for i in 1..texts.len() {
            let entry = read.entry_with_id(i as u32 + 100).expect("it is there");
            let above = read.parent(entry).map(|p| read.entries()[p as usize].id);
            prop_assert_eq!(above, Some(parent[i - 1] as u32 + 100));
        }
    }

    #[test]
    fn no_damage_makes_it_panic(at in 0..TRACKED.len(), byte in any::<u8>(), drop in 0usize..8) {
        let mut bytes = TRACKED.as_bytes().to_vec();
        bytes[at] = byte;
        let end = (at + drop).min(bytes.len());
        bytes.drain(at..end);
        let _ = read(&String::from_utf8_lossy(&bytes));
    }
}
