//! Create, update and delete: conditions are decided by the store in one step with the change.

use charta_auth::{Action, Grant, may};
use charta_model::{Intent, TenantId, Timestamp, Write, WriteOutcome};
use charta_store::{CommitError, Uploaded};

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
}

const fn action(intent: &Intent) -> Action {
    match intent {
        Intent::Create { .. } | Intent::CreateUnlessExists { .. } => Action::Create,
        Intent::Update { .. } | Intent::UpdateMatching { .. } => Action::Update,
        Intent::Delete { .. } | Intent::DeleteMatching { .. } => Action::Delete,
    }
}
