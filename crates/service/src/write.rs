//! Create, update and delete: conditions are decided by the store in one step with the change.

use charta_auth::{Action, Grant, may};
use charta_model::{Guard, Intent, TenantId, Timestamp, Write, WriteOutcome};
use charta_store::{CommitError, TransactError, Uploaded};

use crate::Service;

/// Why a write did not happen.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The grant does not cover it.
    #[error("not allowed")]
    Forbidden,
    /// A condition did not hold, or the store failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl Service {
    /// Carries out one change. `content` holds the bytes of the new version, already on stable storage;
    /// `now` is the time of the request. Answered when the record is on stable storage too.
    ///
    /// # Errors
    /// `Forbidden`; `Commit` with the condition that failed or the store's error.
    pub async fn write(
        &self,
        tenant: &TenantId,
        grant: &Grant,
        write: Write,
        content: Option<Uploaded>,
        now: Timestamp,
    ) -> Result<WriteOutcome, WriteError> {
        if !may(grant, action(&write.intent), tenant, None) {
            return Err(WriteError::Forbidden);
        }
        Ok(self.store.commit(tenant, write, content, now).await?)
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
        writes: Vec<(Write, Option<Uploaded>)>,
        guards: Vec<Guard>,
        now: Timestamp,
    ) -> Result<Vec<WriteOutcome>, (Option<usize>, WriteError)> {
        let refused = writes.iter().position(|(write, _)| !may(grant, action(&write.intent), tenant, None));
        if let Some(index) = refused {
            return Err((Some(index), WriteError::Forbidden));
        }
        let outcome = self.store.transact(tenant, writes, guards, now).await;
        outcome.map_err(|TransactError { index, error }| (index, error.into()))
    }
}

const fn action(intent: &Intent) -> Action {
    match intent {
        Intent::Create { .. } | Intent::CreateUnlessExists { .. } => Action::Create,
        Intent::Update { .. } | Intent::UpdateMatching { .. } => Action::Update,
        Intent::Delete { .. } | Intent::DeleteMatching { .. } => Action::Delete,
    }
}
