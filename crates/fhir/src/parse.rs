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

mod check;
mod elements;
mod from_xml;
mod json;
mod resource;
mod split;
mod value;
mod xml;
mod xml_tree;

#[cfg(test)]
mod tests;

use charta_model::{Labels, MediaType, Reference, ResourceId, Source};

use crate::{Format, Version};

pub(crate) use value::{is_number, member_path};
pub(crate) use xml_tree::{declaration, element as xml_element, is_fhir};

use elements::Type;
use json::JsonSplitter;
use split::Split;
use xml::XmlSplitter;

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

impl ReadError {
    pub(crate) fn new(kind: ReadErrorKind, expression: &str, message: &str) -> Self {
        Self { kind, expression: expression.to_owned(), message: message.to_owned() }
    }

    fn not_binary() -> Self {
        Self::new(ReadErrorKind::NotBinary, "", "the body is not a Binary resource")
    }
}

/// Reads one body.
#[derive(Debug)]
pub struct BinaryReader {
    splitter: Splitter,
    split: Split,
    /// The fault that ended reading.
    failed: Option<ReadError>,
}

#[derive(Debug)]
enum Splitter {
    Json(JsonSplitter),
    Xml(XmlSplitter),
}

impl BinaryReader {
    /// A reader for one body in `format`, with the element names and rules of `version`.
    #[must_use]
    pub fn new(format: Format, version: Version) -> Self {
        let splitter = match format {
            Format::Json => Splitter::Json(JsonSplitter::new()),
            Format::Xml => Splitter::Xml(XmlSplitter::new()),
        };
        Self { splitter, split: Split::new(version), failed: None }
    }

    /// Takes the next piece of the body; decoded bytes of the payload are appended to `content`.
    ///
    /// Once [`BinaryReader::root`] is [`Root::Other`], pieces are ignored.
    ///
    /// # Errors
    /// If the root is a Binary and it can no longer become a valid one. Stays so.
    pub fn push(&mut self, piece: &[u8], content: &mut Vec<u8>) -> Result<(), ReadError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = self.read(piece, content);
        self.failed = result.as_ref().err().cloned();
        result
    }

    fn read(&mut self, piece: &[u8], content: &mut Vec<u8>) -> Result<(), ReadError> {
        let mut rest = piece;
        while !rest.is_empty() && self.split.root != Root::Other {
            let taken = match &mut self.splitter {
                Splitter::Json(splitter) => splitter.step(rest, &mut self.split, content)?,
                Splitter::Xml(splitter) => splitter.step(rest, &mut self.split, content)?,
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// What the body is, as far as the pieces up to now tell.
    #[must_use]
    pub fn root(&self) -> Root {
        self.split.root
    }

    /// Ends the body and reads its envelope.
    ///
    /// The decoder holds back no whole byte, so nothing is appended to `content` any more; callers
    /// need not rely on that.
    ///
    /// `source.body` is a JSON object with the members of the resource that have no place elsewhere:
    /// `implicitRules`, `language`, `_contentType`, `_data` or `_content` and the like;
    /// `securityContext` whole, if it has more than `reference`; `meta` without `versionId`,
    /// `lastUpdated` and the labels, except that `meta.security` and `meta.tag` hold those codings that
    /// have more than a label can say, whole, and `meta._profile` runs parallel to the profiles.
    ///
    /// # Errors
    /// If the body is not a valid Binary resource of the version.
    pub fn finish(self, _content: &mut Vec<u8>) -> Result<BinaryResource, ReadError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.split.root != Root::Binary {
            return Err(ReadError::not_binary());
        }
        let Split { version, envelope, content_bytes, .. } = self.split;
        let envelope = String::from_utf8(envelope)
            .map_err(|_| ReadError::new(ReadErrorKind::Structure, "Binary", "the body is not UTF-8"))?;
        let (is_complete, members) = match self.splitter {
            Splitter::Json(splitter) => (splitter.is_complete(), json_members(&envelope)),
            Splitter::Xml(splitter) => (splitter.is_complete(), xml_members(&envelope, version)),
        };
        if !is_complete {
            return Err(ReadError::new(ReadErrorKind::Structure, "Binary", "the body ends early"));
        }
        resource::binary(members?, content_bytes.is_some(), version)
    }
}

fn json_members(envelope: &str) -> Result<value::Object, ReadError> {
    let mut members = value::read(envelope)?;
    value::take(&mut members, "resourceType");
    Ok(members)
}

fn xml_members(envelope: &str, version: Version) -> Result<value::Object, ReadError> {
    from_xml::members(&xml_tree::read(envelope)?, Type::Binary, version, "Binary")
}
