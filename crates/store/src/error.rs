//! What can go wrong in the store, by what the caller can do about it.

use std::{io, sync::Arc};

use charta_model::{ResourceId, ResourceType};

/// Why the store could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// An operation failed that may succeed when tried again.
    #[error("store unavailable: {0}")]
    Unavailable(Arc<str>),
    /// There is no space left; reads go on.
    #[error("no space left in the store: {0}")]
    Full(Arc<str>),
    /// What is stored differs from what was written.
    #[error("stored data is damaged: {0}")]
    Corrupt(Arc<str>),
    /// The bytes are not there: swept after a purge, or lost.
    #[error("content {0} is missing")]
    Missing(Arc<str>),
    /// The store was opened for reading only.
    #[error("the store is open for reading only")]
    ReadOnly,
    /// The store is being moved to another place, and takes no writes for the last of it.
    #[error("the store is being moved and takes no writes")]
    Standstill,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The request makes no sense, such as an update without bytes.
    #[error("{0}")]
    Unusable(&'static str),
}

impl Error {
    /// Whether the same call may succeed later without anyone mending the data.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Full(_) | Self::Standstill)
    }

    /// An I/O error while `doing` something.
    pub(crate) fn io(doing: &str, error: &io::Error) -> Self {
        let text = format!("{doing}: {error}").into();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(text),
            _ => Self::Unavailable(text),
        }
    }

    /// A blocking task that panicked or was cancelled by the runtime's end.
    pub(crate) fn task(error: &tokio::task::JoinError) -> Self {
        Self::Unavailable(format!("a task of the store ended early: {error}").into())
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let text = format!("catalog: {error}").into();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(text),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(text),
            Some(_) => Self::Unavailable(text),
            // A column of another type or out of range: no code, as SQLite itself saw nothing wrong.
            None => Self::Corrupt(text),
        }
    }
}

/// Why a write was not done. Nothing of it is visible, unless the store says that it is unavailable:
/// then the write may have been done whole.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// `if_match` names other versions, or `if_none_match` the current one.
    #[error("the document is at another version")]
    PreconditionFailed,
    /// `if_match` on a document that is not there.
    #[error("there is no such document to match")]
    NotThere,
    /// More than one document matches the criteria.
    #[error("several documents match the criteria")]
    MultipleMatches,
    /// The document that matches has another id than the body claims.
    #[error("the document that matches has another id")]
    ClaimedIdDiffers,
    /// No document matches and the claimed id exists.
    #[error("the claimed id exists and does not match")]
    ClaimedIdExists,
    /// A current document names the Binary by a link without a version, so its bytes stay as they are.
    #[error("{kind}/{id} names the Binary as its content")]
    InUse {
        /// The type of that document.
        kind: ResourceType,
        /// Its id.
        id: ResourceId,
    },
    /// A [`Guard`](charta_model::Guard) no longer holds.
    #[error("what was looked up before has changed")]
    Changed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Why a transaction was not done. Nothing of it is visible, unless the store says that it is unavailable:
/// then it may have been done whole.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{error}")]
pub struct TransactError {
    /// The write that failed, counted from 0; `None` if it is a guard or the store.
    pub index: Option<usize>,
    /// What is wrong.
    #[source]
    pub error: CommitError,
}

impl TransactError {
    /// The store's own error, if that is what it is.
    pub(crate) fn into_store(self) -> Option<Error> {
        match self.error {
            CommitError::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for TransactError {
    fn from(error: Error) -> Self {
        Self { index: None, error: error.into() }
    }
}

impl From<rusqlite::Error> for CommitError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}
