//! What a grant may do with documents in hand: the facts are gathered here, [`charta_auth`] decides.

use std::sync::Arc;

use charta_auth::{Action, Condition, Decision, Grant, Subject, covers, decide};
use charta_model::{Document, Filter, Query, ResourceId, ResourceType, Scope, TenantId};
use charta_store::{Error, Store, Stored};
use smallvec::SmallVec;

/// The grant of one caller in one tenant.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    pub store: &'a Store,
    pub tenant: &'a TenantId,
    pub grant: &'a Grant,
}

/// The current versions of what a Binary belongs to. Mostly one document names it.
pub type Anchored = SmallVec<[Arc<Stored>; 2]>;

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

    /// The same of what was read as the current version just now, for a caller who is known to have some scope for it;
    /// and what it was decided by, if it is a Binary.
    pub async fn may_now(&self, action: Action, current: &Arc<Stored>) -> Result<(Answer, Anchored), Error> {
        if self.grant.is_everything() {
            return Ok((Answer::Yes, self.anchors(&current.document, current).await?));
        }
        match current.document.description {
            Some(_) => self.decided(action, &current.document, current).await,
            None => self.may_with(action, current, current).await,
        }
    }

    /// The same without waiting, if all that it takes is in memory; mostly it is.
    pub fn may_at_once(&self, action: Action, current: &Stored) -> Option<(Answer, Anchored)> {
        let document = &current.document;
        document.description.as_ref()?;
        let anchors = self.anchors_in_memory(document, current)?;
        let answer = self.judged(action, document, &anchors).ok()?;
        Some((answer, anchors))
    }

    async fn may_with(
        &self,
        action: Action,
        stored: &Stored,
        current: &Arc<Stored>,
    ) -> Result<(Answer, Anchored), Error> {
        let document = &stored.document;
        let Some(standing) = self.standing(current).await? else {
            return Ok((Answer::Hidden, Anchored::new()));
        };
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
    ) -> Result<(Answer, Anchored), Error> {
        let anchors = self.anchors(document, standing).await?;
        let answer = match self.judged(action, document, &anchors) {
            Ok(answer) => answer,
            Err(conditions) => self.any_holds(conditions).await?,
        };
        Ok((answer, anchors))
    }

    /// The answer; or what it takes to hold one of, which the catalog is to be asked.
    fn judged(
        &self,
        action: Action,
        document: &Document,
        anchors: &Anchored,
    ) -> Result<Answer, Vec<Condition>> {
        let Some(subject) = Subject::of(document) else { return Ok(Answer::Hidden) };
        let guards = anchors.iter().filter_map(|stored| Subject::of(&stored.document));
        let guards: SmallVec<[Subject<'_>; 2]> = guards.collect();
        // A guard that is gone guards still: what it was to protect does not fall to everybody.
        if guards.is_empty() && context(document).is_some() && !self.grant.is_everything() {
            return Ok(Answer::Hidden);
        }
        match decide(self.grant, action, subject, &guards) {
            Decision::Allowed => Ok(Answer::Yes),
            Decision::ScopeMissing => Ok(Answer::Forbidden),
            Decision::NotTheirs => Ok(Answer::Hidden),
            Decision::If(conditions) => Err(conditions),
        }
    }

    /// What [`Access::anchors`] gives, if all of it is in memory.
    fn anchors_in_memory(&self, binary: &Document, standing: &Stored) -> Option<Anchored> {
        if !binary.kind.is_binary() {
            return Some(Anchored::new());
        }
        let (named, context) = (standing.anchors()?, context(binary));
        let mut found = Anchored::new();
        for (kind, id) in named.iter().chain(&context) {
            found.push(self.store.cached(self.tenant, kind, id)?);
        }
        Some(found)
    }

    /// The current versions of what a Binary belongs to: what names it, and its security context. Of any other document
    /// nothing: it stands for itself.
    pub async fn anchors(&self, binary: &Document, standing: &Stored) -> Result<Anchored, Error> {
        if !binary.kind.is_binary() {
            return Ok(Anchored::new());
        }
        let named = self.store.anchors(self.tenant, standing).await?;
        let context = context(binary);
        let mut found = Anchored::new();
        for (kind, id) in named.iter().chain(&context) {
            if let Some(anchor) = self.store.current(self.tenant, kind, id).await? {
                found.push(anchor);
            }
        }
        Ok(found)
    }

    /// The patients that a version is about, each once; of a Binary, those of what it belongs to.
    pub async fn patients(&self, stored: &Stored) -> Result<Vec<ResourceId>, Error> {
        let anchors = self.anchors(&stored.document, stored).await?;
        Ok(patients(&stored.document, &anchors).into_iter().cloned().collect())
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

/// Patients, each once. Mostly there is one.
pub type Patients<'d> = SmallVec<[&'d ResourceId; 2]>;

/// The patients that a document and what it belongs to are about.
fn patients<'d>(document: &'d Document, anchors: &'d [Arc<Stored>]) -> Patients<'d> {
    let mut found = Patients::new();
    let mut add = |patient: &'d ResourceId| {
        if !found.contains(&patient) {
            found.push(patient);
        }
    };
    let mut add_of = |document: &'d Document| {
        if document.kind == ResourceType::PATIENT {
            add(&document.id);
        }
        if let Some(description) = &document.description {
            description.custody.patients.iter().for_each(&mut add);
        }
    };
    add_of(document);
    anchors.iter().for_each(|anchor| add_of(&anchor.document));
    found
}

/// A version that was shown, and what it belongs to: what the record of the read is made of.
#[derive(Debug)]
pub struct Shown {
    /// What was shown.
    pub stored: Arc<Stored>,
    pub(crate) anchors: Anchored,
}

impl Shown {
    /// The patients that it is about; of a Binary, those of what it belongs to.
    #[must_use]
    pub fn patients(&self) -> Patients<'_> {
        patients(&self.stored.document, &self.anchors)
    }
}

/// The resource that a Binary names as its security context.
fn context(binary: &Document) -> Option<(ResourceType, ResourceId)> {
    binary.content()?.security_context.as_ref()?.local()
}
