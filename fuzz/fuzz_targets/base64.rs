//! Pieces never change the outcome; what is encoded is decoded to the same bytes; a text that is
//! taken is, without white space, the only spelling of its bytes.
#![no_main]

use charta_fhir::base64::{Base64Error, Decoder, Encoder, encoded_len};

fn decode(text: &[u8], size: usize) -> Result<Vec<u8>, Base64Error> {
    let mut decoder = Decoder::default();
    let mut bytes = Vec::new();
    for piece in text.chunks(size) {
        decoder.push(piece, &mut bytes)?;
    }
    decoder.finish().map(|()| bytes)
}

fn encode(bytes: &[u8], size: usize) -> Vec<u8> {
    let mut encoder = Encoder::default();
    let mut text = Vec::new();
    bytes.chunks(size).for_each(|piece| encoder.push(piece, &mut text));
    encoder.finish(&mut text);
    text
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [size, data @ ..] = data else { return };
    let size = usize::from(*size).max(1);

    let decoded = decode(data, data.len().max(1));
    assert_eq!(decode(data, size), decoded);
    assert_eq!(decode(data, 1), decoded);
    if let Ok(bytes) = decoded {
        let dense: Vec<u8> = data.iter().copied().filter(|byte| !b" \t\r\n".contains(byte)).collect();
        assert_eq!(encode(&bytes, size), dense);
    }

    let text = encode(data, size);
    assert_eq!(text, encode(data, data.len().max(1)));
    assert_eq!(text.len() as u64, encoded_len(data.len() as u64));
    assert_eq!(decode(&text, size).as_deref(), Ok(data));
});
