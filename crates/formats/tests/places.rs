//! What is wrong with a large file is told with its section and its exact byte, whichever thread meets it,
//! and of several wrong places the first.

mod drawn;

use drawn::{Written, place_of, read, snapshot};
use leakline_formats::{Error, ErrorKind, ReadOptions, read_snapshot};
use leakline_heap::HeapGraph;

/// Some megabytes: a dozen pieces in `nodes` and in `edges`, several in `locations`.
const OBJECTS: usize = 60_000;

const BOTH: [Written; 2] = [Written::AsV8, Written::Spaced];

/// Often enough that each thread has met the place.
const ROUNDS: usize = 4;

/// Puts `with` over what stands at `at`, up to the next comma or white space.
fn over(text: &str, at: usize, with: &str) -> String {
    let at = at + text[at..].find(|c: char| !c.is_ascii_whitespace()).expect("a number");
    let end = at + text[at..].find(|c: char| !c.is_ascii_digit()).expect("its end");
    format!("{}{with}{}", &text[..at], &text[end..])
}

#[track_caller]
fn same_error_each_time(text: &str) -> Error {
    let first = read(text.as_bytes()).map(|_: HeapGraph| ()).expect_err("it is damaged");
    for _ in 1..ROUNDS {
        let again = read(text.as_bytes()).map(|_| ()).expect_err("it is damaged");
        assert_eq!(again.to_string(), first.to_string());
    }
    first
}

/// The first byte of a number that a comma and white space stand before.
fn number_at(text: &str, at: usize) -> u64 {
    (at + text[at..].find(|c: char| !c.is_ascii_whitespace()).expect("a number")) as u64
}

#[test]
fn each_number_has_its_place() {
    for written in BOTH {
        let text = snapshot(OBJECTS, written);
        // The section, its fields, the field that is damaged, with what, and the words.
        let cases = [
            ("nodes", 7, 0, "77", "node type 77, but `meta` lists only 10"),
            ("nodes", 7, 2, "4294967296", "a node's id is 4294967296, which is beyond 32 bits"),
            ("nodes", 7, 2, "-1", "a negative number"),
            ("nodes", 7, 3, "99999999999999999999", "a number of more than 19 digits"),
            ("edges", 3, 0, "9", "edge type 9, but `meta` lists only 7"),
            ("edges", 3, 2, "8", "an edge points to 8, which is no node"),
            ("edges", 3, 2, "4000000", "an edge points to 4000000, which is no node"),
            ("edges", 3, 1, "\"x\"", "expected a number, found `\\\"`"),
            ("locations", 4, 0, "3", "a location points to 3, which is no node"),
            ("locations", 4, 2, "4294967296", "a line is 4294967296"),
        ];
        for (section, fields, field, with, words) in cases {
            // At the start, in the first piece, far behind it, at the end.
            for record in [0, 1, 100, OBJECTS / 2, OBJECTS - 1] {
                if section == "nodes" && record == 0 && field == 0 {
                    continue; // The root's type stands right behind the bracket, as in the others.
                }
                let mut at = place_of(&text, section, record, fields);
                for _ in 0..field {
                    at += text[at..].find(',').expect("a comma") + 1;
                }
                let place = number_at(&text, at);
                let e = same_error_each_time(&over(&text, at, with));
                let said = e.to_string();
                assert!(said.contains(words), "{written:?} {section} {record}: {said}");
                assert!(said.contains(&format!("damaged inside `{section}`")), "{said}");
                assert_eq!(e.offset(), Some(place), "{written:?} {section} {record}: {said}");
            }
        }
    }
}

#[test]
fn of_several_wrong_places_the_first_is_told() {
    for written in BOTH {
        let text = snapshot(OBJECTS, written);
        // Piece after piece something else is wrong: what one thread meets first must not win.
        let mut bad = text.clone();
        let first = number_at(&text, place_of(&text, "edges", 20_000, 3));
        for record in (20_000..60_000).rev().step_by(2_500).chain([20_000]) {
            bad = over(&bad, place_of(&bad, "edges", record, 3), "9");
        }
        let e = same_error_each_time(&bad);
        assert_eq!(e.offset(), Some(first), "{e}");
        // A node that claims too many edges is noticed when nodes are put in order, behind them a type that is
        // noticed at once.
        let claims = place_of(&text, "nodes", 30_000, 7);
        let claims = claims + text[claims..].match_indices(',').nth(3).expect("commas").0 + 1;
        let mut bad = text.clone();
        for record in [45_000, 40_000, 36_000] {
            bad = over(&bad, place_of(&bad, "nodes", record, 7), "77");
        }
        let bad = over(&bad, claims, "200000");
        let e = same_error_each_time(&bad);
        assert!(e.to_string().contains("nodes claim more than the 120000 edges"), "{e}");
        assert_eq!(e.offset(), Some(number_at(&text, claims)), "{e}");
    }
}

#[test]
fn a_surplus_begins_at_a_record() {
    for written in BOTH {
        let text = snapshot(OBJECTS, written);
        let nodes = text.replace("\"node_count\":60001", "\"node_count\":40001");
        let e = same_error_each_time(&nodes);
        assert_eq!(e.code(), "count-mismatch");
        let words = "the header promises 40001 nodes, the file holds more";
        assert!(e.to_string().contains(words), "{e}");
        let place = number_at(&nodes, place_of(&nodes, "nodes", 40_001, 7));
        assert_eq!(e.offset(), Some(place), "{e}");
        // The nodes' own counts must agree, so that the edges are reached.
        let root = place_of(&text, "nodes", 0, 7);
        let counts = root + text[root..].match_indices(',').nth(3).expect("commas").0 + 1;
        let edges = over(&text, counts, "50000");
        let edges = edges.replace("\"edge_count\":120000", "\"edge_count\":110000");
        let e = same_error_each_time(&edges);
        let words = "the header promises 110000 edges, the file holds more";
        assert!(e.to_string().contains(words), "{e}");
        let place = number_at(&edges, place_of(&edges, "edges", 110_000, 3));
        assert_eq!(e.offset(), Some(place), "{e}");
    }
}

#[test]
fn cut_inside_a_section_it_ends_at_that_byte() {
    for written in BOTH {
        let text = snapshot(OBJECTS, written);
        for section in ["nodes", "edges", "locations", "strings"] {
            let start = text.find(&format!("\"{section}\":[")).expect("the section");
            let start = start + section.len() + 4;
            let length = text[start..].find(']').expect("its end");
            for cut in [start, start + 1, start + length / 3, start + length / 2, start + length] {
                let e = same_error_each_time(&text[..cut]);
                let fits = e.kind() == &ErrorKind::Truncated { section };
                assert!(fits, "{written:?} {section} cut at {cut}: {e}");
                assert_eq!(e.offset(), Some(cut as u64), "{e}");
                let words =
                    format!("ends inside `{section}` at byte {cut}: the capture was cut short");
                assert!(e.to_string().contains(&words), "{e}");
            }
            let cut = start + length + 1;
            let e = same_error_each_time(&text[..cut]);
            let words = format!("ends between two sections at byte {cut}");
            assert!(e.to_string().contains(&words), "{e}");
        }
    }
}

#[test]
fn a_name_that_is_none_has_its_place_although_it_is_noticed_at_the_end() {
    let dir = tempfile::tempdir().expect("a folder");
    for written in BOTH {
        let text = snapshot(OBJECTS, written);
        for (section, fields, record) in
            [("nodes", 7, 0), ("nodes", 7, 40_000), ("edges", 3, 60_000), ("edges", 3, 119_999)]
        {
            let at = place_of(&text, section, record, fields);
            let at = at + text[at..].find(',').expect("a comma") + 1;
            let bad = over(&text, at, "3");
            let plain = dir.path().join("plain");
            std::fs::write(&plain, &bad).expect("written");
            let packed = dir.path().join("packed");
            std::fs::write(&packed, zstd::bulk::compress(bad.as_bytes(), 1).expect("packed"))
                .expect("written");
            for file in [plain, packed] {
                let e = read_snapshot(&file, ReadOptions::default()).expect_err("no such name");
                let words =
                    format!("points to 3, but there are only 3 (at byte {}", number_at(&text, at));
                assert!(e.to_string().contains(&words), "{section} {record}: {e}");
                assert!(e.to_string().contains(&format!("inside `{section}`")), "{e}");
            }
        }
    }
}

#[test]
fn half_a_record_ends_where_the_array_does() {
    for written in BOTH {
        let text = snapshot(OBJECTS, written);
        let end = text.find("],\n\"locations\"").expect("the end of the edges");
        let comma = text[..end].rfind(',').expect("a comma");
        let bad = format!("{}{}", &text[..comma], &text[end..]);
        let e = same_error_each_time(&bad);
        assert!(e.to_string().contains("ends after 2 of a record's 3 numbers"), "{e}");
        assert_eq!(e.offset(), Some(comma as u64), "{e}");
    }
}
