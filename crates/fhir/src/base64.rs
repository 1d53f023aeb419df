//! Base64 in pieces: content of any size passes through without ever being held as a whole.
//!
//! The standard alphabet of RFC 4648 with padding. Written without line breaks; read with white
//! space anywhere, since older versions inherit it from `xs:base64Binary`, and otherwise strictly:
//! one sequence of bytes has one spelling.
//!
//! Clause: FHIR R5 datatypes.html#base64Binary

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
pub struct Decoder {}

impl Decoder {
    /// Decodes the next piece; the bytes are appended to `out`.
    ///
    /// # Errors
    /// If the text cannot be base64, whatever follows. `out` then ends somewhere before the fault.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Base64Error> {
        let _ = (input, out);
        Ok(())
    }

    /// Ends the text.
    ///
    /// # Errors
    /// If it ends in the middle of a group of four characters.
    pub fn finish(self) -> Result<(), Base64Error> {
        Ok(())
    }
}

/// Encodes bytes that arrive in pieces, so that all output together is the base64 of the whole.
#[derive(Debug, Clone, Default)]
pub struct Encoder {}

impl Encoder {
    /// Encodes the next piece; the text is appended to `out`. Up to two bytes wait for the next piece.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let _ = (input, out);
    }

    /// Encodes what waits, with padding.
    pub fn finish(self, out: &mut Vec<u8>) {
        let _ = out;
    }
}
