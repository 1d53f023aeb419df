//! The one door to the catalog. Authorization is part of the lookup, not a filter behind it: a
//! record that is not there and one that is not the caller's are the same answer.

use std::sync::Arc;

use charta_auth::{Action, Grant};
use charta_model::{HistoryQuery, HistoryScope, Query, ResourceId, ResourceType, Scope, TenantId, Timestamp};
use charta_store::{Content, SearchPage, Store, Stored};

use crate::{
    access::{Access, Answer, Shown},
    narrow::narrowed,
};

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
    /// A scope is missing.
    #[error("not allowed")]
    Forbidden,
    /// The store failed; it knows whether trying again can help.
    #[error("store unavailable")]
    Store(#[from] charta_store::Error),
}

/// A page of a history.
#[derive(Debug, Clone, Default)]
pub struct HistoryPage {
    /// Sequence number and version, newest first.
    pub entries: Vec<(u64, Arc<Stored>)>,
    /// How many versions match on all pages, if that can be said.
    pub total: Option<u64>,
    /// Whether there are matches older than this page.
    pub more: bool,
}

/// What one grant can see of one tenant.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    access: Access<'a>,
}

impl<'a> Lookup<'a> {
    pub(crate) const fn new(store: &'a Store, tenant: &'a TenantId, grant: &'a Grant) -> Self {
        Self { access: Access { store, tenant, grant } }
    }

    pub(crate) const fn access(&self) -> &Access<'a> {
        &self.access
    }

    const fn store(&self) -> &'a Store {
        self.access.store
    }

    const fn tenant(&self) -> &'a TenantId {
        self.access.tenant
    }

    /// The current version of a document.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `Gone` if it is deleted, `Store`.
    pub async fn read(&self, kind: &ResourceType, id: &ResourceId) -> Result<Arc<Stored>, ReadError> {
        self.covered(Action::Read, kind)?;
        let found = self.store().current(self.tenant(), kind, id).await?.ok_or(ReadError::NotFound)?;
        let answer = match self.access.grant.is_everything() {
            true => Answer::Yes,
            false => self.access.may_now(Action::Read, &found).await?.0,
        };
        self.shown(found, answer).await
    }

    /// The same, with what it belongs to, for the record.
    ///
    /// # Errors
    /// As [`Lookup::read`].
    pub async fn read_for_record(&self, kind: &ResourceType, id: &ResourceId) -> Result<Shown, ReadError> {
        self.covered(Action::Read, kind)?;
        let found = self.store().current(self.tenant(), kind, id).await?.ok_or(ReadError::NotFound)?;
        let (answer, anchors) = match self.access.may_at_once(Action::Read, &found) {
            Some(answered) => answered,
            None => self.access.may_now(Action::Read, &found).await?,
        };
        Ok(Shown { stored: self.shown(found, answer).await?, anchors })
    }

    /// One version of a document. The deletion itself is `Gone`, the versions before it are not.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `Gone`, `Store`.
    pub async fn vread(
        &self,
        kind: &ResourceType,
        id: &ResourceId,
        version: u64,
    ) -> Result<Arc<Stored>, ReadError> {
        self.covered(Action::Read, kind)?;
        let found = self.store().version(self.tenant(), kind, id, version).await?;
        let found = found.ok_or(ReadError::NotFound)?;
        let answer = self.access.may(Action::Read, &found).await?;
        self.shown(found, answer).await
    }

    /// A page of versions, newest first: of those that the caller may see. A caller who does not see everything
    /// sees the versions of documents that are there, without a total.
    ///
    /// # Errors
    /// `Forbidden`, `Store`. Whether a single document exists is the caller's to ask by a read first.
    pub async fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, ReadError> {
        let grant = self.access.grant;
        if grant.is_everything() {
            let page = self.store().history(self.tenant(), query).await?;
            return Ok(HistoryPage { entries: page.entries, total: Some(page.total), more: page.more });
        }
        let mut query = query.clone();
        let action = match &query.scope {
            HistoryScope::Document(..) => Action::Read,
            _ => Action::Search,
        };
        if let HistoryScope::Types(scopes) = query.scope {
            let all = Query { scopes, ..Query::default() };
            query.scope = HistoryScope::Found(narrowed(grant, &[action], &all).ok_or(ReadError::Forbidden)?);
        } else if !matches!(query.scope, HistoryScope::Document(..)) {
            return Err(ReadError::Forbidden);
        }
        let mut shown = HistoryPage::default();
        loop {
            let page = self.store().history(self.tenant(), &query).await?;
            query.before = page.entries.last().map(|(sequence, _)| *sequence);
            for (sequence, stored) in page.entries {
                if self.access.may(action, &stored).await? == Answer::Yes {
                    shown.entries.push((sequence, stored));
                }
            }
            shown.more = page.more;
            if !page.more || query.before.is_none() || shown.entries.len() >= query.limit {
                break;
            }
        }
        shown.more |= shown.entries.len() > query.limit;
        shown.entries.truncate(query.limit);
        Ok(shown)
    }

    /// A page of current documents.
    ///
    /// # Errors
    /// `Forbidden` if the caller may search none of the types, `Store`.
    pub async fn search(&self, query: &Query) -> Result<SearchPage, ReadError> {
        let query = narrowed(self.access.grant, &[Action::Search], query).ok_or(ReadError::Forbidden)?;
        Ok(self.store().search(self.tenant(), &query).await?)
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
        for (kind, id) in self.store().references(self.tenant(), from, parameter, target).await? {
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
        let mut shown = Vec::new();
        for stored in self.store().referring(self.tenant(), to, scope, parameter, limit).await? {
            if self.access.may(Action::Read, &stored).await? == Answer::Yes {
                shown.push(stored);
            }
        }
        Ok(shown)
    }

    /// The patients that a version is about; of a Binary, those of what it belongs to.
    ///
    /// # Errors
    /// `Store`.
    pub async fn patients(&self, stored: &Stored) -> Result<Vec<ResourceId>, ReadError> {
        Ok(self.access.patients(stored).await?)
    }

    /// The bytes of a version that this lookup gave.
    ///
    /// # Errors
    /// `Store`: also when the bytes are missing, which a read never hides.
    pub async fn content(&self, stored: &Stored) -> Result<Content, ReadError> {
        Ok(self.store().content(stored).await?)
    }

    fn covered(&self, action: Action, kind: &ResourceType) -> Result<(), ReadError> {
        if self.access.covers(action, kind) { Ok(()) } else { Err(ReadError::Forbidden) }
    }

    async fn shown(&self, found: Arc<Stored>, answer: Answer) -> Result<Arc<Stored>, ReadError> {
        match answer {
            Answer::Yes => {}
            Answer::Forbidden => return Err(ReadError::Forbidden),
            Answer::Hidden => return Err(ReadError::NotFound),
        }
        if found.document.description.is_none() {
            return Err(ReadError::Gone { version: found.document.version, at: found.document.updated });
        }
        self.without_foreign_context(found).await
    }

    /// The security context of a Binary is an id; it is told to those who may read what it names.
    async fn without_foreign_context(&self, found: Arc<Stored>) -> Result<Arc<Stored>, ReadError> {
        let context = found.document.content().and_then(|content| content.security_context.as_ref());
        let Some(context) = context.filter(|_| !self.access.grant.is_everything()) else { return Ok(found) };
        if let Some((kind, id)) = context.local()
            && let Some(guard) = self.store().current(self.tenant(), &kind, &id).await?
            && self.access.may(Action::Read, &guard).await? == Answer::Yes
        {
            return Ok(found);
        }
        let mut shown = (*found).clone();
        let content =
            shown.document.description.as_mut().and_then(|description| description.content.as_mut());
        content.into_iter().for_each(|content| content.security_context = None);
        Ok(Arc::new(shown))
    }
}
