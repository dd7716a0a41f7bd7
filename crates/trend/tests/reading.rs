//! What `read` accepts, and what it says about what it does not; never a panic.

use leakline_trend::{ReadErrorKind, Series, judge, judge_many, read};
use proptest::prelude::*;

fn ok(text: &str) -> Vec<Series> {
    read(text.as_bytes(), "s.csv", "").unwrap_or_else(|e| panic!("{e}\n{text}"))
}

#[test]
fn both_formats_and_their_variants_read_alike() {
    let plain = ok("elapsed_s,rss,heapUsed\n0,100,50\n1,,60\n2,120,\n");
    for variant in [
        "\u{feff}elapsed_s,rss,heapUsed\n0,100,50\n1,,60\n2,120,\n",
        "elapsed_s,rss,heapUsed\r\n0,100,50\r\n1,,60\r\n2,120,\r\n",
        "elapsed_s;rss;heap_used\n0;100;50\n1;;60\n2;120;\n",
        "elapsed_s\trss\theap_used_bytes\n0\t100\t50\n1\t\t60\n2\t120\t\n",
        "note,heapUsed,\"elapsed_s\",rss\nx,50,0,1e2\n\n\"y, z\",60,1,null\n,,2,120.0\n",
        "time,rss,heapUsed\n1790000000,100,50\n1790000001,,60\n1790000002,120,\n",
        "time,rss,heapUsed\n1790000000000,100,50\n1790000001000,,60\n1790000002000,120,\n",
        "time,rss,heapUsed\n2026-01-31T03:00:00Z,100,50\n2026-01-31T04:00:01+01:00,,60\n2026-01-31T03:00:02Z,120,\n",
        "{\"elapsed_s\":0,\"rss\":100,\"heapUsed\":50}\n{\"elapsed_s\":1,\"heapUsed\":60,\"rss\":null}\n\n{\"elapsed_s\":2,\"rss\":120,\"more\":{\"a\":1}}\n",
        "\u{feff}{\"elapsed_seconds\":\"0\",\"rss_bytes\":100,\"heap_used\":50}\r\n{\"elapsed_seconds\":1,\"heap_used\":60}\r\n{\"elapsed_seconds\":2,\"rss_bytes\":120}",
    ] {
        assert_eq!(ok(variant), plain, "{variant}");
    }
}

#[test]
fn every_column_arrives() {
    let text = "time,rss,heapUsed,heapTotal,external,arrayBuffers,limit,requests,connections,\
                gc_major_count,start_time,series,perturbed,full_gc\n\
                100,1,2,3,4,5,6,7,8,9,50,a,1,true\n200,1,2,3,4,5,max,7,8,9,50,b,0,\n";
    let series = ok(text);
    assert_eq!(series.len(), 2);
    let sample = &series[0].samples[0];
    assert_eq!(series[0].name.as_deref(), Some("a"));
    assert_eq!(
        (sample.rss, sample.heap_used, sample.heap_total, sample.external, sample.array_buffers),
        (Some(1), Some(2), Some(3), Some(4), Some(5))
    );
    assert_eq!(
        (sample.limit, sample.requests, sample.connections, sample.gc_major_count),
        (Some(6), Some(7), Some(8), Some(9))
    );
    assert_eq!((sample.start_time, sample.perturbed, sample.full_gc), (Some(50.0), true, true));
    // One origin for the file; `max` is no limit.
    assert!((series[1].samples[0].elapsed_seconds - 100.0).abs() < 1e-9);
    assert_eq!(series[1].samples[0].limit, None);
}

#[test]
fn faults_name_file_line_and_next_step() {
    let table = [
        ("", "s.csv: empty file"),
        ("\u{feff} \n\n", "s.csv: empty file"),
        ("1,2\n3,4\n", "s.csv:1: no header line: the first line holds values"),
        ("a,b\n1,2\n", "s.csv:1: no time column among: a, b"),
        ("time,b\n1,2\n", "s.csv:1: no memory column among: time, b"),
        (
            "time,heapUsed,heap_used\n1,2,3\n",
            "s.csv:1: two columns mean heap_used: heapUsed and heap_used",
        ),
        ("time,rss\n", "s.csv: no samples below the header"),
        ("time,rss\n1,\n2,\n", "s.csv: no memory figure in any row"),
        ("time,rss\n1,5\n2,12Mi\n", "s.csv:3: rss is not a number: 12Mi"),
        ("time,rss\n1,5\n2,NaN\n", "s.csv:3: rss is NaN"),
        ("time,rss\n1,inf\n", "s.csv:2: rss is inf"),
        ("time,rss\n1,5\n\n2,-7\n", "s.csv:4: rss is negative: -7"),
        ("time,rss\n1,1e30\n", "s.csv:2: rss is out of range: 1e30"),
        ("time,rss\nnoon,1\n", "s.csv:2: time is no time: noon"),
        ("time,rss\n,1\n", "s.csv:2: row without a time"),
        ("elapsed_s,rss\n5,1\n4,1\n", "s.csv:3: elapsed time runs backwards: 5 s, then 4 s"),
        ("time,rss\n1,1\n1,2\n2,1\n2,2\n", "s.csv:2: 2 of 4 rows repeat the time of another row"),
        ("time,rss\n1,1,1\n", "s.csv:2: 3 fields where the header has 2"),
        ("{\"time\":1,\"rss\":5}\n{\"time\":2,\"rs", "s.csv:2: the JSON line is cut off"),
        ("{\"time\":1,\"rss\":5}\n[1]", "s.csv:2: not a JSON object"),
        ("[{\"time\":1}]", "s.csv:1: not a JSON object"),
        ("{\"time\":1}\n", "s.csv:1: no memory column among: time"),
        ("{\"t\":1,\"rss\":2}\n", "s.csv:1: no time column among: rss, t"),
        ("{\"time\":1,\"rss\":5}\n{\"rss\":5}\n", "s.csv:2: row without a time"),
        ("{\"time\":1,\"rss\":[5]}\n", "s.csv:1: rss is not a number: [5]"),
    ];
    for (text, expected) in table {
        let error = read(text.as_bytes(), "s.csv", "").unwrap_err();
        let shown = error.to_string();
        assert!(shown.starts_with(expected), "{text:?}\n got: {shown}\nwant: {expected}");
        assert!(!error.hint().is_empty());
    }
    let error = read(b"time,rss\n1,5\n2,\xff\n", "s.csv", "").unwrap_err();
    assert_eq!(error.to_string(), "s.csv:3: not UTF-8 text (byte 15)");
    assert!(matches!(error.kind(), ReadErrorKind::NotUtf8 { offset: 15 }));
    let error = read(b"\xef\xbb\xbftime,rss\n1,\xff\n", "s.csv", "").unwrap_err();
    assert_eq!(error.to_string(), "s.csv:2: not UTF-8 text (byte 14)");
    let utf16: Vec<u8> = "time,rss\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = [&[0xff, 0xfe], &utf16[..]].concat();
    assert!(read(&utf16, "s.csv", "").unwrap_err().to_string().contains("not UTF-8"));
}

#[test]
fn times_out_of_order_are_sorted_and_said() {
    let mut text = String::from("time,rss\n");
    for i in (0..30).rev() {
        text.push_str(&format!("{},100000000\n", 1_790_000_000 + i * 60));
    }
    let series = ok(&text);
    let trend = judge(&series[0]);
    assert!(trend.reasons.iter().any(|r| r.code == "times-sorted"), "{:?}", trend.reasons);
    assert!(trend.segments[0].start_seconds.abs() < 1e-9);
}

#[test]
fn one_sample_is_too_little_and_no_fault() {
    let series = read(b"time,rss\n1,5\n", "s.csv", "api").unwrap();
    assert_eq!(series[0].name.as_deref(), Some("api"));
    let json = serde_json::to_value(judge(&series[0])).unwrap();
    assert_eq!(json["verdict"], "insufficient-data");
    assert_eq!(json["where"], "unknown");
    assert_eq!(json["confidence"], "low");
    assert!(json["rate_bytes_per_hour"]["low"].is_null());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(series) = read(&bytes, "f", "") {
            judge_many(&series);
        }
    }

    /// Bytes that pass for a series: the right header, then fields of every kind.
    #[test]
    fn no_table_panics(
        rows in proptest::collection::vec(
            proptest::collection::vec(
                prop_oneof![
                    Just(String::new()), Just("NaN".into()), Just("1e18".into()), Just("\"".into()),
                    (0u64..1 << 59).prop_map(|v| v.to_string()),
                    (0u32..100).prop_map(|v| v.to_string()),
                ],
                6,
            ),
            0..80,
        )
    ) {
        let mut text = String::from("time,rss,heap_used,external,requests,gc_major_count\n");
        for row in &rows {
            text.push_str(&row.join(","));
            text.push('\n');
        }
        if let Ok(series) = read(text.as_bytes(), "f", "") {
            judge_many(&series);
        }
    }

    /// Any samples at all, NaN and infinite times included, and JSON stays JSON.
    #[test]
    fn no_samples_panic(
        raw in proptest::collection::vec(
            (any::<f64>(), any::<Option<u64>>(), any::<Option<u64>>(), any::<Option<u64>>(), 0u64..20, any::<bool>()),
            0..120,
        )
    ) {
        let samples = raw.into_iter().map(|(t, rss, heap, external, count, flag)| leakline_trend::Sample {
            elapsed_seconds: t,
            rss,
            heap_used: heap,
            heap_total: heap,
            external,
            array_buffers: external,
            limit: rss,
            requests: Some(count),
            connections: Some(count),
            gc_major_count: flag.then_some(count),
            start_time: Some(count as f64),
            perturbed: flag,
            full_gc: flag,
        }).collect();
        let trend = judge(&Series { name: None, samples });
        prop_assert!(serde_json::to_string(&trend).is_ok());
    }

    /// Cutting a real recording anywhere gives a series or an error with a hint.
    #[test]
    fn no_truncation_panics(at in 0usize..6000) {
        let whole = include_bytes!("data/listener-leak-a-n20.csv");
        let cut = &whole[..at.min(whole.len())];
        match read(cut, "f", "") {
            Ok(series) => { judge_many(&series); }
            Err(error) => prop_assert!(!error.hint().is_empty()),
        }
    }
}
