//! A document as a Binary resource.

use charta_model::Document;

use super::Subset;
use crate::{Node, Version};

/// The resource form of `document`; its bytes are content number `slot` of the answer.
///
/// A deletion has no resource form; asked for one all the same, this gives a Binary with id and meta.
///
/// Clause: FHIR R4 binary.html#resource
#[must_use]
pub fn binary(document: &Document, version: Version, subset: &Subset, slot: usize) -> Node {
    let _ = (document, version, subset, slot);
    Node::Object(Vec::new())
}
