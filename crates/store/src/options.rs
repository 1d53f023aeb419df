//! How a store is opened, and why it may not open.

use std::path::PathBuf;

use crate::{catalog::postgres::PostgresUrl, content::s3::S3Place};

/// Where a store is and how much memory it may take.
#[derive(Debug, Clone)]
pub struct Options {
    /// Everything the store keeps is below this directory, but what is kept elsewhere.
    pub directory: PathBuf,
    /// Where the records are.
    pub catalog: CatalogPlace,
    /// Where larger content is.
    pub content: ContentPlace,
    /// Content of at most so many bytes is kept in the catalog.
    pub inline_bytes_max: usize,
    /// So many bytes of current documents are kept in memory, unless several processes serve them.
    pub cache_bytes: usize,
}

impl Options {
    /// The defaults: 8 KiB in the catalog, the rest in files, 16 MiB of cache.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let (catalog, content) = (CatalogPlace::Sqlite, ContentPlace::Files);
        Self {
            directory: directory.into(),
            catalog,
            content,
            inline_bytes_max: 8 << 10,
            cache_bytes: 16 << 20,
        }
    }
}

/// Where the records are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogPlace {
    /// In SQLite in the store's directory: one process serves them.
    Sqlite,
    /// In a database: any number of processes serve them.
    Postgres(PostgresUrl),
}

/// Where larger content is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentPlace {
    /// In files below the store's directory.
    Files,
    /// In a bucket.
    S3(S3Place),
}

/// What a store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// For serving: takes the directory's lock and creates the store if there is none.
    Exclusive,
    /// For checks and backups beside a running server: takes no lock, changes nothing.
    ReadOnly,
}

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds the lock.
    #[error("{}: in use by another process", .directory.display())]
    InUse {
        /// The store's directory.
        directory: PathBuf,
    },
    /// The directory holds something else, or nothing when opened for reading.
    #[error("{}: not a document store", .directory.display())]
    NotAStore {
        /// The directory.
        directory: PathBuf,
    },
    /// A newer release has written it.
    #[error("{}: schema {found} is newer than this program's {known}; use the newer program", .directory.display())]
    NewerSchema {
        /// The store's directory.
        directory: PathBuf,
        /// The version found.
        found: u32,
        /// The newest version this program knows.
        known: u32,
    },
    /// An older release has written it, and it was opened for reading only.
    #[error("{}: schema {found} must be migrated first; start the server once", .directory.display())]
    OlderSchema {
        /// The store's directory.
        directory: PathBuf,
        /// The version found.
        found: u32,
    },
    /// A file operation failed.
    #[error("{}: {source}", .path.display())]
    Io {
        /// On which path.
        path: PathBuf,
        /// How.
        source: std::io::Error,
    },
    /// The place of content makes no sense.
    #[error("{place}: {problem}")]
    Content {
        /// The place.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The database holds other tables, or none when opened for reading.
    #[error("{place}: not a document store")]
    NotADatabase {
        /// The database, without a password.
        place: String,
    },
    /// The database does not answer as it should.
    #[error("{place}: {problem}")]
    Unreachable {
        /// The database, without a password.
        place: String,
        /// How.
        problem: String,
    },
    /// The catalog does not answer.
    #[error("{}: {source}", .path.display())]
    Catalog {
        /// The catalog's file.
        path: PathBuf,
        /// How.
        source: rusqlite::Error,
    },
}
