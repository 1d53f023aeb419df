//! What is to be changed, and on which conditions. The store decides both in one step, so that
//! two racing clients cannot both win.

use crate::{
    Custody, Document, Index, Labels, MediaType, Query, Reference, ResourceId, ResourceType, Source,
};

/// One change to one document.
#[derive(Debug, Clone)]
pub struct Write {
    /// The type of the document.
    pub kind: ResourceType,
    /// What is to happen to which document.
    pub intent: Intent,
    /// Only if the current version is one of these.
    pub if_match: Option<VersionMatch>,
    /// Only if the current version is none of these.
    pub if_none_match: Option<VersionMatch>,
    /// Everything but the bytes of the new version; `None` for a deletion.
    pub state: Option<NewState>,
}

/// What is to happen to which document.
#[derive(Debug, Clone)]
pub enum Intent {
    /// A new document under a fresh id.
    Create {
        /// The fresh id.
        id: ResourceId,
    },
    /// A new document, unless one matches already.
    CreateUnlessExists {
        /// The id if there is none.
        fresh: ResourceId,
        /// What must not exist.
        criteria: Query,
    },
    /// A new version of this document, or its first.
    Update {
        /// Which.
        id: ResourceId,
    },
    /// A new version of the one document that matches, or a new document if none does.
    UpdateMatching {
        /// What it is found by.
        criteria: Query,
        /// The id that the body claims.
        claimed: Option<ResourceId>,
        /// The id of a new document when none is claimed.
        fresh: ResourceId,
        /// Whether a claimed id that exists without matching is a conflict (R5) or is updated (R4).
        claimed_must_be_new: bool,
    },
    /// The deletion of this document.
    Delete {
        /// Which.
        id: ResourceId,
    },
    /// The deletion of the one document that matches.
    DeleteMatching {
        /// What it is found by.
        criteria: Query,
    },
}

/// A list of version tags, or any version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionMatch {
    /// `*`
    Any,
    /// These versions.
    OneOf(Vec<u64>),
}

impl VersionMatch {
    /// Whether `current` is among them; `None` is a document that is not there.
    #[must_use]
    pub fn matches(&self, current: Option<u64>) -> bool {
        match (self, current) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::OneOf(versions), Some(current)) => versions.contains(&current),
        }
    }
}

/// The new version of a document, beside its bytes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewState {
    /// What the bytes of a Binary are; no other resource has any.
    pub content: Option<NewContent>,
    /// Labels to merge with those that are there.
    pub labels: Labels,
    /// What else the client sent.
    pub source: Option<Source>,
    /// Whose it is.
    pub custody: Custody,
    /// What it is found by.
    pub index: Index,
    /// Who writes it, if that is known.
    pub writer: Option<Box<str>>,
}

/// What the bytes of a new version are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContent {
    /// Their type.
    pub content_type: MediaType,
    /// The resource whose access rules apply.
    pub security_context: Option<Reference>,
}

/// What must still be so when a transaction is committed, since its other parts were made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// A search.
    pub criteria: Query,
    /// Its one match, or that there is none.
    pub found: Option<ResourceId>,
}

/// What a write did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteOutcome {
    /// A document that was not there, or had been deleted, now is.
    Created(Document),
    /// It has a new version.
    Updated(Document),
    /// It already was as it should be; no new version.
    Unchanged(Document),
    /// The condition of a conditional create found this document; nothing was stored.
    Existing(Document),
    /// This version says that it is gone.
    Deleted(Document),
    /// There was nothing to delete.
    NothingToDelete,
}
