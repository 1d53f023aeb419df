//! Reading an object: one request for a stretch, each block verified before anybody sees it. What breaks off or comes
//! wrong is asked for again from the last right block.

use std::{fmt, ops::Range, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream::BoxStream};
use object_store::{GetOptions, GetRange, ObjectStore as _};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep, timeout},
};

use super::{
    Shared,
    blocks::{BLOCK_BYTES, TAG_BYTES, block_start, content_bytes, is_right, object_bytes},
    client,
};
use crate::{
    Error,
    content::{Pieces, Remote},
};

/// So long whoever reads waits for the first piece; nothing has been answered until then.
const FIRST_PIECE_WAIT: Duration = Duration::from_secs(5);
/// So long for a later one, until the answer is cut off.
const NEXT_PIECE_WAIT: Duration = Duration::from_secs(15);
/// An attempt in which nothing comes for so long is given up.
const SILENCE_MAX: Duration = Duration::from_secs(3);
/// So often a block may come wrong, one time after the other, before it counts as damaged.
const WRONG_MAX: u32 = 3;

/// An object that was opened. While there is one, this process does not remove it.
pub struct Object {
    shared: Arc<Shared>,
    key: String,
    size_bytes: u64,
    runtime: Handle,
}

impl Object {
    /// `None` if it is about to be removed.
    pub fn open(shared: &Arc<Shared>, key: &str, size_bytes: u64) -> Option<Self> {
        let (shared, key, runtime) = (Arc::clone(shared), key.to_owned(), Handle::current());
        if !shared.known.opens(&key) {
            return None; // before there is a value, whose end would count
        }
        Some(Self { shared, key, size_bytes, runtime })
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if self.shared.known.closed(&self.key) {
            Shared::discard(&self.shared, &self.runtime, &self.key);
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({}, {} bytes)", self.key, self.size_bytes)
    }
}

impl Remote for Object {
    fn pieces(self: Arc<Self>, range: Range<u64>) -> Box<dyn Pieces> {
        let block = range.start / BLOCK_BYTES;
        let buffer = BytesMut::new();
        Box::new(ObjectPieces { object: self, range, block, stream: None, buffer, has_begun: false })
    }

    fn start(&self) -> Option<Bytes> {
        self.shared.known.start(&self.key)
    }
}

/// The rest of a stretch.
struct ObjectPieces {
    object: Arc<Object>,
    range: Range<u64>,
    /// The next block.
    block: u64,
    /// What comes of the object from the end of `buffer` on.
    stream: Option<BoxStream<'static, object_store::Result<Bytes>>>,
    /// What has come of that block.
    buffer: BytesMut,
    has_begun: bool,
}

/// Why an attempt brought no block.
enum Failure {
    /// It is not there.
    Missing,
    /// The object has another size.
    Size(u64),
    /// The bytes are not those that were stored.
    Wrong,
    /// Trying again may help.
    Unavailable(Error),
}

#[async_trait]
impl Pieces for ObjectPieces {
    async fn next(&mut self) -> Result<Bytes, Error> {
        if self.range.is_empty() {
            return Ok(Bytes::new());
        }
        let wait = if self.has_begun { NEXT_PIECE_WAIT } else { FIRST_PIECE_WAIT };
        let deadline = Instant::now() + wait;
        let (mut tries, mut wrong) = (0, 0);
        loop {
            let failure = match self.attempt(deadline).await {
                Ok(block) => return Ok(self.cut(block)),
                Err(failure) => failure,
            };
            (self.stream, tries) = (None, tries + 1);
            self.buffer.clear();
            wrong += u32::from(matches!(failure, Failure::Wrong | Failure::Size(_)));
            let pause = jittered(tries);
            if matches!(failure, Failure::Missing) || wrong == WRONG_MAX || Instant::now() + pause >= deadline
            {
                return Err(self.give_up(failure));
            }
            sleep(pause).await;
        }
    }
}

impl ObjectPieces {
    /// The next block, verified.
    async fn attempt(&mut self, deadline: Instant) -> Result<Bytes, Failure> {
        let content_left = self.object.size_bytes - self.block * BLOCK_BYTES;
        let length = BLOCK_BYTES.min(content_left);
        let needed = usize::try_from(length + TAG_BYTES).unwrap_or(usize::MAX);
        self.buffer.reserve(needed.saturating_sub(self.buffer.len()));
        while self.buffer.len() < needed {
            let limit = SILENCE_MAX.min(deadline.saturating_duration_since(Instant::now()));
            let more = timeout(limit, self.more()).await.map_err(|_| silent())??;
            self.buffer.extend_from_slice(&more);
        }
        let mut block = self.buffer.split_to(needed).freeze();
        let tag = block.split_off(needed - TAG_BYTES as usize);
        if is_right(&self.object.key, self.block, &block, &tag) { Ok(block) } else { Err(Failure::Wrong) }
    }

    /// What comes next, of a new request if none is under way.
    async fn more(&mut self) -> Result<Bytes, Failure> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            stream => stream.insert(request(&self.object, self.block, self.range.end).await?),
        };
        match stream.next().await {
            Some(Ok(bytes)) => Ok(bytes),
            Some(Err(error)) => Err(Failure::Unavailable(client::error("reading content", &error))),
            None => Err(Failure::Unavailable(Error::Unavailable("S3 ended an answer early".into()))),
        }
    }

    /// What the stretch has of this block, which is the next.
    fn cut(&mut self, block: Bytes) -> Bytes {
        if self.block == 0 {
            self.object.shared.known.begins(&self.object.key, &block);
        }
        let starts_at = self.block * BLOCK_BYTES;
        let place =
            |at: u64| usize::try_from(at.saturating_sub(starts_at)).unwrap_or(usize::MAX).min(block.len());
        let piece = block.slice(place(self.range.start)..place(self.range.end));
        self.range.start += piece.len() as u64;
        (self.block, self.has_begun) = (self.block + 1, true);
        piece
    }

    fn give_up(&self, failure: Failure) -> Error {
        let Object { shared, key, size_bytes, .. } = &*self.object;
        if !matches!(failure, Failure::Unavailable(_)) {
            shared.known.lose(key);
        }
        match failure {
            Failure::Missing => Error::Missing(key.as_str().into()),
            Failure::Size(found) => {
                let found = content_bytes(found).map_or("no whole".to_owned(), |bytes| bytes.to_string());
                Error::Corrupt(format!("content {key} has {found} bytes instead of {size_bytes}").into())
            }
            Failure::Wrong => {
                let at = self.block * BLOCK_BYTES;
                Error::Corrupt(format!("content {key} is not what was stored, after {at} bytes").into())
            }
            Failure::Unavailable(error) => error,
        }
    }
}

fn silent() -> Failure {
    Failure::Unavailable(Error::Unavailable("S3 was silent for too long".into()))
}

/// Asks for the blocks from `block` to the one that holds the last byte before `end`.
async fn request(
    object: &Object,
    block: u64,
    end: u64,
) -> Result<BoxStream<'static, object_store::Result<Bytes>>, Failure> {
    let whole = object_bytes(object.size_bytes);
    let range = block_start(block)..block_start(end.div_ceil(BLOCK_BYTES)).min(whole);
    // Without a range, an object of another size is told as such.
    let range = (range != (0..whole)).then_some(GetRange::Bounded(range));
    let options = GetOptions { range, ..GetOptions::default() };
    let result = object.shared.store.get_opts(&object.shared.path(&object.key), options).await;
    match result {
        Ok(found) if found.meta.size == whole => Ok(found.into_stream()),
        Ok(found) => Err(Failure::Size(found.meta.size)),
        Err(object_store::Error::NotFound { .. }) => Err(Failure::Missing),
        Err(error) => Err(Failure::Unavailable(client::error("reading content", &error))),
    }
}

/// A pause before the next attempt, of which half is chance, so that not all try again at the same time.
pub fn jittered(tries: u32) -> Duration {
    let most = 50_u64 << tries.min(5);
    let chance = uuid::Uuid::new_v4().as_u128() % u128::from(most / 2);
    Duration::from_millis(most / 2 + u64::try_from(chance).unwrap_or(0))
}
