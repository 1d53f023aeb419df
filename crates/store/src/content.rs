//! The bytes of documents: the store of larger content, and how any content is read.

pub mod files;
pub mod memory;

use std::{
    fs::File,
    io::{self, IoSliceMut},
    ops::Range,
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use charta_model::Digest;
use rustix::io::{Errno, ReadWriteFlags};
use tokio::task::spawn_blocking;

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
    /// `Missing`; `Corrupt` if the size is another one.
    async fn open(&self, key: &str, size_bytes: u64) -> Result<Opened, Error>;

    /// Whether something of this size is under `key`, as far as that can be told at once.
    fn holds(&self, key: &str, size_bytes: u64) -> bool;

    /// Removes what is under `key` and returns its size; `None` if there is nothing.
    async fn remove(&self, key: &str) -> Result<Option<u64>, Error>;

    /// The keys whose digest begins with this byte, and their sizes. Keys that a write still holds are
    /// left out, and that is looked at after the listing: what is listed and then unknown to the catalog
    /// will never be known to it (Contract 8).
    async fn list(&self, first_byte: u8) -> Result<Vec<(String, u64)>, Error>;

    /// Whether bytes could be taken in.
    async fn ping(&self) -> Result<(), Error>;
}

/// Bytes on their way in. Dropped before [`ContentWriter::finish`], it leaves nothing behind.
#[async_trait]
pub trait ContentWriter: Send {
    /// Adds the next bytes.
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error>;

    /// Puts the bytes, whose digest this is, on stable storage under a fresh key.
    async fn finish(self: Box<Self>, digest: &Digest) -> Result<Placed, Error>;
}

/// A key that no record names yet, held against sweeps. Dropped, it takes its bytes along.
pub struct Placed {
    key: String,
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
        Self { key, end: Some(Box::new(end)) }
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

/// The bytes of one version, opened. Cheap to clone; stays readable when the document is purged.
#[derive(Debug, Clone)]
pub struct Content {
    size_bytes: u64,
    opened: Opened,
}

/// What an opened content is read from.
#[derive(Debug, Clone)]
pub enum Opened {
    /// Memory.
    Memory(Bytes),
    /// A file that holds these bytes and nothing else.
    File(Arc<File>),
}

impl Content {
    pub(crate) fn new(size_bytes: u64, opened: Opened) -> Self {
        Self { size_bytes, opened }
    }

    /// Number of bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The bytes, if the catalog keeps them.
    #[must_use]
    pub fn memory(&self) -> Option<&Bytes> {
        match &self.opened {
            Opened::Memory(bytes) => Some(bytes),
            Opened::File(_) => None,
        }
    }

    /// The file, if a file keeps them: for handing it to the kernel. It is shared, so its position is
    /// not to be used.
    #[must_use]
    pub fn file(&self) -> Option<&Arc<File>> {
        match &self.opened {
            Opened::Memory(_) => None,
            Opened::File(file) => Some(file),
        }
    }

    /// The bytes of `range` (end excluded) if they are in memory, be it the kernel's; `None` if that
    /// needs waiting or cannot be told. Errors as for [`Content::read`].
    #[must_use]
    pub fn read_now(&self, range: Range<u64>) -> Option<Result<Bytes, Error>> {
        let length = match self.length(&range) {
            Ok(length) => length,
            Err(error) => return Some(Err(error)),
        };
        match &self.opened {
            Opened::Memory(bytes) => {
                let start = usize::try_from(range.start).unwrap_or(usize::MAX);
                Some(Ok(bytes.slice(start..start + length)))
            }
            Opened::File(file) => read_cached(file, range.start, length).map(Ok),
        }
    }

    /// The bytes of `range`, end excluded: exactly so many. They are not verified; a check does that.
    ///
    /// # Errors
    /// `Unusable` if the range ends behind the content, `Corrupt` if the file is shorter than its
    /// record says, `Unavailable` if trying again may help.
    pub async fn read(&self, range: Range<u64>) -> Result<Bytes, Error> {
        if let Some(done) = self.read_now(range.clone()) {
            return done;
        }
        let length = self.length(&range)?;
        let Opened::File(file) = &self.opened else { return Err(Error::Closed) };
        let file = Arc::clone(file);
        spawn_blocking(move || read_whole(&file, range.start, length))
            .await
            .map_err(|error| Error::task(&error))?
    }

    fn length(&self, range: &Range<u64>) -> Result<usize, Error> {
        const OUTSIDE: Error = Error::Unusable("a range outside the content");
        if range.start > range.end || range.end > self.size_bytes {
            return Err(OUTSIDE);
        }
        usize::try_from(range.end - range.start).map_err(|_| OUTSIDE)
    }
}

/// All of it out of the page cache, or nothing.
fn read_cached(file: &File, offset: u64, length: usize) -> Option<Bytes> {
    let mut buffer = vec![0; length];
    let mut done = 0;
    while done < length {
        let part = &mut [IoSliceMut::new(&mut buffer[done..])];
        match rustix::io::preadv2(file, part, offset + done as u64, ReadWriteFlags::NOWAIT) {
            Ok(0) => return None, // shorter than it should be: the other way of reading says so
            Ok(read) => done += read,
            Err(Errno::INTR) => {}
            Err(_) => return None, // it would wait, or the file system cannot tell
        }
    }
    Some(buffer.into())
}

fn read_whole(file: &File, offset: u64, length: usize) -> Result<Bytes, Error> {
    let mut buffer = Vec::with_capacity(length);
    while buffer.len() < length {
        let wanted = length - buffer.len();
        let at = offset + buffer.len() as u64;
        let read = rustix::io::pread(file, rustix::buffer::spare_capacity(&mut buffer), at);
        match read {
            Ok(0) => return Err(Error::Corrupt("a file of content is too short".into())),
            Ok(read) if read > wanted => buffer.truncate(length), // more capacity than was asked for
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Error::io("reading content", &io::Error::from(error))),
        }
    }
    Ok(buffer.into())
}
