//! Create, update and delete: conditions are decided by the store in one step with the change.
//!
//! Whoever does not see everything writes on these terms as well: what is changed must be theirs before and
//! after; what is named as content or as security context must be theirs already, or written in the same step, so
//! that nobody comes to a document by pointing at it; and ids are the server's to choose, so that nobody learns
//! by a write which ids are taken.

use std::{collections::HashSet, sync::Arc};

use charta_auth::{Action, Grant, NewSubject, may_become};
use charta_model::{
    Confidentiality, ContentLink, Description, Guard, Intent, NewState, Query, ResourceId, ResourceType,
    TenantId, Timestamp, VersionMatch, Write, WriteOutcome,
};
use charta_store::{CommitError, Stored, TransactError, Uploaded};

use crate::{
    Service,
    access::{Access, Answer},
    narrow::narrowed,
};

/// Why a write did not happen.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The grant does not cover it.
    #[error("not allowed")]
    Forbidden,
    /// For this caller there is no such document.
    #[error("no such document")]
    NotFound,
    /// It names a document, as content or as security context, that is not there for this caller.
    #[error("names a document that is not there")]
    Names,
    /// A condition did not hold, or the store failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<charta_store::Error> for WriteError {
    fn from(error: charta_store::Error) -> Self {
        Self::Commit(error.into())
    }
}

type Failed = (Option<usize>, WriteError);

impl Service {
    /// Carries out one change. `content` holds the bytes of the new version, already on stable storage;
    /// `now` is the time of the request. Answered when the record is on stable storage too.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Commit` with the condition that failed or the store's error.
    pub async fn write(
        &self,
        tenant: &TenantId,
        grant: &Grant,
        write: Write,
        content: Option<Uploaded>,
        now: Timestamp,
    ) -> Result<WriteOutcome, WriteError> {
        if grant.is_everything() {
            return Ok(self.store.commit(tenant, write, content, now).await?);
        }
        let outcomes = self.transact(tenant, grant, vec![(write, content)], Vec::new(), now).await;
        let outcome = outcomes.map_err(|(_, error)| error)?.pop();
        outcome.ok_or_else(|| charta_store::Error::Unavailable("the store gave no answer".into()).into())
    }

    /// Carries out all these changes or none, provided that the guards still hold. Answered when all of them are
    /// on stable storage; nobody sees some without the others.
    ///
    /// # Errors
    /// What failed, and which write it was, if it was one of them.
    pub async fn transact(
        &self,
        tenant: &TenantId,
        grant: &Grant,
        mut writes: Vec<(Write, Option<Uploaded>)>,
        guards: Vec<Guard>,
        now: Timestamp,
    ) -> Result<Vec<WriteOutcome>, Failed> {
        let mut pinned = HashSet::new();
        if !grant.is_everything() {
            let access = Access { store: &self.store, tenant, grant };
            let terms = Terms { access, beside: Beside::of(&writes) };
            for (index, (write, _)) in writes.iter_mut().enumerate() {
                let is_pinned = terms.allow(write).await.map_err(|error| (Some(index), error))?;
                pinned.extend(is_pinned.then_some(index));
            }
        }
        let outcome = self.store.transact(tenant, writes, guards, now).await;
        outcome.map_err(|TransactError { index, error }| match error {
            // What was decided about is no longer what is there.
            CommitError::PreconditionFailed if index.is_some_and(|index| pinned.contains(&index)) => {
                (index, CommitError::Changed.into())
            }
            error => (index, error.into()),
        })
    }
}

/// What is written in one step.
struct Beside {
    binaries: HashSet<ResourceId>,
    linked: HashSet<ResourceId>,
}

impl Beside {
    fn of(writes: &[(Write, Option<Uploaded>)]) -> Self {
        let binaries = writes.iter().filter(|(write, _)| write.kind.is_binary());
        let states = writes.iter().filter_map(|(write, _)| write.state.as_ref());
        Self {
            binaries: binaries.filter_map(|(write, _)| id_of(&write.intent).cloned()).collect(),
            linked: states.flat_map(|state| &state.index.links).map(|link| link.binary.clone()).collect(),
        }
    }
}

/// The id that a write is about, if it is known before the write.
const fn id_of(intent: &Intent) -> Option<&ResourceId> {
    match intent {
        Intent::Create { id } | Intent::Update { id } | Intent::Delete { id } => Some(id),
        Intent::CreateUnlessExists { fresh, .. } | Intent::UpdateMatching { fresh, .. } => Some(fresh),
        Intent::DeleteMatching { .. } => None,
    }
}

/// The terms on which a grant that is not everything writes.
struct Terms<'a> {
    access: Access<'a>,
    beside: Beside,
}

impl Terms<'_> {
    /// Lets a write pass or not, and narrows what it searches. Whether it was pinned to the version that was
    /// decided about.
    async fn allow(&self, write: &mut Write) -> Result<bool, WriteError> {
        let kind = write.kind.clone();
        let action = match &write.intent {
            Intent::Create { .. } | Intent::CreateUnlessExists { .. } => Action::Create,
            Intent::Update { .. } | Intent::UpdateMatching { .. } => Action::Update,
            Intent::Delete { .. } | Intent::DeleteMatching { .. } => Action::Delete,
        };
        if !self.access.covers(action, &kind) {
            return Err(WriteError::Forbidden);
        }
        let before = match &mut write.intent {
            Intent::Create { .. } => None,
            Intent::CreateUnlessExists { criteria, .. } => {
                self.narrow(criteria, &[Action::Search])?;
                None
            }
            Intent::UpdateMatching { criteria, claimed, .. } => {
                self.narrow(criteria, &[Action::Search, Action::Update])?;
                match claimed {
                    Some(id) => self.standing(action, &kind, id).await?,
                    None => None,
                }
            }
            Intent::DeleteMatching { criteria } => {
                self.narrow(criteria, &[Action::Search, Action::Delete])?;
                None
            }
            Intent::Update { id } | Intent::Delete { id } => self.standing(action, &kind, id).await?,
        };
        let living = before.as_ref().filter(|before| before.document.description.is_some());
        if let Some(state) = &write.state {
            let id = id_of(&write.intent).ok_or(WriteError::Forbidden)?;
            self.check_new(
                action,
                &kind,
                id,
                living.and_then(|before| before.document.description.as_ref()),
                state,
            )?;
            self.check_named(living.map(|before| &**before), state).await?;
        }
        let matching = matches!(write.intent, Intent::UpdateMatching { .. });
        match living {
            Some(before) if write.if_match.is_none() && !matching => {
                write.if_match = Some(VersionMatch::OneOf(vec![before.document.version]));
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The document as it is, be it a deletion, if the caller may do this with it. If there is none: `None` where
    /// the caller may choose ids.
    async fn standing(
        &self,
        action: Action,
        kind: &ResourceType,
        id: &ResourceId,
    ) -> Result<Option<Arc<Stored>>, WriteError> {
        let Some(current) = self.access.store.current(self.access.tenant, kind, id).await? else {
            let is_inside = kind.is_binary() && self.beside.linked.contains(id);
            let chooses = !self.access.grant.is_of_patient() || is_inside;
            return if chooses { Ok(None) } else { Err(WriteError::NotFound) };
        };
        match self.access.may(action, &current).await? {
            Answer::Yes => Ok(Some(current)),
            Answer::Forbidden => Err(WriteError::Forbidden),
            Answer::Hidden if self.is_own_part(kind, &current) => Ok(Some(current)),
            Answer::Hidden => Err(WriteError::NotFound),
        }
    }

    /// Whether it is a Binary that the caller has written and now writes again, with what names it.
    fn is_own_part(&self, kind: &ResourceType, current: &Stored) -> bool {
        kind.is_binary() && self.is_own(current) && self.beside.linked.contains(&current.document.id)
    }

    fn is_own(&self, stored: &Stored) -> bool {
        self.access.grant.writer().is_some_and(|writer| stored.document.writer.as_deref() == Some(writer))
    }

    fn narrow(&self, criteria: &mut Query, actions: &[Action]) -> Result<(), WriteError> {
        *criteria = narrowed(self.access.grant, actions, criteria).ok_or(WriteError::Forbidden)?;
        Ok(())
    }

    fn check_new(
        &self,
        action: Action,
        kind: &ResourceType,
        id: &ResourceId,
        before: Option<&Description>,
        state: &NewState,
    ) -> Result<(), WriteError> {
        let labels =
            before.map_or_else(|| state.labels.clone(), |before| before.labels.updated_by(&state.labels));
        let confidentiality = state.custody.confidentiality.max(Confidentiality::of_labels(&labels.security));
        let entries = &state.index.entries;
        let new = NewSubject { kind, id, custody: &state.custody, confidentiality, entries };
        if may_become(self.access.grant, action, before, &new) { Ok(()) } else { Err(WriteError::Forbidden) }
    }

    /// Whoever a patient bounds names only what they may read, what they have written, and what was named before.
    async fn check_named(&self, before: Option<&Stored>, state: &NewState) -> Result<(), WriteError> {
        if !self.access.grant.is_of_patient() {
            return Ok(());
        }
        for ContentLink { binary, .. } in &state.index.links {
            let is_beside = self.beside.binaries.contains(binary);
            if !is_beside && !self.may_name(&ResourceType::BINARY, binary, before).await? {
                return Err(WriteError::Names);
            }
        }
        let context = state.content.as_ref().and_then(|content| content.security_context.as_ref());
        if let Some(context) = context {
            let (kind, id) = context.local().ok_or(WriteError::Names)?;
            if !self.may_name(&kind, &id, before).await? {
                return Err(WriteError::Names);
            }
        }
        Ok(())
    }

    async fn may_name(
        &self,
        kind: &ResourceType,
        id: &ResourceId,
        before: Option<&Stored>,
    ) -> Result<bool, WriteError> {
        let Some(named) = self.access.store.current(self.access.tenant, kind, id).await? else {
            return Ok(false);
        };
        if self.is_own(&named) || self.access.may(Action::Read, &named).await? == Answer::Yes {
            return Ok(true);
        }
        let Some(before) = before.filter(|_| kind.is_binary()) else { return Ok(false) };
        let anchors = self.access.store.anchors(self.access.tenant, &named).await?;
        Ok(anchors.iter().any(|(kind, id)| *kind == before.document.kind && *id == before.document.id))
    }
}
