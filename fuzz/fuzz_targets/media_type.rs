//! A media type that is taken is safe in a header and stays the same when it is read again.
#![no_main]

use charta_model::MediaType;

libfuzzer_sys::fuzz_target!(|data: &str| {
    let Ok(read) = MediaType::new(data) else { return };
    let text = read.as_str();
    assert!(text.len() <= MediaType::MAX_BYTES && data.contains(text));
    assert!(text.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)));
    assert_eq!(MediaType::new(text).as_ref(), Ok(&read));
    assert!(text.to_ascii_lowercase().starts_with(read.essence()));
    assert!(read.essence().starts_with(read.kind()));
    let _ = (read.is_json(), read.is_xml());
});
