//! The reader of `.heapprofile` files on any bytes: a profile or an error, never a panic; and the rows of what it reads.

#![no_main]

use std::path::Path;

use leakline_analysis::allocations;
use leakline_formats::{ReadOptions, read_profile_from};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match read_profile_from(bytes, Path::new("fuzz.heapprofile"), ReadOptions::default()) {
        Ok(profile) => {
            let result = allocations(&profile);
            assert!(result.call_sites.len() <= profile.len());
        }
        Err(e) => assert!(!e.to_string().is_empty() && !e.hint().is_empty()),
    }
});
