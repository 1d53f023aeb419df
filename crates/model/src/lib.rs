//! The nouns of the product, always valid. No I/O, no FHIR version, no clock.
//!
//! Anything that comes from outside becomes one of these types at the edge or is refused there;
//! behind the edge nothing is checked twice. `docs/glossary.md` gives each word one meaning.

pub mod audit;
mod custody;
mod digest;
mod document;
pub mod facts;
mod id;
mod index;
mod media_type;
mod query;
mod reference;
mod resource_type;
mod write;

pub use custody::{Confidentiality, Custody};
pub use digest::{Digest, Hasher};
pub use document::{Change, ContentFacts, Description, Document, Label, Labels, Source};
pub use id::{InvalidId, ResourceId, TenantId};
pub use index::{ContentLink, Entry, EntryValue, Index};
pub use media_type::{InvalidMediaType, MediaType};
pub use query::{
    Comparison, Filter, HistoryQuery, HistoryScope, LabelKind, Order, Parameter, QuantityMatch, Query,
    ReferenceMatch, Scope, SortKey, TextMatch, TokenMatch, TypeMatch, UriMatch,
};
pub use reference::{InvalidReference, Reference};
pub use resource_type::{InvalidResourceType, ResourceType};
pub use write::{Guard, Intent, NewContent, NewState, VersionMatch, Write, WriteOutcome};

pub use jiff::Timestamp;
