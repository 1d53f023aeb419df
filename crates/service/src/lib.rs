//! Use cases, the same for HTTP and command line: what a caller with a grant reads and writes.
//! Knows no FHIR version and no HTTP; leaves bytes and records to `store`, decisions to `auth`.

mod access;
mod audit;
mod lookup;
mod narrow;
mod record;
mod write;

use charta_auth::Grant;
use charta_model::TenantId;
use charta_store::{AuditLog, Statistics, Store};

pub use access::{Patients, Shown};
pub use lookup::{HistoryPage, Lookup, ReadError};
pub use record::{Part, RecordPage};
pub use write::WriteError;

/// The use cases over one store. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    store: Store,
    audit: Option<AuditLog>,
}

impl Service {
    /// Over `store`.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self { store, audit: None }
    }

    /// What this grant can see of this tenant.
    #[must_use]
    pub const fn lookup<'a>(&'a self, tenant: &'a TenantId, grant: &'a Grant) -> Lookup<'a> {
        Lookup::new(&self.store, tenant, grant)
    }

    /// A place for the bytes of a new version, before it is known what they are.
    #[must_use]
    pub fn upload(&self) -> charta_store::Upload {
        self.store.upload()
    }

    /// Signs what clients hand back, such as paging links.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        self.store.secret()
    }

    /// What the store says of itself, cheap enough for every look at the metrics.
    ///
    /// # Errors
    /// If the catalog does not answer.
    pub async fn statistics(&self) -> Result<Statistics, charta_store::Error> {
        self.store.statistics().await
    }

    /// Whether the store can be read and written.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn ready(&self) -> Result<(), charta_store::Error> {
        self.store.ping().await
    }
}
