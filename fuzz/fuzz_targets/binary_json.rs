//! See `check_binary`.
#![no_main]

use charta_fhir::Format;

libfuzzer_sys::fuzz_target!(|data: &[u8]| charta_fuzz::check_binary(Format::Json, data));
