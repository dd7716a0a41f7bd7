//! The reader of memory series on any bytes, and the judgement on whatever it accepts.

#![no_main]

use leakline_trend::{judge_many, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match read(bytes, "fuzz.csv", "fuzz") {
        Ok(series) => {
            assert!(!series.is_empty());
            let judged = judge_many(&series);
            assert_eq!(judged.series.len(), series.len());
            for named in &judged.series {
                let rate = &named.trend.rate_bytes_per_hour;
                assert!(rate.estimate.is_finite(), "a rate that JSON cannot hold");
                assert!(rate.low.is_none_or(|low| low <= rate.estimate), "{rate:?}");
                assert!(rate.high.is_none_or(|high| high >= rate.estimate), "{rate:?}");
            }
        }
        Err(e) => assert!(!e.to_string().is_empty() && !e.hint().is_empty()),
    }
});
