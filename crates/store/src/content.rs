//! The bytes of documents: where larger content is kept. How any content is read is in `read.rs`.

pub mod files;
pub mod memory;
mod read;
pub mod s3;

use async_trait::async_trait;
use bytes::Bytes;
use charta_model::Digest;

pub use self::read::{Content, Opened, PIECE_BYTES_MAX, Pieces, Reader, Remote};
use crate::Error;

/// Keeps bytes under keys that it makes itself.
///
/// Contract 4: a key is never given out twice, not even for equal bytes, so that nobody who removes
/// an old one can hit a new one.
#[async_trait]
pub trait ContentStore: Send + Sync {
    /// Begins to take in bytes.
    async fn create(&self) -> Result<Box<dyn ContentWriter>, Error>;

    /// Opens what is under `key`.
    ///
    /// # Errors
    /// `Missing`; `Corrupt` if the size is another one. What is far away may say so at the first read only.
    async fn open(&self, key: &str, size_bytes: u64) -> Result<Opened, Error>;

    /// Whether something of this size is under `key`, as far as that can be told at once: nothing that is far
    /// away is asked. There, all that was not found missing or damaged counts as held.
    fn holds(&self, key: &str, size_bytes: u64) -> bool;

    /// Removes what is under `key` and returns its size; `None` if there is nothing.
    async fn remove(&self, key: &str) -> Result<Option<u64>, Error>;

    /// Some of the keys, from the first on or from where an earlier listing says. Keys that a write still holds are
    /// left out, and that is looked at after the listing: what is listed and then unknown to the catalog will never
    /// be known to it (Contract 8). A store that others write to knows only the writes of this process: there the
    /// catalog has the others' keys announced.
    async fn list(&self, from: Option<String>) -> Result<Listing, Error>;

    /// Whether bytes could be taken in.
    async fn ping(&self) -> Result<(), Error>;

    /// Tells in the log what a store on another machine can do.
    async fn probe(&self) {}

    /// Whether other processes may bring in what this one lists.
    fn is_shared(&self) -> bool {
        false
    }

    /// Waits a moment for what is being removed in the background.
    async fn close(&self) {}
}

/// Some of a content store's keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Keys, and the sizes of their contents.
    pub keys: Vec<(String, u64)>,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

/// Bytes on their way in. Dropped before [`ContentWriter::finish`], it leaves nothing behind.
#[async_trait]
pub trait ContentWriter: Send {
    /// The key that the bytes will have, where it is known, and has to be announced, before they are there.
    fn key(&self) -> Option<&str> {
        None
    }

    /// Adds the next bytes.
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error>;

    /// Puts the bytes, whose digest this is, on stable storage under a fresh key.
    async fn finish(self: Box<Self>, digest: &Digest) -> Result<Placed, Error>;
}

/// A key that no record names yet, held against sweeps. Dropped, it takes its bytes along.
pub struct Placed {
    key: String,
    announced: bool,
    end: Option<Settle>,
}

/// Is told the key and what becomes of it.
type Settle = Box<dyn FnOnce(&str, End) + Send>;

/// What becomes of bytes under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A record names them now.
    Kept,
    /// Nothing names them, nor ever will.
    Discarded,
    /// A record may name them after a crash: what is open next will look.
    Undecided,
}

impl Placed {
    /// A key, and what is to be done in the end. It must not fail: what cannot be done is left to the
    /// next opening or sweep.
    pub fn new(key: String, end: impl FnOnce(&str, End) + Send + 'static) -> Self {
        Self { key, announced: false, end: Some(Box::new(end)) }
    }

    /// The same, its key having been announced to the catalog.
    #[must_use]
    pub(crate) fn announced(mut self) -> Self {
        self.announced = true;
        self
    }

    /// Whether its key was announced, so that the commit has to find it so.
    #[must_use]
    pub fn is_announced(&self) -> bool {
        self.announced
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A record names the bytes now.
    pub fn keep(mut self) {
        self.settle(End::Kept);
    }

    /// Leaves the bytes as they are.
    pub fn leave(mut self) {
        self.settle(End::Undecided);
    }

    fn settle(&mut self, end: End) {
        if let Some(settle) = self.end.take() {
            settle(&self.key, end);
        }
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        self.settle(End::Discarded);
    }
}

/// Contract 4: a key for bytes of this digest that was never given out before.
fn fresh_key(digest: &Digest) -> String {
    let hex = digest.hex();
    format!("{}/{hex}-{}", &hex[..2], uuid::Uuid::new_v4().simple())
}
