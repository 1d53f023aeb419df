//! See `check_view`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| charta_fuzz::check_view(data));
