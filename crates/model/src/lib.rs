//! The nouns of the product, always valid. No I/O, no FHIR version, no clock.
//!
//! Anything that comes from outside becomes one of these types at the edge or is refused there;
//! behind the edge nothing is checked twice. `docs/glossary.md` gives each word one meaning.

mod digest;
mod document;
mod id;
mod media_type;
mod query;
mod reference;
mod write;

pub use digest::{Digest, Hasher};
pub use document::{Change, Description, Document, Label, Labels, Source};
pub use id::{InvalidId, ResourceId, TenantId};
pub use media_type::{InvalidMediaType, MediaType};
pub use query::{
    Comparison, Filter, HistoryQuery, HistoryScope, LabelKind, Order, Query, SortKey, TokenMatch, TypeMatch,
};
pub use reference::{InvalidReference, Reference};
pub use write::{Intent, NewState, VersionMatch, Write, WriteOutcome};

pub use jiff::Timestamp;
