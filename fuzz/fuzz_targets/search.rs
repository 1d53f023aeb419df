//! See `check_search`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| charta_fuzz::check_search(data));
