//! The one door to the catalog. Authorization is part of the lookup, not a filter behind it: a
//! record that is not there and one that is not the caller's are the same answer.

use std::sync::Arc;

use charta_auth::{Action, Grant, may};
use charta_model::{HistoryQuery, Query, ResourceId, ResourceType, Scope, TenantId, Timestamp};
use charta_store::{Content, Store, Stored};

pub use charta_store::{HistoryPage, SearchPage};

/// Why a read gave no document.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Never there, or not for this caller.
    #[error("no such document")]
    NotFound,
    /// It was there and the caller could see it.
    #[error("document deleted")]
    Gone {
        /// The version that says so.
        version: u64,
        /// When.
        at: Timestamp,
    },
    /// The caller may not search here at all.
    #[error("not allowed")]
    Forbidden,
    /// The store failed; it knows whether trying again can help.
    #[error("store unavailable")]
    Store(#[from] charta_store::Error),
}

/// What one grant can see of one tenant.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    store: &'a Store,
    tenant: &'a TenantId,
    grant: &'a Grant,
}

impl<'a> Lookup<'a> {
    pub(crate) const fn new(store: &'a Store, tenant: &'a TenantId, grant: &'a Grant) -> Self {
        Self { store, tenant, grant }
    }

    /// The current version of a document.
    ///
    /// # Errors
    /// `NotFound`, `Gone` if it is deleted, `Store`.
    pub async fn read(&self, kind: &ResourceType, id: &ResourceId) -> Result<Arc<Stored>, ReadError> {
        let found = self.store.current(self.tenant, kind, id).await?;
        self.shown(found)
    }

    /// One version of a document. The deletion itself is `Gone`, the versions before it are not.
    ///
    /// # Errors
    /// `NotFound`, `Gone`, `Store`.
    pub async fn vread(
        &self,
        kind: &ResourceType,
        id: &ResourceId,
        version: u64,
    ) -> Result<Arc<Stored>, ReadError> {
        let found = self.store.version(self.tenant, kind, id, version).await?;
        self.shown(found)
    }

    /// A page of versions, newest first.
    ///
    /// # Errors
    /// `Forbidden`, `Store`. Whether a single document exists is the caller's to ask by a read first.
    pub async fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, ReadError> {
        if !may(self.grant, Action::Search, self.tenant, None) {
            return Err(ReadError::Forbidden);
        }
        Ok(self.store.history(self.tenant, query).await?)
    }

    /// A page of current documents.
    ///
    /// # Errors
    /// `Forbidden`, `Store`.
    pub async fn search(&self, query: &Query) -> Result<SearchPage, ReadError> {
        if !may(self.grant, Action::Search, self.tenant, None) {
            return Err(ReadError::Forbidden);
        }
        Ok(self.store.search(self.tenant, query).await?)
    }

    /// What these documents refer to, by one parameter or by any; each once, and only what may be seen.
    ///
    /// # Errors
    /// `Store`.
    pub async fn references(
        &self,
        from: &[(ResourceType, ResourceId)],
        parameter: Option<&str>,
        target: Option<&ResourceType>,
    ) -> Result<Vec<Arc<Stored>>, ReadError> {
        let mut found = Vec::new();
        for (kind, id) in self.store.references(self.tenant, from, parameter, target).await? {
            match self.read(&kind, &id).await {
                Ok(stored) => found.push(stored),
                Err(ReadError::Store(error)) => return Err(error.into()),
                Err(_) => {}
            }
        }
        Ok(found)
    }

    /// The documents of a scope that refer to these by a parameter; at most `limit`, and only what may be seen.
    ///
    /// # Errors
    /// `Store`.
    pub async fn referring(
        &self,
        to: &[(ResourceType, ResourceId)],
        scope: &Scope,
        parameter: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Arc<Stored>>, ReadError> {
        let found = self.store.referring(self.tenant, to, scope, parameter, limit).await?;
        let may_be_seen =
            |stored: &Arc<Stored>| may(self.grant, Action::Read, self.tenant, Some(&stored.document));
        Ok(found.into_iter().filter(may_be_seen).collect())
    }

    /// The bytes of a version that this lookup gave.
    ///
    /// # Errors
    /// `Store`: also when the bytes are missing, which a read never hides.
    pub async fn content(&self, stored: &Stored) -> Result<Content, ReadError> {
        Ok(self.store.content(stored).await?)
    }

    fn shown(&self, found: Option<Arc<Stored>>) -> Result<Arc<Stored>, ReadError> {
        let found = found.ok_or(ReadError::NotFound)?;
        if !may(self.grant, Action::Read, self.tenant, Some(&found.document)) {
            return Err(ReadError::NotFound);
        }
        if found.document.description.is_none() {
            return Err(ReadError::Gone { version: found.document.version, at: found.document.updated });
        }
        Ok(found)
    }
}
