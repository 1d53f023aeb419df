//! What a grant may do with documents in hand: the facts are gathered here, [`charta_auth`] decides.

use std::sync::Arc;

use charta_auth::{Action, Condition, Decision, Grant, Subject, covers, decide};
use charta_model::{Document, Filter, Query, ResourceId, ResourceType, Scope, TenantId};
use charta_store::{Error, Store, Stored};

/// The grant of one caller in one tenant.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    pub store: &'a Store,
    pub tenant: &'a TenantId,
    pub grant: &'a Grant,
}

/// What became of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    /// A scope is missing.
    Forbidden,
    /// For this caller there is no such document.
    Hidden,
}

impl Access<'_> {
    /// Whether there is any scope for it, so that it is worth looking anything up.
    pub fn covers(&self, action: Action, kind: &ResourceType) -> bool {
        covers(self.grant, action, kind)
    }

    /// Whether the caller may do this with this version: as it is and, if it is not the current one, with what
    /// the document has become. So nothing is reached by an earlier version that has passed to another patient.
    pub async fn may(&self, action: Action, stored: &Stored) -> Result<Answer, Error> {
        if self.grant.is_everything() {
            return Ok(Answer::Yes);
        }
        let document = &stored.document;
        if !self.covers(action, &document.kind) {
            return Ok(Answer::Forbidden);
        }
        match self.store.current(self.tenant, &document.kind, &document.id).await? {
            Some(current) => Ok(self.may_with(action, stored, &current).await?.0),
            None => Ok(Answer::Hidden),
        }
    }

    /// The same of what was read as the current version just now; and what it was decided by, if it is a Binary.
    pub async fn may_now(
        &self,
        action: Action,
        current: &Arc<Stored>,
    ) -> Result<(Answer, Vec<Arc<Stored>>), Error> {
        if self.grant.is_everything() {
            return Ok((Answer::Yes, self.anchors(&current.document, current).await?));
        }
        if !self.covers(action, &current.document.kind) {
            return Ok((Answer::Forbidden, Vec::new()));
        }
        self.may_with(action, current, current).await
    }

    async fn may_with(
        &self,
        action: Action,
        stored: &Stored,
        current: &Arc<Stored>,
    ) -> Result<(Answer, Vec<Arc<Stored>>), Error> {
        let document = &stored.document;
        let Some(standing) = self.standing(current).await? else { return Ok((Answer::Hidden, Vec::new())) };
        let (answer, anchors) = self.decided(action, &standing.document, &standing).await?;
        if answer != Answer::Yes
            || document.version == standing.document.version
            || document.description.is_none()
        {
            return Ok((answer, anchors));
        }
        self.decided(action, document, &standing).await
    }

    /// The newest version that is no deletion.
    async fn standing(&self, newest: &Arc<Stored>) -> Result<Option<Arc<Stored>>, Error> {
        let mut standing = Arc::clone(newest);
        while standing.document.description.is_none() {
            let Document { kind, id, version, .. } = &standing.document;
            let Some(before) = version.checked_sub(1).filter(|before| *before > 0) else { return Ok(None) };
            let Some(found) = self.store.version(self.tenant, kind, id, before).await? else {
                return Ok(None);
            };
            standing = found;
        }
        Ok(Some(standing))
    }

    async fn decided(
        &self,
        action: Action,
        document: &Document,
        standing: &Stored,
    ) -> Result<(Answer, Vec<Arc<Stored>>), Error> {
        let Some(subject) = Subject::of(document) else { return Ok((Answer::Hidden, Vec::new())) };
        let anchors = self.anchors(document, standing).await?;
        let subjects: Vec<Subject<'_>> =
            anchors.iter().filter_map(|stored| Subject::of(&stored.document)).collect();
        // A guard that is gone guards still: what it was to protect does not fall to everybody.
        if subjects.is_empty() && context(document).is_some() {
            return Ok((Answer::Hidden, anchors));
        }
        let answer = match decide(self.grant, action, subject, &subjects) {
            Decision::Allowed => Answer::Yes,
            Decision::ScopeMissing => Answer::Forbidden,
            Decision::NotTheirs => Answer::Hidden,
            Decision::If(conditions) => self.any_holds(conditions).await?,
        };
        Ok((answer, anchors))
    }

    /// The current versions of what a Binary belongs to: what names it, and its security context. Of any other document
    /// nothing: it stands for itself.
    pub async fn anchors(&self, binary: &Document, standing: &Stored) -> Result<Vec<Arc<Stored>>, Error> {
        if !binary.kind.is_binary() {
            return Ok(Vec::new());
        }
        let named = self.store.anchors(self.tenant, standing).await?;
        let context = context(binary);
        let mut found = Vec::with_capacity(named.len());
        for (kind, id) in named.iter().chain(&context) {
            found.extend(self.store.current(self.tenant, kind, id).await?);
        }
        Ok(found)
    }

    /// The patients that a version is about; of a Binary, those of what it belongs to.
    pub async fn patients(&self, stored: &Stored) -> Result<Vec<ResourceId>, Error> {
        let anchors = self.anchors(&stored.document, stored).await?;
        Ok(patients(&stored.document, &anchors))
    }

    async fn any_holds(&self, conditions: Vec<Condition>) -> Result<Answer, Error> {
        for Condition { kind, id, mut filters } in conditions {
            filters.push(Filter::Id(vec![id]));
            let scopes = vec![Scope { kind, dialect: None }];
            let query = Query { scopes, filters, limit: 1, ..Query::default() };
            if !self.store.search(self.tenant, &query).await?.matches.is_empty() {
                return Ok(Answer::Yes);
            }
        }
        Ok(Answer::Hidden)
    }
}

/// The patients that a document and what it belongs to are about, each once.
pub fn patients(document: &Document, anchors: &[Arc<Stored>]) -> Vec<ResourceId> {
    let mut patients = Vec::new();
    for document in std::iter::once(document).chain(anchors.iter().map(|anchor| &anchor.document)) {
        let own = (document.kind == ResourceType::PATIENT).then_some(&document.id);
        let about = document.description.iter().flat_map(|description| &description.custody.patients);
        for patient in own.into_iter().chain(about) {
            if !patients.contains(patient) {
                patients.push(patient.clone());
            }
        }
    }
    patients
}

/// The resource that a Binary names as its security context.
fn context(binary: &Document) -> Option<(ResourceType, ResourceId)> {
    binary.content()?.security_context.as_ref()?.local()
}
