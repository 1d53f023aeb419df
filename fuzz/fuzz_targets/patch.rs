//! See `check_patch`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| charta_fuzz::check_patch(data));
