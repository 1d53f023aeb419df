//! What it takes to move a whole catalog into another one: decision 0019.

use async_trait::async_trait;
use charta_model::{ContentLink, Digest, Entry, ResourceId, ResourceType, TenantId};

use crate::{Error, Stored, Uploaded};

/// A catalog that can be left and come to.
#[async_trait]
pub trait Moving: Send + Sync {
    /// 32 random bytes that were made with the catalog, and that a copy has too.
    async fn secret(&self) -> Result<[u8; 32], Error>;

    /// All tenants that anything was ever written for, by name.
    async fn tenants(&self) -> Result<Vec<TenantId>, Error>;

    /// Versions of a tenant with greater sequence numbers than `after`, in their order: at most `limit`, and fewer
    /// where they are large, but one if there is one. All are of one instant.
    async fn export(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Moved>, Error>;

    /// The greatest sequence number of a tenant's versions; 0 without any.
    async fn last_of(&self, tenant: &TenantId) -> Result<u64, Error>;

    /// The greatest sequence number that was ever given.
    async fn last_given(&self) -> Result<u64, Error>;

    /// How much there is of each tenant and type, in the order of both.
    async fn counts(&self) -> Result<Vec<Count>, Error>;

    /// Which of these contents of a tenant are there, in the order given.
    async fn held(&self, tenant: &TenantId, digests: Vec<Digest>) -> Result<Vec<bool>, Error>;

    /// Why commits are refused, if they are.
    async fn standstill(&self) -> Result<Option<Standstill>, Error>;

    /// From the return on every commit and purge is refused, or with `false` taken again. Works also where others write
    /// and this catalog was opened for reading.
    async fn leave(&self, leaving: bool) -> Result<(), Error>;

    /// Makes an empty catalog the beginning of a copy of the one with this secret; goes on with one that was begun.
    ///
    /// # Errors
    /// `Unusable` if it is neither.
    async fn begin_adoption(&self, secret: [u8; 32]) -> Result<(), Error>;

    /// Stores versions as they are, with those that the tenant has until `after`; all or none. Content that comes along is kept if
    /// a record names it; content that does not must be there. A document of which the first version comes again was
    /// purged where it comes from, and is purged here before.
    ///
    /// # Errors
    /// `Unusable` unless this is a copy on its way and `after` its last version.
    async fn adopt(
        &self,
        tenant: &TenantId,
        after: u64,
        versions: Vec<(Moved, Option<Uploaded>)>,
    ) -> Result<(), Error>;

    /// Removes a document with every version from a copy on its way, as it was purged where it comes from.
    ///
    /// # Errors
    /// `Unusable` unless this is a copy on its way.
    async fn purge_adopted(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
    ) -> Result<(), Error>;

    /// The copy is whole: it takes writes, with sequence numbers greater than `last_given`.
    async fn finish_adoption(&self, last_given: u64) -> Result<(), Error>;
}

/// A version on its way from one catalog to another.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Its sequence number.
    pub sequence: u64,
    /// The version, and where its bytes are where it comes from.
    pub stored: Stored,
    /// The Binaries that it names as its content, by id and version.
    pub links: Vec<ContentLink>,
    /// What the document is found by, beside what its description says, by parameter; `None` if the version is not the current one.
    pub entries: Option<Vec<Entry>>,
}

/// How many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// Whose.
    pub tenant: TenantId,
    /// Of which type.
    pub kind: ResourceType,
    /// Current and not deleted.
    pub documents: u64,
    /// Deletions included.
    pub versions: u64,
}

/// Why a catalog takes no writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standstill {
    /// It is being left for another, or was.
    Leaving,
    /// It is a copy that is not yet whole.
    Adopting,
}

impl Standstill {
    /// How it stands in the catalog.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Leaving => "leaving",
            Self::Adopting => "adopting",
        }
    }

    /// The inverse of [`Standstill::word`]. An unknown word of a later release stops writes as well.
    pub(super) fn of_word(word: &str) -> Self {
        if word == Self::Adopting.word() { Self::Adopting } else { Self::Leaving }
    }
}

impl Moved {
    /// Whether both say the same of a version. What a document is found by is compared where both say that the version is
    /// current: one that was written to meanwhile knows it no longer.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        let found_alike = match (&self.entries, &other.entries) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        self.sequence == other.sequence
            && self.stored.document == other.stored.document
            && self.links == other.links
            && found_alike
    }
}
