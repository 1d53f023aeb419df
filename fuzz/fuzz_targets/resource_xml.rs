//! See `check_resource`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| charta_fuzz::check_resource(charta_fhir::Format::Xml, data));
