//! The store: catalog, content and cache as one.

use std::{path::Path, sync::Arc};

use charta_model::{HistoryQuery, Query, ResourceId, TenantId, Timestamp, Write, WriteOutcome};

use crate::{
    Access, BackupSummary, CommitError, Content, Error, Finding, HistoryPage, OpenError, Options, SearchPage,
    Statistics, Stored, Swept, Upload, Uploaded,
};

/// Tells how far a long operation is: bytes done, bytes in all.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// A document store. Cheap to clone; all clones are the same store.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    secret: [u8; 32],
}

#[expect(clippy::unused_async, clippy::missing_errors_doc, reason = "being written")]
impl Store {
    pub fn open(options: &Options, access: Access) -> Result<Self, OpenError> {
        let _ = access;
        Err(OpenError::NotAStore { directory: options.directory.clone() })
    }

    pub async fn current(&self, _tenant: &TenantId, _id: &ResourceId) -> Result<Option<Arc<Stored>>, Error> {
        Err(Error::Closed)
    }

    pub fn cached(&self, _tenant: &TenantId, _id: &ResourceId) -> Option<Arc<Stored>> {
        None
    }

    pub async fn version(
        &self,
        _tenant: &TenantId,
        _id: &ResourceId,
        _version: u64,
    ) -> Result<Option<Arc<Stored>>, Error> {
        Err(Error::Closed)
    }

    pub async fn history(&self, _tenant: &TenantId, _query: &HistoryQuery) -> Result<HistoryPage, Error> {
        Err(Error::Closed)
    }

    pub async fn search(&self, _tenant: &TenantId, _query: &Query) -> Result<SearchPage, Error> {
        Err(Error::Closed)
    }

    pub async fn content(&self, _stored: &Stored) -> Result<Content, Error> {
        Err(Error::Closed)
    }

    pub fn upload(&self) -> Upload {
        unreachable!("no store opens yet")
    }

    pub async fn commit(
        &self,
        _tenant: &TenantId,
        _write: Write,
        _content: Option<Uploaded>,
        _now: Timestamp,
    ) -> Result<WriteOutcome, CommitError> {
        Err(Error::Closed.into())
    }

    pub async fn purge(&self, _tenant: &TenantId, _id: &ResourceId) -> Result<bool, Error> {
        Err(Error::Closed)
    }

    pub async fn sweep(&self) -> Result<Swept, Error> {
        Err(Error::Closed)
    }

    pub async fn check(&self, _repair: bool, _progress: Progress<'_>) -> Result<Vec<Finding>, Error> {
        Err(Error::Closed)
    }

    pub async fn backup(&self, _destination: &Path, _progress: Progress<'_>) -> Result<BackupSummary, Error> {
        Err(Error::Closed)
    }

    pub fn restore(
        _source: &Path,
        _destination: &Path,
        _progress: Progress<'_>,
    ) -> Result<BackupSummary, Error> {
        Err(Error::Closed)
    }

    pub async fn ping(&self) -> Result<(), Error> {
        Err(Error::Closed)
    }

    pub fn secret(&self) -> &[u8; 32] {
        &self.0.secret
    }

    pub async fn statistics(&self) -> Result<Statistics, Error> {
        Err(Error::Closed)
    }

    pub async fn close(&self) {}
}
