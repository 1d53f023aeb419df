//! Bytes on their way into an object: one request if they are few, else parts while they come in.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use charta_model::Digest;
use object_store::{
    MultipartId, ObjectStore as _, PutPayload,
    multipart::{MultipartStore as _, PartId},
};
use tokio::{
    runtime::Handle,
    sync::OwnedSemaphorePermit,
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

use super::{
    Shared,
    blocks::{Sealer, object_bytes},
    client,
};
use crate::{
    Error,
    content::{ContentWriter, End, Placed},
};

/// All parts but the last are so long, as some stores want.
const PART_BYTES: usize = 8 << 20;
/// No store takes more than 10,000 parts of this size; with what stands between blocks.
pub const OBJECT_BYTES_MAX: u64 = 83_000_000_000;
const _: () = assert!(object_bytes(OBJECT_BYTES_MAX) < 10_000 * PART_BYTES as u64);
/// So much of each upload is not counted against what all may hold in memory.
const FREE_BYTES: usize = 256 << 10;
/// What all may hold is given out in pieces of this size.
pub const BUDGET_UNIT_BYTES: usize = 1 << 20;
/// So long an upload waits for memory that others hold.
const MEMORY_WAIT: Duration = Duration::from_secs(5);
/// Bytes up to this size are hashed where they are; more on a thread for such work.
const SEALED_HERE_BYTES: usize = 64 << 10;

pub struct ObjectWriter {
    shared: Arc<Shared>,
    key: String,
    runtime: Handle,
    sealer: Option<Sealer>,
    pending: Pending,
    upload: Option<MultipartId>,
    sending: Option<JoinHandle<object_store::Result<PartId>>>,
    parts: Vec<PartId>,
    memory: Option<OwnedSemaphorePermit>,
    /// Whether there were no bytes yet.
    is_new: bool,
    /// Whether there is an owner who sees to the object.
    is_placed: bool,
}

/// Bytes that are not sent yet.
#[derive(Default)]
struct Pending {
    pieces: VecDeque<Bytes>,
    length: usize,
}

impl Pending {
    fn push(&mut self, piece: Bytes) {
        self.length += piece.len();
        self.pieces.push_back(piece);
    }

    /// The first `length` bytes, or all.
    fn take(&mut self, length: usize) -> PutPayload {
        let mut taken = Vec::new();
        let mut wanted = length.min(self.length);
        self.length -= wanted;
        while wanted > 0
            && let Some(mut piece) = self.pieces.pop_front()
        {
            let part = piece.split_to(wanted.min(piece.len()));
            wanted -= part.len();
            taken.push(part);
            if !piece.is_empty() {
                self.pieces.push_front(piece);
            }
        }
        taken.into_iter().collect()
    }
}

impl ObjectWriter {
    pub fn new(shared: &Arc<Shared>) -> Self {
        let key = fresh_key();
        shared.known.hold(&key);
        Self {
            shared: Arc::clone(shared),
            sealer: Some(Sealer::new(&key)),
            key,
            runtime: Handle::current(),
            pending: Pending::default(),
            upload: None,
            sending: None,
            parts: Vec::new(),
            memory: None,
            is_new: true,
            is_placed: false,
        }
    }

    async fn seal(&mut self, bytes: Bytes) -> Result<Vec<Bytes>, Error> {
        let Some(mut sealer) = self.sealer.take() else { return Err(unfinished()) };
        let (sealer, sealed) = if bytes.len() <= SEALED_HERE_BYTES {
            let sealed = sealer.seal(bytes);
            (sealer, sealed)
        } else {
            let sealing = spawn_blocking(move || {
                let sealed = sealer.seal(bytes);
                (sealer, sealed)
            });
            sealing.await.map_err(|error| Error::task(&error))?
        };
        self.sealer = Some(sealer);
        Ok(sealed)
    }

    /// Takes what is needed, beside what it has, of the memory that all uploads may hold.
    async fn reserve(&mut self) -> Result<(), Error> {
        let sending = if self.sending.is_some() { PART_BYTES } else { 0 };
        let needed = (self.pending.length.saturating_sub(FREE_BYTES) + sending).div_ceil(BUDGET_UNIT_BYTES);
        let had = self.memory.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let Some(missing) = needed.checked_sub(had).filter(|missing| *missing > 0) else { return Ok(()) };
        let units = u32::try_from(missing).unwrap_or(u32::MAX);
        let acquired = Arc::clone(&self.shared.memory).acquire_many_owned(units);
        let full = || Error::Unavailable("too many uploads at once".into());
        let more = timeout(MEMORY_WAIT, acquired).await.map_err(|_| full())?.map_err(|_| full())?;
        match &mut self.memory {
            Some(memory) => memory.merge(more),
            memory => *memory = Some(more),
        }
        Ok(())
    }

    /// Begins to send the next part when the one before is there.
    async fn send(&mut self, part: PutPayload) -> Result<(), Error> {
        self.sent().await?;
        let path = self.shared.path(&self.key);
        let id = match &self.upload {
            Some(id) => id.clone(),
            None => {
                let begun = self.shared.store.create_multipart(&path).await;
                let id = begun.map_err(|error| client::error("beginning an upload", &error))?;
                self.upload.insert(id).clone()
            }
        };
        let (shared, index) = (Arc::clone(&self.shared), self.parts.len());
        self.sending =
            Some(tokio::spawn(async move { shared.store.put_part(&path, &id, index, part).await }));
        Ok(())
    }

    /// Waits for the part that is under way.
    async fn sent(&mut self) -> Result<(), Error> {
        let Some(sending) = &mut self.sending else { return Ok(()) };
        let sent = sending.await.map_err(|error| Error::task(&error));
        self.sending = None;
        self.parts.push(sent?.map_err(|error| client::error("sending a part", &error))?);
        Ok(())
    }

    /// Contract 3, for a store that has no directories: it answers when the object is durable under its name.
    async fn place(&mut self) -> Result<(), Error> {
        let Some(mut sealer) = self.sealer.take() else { return Err(unfinished()) };
        sealer.finish().into_iter().for_each(|end| self.pending.push(end));
        let path = self.shared.path(&self.key);
        let rest = self.pending.take(PART_BYTES);
        if self.upload.is_none() {
            let put = self.shared.store.put_opts(&path, rest, object_store::PutOptions::default()).await;
            return put.map(drop).map_err(|error| client::error("storing content", &error));
        }
        if rest.content_length() > 0 {
            self.send(rest).await?;
        }
        self.sent().await?;
        let (Some(id), parts) = (&self.upload, std::mem::take(&mut self.parts)) else {
            return Err(unfinished());
        };
        let completed = self.shared.store.complete_multipart(&path, id, parts).await;
        completed.map_err(|error| client::error("ending an upload", &error))?;
        self.upload = None;
        Ok(())
    }
}

#[async_trait]
impl ContentWriter for ObjectWriter {
    fn key(&self) -> Option<&str> {
        Some(&self.key)
    }

    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        if self.is_new {
            self.shared.known.begins(&self.key, &bytes);
            self.is_new = false;
        }
        for piece in self.seal(bytes).await? {
            self.pending.push(piece);
        }
        while self.pending.length > PART_BYTES {
            let part = self.pending.take(PART_BYTES);
            self.send(part).await?;
        }
        self.reserve().await
    }

    async fn finish(mut self: Box<Self>, _digest: &Digest) -> Result<Placed, Error> {
        self.place().await?;
        self.is_placed = true;
        let (shared, runtime) = (Arc::clone(&self.shared), self.runtime.clone());
        Ok(Placed::new(self.key.clone(), move |key, end| match end {
            End::Kept | End::Undecided => shared.known.release(key),
            End::Discarded => Shared::discard(&shared, &runtime, key),
        }))
    }
}

impl Drop for ObjectWriter {
    fn drop(&mut self) {
        if self.is_placed {
            return;
        }
        if let Some(sending) = self.sending.take() {
            sending.abort();
        }
        let (shared, key, upload) = (Arc::clone(&self.shared), self.key.clone(), self.upload.take());
        // The answer to a failed request may have been lost, so the object may be there all the same.
        Shared::in_background(&self.shared, &self.runtime, async move {
            let path = shared.path(&key);
            if let Some(id) = upload
                && let Err(error) = shared.store.abort_multipart(&path, &id).await
            {
                tracing::warn!(cause = %client::error("aborting an upload", &error), key, "parts are left in S3");
            }
            shared.remove(&key).await;
        });
    }
}

/// Contract 4: a key that was never given out before. Its first two digits are its shelf.
fn fresh_key() -> String {
    let name = uuid::Uuid::new_v4().simple().to_string();
    format!("{}/{name}", &name[..2])
}

fn unfinished() -> Error {
    Error::Unavailable("an earlier part of this upload was not written".into())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::content::s3::{S3, S3Place};

    const MEMORY_BYTES: usize = 4 << 20;
    /// Of this size, they are hashed at once and nothing is sent.
    const PIECE: Bytes = Bytes::from_static(&[7; SEALED_HERE_BYTES]);

    /// How many bytes it takes before it waits, or has `most`.
    fn taken(writer: &mut ObjectWriter, most: usize) -> usize {
        let mut taken = 0;
        while taken < most
            && let Some(written) = writer.write(PIECE).now_or_never()
        {
            written.unwrap();
            taken += PIECE.len();
        }
        taken
    }

    #[tokio::test]
    async fn uploads_take_what_all_may_hold_and_wait_for_what_others_give_back() {
        let nobody = [
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ("AWS_ACCESS_KEY_ID", "a"),
            ("AWS_SECRET_ACCESS_KEY", "b"),
        ];
        let nobody = nobody.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let shared = S3::with_memory(&S3Place::new("s3://b", nobody).unwrap(), MEMORY_BYTES).unwrap().0;
        let mut writers: Vec<_> = (0..20).map(|_| ObjectWriter::new(&shared)).collect();
        let most = PART_BYTES / 4;
        let sizes: Vec<_> = writers.iter_mut().map(|writer| taken(writer, most)).collect();
        assert_eq!(&sizes[..2], [most, most], "there is room for two");
        assert!(sizes[2..].iter().all(|size| (1..=FREE_BYTES).contains(size)), "{sizes:?}");
        assert_eq!(shared.memory.available_permits(), 0);

        drop(writers.remove(0));
        assert_eq!(taken(&mut writers[1], PIECE.len()), PIECE.len(), "one that waited goes on");
    }
}
