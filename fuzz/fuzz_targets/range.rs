//! `Range` gives ranges that lie inside the document, none empty, none touching another, at most 16; and the
//! multipart form of them has the length that it says.
#![no_main]

#[path = "../../crates/server/src/http/range.rs"]
#[allow(dead_code)]
mod range;

use range::{Multipart, Ranges};

libfuzzer_sys::fuzz_target!(|input: (&str, u64)| {
    // No store holds more; sums of lengths stay below what a number can say.
    let (header, size) = (input.0, input.1 % (1 << 60));
    let Ranges::Satisfiable(ranges) = range::parse(header, size) else { return };
    assert!((1..=16).contains(&ranges.len()));
    for (at, one) in ranges.iter().enumerate() {
        assert!(one.start < one.end && one.end <= size);
        assert!(ranges[at + 1..].iter().all(|other| other.end < one.start || one.end < other.start));
    }
    let multipart = Multipart::new(&ranges, size, "text/plain", "boundary");
    let parts: u64 = multipart.parts.iter().map(|(head, range)| head.len() as u64 + (range.end - range.start)).sum();
    assert_eq!(parts + multipart.end.len() as u64, multipart.length);
    let _ = range::if_range_holds(header, "\"1-n\"", Some(0));
});
