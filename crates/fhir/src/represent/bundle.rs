//! Bundles of type history and searchset.

use charta_model::{Document, Timestamp};

use super::Subset;
use crate::{Node, Version};

/// A link of a Bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleLink {
    /// `self`, `next` ...
    pub relation: &'static str,
    /// Absolute.
    pub url: String,
}

/// A document in a Bundle.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// The version to show; a deletion only in a history.
    pub document: &'a Document,
    /// `[base]/Binary/[id]`, without version.
    pub full_url: String,
    /// The content of the answer that its bytes are.
    pub slot: usize,
}

/// One page of a history or search.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// The id of the Bundle, a UUID.
    pub id: &'a str,
    /// When it was made.
    pub timestamp: Timestamp,
    /// How many there are on all pages, where that is known.
    pub total: Option<u64>,
    /// Paging; a searchset has `self`.
    pub links: &'a [BundleLink],
    /// In the order of the page.
    pub entries: &'a [Entry<'a>],
    /// The part of each resource that is asked for.
    pub subset: &'a Subset,
}

/// A Bundle of type history.
///
/// Clause: FHIR R4 http.html#history
#[must_use]
pub fn history(version: Version, page: &Page<'_>) -> Node {
    let _ = (version, page);
    Node::Object(Vec::new())
}

/// A Bundle of type searchset. `outcome`, if any, tells about the search: the entry's `urn:uuid:` URL and the
/// OperationOutcome.
///
/// Clause: FHIR R4 http.html#search
#[must_use]
pub fn searchset(version: Version, page: &Page<'_>, outcome: Option<(String, Node)>) -> Node {
    let _ = (version, page, outcome);
    Node::Object(Vec::new())
}
