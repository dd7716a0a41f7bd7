//! Heap profiles: whole ones read back, and whatever else comes is an error that names the place.

use std::path::Path;

use leakline_formats::{Error, ErrorKind, ReadOptions, read_profile_from};
use leakline_heap::AllocationProfile;
use proptest::prelude::*;

/// A root that calls `serve`, which calls itself and V8; in `serve` the keys stand in another order.
const SMALL: &str = r#"{"head":{"callFrame":{"functionName":"(root)","scriptId":"0","url":"","lineNumber":-1,"columnNumber":-1},"selfSize":0,"id":1,"children":[
 {"children":[
   {"callFrame":{"functionName":"serve","scriptId":"7","url":"/srv/app.js","lineNumber":3,"columnNumber":14},"selfSize":4096,"id":3,"children":[]},
   {"callFrame":{"functionName":"(V8 API)","scriptId":"0","url":"","lineNumber":-1,"columnNumber":-1},"selfSize":1.6e1,"id":4}],
  "id":2,"selfSize":4294967300,"callFrame":{"columnNumber":14,"lineNumber":3,"url":"/srv/app.js","scriptId":"7","functionName":"serve","more":[{}]}}]},
"samples":[{"size":64,"nodeId":3,"ordinal":9},{"ordinal":12,"nodeId":3,"size":64},{"nodeId":2}],"startTime":1}"#;

fn read(text: &[u8]) -> Result<AllocationProfile, Error> {
    read_profile_from(text, Path::new("test.heapprofile"), ReadOptions::default())
}

#[test]
fn a_small_profile_reads_back() {
    let profile = read(SMALL.as_bytes()).expect("it is whole");
    assert_eq!(profile.len(), 4);
    let calls: Vec<_> = (0..4)
        .map(|call| {
            let frame = &profile.frames()[profile.frame_index(call) as usize];
            let size = profile.self_bytes(call);
            (profile.caller(call), frame.function.as_str(), size, profile.samples(call))
        })
        .collect();
    assert_eq!(
        calls,
        [
            (None, "(root)", 0, 0),
            (Some(0), "serve", 4_294_967_300, 1),
            (Some(1), "serve", 4096, 2),
            (Some(1), "(V8 API)", 16, 0),
        ]
    );
    assert_eq!(profile.frames().len(), 3, "one function called twice is one function");
    let serve = &profile.frames()[profile.frame_index(1) as usize];
    assert_eq!((serve.line, serve.column), (Some(3), Some(14)));
    assert_eq!(serve.script, "/srv/app.js");
    assert_eq!(profile.frames()[0].line, None, "-1 is no line");
}

#[test]
fn what_is_no_profile_says_so() {
    let code = |text: &str| read(text.as_bytes()).expect_err(text).code();
    assert_eq!(code(""), "empty-file");
    assert_eq!(code(" \n"), "not-a-profile");
    assert_eq!(code("[1]"), "not-a-profile");
    assert_eq!(code("{}"), "not-a-profile");
    assert_eq!(code(r#"{"nodes":[]}"#), "not-a-profile");
    assert_eq!(code(r#"{"snapshot":{}}"#), "not-a-profile");
    assert_eq!(code(r#"{"head":[]}"#), "not-a-profile");
    assert_eq!(code("\u{1f}\u{8b}"), "not-a-profile");
    let gzip = read(&[0x1f, 0x8b, 8, 0]).expect_err("it is compressed");
    assert_eq!(
        (gzip.code(), gzip.hint()),
        (
            "truncated",
            "compare the file's size with its source and copy it again, or compress it again"
        )
    );
}

#[test]
fn faults_are_told_with_section_and_byte() {
    let fault = |from: &str, to: &str| {
        let text = SMALL.replacen(from, to, 1);
        assert_ne!(text, SMALL, "nothing was changed: {from}");
        read(text.as_bytes()).expect_err(to)
    };
    let missing = fault(r#""selfSize":4096,"#, "");
    let ErrorKind::Malformed { section, what } = missing.kind() else { panic!("{missing}") };
    assert_eq!((*section, what.as_str()), ("head", "a call without `selfSize`"));
    assert!(missing.offset().is_some_and(|at| at > 250 && at < SMALL.len() as u64), "{missing}");

    assert_eq!(fault(r#""selfSize":4096"#, r#""selfSize":-4096"#).code(), "malformed");
    assert_eq!(fault(r#""selfSize":4096"#, r#""selfSize":1e300"#).code(), "malformed");
    assert_eq!(fault(r#""selfSize":4096"#, r#""selfSize":"4096""#).code(), "malformed");
    assert_eq!(fault(r#""lineNumber":3"#, r#""lineNumber":5000000000"#).code(), "malformed");
    assert_eq!(fault(r#""children":[]"#, r#""children":7"#).code(), "malformed");
    assert_eq!(fault(r#""startTime":1}"#, r#""head":{}}"#).code(), "malformed");
    assert_eq!(fault(r#""startTime":1}"#, r#""startTime":1} and"#).code(), "malformed");
    let stray = fault(r#""nodeId":2"#, r#""nodeId":77"#);
    assert_eq!(stray.code(), "index-out-of-range");
    assert_eq!(stray.offset(), SMALL.find(r#"{"nodeId":2}"#).map(|at| at as u64), "{stray}");
}

#[test]
fn every_cut_is_told() {
    for end in 1..SMALL.len() {
        let error = read(&SMALL.as_bytes()[..end]).expect_err("it is cut short");
        let expected = matches!(error.kind(), ErrorKind::Truncated { .. });
        assert!(expected, "cut at {end}: {error}");
    }
}

/// As deep as no stack of ours could follow.
#[test]
fn a_deep_tree_needs_no_deep_stack() {
    const DEPTH: usize = 200_000;
    let open = r#"{"callFrame":{},"selfSize":1,"children":["#;
    let text = format!(r#"{{"head":{}{}}}"#, open.repeat(DEPTH), "]}".repeat(DEPTH));
    let profile = read(text.as_bytes()).expect("it is whole");
    assert_eq!(profile.len(), DEPTH);
    assert_eq!(profile.subtree_len(0), DEPTH as u32);
    let cut = read(format!(r#"{{"head":{}"#, open.repeat(DEPTH)).as_bytes());
    assert_eq!(cut.expect_err("it is cut short").code(), "truncated");
}

proptest! {
    #[test]
    fn damaged_bytes_never_panic(at in 0..SMALL.len(), byte in any::<u8>()) {
        let mut bytes = SMALL.as_bytes().to_vec();
        bytes[at] = byte;
        if let Err(e) = read(&bytes) {
            prop_assert!(!e.to_string().is_empty() && !e.hint().is_empty());
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }
}
