//! Reads Binary resources of any size from pieces of the body, in constant memory.
//!
//! A *splitter* for each format knows just enough of its syntax to find the payload (`data`, in
//! DSTU2 and STU3 `content`) and streams it through the base64 decoder. All else, the *envelope*, is
//! small; it is collected without the payload and read strictly once the body ends.
//!
//! Whether a body is a Binary at all may show late, since `resourceType` may come last in JSON. Until
//! then the payload is decoded already, and a fault in it counts only if the root is a Binary: any
//! other body is content in its own right and none of this module's business.
//!
//! Clause: FHIR R4 binary.html#rest

use charta_model::{Labels, MediaType, Reference, ResourceId, Source};

use crate::{Format, Version};

/// Most bytes of a body beside its payload.
pub const ENVELOPE_BYTES_MAX: usize = 1 << 20;
/// Deepest nesting of a body.
pub const DEPTH_MAX: usize = 64;
/// Most elements of a body.
pub const ELEMENTS_MAX: usize = 10_000;

/// What a body turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// Not known yet.
    Unknown,
    /// A Binary resource, perhaps a faulty one.
    Binary,
    /// Another resource, or no resource.
    Other,
}

/// A Binary resource without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinaryResource {
    /// The id that the body claims.
    pub id: Option<ResourceId>,
    /// What the bytes are.
    pub content_type: MediaType,
    /// `securityContext.reference`.
    pub security_context: Option<Reference>,
    /// Profiles, security labels and tags.
    pub labels: Labels,
    /// Whether there were bytes.
    pub has_content: bool,
    /// Whether it says of itself that parts of it were left out.
    ///
    /// Clause: FHIR R4 search.html#summary
    pub subsetted: bool,
    /// What there was beside all this. See [`BinaryReader::finish`].
    pub source: Option<Source>,
}

/// What is wrong with a body, as far as the answer depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReadErrorKind {
    /// The root is not a Binary, so the body is content in its own right.
    NotBinary,
    /// Not well-formed, or an element that is unknown, repeated or out of order.
    Structure,
    /// An element is missing.
    Required,
    /// An element has a value that its type does not allow.
    Value,
    /// `contentType` is not a media type.
    CodeInvalid,
    /// Beyond one of the limits of this module.
    TooCostly,
}

/// Why a body is not a Binary resource that can be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{expression}: {message}")]
pub struct ReadError {
    /// What kind of fault it is.
    pub kind: ReadErrorKind,
    /// The element, as in `Binary.meta.tag[0].code`.
    pub expression: String,
    /// A sentence for the client; nothing of the body is in it.
    pub message: String,
}

/// Reads one body.
#[derive(Debug)]
pub struct BinaryReader {}

impl BinaryReader {
    /// A reader for one body in `format`, with the element names and rules of `version`.
    #[must_use]
    pub fn new(format: Format, version: Version) -> Self {
        let _ = (format, version);
        Self {}
    }

    /// Takes the next piece of the body; decoded bytes of the payload are appended to `content`.
    ///
    /// Once [`BinaryReader::root`] is [`Root::Other`], pieces are ignored.
    ///
    /// # Errors
    /// If the root is a Binary and it can no longer become a valid one. Stays so.
    pub fn push(&mut self, piece: &[u8], content: &mut Vec<u8>) -> Result<(), ReadError> {
        let _ = (piece, content);
        Ok(())
    }

    /// What the body is, as far as the pieces up to now tell.
    #[must_use]
    pub fn root(&self) -> Root {
        Root::Unknown
    }

    /// Ends the body and reads its envelope; the last bytes of the payload are appended to `content`.
    ///
    /// `source.body` is a JSON object with the members of the resource that have no place elsewhere:
    /// `implicitRules`, `language`, `_contentType`, `_data` or `_content` and the like;
    /// `securityContext` whole, if it has more than `reference`; `meta` without `versionId`,
    /// `lastUpdated` and the labels, except that `meta.security` and `meta.tag` hold those codings that
    /// have more than a label can say, whole, and `meta._profile` runs parallel to the profiles.
    ///
    /// # Errors
    /// If the body is not a valid Binary resource of the version.
    pub fn finish(self, content: &mut Vec<u8>) -> Result<BinaryResource, ReadError> {
        let _ = content;
        Err(ReadError {
            kind: ReadErrorKind::NotBinary,
            expression: String::new(),
            message: "the body is not a Binary resource".into(),
        })
    }
}
