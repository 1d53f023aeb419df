//! DocumentReference.context.related: an identifier and a reference up to STU3, from R4 a reference that
//! can have both, in R5 nothing.

use super::super::datatype;
use super::super::extension::Wire;
use super::super::members::Members;
use super::super::record::{Fit, Shape};
use crate::{Node, Version};

pub(super) const SHAPE: Shape = Shape { wire: Wire::Value("Reference"), widen, narrow };

fn widen(value: Node, from: Version) -> Option<Node> {
    if from >= Version::R4 {
        return Some(datatype::widen("Reference", value, from));
    }
    let Node::Object(members) = value else { return Some(value) };
    let mut related = Members(members);
    if related.get("modifierExtension").is_some() {
        // A reference cannot say what this changes about it.
        return None;
    }
    let reference = related.take("ref").unwrap_or(Node::Object(Vec::new()));
    Some(Members::edit(datatype::widen("Reference", reference, from), |reference| {
        if let Some(identifier) = related.take("identifier") {
            reference.put("identifier", datatype::widen("Identifier", identifier, from));
        }
        reference.add_extensions("extension", related.take_items("extension"));
    }))
}

fn narrow(value: Node, to: Version) -> Fit {
    if to >= Version::R4 {
        return Fit::Fits(datatype::narrow("Reference", value, to));
    }
    let Node::Object(members) = value else { return Fit::Fits(value) };
    let mut reference = Members(members);
    let identifier =
        reference.take("identifier").map(|identifier| datatype::narrow("Identifier", identifier, to));
    let is_only_identified = reference.0.iter().all(|(name, _)| name == "extension");
    let mut related = Members::default();
    if is_only_identified {
        related.add_extensions("extension", reference.take_items("extension"));
    }
    related.put_some("identifier", identifier);
    if !reference.is_empty() {
        related.put("ref", datatype::narrow("Reference", Node::Object(reference.0), to));
    }
    Fit::Fits(Node::Object(related.0))
}
