//! Content in a store that speaks S3.
//!
//! ```text
//! <prefix>/<aa>/<random>    one content, in blocks that can be verified by themselves (blocks.rs);
//!                           aa: the first two digits of the random part
//! ```
//!
//! Nothing relies on what stores do differently: no key is used twice, no put is conditional, nothing is renamed
//! (decisions 0017 and 0018). An object is there whole or not at all; the record in the catalog is the only commit
//! point. What a process that was killed leaves (an object that no record names) is for the sweep; parts of an upload
//! that never ended are for the bucket's lifecycle rule.

mod blocks;
mod client;
mod known;
mod read;
mod write;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutMode, aws::AmazonS3, path::Path};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, watch},
    time::timeout,
};

pub use self::{client::S3Place, write::OBJECT_BYTES_MAX};
use self::{
    known::Known,
    read::Object,
    write::{BUDGET_UNIT_BYTES, ObjectWriter},
};
use super::{ContentStore, ContentWriter, Listing, Opened};
use crate::Error;

/// All uploads together hold so many bytes in memory, and 256 KiB each.
const UPLOADS_BYTES_MAX: usize = 512 << 20;
/// So many keys a store gives in one answer.
const LISTED_AT_ONCE: usize = 1000;
/// So long closing waits for removals.
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// So long a question whether the store is there may take.
const PING_WAIT: Duration = Duration::from_secs(5);

/// Content in a bucket.
pub struct S3(Arc<Shared>);

struct Shared {
    store: AmazonS3,
    prefix: Path,
    known: Known,
    /// In units of [`BUDGET_UNIT_BYTES`].
    memory: Arc<Semaphore>,
    /// How many removals are under way.
    removals: watch::Sender<usize>,
}

impl S3 {
    /// Content in this bucket. Asks it nothing: what does not answer now may do so later.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn open(place: &S3Place) -> Result<Self, String> {
        Self::with_memory(place, UPLOADS_BYTES_MAX)
    }

    /// The same, in which all uploads together hold so many bytes in memory.
    fn with_memory(place: &S3Place, bytes: usize) -> Result<Self, String> {
        Ok(Self(Arc::new(Shared {
            store: place.connect()?,
            prefix: place.prefix().clone(),
            known: Known::new(),
            memory: Arc::new(Semaphore::new(bytes / BUDGET_UNIT_BYTES)),
            removals: watch::Sender::new(0),
        })))
    }
}

impl Shared {
    fn path(&self, key: &str) -> Path {
        key.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }

    /// Does this after whoever asked has gone on.
    fn in_background(shared: &Arc<Self>, runtime: &Handle, work: impl Future<Output = ()> + Send + 'static) {
        let shared = Arc::clone(shared);
        shared.removals.send_modify(|count| *count += 1);
        runtime.spawn(async move {
            work.await;
            shared.removals.send_modify(|count| *count -= 1);
        });
    }

    /// Removes what nothing names.
    fn discard(shared: &Arc<Self>, runtime: &Handle, key: &str) {
        let (this, key) = (Arc::clone(shared), key.to_owned());
        Self::in_background(shared, runtime, async move { this.remove(&key).await });
    }

    /// Removes what nothing names; what is not removed goes with the next sweep.
    async fn remove(&self, key: &str) {
        self.remove_at(&self.path(key)).await;
        self.known.release(key);
    }

    async fn remove_at(&self, path: &Path) {
        if let Err(error) = self.store.delete(path).await
            && !matches!(error, object_store::Error::NotFound { .. })
        {
            tracing::warn!(cause = %client::error("removing content", &error), %path, "an object is left in S3");
        }
    }
}

#[async_trait]
impl ContentStore for S3 {
    async fn create(&self) -> Result<Box<dyn ContentWriter>, Error> {
        Ok(Box::new(ObjectWriter::new(&self.0)))
    }

    /// Asks nothing: the first read tells whether it is there.
    async fn open(&self, key: &str, size_bytes: u64) -> Result<Opened, Error> {
        let object = Object::open(&self.0, key, size_bytes).ok_or_else(|| Error::Missing(key.into()))?;
        Ok(Opened::Remote(Arc::new(object)))
    }

    fn holds(&self, key: &str, _size_bytes: u64) -> bool {
        !self.0.known.is_lost(key)
    }

    async fn remove(&self, key: &str) -> Result<Option<u64>, Error> {
        if self.0.known.is_doomed(key) {
            return Ok(None);
        }
        let path = self.0.path(key);
        let size = match self.0.store.head(&path).await {
            Ok(found) => found.size,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(client::error("looking for content", &error)),
        };
        // Contract 8: what is being read here goes afterwards.
        if !self.0.known.doom(key) {
            let removed = self.0.store.delete(&path).await;
            removed.map_err(|error| client::error("removing content", &error))?;
        }
        Ok(Some(blocks::content_bytes(size).unwrap_or(size)))
    }

    async fn list(&self, from: Option<String>) -> Result<Listing, Error> {
        let Shared { store, prefix, known, .. } = &*self.0;
        let offset = from.map_or_else(|| prefix.clone(), |key| self.0.path(&key));
        let listed = store.list_with_offset(Some(prefix), &offset).take(LISTED_AT_ONCE);
        let listed: Vec<_> =
            listed.try_collect().await.map_err(|error| client::error("listing content", &error))?;
        let keys: Vec<_> = listed
            .iter()
            .filter_map(|object| Some((key_of(prefix, &object.location)?, object.size)))
            .collect();
        let next = keys.last().filter(|_| listed.len() == LISTED_AT_ONCE).map(|(key, _)| key.clone());
        let settled = keys.into_iter().filter(|(key, _)| !known.is_held(key) && !known.is_doomed(key));
        let keys = settled.map(|(key, size)| (key, blocks::content_bytes(size).unwrap_or(size))).collect();
        Ok(Listing { keys, next })
    }

    /// A listing tells whether the bucket is there and may be asked, at the price of a write.
    async fn ping(&self) -> Result<(), Error> {
        let silent = |_| Error::Unavailable("content: S3 does not answer".into());
        let nothing = self.0.prefix.clone().join("ping");
        let mut listing = self.0.store.list(Some(&nothing));
        let asked = timeout(PING_WAIT, listing.try_next()).await.map_err(silent)?;
        asked.map(drop).map_err(|error| client::error("content", &error))
    }

    fn is_shared(&self) -> bool {
        true
    }

    /// Puts an object twice where the second put has to be refused.
    async fn probe(&self) {
        let path = self.0.prefix.clone().join(format!("probe-{}", uuid::Uuid::new_v4().simple()));
        let put = async || self.0.store.put_opts(&path, "probe".into(), PutMode::Create.into()).await;
        let first = put().await;
        let second = put().await;
        let conditional_puts = match (&first, &second) {
            (Err(error), _) => {
                return tracing::warn!(cause = %client::error("content", error), "S3 does not take content");
            }
            (Ok(_), Err(object_store::Error::AlreadyExists { .. })) => "refused, as they should be",
            (Ok(_), Err(_)) => "not understood",
            (Ok(_), Ok(_)) => "done all the same",
        };
        tracing::info!(conditional_puts, "S3 takes content; nothing relies on conditional puts");
        self.0.remove_at(&path).await;
    }

    async fn close(&self) {
        let mut removals = self.0.removals.subscribe();
        if timeout(CLOSE_WAIT, removals.wait_for(|count| *count == 0)).await.is_err() {
            tracing::warn!("content that nothing names stays in S3 for the sweep");
        }
    }
}

/// The key of an object, if its name is one that this store gives: others in the bucket are left alone.
fn key_of(prefix: &Path, location: &Path) -> Option<String> {
    let mut parts = location.prefix_match(prefix)?;
    let (shelf, name) = (parts.next()?, parts.next()?);
    let is_name = name.as_ref().len() == 32
        && name.as_ref().bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_key = is_name && name.as_ref().get(..2) == Some(shelf.as_ref()) && parts.next().is_none();
    is_key.then(|| format!("{}/{}", shelf.as_ref(), name.as_ref()))
}
