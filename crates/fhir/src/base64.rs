//! Base64 in pieces: content of any size passes through without ever being held as a whole.
//!
//! The standard alphabet of RFC 4648 with padding. Written without line breaks; read with white
//! space anywhere, since older versions inherit it from `xs:base64Binary`, and otherwise strictly:
//! one sequence of bytes has one spelling.
//!
//! Clause: FHIR R5 datatypes.html#base64Binary

use base64_simd::{STANDARD, STANDARD_NO_PAD};

/// Why a text is not base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Base64Error {
    /// A byte that is neither in the alphabet nor padding nor white space.
    #[error("a character outside the base64 alphabet")]
    Alphabet,
    /// Padding that is missing, misplaced or followed by more.
    #[error("base64 padding that is missing or out of place")]
    Padding,
    /// Bits beyond the last byte that are not zero.
    #[error("base64 that ends in bits of no byte")]
    TrailingBits,
}

/// Length of the base64 of `size_bytes` bytes.
#[must_use]
pub const fn encoded_len(size_bytes: u64) -> u64 {
    size_bytes.div_ceil(3).saturating_mul(4)
}

/// Decodes base64 that arrives in pieces.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    /// The values of the characters of a group of four that has begun, six bits each.
    bits: u32,
    /// How many characters of the group there were, padding included.
    length: u8,
    /// How many of them were padding.
    padding: u8,
    /// A group with padding was complete: nothing may follow.
    ended: bool,
}

impl Decoder {
    /// Decodes the next piece; the bytes are appended to `out`.
    ///
    /// # Errors
    /// If the text cannot be base64, whatever follows. `out` then ends somewhere before the fault.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Base64Error> {
        out.reserve(input.len() / 4 * 3 + 3); // appending would reserve exactly, thus again and again
        let mut rest = input;
        while !rest.is_empty() {
            let run = if self.length == 0 { whole_groups(rest) } else { &[] };
            let (piece, after) = rest.split_at(run.len().max(1));
            // What the fast way refuses, the slow way judges character by character.
            if run.is_empty() || self.ended || STANDARD_NO_PAD.decode_append(run, out).is_err() {
                for character in piece {
                    self.character(*character, out)?;
                }
            }
            rest = after;
        }
        Ok(())
    }

    /// Ends the text.
    ///
    /// # Errors
    /// If it ends in the middle of a group of four characters.
    pub fn finish(self) -> Result<(), Base64Error> {
        if self.length == 0 { Ok(()) } else { Err(Base64Error::Padding) }
    }

    fn character(&mut self, character: u8, out: &mut Vec<u8>) -> Result<(), Base64Error> {
        let value = match character {
            byte if is_space(byte) => return Ok(()),
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' if self.length >= 2 && !self.ended => {
                self.padding += 1;
                0
            }
            b'=' => return Err(Base64Error::Padding),
            _ => return Err(Base64Error::Alphabet),
        };
        if self.ended || (self.padding > 0 && character != b'=') {
            return Err(Base64Error::Padding);
        }
        self.bits = self.bits << 6 | u32::from(value);
        self.length += 1;
        if self.length == 4 { self.group(out) } else { Ok(()) }
    }

    fn group(&mut self, out: &mut Vec<u8>) -> Result<(), Base64Error> {
        let [_, bytes @ ..] = self.bits.to_be_bytes();
        let (kept, rest) = bytes.split_at(3 - usize::from(self.padding));
        if rest.iter().any(|byte| *byte != 0) {
            return Err(Base64Error::TrailingBits);
        }
        out.extend_from_slice(kept);
        *self = Self { ended: self.padding > 0, ..Self::default() };
        Ok(())
    }
}

/// Longest run that is decoded at once: it fits the first-level cache together with its output, and
/// bounds the work that is done twice where the run holds a fault.
const RUN_BYTES_MAX: usize = 16 << 10;

/// The longest beginning of `text` that is whole groups without white space or padding at its end.
fn whole_groups(text: &[u8]) -> &[u8] {
    let text = &text[..text.len().min(RUN_BYTES_MAX)];
    let end = run_length(text, |byte| byte <= b' ') / 4 * 4;
    let padded = text[..end].ends_with(b"=");
    &text[..if padded { end - 4 } else { end }]
}

/// How many bytes `text` begins with until one `stops` the run. Looks at 64 bytes at a time without
/// a branch, which the compiler turns into vector instructions.
pub(crate) fn run_length(text: &[u8], stops: impl Fn(u8) -> bool) -> usize {
    let mut length = 0;
    for chunk in text.chunks(64) {
        if chunk.iter().fold(false, |found, byte| found | stops(*byte)) {
            return length + chunk.iter().position(|byte| stops(*byte)).unwrap_or(chunk.len());
        }
        length += chunk.len();
    }
    length
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Encodes bytes that arrive in pieces, so that all output together is the base64 of the whole.
#[derive(Debug, Clone, Default)]
pub struct Encoder {
    /// Bytes of a group of three that has begun.
    waiting: [u8; 3],
    /// How many; at most two between calls.
    length: usize,
}

impl Encoder {
    /// Encodes the next piece; the text is appended to `out`. Up to two bytes wait for the next piece.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) {
        out.reserve(input.len() / 3 * 4 + 4);
        let mut rest = input;
        while let ([byte, after @ ..], true) = (rest, self.length > 0) {
            self.wait(*byte);
            rest = after;
            if self.length == 3 {
                STANDARD.encode_append(self.waiting, out);
                self.length = 0;
            }
        }
        let (groups, tail) = rest.split_at(rest.len() / 3 * 3);
        STANDARD.encode_append(groups, out);
        tail.iter().for_each(|byte| self.wait(*byte));
    }

    /// Encodes what waits, with padding.
    pub fn finish(self, out: &mut Vec<u8>) {
        STANDARD.encode_append(&self.waiting[..self.length], out);
    }

    fn wait(&mut self, byte: u8) {
        self.waiting[self.length] = byte;
        self.length += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(pieces: &[&[u8]]) -> Result<Vec<u8>, Base64Error> {
        let mut decoder = Decoder::default();
        let mut out = Vec::new();
        for piece in pieces {
            decoder.push(piece, &mut out)?;
        }
        decoder.finish().map(|()| out)
    }

    fn encode<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut encoder = Encoder::default();
        let mut out = Vec::new();
        pieces.for_each(|piece| encoder.push(piece, &mut out));
        encoder.finish(&mut out);
        out
    }

    #[test]
    fn the_vectors_of_the_rfc_hold_both_ways() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode([bytes.as_bytes()].into_iter()), text.as_bytes());
            assert_eq!(decode(&[text.as_bytes()]), Ok(bytes.as_bytes().to_vec()));
            assert_eq!(encoded_len(bytes.len() as u64), text.len() as u64);
        }
    }

    #[test]
    fn a_text_that_is_not_the_one_spelling_is_refused() {
        use Base64Error::{Alphabet, Padding, TrailingBits};
        for (text, error) in [
            ("Zg", Padding),
            ("Zg=", Padding),
            ("Z", Padding),
            ("Z===", Padding),
            ("====", Padding),
            ("Zg==Zg==", Padding),
            ("Zg==Zm9v", Padding),
            ("Zg==\n=", Padding),
            ("Zm9v=", Padding),
            ("Zg=v", Padding),
            ("Zm9vZg==Zm9vZm9vZm9vZm9vZm9v", Padding),
            ("Zh==", TrailingBits),
            ("Zm9=", TrailingBits),
            ("Zm9-", Alphabet),
            ("Zm9_", Alphabet),
            ("Zm9v\u{b}", Alphabet),
            ("Zm\09v", Alphabet),
            ("Zm9\u{e9}", Alphabet),
        ] {
            assert_eq!(decode(&[text.as_bytes()]), Err(error), "{text:?}");
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(decode(&pieces), Err(error), "{text:?}");
        }
    }

    #[test]
    fn white_space_counts_nowhere() {
        assert_eq!(decode(&[b" Z\tg\r\n=", b"\n= \n"]), Ok(b"f".to_vec()));
    }

    #[test]
    fn a_length_beyond_all_numbers_does_not_overflow() {
        assert_eq!(encoded_len(u64::MAX), u64::MAX);
    }

    proptest! {
        #[test]
        fn what_is_encoded_in_pieces_is_decoded_in_other_pieces(
            bytes in prop::collection::vec(any::<u8>(), 0..2000),
            size in 1_usize..500, other in 1_usize..500, line in 1_usize..200,
        ) {
            let text = encode(bytes.chunks(size));
            prop_assert_eq!(&text, &encode([bytes.as_slice()].into_iter()));
            let lines = text.chunks(line).collect::<Vec<_>>().join(&b"\r\n"[..]);
            prop_assert_eq!(decode(&lines.chunks(other).collect::<Vec<_>>()), Ok(bytes));
        }

        #[test]
        fn pieces_never_change_the_outcome(
            text in "[A-Da-d+/= \n-]{0,300}", size in 1_usize..100,
        ) {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            prop_assert_eq!(decode(&pieces), decode(&[text.as_bytes()]));
        }

        #[test]
        fn a_text_that_is_taken_is_the_only_spelling(text in "[A-Da-d+/]{0,20}={0,3}") {
            if let Ok(bytes) = decode(&[text.as_bytes()]) {
                prop_assert_eq!(encode([bytes.as_slice()].into_iter()), text.into_bytes());
            }
        }
    }
}
