//! What is kept, and how it survives.
//!
//! The catalog (metadata, small content) and the content store (larger content) together keep these
//! promises; the code cites them by number where they are kept.
//!
//! 1. An acknowledged write is on stable storage, bytes and record.
//! 2. A record never comes before its bytes: at every instant, also after a crash, each record that can
//!    be read names bytes that are whole.
//! 3. A file is synced before it gets its final name, and its directory before the record that names it.
//! 4. The key of stored content is never used again, so that removing an old one cannot hit a new one.
//! 5. A write, and a transaction of several, is visible whole or not at all, with all that it is found by; one
//!    that was refused or failed before its commit leaves nothing visible. If the commit itself fails with
//!    `Unavailable` or `Full`, it may be there after a restart, then whole.
//! 6. The versions of a document count from 1 without gaps, through deletions, and its commit times
//!    rise. A sequence number is never used again.
//! 7. After a crash the store opens without an operator and without a scan that grows with it.
//! 8. A sweep never removes bytes that a record names, a running write will name, an opened read
//!    reads or a running backup copies.
//! 9. Equal content is kept once within a tenant and never shared between tenants.
//! 10. A read that starts after a write was acknowledged sees that write or a later one, and no two
//!     reads in sequence go back in time.
//! 11. Conditions of a write and guards of a transaction are decided at one instant together with it. Then no
//!     current document, unless in error, names by a link without a version a Binary whose bytes it replaced
//!     or took away.
//! 12. Whoever needs more than this process to be stopped (a backup, a check) never sees a state
//!     between two commits.

mod audit;
mod backup;
pub mod cache;
pub mod catalog;
mod check;
pub mod commit;
pub mod content;
mod directory;
mod error;
mod migrate;
mod options;
mod store;
mod stored;
mod sweep;
#[cfg(feature = "testing")]
pub mod testing;
mod upload;

pub use audit::{AuditLog, AuditOptions, AuditPage, AuditStatistics, Durability, OnFailure};
pub use catalog::{moving::Standstill, postgres::PostgresUrl};
pub use content::{
    Content, Reader,
    s3::{OBJECT_BYTES_MAX, S3Place},
};
pub use error::{CommitError, Error, TransactError};
pub use migrate::{Migrated, Migrating, Stage, Watch};
pub use options::{Access, CatalogPlace, ContentPlace, OpenError, Options};
pub use store::{ANCHORS_MAX, Progress, Store};
pub use stored::{
    BackupSummary, Finding, HistoryPage, Place, Referrer, SearchPage, Statistics, Stored, Swept,
};
pub use upload::{Body, Upload, Uploaded};
