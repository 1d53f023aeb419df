//! Takes the bytes of a document in, in constant memory.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use charta_model::{Digest, Hasher};
use tokio::task::spawn_blocking;

use crate::{
    Error,
    catalog::Catalog,
    content::{ContentStore, ContentWriter, Placed},
};

/// Bytes are hashed and written in pieces of about this size.
const CHUNK_BYTES: usize = 256 << 10;

/// Up to so many bytes are hashed at once where they are; more go to the blocking pool.
const HASHED_HERE_BYTES: usize = 64 << 10;

/// Bytes on their way in. Dropped before [`Upload::finish`], it leaves nothing behind.
///
/// It holds at most the larger of `inline_bytes_max` and 256 KiB in memory, and the bytes of the call.
pub struct Upload {
    store: Arc<dyn ContentStore>,
    /// Told of keys that are announced.
    catalog: Option<Arc<dyn Catalog>>,
    inline_bytes_max: usize,
    size_bytes: u64,
    pending: BytesMut,
    /// Once there are too many bytes for the catalog.
    spilled: Option<Spilled>,
    /// A part may be missing: no more of use.
    failed: bool,
}

struct Spilled {
    hasher: Hasher,
    writer: Box<dyn ContentWriter>,
}

impl Upload {
    pub(crate) fn new(
        store: Arc<dyn ContentStore>,
        catalog: Option<Arc<dyn Catalog>>,
        inline_bytes_max: usize,
    ) -> Self {
        let pending = BytesMut::new();
        Self { store, catalog, inline_bytes_max, size_bytes: 0, pending, spilled: None, failed: false }
    }

    /// Adds the next bytes.
    ///
    /// # Errors
    /// `Full` or `Unavailable`; the upload is then of no more use.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.size_bytes += bytes.len() as u64;
        if self.pending.is_empty() && bytes.len() >= CHUNK_BYTES.max(self.inline_bytes_max + 1) {
            return self.spill(bytes).await;
        }
        self.pending.extend_from_slice(&bytes);
        let kept = if self.spilled.is_some() { CHUNK_BYTES } else { self.inline_bytes_max.max(CHUNK_BYTES) };
        if self.pending.len() <= kept {
            return Ok(());
        }
        let pending = self.pending.split().freeze();
        self.spill(pending).await
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
    pub async fn finish(mut self) -> Result<Uploaded, Error> {
        let pending = std::mem::take(&mut self.pending).freeze();
        if self.spilled.is_none() && !self.failed && pending.len() <= self.inline_bytes_max {
            let (digest, bytes) = hash(pending).await?;
            return Ok(Uploaded { size_bytes: self.size_bytes, digest, body: Body::Memory(bytes) });
        }
        if !pending.is_empty() {
            self.spill(pending).await?;
        }
        let Some(Spilled { hasher, writer }) = self.spilled.take() else { return Err(unfinished()) };
        let digest = hasher.finish();
        let key = writer.key().map(str::to_owned);
        let is_announced = announce(self.catalog.take(), key).await?;
        let placed = writer.finish(&digest).await?;
        let placed = if is_announced { placed.announced() } else { placed };
        Ok(Uploaded { size_bytes: self.size_bytes, digest, body: Body::File(placed) })
    }

    /// Hashes and writes at the same time.
    async fn spill(&mut self, bytes: Bytes) -> Result<(), Error> {
        if self.failed {
            return Err(unfinished());
        }
        self.failed = true; // until this is through; the caller may also stop polling
        let mut spilled = match self.spilled.take() {
            Some(spilled) => spilled,
            None => Spilled { hasher: Hasher::default(), writer: self.store.create().await? },
        };
        let mut hasher = std::mem::take(&mut spilled.hasher);
        let hashed = bytes.clone();
        let hashing = spawn_blocking(move || {
            hasher.update(&hashed);
            hasher
        });
        spilled.writer.write(bytes).await?;
        spilled.hasher = hashing.await.map_err(|error| Error::task(&error))?;
        self.spilled = Some(spilled);
        self.failed = false;
        Ok(())
    }
}

/// Contract 8: where others sweep as well, the catalog has to know of the key before there is anything under it.
async fn announce(catalog: Option<Arc<dyn Catalog>>, key: Option<String>) -> Result<bool, Error> {
    let (Some(key), Some(catalog)) = (key, catalog) else { return Ok(false) };
    catalog.announce(&key).await?;
    Ok(true)
}

async fn hash(bytes: Bytes) -> Result<(Digest, Bytes), Error> {
    if bytes.len() <= HASHED_HERE_BYTES {
        return Ok((Digest::of(&bytes), bytes));
    }
    spawn_blocking(move || (Digest::of(&bytes), bytes)).await.map_err(|error| Error::task(&error))
}

fn unfinished() -> Error {
    Error::Unavailable("an earlier part of this upload was not written".into())
}

/// Bytes that are in and wait for their record. Dropped before a commit, it leaves nothing behind.
pub struct Uploaded {
    size_bytes: u64,
    digest: Digest,
    body: Body,
}

/// Where uploaded bytes are.
pub enum Body {
    /// Small enough for the catalog.
    Memory(Bytes),
    /// In the content store, on stable storage.
    File(Placed),
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

    /// Where they are; for catalogs.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// A record names the bytes now; for catalogs.
    pub fn keep(self) {
        if let Body::File(placed) = self.body {
            placed.keep();
        }
    }

    /// Leaves the bytes where they are, for a record that may come back after a crash; for catalogs.
    pub fn leave(self) {
        if let Body::File(placed) = self.body {
            placed.leave();
        }
    }
}
