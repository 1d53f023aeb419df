//! How content lies in an object, so that each stretch of it can be verified by itself.
//!
//! ```text
//! object = block*        block = up to 96 KiB of the content, then the SHA-256 (32 bytes) of
//!                                the object's key, the block's number (8 bytes, big end first) and these bytes
//! ```
//!
//! All blocks but the last are full. As key and number are hashed too, neither bytes of another object nor of another
//! place in this one pass (decision 0018).

use bytes::Bytes;
use charta_model::Hasher;

use super::super::PIECE_BYTES_MAX;

/// Bytes of content in a block.
pub const BLOCK_BYTES: u64 = PIECE_BYTES_MAX as u64;
/// Bytes behind them.
pub const TAG_BYTES: u64 = 32;

const _: () = assert!(BLOCK_BYTES.is_multiple_of(3), "pieces join in base64");

/// The size of the object that holds a content of this size.
pub const fn object_bytes(content_bytes: u64) -> u64 {
    content_bytes + content_bytes.div_ceil(BLOCK_BYTES) * TAG_BYTES
}

/// The inverse of [`object_bytes`]; `None` if no content makes an object of this size.
pub fn content_bytes(object_bytes_found: u64) -> Option<u64> {
    let blocks = object_bytes_found.div_ceil(BLOCK_BYTES + TAG_BYTES);
    let content_bytes = object_bytes_found.checked_sub(blocks * TAG_BYTES)?;
    (object_bytes(content_bytes) == object_bytes_found).then_some(content_bytes)
}

/// Where a block begins in the object.
pub const fn block_start(index: u64) -> u64 {
    index * (BLOCK_BYTES + TAG_BYTES)
}

/// Whether `tag` belongs to these bytes, in this place of this object.
pub fn is_right(key: &str, index: u64, bytes: &[u8], tag: &[u8]) -> bool {
    let mut hasher = begin(key, index);
    hasher.update(bytes);
    hasher.finish().as_bytes() == tag
}

fn begin(key: &str, index: u64) -> Hasher {
    let mut hasher = Hasher::default();
    hasher.update(key.as_bytes());
    hasher.update(&index.to_be_bytes());
    hasher
}

/// Makes blocks of bytes that come in pieces.
pub struct Sealer {
    key: String,
    index: u64,
    /// Bytes of content in the block that is being made.
    filled: usize,
    hasher: Hasher,
}

impl Sealer {
    /// Of the object with this key.
    pub fn new(key: &str) -> Self {
        Self { key: key.to_owned(), index: 0, filled: 0, hasher: begin(key, 0) }
    }

    /// The next stretch of the object. Only bytes of full blocks and of the one begun: `finish` ends it.
    pub fn seal(&mut self, mut bytes: Bytes) -> Vec<Bytes> {
        let mut sealed = Vec::new();
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE_BYTES_MAX - self.filled));
            self.hasher.update(&piece);
            self.filled += piece.len();
            sealed.push(piece);
            if self.filled == PIECE_BYTES_MAX {
                sealed.extend(self.finish());
            }
        }
        sealed
    }

    /// The end of the last block, unless it has ended.
    pub fn finish(&mut self) -> Option<Bytes> {
        if self.filled == 0 {
            return None;
        }
        (self.index, self.filled) = (self.index + 1, 0);
        let hasher = std::mem::replace(&mut self.hasher, begin(&self.key, self.index));
        Some(Bytes::copy_from_slice(hasher.finish().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(key: &str, bytes: &[u8], piece: usize) -> Vec<u8> {
        let mut sealer = Sealer::new(key);
        let mut object: Vec<u8> = Vec::new();
        for piece in bytes.chunks(piece) {
            sealer.seal(Bytes::copy_from_slice(piece)).iter().for_each(|part| object.extend(part));
        }
        object.extend(sealer.finish().iter().flatten());
        object
    }

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    #[test]
    fn sizes_lead_there_and_back() {
        const BLOCK: u64 = BLOCK_BYTES;
        for (content, object) in [(0, 0), (1, 33), (BLOCK, BLOCK + 32), (BLOCK + 1, BLOCK + 65)] {
            assert_eq!((object_bytes(content), content_bytes(object)), (object, Some(content)));
        }
        for no_object in [1, 32, BLOCK + 33, BLOCK + 64] {
            assert_eq!(content_bytes(no_object), None, "{no_object}");
        }
    }

    #[test]
    fn pieces_of_any_size_make_the_same_object() {
        for length in [1, PIECE_BYTES_MAX - 1, PIECE_BYTES_MAX, PIECE_BYTES_MAX + 1, 3 * PIECE_BYTES_MAX] {
            let bytes = pattern(length);
            let object = sealed("k", &bytes, 1 << 20);
            assert_eq!(object.len() as u64, object_bytes(length as u64));
            assert_eq!(object, sealed("k", &bytes, 1000));
        }
    }

    #[test]
    fn a_block_is_right_in_its_place_only() {
        let bytes = pattern(2 * PIECE_BYTES_MAX);
        let object = sealed("k", &bytes, 5000);
        let second = usize::try_from(block_start(1)).unwrap();
        let (content, tag) = object[second..].split_at(PIECE_BYTES_MAX);
        assert!(is_right("k", 1, content, tag));
        assert!(!is_right("k", 0, content, tag) && !is_right("l", 1, content, tag));
        let mut changed = content.to_vec();
        changed[70_000] ^= 1;
        assert!(!is_right("k", 1, &changed, tag));
    }
}
