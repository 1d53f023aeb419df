//! What goes wrong between here and PostgreSQL.

use deadpool_postgres::PoolError;
use tokio_postgres::{Error as PostgresError, error::SqlState};

use crate::{CommitError, Error};

/// An error, and whether the connection is what failed, so that a new one may help.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) lost: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, lost: false }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

impl From<Failure> for CommitError {
    fn from(failure: Failure) -> Self {
        Self::Store(failure.error)
    }
}

impl From<PostgresError> for Failure {
    fn from(error: PostgresError) -> Self {
        // Without a code it is not the server's word, so the connection is what broke.
        let lost = error.code().map_or_else(|| !is_ours(&error), is_loss);
        Self { error: meaning(&error), lost }
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => Self { error: meaning(&error), lost: false },
            PoolError::Closed => Self { error: Error::Closed, lost: false },
            other => Error::Unavailable(format!("catalog: {other}").into()).into(),
        }
    }
}

/// A value that this side could not make or read.
fn is_ours(error: &PostgresError) -> bool {
    !error.is_closed()
        && std::error::Error::source(error).is_some_and(|source| !source.is::<std::io::Error>())
}

/// The server ends the connection, or is not the one that takes writes any more.
fn is_loss(code: &SqlState) -> bool {
    [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ]
    .contains(code)
        || code.code().starts_with("08")
}

fn meaning(error: &PostgresError) -> Error {
    let text = format!("catalog: {}", said(error)).into();
    match error.code() {
        Some(code) if [SqlState::DISK_FULL, SqlState::OUT_OF_MEMORY].contains(code) => Error::Full(text),
        Some(code) if [SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED].contains(code) => {
            Error::Corrupt(text)
        }
        None if is_ours(error) => Error::Corrupt(text),
        _ => Error::Unavailable(text),
    }
}

/// The server's sentence and its code. Its details and hints may name values, which are no business of a log.
pub(super) fn said(error: &PostgresError) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}
