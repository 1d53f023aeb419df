//! How content is read, wherever it is.

use std::{
    fmt,
    fs::File,
    io::{self, IoSliceMut},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use rustix::io::{Errno, ReadWriteFlags};
use tokio::task::spawn_blocking;

use crate::Error;

/// The longest piece that a [`Reader`] gives, in bytes. A multiple of 3, so that pieces join in base64.
pub const PIECE_BYTES_MAX: usize = 96 << 10;

/// The bytes of one version, opened. Cheap to clone; stays readable when the document is purged.
#[derive(Debug, Clone)]
pub struct Content {
    size_bytes: u64,
    opened: Opened,
    /// A reading that has begun and waits for whoever reads that stretch; of a remote store only.
    begun: Option<Arc<Mutex<Option<Begun>>>>,
}

/// What an opened content is read from.
#[derive(Debug, Clone)]
pub enum Opened {
    /// Memory.
    Memory(Bytes),
    /// A file that holds these bytes and nothing else.
    File(Arc<File>),
    /// A store that is asked over the network.
    Remote(Arc<dyn Remote>),
}

/// Content that is far away: each reading is a request of its own, so a stretch is read in one go.
pub trait Remote: fmt::Debug + Send + Sync {
    /// The bytes of `range`, which is inside the content, in pieces. Nothing is asked for before the first.
    fn pieces(self: Arc<Self>, range: Range<u64>) -> Box<dyn Pieces>;

    /// The first few bytes, if they are remembered.
    fn start(&self) -> Option<Bytes>;
}

/// The bytes of a stretch, from its beginning to its end.
#[async_trait]
pub trait Pieces: Send {
    /// The next of them, verified; empty at the end. Each is as long as [`PIECE_BYTES_MAX`] but the first, unless it
    /// begins at a multiple of that, and the last.
    ///
    /// # Errors
    /// `Missing`, `Corrupt`, or `Unavailable` after some tries.
    async fn next(&mut self) -> Result<Bytes, Error>;
}

/// The first piece of a stretch has come.
struct Begun {
    range: Range<u64>,
    first: Bytes,
    rest: Box<dyn Pieces>,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Begun({:?})", self.range)
    }
}

const OUTSIDE: Error = Error::Unusable("a range outside the content");

impl Content {
    pub(crate) fn new(size_bytes: u64, opened: Opened) -> Self {
        let begun = matches!(opened, Opened::Remote(_)).then(Arc::default);
        Self { size_bytes, opened, begun }
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
            Opened::File(_) | Opened::Remote(_) => None,
        }
    }

    /// The file, if a file keeps them: for handing it to the kernel. It is shared, so its position is
    /// not to be used.
    #[must_use]
    pub fn file(&self) -> Option<&Arc<File>> {
        match &self.opened {
            Opened::File(file) => Some(file),
            Opened::Memory(_) | Opened::Remote(_) => None,
        }
    }

    /// Whether each reading asks another machine.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        matches!(self.opened, Opened::Remote(_))
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
            Opened::Memory(bytes) => Some(Ok(slice(bytes, &range))),
            Opened::File(file) => read_cached(file, range.start, length).map(Ok),
            Opened::Remote(remote) => {
                let fits = |start: &Bytes| range.end <= start.len() as u64;
                let start = remote.start().filter(fits).or_else(|| self.begun_start().filter(fits))?;
                Some(Ok(slice(&start, &range)))
            }
        }
    }

    /// The bytes of `range`, end excluded: exactly so many. Those of a file are not verified; a check does that.
    ///
    /// # Errors
    /// `Unusable` if the range ends behind the content, `Corrupt` if it is not what was stored or the file is
    /// shorter than its record says, `Missing` if it is gone from a remote store, `Unavailable` if trying again
    /// may help.
    pub async fn read(&self, range: Range<u64>) -> Result<Bytes, Error> {
        if let Some(done) = self.read_now(range.clone()) {
            return done;
        }
        let length = self.length(&range)?;
        match &self.opened {
            Opened::Memory(bytes) => Ok(slice(bytes, &range)),
            Opened::File(file) => read_file(file, range.start, length).await,
            Opened::Remote(_) => {
                let mut reader = self.reader(range)?;
                let mut bytes = BytesMut::with_capacity(length);
                while bytes.len() < length {
                    bytes.extend_from_slice(&reader.next().await?);
                }
                Ok(bytes.freeze())
            }
        }
    }

    /// Reads `range` (end excluded) from its beginning to its end, as one request where the store is remote.
    ///
    /// # Errors
    /// `Unusable` if the range ends behind the content.
    pub fn reader(&self, range: Range<u64>) -> Result<Reader, Error> {
        self.length(&range)?;
        let begun = self.begun.as_ref().and_then(|begun| lock(begun).take_if(|begun| begun.range == range));
        Ok(Reader { content: self.clone(), range, begun })
    }

    /// Makes sure that `range` can be read, as far as its first piece tells, before anybody is promised its bytes:
    /// of a remote store that piece is fetched and kept for the next [`Reader`] of that range. The rest follows
    /// when it is read.
    ///
    /// # Errors
    /// As [`Content::read`].
    pub async fn begin(&self, range: Range<u64>) -> Result<(), Error> {
        self.length(&range)?;
        let Opened::Remote(remote) = &self.opened else { return Ok(()) };
        let is_begun = |kept: &Arc<_>| lock(kept).as_ref().is_some_and(|begun| begun.range == range);
        if range.is_empty() || self.begun.as_ref().is_some_and(is_begun) {
            return Ok(());
        }
        let mut rest = Arc::clone(remote).pieces(range.clone());
        let first = rest.next().await?;
        if let Some(begun) = &self.begun {
            *lock(begun) = Some(Begun { range, first, rest });
        }
        Ok(())
    }

    /// The first piece of the content, if a reading has begun there.
    fn begun_start(&self) -> Option<Bytes> {
        let begun = lock(self.begun.as_ref()?);
        Some(begun.as_ref().filter(|begun| begun.range.start == 0)?.first.clone())
    }

    fn length(&self, range: &Range<u64>) -> Result<usize, Error> {
        if range.start > range.end || range.end > self.size_bytes {
            return Err(OUTSIDE);
        }
        usize::try_from(range.end - range.start).map_err(|_| OUTSIDE)
    }
}

/// Reads a stretch of a content from its beginning to its end.
#[derive(Debug)]
pub struct Reader {
    content: Content,
    /// What is still to be read.
    range: Range<u64>,
    begun: Option<Begun>,
}

impl Reader {
    /// The next bytes, at most [`PIECE_BYTES_MAX`]; empty at the end. From the beginning of a content, all pieces
    /// but the last are multiples of 3 long.
    ///
    /// # Errors
    /// As [`Content::read`].
    pub async fn next(&mut self) -> Result<Bytes, Error> {
        if self.range.is_empty() {
            return Ok(Bytes::new());
        }
        let bytes = match &self.content.opened {
            Opened::Remote(remote) => match &mut self.begun {
                Some(begun) if !begun.first.is_empty() => std::mem::take(&mut begun.first),
                Some(begun) => begun.rest.next().await?,
                begun => {
                    let mut rest = Arc::clone(remote).pieces(self.range.clone());
                    let first = rest.next().await?;
                    *begun = Some(Begun { range: self.range.clone(), first: Bytes::new(), rest });
                    first
                }
            },
            local => {
                let stretch = self.range.start..self.range.end.min(self.range.start + PIECE_BYTES_MAX as u64);
                match (self.content.read_now(stretch.clone()), local) {
                    (None, Opened::File(file)) => {
                        read_file(file, stretch.start, self.content.length(&stretch)?).await?
                    }
                    (read, _) => read.ok_or(Error::Closed)??,
                }
            }
        };
        self.range.start += bytes.len() as u64;
        if bytes.is_empty() || self.range.start > self.range.end {
            return Err(Error::Corrupt("a reading of content has another length".into()));
        }
        Ok(bytes)
    }
}

fn lock(begun: &Mutex<Option<Begun>>) -> MutexGuard<'_, Option<Begun>> {
    begun.lock().unwrap_or_else(PoisonError::into_inner)
}

fn slice(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    bytes.slice(place(range.start)..place(range.end))
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

async fn read_file(file: &Arc<File>, offset: u64, length: usize) -> Result<Bytes, Error> {
    let file = Arc::clone(file);
    let reading = spawn_blocking(move || read_whole(&file, offset, length));
    reading.await.map_err(|error| Error::task(&error))?
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
