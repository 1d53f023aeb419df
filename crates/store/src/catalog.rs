//! The catalog: what is known about documents, and small content.

mod entry;
pub mod events;
pub mod moving;
pub mod postgres;
mod record;
mod search;
pub mod sqlite;
mod times;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use charta_model::{
    Digest, Guard, HistoryQuery, Query, ResourceId, ResourceType, Scope, TenantId, Timestamp, Write,
    WriteOutcome,
};

use crate::{Error, Finding, HistoryPage, Referrer, SearchPage, Stored, TransactError, Uploaded};

/// Keeps records. One process writes; others may read beside it.
///
/// Reads see whole commits only, and never go back in time.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// The newest version of a document, be it a deletion. Small content comes with it.
    async fn current(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
    ) -> Result<Option<Stored>, Error>;

    /// One version of a document, without content.
    async fn version(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
        version: u64,
    ) -> Result<Option<Stored>, Error>;

    /// A page of a history, without content.
    async fn history(&self, tenant: &TenantId, query: &HistoryQuery) -> Result<HistoryPage, Error>;

    /// A page of a search, without content.
    async fn search(&self, tenant: &TenantId, query: &Query) -> Result<SearchPage, Error>;

    /// Content that the catalog keeps itself, verified.
    ///
    /// # Errors
    /// `Missing` if there is none under this key, `Corrupt` if it is not what was stored.
    async fn bytes(&self, content: i64) -> Result<Bytes, Error>;

    /// Decides and stores these writes in order, all or none, after the guards; returns when they are on
    /// stable storage. They happen even if the caller stops waiting.
    ///
    /// Keeps content that a new record names, and discards the rest; leaves it if the commit failed in a way
    /// that a crash could undo (Contract 2).
    async fn transact(
        &self,
        tenant: &TenantId,
        writes: Vec<(Write, Option<Uploaded>)>,
        guards: Vec<Guard>,
        now: Timestamp,
    ) -> Result<Vec<WriteOutcome>, TransactError>;

    /// The versions that name a Binary as their content, newest first.
    async fn referrers(
        &self,
        tenant: &TenantId,
        binary: &ResourceId,
        limit: usize,
    ) -> Result<Vec<Referrer>, Error>;

    /// The documents that name a Binary as their content, in any version; the first `limit` of them.
    async fn anchors(
        &self,
        tenant: &TenantId,
        binary: &ResourceId,
        limit: usize,
    ) -> Result<Vec<(ResourceType, ResourceId)>, Error>;

    /// What these current documents refer to, each once; by one parameter and of one type, or any.
    async fn references(
        &self,
        tenant: &TenantId,
        from: &[(ResourceType, ResourceId)],
        parameter: Option<&str>,
        target: Option<&ResourceType>,
    ) -> Result<Vec<(ResourceType, ResourceId)>, Error>;

    /// The first current documents of `scope`, by id, that refer to any of these.
    async fn referring(
        &self,
        tenant: &TenantId,
        to: &[(ResourceType, ResourceId)],
        scope: &Scope,
        parameter: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Arc<Stored>>, Error>;

    /// Content is about to be under this key of a content store that others sweep as well. It is not theirs to
    /// remove until the commit that names it, or for a day. A catalog that one process has alone needs no telling:
    /// that process knows what its writes hold.
    async fn announce(&self, _key: &str) -> Result<(), Error> {
        Ok(())
    }

    /// Which of these keys of stored content are for a sweep to remove, in the order given: no record names them,
    /// nor will one, as what was announced long ago is taken back with this. They must have been listed before.
    async fn claim(&self, keys: Vec<String>) -> Result<Vec<bool>, Error> {
        Ok(self.known(keys).await?.into_iter().map(|known| !known).collect())
    }

    /// For a sweep among all processes of this catalog, until it is dropped; `None` while another sweeps, checks or
    /// is backed up. A catalog that one process has alone leaves that to the directory.
    async fn begin_sweep(&self) -> Result<Option<SweepLock>, Error> {
        Ok(Some(Box::new(())))
    }

    /// Keeps sweeps of all processes away until it is dropped; waits for one that runs.
    async fn hold_off_sweeps(&self) -> Result<SweepLock, Error> {
        Ok(Box::new(()))
    }

    /// Removes a document with every version; `false` if there is none.
    async fn purge(&self, tenant: &TenantId, kind: &ResourceType, id: &ResourceId) -> Result<bool, Error>;

    /// Removes the records of content that no version refers to, and remembers what they named in the
    /// content store until it is [`removed`](Catalog::removed).
    async fn forget_unreferenced(&self) -> Result<Forgotten, Error>;

    /// These keys of the content store are gone.
    async fn removed(&self, keys: Vec<String>) -> Result<(), Error>;

    /// Which of these keys of stored content a record names, a sweep is about to remove or a write has announced,
    /// in the order given.
    async fn known(&self, keys: Vec<String>) -> Result<Vec<bool>, Error>;

    /// Number and bytes of all contents.
    async fn content_totals(&self) -> Result<(u64, u64), Error>;

    /// Up to `limit` contents with greater keys than `after`, in the order of their keys.
    async fn contents(&self, after: i64, limit: usize) -> Result<Vec<ContentRecord>, Error>;

    /// Whether the record is still there as given.
    async fn confirm(&self, record: &ContentRecord) -> Result<bool, Error>;

    /// Compares the records with each other, and with `repair` derives again what is derived.
    async fn check(&self, repair: bool) -> Result<Vec<Finding>, Error>;

    /// Number of undeleted documents, of versions, and of the catalog's own bytes.
    async fn tally(&self) -> Result<Tally, Error>;

    /// Writes a copy of the catalog as it is at one instant into a new file.
    async fn snapshot(&self, file: &Path) -> Result<(), Error>;

    /// Whether the catalog answers.
    async fn ping(&self) -> Result<(), Error>;

    /// The same catalog as one that can be moved, if it can.
    fn moving(&self) -> Option<&dyn moving::Moving> {
        None
    }

    /// The same catalog as one that has the events of several nodes, if several may have it.
    fn events(&self) -> Option<&dyn events::Events> {
        None
    }

    /// Finishes what was begun; later calls may fail with `Closed`.
    async fn close(&self);
}

/// Is held while it is there.
pub type SweepLock = Box<dyn std::any::Any + Send + Sync>;

/// One content as the catalog knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentRecord {
    /// Its key in the catalog.
    pub key: i64,
    /// Its SHA-256.
    pub digest: Digest,
    /// Number of bytes.
    pub size_bytes: u64,
    /// Its key in the content store; `None` if the catalog keeps the bytes.
    pub file: Option<String>,
}

/// What a sweep has to do after records were removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Number of records.
    pub contents: u64,
    /// Bytes of content that the catalog kept itself.
    pub bytes: u64,
    /// Keys of the content store to be removed, also those of sweeps that were cut off.
    pub keys: Vec<String>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Current, undeleted documents.
    pub documents: u64,
    /// Versions, deletions included.
    pub versions: u64,
    /// Bytes of the catalog itself.
    pub catalog_bytes: u64,
}

/// What a catalog tells and asks the rest of the store while it commits.
pub trait Companion: Send + Sync {
    /// These documents are about to change: from now on nothing remembered about them holds.
    fn changing(&self, documents: &[(TenantId, ResourceType, ResourceId)]);

    /// The change is over, done or not. Called once for each `changing`, before the acknowledgement.
    fn changed(&self, documents: &[(TenantId, ResourceType, ResourceId)]);

    /// Whether the content store still has something of this size under the key.
    fn holds(&self, key: &str, size_bytes: u64) -> bool;

    /// Records that were given out may name content that has been replaced.
    fn replaced(&self);
}
